# report.bats - a report goes to the descriptor or file that was named, and to no other

# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for other shells; start sets pids

load attack.bash

@test "--report=fd:N refuses what is no number from 0 to 2147483647, and writes to no descriptor" {
	for number in 4294967299 -4294967293 ' 3' +3 -1 3x '3 ' '' 0x3 2147483648 18446744073709551619 \
		99999999999999999999999 $'\t3'; do
		: >three
		run "$FRY_RUN" --report="fd:$number" -- true 3>three
		assert_equal "$(<three)" '' "written to 3 for fd:$number"
		assert_status 125
		assert_match "$output" 'fry-run: --report=*'
	done
	for number in 3 03; do
		run "$FRY_RUN" --report="fd:$number" -- true 3>three
		assert_status 0
		assert_match "$(<three)" '{"version":*}'
	done
}
