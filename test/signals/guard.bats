# guard.bats - kill -9 of either of the two processes leaves nothing; otherwise the guard is not noticed

# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for other shells; start sets pids

# bats file_tags=rounds
load ../lib/helper
load ../lib/ci-step

# One of each kind that has to be found: in a group, in a session, a daemon, stopped, a thread alone.
every_kind='"$0" -n -g & "$0" -n -S & "$0" -n -d & "$0" -n -T & "$0" -n -t & exec "$0" -n'

# --- kill -9

@test "kill -9 of fry-run leaves no descendant of any kind" {
	start it "$FRY_RUN" -- sh -c "$every_kind" "$BIN/probe"
	ready it 6
	inner=$(inner_of "$pid")
	kill -KILL "$pid"
	wait_gone "$inner" "${ready[@]}"
	finish it
	assert_status 137
	nothing_left
}

@test "after kill -9 of the inner process fry-run kills everything, says so and dies of KILL" {
	start it "$FRY_RUN" -- sh -c "$every_kind" "$BIN/probe"
	ready it 6
	kill -KILL "$(inner_of "$pid")"
	finish it
	nothing_left
	assert_status 137
	assert_lines it.err 'fry-run: the inner process was killed: killing everything'
}

@test "after kill -9 of the inner process --status=code exits 137" {
	start it "$FRY_RUN" --status=code -- "$BIN/probe" -n
	ready it
	kill -KILL "$(inner_of "$pid")"
	finish it
	assert_status 137
	nothing_left
}

# killed MANY OUTCOME WORD...: killer with these words comes to this outcome in each of so many rounds.
killed() {
	local count
	count=$(rounds "$1")
	run --separate-stderr "$BIN/killer" -n "$count" "${@:3}"
	assert_lines - "$count $2"
}

tree_of_100() {
	local count
	count=$(rounds 20 3)
	run "$BIN/killer" -t -w -n "$count" "$@"
	echo "$output"
	assert_equal "$(grep -c -x "$count gone" <<<"$output")" 1 "$count of $count gone"
	median=$(sed -n 's/^median //p' <<<"$output")
	echo "#   a tree of 100 was gone in $((median / 1000)).$((median / 100 % 10)) ms (median)" >&3
}

@test "kill -9 of fry-run leaves nothing of a tree of 100" {
	tree_of_100 -- "$FRY_RUN" -- "$BIN/orphans" -f 100
	tree_of_100 -- "$FRY_RUN" -- "$BIN/orphans" -s -f 100
}

@test "kill -9 of the inner process leaves nothing of a tree of 100" {
	tree_of_100 -i -- "$FRY_RUN" -- "$BIN/orphans" -f 100
	tree_of_100 -i -- "$FRY_RUN" -- "$BIN/orphans" -s -f 100
}

@test "kill -9 of fry-run at any moment after its execve leaves nothing" {
	killed 500 gone -- "$FRY_RUN" -- "$BIN/killer" -T
	killed 250 gone -d 500 -- "$FRY_RUN" --pgroup=inherit -- "$BIN/killer" -T
}

@test "kill -9 of the inner process at any moment after its fork leaves nothing" {
	killed 500 gone -i -- "$FRY_RUN" -- "$BIN/killer" -T
	killed 250 gone -i -d 500 -- "$FRY_RUN" --pgroup=inherit -- "$BIN/killer" -T
}

@test "kill -9 of fry-run leaves nothing while its inner process is stopped" {
	killed 250 gone -s -- "$FRY_RUN" -- "$BIN/killer" -T
	killed 50 gone -s -w -- "$FRY_RUN" --pgroup=inherit -- "$BIN/killer" -T
}

@test "without the guard kill -9 of fry-run leaves its tree" {
	killed 1 leaked -w -l 200 -- "$FRY_RUN" --no-guard -- "$BIN/killer" -T
}

@test "kill -9 of fry-run during a stop leaves nothing" {
	start it "$FRY_RUN" --stop=TERM/1h/KILL -- sh -c "$every_kind" "$BIN/probe"
	ready it 6
	kill -TERM "$pid"
	wait_line it.out TERM
	kill -KILL "$pid"
	wait_prints '' left_pids
	finish it
	assert_status 137
}

@test "kill -9 of fry-run leaves nothing that COMMAND left behind" {
	start it "$FRY_RUN" --leftover=wait -- sh -c '"$0" -n -d; "$0" -n -S & exec "$0" -x USR1=0' "$BIN/probe"
	ready it 3
	kill -USR1 "$pid"
	wait_line it.out USR1
	kill -KILL "$pid"
	wait_prints '' left_pids
	finish it
}

@test "kill -9 of fry-run leaves none of ten chains that fork and exit for ever" {
	requires flock
	start it "$FRY_RUN" -- "$BIN/bomb" -s chain 10
	wait_line it.out ready
	kill -KILL "$pid"
	wait_until 'the chains to end' bomb_gone
	finish it
}

@test "kill -9 of the inner process leaves none of ten chains that fork and exit for ever" {
	requires flock
	start it "$FRY_RUN" -- "$BIN/bomb" -s chain 10
	wait_line it.out ready
	kill -KILL "$(inner_of "$pid")"
	finish it
	bomb_gone
	assert_status 137
}

@test "GitHub's runner kills a step whose tasks ignore everything: nothing is left, both pipes end" {
	requires python3
	script step "'$BIN/probe' -n -d" "'$BIN/probe' -n -S &" "'$BIN/probe' -n -g -T &" "'$BIN/probe' -n"
	# A schedule that would take longer than the runner's.
	start it python3 "$REPO/test/runner.py" --scale .2 --after-kill 100 --ready 4 --output it.step -- \
		"$FRY_RUN" -- bash -e step.sh
	finish it
	# The runner sent its KILL, so its status says that the step was not over before.
	assert_status 1
	sed 's/^ *[0-9.]* s  //' it.out >timeline
	assert_equal "$(head -n 4 timeline)" $'INT sent\nTERM sent\nKILL sent\nprocess died of KILL' timeline
	assert_equal "$(tail -n +5 timeline | LC_ALL=C sort)" $'stderr at end of file\nstdout at end of file\nstep over'
	assert_equal "$(tasks it | wc -l)" 4 tasks
	assert_ended it
}

# --- an inner process that is stopped

stopped_inner() {
	start it "$FRY_RUN" "$@" -- "$BIN/probe"
	ready it
	inner=$(inner_of "$pid")
	kill -STOP "$inner"
}

@test "an inner process that is stopped is continued at once" {
	stopped_inner
	wait_prints '[!T]' state_of "$inner"
	kill -TERM "$pid"
	finish it
}

@test "a stop request is obeyed though the inner process is in state T" {
	for placement in new inherit; do
		stopped_inner --pgroup=$placement --stop=TERM/1h/KILL
		kill -TERM "$pid"
		finish it
		assert_status 143
		assert_equal "$(count_lines it.out TERM)" 1 TERM
	done
}

@test "the schedule goes on though the inner process is stopped during it" {
	start it "$FRY_RUN" --stop=TERM/3s/KILL -- "$BIN/probe" -n
	ready it
	inner=$(inner_of "$pid")
	kill -TERM "$pid"
	wait_line it.out TERM
	kill -STOP "$inner"
	finish it
	assert_status 137
}

@test "a signal sent while the inner process is stopped reaches COMMAND" {
	stopped_inner
	kill -USR1 "$pid"
	kill -USR2 "$pid"
	wait_line it.out USR1
	wait_line it.out USR2
	kill -TERM "$pid"
	finish it
	assert_equal "$(count_lines it.out 'USR?')" 2 'heard'
}

# --- the guard is not noticed otherwise

@test "the inner process has a name of its own, so pgrep -x finds one fry-run" {
	requires pgrep
	start it setsid "$FRY_RUN" -- "$BIN/probe"
	ready it
	assert_equal "$(pgrep -x fry-run --session "$pid")" "$pid"
	assert_equal "$(pgrep -x fry-inner --session "$pid")" "$(inner_of "$pid")"
	kill -TERM "$pid"
	finish it
}

@test "as PID 1 fry-run is one process with --guard and with --no-guard" {
	requires root pid-namespace
	for guard in '' --guard --no-guard; do
		start it unshare --pid --fork --mount-proc "$FRY_RUN" $guard -- "$BIN/probe"
		ready it
		fry=$(children_of "$pid")
		assert_equal "$(name_of "$fry")" fry-run
		assert_equal "$(direct_children_of "$fry" | wc -l)" 1
		assert_equal "$(inner_of "$fry")" "$fry"
		kill -TERM "$fry"
		finish it
		assert_status 143
	done
}

@test "--no-guard makes fry-run one process, and the last of --guard and --no-guard counts" {
	start it "$FRY_RUN" --guard --no-guard -- "$BIN/probe"
	ready it
	assert_equal "$(direct_children_of "$pid")" "${ready[0]}"
	kill -TERM "$pid"
	finish it
	start it "$FRY_RUN" --no-guard --guard -- "$BIN/probe"
	ready it
	assert_equal "$(direct_children_of "$(inner_of "$pid")")" "${ready[0]}"
	[ "$(inner_of "$pid")" != "$pid" ]
	kill -TERM "$pid"
	finish it
}

@test "the exit status does not depend on --guard" {
	echo 'no program' >plain
	for guard in --guard --no-guard; do
		for code in 0 1 77 124 125 126 127 128 137 255; do
			run "-$code" "$FRY_RUN" $guard -- "$BIN/probe" -e "$code"
			assert_status "$code"
		done
		for sig in HUP INT QUIT KILL SEGV TERM USR1 RTMIN+5; do
			run "$FRY_RUN" $guard -- "$BIN/probe" -k "$sig"
			assert_status $((128 + $(signal_number "$sig")))
		done
		run -127 "$FRY_RUN" $guard -- ./missing
		assert_status 127
		run "$FRY_RUN" $guard -- ./plain
		assert_status 126
		run "$FRY_RUN" $guard --pgroup=1 -- true
		assert_status 125
		run "$FRY_RUN" $guard -t 50ms -- "$BIN/probe"
		assert_status 124
		run "$FRY_RUN" $guard -e 143 -- "$BIN/probe" -k TERM
		assert_status 0
		run "$FRY_RUN" $guard --status=code -- "$BIN/probe" -k TERM
		assert_status 143
	done
}

signal_number() {
	if [[ $1 == RTMIN+* ]]; then
		echo $((34 + ${1#RTMIN+}))
	else
		kill -l "$1"
	fi
}

@test "--leftover does not depend on --guard" {
	for guard in --guard --no-guard; do
		: >heard
		run "$FRY_RUN" $guard --leftover=stop -- sh -c '"$0" -d -o heard; exec "$0" -e 3' "$BIN/probe"
		assert_status 3
		assert_equal "$(count_lines heard TERM)" 1 TERM
		nothing_left

		: >heard
		run "$FRY_RUN" $guard --leftover=fail -- sh -c '"$0" -d -o heard 2>/dev/null' "$BIN/probe"
		assert_status 125
		assert_match "$output" '*left behind by COMMAND, sent TERM: process +([0-9]) (*probe*)'
		assert_equal "$(count_lines heard TERM)" 1 TERM
		nothing_left

		: >heard
		run "$FRY_RUN" $guard --leftover=leave -- sh -c '"$0" -d -o heard; exec "$0" -e 4' "$BIN/probe"
		assert_status 4
		ready=("$(sed -n 's/^ready //p' heard)")
		alive "${ready[0]}"
		assert_equal "$(count_lines heard TERM)" 0 TERM
		end "${ready[0]}"

		: >heard
		start it "$FRY_RUN" $guard --leftover=wait -- \
			sh -c '"$0" -d -o heard -x USR1=0; exec "$0" -x HUP=5' "$BIN/probe"
		ready it
		kill -HUP "$pid"
		wait_gone "${ready[0]}"
		alive "$pid"
		kill -USR1 "$pid"
		finish it
		assert_status 5
		assert_equal "$(count_lines heard 'USR1')" 1 USR1
	done
}

@test "children inherited from a shell are stopped by a guarded fry-run" {
	start it sh -c '"$1" -o heard & "$1" -n -S -o heard & exec "$0" --stop=TERM/3s/KILL -- "$1"' \
		"$FRY_RUN" "$BIN/probe"
	ready it
	wait_line heard 'ready *' 2
	[ "$(inner_of "$pid")" != "$pid" ]
	kill -TERM "$pid"
	finish it
	assert_status 143
	assert_equal "$(count_lines heard TERM)" 2 'TERM heard'
	nothing_left
}

@test "kill -9 of fry-run leaves no child inherited from a shell and no grandchild" {
	for ((i = $(rounds 10 2); i; i--)); do
		start it sh -c '"$1" -n -f 3 & "$1" -n -S & "$1" -T & exec "$0" -- "$1"' "$FRY_RUN" "$BIN/probe"
		ready it 7
		[ "$(inner_of "$pid")" != "$pid" ]
		kill -KILL "$pid"
		finish it
		wait_gone "${ready[@]}"
		wait_prints '' left_behind
	done
}

@test "children inherited from a shell get TERM when COMMAND has ended" {
	start it sh -c '"$1" -o heard & exec "$0" -- "$1" -x USR1=6' "$FRY_RUN" "$BIN/probe"
	ready it
	wait_line heard 'ready *'
	kill -USR1 "$pid"
	finish it
	assert_status 6
	assert_equal "$(count_lines heard TERM)" 1 'TERM heard'
	nothing_left
}

@test "with another namespace's /proc a timeout ends an inherited child, though --leftover=wait" {
	requires root pid-namespace
	start it unshare --pid --fork --kill-child sh -c 'sh -c "$@" & wait $!' sh \
		'"$1" -n -o heard & exec "$0" -t 300ms --leftover=wait --stop=TERM/300ms/KILL -- "$1"' \
		"$FRY_RUN" "$BIN/probe"
	finish it
	assert_status 124
	assert_equal "$(count_lines heard TERM)" 1 'TERM heard'
}

@test "queued real-time signals pass the guard with value and order" {
	start it "$FRY_RUN" -- "$BIN/probe" -n -q
	ready it
	expected=()
	for value in {1..20}; do
		/bin/kill -q "$value" -s 40 "$pid"
		/bin/kill -q "$((value + 100))" -s 64 "$pid"
	done
	wait_line it.out 'RTMIN+30 value 120'
	wait_line it.out 'RTMIN+6 value 20'
	for value in {1..20}; do expected+=("RTMIN+6 value $value"); done
	assert_equal "$(grep -x 'RTMIN+6 .*' it.out)" "$(printf '%s\n' "${expected[@]}")"
	expected=()
	for value in {101..120}; do expected+=("RTMIN+30 value $value"); done
	assert_equal "$(grep -x 'RTMIN+30 .*' it.out)" "$(printf '%s\n' "${expected[@]}")"
	end "${ready[0]}"
	finish it
}

# --- exactly once

# Start fry-run as the leader of a session without a terminal, with probe in the same group.
start_leader() {
	start it setsid "$FRY_RUN" --pgroup=inherit "$@" -- "$BIN/probe" -n
	ready it
	look_at "${ready[0]}"
	assert_equal "$group" "$pid" 'group of COMMAND'
	inner=$(inner_of "$pid")
}

# Send a signal to a pid or group again and again, one after the other.
hears_each() {
	local signal=$1 to=$2 i
	times=$(rounds 200)
	for ((i = 1; i <= times; i++)); do
		kill -"$signal" -- "$to"
		wait_line it.out "$signal" "$i" || return
	done
	# A second copy would have come before this, which is forwarded later, or be waited for.
	sleep_for_copies
	wait_rested "$pid"
	assert_equal "$(count_lines it.out "$signal")" "$times" "$signal"
}

# Sleep for longer than fry-run waits for a copy.
sleep_for_copies() {
	start other sleep 0.3
	pid=$it_pid
	finish other
}

# Print the signals that are pending in a process, as bits.
pending_in() {
	sed -n 's/^ShdPnd:\t0*//p' "/proc/$1/status"
}

@test "signals to the common group that merge in the inner process reach COMMAND once each" {
	start_leader -k 1h
	mkfifo hold
	start holder "$BIN/seize" "$inner" <>hold
	ready holder
	for i in 1 2 3; do
		kill -USR1 -- "-$it_pid"
		wait_line it.out USR1 "$i"
		wait_prints '' pending_in "$it_pid"
	done
	end "$holder_pid"
	# A further copy would have come before this.
	kill -USR2 "$it_pid"
	wait_line it.out USR2
	assert_equal "$(count_lines it.out USR1)" 3
	end "$(sed -n 's/^ready //p' it.out)"
	finish it
}

@test "a signal to fry-run's and COMMAND's common group reaches COMMAND exactly once" {
	start_leader -k 1h
	hears_each USR1 "-$pid"
	hears_each INT "-$pid"
	assert_equal "$(wc -l <it.out)" $((2 * times + 1)) 'lines'
	end "${ready[0]}"
	finish it
}

@test "a signal to fry-run alone reaches COMMAND in its group exactly once" {
	start_leader -k 1h
	hears_each USR1 "$pid"
	hears_each INT "$pid"
	assert_equal "$(wc -l <it.out)" $((2 * times + 1)) 'lines'
	end "${ready[0]}"
	finish it
}

@test "TERM to fry-run's and COMMAND's common group starts a stop" {
	start_leader --stop=TERM/3s/KILL
	kill -TERM -- "-$pid"
	finish it
	assert_status 137
	assert_lines it.out "ready ${ready[0]}" TERM
}

@test "a signal from COMMAND to its parent is forwarded once though fork(2) has yet to return there" {
	requires strace
	for guard in guard no-guard; do
		# Each process is held before its second look at what is pending, which comes after the fork.
		start it strace -D -f -qq -o calls -e trace=rt_sigpending \
			-e inject=rt_sigpending:delay_enter=300ms:when=2 setsid \
			"$FRY_RUN" --$guard --pgroup=inherit --stop=TERM/2s/KILL -- "$BIN/fresh" -b USR1,TERM -- \
			sh -c 'kill -USR1 $PPID; kill -TERM $PPID; exec "$0" -n' "$BIN/probe"
		finish it
		assert_status 137
		assert_equal "$(grep -v ready it.out | sort)" $'TERM\nUSR1' "heard, $guard"
	done
}

@test "TERM from COMMAND to its parent is forwarded and a stop request" {
	for placement in new inherit session; do
		# Blocked, they wait for probe to be executed.
		start it setsid "$FRY_RUN" --pgroup=$placement --stop=TERM/3s/KILL -- "$BIN/fresh" -b USR1,TERM -- \
			sh -c 'kill -USR1 $PPID; kill -TERM $PPID; exec "$0" -n' "$BIN/probe"
		finish it
		assert_status 137
		assert_equal "$(grep -v ready it.out | sort)" $'TERM\nUSR1' "heard, $placement"
	done
}

@test "a signal to the inner process alone is forwarded once" {
	for placement in new inherit; do
		start it setsid "$FRY_RUN" --pgroup=$placement -k 1h -- "$BIN/probe" -n
		ready it
		inner=$(inner_of "$pid")
		for i in {1..10}; do
			for signal in USR1 INT RTMIN+1; do
				kill -"$signal" "$inner"
				wait_line it.out "$signal" "$i"
			done
		done
		sleep_for_copies
		assert_equal "$(wc -l <it.out)" 31 'lines'
		end "${ready[0]}"
		finish it
	done
}

@test "a signal to fry-run's group reaches COMMAND in another group exactly once" {
	start it setsid "$FRY_RUN" -k 1h -- "$BIN/probe" -n
	ready it
	inner=$(inner_of "$pid")
	hears_each INT "-$pid"
	end "${ready[0]}"
	finish it
}

# --- what it costs

# KiB that are this process's own, and its part of what is shared.
share_of() {
	awk '$1 == "Pss:" { print $2 }' "/proc/$1/smaps_rollup"
}

@test "both processes of fry-run together take less than 100 KiB with musl" {
	local least=1000000 together
	# How many pages of the binary a page fault maps differs from one start to the next.
	for _ in 1 2 3; do
		start it "$FRY_RUN" -- "$BIN/probe"
		ready it
		inner=$(inner_of "$pid")
		wait_rested "$pid"
		share_of "$pid" >/dev/null 2>&1 || skip 'the kernel does not tell'
		echo "#   fry-run $(share_of "$pid") KiB, its inner process $(share_of "$inner") KiB" >&3
		together=$(($(share_of "$pid") + $(share_of "$inner")))
		if ((together < least)); then least=$together; fi
		kill -TERM "$pid"
		finish it
	done
	# Another libc, or a sanitizer, makes the binary alone larger than that.
	(($(stat -c %s "$FRY_RUN") >= 102400)) || ((least < 100))
}

@test "an inherited child that ignores the schedule is named once, and the schedule runs once" {
	start it sh -c '"$1" -n -o heard & exec "$0" --stop=TERM/300ms -- "$1" -x USR1=3' "$FRY_RUN" "$BIN/probe"
	ready it
	wait_line heard 'ready *'
	kill -USR1 "$pid"
	finish it
	assert_status 3
	assert_equal "$(count_lines heard TERM)" 1 'TERM heard'
	assert_equal "$(grep -c 'still running' it.err)" 1 'times that it is named'
	end "$(sed -n 's/^ready //p' heard)"
}
