# musl.bats - in a root like that of Alpine: busybox, and musl as the only shared library

load ../lib/helper
load ../lib/container

# /fry-run is the binary under test, /fry-dynamic the same sources linked with musl's library, and /probe
# is linked with it, too.
setup_more() {
	requires root runc jq busybox musl-gcc
	musl_build
	root_make
	rm "$root/probe" "$root/orphans"
	cp "$built"/* "$root"
	cp "$REPO/test/smoke" "$root"
	ln -s busybox "$root/bin/setsid"
	ln -s busybox "$root/bin/cat"
	mkdir "$root/lib"
	cp -L /lib/ld-musl-*.so.1 "$root/lib"
}

# Once for all tests of the file. Debian's musl-gcc makes binaries that need the loader unless told.
musl_build() {
	built=$BATS_FILE_TMPDIR/musl
	if [[ -e $built ]]; then return; fi
	make -s -C "$REPO" B="$PWD/dynamic" CC=musl-gcc STATIC=-no-pie >&2
	mkdir new
	cp dynamic/fry-run new/fry-dynamic
	musl-gcc -D_GNU_SOURCE -O2 -no-pie -o new/probe "$REPO/test/fixtures/probe.c"
	mv new "$built"
}

teardown_more() {
	box_delete
}

# Each test below is made with both binaries.
each() {
	local fry
	for fry in /fry-run /fry-dynamic; do
		"$@" "$fry"
		box_delete
	done
}

@test "with musl alone: the root holds no other library, and both kinds of binary" {
	run find "$root" '(' -name 'lib*.so*' -o -name 'ld-*' ')' -printf '%f\n'
	assert_match "$output" 'ld-musl-*.so.1'
	assert_equal "${#lines[@]}" 1 libraries
	run readelf -lW "$root/fry-dynamic"
	assert_match "$output" '*interpreter: /lib/ld-musl-*'
	run readelf -lW "$root/fry-run"
	[[ $output != *INTERP* ]]
}

@test "with musl alone: fry-run works as process 1 and below it" {
	each works_twice
}

works_twice() {
	box_run "$1" -- /smoke "$1"
	assert_status 0
	assert_match "$output" '*works'
}

@test "with musl alone: process 1 forwards TERM, and a daemon gets it when COMMAND has ended" {
	each daemon_gets_term
}

daemon_gets_term() {
	: >"$root/heard"
	box_start "$1" -- sh -c '/probe -d -o /heard; exec /probe -x TERM=3'
	ready box
	box_kill TERM
	finish box
	assert_status 3
	assert_heard box.out TERM
	assert_heard "$root/heard" TERM
}

@test "with musl alone: a nested fry-run stops its own daemon, and passes on COMMAND's status" {
	each nested_status
}

nested_status() {
	: >"$root/heard"
	box_run "$1" -- "$1" -- sh -c '/probe -d -o /heard; exit 4'
	assert_status 4
	assert_heard "$root/heard" TERM
}

@test "with musl alone: kill -9 of a nested fry-run leaves nothing behind" {
	each nested_killed
}

# Process 1 ends with 0 only after all that the killed one had started is gone.
nested_killed() {
	box_run "$1" --leftover=fail -- sh -c "
		$1 -- sh -c '/probe -d -n -o /heard; echo up >/up; exec /probe -n' &
		while ! [ -e /up ]; do :; done
		rm /up
		kill -KILL \$!
		wait \$!
		[ \$? = 137 ] || exit 1
		until busybox pidof probe sh >/pids; [ \"\$(cat /pids)\" = \$\$ ]; do :; done"
	assert_status 0
}

@test "with musl alone: a signal reaches COMMAND of a nested fry-run once" {
	each nested_signal
}

nested_signal() {
	box_start "$1" -- "$1" -- /probe -i HUP,TERM -x USR1=6
	ready box
	box_kill HUP
	wait_line box.out HUP
	box_kill TERM
	wait_line box.out TERM
	box_kill USR1
	finish box
	assert_status 6
	assert_heard box.out HUP TERM USR1
}
