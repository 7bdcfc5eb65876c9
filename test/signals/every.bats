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
