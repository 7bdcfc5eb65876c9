# notify.bats - what -v says where a service manager waits for a notification

# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for other shells

load ../lib/helper

hint='fry-run: +([0-9.]) READY=1 comes from COMMAND, so Type=notify needs NotifyAccess=all'

@test "with NOTIFY_SOCKET, -v says once that NotifyAccess=all is needed, with and without the guard" {
	export NOTIFY_SOCKET=/run/none
	for guard in --guard --no-guard; do
		run "$FRY_RUN" -vvv $guard true
		assert_status 0
		assert_equal "$(count_lines /dev/stdin "$hint" <<<"$output")" 1
	done
}

@test "without -v, and without NOTIFY_SOCKET, no message names NotifyAccess" {
	NOTIFY_SOCKET=/run/none run "$FRY_RUN" true
	assert_lines -
	unset NOTIFY_SOCKET
	run "$FRY_RUN" -vvv true
	assert_status 0
	[[ $output != *Notify* ]]
}

@test "COMMAND finds NOTIFY_SOCKET unchanged" {
	NOTIFY_SOCKET=@abstract run "$FRY_RUN" -v sh -c 'echo "$NOTIFY_SOCKET"'
	assert_match "$output" $'*\n@abstract\n*'
}
