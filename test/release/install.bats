# install.bats - install.sh and the GitHub action, with a release that is served on this machine

# shellcheck disable=SC2016 # what stands in single quotes is for other shells

load ../lib/helper

# The action's step uses install.sh, and so does every test here, by way of one function or the other.
setup_file() {
	(requires python3 curl)
}

# A release with a binary for every architecture; each is fry-run and some bytes of its own.
setup_more() {
	local arch
	version=$(sed -n 's/^#define FRY_VERSION "\(.*\)"/\1/p' "$REPO/fry.h")
	release=$PWD/site/v$version
	mkdir -p "$release" tools
	for arch in amd64 arm64 armhf i386 ppc64el riscv64 s390x; do
		{ cat "$FRY_RUN" && echo "$arch"; } >"$release/fry-run-$version-$arch"
	done
	(cd "$release" && sha256sum fry-run-* >SHA256SUMS)
	# Nothing of the machine's own settings: neither a proxy nor a .curlrc.
	unset http_proxy https_proxy all_proxy no_proxy HTTPS_PROXY ALL_PROXY NO_PROXY
	export HOME=$PWD PATH=$PWD/tools:$PATH
	machine Linux x86_64
	start server python3 -u -m http.server --bind 127.0.0.1 --directory site 0
	wait_line server.out 'Serving HTTP on *'
	url=http://127.0.0.1:$(sed -n 's/^Serving HTTP on .* port \([0-9]*\) .*/\1/p' server.out)
}

teardown_more() {
	end "$server_pid"
}

# machine SYSTEM ARCHITECTURE: let uname say so
machine() {
	printf '#!/bin/sh\ncase $1 in -s) echo %s ;; -m) echo %s ;; esac\n' "$1" "$2" >tools/uname
	chmod +x tools/uname
}

install_sh() {
	run "$REPO/install.sh" --prefix="$PWD/prefix" --url="$url" "$@"
}

# installed ARCH: that binary is there, and nothing beside it
installed() {
	cmp prefix/bin/fry-run "$release/fry-run-$version-$1"
	assert_equal "$(find prefix ! -type d)" prefix/bin/fry-run
	assert_equal "$(stat -c %a prefix/bin/fry-run)" 755
	assert_equal "$(find prefix -type d | sort | tr '\n' ' ')" 'prefix prefix/bin '
}

nothing_installed() {
	assert_status 1
	assert_equal "$(find . -path ./site -prune -o -name '*fry-run*' -print)" '' 'files'
}

# Print the paths that the server was asked for.
requests() {
	sed -n 's/.*"GET \([^ ]*\) .*/\1/p' server.err
}

# --- install.sh

@test "install.sh installs the binary of this machine's architecture, and says so" {
	install_sh
	assert_status 0
	installed amd64
	assert_equal "$(prefix/bin/fry-run --version)" "$("$FRY_RUN" --version)"
	assert_lines - "downloading $url/v$version/SHA256SUMS" \
		"downloading $url/v$version/fry-run-$version-amd64" \
		"$PWD/prefix/bin/fry-run is fry-run-$version-amd64, SHA-256 $(sha256sum <prefix/bin/fry-run | cut -c -64)"
}

@test "install.sh finds the release's binary for each machine that uname names" {
	local one
	for one in x86_64:amd64 aarch64:arm64 armv7l:armhf armv8l:armhf i686:i386 ppc64le:ppc64el \
		riscv64:riscv64 s390x:s390x; do
		machine Linux "${one%:*}"
		install_sh
		assert_status 0
		installed "${one#*:}"
	done
}

@test "install.sh installs nothing for an architecture or a system without a binary" {
	local one
	for one in 'Linux armv6l' 'Linux pdp11' 'FreeBSD x86_64' 'Darwin aarch64'; do
		# shellcheck disable=SC2086 # two words
		machine $one
		install_sh
		nothing_installed
		assert_lines - "install.sh: no binary for ${one% *} on ${one#* }: build fry-run from its sources"
	done
	assert_equal "$(requests)" ''
}

@test "install.sh installs nothing if the binary has another checksum" {
	echo more >>"$release/fry-run-$version-amd64"
	install_sh
	nothing_installed
	assert_match "$output" '*install.sh: fry-run-* has the checksum *: nothing is installed'
}

@test "install.sh keeps the fry-run that is there if the new one has another checksum" {
	mkdir -p prefix/bin
	echo old >prefix/bin/fry-run
	echo more >>"$release/fry-run-$version-amd64"
	install_sh
	assert_status 1
	assert_equal "$(cat prefix/bin/*)" old
	assert_equal "$(find prefix ! -type d)" prefix/bin/fry-run
}

@test "install.sh compares with the checksum of --sha256 instead of SHA256SUMS" {
	install_sh --sha256="$(sha256sum "$0" | cut -c -64)"
	nothing_installed
	rm "$release/SHA256SUMS"
	install_sh --sha256="$(sha256sum "$release/fry-run-$version-amd64" | cut -c -64)"
	assert_status 0
	installed amd64
}

@test "install.sh installs nothing if SHA256SUMS does not name the binary" {
	echo '<html>busy</html>' >"$release/SHA256SUMS"
	install_sh
	nothing_installed
	assert_match "$output" "*install.sh: SHA256SUMS of version $version does not name fry-run-$version-amd64"
}

@test "install.sh installs nothing if the server, the release or the proxy is missing" {
	install_sh --version=0.0.7
	nothing_installed
	assert_match "$output" "*install.sh: cannot download $url/v0.0.7/SHA256SUMS"
	rm "$release/fry-run-$version-amd64"
	install_sh
	nothing_installed
	assert_match "$output" "*install.sh: cannot download $url/v$version/fry-run-$version-amd64"
	# Port 1 is not served. The request does not reach the server past the proxy.
	: >server.err
	http_proxy=http://127.0.0.1:1 install_sh
	nothing_installed
	assert_match "$output" "*install.sh: cannot download $url/v$version/SHA256SUMS"
	assert_equal "$(requests)" ''
	end "$server_pid"
	install_sh
	nothing_installed
	assert_match "$output" "*install.sh: cannot download $url/v$version/SHA256SUMS"
}

@test "install.sh does not download a binary again that is installed already" {
	install_sh
	install_sh
	assert_status 0
	assert_match "$output" "*fry-run is fry-run-$version-amd64 already"
	installed amd64
	assert_equal "$(requests | grep -c amd64)" 1 'downloads'
	# With the checksum given, the server is not needed at all.
	end "$server_pid"
	install_sh --sha256="$(sha256sum prefix/bin/fry-run | cut -c -64)"
	assert_status 0
	installed amd64
}

@test "install.sh replaces a fry-run that is running or was changed" {
	install_sh
	start it prefix/bin/fry-run -- "$BIN/probe"
	ready it
	machine Linux aarch64
	install_sh
	assert_status 0
	installed arm64
	end "$it_pid"
	wait_until 'nothing to be left but the server' only_server
	echo more >>prefix/bin/fry-run
	install_sh
	assert_status 0
	installed arm64
}

only_server() {
	assert_equal "$(left_pids)" "$server_pid"
}

@test "install.sh takes a version with and without a v, and the release's as the default" {
	cp -R "$release" site/v9.9.9
	(cd site/v9.9.9 && rename_to 9.9.9 && sha256sum fry-run-* >SHA256SUMS)
	for one in 9.9.9 v9.9.9; do
		rm -rf prefix
		install_sh --version="$one"
		assert_status 0
		assert_match "$output" '*fry-run is fry-run-9.9.9-amd64, *'
	done
	assert_equal "$(sed -n 's/^VERSION=//p' "$REPO/install.sh")" "$version"
	install_sh --version= --sha256=
	assert_status 0
	installed amd64
}

rename_to() {
	local file
	for file in fry-run-*; do mv "$file" "fry-run-$1-${file##*-}"; done
}

@test "install.sh refuses a URL that is not https, except on this machine" {
	local one
	for one in http://example.org/x http://127.0.0.1.example.org/x ftp://127.0.0.1/x "file://$PWD/site" x; do
		install_sh --url="$one"
		nothing_installed
		assert_lines - "install.sh: not an https URL: $one"
	done
	install_sh --url="${url/http:/https:}"
	nothing_installed
	assert_match "$output" '*install.sh: cannot download https://*'
	assert_match "$(grep '^URL=' "$REPO/install.sh")" 'URL=https://*'
}

@test "install.sh lets no redirection lead from https to http" {
	# As curl is called for an https URL: it may not even begin with http.
	install_sh
	rm -r prefix
	cat >tools/curl <<-END
		#!/bin/sh
		echo "\$@" >>$PWD/called
		exit 22
	END
	chmod +x tools/curl
	install_sh --url=https://127.0.0.1:1
	nothing_installed
	assert_match "$(<called)" '* --proto =https --proto-redir =https * https://127.0.0.1:1/v*/SHA256SUMS'
}

@test "install.sh refuses an argument that it does not know" {
	local one
	for one in --help '--prefix' prefix ''; do
		install_sh "$one"
		nothing_installed
		assert_match "$output" "install.sh: unknown argument '$one': *"
	done
}

@test "install.sh says so if curl is missing" {
	local tool
	for tool in sh mkdir; do ln -s "$(command -v $tool)" "tools/$tool"; done
	PATH=$PWD/tools install_sh
	nothing_installed
	assert_lines - 'install.sh: curl is missing'
}

@test "a truncated install.sh runs nothing" {
	local length size tool
	size=$(stat -c %s "$REPO/install.sh")
	printf '#!/bin/sh\necho "$0" >>%s/called\nexit 1\n' "$PWD" >tools/stub
	for tool in curl mkdir mktemp mv; do cp tools/stub "tools/$tool"; done
	chmod +x tools/*
	# To the end of each line, and to each byte of the last lines.
	LC_ALL=C awk '{ at += length + 1; print at }' "$REPO/install.sh" | head -n -1 >lengths
	seq $((size - 40)) $((size - 2)) >>lengths
	while read -r length; do
		head -c "$length" "$REPO/install.sh" | dash >/dev/null 2>&1 || :
	done <lengths
	[[ ! -e called ]]
	dash <"$REPO/install.sh" >/dev/null 2>&1 || :
	[[ -e called ]]
}

@test "install.sh works in dash, bash and busybox" {
	requires dash bash busybox
	local shell
	for shell in dash 'bash --posix' 'busybox sh'; do
		rm -rf prefix
		# shellcheck disable=SC2086 # words
		run $shell "$REPO/install.sh" --prefix="$PWD/prefix" --url="$url"
		assert_status 0
		installed amd64
	done
}

# --- the action

# action VERSION SHA256: run its step as GitHub's runner does, with these inputs
action() {
	/usr/bin/python3 - "$REPO/action.yml" >step.sh <<-'END' || requires python3-yaml
		import sys, yaml
		print(yaml.safe_load(open(sys.argv[1]))["runs"]["steps"][0]["run"])
	END
	export RUNNER_TOOL_CACHE=$PWD/prefix GITHUB_PATH=$PWD/path FRY_RUN_ACTION=$REPO
	FRY_RUN_VERSION=$1 FRY_RUN_SHA256=$2 FRY_RUN_URL=$url run sh -e step.sh
}

action_installed() {
	assert_status 0
	assert_lines path "$PWD/prefix/fry-run/bin"
	cmp prefix/fry-run/bin/fry-run "$release/fry-run-$version-amd64"
}

@test "the action installs the binary and puts its directory on PATH" {
	action '' ''
	action_installed
	rm -r prefix path
	action "v$version" "$(sha256sum "$release/fry-run-$version-amd64" | cut -c -64)"
	action_installed
}

@test "the action does not download the binary a second time" {
	action '' ''
	rm path
	action '' ''
	action_installed
	assert_equal "$(requests | grep -c amd64)" 1 'downloads'
}

@test "the action fails and leaves PATH alone for a wrong checksum, an unknown machine, a broken proxy" {
	action '' "$(sha256sum "$0" | cut -c -64)"
	action_failed
	machine Linux pdp11
	action '' ''
	action_failed
	machine Linux x86_64
	http_proxy=http://127.0.0.1:1 action '' ''
	action_failed
	echo more >>"$release/fry-run-$version-amd64"
	action '' ''
	action_failed
	end "$server_pid"
	action '' ''
	action_failed
}

action_failed() {
	assert_status 1
	[[ ! -e path ]]
	assert_equal "$(find prefix ! -type d)" ''
}

@test "the action passes its inputs by the environment alone, and each of them has a default" {
	/usr/bin/python3 - "$REPO/action.yml" <<-'END'
		import sys, yaml
		action = yaml.safe_load(open(sys.argv[1]))
		step, = action["runs"]["steps"]
		assert action["runs"]["using"] == "composite" and step["shell"] == "sh"
		assert "${{" not in step["run"]
		used = {value for value in step["env"].values()}
		assert used == {"${{ inputs.%s }}" % name for name in action["inputs"]} | {"${{ github.action_path }}"}, used
		assert all(one["default"] == "" and one["description"] for one in action["inputs"].values())
	END
	action '' ''
	shellcheck --shell=sh -e SC2154 step.sh
}
