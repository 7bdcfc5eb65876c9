# no-subreaper.bats - where the system has no subreaper: an orphan becomes a child of process 1

# shellcheck disable=SC2016,SC2034,SC2154 # what stands in single quotes is for other shells; start sets pids

# bats file_tags=linux,core,rounds
load ../lib/helper
load ../lib/promises

lack=(deny -e EINVAL subreaper --)
group='fry-run: no subreaper: Invalid argument; orphans are lost, except in COMMAND'"'s process group"
none='fry-run: no subreaper: Invalid argument; orphans are lost'

setup_file() {
	requires seccomp
}

setup_more() {
	export BIN
	lack[0]=$BIN/deny
}

# An orphan in the group of the shell that runs this.
orphan='("$0" -n -o orphan.out &)'

# --- what is said

@test "without a subreaper one line names the orphans that are lost" {
	local guard
	for guard in --guard --no-guard; do
		run "${lack[@]}" "$FRY_RUN" "$guard" -- "$BIN/probe" -e 7
		assert_status 7
		assert_match "$output" "$group"$'\nready +([0-9])'
		run "${lack[@]}" "$FRY_RUN" "$guard" --pgroup=inherit -- "$BIN/probe" -e 7
		assert_status 7
		assert_match "$output" "$none"$'\nready +([0-9])'
	done
}

@test "without a subreaper --leftover=fail is refused, and nothing is started" {
	run "${lack[@]}" "$FRY_RUN" --leftover=fail -- "$BIN/probe" -e 7
	assert_status 125
	assert_match "$output" 'fry-run: --leftover=fail: no subreaper (Invalid argument), *'
}

@test "as process 1 nothing is said of a missing subreaper" {
	requires pid-namespace
	run unshare --pid --fork --mount-proc "${lack[@]}" "$FRY_RUN" --leftover=fail -- "$BIN/probe" -e 7
	assert_status 7
	assert_match "$output" 'ready +([0-9])'
}

@test "with a cgroup --leftover=fail needs no subreaper" {
	requires root cgroup2
	run "${lack[@]}" "$FRY_RUN" --cgroup=new --leftover=fail -- \
		sh -c '"$0" -d -o heard; exec "$0" -e 0' "$BIN/probe"
	assert_status 125
	assert_match "$output" 'ready +([0-9])'$'\n''fry-run: left behind by COMMAND, sent TERM: process *'
}

# --- COMMAND's group

@test "without a subreaper the timeout ends all of COMMAND's group" {
	local guard
	for guard in --guard --no-guard; do
		start it "${lack[@]}" "$FRY_RUN" "$guard" -t 50ms -- sh -c 'sleep 1000 & sleep 1000'
		finish it
		nothing_left
		assert_status 124
	done
}

@test "without a subreaper an orphan in COMMAND's group gets TERM once, then KILL" {
	start it "${lack[@]}" "$FRY_RUN" --stop=TERM/3s/KILL -- sh -c "$orphan"'; exec "$0"' "$BIN/probe"
	ready it
	ready orphan
	kill -TERM "$it_pid"
	finish it
	nothing_left
	assert_status 143
	assert_lines orphan.out "ready ${ready[0]}" TERM
}

@test "without a subreaper an orphan in COMMAND's group gets TERM when COMMAND ends" {
	local pgroup
	for pgroup in new session; do
		rm -f orphan.out
		start it "${lack[@]}" "$FRY_RUN" --stop=TERM/1h/KILL --pgroup=$pgroup -- \
			sh -c '("$0" -x TERM=0 -o orphan.out &) ; exec "$0" -x USR1=4' "$BIN/probe"
		ready it
		ready orphan
		kill -USR1 "$it_pid"
		finish it
		nothing_left
		assert_status 4
		assert_lines orphan.out "ready ${ready[0]}" TERM
	done
}

@test "without a subreaper each step reaches an orphan in COMMAND's group once" {
	start it "${lack[@]}" "$FRY_RUN" --stop=INT/100ms/TERM/1h -- sh -c "$orphan"'; exec "$0" -n' "$BIN/probe"
	ready it
	command=${ready[0]}
	ready orphan
	kill -INT "$it_pid"
	wait_line orphan.out TERM
	wait_line it.out TERM
	kill -WINCH "${ready[0]}" # all that came before is named before
	wait_line orphan.out WINCH
	assert_lines orphan.out "ready ${ready[0]}" INT TERM WINCH
	end "$command" "${ready[0]}"
	finish it
}

@test "without a subreaper a stopped orphan in COMMAND's group acts on TERM" {
	start it "${lack[@]}" "$FRY_RUN" --stop=TERM/1h/KILL -- \
		sh -c '("$0" -T -o orphan.out &) ; exec "$0" -x USR1=4' "$BIN/probe"
	ready it
	ready orphan
	wait_prints T state_of "${ready[0]}"
	kill -USR1 "$it_pid"
	finish it
	nothing_left
	assert_status 4
}

@test "without a subreaper --leftover=wait forwards to COMMAND's group, and waits for it" {
	local guard
	for guard in --guard --no-guard; do
		rm -f orphan.out
		start it "${lack[@]}" "$FRY_RUN" "$guard" --leftover=wait -- \
			sh -c '("$0" -x USR1=0 -o orphan.out &) ; exec "$0" -e 4' "$BIN/probe"
		ready it
		command=${ready[0]}
		ready orphan
		# The zombie holds the number of the group as long as the group has members.
		wait_prints Z state_of "$command"
		kill -HUP "$it_pid"
		wait_line orphan.out HUP
		assert_equal "$(state_of "$command")" Z "COMMAND's state"
		kill -USR1 "$it_pid"
		finish it
		assert_status 4
		assert_lines orphan.out "ready ${ready[0]}" HUP USR1
	done
}

@test "without a subreaper --leftover=leave leaves an orphan in COMMAND's group" {
	start it "${lack[@]}" "$FRY_RUN" --leftover=leave -- sh -c "$orphan"'; exec "$0" -x USR1=4' "$BIN/probe"
	ready it
	ready orphan
	kill -USR1 "$it_pid"
	finish it
	assert_status 4
	alive "${ready[0]}"
	assert_lines orphan.out "ready ${ready[0]}"
	end "${ready[0]}"
}

@test "without a subreaper KILL of either process of fry-run ends COMMAND's group" {
	local process
	for process in outer inner; do
		rm -f orphan.out
		start it "${lack[@]}" "$FRY_RUN" --guard -- sh -c "$orphan"'; exec "$0" -n' "$BIN/probe"
		ready it
		ready orphan
		if [[ $process == outer ]]; then end "$it_pid"; else end "$(inner_of "$it_pid")"; fi
		finish it
		wait_prints '' left_behind
		assert_status 137
		assert_lines orphan.out "ready ${ready[0]}"
	done
}

@test "without a subreaper the report has COMMAND's status and times" {
	local guard
	for guard in --guard --no-guard; do
		rm -f report
		run "${lack[@]}" "$FRY_RUN" "$guard" --report=report -- \
			sh -c '("$0" &) ; i=0; while [ $i -lt 30000 ]; do i=$((i + 1)); done; kill -9 $$' "$BIN/probe"
		assert_status 137
		assert_match "$(<report)" '*"exit":{"signal":"KILL"},"status":137,*'
		assert_match "$(<report)" '*"user_s":!(0.000),"sys_s"*'
	done
}

@test "without a subreaper chains of forks in COMMAND's group are killed" {
	run "${lack[@]}" "$FRY_RUN" --stop=TERM/100ms/KILL -- "$BIN/bomb" -x chain 3
	assert_status 0
	bomb_gone
}

@test "without a subreaper children inherited by exec are reaped and stopped" {
	start it sh -c 'true & "$0" -n -o inherited.out & exec "$@"' "$BIN/probe" \
		"${lack[@]}" "$FRY_RUN" --no-guard --stop=TERM/3s/KILL -- \
		sh -c "$orphan; exec \"$BIN/probe\" -x USR1=4" "$BIN/probe"
	ready it
	ready orphan
	ready inherited
	fry=$it_pid
	wait_until 'no zombie to be left' no_zombies
	kill -USR1 "$it_pid"
	finish it
	nothing_left
	assert_status 4
	assert_lines <(tail -n +2 orphan.out) TERM
	assert_lines <(tail -n +2 inherited.out) TERM
}

@test "without a subreaper and /proc COMMAND's group is stopped and waited for" {
	requires root
	start it unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' sh \
		"${lack[@]}" "$FRY_RUN" --stop=TERM/3s/KILL -- sh -c "$orphan"'; exec "$0" -x USR1=4' "$BIN/probe"
	ready it
	ready orphan
	kill -USR1 "$it_pid"
	finish it
	nothing_left
	assert_status 4
	assert_equal "$(count_lines orphan.out TERM)" 1 'TERM heard by the orphan'
}

# --- what stays as it is

# The orphan outlives fry-run, and gets no signal.
outlived_in_peace() {
	ready it
	ready orphan
	kill -USR1 "$it_pid"
	finish it
	assert_status 4
	assert_lines orphan.out "ready ${ready[0]}"
	end "${ready[0]}"
}

@test "without a subreaper an orphan in the caller's group is not signalled" {
	start it "${lack[@]}" "$FRY_RUN" --pgroup=inherit -- sh -c "$orphan"'; exec "$0" -x USR1=4' "$BIN/probe"
	outlived_in_peace
}

@test "without a subreaper an orphan that has left COMMAND's group is lost" {
	start it "${lack[@]}" "$FRY_RUN" -- sh -c '"$0" -d -o orphan.out; exec "$0" -x USR1=4' "$BIN/probe"
	outlived_in_peace
}

@test "without prctl COMMAND's group is still forwarded to and killed" {
	local error
	for error in ENOSYS EPERM EINVAL; do
		run "$BIN/deny" -e $error prctl -- "$FRY_RUN" -- "$BIN/probe" -e 7
		assert_status 7
		signals_the_group "$BIN/deny" -e $error prctl --
		start it "$BIN/deny" -e $error prctl -- "$FRY_RUN" --stop="$fast" -- "$BIN/probe" -n -f 3
		ready it 4
		kill -TERM "$pid"
		finish it
		assert_status 137
		nothing_left
	done
}

@test "without a subreaper KILL reaches every descendant that still has its parent" {
	for ((i = $(rounds 10 2); i; i--)); do
		start it "${lack[@]}" "$FRY_RUN" --stop=KILL -- sh -c '"$0" -n -S &
			sh -c "\"\$0\" -n -S & exec \"\$0\" -n -g" "$0" & exec "$0" -n' "$BIN/probe"
		ready it 4
		kill -TERM "$pid"
		finish it
		assert_status 137
		nothing_left
	done
}
