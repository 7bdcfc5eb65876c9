# forged.bats - a siginfo that is made up moves fry-run no further than kill(2) would

# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for other shells; start sets pids

load attack.bash

# A relay of earlier releases: signal 40, or any other, with this si_code, and in si_errno the signal
# with 256 for a stop request. A step of another fry-run has the other si_code.
relay=-70
step=-71

# Start root's fry-run with OPTIONs, a forger of another user below it, and a COMMAND of root's.
start_below_root() {
	requires root
	reach
	start it "$FRY_RUN" "$@" -- sh -c "$(forger_below forger "${other_user[@]}")"' exec "$0" -x HUP=4' "$BIN/probe"
	ready it
	wait_line forger.out 'ready *'
	inner=$(inner_of "$pid")
	victims=("$pid" "$inner")
}

# unmoved: fry-run still forwards, COMMAND got no signal that would end it, and COMMAND ends on HUP.
unmoved() {
	local victim
	for victim in "${victims[@]}"; do
		if gone "$victim"; then
			echo "process $victim of fry-run has died; COMMAND heard: $(tail -n +2 it.out | tr '\n' ' ')" >&2
			cat it.err >&2
			return 1
		fi
	done
	kill -USR1 "$it_pid"
	wait_line it.out USR1 || return
	kill -HUP "$it_pid"
	finish it || return
	assert_status 4
	# The kernel lets another user of the same session send CONT, which is forwarded.
	assert_equal "$(grep -vx CONT it.out | tail -n +2)" $'USR1\nHUP' 'COMMAND heard'
	assert_lines it.err
	end_forger
}

end_forger() {
	end "$(sed -n 's/^ready //p' forger.out)"
}

# Each number to each process of fry-run, by each call.
forge_numbers() {
	local sig=$1 code=$2 number call victim
	shift 2
	for number; do
		for victim in "${victims[@]}"; do
			for call in queue thread pidfd; do
				if gone "$victim"; then return 0; fi # the test tells, and what it was
				forge forger "$call $victim $sig $code $number"
			done
		done
	done
	(($(answers forger 'sent *') > 0)) # otherwise nothing was tried
}

@test "CONT made up as a relay of KILL by another user below root's fry-run kills nothing" {
	start_below_root
	forge_numbers CONT $relay 9
	unmoved
}

@test "CONT made up as a relay of a stop request by another user below root's fry-run stops nothing" {
	start_below_root --stop=TERM/100ms/KILL
	forge_numbers CONT $relay $((15 | 256)) $((2 | 256)) $((3 | 256)) 15
	unmoved
}

@test "CONT made up as a relay of a number past the last signal corrupts no memory of fry-run" {
	start_below_root
	forge_numbers CONT $relay 200 65 66 67 68 255 0 $((200 | 256)) -1 -256
	unmoved
}

@test "CONT made up as a relay of a number past the last signal corrupts no memory in COMMAND's group" {
	start_below_root --pgroup=inherit
	forge_numbers CONT $relay 200 65 66 67 68 255 0 $((200 | 256)) -1 -256
	unmoved
}

@test "CONT made up as a step by another user below root's fry-run stops nothing" {
	start_below_root --stop=CONT/100ms/KILL
	forge_numbers CONT $step 0 15 9
	unmoved
}

@test "CONT made up as a relay by a stranger of the same session on a terminal stops nothing" {
	requires root
	reach
	start_tty it sh -c "$(forger_below forger "${other_user[@]}")"' "$0" --stop=TERM/100ms/KILL -- "$1" -x HUP=4; exit $?' \
		"$FRY_RUN" "$BIN/probe"
	ready it
	wait_line forger.out 'ready *'
	for outer in $(descendants_of "$pid"); do
		if [[ $(name_of "$outer") == "${FRY_RUN##*/}" ]]; then break; fi
	done
	victims=("$outer" "$(inner_of "$outer")")
	forge_numbers CONT $relay 9 $((15 | 256)) 15 200 67
	for victim in "${victims[@]}"; do alive "$victim"; done
	kill -HUP "$outer"
	finish it
	assert_status 4
	assert_equal "$(grep -vx -e CONT -e 'ready .*' <(tr -d '\r' <it.out))" HUP 'COMMAND heard'
	end_forger
}

# A process of the same user could have sent the signal by kill(2), too: only some effects are ruled out.
start_beside() {
	start it "$FRY_RUN" "$@" -- "$BIN/probe" -x HUP=4
	ready it
	forger_start forger
	pid=$it_pid
	victims=("$pid" "$(inner_of "$pid")")
}

@test "signal 40 made up as a relay of KILL by the same user kills nothing" {
	start_beside
	forge_numbers RTMIN+6 $relay 9
	survived
}

@test "signal 40 made up as a relay of a stop request by the same user stops nothing" {
	start_beside --stop=TERM/100ms/KILL
	forge_numbers RTMIN+6 $relay $((15 | 256)) $((2 | 256))
	survived
}

@test "signal 40 made up as a relay of a number past the last signal corrupts no memory" {
	for placement in new inherit; do
		start_beside --pgroup=$placement
		forge_numbers RTMIN+6 $relay 200 65 66 67 68 255 0 -1
		survived
		rm -f forger.* it.*
	done
}

# The same as unmoved, but signal 40 itself may be forwarded.
survived() {
	alive "${victims[@]}"
	kill -USR1 "$it_pid"
	wait_line it.out USR1
	kill -HUP "$it_pid"
	finish it
	assert_status 4
	assert_equal "$(grep -vx 'RTMIN+6' it.out | tail -n +2)" $'USR1\nHUP' 'COMMAND heard'
	assert_lines it.err
	end_forger
}

@test "TERM made up as a step by the same user never gets COMMAND a KILL before it had TERM" {
	for victim in outer inner; do
		start it "$FRY_RUN" --stop=TERM/100ms/KILL -- \
			sh -c '(sleep 1; kill -ALRM $$) & exec "$0" -n -x ALRM=4' "$BIN/probe"
		ready it
		forger_start forger
		outer=$it_pid
		inner=$(inner_of "$outer")
		forge forger "queue ${!victim} TERM $step"
		assert_equal "$(answers forger 'sent *')" 1 'sent'
		finish it
		[[ $status == 4 ]] || assert_equal "$(count_lines it.out TERM)" 1 "TERM heard, status $status, sent to $victim"
		end_forger
		rm -f forger.* it.*
	done
}
