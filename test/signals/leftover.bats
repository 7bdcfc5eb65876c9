#!/usr/bin/env bats
# --leftover: processes that outlive COMMAND are stopped, waited for, or left.

# $0 and the like are for inner shells.
# shellcheck disable=SC2016,SC2154

# bats file_tags=rounds
load ../lib/helper

# A COMMAND that leaves a member of its group, which names what it gets in member.out, and a daemon,
# in daemon.out, which ignore all they can. COMMAND exits with code upon USR1 or INT, and dies of
# TERM. Words are options of fry-run.
code=0
leaving() {
	start it "$FRY_RUN" "$@" -- bash -c '
		"$0" -n -d -o daemon.out
		"$0" -n -o member.out &
		exec "$0" -o command.out -x USR1="$1" -x INT="$1"' "$BIN/probe" "$code"
	ready daemon
	daemon=${ready[0]}
	ready member
	member=${ready[0]}
	ready command
	command=${ready[0]}
}

# Wait for longer than a wait of -k 0.1: return when another fry-run, whose COMMAND ends now, has killed its
# leftovers after that wait. A fry-run whose wait began earlier would have sent KILL, too.
twin() {
	start twin "$FRY_RUN" -k 0.1 -- "$BIN/probe" -n -d -o twin.daemon
	finish twin
	assert_status 0
}

@test "--leftover=stop: leftovers get TERM, and KILL after the wait" {
	code=3
	leaving -k 3
	began=$(now)
	kill -USR1 "$pid"
	finish it
	at_least $(($(now) - began)) 3000
	assert_status 3
	nothing_left
	assert_lines daemon.out "ready $daemon" TERM
	assert_lines member.out "ready $member" TERM
	assert_lines it.err
}

@test "--leftover=stop is the default" {
	leaving -k 3 --leftover=stop
	kill -USR1 "$pid"
	finish it
	assert_status 0
	assert_lines daemon.out "ready $daemon" TERM
}

@test "--leftover=stop: TERM goes only to leftovers that did not get it with the group" {
	for placement in new inherit session; do
		leaving -k 3 --pgroup="$placement"
		kill -TERM "$pid"
		finish it
		assert_status 143
		assert_lines command.out "ready $command" TERM
		assert_lines member.out "ready $member" TERM
		assert_lines daemon.out "ready $daemon" TERM
		nothing_left
		rm ./*.out
	done
}

@test "--leftover=stop: leftovers outside --scope=command get TERM" {
	leaving -k 3 --scope=command
	kill -TERM "$pid"
	finish it
	assert_status 143
	assert_lines command.out "ready $command" TERM
	assert_lines member.out "ready $member" TERM
	assert_lines daemon.out "ready $daemon" TERM
}

@test "--leftover=stop: leftovers reached by --scope=tree get no second TERM" {
	leaving -k 3 --scope=tree
	kill -TERM "$pid"
	finish it
	assert_status 143
	assert_lines member.out "ready $member" TERM
	assert_lines daemon.out "ready $daemon" TERM
}

@test "--leftover=stop: leftovers that got TERM from a step get no second one" {
	start it "$FRY_RUN" --stop=INT/0.3/TERM/3s/KILL -- bash -c '
		"$0" -n -d -o daemon.out; exec "$0" -i INT -o command.out' "$BIN/probe"
	ready daemon
	daemon=${ready[0]}
	ready command
	kill -INT "$pid"
	finish it
	assert_status 143
	assert_lines daemon.out "ready $daemon" TERM
	assert_equal "$(count_lines command.out TERM)" 1
}

@test "--leftover=stop: leftovers that got INT get TERM when COMMAND has ended" {
	code=5
	leaving --stop=INT/1h/TERM/3s/KILL
	kill -INT "$pid"
	finish it
	assert_status 5
	assert_lines member.out "ready $member" INT TERM
	assert_lines daemon.out "ready $daemon" TERM
}

@test "--leftover=stop: COMMAND's end does not restart the schedule" {
	start it "$FRY_RUN" --stop=INT/0.1/TERM/2s/QUIT/3s/KILL -- bash -c '
		"$0" -n -d -o daemon.out; exec "$0" -i INT,TERM -o command.out' "$BIN/probe"
	ready daemon
	daemon=${ready[0]}
	ready command
	kill -INT "$pid"
	finish it
	assert_status 131
	assert_lines daemon.out "ready $daemon" TERM QUIT
}

@test "--leftover=stop: leftovers get TERM though the schedule does not name it" {
	leaving --stop=HUP/2s/QUIT/3s/KILL
	kill -USR1 "$pid"
	finish it
	assert_status 0
	assert_lines daemon.out "ready $daemon" TERM QUIT
}

@test "--leftover=stop: a daemon in a session of its own gets TERM only" {
	start it "$FRY_RUN" -k 1h -- "$BIN/probe" -d -o daemon.out
	finish it
	assert_status 0
	ready daemon
	assert_lines daemon.out "ready ${ready[0]}" TERM
}

@test "--leftover=stop: a leftover in state T is continued and acts on TERM" {
	start it "$FRY_RUN" -k 1h -- bash -c '
		"$0" -d -T -o daemon.out
		until read -r _ _ state _ </proc/$(sed "s/ready //" daemon.out)/stat && [ $state = T ]; do
			:
		done' "$BIN/probe"
	finish it
	assert_status 0
	ready daemon
	assert_lines daemon.out "ready ${ready[0]}" TERM
}

@test "--leftover=stop: a leftover without its main thread gets TERM once" {
	start it "$FRY_RUN" -k 3 -- bash -c '
		"$0" -d -t -n -o daemon.out
		until read -r _ _ state _ </proc/$(sed "s/ready //" daemon.out)/stat && [ $state = Z ]; do
			:
		done' "$BIN/probe"
	finish it
	assert_status 0
	ready daemon
	assert_lines daemon.out "ready ${ready[0]}" TERM
	nothing_left
}

@test "--leftover=stop: fry-run ends when the leftovers are gone, long before the schedule is over" {
	start it "$FRY_RUN" -k 1h -- bash -c '
		for i in 1 2 3 4 5; do "$0" -d -o "daemon$i.out"; done; exit 4' "$BIN/probe"
	finish it
	assert_status 4
	nothing_left
}

@test "--leftover=stop: a process that a leftover starts on TERM is also stopped" {
	start it "$FRY_RUN" -k 3 -- bash -c '
		setsid bash -c "
			trap \">started; setsid \\\"$0\\\" -n -o late.out & exit\" TERM
			echo ready \$\$
			while :; do sleep 1000 & wait; done" &
		until [ -s it.out ]; do sleep .01; done' "$BIN/probe"
	finish it
	assert_status 0
	[ -e started ]
	nothing_left
}

@test "--leftover=stop: a stop request meanwhile is forwarded and postpones nothing" {
	leaving --stop=TERM/4s/KILL
	kill -USR1 "$pid"
	wait_line daemon.out TERM
	for signal in INT QUIT HUP; do
		kill -"$signal" "$pid"
		wait_line daemon.out "$signal"
		wait_line member.out "$signal"
	done
	finish it
	assert_status 0
	assert_lines daemon.out "ready $daemon" TERM INT QUIT HUP
}

@test "--leftover=stop: COMMAND's death by a signal stays the status" {
	start it "$FRY_RUN" -k 0.1 -- bash -c '
		"$0" -n -d -o daemon.out; exec "$0" -k ALRM' "$BIN/probe"
	finish it
	assert_status $((128 + 14))
	nothing_left
}

@test "--leftover=wait: leftovers go on undisturbed, and the status is COMMAND's" {
	code=3
	leaving -k 0.1 --leftover=wait
	kill -USR1 "$pid"
	wait_gone "$command"
	twin
	alive "$it_pid" "$member" "$daemon"
	end "$member"
	kill -USR2 "$it_pid"
	wait_line daemon.out USR2
	assert_lines daemon.out "ready $daemon" USR2
	alive "$it_pid"
	end "$daemon"
	finish it
	assert_status 3
}

@test "--leftover=wait: a stop request stops the leftovers" {
	leaving --stop=INT/0.2/TERM/3s/KILL --leftover=wait
	kill -USR1 "$pid"
	wait_gone "$command"
	kill -INT "$pid"
	finish it
	assert_status 0
	assert_lines daemon.out "ready $daemon" INT TERM
	assert_lines member.out "ready $member" INT TERM
}

@test "--leftover=leave: fry-run ends with COMMAND, and the leftovers live on" {
	code=3
	leaving -k 0.1 --leftover=leave
	kill -USR1 "$pid"
	finish it
	assert_status 3
	twin
	for name in member daemon; do
		kill -WINCH "${!name}"
		wait_line "$name.out" WINCH
		assert_lines "$name.out" "ready ${!name}" WINCH
	done
	end "$member" "$daemon"
}

# Options, with one process and with two.
guards=(--guard --no-guard)

@test "--leftover=leave: the report lists the leftovers that live on, and -v names them" {
	for guard in "${guards[@]}"; do
		leaving "$guard" -v --report=report --leftover=leave
		kill -USR1 "$pid"
		finish it
		alive "$member" "$daemon"
		assert_equal "$(jq -c '.leftovers | map(select(.pid == $daemon or .pid == $member) | .signal, .state)' \
			--argjson daemon "$daemon" --argjson member "$member" report)" '[null,"left",null,"left"]'
		assert_equal "$(jq -r --argjson daemon "$daemon" \
			'.leftovers[] | select(.pid == $daemon) | .name, .command_line' report)" \
			"probe"$'\n'"$BIN/probe -n -d -o daemon.out"
		assert_equal "$(jq -c '.leftovers | length' report)" 2
		assert_equal "$(count_lines it.err "fry-run: left running: process $daemon ($BIN/probe *)")" 1
		assert_equal "$(count_lines it.err "fry-run: left running: process $member ($BIN/probe *)")" 1
		assert_lines daemon.out "ready $daemon"
		end "$member" "$daemon"
		rm report ./*.out
	done
}

@test "--leftover=leave: without -v nothing is written to stderr" {
	leaving --leftover=leave
	kill -USR1 "$pid"
	finish it
	assert_lines it.err
	end "$member" "$daemon"
}

@test "--leftover=leave as process 1: the report tells that the kernel ends the leftovers" {
	requires pid-namespace
	run unshare --pid --fork --mount-proc "$FRY_RUN" -v --report=report --leftover=leave -- \
		"$BIN/probe" -n -d -o daemon.out
	assert_status 0
	assert_equal "$(jq -c '.leftovers | map([.name, .signal, .state])' report)" '[["probe","KILL","ended"]]'
	assert_match "$output" '*fry-run: left to the kernel, which kills it with process 1: process * (*probe*)*'
	nothing_left
}

@test "--leftover=leave: the leftovers live on after a stop request" {
	leaving -k 0.1 --leftover=leave
	kill -TERM "$pid"
	finish it
	assert_status 143
	twin
	alive "$member" "$daemon"
	assert_lines daemon.out "ready $daemon"
	end "$member" "$daemon"
}

@test "--leftover=fail: leftovers are stopped and named, and the status is 125" {
	leaving -k 3 --leftover=fail
	kill -USR1 "$pid"
	finish it
	assert_status 125
	nothing_left
	assert_lines daemon.out "ready $daemon" TERM
	assert_equal "$(count_lines it.err '*')" 2
	assert_equal "$(count_lines it.err "fry-run: *process $daemon ($BIN/probe -n -d -o daemon.out)")" 1
	assert_equal "$(count_lines it.err "fry-run: *process $member ($BIN/probe -n -o member.out)")" 1
}

@test "--leftover=fail: a status of COMMAND's other than 0 is kept" {
	code=7
	leaving -k 0.1 --leftover=fail
	kill -USR1 "$pid"
	finish it
	assert_status 7
	assert_equal "$(count_lines it.err "fry-run: *process +([0-9]) ($BIN/probe *)")" 2
	start it "$FRY_RUN" -k 0.1 --leftover=fail -- bash -c '
		"$0" -n -d -o other.out; exec "$0" -k TERM' "$BIN/probe"
	finish it
	assert_status 143
}

@test "--leftover=fail: without leftovers the status is 0 and nothing is said" {
	for ((i = $(rounds 50); i; i--)); do
		run "$FRY_RUN" --leftover=fail -- bash -c 'true | true; (true); sleep 0 & wait'
		assert_status 0
		assert_lines -
	done
}

@test "--leftover=fail: children that end of the same TERM as COMMAND are no leftovers" {
	for guard in --guard --no-guard; do
		for ((round = $(rounds 60 5); round; round--)); do
			start it "$FRY_RUN" "$guard" --leftover=fail -- sh -c 'trap "exit 0" TERM
				"$0" & "$0" & "$0" & echo ready $$; wait' "$BIN/probe"
			ready it 4
			kill -TERM "$pid"
			finish it
			assert_lines it.err
			assert_status 0
		done
	done
}

@test "--leftover=fail: a zombie is no leftover" {
	start it "$FRY_RUN" -k 1h --leftover=fail -- sh -c 'true & exec sleep 1000'
	wait_prints '*sleep*' names_below "$pid"
	wait_prints Z state_of "$(descendants_of "$pid" | tail -n 1)"
	kill -ALRM "$pid"
	finish it
	assert_status 142
	assert_lines it.err
}
