#!/usr/bin/env bats
# Which signals reach COMMAND and other processes, and how often.

# $0 and the like are for inner shells.
# shellcheck disable=SC2016,SC2154

# bats file_tags=core,posix,rounds
load ../lib/helper

# A COMMAND, its child in the same group, and a daemon below it, which name what they get in
# command.out, child.out and daemon.out. Words are options of fry-run.
family() {
	start it "$FRY_RUN" -k 1h "$@" -- bash -c '
		"$0" -d -n -o daemon.out
		"$0" -n -o child.out &
		exec "$0" -n -o command.out' "$BIN/probe"
	ready command
	command=${ready[0]}
	ready child
	child=${ready[0]}
	ready daemon
	daemon=${ready[0]}
}

# It ends with all its members when COMMAND is gone and the others are killed.
family_end() {
	end "$command" "$child" "$daemon"
	finish it
}

# assert_got NAME [SIGNAL...]: this member of the family got these signals and no others. A signal sent to it
# directly comes after all signals that were forwarded before.
assert_got() {
	local name=$1
	shift
	kill -WINCH "${!name}"
	wait_line "$name.out" WINCH
	assert_lines "$name.out" "ready ${!name}" "$@" WINCH
}

# Wait for longer than a wait of -k 0.1: return when another fry-run, which gets a stop request now, has
# killed its COMMAND after that wait. A fry-run that got a request earlier would have sent KILL, too.
twin() {
	start twin "$FRY_RUN" -k 0.1 -- "$BIN/probe" -n
	ready twin
	kill -INT "$twin_pid"
	finish twin
	assert_status 137
}

# None of its signals is pending any more, so what is sent next comes after those.
received() {
	grep -q '^ShdPnd:[[:space:]]*0*$' "/proc/$1/status"
}

@test "a signal reaches COMMAND however many of its orphans end meanwhile" {
	requires strace
	# SIGCHLD has a low number, and is to be pending whenever fry-run receives a signal.
	for options in '' --no-guard; do
		for signal in HUP TERM WINCH RTMIN+1; do
			start it strace -D -f -qq -o /dev/null -e trace=wait4 -e inject=wait4:signal=CHLD \
				"$FRY_RUN" $options -- "$BIN/probe" -x "$signal=7"
			ready it
			kill -"$signal" "$it_pid"
			finish it
			assert_status 7
		done
	done
}

# bats test_tags=linux
@test "every signal that can be caught reaches COMMAND exactly once" {
	start it "$FRY_RUN" -k 1h -- "$BIN/probe" -n
	ready it
	expected=(ready)
	for signal in {1..64}; do
		((signal != 9 && signal != 17 && signal != 19)) || continue
		kill -"$signal" "$pid"
		wait_line it.out '*' $((${#expected[@]} + 1))
		expected+=("$signal")
	done
	kill -HUP "$pid" # after all others
	wait_line it.out HUP 2
	assert_equal "$(count_lines it.out '*')" 63
	assert_equal "$(sort -u it.out | count_lines /dev/stdin '*')" 62
	end "${ready[0]}"
	finish it
	assert_status 137
}

@test "CHLD is not forwarded to COMMAND" {
	start it "$FRY_RUN" -- "$BIN/probe" -n
	ready it
	kill -CHLD "$pid"
	kill -USR1 "$pid"
	wait_line it.out USR1
	assert_lines it.out "ready ${ready[0]}" USR1
	end "${ready[0]}"
	finish it
}

# bats test_tags=linux
@test "a signal of sigqueue(3) keeps its value and its sender" {
	start it "$FRY_RUN" -- "$BIN/probe" -n -s -q
	ready it
	for signal in USR1 RTMIN+4 CONT; do
		sender=$(bash -c 'echo $$; exec /bin/kill -q "$0" -s "$1" "$2"' 4711 "$signal" "$pid")
		wait_line it.out "$signal from $sender value 4711"
	done
	assert_equal "$(count_lines it.out '*')" 4
	end "${ready[0]}"
	finish it
}

@test "queued real-time signals all arrive in order" {
	start it "$FRY_RUN" -r CONT:0 -- "$BIN/probe" -n -q
	ready it
	kill -STOP "$pid" "${ready[0]}" # they queue up at either
	for value in {1..20}; do
		/bin/kill -q "$value" -s RTMIN+3 "$pid"
	done
	kill -CONT "$pid"
	wait_until 'all to be received' received "$pid"
	kill -CONT "${ready[0]}"
	wait_line it.out 'RTMIN+3 value *' 20
	assert_lines <(grep RTMIN it.out) 'RTMIN+3 value '{1..20}
	end "${ready[0]}"
	finish it
}

@test "every signal reaches COMMAND though the user's queue of signals is full" {
	requires perl
	start it perl -MPOSIX -e 'sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGUSR1, SIGHUP));
		kill $_ => $$ for SIGUSR1, SIGHUP; exec @ARGV' \
		prlimit --sigpending=0 "$FRY_RUN" -k 1h -- "$BIN/probe" -n
	wait_line it.out USR1
	wait_line it.out HUP
	ready it
	for signal in WINCH RTMIN+1 CONT TERM QUIT; do
		kill -"$signal" "$pid"
		wait_line it.out "$signal"
	done
	assert_lines <(sed 1,3d it.out) WINCH RTMIN+1 CONT TERM QUIT
	end "${ready[0]}"
	finish it
}

usr1_and_winch() {
	kill -USR1 "$pid"
	kill -WINCH "$pid"
}

# bats test_tags=linux
@test "repeated signals do not fill the user's queue while the inner process is in state T" {
	requires user-namespace # in one of its own the queue is counted for itself
	start it unshare -Ur "$FRY_RUN" --guard -- "$BIN/probe" -n
	ready it
	inner=$(inner_of "$pid")
	kill -STOP "$inner"
	repeat 1000 usr1_and_winch
	wait_until 'all to be received' received "$pid"
	queued=$(awk '$1 == "SigQ:" { sub("/.*", "", $2); print $2 }' "/proc/$pid/status")
	((queued < 150))
	kill -CONT "$inner"
	wait_line it.out USR1
	wait_line it.out WINCH
	end "${ready[0]}"
	finish it
}

@test "INT, TERM and QUIT go to COMMAND's group, every other signal to COMMAND alone" {
	family
	for signal in HUP INT USR1 TERM RTMIN+2 QUIT; do
		kill -"$signal" "$pid"
		wait_line command.out "$signal"
		if [[ $signal == @(INT|TERM|QUIT) ]]; then wait_line child.out "$signal"; fi
	done
	assert_got command HUP INT USR1 TERM RTMIN+2 QUIT
	assert_got child INT TERM QUIT
	assert_got daemon
	family_end
}

@test "-c and --scope=command send every signal to COMMAND alone" {
	for option in -c --single-child --scope=command; do
		family "$option"
		for signal in HUP INT TERM QUIT; do
			kill -"$signal" "$pid"
			wait_line command.out "$signal"
		done
		assert_got command HUP INT TERM QUIT
		assert_got child
		assert_got daemon
		family_end
		rm ./*.out
	done
}

@test "-g and --scope=group send every signal to COMMAND's group" {
	for option in -g --group --scope=group; do
		family "$option"
		for signal in HUP INT RTMIN+2 TERM; do
			kill -"$signal" "$pid"
			wait_line command.out "$signal"
			wait_line child.out "$signal" # the kernel delivers pending signals by number
		done
		assert_got command HUP INT RTMIN+2 TERM
		assert_got child HUP INT RTMIN+2 TERM
		assert_got daemon
		family_end
		rm ./*.out
	done
}

# bats test_tags=linux
@test "COMMAND gets a signal to its group while it changes groups" {
	requires perl
	# A COMMAND that changes groups between two looks must not be missing in both.
	start it "$FRY_RUN" -k 1h --pgroup=inherit --scope=group -- perl -MPOSIX -e '
		my ($own, $got) = (getpgrp, 0);
		$| = 1;
		$SIG{HUP} = sub { print "got ", ++$got, "\n" };
		print "ready $$\n";
		while () { setpgid(0, 0); setpgid(0, $own) }'
	ready it
	for ((i = 1; i <= $(rounds 100 10); i++)); do
		kill -HUP "$pid"
		wait_line it.out "got $i"
	done
	end "${ready[0]}"
	finish it
}

# start_leaver OPTION... -- FILE: COMMAND leaves the group that it led for that of `other`, its child. If FILE
# is not empty, another child stays in the old group and writes to it. Sets command and other to their pids.
start_leaver() {
	start it "$FRY_RUN" "${@:1:$#-1}" perl -MPOSIX -e '
		my ($probe, $file, $other) = @ARGV;
		exec $probe, "-n", "-o", $file if $file and not fork;
		setpgid(0, 0), exec $probe, "-n", "-o", "other.out" unless $other = fork;
		setpgid($other, $other); # both do it: too late here once that has executed, and there for us
		setpgid(0, $other);
		exec $probe, "-n"' "$BIN/probe" "${!#}"
	ready it
	command=${ready[0]}
	ready other
	other=${ready[0]}
}

# bats test_tags=linux
@test "COMMAND gets TERM of a stop once though it has left its group, which is empty" {
	requires perl
	start_leaver --stop=TERM/400ms/KILL -- ''
	kill -TERM "$pid"
	finish it
	assert_status 137
	assert_lines it.out "ready $command" TERM
	assert_lines other.out "ready $other" TERM
}

# bats test_tags=linux
@test "a stopped COMMAND that has left its group, which is empty, is continued by TERM" {
	requires perl
	start_leaver -k 1h -- ''
	kill -STOP "$command"
	wait_prints T state_of "$command"
	kill -TERM "$pid"
	wait_line it.out TERM
	end "$command" "$other"
	finish it
}

# bats test_tags=linux
@test "COMMAND gets a signal to its group though it has left the group that it led" {
	requires perl
	start_leaver -k 1h --scope=group -- child.out
	ready child
	child=${ready[0]}
	for signal in HUP TERM; do
		kill -"$signal" "$pid"
		wait_line it.out "$signal"
		wait_line other.out "$signal"
	done
	assert_lines it.out "ready $command" HUP TERM
	assert_got other HUP TERM
	assert_got child
	end "$command" "$child" "$other"
	finish it
}

# bats test_tags=linux
@test "--scope=tree sends every signal to everything that was started" {
	family --scope=tree
	for signal in HUP INT RTMIN+2 TERM; do
		kill -"$signal" "$pid"
		for name in command child daemon; do wait_line "$name.out" "$signal"; done
	done
	for name in command child daemon; do
		assert_got "$name" HUP INT RTMIN+2 TERM
	done
	family_end
}

# bats test_tags=linux
@test "--scope=group signals only fry-run's descendants in the caller's group" {
	start shell setsid bash -c '
		"$0" -n -o bystander.out &
		"$1" -k 1h --pgroup=inherit --scope=group -- "$0" -n -f 1 &
		wait' "$BIN/probe" "$FRY_RUN"
	ready bystander
	ready shell 2
	members=("${ready[@]}")
	for member in "${members[@]}"; do
		look_at "$member"
		assert_equal "$group" "$shell_pid"
		[[ $(name_of "$parent") == probe ]] || wrapper=$parent
	done
	for signal in HUP TERM INT; do
		kill -"$signal" "$wrapper"
		wait_line shell.out "$signal" 2
	done
	ready bystander
	bystander=${ready[0]}
	assert_got bystander
	assert_equal "$(count_lines shell.out '*')" 8
	end "${members[@]}" "$bystander"
	finish shell
}

@test "TERM reaches only fry-run's descendants in a group that COMMAND joined" {
	start other "$BIN/probe" -g -n
	ready other
	start it "$FRY_RUN" -k 1h --pgroup="$other_pid" -- "$BIN/probe" -n
	ready it
	kill -TERM "$pid"
	wait_line it.out TERM
	other=$other_pid
	assert_got other
	end "${ready[0]}" "$other"
	finish it
}

@test "--rewrite forwards the other signal with that signal's scope" {
	family -r USR1:TERM -r 10:term -r HUP:0 -r RTMIN+1:SIGUSR2
	kill -USR1 "$pid"
	wait_line command.out TERM # of what is pending the lower number comes first
	kill -HUP "$pid"
	wait_until 'HUP to be received' received "$pid"
	kill -RTMIN+1 "$pid"
	wait_line command.out USR2
	assert_got command TERM USR2
	assert_got child TERM
	assert_got daemon
	family_end
}

@test "a rewritten stop request is sent with the other signal's scope" {
	family -r TERM:USR1
	kill -TERM "$pid"
	wait_line command.out USR1
	assert_got command USR1
	assert_got child
	family_end
}

@test "a rewritten stop request still starts the stop" {
	start it "$FRY_RUN" -k 3 -r TERM:QUIT -- "$BIN/probe" -n
	ready it
	kill -TERM "$pid"
	finish it
	assert_status 137
	assert_lines it.out "ready ${ready[0]}" QUIT
}

@test "a dropped stop request starts no stop" {
	start it "$FRY_RUN" -k 0.1 -r TERM:0 -r INT:0 -r QUIT:0 -- "$BIN/probe" -n
	ready it
	it=${ready[0]}
	kill -TERM "$pid"
	kill -INT "$pid"
	kill -QUIT "$pid"
	twin
	assert_got it
	end "$it"
	finish it
}

@test "a signal rewritten to TERM starts no stop" {
	start it "$FRY_RUN" -k 0.1 -r HUP:TERM -- "$BIN/probe" -n
	ready it
	it=${ready[0]}
	kill -HUP "$pid"
	wait_line it.out TERM
	twin
	assert_got it TERM
	end "$it"
	finish it
}

@test "a signal that was ignored at the start is forwarded and starts no stop" {
	for signal in INT TERM QUIT; do
		start -i "$signal" it "$FRY_RUN" -k 0.1 -- "$BIN/probe" -n
		ready it
		it=${ready[0]}
		kill -"$signal" "$pid"
		wait_line it.out "$signal"
		twin
		assert_got it "$signal"
		end "$it"
		finish it
	done
}

@test "a signal that does not ask for a stop starts none" {
	start it "$FRY_RUN" -k 0.1 -- "$BIN/probe" -n
	ready it
	it=${ready[0]}
	for signal in HUP USR1 ALRM PWR RTMIN+3; do
		kill -"$signal" "$pid"
		wait_line it.out "$signal"
	done
	twin
	assert_got it HUP USR1 ALRM PWR RTMIN+3
	end "$it"
	finish it
}

@test "a typed Ctrl-C or Ctrl-\ reaches COMMAND once and starts no stop" {
	start_tty it "$FRY_RUN" -k 0.1 -- "$BIN/probe" -n -s
	ready it
	command=${ready[0]}
	wait_prints "$command" children_of "$(children_of "$pid")"
	keys it '\003'
	wait_line it.out '*INT from kernel'
	keys it '\034'
	wait_line it.out '*QUIT from kernel'
	twin
	alive "$command"
	kill -USR1 "$command"
	wait_line it.out '*USR1 *'
	assert_equal "$(count_lines it.out '*INT *')" 1
	assert_equal "$(count_lines it.out '*QUIT *')" 1
	assert_equal "$(count_lines it.out '*TERM *')" 0
	end "$command"
	finish it
	assert_status 137
}

@test "a typed Ctrl-C reaches a COMMAND in another group or session and starts no stop" {
	for placement in new session; do
		start_tty it "$FRY_RUN" -k 0.1 --pgroup="$placement" -- "$BIN/probe" -n
		ready it
		command=${ready[0]}
		keys it '\003'
		wait_line it.out '*INT'
		twin
		alive "$command"
		kill -USR1 "$command"
		wait_line it.out '*USR1'
		assert_equal "$(count_lines it.out '*INT')" 1
		assert_equal "$(count_lines it.out '*TERM')" 0
		end "$command"
		finish it
		rm it.keys
	done
}

# bats test_tags=linux
@test "on a terminal a signal to the caller's whole group reaches COMMAND once" {
	start_tty it "$FRY_RUN" --guard -k 1h -- "$BIN/probe" -n
	ready it
	wrapper=$(children_of "$it_pid")
	for signal in USR1 HUP INT TERM; do
		kill -"$signal" -- -"$wrapper"
		wait_line it.out "$signal"
	done
	kill -WINCH "$wrapper"
	wait_line it.out WINCH
	assert_lines <(tr -d '\r' <it.out) "ready ${ready[0]}" USR1 HUP INT TERM WINCH
	end "${ready[0]}"
	finish it
}

@test "a typed Ctrl-C ends a COMMAND with default dispositions, and fry-run with it" {
	start_tty it env BIN="$BIN" FRY_RUN="$FRY_RUN" bash --norc
	keys it '"$FRY_RUN" -- "$BIN/probe"; echo not interrupted, $?\r'
	ready it
	keys it '\003'
	wait_gone "${ready[0]}"
	keys it 'echo "=$?"; exit 0\r'
	wait_line it.out '=130'
	assert_equal "$(count_lines it.out 'not interrupted, *')" 0
	finish it
}

@test "on a terminal INT from a process is forwarded and a stop request" {
	start_tty it "$FRY_RUN" --stop=INT/0.1/TERM/3s/KILL -- "$BIN/probe" -n
	ready it
	kill -INT "$(children_of "$pid")"
	finish it
	assert_status 137
	assert_equal "$(count_lines it.out INT)" 1
	assert_equal "$(count_lines it.out TERM)" 1
}

@test "the hang-up of the terminal reaches COMMAND" {
	start_tty it "$FRY_RUN" -k 1h -- "$BIN/probe" -n -s -o command.out
	ready command
	command=${ready[0]}
	wrapper=$(children_of "$pid")
	look_at "$wrapper"
	assert_equal "$session" "$wrapper" 'leader of the session'
	end "$pid" # the terminal is gone with it
	wait_line command.out 'HUP from *'
	kill -USR1 "$wrapper"
	wait_line command.out "USR1 from $(inner_of "$wrapper")"
	assert_equal "$(count_lines command.out 'HUP *')" 1
	end "$command"
	wait_gone "$wrapper"
}

# bats test_tags=linux
@test "after COMMAND's end signals go to the remaining processes" {
	start it "$FRY_RUN" --leftover=wait -k 1h -- bash -c '
		"$0" -d -n -o daemon.out
		"$0" -n -o child.out &
		until [ -s child.out ]; do sleep .01; done' "$BIN/probe"
	ready daemon
	daemon=${ready[0]}
	ready child
	child=${ready[0]}
	wait_prints '!(*bash*)' names_below "$pid"
	for signal in USR1 HUP INT TERM; do
		kill -"$signal" "$pid"
		wait_line daemon.out "$signal"
		wait_line child.out "$signal"
	done
	assert_got daemon USR1 HUP INT TERM
	assert_got child USR1 HUP INT TERM
	end "$daemon" "$child"
	finish it
	assert_status 0
}

# ended_before SIGNAL OPTION...: COMMAND leaves a daemon and ends, then SIGNAL comes, and only then does fry-run
# run again. Each SIGNAL below has a lower number than CHLD, so fry-run receives SIGNAL first.
ended_before() {
	start it "$FRY_RUN" --no-guard -k 1h "${@:2}" -- sh -c '
		"$0" -d -n -o daemon.out; exec "$0" -n -o command.out' "$BIN/probe"
	ready daemon
	daemon=${ready[0]}
	ready command
	kill -STOP "$pid"
	wait_prints T state_of "$pid"
	kill -KILL "${ready[0]}"
	wait_prints Z state_of "${ready[0]}"
	kill -"$1" "$pid"
	kill -CONT "$pid"
}

# bats test_tags=linux
@test "a signal that comes when COMMAND has ended goes to the remaining processes at once" {
	for signal in USR1 HUP TERM; do
		ended_before "$signal" --leftover=wait
		wait_line daemon.out "$signal"
		end "$daemon"
		finish it
		assert_status 137
		assert_equal "$(count_lines daemon.out "$signal")" 1 "$signal"
		rm daemon.out command.out
	done
}

# bats test_tags=linux
@test "with --leftover=leave a signal that comes when COMMAND has ended does not reach a daemon that lives on" {
	ended_before TERM --leftover=leave
	finish it
	assert_status 137
	alive "$daemon"
	assert_lines daemon.out "ready $daemon"
	end "$daemon"
}

@test "a second and a third stop request are forwarded" {
	family
	for count in 1 2 3; do
		for signal in INT TERM QUIT; do
			kill -"$signal" "$pid"
			wait_line command.out "$signal" "$count"
			wait_line child.out "$signal" "$count"
		done
	done
	assert_got command INT TERM QUIT INT TERM QUIT INT TERM QUIT
	assert_got child INT TERM QUIT INT TERM QUIT INT TERM QUIT
	family_end
}

# race_survived MANY WORD...: race with these words, in so many rounds, loses no signal.
race_survived() {
	local count
	count=$(rounds "$1")
	run "$BIN/fresh" "$BIN/race" -n "$count" "${@:2}"
	assert_lines - "$count died"
}

@test "a signal that comes before COMMAND has executed is not lost" {
	# Without KILL, which would hide the loss.
	race_survived 1000 -- "$FRY_RUN" -k 0 -- sleep 1000
}

@test "a signal before COMMAND has executed is not lost in any scope and placement" {
	for option in --scope=command --scope=tree --pgroup=session --pgroup=inherit; do
		race_survived 250 -- "$FRY_RUN" -k 0 "$option" -- sleep 1000
	done
}

@test "a signal to fry-run's whole group before COMMAND has executed is not lost" {
	race_survived 500 -g -- "$FRY_RUN" -k 0 --pgroup=new -- sleep 1000
}
