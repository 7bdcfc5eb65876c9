# package.bats - the Debian package, the tarball, and the binaries for other machines

load ../lib/helper

# A repository of one commit, with what is in the tree: a checkout's, or an unpacked tarball's.
repository() {
	mkdir "$1"
	tar -C "$REPO" --exclude=./.git --exclude=./build --exclude=./test/bin --exclude='./*.[od]' \
		--exclude=./fry-run --exclude=./schedule --exclude=./silent --exclude=./revision -c . | tar -C "$1" -x
	git -C "$1" init --quiet
	git -C "$1" add --all
	GIT_COMMITTER_DATE='2026-01-02T03:04:05Z' git -C "$1" -c user.name=n -c user.email=e@localhost \
		commit --quiet --date='2026-01-02T03:04:05Z' --message=all
}

version_of() {
	sed -n 's/^#define FRY_VERSION "\(.*\)"/\1/p' "$1/fry.h"
}

# The package is built once, for all the tests of it.
setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	(requires dh dpkg-buildpackage git musl-gcc)
	repository tree
	make -s -C tree deb >deb.log 2>&1 || { cat deb.log && return 1; }
}

setup_more() {
	tree=$BATS_FILE_TMPDIR/tree
	version=$(version_of "$tree")
	deb=$tree/build/deb/fry-run_${version}_$(dpkg --print-architecture).deb
}

# --- the Debian package

@test "make deb makes a package of fry-run's version, and touches nothing of the tree" {
	[[ -e $deb ]]
	assert_equal "$(dpkg-deb --field "$deb" Version)" "$version"
	assert_equal "$(git -C "$tree" status --porcelain --ignored)" '!! build/'
	assert_equal "$(ls "$tree/build")" deb
	assert_equal "$(find "$tree/build/deb" -type d)" "$tree/build/deb"
}

@test "the package holds the files of make install, the examples, and the files that Debian requires" {
	make -s -C "$tree" B="$PWD/build" CC=gcc DESTDIR="$PWD/made" PREFIX=/usr install \
		ZSHDIR=/usr/share/zsh/vendor-completions
	dpkg-deb --extract "$deb" unpacked
	gunzip unpacked/usr/share/man/man1/fry-run.1.gz
	rm made/usr/bin/fry-run
	while read -r file; do cmp "made/$file" "unpacked/$file"; done < <(cd made && find . -type f)
	diff -r "$tree/examples" unpacked/usr/share/doc/fry-run/examples
	run bash -c 'cd unpacked && find . -type f ! -path "*/examples/*" | sort'
	assert_lines - ./usr/bin/fry-run \
		./usr/share/bash-completion/completions/fry-run \
		./usr/share/doc/fry-run/README.md.gz \
		./usr/share/doc/fry-run/changelog.Debian.gz \
		./usr/share/doc/fry-run/changelog.gz \
		./usr/share/doc/fry-run/copyright \
		./usr/share/fish/vendor_completions.d/fry-run.fish \
		./usr/share/lintian/overrides/fry-run \
		./usr/share/man/man1/fry-run.1 \
		./usr/share/zsh/vendor-completions/_fry-run
	assert_equal "$(dpkg-deb --field "$deb" Depends)" ''
}

@test "lintian has nothing to say about the package and its source" {
	requires lintian
	# Machine code may read like a misspelled word.
	run lintian --allow-root --pedantic --display-info --suppress-tags spelling-error-in-binary \
		"$tree"/build/deb/*.changes
	assert_lines -
	assert_status 0
}

@test "the package can be installed, works and can be removed in a root with busybox alone" {
	requires root busybox
	clean_root
	in_root --install "$deb"
	assert_equal "$(chroot root fry-run --version)" "fry-run $version"
	chroot root /smoke fry-run
	in_root --remove fry-run
	in_root --purge fry-run
	assert_equal "$(root_list)" "$before"
}

# busybox, an empty dpkg database, and the test of the tree.
clean_root() {
	local applet
	mkdir -p root/bin root/dev root/tmp root/var/lib/dpkg/{info,updates,triggers}
	: >root/var/lib/dpkg/status
	cp "$(command -v busybox)" root/bin/busybox
	for applet in sh sleep setsid cat; do ln -s busybox "root/bin/$applet"; done
	mknod -m 666 root/dev/null c 1 3
	cp "$tree/test/smoke" root/smoke
	before=$(root_list)
}

root_list() {
	find root -path root/var/lib/dpkg -prune -o -print | sort
}

in_root() {
	dpkg --root="$PWD/root" --log="$PWD/dpkg.log" "$@"
}

# --- the tarball

@test "make dist makes equal bytes in another directory, time zone and umask" {
	requires git
	git clone --quiet "$tree" elsewhere
	make -s -C "$tree" dist
	(umask 077 && TZ=Pacific/Auckland LC_ALL=C GZIP=-1 make -s -C elsewhere dist)
	cmp "$tree/build/fry-run-$version.tar.gz" "elsewhere/build/fry-run-$version.tar.gz"
	cd elsewhere/build
	sha256sum --check --strict "fry-run-$version.tar.gz.sha256"
}

@test "the tarball holds the checkout, builds, and passes a part of its tests" {
	requires git parallel
	git clone --quiet "$tree" elsewhere
	make -s -C elsewhere dist
	tar -xzf "elsewhere/build/fry-run-$version.tar.gz"
	assert_equal "$(cd "fry-run-$version" && find . -type f | sort)" \
		"$(cd elsewhere && git ls-files | sed 's|^|./|' | sort)"
	cd "fry-run-$version"
	make -s
	assert_equal "$(./fry-run --version)" "fry-run $version"
	# A bats of its own: neither this one's directories nor its inner programs.
	run env -u BATS_TMPDIR -u BATS_RUN_TMPDIR -u FRY_RUN PATH="${PATH#"$BATS_LIBEXEC:"}" \
		make check TESTS=test/run/placement.bats ALONE=
	assert_status 0
	assert_match "$output" '*ok 1 *'
}

@test "the source, the Debian package and the changelog agree in version and date" {
	local release debian
	assert_match "$(head -n 1 "$REPO/debian/changelog")" "fry-run ($(version_of "$REPO")) *"
	debian=$(sed -n 's/^ -- .*>  //p;T;q' "$REPO/debian/changelog")
	release=$(sed -n 's/^## \[\([0-9.]*\)\] - /\1 /p;T;q' "$REPO/CHANGELOG.md")
	assert_equal "$release" "$(version_of "$REPO") $(date -u -d "$debian" +%F)"
}

# --- other machines

@test "make static-all makes binaries that work on a 32-bit and on a big-endian machine" {
	requires arm-linux-gnueabihf-gcc s390x-linux-gnu-gcc qemu-arm-static qemu-s390x-static
	repository here
	make -s -C here static-all ARCHES='armhf s390x'
	run ls here/build/static
	assert_lines - SHA256SUMS "fry-run-$version-armhf" "fry-run-$version-s390x"
	cd here/build/static
	sha256sum --check --strict SHA256SUMS
	assert_match "$(readelf -h "fry-run-$version-armhf")" '*ELF32*little endian*ARM*'
	assert_match "$(readelf -h "fry-run-$version-s390x")" '*ELF64*big endian*S/390*'
	assert_equal "$(readelf -lW fry-run-* | grep -c -e INTERP -e DYNAMIC)" 0 'dynamic'
}

@test "make static-all makes nothing of an architecture that it does not know, and says which" {
	run make -s -C "$tree" static-all ARCHES=pdp11
	assert_status 2
	assert_match "$output" '*pdp11: *'
	[[ ! -e $tree/build/static/SHA256SUMS ]]
	rm -r "$tree/build/static"
}

@test "test/smoke fails for tini and env" {
	requires tini
	"$REPO/test/smoke" "$FRY_RUN"
	run "$REPO/test/smoke" tini
	assert_status 1
	run "$REPO/test/smoke" env
	assert_status 1
	run "$REPO/test/smoke" /no/such/binary
	assert_status 1
}
