# `make` builds a small static binary, hardened, for every compiler and libc, and installs it.
load ../lib/helper

# build VARIANT [MAKE-VARIABLE]...: a variant of its own, in this test's directory
build() {
	local variant=$PWD/$1
	shift
	make -s -C "$REPO" B="$variant" CFLAGS=-Werror "$@" >&2 && built=$variant/fry-run
}

# Neither a dynamic loader nor a library: Debian 12's musl-gcc makes such binaries under -static-pie.
assert_static() {
	run readelf -lW "$1"
	assert_status 0
	[[ $output != *INTERP* && $output != *DYNAMIC* ]]
}

assert_works() {
	run "$@" sh -c 'exit 7'
	assert_status 7
	run "$@" -k 0.1 -t 0.1 sh -c 'trap "" INT TERM; setsid sleep 100 & while :; do sleep 100; done'
	assert_status 124
	nothing_left
}

@test "musl's binary is static, works, and has at most 72 KiB" {
	requires musl-gcc
	build musl CC=musl-gcc
	assert_static "$built"
	assert_works "$built"
	(($(stat -c %s "$built") <= 73728))
}

@test "glibc's binary is static and works" {
	requires gcc
	glibc_make
	assert_static "$BATS_RUN_TMPDIR/glibc/fry-run"
	assert_works "$BATS_RUN_TMPDIR/glibc/fry-run"
}

@test "clang's binary is static and works" {
	requires clang
	build clang CC=clang
	assert_static "$built"
	assert_works "$built"
}

@test "a binary for aarch64 works under an emulator" {
	requires aarch64-linux-gnu-gcc qemu-aarch64-static
	build aarch64 CC=aarch64-linux-gnu-gcc
	assert_static "$built"
	run readelf -h "$built"
	assert_match "$output" '*AArch64*'
	assert_works qemu-aarch64-static "$built"
	run -127 qemu-aarch64-static "$built" no-such-command
	assert_status 127
}

@test "the user's CFLAGS and CPPFLAGS are appended" {
	run make -n -C "$REPO" B="$PWD/new" CFLAGS=-Dcflags CPPFLAGS=-Dcppflags
	assert_status 0
	assert_match "$output" '*-Dcppflags -Dcflags*'
}

@test "the binary has no writable code, no executable stack and no late relocation" {
	run readelf -lW "$FRY_RUN"
	assert_status 0
	assert_match "$output" '*GNU_RELRO*'
	[[ $output =~ GNU_STACK[^$'\n']*RW ]]
	[[ ! $output =~ (LOAD|GNU_STACK)[^$'\n']*RWE ]]
}

@test "a dynamic binary is bound at the start and has stack protectors" {
	requires gcc
	glibc_make "$PWD/new" STATIC=-no-pie STRIP=
	run readelf -dW new/fry-run
	assert_match "$output" '*NOW*'
	run nm new/fry-run
	assert_match "$output" '*__stack_chk_fail*'
}

@test "make install puts five files below DESTDIR and PREFIX, and uninstall removes them" {
	glibc_make "$PWD/build" DESTDIR="$PWD/root" PREFIX=/usr install
	run bash -c 'cd root && find . -type f | sort'
	assert_lines - ./usr/bin/fry-run ./usr/share/bash-completion/completions/fry-run \
		./usr/share/fish/vendor_completions.d/fry-run.fish ./usr/share/man/man1/fry-run.1 \
		./usr/share/zsh/site-functions/_fry-run
	assert_equal "$(stat -c %a root/usr/bin/fry-run)" 755
	assert_works root/usr/bin/fry-run
	make -s -C "$REPO" B="$PWD/build" DESTDIR="$PWD/root" PREFIX=/usr uninstall
	assert_equal "$(find root -type f)" ''
}

@test "make clean removes everything that make has built" {
	requires git
	cp -Rp "$REPO" copy
	cd copy
	make -s B=build/variant build/variant/text.o
	make -s
	[[ -e fry-run && -e text.o && -e text.d && -e build/variant/text.o ]]
	make -s clean
	assert_equal "$(find . -name '*.o' -o -name '*.d' -type f -o -name fry-run)" ''
	[[ ! -e build ]]
}

@test "--version names the revision of a checkout, and none of a tarball" {
	requires git
	mkdir plain
	tar -C "$REPO" --exclude=./.git --exclude=./build --exclude=./test -c . | tar -C plain -x
	mkdir plain/test
	make -s -C plain
	assert_match "$(plain/fry-run -V)" 'fry-run +([0-9.])'
	git init -q plain
	git -C plain add . && git -C plain -c user.name=x -c user.email=x@x commit -qm x
	make -s -C plain
	assert_equal "$(plain/fry-run -V | sed 's/.*(//; s/)//')" "$(git -C plain describe --always)"
}
