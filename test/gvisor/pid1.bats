# pid1.bats - as process 1 in gVisor

# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for other shells; the helpers set variables

load ../lib/helper
load ../lib/container
load ../lib/gvisor

setup_more() {
	sandbox_requires
	root_make
}

teardown_more() {
	box_delete
}

@test "in gVisor process 1 exits with COMMAND's status, and says nothing" {
	box_run /fry-run -- sh -c 'exit 7'
	assert_status 7
	assert_lines -
	box_run /fry-run -- sh -c 'kill -KILL $$'
	assert_status 137
	assert_lines -
}

@test "in gVisor a missing COMMAND exits 127 and a directory 126" {
	box_run /fry-run -- /missing
	assert_status 127
	box_run /fry-run -- /proc
	assert_status 126
}

@test "in gVisor TERM reaches COMMAND, which decides on the status" {
	box_start /fry-run -- /probe -x TERM=3
	ready box
	box_kill TERM
	finish box
	assert_status 3
	assert_heard box.out TERM
}

@test "in gVisor each signal of the runtime is forwarded once, a second TERM included" {
	local sent=(TERM HUP USR1 TERM WINCH) i
	box_start /fry-run -- /probe -i TERM -x USR2=0
	ready box
	for i in "${!sent[@]}"; do
		box_kill "${sent[i]}"
		wait_until "${sent[*]:0:i+1} to be heard" heard_so_far "${sent[@]:0:i+1}"
	done
	box_kill USR2
	finish box
	assert_status 0
	assert_heard box.out "${sent[@]}" USR2
}

heard_so_far() {
	local IFS=$'\n'
	[[ $(heard box.out) == "$*" ]]
}

@test "in gVisor COMMAND itself may send TERM to process 1" {
	box_run /fry-run -- sh -c 'kill -TERM 1; exec sleep 1000'
	assert_status 143
}

@test "in gVisor children of a COMMAND that exits at once get TERM" {
	box_run /fry-run -- sh -c '/probe -o /child & /probe -o /child &
		until [ "$(grep -c ready /child)" = 2 ]; do sleep .01; done; exit 6'
	assert_status 6
	assert_heard "$root/child" TERM TERM
}

@test "in gVisor a daemon gets TERM when COMMAND has ended" {
	box_run /fry-run -- sh -c '/probe -d -o /heard; exit 4'
	assert_status 4
	assert_heard "$root/heard" TERM
}

@test "in gVisor a daemon that ignores TERM gets TERM before KILL" {
	box_run /fry-run -k 1 -- sh -c '/probe -d -n -o /heard; exit 4'
	assert_status 4
	assert_heard "$root/heard" TERM
}

@test "in gVisor a COMMAND that ignores TERM is killed with its daemon" {
	box_start /fry-run -k 1 -- sh -c '/probe -d -n -o /heard; exec /probe -n'
	ready box
	box_kill TERM
	finish box
	assert_status 137
	assert_heard box.out TERM
	assert_heard "$root/heard" TERM
}

@test "in gVisor --leftover=fail names the daemon, and exits 125" {
	box_run /fry-run --leftover=fail -- sh -c '/probe -d -o /heard'
	assert_status 125
	assert_match "$output" 'fry-run: left behind by COMMAND, sent TERM: process +([0-9]) (*probe*)'
}

@test "in gVisor --leftover=wait waits for a daemon, and forwards to it" {
	box_start /fry-run --leftover=wait -- sh -c '/probe -d -o /heard -x USR1=0; exit 4'
	wait_line "$root/heard" 'ready *'
	box_kill USR1
	finish box
	assert_status 4
	assert_heard "$root/heard" USR1
}

@test "in gVisor process 1 reaps orphans" {
	box_run /fry-run -- sh -c '/orphans 20
		while grep -q "^State:.Z" /proc/[0-9]*/status; do sleep .01; done 2>/dev/null; exit 4'
	assert_status 4
}

@test "in gVisor --timeout stops COMMAND's group and a daemon" {
	box_run /fry-run -t 1s -- sh -c '/probe -d -o /heard; sleep 1000 & exec /probe'
	assert_status 124
	assert_heard box.out INT
	assert_heard "$root/heard" TERM
}

@test "in gVisor the report of process 1 is complete" {
	box_run /fry-run --report=/report -- sh -c '/probe -d -o /heard; exit 4'
	assert_status 4
	run jq -c '[.pid, .exit.code, .status, .cause, [.leftovers[] | .name, .signal]]' "$root/report"
	assert_lines - '[1,4,4,"exited",["probe","TERM"]]'
}
