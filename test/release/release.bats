# release.bats - make release: what it makes, and that it makes the same twice

load ../lib/helper
load ../lib/container

@test "make release makes equal files twice, in another directory, time zone and umask" {
	requires root git podman npm dh arm-linux-gnueabihf-gcc qemu-arm-static qemu-x86_64-static
	unset MAKEFLAGS MAKELEVEL
	podman_setup
	version=$(sed -n 's/^#define FRY_VERSION "\(.*\)"/\1/p' "$REPO/fry.h")
	mkdir first
	tar -C "$REPO" --exclude=./.git --exclude=./build --exclude=./test/bin --exclude='./*.[od]' \
		--exclude=./fry-run --exclude=./schedule --exclude=./silent --exclude=./revision -c . | tar -C first -x
	git -C first init --quiet
	git -C first add --all
	GIT_COMMITTER_DATE='2026-01-02T03:04:05Z' git -C first -c user.name=n -c user.email=e@localhost \
		commit --quiet --date='2026-01-02T03:04:05Z' --message=all
	git clone --quiet first second
	release first
	# A change that is not committed must not be in a release.
	echo '#error' >>second/fry.c
	(umask 077 && TZ=Pacific/Auckland release second)
	diff -r first/build/release second/build/release

	cd first/build/release
	sha256sum --check --strict SHA256SUMS
	assert_equal "$(find . -type f | sort)" \
		"$({ echo SHA256SUMS && cut -c 67- SHA256SUMS; } | sed 's|^|./|' | sort)"
	run ls
	assert_lines - PROVENANCE SHA256SUMS "fry-run-$version-amd64" "fry-run-$version-armhf" \
		"fry-run-$version.oci.tar" "fry-run-$version.spdx" "fry-run-$version.tar.gz" \
		"fry-run_${version}_amd64.deb" install.sh npm
	assert_equal "$("./fry-run-$version-amd64" --version)" "fry-run $version"
	assert_equal "$(sed -n 1p PROVENANCE)" "revision $(git rev-parse HEAD)"
	assert_equal "$(cut -d ' ' -f 1 PROVENANCE | tr '\n' ' ')" 'revision amd64 armhf flags '
	assert_match "$(<"fry-run-$version.spdx")" "*PackageChecksum: SHA256: $(sha256sum "fry-run-$version.tar.gz" | cut -c -64)*"
	assert_equal "$(grep -c @ "fry-run-$version.spdx")" 0 'places to fill in'
}

release() {
	make -s -C "$1" release ARCHES='amd64 armhf' >"$1.log" 2>&1 || { tail -n 30 "$1.log" && return 1; }
}
