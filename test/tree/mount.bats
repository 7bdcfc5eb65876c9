# mount.bats - when fry-run has ended, a file system that its descendants used can be unmounted

load ../lib/helper

# The mount exists in a namespace of the test's own, which lasts as long as this sleep.
setup_more() {
	requires root unshare nsenter make cc
	mount=$BATS_TEST_TMPDIR/mount
	mkdir "$mount"
	start namespace unshare --mount --propagation slave sleep 1000
	wait_until 'the namespace' namespace_is_own
	enter=(nsenter --mount --target "$namespace_pid" --wdns="$mount")
	"${enter[@]}" mount -t tmpfs fry "$mount"
}

teardown_more() {
	if [[ ${namespace_pid-} ]]; then end "$namespace_pid"; fi
}

namespace_is_own() {
	[[ $(readlink "/proc/$namespace_pid/ns/mnt") != "$(readlink /proc/self/ns/mnt)" &&
		$(name_of "$namespace_pid") == sleep ]]
}

unmount() {
	nsenter --mount --target "$namespace_pid" umount "$mount"
}

unmounted() {
	unmount 2>/dev/null
}

# Four compilers at work on sources that have no end, and a server in a session of its own, as
# compiler caches start one. All of them stand in the mount, and have files open there.
build_start() {
	printf '%s\n' 'all: 1.o 2.o 3.o 4.o' \
		'%.o: %.c server; cc -c -o $@ $< >$@.log 2>&1' \
		"server:; '$BIN/probe' -d -o server.log" |
		"${enter[@]}" sh -c 'cat >Makefile && mkfifo 1.c 2.c 3.c 4.c'
	export TMPDIR=$BATS_TEST_TMPDIR
	start build "${enter[@]}" "$@" make -j4
	wait_until 'the compilers to be at work' compilers_found
	server=$("${enter[@]}" sed -n 's/^ready //p' server.log)
}

compilers_found() {
	local one
	compilers=()
	for one in $(descendants_of "$build_pid"); do
		if [[ $(name_of "$one") == cc1 ]]; then compilers+=("$one"); fi
	done
	((${#compilers[@]} == 4))
}

@test "umount succeeds when fry-run has ended an interrupted build in the mount" {
	build_start "$FRY_RUN" --
	kill -INT "$build_pid"
	finish build
	assert_match "$status" '@(2|130)' # make's own end, or that of the compilers as make reports it
	assert_equal "$("${enter[@]}" tail -n +2 server.log)" TERM 'heard by the server'
	unmount
}

@test "without fry-run the mount of an interrupted build stays busy" {
	build_start
	kill -INT "$build_pid" # which make alone takes for something that all have got
	run ! unmount
	assert_match "$output" '*busy*'

	kill -TERM "$build_pid"
	finish build
	alive "${compilers[@]}" "$server"
	run ! unmount
	assert_match "$output" '*busy*'

	end "$server"
	run ! unmount
	end "${compilers[@]}"
	unmount
}

@test "fry-run leaves the directory that it was started in" {
	start job "${enter[@]}" "$FRY_RUN" -- sh -c "cd / && exec '$BIN/probe' -x TERM=0"
	ready job
	wait_until 'fry-run to stand in /' stands_in_root "$job_pid"
	unmount
	kill -TERM "$job_pid"
	finish job
	assert_status 0
}

stands_in_root() {
	[[ $(readlink "/proc/$1/cwd") == / ]]
}

@test "fry-run keeps no file open that COMMAND has closed" {
	start job "${enter[@]}" sh -c 'exec "$@" >log 5>held' sh \
		"$FRY_RUN" -- sh -c "cd / && exec '$BIN/probe' -x TERM=0 -o '$PWD/heard' 5>&-"
	wait_line heard 'ready *'
	wait_until 'the mount to be free' unmounted
	alive "$job_pid"
	kill -TERM "$job_pid"
	finish job
	assert_status 0
}
