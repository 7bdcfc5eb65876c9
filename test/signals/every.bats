# every.bats - a caller that signals every process it finds may send any signal: it arrives once

# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for other shells; start sets pids

# bats file_tags=linux,rounds

load ../lib/helper

@test "a sweep brings ABRT, ALRM, PWR and CONT to each process once" {
	start it "$FRY_RUN" -- sh -c '"$0" -n -o child.out & exec "$0" -n -o command.out' "$BIN/probe"
	for one in command child; do wait_line $one.out 'ready *'; done
	for signal in ABRT ALRM PWR CONT; do
		for ((round = 1; round <= $(rounds 100 3); round++)); do
			for order in ascending descending children; do
				"$BIN/sweep" -o $order $signal "$it_pid"
				for one in command child; do wait_line $one.out $signal; done
				# A copy too many would have come before the marker.
				kill -IO "$it_pid"
				wait_line command.out IO
				for one in command child; do
					assert_equal "$(count_lines $one.out $signal)" 1 "$signal heard by $one"
					: >$one.out
				done
			done
		done
	done
	end "$it_pid"
	wait_prints '' left_pids
}

@test "fry-run alone gets CONT, TSTP, WINCH and RTMIN+3, and forwards each once" {
	start it "$FRY_RUN" -- "$BIN/probe" -n
	ready it
	for signal in CONT TSTP WINCH RTMIN+3 ABRT; do
		for round in 1 2 3 4 5; do
			kill -"${signal/RTMIN+3/37}" "$it_pid"
			wait_line it.out $signal $round
		done
	done
	kill -IO "$it_pid"
	wait_line it.out IO
	assert_equal "$(count_lines it.out '*')" 27
	end "$it_pid"
	wait_prints '' left_pids
}

# Print the signals that are pending in a process, as bits.
pending_in() {
	sed -n 's/^ShdPnd:\t0*//p' "/proc/$1/status"
}

# at_once SIGNAL...: the inner process gets these, sent to fry-run alone, in one go: it is held until the outer
# one has relayed all.
at_once() {
	local signal
	[[ -p hold ]] || mkfifo hold
	start holder "$BIN/seize" "$(inner_of "$it_pid")" <>hold
	ready holder
	for signal; do
		kill -"$signal" "$it_pid"
		wait_prints '' pending_in "$it_pid"
	done
	end "$holder_pid"
}

@test "a stop and a CONT that follows it at once reach COMMAND in their order" {
	for stop in TSTP TTIN TTOU; do
		start it "$FRY_RUN" -- "$BIN/probe" -n
		ready it
		at_once $stop CONT
		wait_line it.out CONT
		kill -USR1 "$it_pid" # it comes after all that was sent before
		wait_line it.out USR1
		# A COMMAND that is slow to fetch the stop never hears it, since CONT discards it: signal(7).
		assert_match "$(tail -n +2 it.out | paste -sd ' ')" "?($stop )CONT USR1"
		end "$it_pid"
		wait_prints '' left_pids
	done
}

@test "a PIPE to fry-run reaches COMMAND though fry-run's own stderr is broken" {
	start it bash -c 'exec "$@" 2> >(:)' bash "$FRY_RUN" -v -- "$BIN/probe" -n
	ready it
	at_once USR1 PIPE
	wait_line it.out PIPE
	end "$it_pid"
	wait_prints '' left_pids
}
