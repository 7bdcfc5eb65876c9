#!/usr/bin/env bats
# The stop: its requests, its schedule, the recipients of its steps, and its end.

# $0 and the like are for inner shells.
# shellcheck disable=SC2016,SC2154

# bats file_tags=core,posix,rounds
load ../lib/helper

# A file of each kind of process that a step has to find: COMMAND itself, its child, one in a group
# and one in a session of its own, a daemon, and one whose main thread is gone.
kinds=(command child grouped apart daemon thread)

# They ignore all that can be ignored. Words are options of fry-run.
all_kinds() {
	start it "$FRY_RUN" "$@" -- bash -c '
		"$0" -n -o child.out &
		"$0" -n -g -o grouped.out &
		"$0" -n -S -o apart.out &
		"$0" -n -d -o daemon.out
		"$0" -n -t -o thread.out &
		exec "$0" -n -o command.out' "$BIN/probe"
	for kind in "${kinds[@]}"; do
		ready "$kind"
		printf -v "$kind" %s "${ready[0]}"
	done
	wait_prints Z state_of "$thread"
}

# Wait for longer than a wait of -k 0.1: return when another fry-run, which gets a stop request now, has
# killed its COMMAND after that wait. A fry-run whose wait began earlier would have sent KILL, too.
twin() {
	start twin "$FRY_RUN" -k 0.1 -- "$BIN/probe" -n
	ready twin
	kill -TERM "$twin_pid"
	finish twin
	assert_status 137
}

# A probe that ignores everything, as COMMAND. Words are options of fry-run; sets command.
stubborn() {
	start it "$FRY_RUN" "$@" -- "$BIN/probe" -n
	ready it
	command=${ready[0]}
}

# Send requests to a process, without a pause, until it is gone.
nag() {
	local signal limit=$(($(now) + 1000 * WAIT_LIMIT))
	until gone "$1"; do
		for signal in INT TERM QUIT; do
			kill -"$signal" "$1" 2>/dev/null || :
		done
		(($(now) < limit)) || return 0
	done
}

@test "the schedule's function of state and time keeps its rules" {
	run "${FRY_RUN%/*}/schedule"
	assert_lines -
	assert_status 0
}

@test "INT, then TERM, then KILL, each after its wait" {
	stubborn -k 2
	began=$(now)
	kill -INT "$pid"
	wait_line it.out TERM
	at_least $(($(now) - began)) 2000
	finish it
	at_least $(($(now) - began)) 4000
	assert_status 137
	assert_lines it.out "ready $command" INT TERM
}

@test "TERM enters the schedule at its own step" {
	stubborn --stop=INT/1h/TERM/2s/KILL
	began=$(now)
	kill -TERM "$pid"
	finish it
	at_least $(($(now) - began)) 2000
	assert_status 137
	assert_lines it.out "ready $command" TERM
}

@test "a signal that the schedule does not name counts as the first step" {
	stubborn --stop=INT/0.2/TERM/2s/KILL
	began=$(now)
	kill -QUIT "$pid"
	finish it
	at_least $(($(now) - began)) 2200
	assert_status 137
	assert_lines it.out "ready $command" QUIT TERM
}

@test "--stop sets the steps and the waits" {
	stubborn --stop=HUP/0.2/USR1/2s/KILL
	began=$(now)
	kill -TERM "$pid"
	wait_line it.out USR1
	at_least $(($(now) - began)) 200
	finish it
	at_least $(($(now) - began)) 2200
	assert_status 137
	assert_lines it.out "ready $command" TERM USR1
}

@test "two signals in a row have no wait between them" {
	stubborn --stop=-INT/-15/USR1/2s/-9
	kill -INT "$pid"
	finish it
	assert_status 137
	assert_equal "$(sort it.out | paste -sd ' ')" "INT TERM USR1 ready $command"
}

@test "a later signal moves the schedule forward" {
	stubborn --stop=INT/1h/TERM/2s/KILL
	kill -INT "$pid"
	wait_line it.out INT
	began=$(now)
	kill -TERM "$pid"
	finish it
	at_least $(($(now) - began)) 2000
	assert_status 137
	assert_lines it.out "ready $command" INT TERM
}

@test "an earlier signal is forwarded and does not move the schedule back" {
	stubborn --stop=INT/1h/TERM/3s/KILL
	kill -TERM "$pid"
	wait_line it.out TERM
	kill -INT "$pid"
	finish it
	assert_status 137
	assert_lines it.out "ready $command" TERM INT
}

@test "no signal, however often it comes, postpones the next step" {
	stubborn -k 0.3
	nag "$pid"
	gone "$pid"
	finish it
	assert_status 137
}

# bats test_tags=linux
@test "each step's signal reaches every descendant once, wherever it hides" {
	all_kinds --stop=INT/0.4/TERM/3s/KILL
	kill -INT "$pid"
	for kind in "${kinds[@]}"; do wait_line "$kind.out" TERM; done
	finish it
	assert_status 137
	nothing_left
	for kind in command child thread; do
		assert_lines "$kind.out" "ready ${!kind}" INT TERM
	done
	for kind in grouped apart daemon; do
		assert_lines "$kind.out" "ready ${!kind}" TERM
	done
}

# bats test_tags=linux
@test "a step's signal is not sent to a process that got it with the request" {
	all_kinds --stop=TERM/1h/INT/1h/KILL
	kill -TERM "$pid"
	for kind in command child thread; do wait_line "$kind.out" TERM; done
	kill -INT "$pid"
	for kind in command child thread; do wait_line "$kind.out" INT; done
	twin
	for kind in command child thread; do
		assert_lines "$kind.out" "ready ${!kind}" TERM INT
	done
	# INT was received, so only COMMAND's group gets it until shortly before KILL, which is an hour away.
	for kind in grouped apart daemon; do
		assert_lines "$kind.out" "ready ${!kind}"
	done
	for kind in "${kinds[@]}"; do end "${!kind}"; done
	finish it
}

@test "a schedule that names a signal twice sends it twice" {
	stubborn --stop=INT/0.3/TERM/3s/INT/1h
	kill -INT "$pid"
	wait_line it.out INT 2
	end "$command"
	finish it
	assert_status 137
	assert_lines it.out "ready $command" INT TERM INT
}

# bats test_tags=linux
@test "a process started during the stop gets the next step's signal" {
	start it "$FRY_RUN" --stop=INT/5s/TERM/1h -- bash -c '
		trap "" TERM
		trap "\"$0\" -n -d -o daemon.out" INT
		echo "ready $$"
		while :; do sleep 1000 & wait; done' "$BIN/probe"
	ready it
	kill -INT "$pid"
	ready daemon
	wait_line daemon.out TERM
	assert_lines daemon.out "ready ${ready[0]}" TERM
	# shellcheck disable=SC2046 # one word each
	end $(descendants_of "$pid")
	finish it
	assert_status 137
}

@test "a COMMAND in state T is continued by a stop request and acts on it" {
	for signal in INT TERM QUIT; do
		start it "$FRY_RUN" -k 1h -- "$BIN/probe" -T
		ready it
		wait_prints T state_of "${ready[0]}"
		kill -"$signal" "$pid"
		finish it
		assert_lines it.out "ready ${ready[0]}" "$signal"
	done
}

# bats test_tags=linux
@test "a member of COMMAND's group in state T is continued by a stop request and acts on it" {
	start it "$FRY_RUN" -k 1h -- bash -c '"$0" -T -o child.out & exec "$0" -n' "$BIN/probe"
	ready it
	ready child
	wait_prints T state_of "${ready[0]}"
	kill -TERM "$pid"
	wait_gone "${ready[0]}"
	assert_lines child.out "ready ${ready[0]}" TERM
	alive "$pid"
	ready it
	end "${ready[0]}"
	finish it
}

# bats test_tags=linux
@test "a descendant in state T is continued by a step and acts on it" {
	start it "$FRY_RUN" --stop=INT/0.1/TERM/1h -- bash -c '
		"$0" -T -i INT -S -o apart.out & exec "$0" -T -i INT' "$BIN/probe"
	ready it
	wait_prints T state_of "${ready[0]}" # or it stops when the step has been
	ready apart
	wait_prints T state_of "${ready[0]}"
	kill -INT "$pid"
	finish it
	assert_status 143
	assert_lines apart.out "ready ${ready[0]}" TERM
}

@test "a process that is not in state T gets no CONT" {
	stubborn -k 0.2
	kill -INT "$pid"
	finish it
	assert_equal "$(count_lines it.out CONT)" 0
}

# bats test_tags=linux
@test "the KILL step ends every descendant, in state T or not" {
	all_kinds --stop=KILL
	kill -STOP "$command" "$daemon" "$apart"
	kill -TERM "$pid"
	finish it
	assert_status 137
	nothing_left
}

@test "--stop=KILL kills at the first request" {
	stubborn --stop=KILL
	kill -INT "$pid"
	finish it
	assert_status 137
}

@test "-k 0 and a schedule without KILL never kill" {
	for option in -k0 --stop=TERM --stop=INT/0.1/TERM; do
		stubborn "$option"
		kill -TERM "$pid"
		wait_line it.out TERM
		twin
		alive "$command" "$it_pid"
		kill -WINCH "$it_pid"
		wait_line it.out WINCH
		assert_equal "$(count_lines it.out TERM)" 1
		end "$command"
		finish it
	done
}

# bats test_tags=linux
@test "when a schedule without KILL is over, fry-run names the remaining processes and exits 125" {
	all_kinds --stop=INT/0.1/TERM/0.1
	began=$(now)
	kill -INT "$pid"
	finish it
	at_least $(($(now) - began)) 200
	assert_status 125
	assert_equal "$(count_lines it.err 'fry-run: *: process +([0-9]) (*probe*)')" 6
	assert_equal "$(count_lines it.err '*')" 6
	for kind in "${kinds[@]}"; do
		assert_equal "$(count_lines it.err "*process ${!kind} *")" 1
		wait_line "$kind.out" TERM
		alive "${!kind}"
		end "${!kind}"
	done
}

# bats test_tags=linux
@test "a stop is over when nothing is left, long before its schedule is" {
	start it "$FRY_RUN" -k 1h -- bash -c '"$0" -d -o daemon.out; exec "$0" -f 3' "$BIN/probe"
	ready it 4
	ready daemon
	kill -INT "$pid"
	finish it
	assert_status 130
	nothing_left
}

@test "workers of a COMMAND that got TERM are not signalled before the next step" {
	start it "$FRY_RUN" --scope=command --stop=TERM/1h/INT/1h -- bash -c '
		"$0" -n -o worker.out & exec "$0" -n' "$BIN/probe"
	ready it
	command=${ready[0]}
	ready worker
	worker=${ready[0]}
	kill -TERM "$pid"
	wait_line it.out TERM
	twin
	kill -USR1 "$worker"
	wait_line worker.out USR1
	assert_lines worker.out "ready $worker" USR1
	end "$command" "$worker"
	finish it
}

@test "workers of a COMMAND that got TERM get the next step's signal and no other" {
	start it "$FRY_RUN" --scope=command --stop=TERM/0.2/INT/1h -- bash -c '
		"$0" -n -o worker.out & exec "$0" -n' "$BIN/probe"
	ready it
	command=${ready[0]}
	ready worker
	worker=${ready[0]}
	kill -TERM "$pid"
	wait_line it.out INT
	wait_line worker.out INT
	assert_lines worker.out "ready $worker" INT
	end "$command" "$worker"
	finish it
}

@test "without a guard the schedule goes on when fry-run is stopped and continued" {
	stubborn --no-guard --stop=INT/3s/TERM/3s/KILL # the inner process would go on
	kill -INT "$pid"
	wait_line it.out INT
	kill -STOP "$pid"
	wait_prints T state_of "$pid"
	twin
	alive "$command"
	kill -CONT "$it_pid"
	finish it
	assert_status 137
	assert_equal "$(count_lines it.out TERM)" 1
}

@test "a stop request received in state T is obeyed when fry-run is continued" {
	stubborn -k 3
	kill -STOP "$pid"
	kill -TERM "$pid"
	twin
	assert_lines it.out "ready $command"
	kill -CONT "$it_pid"
	finish it
	assert_status 137
	assert_equal "$(count_lines it.out TERM)" 1
}

# --- --timeout

@test "--timeout stops COMMAND as a request would, and exits 124" {
	began=$(now)
	start it "$FRY_RUN" -k 1h --timeout=3 -- "$BIN/probe" -f 1
	ready it 2
	finish it
	at_least $(($(now) - began)) 3000
	assert_status 124
	assert_equal "$(count_lines it.out INT)" 2
	assert_equal "$(count_lines it.out TERM)" 0
}

@test "--timeout begins with the first step of --stop" {
	start it "$FRY_RUN" --timeout=3 --stop=HUP/0.3/QUIT/1h/KILL -- "$BIN/probe" -n
	ready it
	wait_line it.out QUIT
	assert_lines it.out "ready ${ready[0]}" HUP QUIT
	end "${ready[0]}"
	finish it
	assert_status 124
}

# bats test_tags=linux
@test "--timeout exits 124 where COMMAND dies of KILL only or exits 0 on INT" {
	all_kinds -k 0.1 -t 5
	finish it
	assert_status 124
	nothing_left
	start it "$FRY_RUN" -t 0.5 -- "$BIN/probe" -x INT=0
	finish it
	assert_status 124
	start it "$FRY_RUN" -t 0.1 --stop=KILL -- "$BIN/probe" -n
	finish it
	assert_status 124
}

@test "COMMAND's status is kept where it ends in time, and --timeout=0 never expires" {
	run "$FRY_RUN" -t 1h -- "$BIN/probe" -e 7
	assert_status 7
	stubborn -k 0.1 -t 0
	twin
	alive "$command"
	end "$command"
	finish it
	assert_status 137
}

@test "a timeout that expires during a stop changes nothing" {
	stubborn -k 1h -t 3
	kill -INT "$pid"
	start later "$FRY_RUN" -t 3 -- "$BIN/probe"
	finish later
	assert_status 124
	kill -USR1 "$it_pid"
	wait_line it.out USR1
	assert_lines it.out "ready $command" INT USR1
	end "$command"
	finish it
	assert_status 137
}

# bats test_tags=linux
@test "a timeout that expires after COMMAND's end changes nothing" {
	start it "$FRY_RUN" -k 1h -t 3 --leftover=wait -- bash -c '"$0" -n -d -o daemon.out; exit 3' \
		"$BIN/probe"
	ready daemon
	daemon=${ready[0]}
	start later "$FRY_RUN" -t 3 -- "$BIN/probe"
	finish later
	assert_status 124
	kill -USR1 "$it_pid"
	wait_line daemon.out USR1
	assert_lines daemon.out "ready $daemon" USR1
	end "$daemon"
	finish it
	assert_status 3
}

# --- --parent-death

# Have a shell start fry-run with these options and a stubborn probe. Sets wrapper and command;
# the shell's pid is pid.
child_of_shell() {
	start it bash -c '"$0" "${@:2}" -- "$1" -n & wait' "$FRY_RUN" "$BIN/probe" "$@"
	ready it
	command=${ready[0]}
	look_at "$command"
	wrapper=$parent
}

# bats test_tags=linux
@test "--parent-death=TERM makes the parent's death a TERM request" {
	child_of_shell -k 3 -p TERM
	end "$pid"
	wait_gone "$wrapper" "$command"
	assert_lines it.out "ready $command" TERM
}

# bats test_tags=linux
@test "--parent-death=INT and QUIT enter the schedule at their steps" {
	for signal in INT QUIT; do
		child_of_shell --stop=INT/0.2/TERM/3s/KILL --parent-death="$signal"
		end "$pid"
		wait_gone "$wrapper" "$command"
		assert_lines it.out "ready $command" "$signal" TERM
	done
}

# bats test_tags=linux
@test "--parent-death=HUP forwards HUP and starts no stop" {
	child_of_shell -k 0.1 -p HUP
	end "$pid"
	wait_line it.out HUP
	twin
	alive "$command"
	kill -USR1 "$wrapper"
	wait_line it.out USR1
	assert_lines it.out "ready $command" HUP USR1
	end "$command"
	wait_gone "$wrapper"
}

# bats test_tags=linux
@test "--parent-death=KILL kills COMMAND" {
	child_of_shell -k 1h -p KILL
	end "$pid"
	wait_gone "$wrapper" "$command"
	assert_lines it.out "ready $command"
}

# With these options the parent's death changes nothing, though a stop would be over when twin's is.
parent_death_is_nothing() {
	child_of_shell -k 0.1 "$@"
	end "$pid"
	twin
	kill -USR1 "$wrapper"
	wait_line it.out USR1
	assert_lines it.out "ready $command" USR1
	end "$command"
	wait_gone "$wrapper"
}

@test "without --parent-death the parent's death changes nothing" {
	parent_death_is_nothing
}

# bats test_tags=linux
@test "--parent-death ignores the end of the thread that started fry-run" {
	start it "$BIN/parent" -t "$FRY_RUN" -k 3 -p TERM -- "$BIN/probe" -n -o command.out
	ready it
	wrapper=${ready[0]}
	ready command
	command=${ready[0]}
	twin
	kill -USR1 "$wrapper"
	wait_line command.out USR1
	assert_lines command.out "ready $command" USR1
	end "$it_pid"
	wait_gone "$wrapper" "$command"
	assert_lines command.out "ready $command" USR1 TERM
}

# bats test_tags=linux
@test "--parent-death tells an early end of the starting thread from the parent's death" {
	for ((i = $(rounds 20 3); i; i--)); do
		start it "$BIN/parent" -t "$FRY_RUN" -p TERM -- "$BIN/probe" -o command.out
		ready it
		wrapper=${ready[0]}
		ready command
		alive "$wrapper"
		assert_lines command.out "ready ${ready[0]}"
		end "$pid"
		wait_gone "$wrapper" "${ready[0]}"
		rm command.out
	done
}

# bats test_tags=linux
@test "--parent-death notices a parent that dies before COMMAND is started" {
	for ((i = $(rounds 200); i; i--)); do
		"$BIN/parent" -b "$FRY_RUN" -k 0 -p TERM -- sleep 1000 3>&-
	done
	wait_prints '' left_behind
}

# bats test_tags=linux
@test "a signal of --parent-death that is rewritten to 0 starts no stop" {
	for guard in --guard --no-guard; do parent_death_is_nothing "$guard" -r TERM:0 -p TERM; done
}

# bats test_tags=linux
@test "a stop that was requested before the parent's death keeps its cause" {
	child_of_shell --report=report -k 1h -p HUP
	kill -TERM "$wrapper"
	wait_line it.out TERM
	end "$pid"
	wait_line it.out HUP
	end "$command"
	wait_gone "$wrapper"
	assert_equal "$(jq -r .cause report)" stopped
}
