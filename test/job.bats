#!/usr/bin/env bats
# At a terminal: what a shell does to a job, and what its user sees, as if fry-run were not there.

# $0 and the like are for inner shells.
# shellcheck disable=SC2016,SC2154

load helper

shells=(bash dash zsh)

# Sit down at a new terminal with a shell: sets shell to its pid, pid to pty's.
sit() {
	local words
	case $1 in
	bash) words=(bash --norc --noprofile -i) ;;
	dash) words=(dash -i) ;;
	zsh) words=(zsh -f -i) ;;
	esac
	rm -f it.keys
	# What a command prints begins a line of its own.
	start_tty it env PS1=$'$\n' HISTFILE= ENV= "${words[@]}"
	shell=$(children_of "$pid")
	type_line 'set -m; stty -echo; echo "=sat"'
	wait_line it.out '*=sat'
}

type_line() {
	keys it "$1\r"
}

# Type a line with a job, and wait until COMMAND is there: sets outer, inner, and command to its pids.
job() {
	type_line "$1"
	wait_until 'the job to be executed' job_there "${2:-sleep}"
}

job_there() {
	outer=$(children_of "$shell" | head -n 1)
	[[ $outer ]] || return
	inner=$(inner_of "$outer")
	command=$(children_of "$outer" | head -n 1)
	[[ $command && $inner != "$outer" && $(name_of "$command") == "$1" ]]
}

# The shell is at its prompt: it answers. Sets answer to what the expression is worth.
asks() {
	: "$((++asked))"
	type_line "echo \"=$asked=$1\""
	wait_line it.out "*=$asked=*"
	answer=$(sed -n "s/.*=$asked=\([^\"\r]*\).*/\1/p" it.out | tail -n 1)
}

# Leave: hang up, which ends the shell.
leave() {
	end "$pid"
	wait_gone "$shell"
}

foreground_of() {
	(look_at "$1" && echo "$foreground")
}

# Who it is that has to be stopped, or go on: the outer process and COMMAND, never the inner one.
job_is() {
	wait_prints "$1" state_of "$command"
	wait_prints "$1" state_of "$outer"
	wait_prints S state_of "$inner"
}

each_shell() {
	local one
	for one in "${shells[@]}"; do
		mkdir "$one"
		cd "$one" || return
		sit "$one"
		"$@"
		leave
		cd "$BATS_TEST_TMPDIR" || return
	done
}

typed_once() {
	job "$FRY_RUN -k 0.1 -- $BIN/probe -n -f 1" probe
	ready it 2
	for count in 1 2 3; do
		keys it '\003'
		wait_line it.out '*INT' $((2 * count))
		keys it '\034'
		wait_line it.out '*QUIT' $((2 * count))
	done
	kill -WINCH "$command"
	wait_line it.out '*WINCH'
	assert_equal "$(count_lines it.out '*INT')" 6
	assert_equal "$(count_lines it.out '*QUIT')" 6
	assert_equal "$(count_lines it.out '*TERM')" 0
	end "${ready[@]}"
	wait_gone "$outer"
}

@test "Ctrl-C and Ctrl-\\ reach COMMAND and its child once each, and start no stop" {
	requires zsh
	each_shell typed_once
}

loop_ends() {
	type_line "for i in 1 2 3; do $FRY_RUN -- sleep 1000; done; echo \"=after\""
	wait_until 'the first round' job_there sleep
	keys it '\003'
	wait_gone "$outer"
	asks '$?'
	assert_equal "$answer" 130
	assert_equal "$(count_lines it.out '*=after')" 0
	assert_equal "$(children_of "$shell")" ''
	type_line "$FRY_RUN -- sleep 1000"
	wait_until 'another job' job_there sleep
	keys it '\034'
	wait_gone "$outer"
	asks '$?'
	assert_equal "$answer" 131
}

@test "a loop of a shell ends with the first Ctrl-C" {
	each_shell loop_ends
}

# What `jobs` says, the pid and the line that was typed left out.
words_of_job() {
	type_line 'jobs; echo "=listed"'
	wait_line it.out '*=listed' "$1"
	tr -d '\r' <it.out | grep -i 'stopped\|suspended\|running' | tail -n 1 | sed 's/  *\(\/\|\$\|env\|sleep\|cat\).*//'
}

stops_and_goes_on() {
	job "$FRY_RUN -- sh -c \"sleep 1000 & exec sleep 1000\""
	wait_until 'its child' children_are 1
	child=$(children_of "$command")
	keys it '\032'
	job_is T
	wait_prints T state_of "$child"
	asks prompt
	wrapped=$(words_of_job 1)
	type_line fg
	job_is S
	wait_prints S state_of "$child"
	assert_equal "$(foreground_of "$outer")" "$outer"
	keys it '\032'
	job_is T
	type_line bg
	job_is S
	asks prompt
	type_line fg
	wait_prints "$outer" foreground_of "$shell"
	keys it '\003'
	wait_gone "$outer" "$child"
	type_line 'sleep 1000'
	wait_prints sleep names_below "$shell"
	keys it '\032'
	asks prompt
	assert_equal "$wrapped" "$(words_of_job 2)" "the shell's word for it"
	end "$(children_of "$shell")"
}

children_are() {
	(($(children_of "$command" | wc -l) == $1))
}

@test "Ctrl-Z stops the whole job as the shell sees it, fg and bg continue it" {
	each_shell stops_and_goes_on
}

thirty_times() {
	job "$FRY_RUN -- $BIN/probe -n" probe # which catches TSTP and CONT, and is not stopped by them
	ready it
	keys it '\032'
	wait_line it.out '*TSTP'
	job_is S
	end "$command"
	wait_gone "$outer"
	job "$FRY_RUN -- sleep 1000"
	for _ in {1..30}; do
		keys it '\032'
		job_is T
		wait_prints "$shell" foreground_of "$shell"
		type_line fg
		job_is S
		wait_prints "$outer" foreground_of "$shell"
	done
	keys it '\003'
	wait_gone "$outer"
	asks '$?'
	assert_equal "$answer" 130
}

@test "Ctrl-Z right after fg stops the job again, thirty times" {
	each_shell thirty_times
}

# A program that catches TSTP, tidies up, and then stops itself by the signal named.
tidy='import os, signal, time
def stop(*unused):
    print("restored", flush=True)
    signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    os.kill(os.getpid(), getattr(signal, "SIG%s"))
    signal.signal(signal.SIGTSTP, stop)
    print("redrawn", flush=True)
signal.signal(signal.SIGTSTP, stop)
print("ready", os.getpid(), flush=True)
while True: time.sleep(1000)'

tidies_up() {
	for signal in TSTP STOP; do
		# shellcheck disable=SC2059 # the program is the format
		printf "$tidy" "$signal" >tidy.py
		job "$FRY_RUN -- python3 tidy.py" python3
		wait_line it.out '*ready +([0-9])'
		: >it.out
		keys it '\032'
		job_is T
		asks prompt
		# The shell comes back only when the program has restored the screen.
		assert_match "$(tr -d '\r' <it.out)" '*restored*prompt*'
		type_line fg
		wait_line it.out '*redrawn'
		job_is S
		end "$command"
		wait_gone "$outer"
	done
}

@test "a program that catches TSTP and stops itself is a stopped job once it has" {
	each_shell tidies_up
}

goes_on_alone() {
	for placement in inherit new; do
		job "$FRY_RUN --pgroup=$placement -- sleep 1000"
		keys it '\032'
		job_is T
		kill -CONT "$command"
		job_is S
		end "$command"
		wait_gone "$outer"

		job "$FRY_RUN --pgroup=$placement -- sleep 1000"
		kill -STOP "$command"
		job_is T
		asks prompt
		type_line fg
		job_is S
		keys it '\032'
		job_is T
		end "$command" # though it is stopped
		wait_gone "$outer"
		asks prompt
	done
}

@test "what happens to COMMAND alone happens to the job" {
	each_shell goes_on_alone
}

killed_while_stopped() {
	for placement in inherit new; do
		for victim in outer inner; do
			job "$FRY_RUN --pgroup=$placement -- sleep 1000"
			keys it '\032'
			job_is T
			kill -KILL "${!victim}"
			wait_gone "$outer" "$inner" "$command"
			asks prompt
		done
	done
}

@test "kill -9 of either process while the job is stopped leaves nothing" {
	each_shell killed_while_stopped
}

@test "kill -9 of fry-run right after COMMAND was stopped leaves nothing, forty times" {
	sit bash
	for _ in {1..40}; do
		job "$FRY_RUN -- sleep 1000"
		kill -STOP "$command"
		kill -KILL "$outer"
		wait_gone "$outer" "$inner" "$command"
	done
	leave
}

pipelines() {
	# Both ends read the terminal, one after the other.
	type_line "$FRY_RUN -- sh -c \"read -r a </dev/tty; echo \\\"first \\\$a\\\"; sleep 1000\" | $FRY_RUN -- sh -c \"read -r a; echo \\\"\\\$a\\\"; read -r b </dev/tty; echo \\\"second \\\$b\\\"; exec sleep 1000\""
	wait_prints '*sh*sh*' names_below "$shell"
	type_line one
	wait_line it.out '*first one'
	type_line two
	wait_line it.out '*second two'
	mapfile -t ends < <(children_of "$shell")
	assert_equal "${#ends[@]}" 2
	keys it '\032'
	for one in "${ends[@]}"; do wait_prints T state_of "$one"; done
	asks prompt
	type_line fg
	for one in "${ends[@]}"; do wait_prints S state_of "$one"; done
	keys it '\003'
	wait_gone "${ends[@]}"
	asks prompt
	# With the wrapper at one end only.
	type_line "echo to | $FRY_RUN -- sh -c \"read -r a; read -r b </dev/tty; echo \\\"=\\\$a \\\$b\\\"\""
	wait_prints '*sh*' names_below "$shell"
	type_line tty
	wait_line it.out '*=to tty'
	type_line "$FRY_RUN -- sh -c \"read -r b </dev/tty; echo \\\"=\\\$b\\\"\" | cat"
	wait_prints '*sh*' names_below "$shell"
	type_line left
	wait_line it.out '*=left'
}

@test "both ends of a pipeline use the terminal, and one Ctrl-Z and one Ctrl-C are for both" {
	each_shell pipelines
}

in_background() {
	for placement in inherit new; do
		job "$FRY_RUN --pgroup=$placement -- sh -c 'read -r a; echo \"=\$a\"' &" sh
		job_is T
		asks prompt
		assert_equal "$(foreground_of "$shell")" "$shell"
		type_line fg
		job_is S
		type_line "read by $placement"
		wait_line it.out "*=read by $placement"
		wait_gone "$outer"
		asks '$?'
		assert_equal "$answer" 0
	done
	type_line 'stty tostop'
	job "$FRY_RUN -- sh -c \"echo =written; read -r a\" &" sh
	job_is T
	asks prompt
	assert_equal "$(count_lines it.out '*=written')" 0
	type_line fg
	wait_line it.out '*=written'
	type_line ''
	wait_gone "$outer"
}

@test "a background job is stopped when it reads, or writes and may not, and fg lets it go on" {
	each_shell in_background
}

same_word() {
	type_line 'cat &'
	wait_prints cat names_below "$shell"
	wait_prints T state_of "$(children_of "$shell")"
	asks prompt
	unwrapped=$(words_of_job 1)
	end "$(children_of "$shell")"
	asks prompt
	job "$FRY_RUN -- cat &" cat
	job_is T
	asks prompt
	assert_equal "$(words_of_job 2)" "$unwrapped"
	end "$command"
	wait_gone "$outer"
}

@test "the shell's word for a background job that reads is the same" {
	each_shell same_word
}

running_to_foreground() {
	mkfifo go
	job "$FRY_RUN --pgroup=new -- sh -c 'read -r a <go; read -r a; echo \"=\$a\"' &" sh
	asks prompt
	assert_equal "$(foreground_of "$shell")" "$shell"
	type_line fg
	wait_prints '!('"$shell"')' foreground_of "$shell"
	echo >go
	wait_prints "$command" foreground_of "$shell" # it reads, and gets the terminal for that
	type_line mine
	wait_line it.out '*=mine'
	wait_gone "$outer"
	asks prompt
}

@test "--pgroup=new: a running background job that comes to the foreground may read" {
	each_shell running_to_foreground
}

hands_over() {
	job "$FRY_RUN --pgroup=new -k 0.1 -- $BIN/probe -n" probe
	ready it
	wait_prints "$command" foreground_of "$shell"
	keys it '\003'
	wait_line it.out '*INT'
	kill -USR1 "$command"
	wait_line it.out '*USR1'
	assert_equal "$(count_lines it.out '*INT')" 1
	assert_equal "$(count_lines it.out '*TERM')" 0
	end "$command"
	wait_gone "$outer"
	asks '$?'
	assert_equal "$answer" 137
	job "$FRY_RUN --pgroup=new -- sh -c 'sleep 1000 & exec sleep 1000'"
	wait_until 'its child' children_are 1
	child=$(children_of "$command")
	keys it '\032'
	job_is T
	wait_prints "$shell" foreground_of "$shell"
	type_line bg
	job_is S
	wait_prints S state_of "$child"
	assert_equal "$(foreground_of "$shell")" "$shell"
	type_line fg
	wait_prints "!($shell)" foreground_of "$shell"
	keys it '\032'
	job_is T
	type_line fg
	job_is S
	wait_prints S state_of "$child"
	wait_prints "$command" foreground_of "$shell"
	keys it '\003'
	wait_gone "$outer" "$child"
	# In the background it takes nothing.
	job "$FRY_RUN --pgroup=new -- sleep 1000 &"
	asks prompt
	assert_equal "$(foreground_of "$shell")" "$shell"
	end "$command"
	wait_gone "$outer"
}

@test "--pgroup=new hands the foreground to COMMAND's group as a shell does, and takes it back" {
	each_shell hands_over
}

shell_inside() {
	job "$FRY_RUN -- bash --norc --noprofile -i" bash
	type_line 'PS1="% "; echo "=inside"'
	wait_line it.out '*=inside'
	type_line 'sleep 1000'
	wait_prints '*sleep*' names_below "$command"
	keys it '\032'
	wait_prints T state_of "$(children_of "$command")"
	asks within
	assert_equal "$(state_of "$outer")" S
	type_line 'kill -9 %1'
	type_line suspend
	job_is T
	asks outside
	type_line fg
	job_is S
	asks again
	type_line 'exit 7'
	wait_gone "$outer"
	asks '$?'
	assert_equal "$answer" 7
	assert_equal "$(foreground_of "$shell")" "$shell"
}

@test "a shell inside has job control of its own, can be suspended, and gives all back" {
	each_shell shell_inside
}

resized() {
	job "$FRY_RUN -- $BIN/probe -n" probe
	ready it
	for rows in 30 40 50; do
		stty -F "$(readlink "/proc/$shell/fd/0")" rows $rows
		: $((++windows))
		wait_line it.out '*WINCH' $((windows % 3 == 0 ? 3 : windows % 3))
	done
	kill -USR1 "$command"
	wait_line it.out '*USR1'
	assert_equal "$(count_lines it.out '*WINCH')" 3
	end "$command"
	wait_gone "$outer"
}

@test "a change of the window's size arrives once" {
	windows=0
	each_shell resized
}

hung_up() {
	job "$FRY_RUN -- sh -c \"sleep 1000 & exec sleep 1000\""
	if [[ $1 == stopped ]]; then
		keys it '\032'
		job_is T
	fi
	mapfile -t all < <(descendants_of "$outer")
	end "$pid"
	wait_gone "$shell" "$outer" "$inner" "${all[@]}"
}

@test "closing the terminal ends everything, a stopped job too" {
	for one in "${shells[@]}"; do
		for state in running stopped; do
			mkdir "$one.$state"
			cd "$one.$state" || return
			sit "$one"
			hung_up "$state"
			cd "$BATS_TEST_TMPDIR" || return
		done
	done
}

@test "closing the terminal ends everything where fry-run leads the session, COMMAND stopped or not" {
	for state in running stopped; do
		for placement in inherit new session; do
			rm -f it.keys
			start_tty it "$FRY_RUN" --pgroup=$placement -- sh -c 'echo ready $$; sleep 1000 & exec sleep 1000'
			ready it
			outer=$(children_of "$pid")
			if [[ $state == stopped ]]; then
				kill -STOP "${ready[0]}"
				wait_prints T state_of "${ready[0]}"
			fi
			end "$pid"
			wait_gone "$outer" "${ready[0]}"
		done
	done
}

modes_of() {
	stty -F "$(readlink "/proc/$shell/fd/0")" -g
}

modes_stay() {
	type_line 'stty -g >modes'
	asks prompt
	# dash edits no line, so its modes are those of a job. The others' are put back by themselves.
	for how in 'kill -9 $$' 'exec sleep 1000'; do
		type_line "$FRY_RUN -t 0.5 -- sh -c 'stty raw -echo; $how'"
		wait_prints '!(*fry*|*sh*)' names_below "$shell"
		type_line 'stty -g >after'
		asks prompt
		assert_equal "$(<after)" "$(<modes)"
	done
	assert_equal "$(foreground_of "$shell")" "$shell"
}

@test "the modes of the terminal are what they were when COMMAND was killed, or timed out" {
	each_shell modes_stay
}

@test "what stty does is meant, with fry-run as without" {
	run "$BIN/pty" sh -c '"$0" -- stty erase X; stty -a' "$FRY_RUN"
	assert_match "$output" '*erase = X;*'
}

@test "the foreground is given back when a shell inside is killed" {
	run "$BIN/pty" "$BIN/fresh" sh -c 'echo "foreground $(ps -o pgrp= $$)"; "$0" -- bash --norc -i -c "
		kill -9 \$\$"; echo "foreground $(ps -o tpgid= $$)"' "$FRY_RUN"
	mapfile -t groups < <(tr -d '\r' <<<"$output" | awk '/^foreground/ { print $2 }')
	assert_equal "${groups[1]}" "${groups[0]}"
	[ "${groups[0]}" ]
}

@test "a session leader's Ctrl-Z stops nobody, in a group of COMMAND's own neither" {
	for placement in inherit new session; do
		rm -f it.keys
		start_tty it "$FRY_RUN" --pgroup=$placement -- sh -c 'echo ready $$; exec sleep 1000'
		ready it
		wait_prints sleep name_of "${ready[0]}"
		keys it '\032\003'
		finish it
		assert_status 130
	done
}

@test "--pgroup=session moves the terminal along, and nobody gets HUP or CONT for that" {
	# The shell's child is in the foreground group that the terminal is taken from.
	start_tty it sh -c '"$1" -n -o child.out & until [ -s child.out ]; do sleep .01; done
		exec "$0" --pgroup=session -- "$1" -n' "$FRY_RUN" "$BIN/probe"
	ready it
	command=${ready[0]}
	outer=$(children_of "$pid")
	look_at "$command"
	assert_equal "$session" "$command" session
	assert_equal "$foreground" "$command" foreground
	look_at "$outer"
	assert_equal "$tty" 0 'terminal of fry-run'
	keys it '\003'
	wait_line it.out '*INT'
	stty -F "$(readlink "/proc/$command/fd/0")" rows 50
	wait_line it.out '*WINCH'
	ready child
	kill -USR1 "${ready[0]}" "$command"
	wait_line it.out '*USR1'
	wait_line child.out USR1
	assert_equal "$(count_lines it.out '*INT')" 1
	assert_equal "$(count_lines it.out '*@(HUP|CONT)')" 0
	assert_lines child.out "ready ${ready[0]}" USR1
	end "$command" "${ready[0]}"
	finish it
}

stops_session() {
	job "$FRY_RUN --pgroup=session -- sleep 1000"
	keys it '\032'
	job_is T
	asks prompt
	type_line fg
	job_is S
	keys it '\003'
	wait_gone "$outer"
}

@test "--pgroup=session under a shell stops on Ctrl-Z, and goes on with fg" {
	each_shell stops_session
}

# bats test_tags=static
@test "a terminal that cannot be asked or handed over never ends the run" {
	requires seccomp
	for error in EPERM ENOTTY 6 9; do # ENXIO and EBADF
		for placement in auto inherit new session; do
			run "$BIN/pty" "$BIN/deny" -e "$error" ioctl -- "$FRY_RUN" --pgroup=$placement -- sh -c 'exit 7'
			assert_status 7
			run "$BIN/pty" sh -c '"$@" --pgroup='$placement' -- sh -c "exit 7"' sh \
				"$BIN/deny" -e "$error" ioctl -- "$FRY_RUN"
			assert_status 7
		done
	done
}

signalled_once() {
	job "$FRY_RUN -k 1h -- $BIN/probe -n" probe
	ready it
	kill -USR1 "$outer"
	wait_line it.out '*USR1'
	type_line '' # not read by anybody
	for signal in HUP INT TERM QUIT; do
		kill -"$signal" -- -"$outer"
		wait_line it.out "*$signal"
	done
	kill -USR2 "$outer" # after all others, and after what waits for its other copy
	wait_line it.out '*USR2'
	for signal in USR1 HUP INT TERM QUIT USR2; do
		assert_equal "$(count_lines it.out "$signal")" 1 "$signal"
	done
	end "$command"
	wait_gone "$outer"
}

@test "what a process sends to fry-run, or to the whole job, COMMAND gets once" {
	each_shell signalled_once
}

asked_to_end() {
	for signal in INT TERM QUIT; do
		job "$FRY_RUN -k 0.1 -- $BIN/probe -n &" probe
		type_line "kill -$signal %1"
		wait_gone "$outer" # KILL came by itself
		asks prompt
	done
}

@test "kill %1 is a stop request" {
	each_shell asked_to_end
}

ends_stopped() {
	for placement in inherit new; do
		job "$FRY_RUN --pgroup=$placement -- sleep 1000"
		keys it '\032'
		job_is T
		asks prompt
		kill -TERM -- -"$outer"
		kill -CONT -- -"$outer"
		wait_gone "$outer"
		asks prompt
	done
	job "$FRY_RUN -- sleep 1000"
	keys it '\032'
	job_is T
	type_line 'kill %1'
	type_line 'kill -CONT %1' # dash leaves that to its user
	wait_gone "$outer"
}

@test "a stopped job that gets TERM and CONT ends" {
	each_shell ends_stopped
}

@test "under script -c, as the leader of its session, COMMAND has the terminal" {
	requires script
	for placement in inherit new session; do
		run script -qec "exec '$FRY_RUN' --pgroup=$placement -- sh -c 'echo =\$(tty </dev/tty); stty -g </dev/tty >/dev/null && exit 7'" /dev/null
		assert_match "$output" '*=/dev/*'
		assert_status 7
	done
}
