# job.bats - an interactive shell on a terminal of script(1) in gVisor
#
# A terminal that is made in gVisor sends no signals for keys, and a stop is not told by waitid(2), so the
# shell sends the signals, and fry-run does not stop together with COMMAND.

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

@test "in gVisor a job on a terminal gets each signal once, and fg waits for its status" {
	keys box '/fry-run -- /probe -x INT=9 -o /heard & job=$!\n'
	wait_line "$root/heard" 'ready *'
	keys box 'kill -TSTP %1\n'
	wait_line "$root/heard" TSTP
	keys box '(until grep -q CONT /heard; do sleep .1; done; kill -INT -$job) &\n'
	keys box 'fg %1\n'
	wait_line "$root/heard" INT
	keys box 'echo "status $?"\n'
	wait_line box.out '*status 9'
	keys box 'exit\n'
	finish box
	assert_heard "$root/heard" TSTP CONT INT
}
