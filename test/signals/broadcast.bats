# broadcast.bats - callers that signal every process they find: each process gets a signal once

# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for other shells; start sets pids

# bats file_tags=linux,rounds

load ../lib/helper

# COMMAND, its child in the group, and a descendant in a session of its own; each names its signals.
tree='"$0" -n -S -o session.out & "$0" -n -o child.out & exec "$0" -n -o command.out'

# start_tree [WORD]... [OPTION]...: fry-run, after WORDs that precede it, with OPTIONs.
start_tree() {
	start it "$FRY_RUN" --stop=TERM/2h/KILL "$@" -- sh -c "$tree" "$BIN/probe"
	wait_tree
}

wait_tree() {
	for one in command child session; do wait_line "$one.out" 'ready *'; done
}

# each_once SIGNAL COMMAND...: run COMMAND as often as `rounds 100 few` (2) says. Each time each process gets
# one SIGNAL, and then fry-run's COMMAND a marker that was sent to fry-run alone. An extra copy of SIGNAL
# would come before the marker.
each_once() {
	local signal=$1 marker=HUP round times one matched
	shift
	times=$(rounds 100 "${few:-2}")
	if [[ $signal == HUP ]]; then marker=USR1; fi
	for ((round = 1; round <= times; round++)); do
		"$@"
		for one in command child session; do wait_line "$one.out" "$signal" "$round" || return; done
		kill -"$marker" "$it_pid"
		wait_line command.out "$marker" "$round" || return
		for one in command child session; do
			matches "$one.out" "$signal"
			assert_equal "$matched" "$round" "$signal heard by $one after $round sweeps" || return
		done
	done
}

end_tree() {
	for one in session child command; do end "$(sed -n 's/^ready //p' "$one.out")"; done
	finish it
	rm -f ./*.out
}

@test "a sweep in any order brings INT, TERM and QUIT to each process once" {
	for signal in INT TERM QUIT; do
		start_tree
		for order in ascending descending children parents; do
			each_once $signal "$BIN/sweep" -o $order $signal "$it_pid"
			rounds_done
		done
		kill_tree
	done
}

# Begin to count again.
rounds_done() {
	for one in command child session; do : >"$one.out"; done
}

@test "a sweep in any order brings HUP, USR1 and USR2 to each process once" {
	for signal in HUP USR1 USR2; do
		start_tree
		for order in ascending descending children parents; do
			each_once $signal "$BIN/sweep" -o $order $signal "$it_pid"
			rounds_done
		done
		kill_tree
	done
}

# The same as end_tree, where the pids are no longer in the files.
kill_tree() {
	end "$it_pid"
	wait_prints '' left_pids
	rm -f ./*.out
}

@test "a sweep that reads /proc before each signal brings TERM to each process once" {
	start_tree
	for order in ascending descending children; do
		each_once TERM "$BIN/sweep" -r -o $order TERM "$it_pid"
		rounds_done
	done
	kill_tree
}

@test "on a busy machine a sweep that waits for its turn brings TERM to each process once" {
	local busy=() few=1
	for ((i = 0; i < 4; i++)); do
		start busy sh -c 'while :; do :; done'
		busy+=("$pid")
	done
	start_tree
	for order in ascending descending children parents; do
		each_once TERM "$BIN/sweep" -w -o $order TERM "$it_pid"
		rounds_done
	done
	end "$it_pid"
	for one in command child session; do rm -f "$one.out"; done
	end "${busy[@]}"
}

@test "a later signal does not overtake one whose sender waits for the processor" {
	requires chrt taskset
	local cpu busy
	cpu=$(taskset -cp $$) # such as: pid 1's current affinity list: 0-3,8
	cpu=${cpu##*: }
	cpu=${cpu%%[-,]*}
	start busy taskset -c "$cpu" sh -c 'while :; do :; done'
	busy=$pid
	start it "$FRY_RUN" -v -- "$BIN/probe" -n -x TERM=3
	ready it
	# With SCHED_IDLE it gets next to nothing of the processor after it has sent HUP, too.
	start sender taskset -c "$cpu" chrt --idle 0 sh -c 'kill -HUP "$0"; while :; do :; done' "$it_pid"
	wait_line it.err '*received HUP from process *'
	kill -TERM "$it_pid"
	wait_gone "$it_pid"
	assert_lines it.out "ready ${ready[0]}" HUP TERM
	end "$sender_pid" "$busy"
}

@test "kill(1) with many pids brings TERM to each process once" {
	start_tree
	pids() { echo "$it_pid"; inner_of "$it_pid"; descendants_of "$it_pid"; }
	mapfile -t all < <(pids)
	each_once TERM kill -TERM "${all[@]}"
	end_tree
}

@test "a sweep over the environment brings TERM to each process once" {
	export SWEPT=$BATS_TEST_TMPDIR
	start_tree
	unset SWEPT
	each_once TERM "$BIN/sweep" -e "SWEPT=$BATS_TEST_TMPDIR" TERM "$it_pid"
	end_tree
}

@test "a sweep over cgroup.procs brings TERM to each process once" {
	requires root cgroup2
	job=$(cgroup2_own)/fry-sweep-$$
	mkdir "$job"
	start it sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$job" \
		"$FRY_RUN" --stop=TERM/2h/KILL -- sh -c "$tree" "$BIN/probe"
	wait_tree
	each_once TERM "$BIN/sweep" -f "$job/cgroup.procs" TERM "$it_pid"
	end_tree
	rmdir "$job"
}

@test "in the caller's process group a sweep brings INT and TERM to each process once" {
	for signal in INT TERM; do
		start_tree --pgroup=inherit
		for order in ascending descending children parents; do
			each_once $signal "$BIN/sweep" -o $order $signal "$it_pid"
			rounds_done
		done
		kill_tree
	done
}

@test "below another fry-run a sweep brings TERM to each process once" {
	start_tree "$FRY_RUN" --stop=TERM/2h/KILL
	for order in ascending descending children parents; do
		each_once TERM "$BIN/sweep" -o $order TERM "$it_pid"
		rounds_done
	done
	kill_tree
}

@test "a sweep that ends COMMAND brings TERM to its leftovers once" {
	tree='"$0" -n -S -o session.out & "$0" -n -o child.out & exec "$0" -x TERM=0 -o command.out'
	for ((round = $(rounds 20 2); round; round--)); do
		for order in ascending descending children parents; do
			start_tree -v
			"$BIN/sweep" -o "$order" TERM "$it_pid"
			left_get_term_once
		done
		start it setsid "$FRY_RUN" -v --stop=TERM/2h/KILL --pgroup=inherit -- sh -c "$tree" "$BIN/probe"
		wait_tree
		kill -TERM -- "-$it_pid"
		left_get_term_once
	done
}

# COMMAND has had TERM: its leftovers have it once before USR1, which goes to all that are left then.
left_get_term_once() {
	local command one
	command=$(sed -n 's/^ready //p' command.out)
	wait_gone "$command"
	for one in session child; do wait_line "$one.out" TERM; done
	wait_line it.err '*left behind*' 2
	kill -USR1 "$it_pid"
	for one in session child; do
		wait_line "$one.out" USR1
		assert_equal "$(count_lines "$one.out" TERM)" 1 "TERM heard by $one"
	done
	kill_tree
}

@test "a sweep is one stop request, and the schedule does not repeat its signal" {
	start it "$FRY_RUN" --stop=TERM/2s/KILL -- sh -c "$tree" "$BIN/probe"
	wait_tree
	"$BIN/sweep" TERM "$it_pid"
	finish it
	assert_status 137
	for one in command child session; do
		assert_equal "$(count_lines "$one.out" TERM)" 1 "TERM heard by $one"
	done
}

@test "twenty INT to fry-run alone, a few milliseconds apart, all arrive" {
	start it "$FRY_RUN" --stop=TERM/2h/KILL -- "$BIN/probe" -n
	ready it
	for ((i = 0; i < 20; i++)); do
		kill -INT "$pid"
		wait_line it.out INT $((i + 1))
	done
	end "${ready[0]}"
	finish it
}
