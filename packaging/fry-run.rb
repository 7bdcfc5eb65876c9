# Not built here. For Homebrew on Linux.
class FryRun < Formula
  desc "Run a command and leave no process behind"
  homepage "https://example.org/fry-run"
  url "https://example.org/fry-run/releases/v1.0.0/fry-run-1.0.0.tar.gz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license "MIT"

  depends_on :linux

  def install
    system "make", "install", "PREFIX=#{prefix}", "BASHDIR=#{bash_completion}",
           "ZSHDIR=#{zsh_completion}", "FISHDIR=#{fish_completion}"
  end

  test do
    assert_equal "fry-run #{version}", shell_output("#{bin}/fry-run --version").strip
    assert_equal "", shell_output("#{bin}/fry-run -- sh -c 'exit 7'", 7)
  end
end
