# supervisors.bats - programs that start their tasks under fry-run, in five languages: examples/supervisors

# shellcheck disable=SC2016,SC2034,SC2154 # single quotes are for other shells; start sets pids

load ../lib/helper

EXAMPLES=$REPO/examples/supervisors

# Debian's rustc, where another one is first in PATH.
setup_file() {
	export GOCACHE=$BATS_FILE_TMPDIR/cache GO111MODULE=off HOME=$BATS_FILE_TMPDIR
	local built=$BATS_FILE_TMPDIR/built rustc=/usr/bin/rustc
	[[ -x $rustc ]] || rustc=rustc
	mkdir "$built"
	(g++ -Wall -Wextra -Werror -o "$built/build-driver" "$EXAMPLES/build-driver.cpp" &&
		"$rustc" -D warnings -o "$built/actors" "$EXAMPLES/actors.rs" &&
		go vet "$EXAMPLES/workers.go" && go build -o "$built/workers" "$EXAMPLES/workers.go") \
		>"$built/log" 2>&1 </dev/null || touch "$built/failed"
}

# The mount exists in a namespace of the test's own, which lasts as long as this sleep.
setup_more() {
	requires root unshare nsenter g++ rustc go node
	unset FRY_RUN_OPTS
	/usr/bin/python3 -c 'import asyncio' || requires python3
	built=$BATS_FILE_TMPDIR/built
	if [[ -e $built/failed ]]; then
		cat "$built/log" >&2
		return 1
	fi
	mkdir tools mount
	ln -s "$FRY_RUN" tools/fry-run
	export PATH=$PWD/tools:$PATH BIN LOGS=$PWD TMPDIR=$PWD
	start namespace unshare --mount --propagation slave sleep 1000
	wait_until 'the namespace' namespace_is_own
	enter=(nsenter --mount --target "$namespace_pid")
	mkfifo input
}

teardown_more() {
	if [[ ${namespace_pid-} ]]; then end "$namespace_pid"; fi
}

namespace_is_own() {
	[[ $(readlink "/proc/$namespace_pid/ns/mnt") != "$(readlink /proc/self/ns/mnt)" &&
		$(name_of "$namespace_pid") == sleep ]]
}

# The first task stops as soon as its sleep has ended, and the second one takes its time. The second one has a daemon in a session of its
# own, with a file open in the mount.
first='trap "echo first >>$LOGS/stops; wait; exit 0" TERM; echo ready 1
	while :; do sleep 1000 & wait; done'
second='trap "sleep .3; echo second >>$LOGS/stops; wait; exit 3" TERM; "$BIN/probe" -d -o daemon
	echo ready 2
	while :; do sleep 1000 & wait; done'

# supervise PROGRAM...: start it, and wait until both tasks are there
supervise() {
	if [[ $1 != */build-driver ]]; then "${enter[@]}" mount -t tmpfs fry "$PWD/mount"; fi
	start it "${enter[@]}" "$@" "$PWD/mount" "$first" "$second" <>input
	wait_line it.out started
	wait_line it.out 'ready [12]' 2
	mapfile -t keepers < <(children_of "$it_pid")
	assert_equal "${#keepers[@]}" 2 'children'
}

# stops_in_order: the tasks have stopped one after the other, and the reports say so
stops_in_order() {
	finish it
	assert_status 0
	assert_lines stops second first
	assert_equal "$(grep '^task' it.out)" "$(printf '%s\n' 'task 2: stopped, status 3, 1 left behind' \
		'task 1: stopped, status 0, 0 left behind')"
	assert_lines it.err
	assert_lines <("${enter[@]}" cat "$PWD/mount/daemon" | tail -n +2) TERM
}

leaves_nothing() {
	supervise "$@"
	kill -KILL "$it_pid"
	wait_gone "${keepers[@]}"
	"${enter[@]}" umount "$PWD/mount"
	assert_equal "$(LC_ALL=C sort stops)" $'first\nsecond'
	end "$namespace_pid"
	wait_until 'the supervisor to be reaped' nothing_left
}

unmounts() {
	"${enter[@]}" umount "$PWD/mount"
}

@test "C++: a build driver stops its tasks in order, and unmounts at once" {
	supervise "$built/build-driver"
	kill -TERM "$it_pid"
	finish it
	assert_status 0
	assert_lines stops second first
	assert_equal "$(tail -n 3 it.out)" "$(printf '%s\n' 'task 2: stopped, status 3, 1 left behind' \
		'task 1: stopped, status 0, 0 left behind' unmounted)"
}

@test "C++: kill -9 of a build driver leaves nothing, and the mount is not busy" {
	leaves_nothing "$built/build-driver"
}

@test "Rust: actors stop in order" {
	supervise "$built/actors"
	echo stop >input
	stops_in_order
	unmounts
}

@test "Rust: kill -9 of a program with actors leaves nothing, and the mount is not busy" {
	leaves_nothing "$built/actors"
}

@test "Go: a daemon stops its tasks in order" {
	supervise "$built/workers"
	kill -TERM "$it_pid"
	stops_in_order
	unmounts
}

@test "Go: kill -9 of a daemon with tasks leaves nothing, and the mount is not busy" {
	leaves_nothing "$built/workers"
}

@test "Python: a daemon stops its tasks in order" {
	supervise /usr/bin/python3 "$EXAMPLES/workers.py"
	kill -TERM "$it_pid"
	stops_in_order
	unmounts
}

@test "Python: kill -9 of a daemon with tasks leaves nothing, and the mount is not busy" {
	leaves_nothing /usr/bin/python3 "$EXAMPLES/workers.py"
}

@test "Node: actors stop in order" {
	supervise node "$EXAMPLES/actors.mjs"
	kill -TERM "$it_pid"
	stops_in_order
	unmounts
}

@test "Node: kill -9 of a program with actors leaves nothing, and the mount is not busy" {
	leaves_nothing node "$EXAMPLES/actors.mjs"
}
