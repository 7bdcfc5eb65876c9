# job.bats - job control in gVisor: an interactive shell on a terminal of script(1)

# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for other shells; the helpers set variables

load ../lib/helper
load ../lib/container
load ../lib/gvisor

setup_more() {
	sandbox_requires script
	root_make
	into_root "$(command -v script)" bin/script
	mkfifo box.keys
	# Open for both, so that the terminal sees no end of file.
	box_start script -q -c 'sh -i' /dev/null <>box.keys
}

teardown_more() {
	box_delete
}

@test "in gVisor Ctrl-Z stops fry-run's job, fg continues it, and Ctrl-C reaches COMMAND once" {
	keys box '/fry-run -- /probe -z -x INT=9\n'
	ready box
	keys box '\032'
	wait_line box.out '*Stopped*'
	keys box 'fg\n'
	wait_line box.out CONT
	keys box '\003'
	wait_line box.out INT
	keys box 'echo "status $?"\n'
	wait_line box.out '*status 9'
	keys box 'exit\n'
	finish box
	assert_equal "$(count_lines box.out INT)" 1 'INT heard'
}

