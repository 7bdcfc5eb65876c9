# scarce.bats - the main promises with three descriptors or without memory
#
# A dynamic binary cannot load its libraries under these limits: make check-asan leaves this file out.

# shellcheck disable=SC2016,SC2034,SC2046 # what stands in single quotes is for other shells; pids are words

# bats file_tags=static
load ../lib/helper
load ../lib/promises

@test "with three to eight descriptors fry-run keeps its promises" {
	requires root
	local room
	within=("$BIN/deny" -n 100 --)
	for room in 3 4 5 6 8; do
		keeps_promises prlimit --nofile=$room:100
	done
}

@test "with three descriptors and without /proc's children files fry-run keeps its promises" {
	requires root
	FRY_RUN=$BATS_RUN_TMPDIR/old/fry-run
	within=("$BIN/deny" -n 100 --)
	keeps_promises prlimit --nofile=3:100
}

@test "as PID 1 with three descriptors fry-run keeps its promises" {
	requires root
	within=("$BIN/deny" -n 100 --)
	keeps_promises unshare --pid --fork --mount-proc prlimit --nofile=3:100
}

# A process further down, and not in COMMAND's group: the daemon's child that leads a session.
reaches_further_down() {
	rm -f heard
	start it "$@" "$FRY_RUN" -- "$BIN/deny" -n 100 -- sh -c '
		(setsid "$BIN/probe" -f 1 -t -n &
		setsid sh -c "\"\$BIN/probe\" -S -n -o heard & exec \"\$BIN/probe\" -n" &)
		exec "$BIN/probe" -x USR1=4'
	ready it 4
	wait_line heard 'ready *'
	find_fry
	kill -USR1 "$fry"
	wait_line heard TERM
	end $(descendants_of "$fry")
	finish it
	assert_equal "$(tail -n +2 heard)" TERM 'heard further down'
}

@test "with three descriptors TERM reaches descendants in other sessions" {
	requires root
	reaches_further_down prlimit --nofile=3:100
}

@test "with three descriptors and without /proc's children files TERM reaches descendants in other sessions" {
	requires root
	FRY_RUN=$BATS_RUN_TMPDIR/old/fry-run
	reaches_further_down prlimit --nofile=3:100
}

@test "with three descriptors fry-run takes the foreground back from COMMAND's group" {
	# The static probe is executed with three descriptors, too.
	run "$BIN/pty" "$BIN/fresh" sh -c '
		prlimit --nofile=3 "$0" --pgroup=new -- "$1" -e 0 2>err; ps -o tpgid=,pgrp= $$' "$FRY_RUN" "$BIN/probe"
	output=${output//$'\r'/}
	read -r foreground group <<<"${output##*$'\n'}" # the last line
	assert_equal "$foreground" "$group" 'foreground'
	[ "$group" ]
}

@test "with three descriptors fry-run names orphans and keeps a timeout" {
	requires root
	start it prlimit --nofile=3:100 "$FRY_RUN" -w -t 5s --stop="$heeded" -- "$BIN/deny" -n 100 -- \
		sh -c '"$0" -s 20 >&2; exec "$1" -n' "$BIN/orphans" "$BIN/probe"
	finish it
	assert_status 124
	assert_equal "$(count_lines it.err 'fry-run: reaped orphan: process +([0-9]) (orphans)')" 20
	assert_equal "$(tail -n +2 it.out)" TERM 'heard by COMMAND'
}

@test "without memory at the start fry-run says so and exits 125 without starting COMMAND" {
	requires seccomp
	run "$BIN/deny" -e ENOMEM mmap brk -- "$FRY_RUN" touch started
	assert_status 125
	assert_match "$output" 'fry-run: cannot get memory: *[Mm]emory'
	[ ! -e started ]
}

@test "fry-run stops a tree too large for its memory" {
	start it prlimit --as=400000 "$FRY_RUN" --stop="$fast" -- "$BIN/orphans" -s -f 2000
	wait_line it.out ready
	kill -TERM "$pid"
	finish it
	nothing_left
}
