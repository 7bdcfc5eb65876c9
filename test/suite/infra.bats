#!/usr/bin/env bats
# The helpers and fixtures: if one of them failed in silence, the other tests would prove nothing.

# The tests of inner() are not to be expanded here; what one sets, the helper reads.
# shellcheck disable=SC2016,SC2034

load ../lib/helper

# Run one test in a bats of its own; its helper is this one.
inner() {
	rm -rf inner
	mkdir -p inner/test/suite
	ln -s "$REPO/test/lib" "$BIN" inner/test/
	printf 'load ../lib/helper\n@test "inner" {\n%s\n}\n' "$1" >inner/test/suite/inner.bats
	run env -u BATS_TMPDIR -u BATS_RUN_TMPDIR bats inner/test/suite/inner.bats
}

# Every signal that can be caught.
catchable() {
	local signal
	for signal in {1..64}; do
		if ((signal != 9 && signal != 19)); then echo "$signal"; fi
	done
}

@test "a test that leaves nothing passes" {
	inner 'start it sleep 1000; end "$pid"'
	assert_status 0
}

@test "a test that leaves a background job fails" {
	inner 'start it sleep 1000'
	assert_status 1
	assert_match "$output" '*left behind: +([0-9]) sleep S*'
}

@test "a test that leaves a daemon fails" {
	inner '"$BIN/probe" -d -n -o daemon.out'
	assert_status 1
	assert_match "$output" '*left behind: +([0-9]) probe S*'
}

@test "a test that leaves a stopped process without its main thread fails" {
	inner 'start it "$BIN/probe" -t -n; ready it; kill -STOP "$pid"'
	assert_status 1
	assert_match "$output" '*left behind: +([0-9]) probe *'
}

@test "a process that a test leaves behind is killed" {
	inner '"$BIN/probe" -d -n -o "$OUT"; "$BIN/orphans" -l -s 5'
	assert_status 1
	nothing_left
}

@test "in CI a missing requirement fails the test instead of skipping it" {
	CI='' inner 'requires no-such-tool'
	assert_status 0
	assert_match "$output" '*skip no-such-tool is missing*'
	rm -r inner
	CI=true inner 'requires no-such-tool'
	assert_status 1
}

@test "a wait that runs out fails and names the condition" {
	WAIT_LIMIT=1
	run wait_line no-such-file TERM
	assert_status 1
	assert_match "$output" "waited 1 s for 'TERM' in no-such-file*"
}

@test "a failing test names the line and the command that failed, also in a function" {
	inner 'true
		for word in a b; do
			if [[ $word == b ]]; then assert_equal "$word" a; fi
		done'
	assert_match "$output" '*'$'test/suite/inner.bats, line 5)\n#   `if [['*"failed"*
	inner 'inside() {
			true
			((1 == 2))
			true
		}
		inside
		true'
	assert_match "$output" \
		'*'$'line 5,\n#  in test file inner/test/suite/inner.bats, line 8)\n#   `inside'*"failed"*
}

@test "the helper start leaves no signal ignored or blocked and no descriptor open" {
	start it "$BIN/probe" -D -F
	finish it
	assert_lines it.out ignored: blocked: 'open: 0 1 2'
}

@test "the fixture fresh ignores, blocks, closes and keeps as its options say" {
	start -i INT,32 -b RTMIN,HUP -c 0,2 -k 5,7 it "$BIN/probe" -D -F 5</dev/null
	finish it
	assert_lines it.out 'ignored: 2 32' 'blocked: 1 34' 'open: 1 5'
}

@test "the fixture probe names each of the 62 signals once" {
	start it "$BIN/probe" -n
	ready it
	named=1
	for signal in $(catchable); do
		kill -"$signal" "$pid"
		wait_line it.out '*' $((++named))
	done
	end "$pid"
	assert_equal "$(count_lines it.out '*')" 63
	assert_equal "$(sort -u it.out | count_lines /dev/stdin '*')" 63
	assert_equal "$(count_lines it.out 'RTMIN*')" 31
}

@test "the fixture probe names a queued signal each time, with its sender and value" {
	start it "$BIN/probe" -s -q
	ready it
	kill -STOP "$pid"
	for value in 1 2 3; do
		/bin/kill -q "$value" -s RTMIN+3 "$pid"
	done
	kill -CONT "$pid"
	wait_line it.out 'RTMIN+3 from * value ?' 3
	kill -TERM "$pid"
	finish it
	assert_status 143
	wait_line it.out "TERM from $BASHPID"
}

@test "the fixture probe ends as its options say" {
	run "$BIN/probe" -e 7
	assert_status 7
	run "$BIN/fresh" "$BIN/probe" -k RTMIN+5
	assert_status $((128 + 39))
	start it "$BIN/probe" -i TERM -x INT=9 -l lock
	ready it
	kill -TERM "$pid"
	wait_line it.out TERM
	[ -e lock ]
	kill -INT "$pid"
	finish it
	assert_status 9
	[ ! -e lock ]
}

@test "the fixture probe daemonises with children in sessions of their own" {
	"$BIN/probe" -d -S -f 2 -o daemon.out
	wait_line daemon.out 'ready *' 3
	ready daemon 3
	for one in "${ready[@]}"; do
		look_at "$one"
		[ "$session" != "$BASHPID" ]
	done
	assert_equal "$(printf '%s\n' "${ready[@]}" | sort -u | count_lines /dev/stdin '*')" 3
	end "${ready[@]}"
}

@test "the fixture probe without its main thread is a zombie and alive" {
	start it "$BIN/probe" -t
	ready it
	wait_prints Z state_of "$pid"
	alive "$pid"
	kill -TERM "$pid"
	finish it
	assert_status 143
	assert_lines it.out "ready $pid" TERM
}

@test "the fixture sweep finds a child whose pid is lower than its parent's" {
	requires root pid-namespace
	# The parent gets the last pid, so its child gets the first free one.
	start it unshare --pid --fork --kill-child --mount-proc sh -c '
		echo $(($(cat /proc/sys/kernel/pid_max) - 2)) >/proc/sys/kernel/ns_last_pid
		sh -c '\''"$0/probe" -n -o child.out & exec "$0/probe" -n -o parent.out'\'' "$0" &
		until grep -q ready child.out && grep -q ready parent.out; do sleep .01; done
		"$0/sweep" TERM $!
		wait' "$BIN"
	wait_line parent.out TERM
	wait_line child.out TERM
	(($(sed -n 's/ready //p' child.out) < $(sed -n 's/ready //p' parent.out)))
	mapfile -t all < <(descendants_of "$pid")
	end "$pid" "${all[@]}"
}

@test "the fixture deny makes a system call fail with the given errno" {
	requires seccomp
	run "$BIN/deny" fork -- bash -c '(echo forked); true'
	assert_match "$output" '*fork: *'
	run "$BIN/deny" -e EPERM chdir -- bash -c 'cd /'
	assert_status 1
	assert_match "$output" '*Operation not permitted*'
	run "$BIN/deny" -e EPERM kill -- bash -c 'kill -0 $$'
	assert_status 1
	run "$BIN/deny" -n 10 -- bash -c 'ulimit -n'
	assert_equal "$output" 10
}

@test "the fixture pty gives a controlling terminal that types and shows" {
	start_tty it bash --norc
	keys it 'ps -o stat=,tty= $$; stty size\r'
	wait_line it.out 'Ss*pts/*'
	wait_line it.out '24 80'
	keys it 'sleep 1000\r'
	wait_prints '*sleep' names_below "$pid"
	keys it '\003'
	wait_prints bash names_below "$pid"
	keys it 'exit $?\r'
	finish it
	assert_status 130
}

@test "the fixture pty -n gives a terminal that controls no process" {
	run "$BIN/pty" -n bash -c 'test -t 0 && : </dev/tty'
	assert_status 1
	assert_match "$output" '*/dev/tty: No such device or address*'
}

@test "the fixture pty copies all output and mirrors death by a signal" {
	for _ in {1..20}; do
		run "$BIN/pty" seq 1000
		assert_equal "${#lines[@]}" 1000
	done
	run "$BIN/pty" bash -c 'kill -KILL $$'
	assert_status 137
}

@test "the fixture orphans keeps as many processes as it is asked for" {
	start flat "$BIN/orphans" -s -f 20
	wait_line flat.out ready
	assert_equal "$(children_of "$flat_pid" | count_lines /dev/stdin '*')" 20
	start deep "$BIN/orphans" -d 20
	wait_line deep.out ready
	assert_equal "$(descendants_of "$deep_pid" | count_lines /dev/stdin '*')" 20
	kill -TERM "$flat_pid" "$deep_pid"
	finish flat
	assert_status 143
	finish deep
	assert_equal "$(left_behind | count_lines /dev/stdin '* orphans *')" 40
	# shellcheck disable=SC2046 # one word each
	end $(left_pids)
}

@test "the fixture orphans makes orphans that end and orphans that live" {
	run "$BIN/orphans" 100
	assert_lines - 'done'
	nothing_left
	start it "$BIN/orphans" -l -s 3
	finish it
	assert_equal "$(left_behind | count_lines /dev/stdin '* orphans *')" 3
	# shellcheck disable=SC2046 # one word each
	end $(left_pids)
}

@test "a test that leaves a chain fails" {
	inner '"$BIN/bomb" -x chain 2'
	assert_status 1
	assert_match "$output" '*left behind: *a bomb*'
}

@test "the fixture bomb's chain ends by itself" {
	start it "$BIN/bomb" -x -l 4 chain 3
	finish it
	assert_status 0
	run bomb_gone
	assert_status 1
	wait_until 'the chain to end' bomb_gone
}
