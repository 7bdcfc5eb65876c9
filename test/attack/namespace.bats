# namespace.bats - pid namespaces that only fry-run's children are in, and numbers that come again

# shellcheck disable=SC2016,SC2046,SC2154 # single quotes are for other shells; pids are words; start sets them

load attack.bash

# The words that put the children of COMMAND into a new pid namespace, or one that is there.
new=(unshare --pid)

@test "fry-run whose children are in a new pid namespace runs COMMAND and exits as it does" {
	requires root
	run "${new[@]}" "$FRY_RUN" -- echo hi
	assert_status 0
	assert_lines - hi
	run "${new[@]}" "$FRY_RUN" -- "$BIN/probe" -e 7
	assert_status 7
}

@test "fry-run whose children are in a new pid namespace forwards each signal once, and stops" {
	requires root
	start it "${new[@]}" "$FRY_RUN" --stop=TERM/100ms/KILL -- "$BIN/probe" -n
	wait_line it.out 'ready *'
	for signal in USR1 RTMIN+6 TERM; do
		kill -$signal "$pid"
		wait_line it.out "$signal"
	done
	finish it
	assert_status 137
	# Where /proc is of another namespace, CONT goes to whatever may be stopped.
	assert_equal "$(tail -n +2 it.out | grep -vx CONT)" $'USR1\nRTMIN+6\nTERM' 'heard'
}

# One of each kind that has to be found; the ready lines tell other numbers than ours.
every_kind='"$0" -n -g & "$0" -n -S & "$0" -n -d & "$0" -n -T & exec "$0" -n'

@test "kill -9 of fry-run whose inner process is PID 1 of a new pid namespace leaves nothing" {
	requires root
	start it "${new[@]}" "$FRY_RUN" -- sh -c "$every_kind" "$BIN/probe"
	wait_line it.out 'ready *' 5
	kill -KILL "$pid"
	finish it
	wait_prints '' left_pids
}

@test "kill -9 of the inner process that is PID 1 of a new pid namespace leaves nothing" {
	requires root
	start it "${new[@]}" "$FRY_RUN" -- sh -c "$every_kind" "$BIN/probe"
	wait_line it.out 'ready *' 5
	kill -KILL "$(inner_of "$pid")"
	finish it
	assert_status 137
	nothing_left
}

# Start a PID 1 that is not fry-run's, which nsenter finds.
start_init() {
	requires root nsenter
	start init unshare --pid --fork --mount-proc "$BIN/probe" -n
	wait_line init.out 'ready *'
	init=$(children_of "$pid")
}

@test "fry-run whose children are in an existing pid namespace forwards signals, stops and keeps the status" {
	start_init
	run nsenter -t "$init" --pid --no-fork "$FRY_RUN" -- echo hi
	assert_status 0
	assert_lines - hi
	start it nsenter -t "$init" --pid --no-fork "$FRY_RUN" --stop=TERM/100ms/KILL -- "$BIN/probe" -n
	wait_line it.out 'ready *'
	kill -USR1 "$pid"
	wait_line it.out USR1
	kill -TERM "$pid"
	finish it
	assert_status 137
	assert_equal "$(tail -n +2 it.out | grep -vx CONT)" $'USR1\nTERM' 'heard'
	end "$init" "$init_pid"
}

@test "kill -9 of fry-run leaves nothing in an existing pid namespace" {
	start_init
	start it nsenter -t "$init" --pid --no-fork "$FRY_RUN" -- sh -c "$every_kind" "$BIN/probe"
	wait_line it.out 'ready *' 5
	kill -KILL "$pid"
	finish it
	wait_prints "@($init_pid"$'\n'"$init|$init"$'\n'"$init_pid)" left_pids
	end "$init" "$init_pid"
}

# The inner process is held by a tracer from outside, until the number of the dead outer one, which
# init has reaped, is a descendant's.
@test "a descendant that gets the pid of the dead outer process is also killed" {
	requires root pid-namespace
	start space unshare --pid --fork --mount-proc \
		sh -c 'sh -c "echo \$\$ >number; exec \"\$0\" \"\$@\"" "$@"; echo ended; exec sleep 1000' sh \
		"$FRY_RUN" -- sh -c '"$0" "$(cat number)" & exec "$1" -n' "$BIN/reuse" "$BIN/probe"
	wait_line space.out 'ready *' 2
	for outer in $(descendants_of "$pid"); do
		if [[ $(name_of "$outer") == "${FRY_RUN##*/}" ]]; then break; fi
	done
	inner=$(inner_of "$outer")
	mkfifo hold
	start tracer "$BIN/seize" "$inner" <>hold
	wait_line tracer.out 'ready *'
	kill -KILL "$outer"
	wait_line space.out 'reused *'
	for reused in $(left_pids); do
		if grep -q "^NSpid:.*[[:space:]]$(cat number)\$" "/proc/$reused/status" 2>/dev/null; then break; fi
	done
	alive "$reused"
	assert_equal "$(name_of "$reused")" reuse
	end "$tracer_pid"
	wait_gone "$inner" "$reused"
	end $(left_pids)
}
