#!/usr/bin/env bats
# Where COMMAND runs: its process group and its session.

# $0 and the like are for inner shells.
# shellcheck disable=SC2016,SC2154

# A test with the tag static fails with a binary that has to load its libraries.
# bats file_tags=core,posix,rounds
load ../lib/helper

# COMMAND is a probe: set its group and session, and those of fry-run.
placed() {
	ready "$1"
	local name=${1}_pid
	look_at "${!name}"
	own_group=$group
	own_session=$session
	command=${ready[0]}
	look_at "$command"
}

@test "without a terminal COMMAND leads a group of its own in the same session" {
	start it setsid "$FRY_RUN" -- "$BIN/probe"
	placed it
	assert_equal "$group" "$command" group
	assert_equal "$session" "$own_session" session
	kill -TERM "$pid"
	finish it
}

@test "with a controlling terminal COMMAND stays in the caller's group" {
	start_tty it "$FRY_RUN" -- "$BIN/probe"
	ready it
	wrapper=$(children_of "$pid")
	look_at "$wrapper"
	own_group=$group
	look_at "${ready[0]}"
	assert_equal "$parent" "$wrapper"
	assert_equal "$group" "$own_group" group
	kill -TERM "$wrapper"
	finish it
	assert_status 143
}

@test "COMMAND leads a group of its own on a terminal that is not the controlling one" {
	start it "$BIN/pty" -n "$FRY_RUN" -- "$BIN/probe"
	ready it
	look_at "${ready[0]}"
	assert_equal "$group" "${ready[0]}" group
	kill -TERM "$parent"
	finish it
}

# bats test_tags=static
@test "without /dev/tty the controlling terminal is found by a standard descriptor" {
	requires seccomp
	start_tty it "$BIN/deny" -e ENOENT open -- "$FRY_RUN" -- "$BIN/probe"
	ready it
	look_at "${ready[0]}"
	wrapper=$parent
	command_group=$group
	look_at "$wrapper"
	assert_equal "$command_group" "$group" group
	kill -TERM "$wrapper"
	finish it
}

@test "--pgroup=inherit keeps COMMAND in the caller's group, terminal or not" {
	start it setsid "$FRY_RUN" --pgroup=inherit -- "$BIN/probe"
	placed it
	assert_equal "$group" "$own_group" group
	assert_equal "$session" "$own_session" session
	kill -TERM "$pid"
	finish it
}

@test "--pgroup=new gives COMMAND a group of its own, terminal or not" {
	start_tty it "$FRY_RUN" --pgroup=new -- "$BIN/probe"
	ready it
	wrapper=$(children_of "$pid")
	look_at "${ready[0]}"
	assert_equal "$group" "${ready[0]}" group
	command_session=$session
	look_at "$wrapper"
	assert_equal "$command_session" "$session" session
	kill -TERM "$wrapper"
	finish it
}

@test "--pgroup=session makes COMMAND the leader of a session" {
	start it "$FRY_RUN" --pgroup=session -- "$BIN/probe"
	placed it
	assert_equal "$group" "$command" group
	assert_equal "$session" "$command" session
	kill -TERM "$pid"
	finish it
	assert_status 143
}

@test "--pgroup=PGID puts COMMAND into an existing group of the session" {
	start other "$BIN/probe" -g
	ready other
	start it "$FRY_RUN" --pgroup="$other_pid" -- "$BIN/probe"
	placed it
	assert_equal "$group" "$other_pid" group
	assert_equal "$session" "$own_session" session
	end "$other_pid"
	kill -TERM "$pid"
	finish it
	assert_status 143
}

@test "--pgroup with a missing group or one of another session is refused and nothing runs" {
	start other "$BIN/probe" -S
	ready other
	start ended true
	finish ended
	for number in "$other_pid" "$ended_pid"; do
		run "$FRY_RUN" --pgroup="$number" -- touch it-ran
		assert_status 125
		assert_equal "${#lines[@]}" 1
		assert_match "$output" "fry-run: --pgroup=$number: *"
		[ ! -e it-ran ]
	done
	end "$other_pid"
}

@test "--pgroup with a malformed number is refused and nothing runs" {
	for word in 0 1 -1 +5 5x nEw '' 99999999999; do
		run "$FRY_RUN" --pgroup="$word" -- touch it-ran
		assert_status 125
		assert_equal "${#lines[@]}" 1
		assert_match "$output" "fry-run: --pgroup=$word: *"
		[ ! -e it-ran ]
	done
}

@test "a signal to fry-run's whole group reaches COMMAND exactly once in its new group" {
	start it setsid "$FRY_RUN" -k 1h -- "$BIN/probe" -n
	ready it
	for signal in HUP USR1 INT TERM QUIT; do
		kill -"$signal" -- -"$pid"
		wait_line it.out "$signal"
	done
	kill -WINCH "$pid" # after all others
	wait_line it.out WINCH
	assert_lines it.out "ready ${ready[0]}" HUP USR1 INT TERM QUIT WINCH
	end "${ready[0]}"
	finish it
}

@test "COMMAND has its group before it executes" {
	for ((i = $(rounds 100); i; i--)); do
		run setsid --wait "$FRY_RUN" -- sh -c 'read -r _ _ _ _ group _ </proc/$$/stat; [ $group = $$ ]'
		assert_status 0
	done
}
