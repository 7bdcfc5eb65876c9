# Random trees under random events: the short form of `make check-stress`. See stress.c.
# bats file_tags=rounds
load ../lib/helper

# figure WORDS: print the number before these words in the table at the end.
figure() {
	sed -n "s/^.* \([0-9][0-9]*\) $1.*$/\1/p" <<<"$output"
}

@test "random runs under random events break no promise" {
	requires root pid-namespace cgroup2
	local runs
	runs=$(rounds 1000 12)
	run "$BIN/stress" -n "$runs" -t 3600 "$FRY_RUN"
	echo "$output"
	assert_status 0
	assert_equal "$(figure 'runs, 0 failed')" "$runs" runs
	# Every kind of event must have been tried; few runs do not try all.
	if [[ ${ROUNDS-} != all ]]; then return; fi
	(($(figure 'leaves and') > 0))
	(($(sed -n 's/.*pids came round \([0-9]*\) times/\1/p' <<<"$output") > 0))
	[[ ! $output =~ ' 0 of ' ]]
}

@test "stress catches a wrapper that leaves processes behind" {
	requires root pid-namespace
	cat >wrapper <<-'END'
		#!/bin/sh
		while [ "$1" != -- ]; do shift; done
		shift
		"$@"
	END
	chmod +x wrapper
	run "$BIN/stress" -l 500 -j 1 -n 3 -s 1 wrapper
	assert_status 1
	assert_match "$output" $'*\nFAILED +([0-9]) *'
}

@test "stress derives one plan from one seed" {
	requires root pid-namespace
	local first
	run "$BIN/stress" -v -j 1 -n 1 -s 7 "$FRY_RUN"
	assert_status 0
	first=$(grep -e '^  node' -e '^  at' <<<"$output")
	[[ $first ]]
	run "$BIN/stress" -v -j 1 -n 1 -s 7 "$FRY_RUN"
	assert_status 0
	assert_equal "$(grep -e '^  node' -e '^  at' <<<"$output")" "$first"
}
