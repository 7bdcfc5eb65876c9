# container.bats - as PID 1 of a container, run by runc

load ../lib/helper
load ../lib/container

setup_more() {
	requires root runc jq busybox
	root_make
}

teardown_more() {
	box_delete
}

@test "in a container PID 1 exits with COMMAND's status" {
	box_run /fry-run -- true
	assert_status 0
	box_run /fry-run -- /probe -e 7
	assert_status 7
}

@test "in a container PID 1 exits with 128 + N where COMMAND died of signal N" {
	box_run /fry-run -- sh -c 'kill -KILL $$'
	assert_status 137
	box_run /fry-run -- sh -c 'kill -TERM $$'
	assert_status 143
}

@test "in a container a missing COMMAND exits 127 and a directory 126" {
	box_run /fry-run -- /missing
	assert_status 127
	box_run /fry-run -- /tmp
	assert_status 126
}

@test "in a container TERM reaches COMMAND, which decides on the status" {
	box_start /fry-run -- /probe -x TERM=3
	ready box
	box_kill TERM
	finish box
	assert_status 3
	assert_heard box.out TERM
}

@test "in a container TERM kills a COMMAND with default dispositions" {
	box_start /fry-run -- sh -c 'echo ready $$; exec sleep 1000'
	ready box
	box_kill TERM
	finish box
	assert_status 143
}

@test "in a container every signal is forwarded each time, a second TERM included" {
	local sent=(TERM HUP USR1 TERM WINCH RTMIN+3) number=(15 1 10 15 28 37) so_far=() i
	box_start /fry-run -- /probe -i TERM -x USR2=0
	ready box
	for i in "${!sent[@]}"; do
		so_far+=("${sent[i]}")
		box_kill "${number[i]}"
		wait_until "${so_far[*]} to be heard" heard_so_far "${so_far[@]}"
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

@test "in a container a hundred orphans are reaped" {
	box_start /fry-run -- sh -c '/orphans 100; exec /probe'
	ready box
	wait_until 'the zombies to be reaped' no_zombies
	box_kill TERM
	finish box
}

@test "in a container a PID 1 that does not reap keeps a hundred zombies" {
	box_start sh -c 'echo ready $$; exec sleep 1000'
	ready box
	box_exec /orphans 100
	wait_until 'the orphans to end' a_hundred_zombies
	box_kill KILL
	finish box
}

zombies() {
	local one
	for one in $(children_of "$(box_init)"); do state_of "$one"; done | grep -c Z
}

no_zombies() {
	[[ $(box_pids) && $(zombies) == 0 ]]
}

a_hundred_zombies() {
	(($(zombies) >= 100))
}

@test "in a container a daemon gets TERM when COMMAND has ended" {
	box_run /fry-run -- sh -c '/probe -d -o /heard; exit 4'
	assert_status 4
	assert_equal "$(count_lines "$root/heard" 'ready *')" 1
	assert_heard "$root/heard" TERM
}

@test "in a container a daemon in state T acts on TERM" {
	box_start /fry-run -- sh -c '/probe -d -T -o /heard; exec /probe -x HUP=4'
	ready box
	wait_until 'the daemon to stop' a_process_is_stopped
	box_kill HUP
	finish box
	assert_status 4
	assert_equal "$(count_lines "$root/heard" TERM)" 1 'TERM heard by the daemon'
}

a_process_is_stopped() {
	local one
	for one in $(box_pids); do
		if [[ $(state_of "$one") == T ]]; then return 0; fi
	done
	return 1
}

@test "in a container a daemon that ignores TERM is killed after -k" {
	local began
	began=$(now)
	box_run /fry-run -k 3 -- sh -c '/probe -d -n -o /heard; exit 4'
	at_least $(($(now) - began)) 3000
	assert_status 4
	assert_heard "$root/heard" TERM
}

@test "in a container a COMMAND that ignores TERM is killed after -k with its daemon" {
	local began
	box_start /fry-run -k 3 -- sh -c '/probe -d -n -o /heard; exec /probe -n'
	ready box
	began=$(now)
	box_kill TERM
	finish box
	at_least $(($(now) - began)) 3000
	assert_status 137
	assert_heard box.out TERM
}

@test "in a container --leftover=wait waits for a daemon" {
	box_start /fry-run --leftover=wait -- sh -c '/probe -d -o /heard -x USR1=0; exit 4'
	wait_until 'the daemon to be alone' daemon_is_alone
	box_kill HUP
	wait_line "$root/heard" HUP
	box_kill USR1
	finish box
	assert_status 4
	assert_heard "$root/heard" HUP USR1
}

daemon_is_alone() {
	local left
	left=$(box_pids)
	[[ $(count_lines "$root/heard" 'ready *') == 1 && $left && $(name_of "$left") == probe ]]
}

@test "in a container COMMAND itself may send TERM to PID 1" {
	box_run /fry-run -- sh -c 'kill -TERM 1; exec sleep 1000'
	assert_status 143
}

@test "in a container background jobs of COMMAND do not outlive it" {
	box_run /fry-run -k 0 -- sh -c 'sleep 1000 & /probe & exit 6'
	assert_status 6
}

@test "in a container -p SIGKILL kills everything when the runtime dies" {
	local below
	box_start /fry-run -p SIGKILL -- sh -c '/probe -d -n -o /heard; exec /probe -n -o /heard'
	wait_line "$root/heard" 'ready *' 2
	mapfile -t below < <(box_pids)
	end "$box_pid"
	wait_gone "${below[@]}"
	assert_equal "$(count_lines "$root/heard" TERM)" 0 'TERM heard'
}
