# bomb.bats - trees that are large, or fork faster than they can be read, are brought down

# shellcheck disable=SC2016 # what stands in single quotes is for another shell

# bats file_tags=rounds
load ../lib/helper

export BATS_NO_PARALLELIZE_WITHIN_FILE=true # they want the processors to themselves

setup_more() {
	requires flock
}

# After KILL, fry-run gives up when no process has died for 100 s.
stop=TERM/200ms/KILL/100s

# stops [PID]: send TERM to PID or to fry-run, and fail unless all processes are gone when fry-run has ended.
# Print how long that took from KILL on, by the times that -v gives.
stops() {
	local killed gone
	kill -TERM "${1-$it_pid}"
	finish it
	killed=$(said 'time for KILL')
	gone=$(said '@(exiting with|dying of) *')
	echo "#   gone $((gone - killed)) ms after KILL" >&3
	bomb_gone
	nothing_left
}

# said GLOB: print when fry-run printed a line that matches, in milliseconds.
said() {
	local at what
	while read -r _ at what; do
		# shellcheck disable=SC2053 # a glob is meant
		if [[ $what == $1 ]]; then echo "$((10#${at/./}))"; fi
	done <it.err
}

# --- large

large() {
	start it "$FRY_RUN" -v --stop=$stop -- sh -c '"$@" & exec "$0" -n' "$BIN/probe" "$BIN/orphans" "$@"
	wait_line it.out ready
	ready it
	stops
	assert_status 137
}

@test "a wide tree that ignores TERM is killed" {
	large -f "$(rounds 3000 300)"
}

@test "a wide tree of sessions that ignores TERM is killed" {
	large -s -f "$(rounds 3000 300)"
}

@test "a deep tree that ignores TERM is killed" {
	large -d "$(rounds 1000 200)"
}

@test "a deep tree of sessions that ignores TERM is killed" {
	large -s -d "$(rounds 1000 200)"
}

@test "thousands of orphans are reaped while COMMAND lives, and its status is kept" {
	start it "$FRY_RUN" -- sh -c '"$0" "$2"; exec "$1" -x USR1=7' "$BIN/orphans" "$BIN/probe" "$(rounds 10000 1000)"
	ready it
	wait_prints "${ready[0]}" children_of "$pid"
	kill -USR1 "$pid"
	finish it
	assert_status 7
}

# --- and growing

# Switch the test to SCHED_FIFO where permitted, so that it does not wait its turn among hundreds.
go_first() {
	chrt --fifo --pid 1 "$BASHPID" 2>/dev/null || :
}

bomb() {
	start it "$FRY_RUN" -v --stop=$stop -- "$BIN/bomb" "$@"
	go_first
	wait_line it.out ready
	stops
	assert_status 137
}

@test "a chain that forks and exits for ever is killed" {
	bomb chain
}

@test "a chain of sessions that forks and exits for ever is killed" {
	bomb -s chain
}

@test "ten chains that fork and exit for ever are killed" {
	bomb chain 10
}

@test "ten chains of sessions that fork and exit for ever are killed" {
	bomb -s chain 10
}

@test "a fork bomb in COMMAND's group is killed" {
	bomb fork "$(rounds 500 100)"
}

@test "a fork bomb of sessions is killed" {
	bomb -s fork "$(rounds 500 100)"
}

# policy_after POLICY SIGNAL OPTION...: the inner process has this policy once it has walked over a bomb.
# Among hundreds of processes with equal shares, each step takes as long as their turns do; among few, strace
# delays each open(2) of the inner process.
policy_after() {
	local policy=$1 signal=$2 inner
	shift 2
	requires root chrt strace
	chrt --fifo 1 true || skip 'real-time scheduling is not permitted here'
	start it "$FRY_RUN" -v "$@" -- "$BIN/bomb" -s fork "$(rounds 500 20)"
	go_first
	wait_line it.out ready
	inner=$(inner_of "$pid")
	if [[ ${ROUNDS-} != all ]]; then
		start slow strace -p "$inner" -e trace=openat,open -e inject=openat,open:delay_enter=10ms
		wait_line slow.err '*attached*'
	fi
	kill -"$signal" "$it_pid"
	wait_line it.err "*sent $signal to *"
	assert_equal "$(chrt -p "$inner" | sed -n 's/.*policy: //p')" "$policy|SCHED_RESET_ON_FORK" policy
	if [[ ${ROUNDS-} != all ]]; then end "$slow_pid"; fi
	end_bomb
	finish it
}

@test "stopping a fork bomb switches to SCHED_FIFO" {
	policy_after SCHED_FIFO TERM --stop=TERM/1h/KILL
}

@test "forwarding to a fork bomb switches to SCHED_FIFO and back" {
	policy_after SCHED_OTHER HUP --scope=tree
}

@test "forking chains that COMMAND left behind are killed before fry-run ends" {
	run "$FRY_RUN" --stop=$stop -- "$BIN/bomb" -s -x chain 3
	assert_status 0
	assert_lines - ready
	bomb_gone
}

@test "as PID 1 fry-run kills a fork bomb" {
	requires pid-namespace
	start it unshare --pid --fork --mount-proc "$FRY_RUN" -v --stop=$stop -- "$BIN/bomb" -s fork "$(rounds 500 100)"
	go_first
	wait_line it.out ready
	stops "$(children_of "$pid")"
	assert_status 137
}

@test "without /proc a chain that forks and exits for ever is killed" {
	requires root
	start it unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' sh \
		"$FRY_RUN" -v --stop=$stop -- "$BIN/bomb" -s chain
	wait_line it.out ready
	kill -TERM "$pid"
	finish it
	assert_status 137
	bomb_gone
}

# --- the bomb itself

@test "the fixture bomb reaches its population, replaces killed processes, and ends when its lock is removed" {
	requires tini
	start it tini -s -- "$BIN/bomb" -s fork 50
	wait_line it.out ready
	# shellcheck disable=SC2046 # one word each
	kill -KILL $(descendants_of "$pid" | sed 1d | tail -n 20) 2>/dev/null || :
	wait_prints '[3-6]?' count_left
	run bomb_gone
	assert_status 1
	end_bomb
	finish it
	nothing_left
}

count_left() {
	left_pids | wc -l
}
