#!/usr/bin/env bats
# A stop schedule that begins with a wait: the first stop request is held back.

# $0 and the like are for inner shells.
# shellcheck disable=SC2016,SC2154

# bats file_tags=posix
load ../lib/helper

teardown_more() {
	assert_report_valid
}

# With two processes, where there can be two, and with one.
guards=(--no-guard)
if "$FRY_RUN" --guard true 2>/dev/null; then guards+=(--guard); fi

# Start COMMAND under fry-run with a first wait that no test waits for.
draining() {
	start it "$FRY_RUN" -v --report=report "$@"
	ready it
}

held() {
	wait_line it.err "*holding $1 back*"
}

# Print the signals of the steps in the report.
steps() {
	tail -n 1 report | jq -c '[.stop[].signal]'
}

@test "drain: the first stop request is held back, and the second one ends the wait" {
	for guard in "${guards[@]}"; do
		draining "$guard" --stop=1h/TERM/1h/KILL -- "$BIN/probe" -n -x QUIT=3
		kill -TERM "$pid"
		held TERM
		kill -HUP "$pid"
		wait_line it.out HUP
		kill -USR1 "$pid"
		wait_line it.out USR1
		assert_lines it.out "ready ${ready[0]}" HUP USR1
		kill -TERM "$pid"
		wait_line it.out TERM
		kill -QUIT "$pid"
		finish it
		assert_status 3
		# Both were TERM, of which a pending one merges with the next.
		assert_lines it.out "ready ${ready[0]}" HUP USR1 TERM QUIT
		assert_equal "$(steps)" '[null,"TERM","QUIT"]'
		assert_equal "$(tail -n 1 report | jq -c '.stop[0] | .after_s == 0 and .processes == 1')" true
		assert_equal "$(count_lines it.err '*first wait of the stop schedule is over')" 1
	done
}

@test "drain: when the wait is over the request is forwarded" {
	for guard in "${guards[@]}"; do
		draining "$guard" --stop=0.7/TERM/1h/KILL -- "$BIN/probe" -x TERM=3
		before=$(now)
		kill -TERM "$pid"
		finish it
		at_least $(($(now) - before)) 700
		assert_status 3
		assert_lines it.out "ready ${ready[0]}" TERM
		assert_equal "$(tail -n 1 report | jq -c '.stop[1].after_s >= 0.7')" true
		assert_equal "$(tail -n 1 report | jq -c '.cause, .forwarded')" \
			$'"stopped"\n[{"signal":"TERM","count":1}]'
	done
}

# bats test_tags=linux
@test "drain: the request that was held back goes to COMMAND's group alone, as if received then" {
	draining --stop=0.1/INT/1h -- sh -c '"$0" -d -n -x TERM=0 -o daemon.out; exec "$0" -n -x USR1=3' "$BIN/probe"
	ready daemon
	kill -INT "$pid"
	wait_line it.out INT
	assert_lines daemon.out "ready ${ready[0]}"
	kill -USR1 "$pid"
	finish it
	assert_status 3
	assert_lines daemon.out "ready ${ready[0]}" TERM
}

@test "drain: a second request of another kind is forwarded after the first one" {
	draining --stop=1h/INT/1h/TERM/1h/KILL -- "$BIN/probe" -n -x USR1=0
	kill -INT "$pid"
	held INT
	kill -TERM "$pid"
	wait_line it.out TERM
	assert_lines it.out "ready ${ready[0]}" INT TERM
	kill -USR1 "$pid"
	finish it
	assert_equal "$(steps)" '[null,"INT","TERM"]'
}

@test "drain: --rewrite applies to the request that was held back" {
	draining -r TERM:QUIT --stop=0.1/TERM/1h/KILL -- "$BIN/probe" -n -x QUIT=5
	kill -TERM "$pid"
	finish it
	assert_status 5
	assert_lines it.out "ready ${ready[0]}" QUIT
}

# bats test_tags=linux
@test "drain: COMMAND's end ends the wait, and leftovers get TERM" {
	for guard in "${guards[@]}"; do
		draining "$guard" --stop=1h/TERM/1h/KILL -- sh -c '"$0" -d -o daemon.out; exec "$0" -n -x USR1=4' "$BIN/probe"
		ready daemon
		kill -TERM "$pid"
		held TERM
		kill -USR1 "$pid"
		finish it
		assert_status 4
		assert_lines daemon.out "ready ${ready[0]}" TERM
		rm daemon.out
	done
}

# bats test_tags=linux
@test "drain: with --leftover=wait the leftovers get the request at COMMAND's end" {
	draining --leftover=wait --stop=1h/INT/1h/KILL -- sh -c '"$0" -d -n -x INT=0 -o daemon.out; exec "$0" -n -x USR1=4' "$BIN/probe"
	ready daemon
	kill -INT "$pid"
	held INT
	kill -USR1 "$pid"
	finish it
	assert_status 4
	assert_lines daemon.out "ready ${ready[0]}" INT
}

# bats test_tags=linux
@test "drain: a request after COMMAND's end is not held back" {
	start it "$FRY_RUN" --leftover=wait --stop=1h/INT/1h/KILL -- "$BIN/probe" -d -n -x INT=0 -o daemon.out
	ready daemon
	wait_prints "${ready[0]}" children_of "$pid"
	kill -INT "$pid"
	finish it
	assert_lines daemon.out "ready ${ready[0]}" INT
}

@test "drain: the limit of --timeout is not held back" {
	draining -t 0.1 --stop=1h/INT/1h/KILL -- "$BIN/probe" -x INT=0
	finish it
	assert_status 124
	assert_equal "$(steps)" '["INT"]'
}

# bats test_tags=linux
@test "drain: TERM of --parent-death and of --hangup is held back" {
	for guard in "${guards[@]}"; do
		start it "$BIN/peer" pipe 0 "$FRY_RUN" -v "$guard" --hangup --stop=1h/TERM/1h/KILL -- \
			"$BIN/probe" -n -x TERM=0
		ready it
		keeper=$(children_of "$it_pid")
		wait_prints / readlink "/proc/$keeper/cwd"
		kill -USR2 "$it_pid"
		held TERM
		assert_lines it.out "ready ${ready[0]}"
		kill -TERM "$keeper"
		finish it
		start it sh -c '"$0" "$@"; true' "$FRY_RUN" -v "$guard" -p TERM --stop=1h/TERM/1h/KILL -- \
			"$BIN/probe" -n -x TERM=0
		ready it
		keeper=$(children_of "$it_pid")
		end "$it_pid"
		held TERM
		assert_lines it.out "ready ${ready[0]}"
		kill -TERM "$keeper"
		wait_gone "$keeper"
		assert_lines it.out "ready ${ready[0]}" TERM
	done
}

# bats test_tags=linux
@test "drain: KILL of --parent-death ends the wait and the run" {
	start it sh -c '"$0" "$@"; true' "$FRY_RUN" -v -p KILL --stop=1h/TERM/1h/KILL -- "$BIN/probe" -n
	ready it
	keeper=$(children_of "$it_pid")
	kill -TERM "$keeper"
	held TERM
	end "$it_pid"
	wait_gone "$keeper" "${ready[0]}"
}

# bats test_tags=linux
@test "drain on a terminal: a signal to fry-run is held back, one to the whole group is not" {
	start_tty it "$FRY_RUN" -v --stop=1h/TERM/1h/KILL -- "$BIN/probe" -n -x USR1=0
	ready it
	keeper=$(children_of "$it_pid")
	kill -TERM "$keeper"
	wait_line it.out '*holding TERM back*'
	assert_equal "$(count_lines it.out TERM)" 0
	look_at "$keeper"
	kill -TERM -- "-$group"
	wait_line it.out TERM
	kill -USR1 "$keeper"
	finish it
	assert_equal "$(count_lines it.out TERM)" 1
}

# bats test_tags=linux
@test "drain: --pause has nothing to wait for" {
	start it "$FRY_RUN" --pause --stop=1h/TERM/1h/KILL
	wait_prints / readlink "/proc/$pid/cwd"
	kill -TERM "$pid"
	finish it
	assert_status 0
}

# bats test_tags=linux
@test "drain as process 1: the first stop request is held back, and the second one ends the wait" {
	requires pid-namespace
	start it unshare --pid --fork --kill-child --mount-proc \
		"$FRY_RUN" -v --stop=1h/TERM/1h/KILL -- "$BIN/probe" -n -x TERM=3
	ready it
	one=$(children_of "$pid")
	kill -TERM "$one"
	held TERM
	kill -HUP "$one"
	wait_line it.out HUP
	kill -TERM "$one"
	finish it
	assert_status 3
	assert_lines it.out "ready ${ready[0]}" HUP TERM
}

# bats test_tags=linux
@test "drain: below a fry-run that drains, a nested one without a first wait forwards one TERM" {
	for options in '' --stop=0.1/TERM/1h/KILL; do
		# shellcheck disable=SC2086 # none or one
		draining --stop=0.1/TERM/1h/KILL -- "$FRY_RUN" $options -- "$BIN/probe" -n -x USR1=0
		kill -TERM "$pid"
		wait_line it.out TERM
		kill -USR1 "$pid"
		finish it
		assert_status 0
		assert_lines it.out "ready ${ready[0]}" TERM USR1
	done
}

# bats test_tags=linux
@test "drain: a step of an enclosing fry-run that COMMAND has is not forwarded again" {
	start it "$FRY_RUN" -r INT:HUP --stop=HUP/0.3/TERM/1h/KILL -- \
		"$FRY_RUN" -v --stop=1h/TERM/1h/KILL -- "$BIN/probe" -n -x USR1=0
	ready it
	nested=$(children_of "$it_pid")
	kill -TERM "$nested"
	held TERM
	kill -INT "$it_pid" # by which TERM goes to the nested one and to COMMAND
	wait_line it.out TERM
	wait_line it.err '*received TERM from process *' 2
	kill -INT "$nested"
	wait_line it.out INT
	kill -USR1 "$it_pid"
	finish it
	assert_status 0
	assert_lines it.out "ready ${ready[0]}" HUP TERM INT USR1
}

# bats test_tags=linux
@test "drain: kill -9 of either process leaves nothing" {
	for which in outer inner; do
		draining --guard --stop=1h/TERM/1h/KILL -- sh -c '"$0" -d -n -o daemon.out; exec "$0" -n' "$BIN/probe"
		kill -TERM "$pid"
		held TERM
		if [[ $which == outer ]]; then end "$pid"; else end "$(inner_of "$pid")"; fi
		wait_until 'nothing to be left' nothing_left
	done
}

# bats test_tags=linux
@test "drain: the outer process ends a run whose inner process hangs, after the whole schedule" {
	start it "$FRY_RUN" --guard --stop=0.3/TERM/0.1/KILL -- "$BIN/probe" -n
	ready it
	start tracer "$BIN/seize" "$(inner_of "$pid")"
	wait_line tracer.out 'ready *'
	before=$(now)
	kill -TERM "$it_pid"
	finish it
	at_least $(($(now) - before)) 400
	end "$tracer_pid"
}
