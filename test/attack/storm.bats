# storm.bats - made-up siginfos of every kind at once: storm.c tells what is sent and what is looked at

# shellcheck disable=SC2154 # run sets what is used here

# bats file_tags=rounds

load attack.bash

@test "a storm of made-up siginfos kills nothing, loses no later signal, and prevents no end" {
	requires root pid-namespace
	run "$BIN/storm" -t "$(rounds 60 2)" -s $RANDOM "$FRY_RUN"
	echo "$output"
	assert_status 0
	assert_match "$output" '+([0-9]) runs'
}
