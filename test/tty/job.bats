#!/usr/bin/env bats
# A job at a terminal that is killed, in whichever of its processes and states. See tty.bats for the rest.

# $0 and the like are for inner shells.
# shellcheck disable=SC2016,SC2154

# bats file_tags=rounds
load ../lib/helper

# Sit down at a new terminal with a shell: sets shell to its pid, pid to pty's.
sit() {
	# With a newline in the prompt, the output of a command begins a line of its own.
	start_tty it env PS1=$'$\n' HISTFILE= bash --norc --noprofile -i
	type_line 'set -m; stty -echo; echo "=sat"'
	wait_line it.out '*=sat'
	shell=$(children_of "$pid") # pty may have forked it only just before that line
}

type_line() {
	keys it "$1\r"
}

# Type a line with a job, and wait until COMMAND is there: sets outer, inner, and command to its pids.
job() {
	type_line "$1"
	wait_until 'the job to be executed' job_there "${2:-sleep}"
}

job_there() {
	outer=$(children_of "$shell" | head -n 1)
	[[ $outer ]] || return
	inner=$(inner_of "$outer")
	command=$(children_of "$outer" | head -n 1)
	[[ $command && $inner != "$outer" && $(name_of "$command") == "$1" ]]
}

# The shell is at its prompt: it answers.
asks() {
	: "$((++asked))"
	type_line "echo \"=$asked=$1\""
	wait_line it.out "*=$asked=*"
}

# Leave: hang up, which ends the shell.
leave() {
	end "$pid"
	wait_gone "$shell"
}

# The outer process and COMMAND are in this state; the inner process is never stopped.
job_is() {
	wait_prints "$1" state_of "$command"
	wait_prints "$1" state_of "$outer"
	wait_prints S state_of "$inner"
}

@test "kill -9 of either process while the job is stopped leaves nothing" {
	sit
	for placement in inherit new; do
		for victim in outer inner; do
			job "$FRY_RUN --pgroup=$placement -- sleep 1000"
			keys it '\032'
			job_is T
			kill -KILL "${!victim}"
			wait_gone "$outer" "$inner" "$command"
			asks prompt
		done
	done
	leave
}

@test "kill -9 of fry-run right after COMMAND was stopped leaves nothing" {
	sit
	for ((i = $(rounds 40 5); i; i--)); do
		job "$FRY_RUN -- sleep 1000"
		kill -STOP "$command"
		kill -KILL "$outer"
		wait_gone "$outer" "$inner" "$command"
	done
	leave
}

@test "the foreground is given back when an interactive shell below fry-run is killed" {
	run "$BIN/pty" "$BIN/fresh" sh -c 'echo "foreground $(ps -o pgrp= $$)"; "$0" -- bash --norc -i -c "
		kill -9 \$\$"; echo "foreground $(ps -o tpgid= $$)"' "$FRY_RUN"
	mapfile -t groups < <(tr -d '\r' <<<"$output" | awk '/^foreground/ { print $2 }')
	assert_equal "${groups[1]}" "${groups[0]}"
	[ "${groups[0]}" ]
}
