# queue.bats - a user's queue of signals that is full, or has no room at all

# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for other shells; start sets pids

load attack.bash

# A fry-run below a fry-run, none of which may queue a signal.
start_nested() {
	start it prlimit --sigpending=0 "$FRY_RUN" "$@" -- "$FRY_RUN" -k 1h -- "$BIN/probe" -n -x RTMIN+30=4
	ready it
}

# heard SIGNAL N: end the run, and fail unless COMMAND got SIGNAL N times.
heard() {
	kill -RTMIN+30 "$pid" # the last in the order in which the kernel gives them
	finish it
	assert_status 4
	assert_equal "$(count_lines it.out "$1")" "$2" "$1 heard"
}

@test "where no signal can be queued USR1 reaches the COMMAND of a nested fry-run once" {
	start_nested
	kill -USR1 "$pid"
	wait_line it.out USR1
	heard USR1 1
}

@test "where no signal can be queued a real-time signal reaches the COMMAND of a nested fry-run once" {
	start_nested
	kill -RTMIN+6 "$pid"
	wait_line it.out RTMIN+6
	heard RTMIN+6 1
}

@test "where no signal can be queued a step by time reaches the COMMAND of a nested fry-run once" {
	start_nested --stop=INT/100ms/TERM/1h/KILL
	kill -INT "$pid"
	wait_line it.out TERM
	heard TERM 1
}

@test "where no signal can be queued USR1 as a step by time reaches the COMMAND of a nested fry-run once" {
	start_nested --stop=INT/100ms/USR1/1h/KILL
	kill -INT "$pid"
	wait_line it.out USR1
	heard USR1 1
}

@test "where no signal can be queued a real-time step reaches the COMMAND of a nested fry-run once" {
	start_nested --stop=INT/100ms/RTMIN+6/1h/KILL
	kill -INT "$pid"
	wait_line it.out RTMIN+6
	heard RTMIN+6 1
}

@test "where no signal can be queued a real-time step is sent without a message" {
	start_nested --stop=INT/100ms/RTMIN+6/1h/KILL
	kill -INT "$pid"
	wait_line it.out RTMIN+6
	heard INT 1
	assert_lines it.err
}

@test "a descendant that has the name of a fry-run and no room for signals gets KILL" {
	cp "$BIN/probe" fry-runner
	start it "$FRY_RUN" --stop=TERM/100ms/KILL -- sh -c 'prlimit --sigpending=0 ./fry-runner -n -S -o heard & exec "$0" -x USR1=3' "$BIN/probe"
	ready it
	wait_line heard 'ready *'
	kill -USR1 "$pid"
	finish it
	assert_status 3
	nothing_left
}
