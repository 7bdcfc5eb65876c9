#!/usr/bin/env bats
# --hangup: a stop when the other end of a descriptor is closed.

# $0 and the like are for inner shells.
# shellcheck disable=SC2016,SC2154

# bats file_tags=posix
load ../lib/helper
load ../lib/container

# Start a COMMAND under fry-run whose descriptor has peer at its other end; see peer.c. pid is peer's, and
# keeper is fry-run's.
between() {
	local kind=$1 fd=$2
	shift 2
	start it "$BIN/peer" "$kind" "$fd" "$FRY_RUN" "$@"
	ready it
	keeper=$(children_of "$pid")
	wait_started "$keeper"
}

# Wait until fry-run waits for the hang-up: its directory is / then.
wait_started() {
	wait_prints / readlink "/proc/$1/cwd"
}

hang_up() {
	kill -USR2 "$it_pid"
}

cause() {
	tail -n 1 report | jq -r .cause
}

# Print how often fry-run has gone to sleep, or was made to yield.
switches() {
	local one
	for one in "$keeper" $(inner_of "$keeper"); do grep _ctxt_switches: "/proc/$one/status"; done
}

rests() {
	local before
	before=$(switches)
	pause .2
	[[ $(switches) == "$before" ]]
}

# fry-run does not stop COMMAND, and does not wake.
goes_on() {
	local before
	wait_until 'fry-run to come to rest' rests
	before=$(switches)
	"$@"
	start other sleep 1
	finish other
	assert_equal "$(switches)" "$before" 'wake-ups'
	assert_equal "$(count_lines it.out TERM)" 0 'TERM'
}

# With two processes, where there can be two, and with one.
guards=(--no-guard)
if "$FRY_RUN" --guard true 2>/dev/null; then guards+=(--guard); fi

@test "--hangup: the end of a pipe's writer is TERM for COMMAND" {
	for guard in "${guards[@]}"; do
		between pipe 0 "$guard" --hangup --report=report -- "$BIN/probe" -x TERM=3
		hang_up
		finish it
		assert_status 3
		assert_lines it.out "ready ${ready[0]}" TERM
		assert_lines it.err
		assert_equal "$(cause)" hangup
	done
}

@test "--hangup: the close of a socket's other end is TERM for COMMAND" {
	for guard in "${guards[@]}"; do
		between socket 0 "$guard" --hangup --report=report -- "$BIN/probe"
		hang_up
		finish it
		assert_status 143
		assert_equal "$(cause)" hangup
	done
}

# bats test_tags=linux
@test "--hangup: a socket whose other end writes no more counts as closed" {
	between socket 0 --hangup -- "$BIN/probe"
	kill -HUP "$it_pid"
	finish it
	assert_status 143
}

@test "--hangup=FD: any descriptor of COMMAND's, also one that COMMAND writes to" {
	for guard in "${guards[@]}"; do
		between pipe 7 "$guard" --hangup=7 -- "$BIN/probe"
		hang_up
		finish it
		assert_status 143
		between out 9 "$guard" --hangup=9 -- "$BIN/probe"
		hang_up
		finish it
		assert_status 143
	done
}

# bats test_tags=linux
@test "--hangup: the end of a terminal is TERM for COMMAND, beside the terminal's own HUP" {
	for guard in "${guards[@]}"; do
		rm -f report heard.out it.keys
		start_tty it "$FRY_RUN" "$guard" --hangup --report=report -- "$BIN/probe" -n -x TERM=0 -o heard.out
		ready heard
		wait_started "$(children_of "$pid")"
		end "$pid"
		wait_until 'the report' test -s report
		assert_equal "$(cause)" hangup
		assert_equal "$(count_lines heard.out TERM)" 1
	done
}

# bats test_tags=linux
@test "--hangup: the end of a terminal that controls no process is noticed" {
	mkfifo keys
	start it "$BIN/pty" -n "$FRY_RUN" --hangup --report=report -- "$BIN/probe" -n -x TERM=0 -o heard.out <>keys
	ready heard
	wait_started "$(children_of "$pid")"
	end "$pid"
	wait_until 'the report' test -s report
	assert_equal "$(cause)" hangup
	assert_lines heard.out "ready ${ready[0]}" TERM
}

@test "--hangup: kill -9 of the process that holds the other end is TERM for COMMAND" {
	between pipe 0 --hangup --report=report -- "$BIN/probe" -n -x TERM=0
	end "$it_pid"
	wait_gone "$keeper"
	assert_equal "$(cause)" hangup
}

@test "--hangup: an other end that was closed before the start is TERM at once" {
	for guard in "${guards[@]}"; do
		true | "$FRY_RUN" "$guard" --hangup -- sleep 1000 && status=0 || status=$?
		assert_status 143
	done
}

# bats test_tags=linux
@test "--hangup: data that is not read stops nothing and wakes no process" {
	write() {
		for _ in {1..20}; do kill -USR1 "$it_pid" && pause .01; done
	}
	for kind in pipe socket; do
		for guard in "${guards[@]}"; do
			between "$kind" 0 "$guard" --hangup -- "$BIN/probe" -n -x TERM=0
			kill -USR1 "$it_pid"
			goes_on write
			hang_up # with the data still there
			finish it
			assert_status 0
		done
	done
}

@test "--hangup: COMMAND reads all that is written" {
	between pipe 0 --hangup -- bash -c 'echo ready $$; while read -r line; do echo "got $line"; done'
	for i in {1..20}; do
		kill -USR1 "$it_pid"
		wait_line it.out 'got line' "$i"
	done
	hang_up
	finish it
}

# bats test_tags=linux
@test "--hangup: a file, /dev/null, an open FIFO and a terminal that stays stop nothing" {
	mkfifo fifo
	echo data >file
	for input in file /dev/null fifo; do
		for guard in "${guards[@]}"; do
			start it "$FRY_RUN" "$guard" --hangup -- "$BIN/probe" -n -x USR1=5 <>"$input"
			ready it
			keeper=$pid
			wait_started "$pid"
			goes_on true
			kill -USR1 "$it_pid"
			finish it
			assert_status 5
		done
	done
	start_tty it "$FRY_RUN" --hangup -- "$BIN/probe" -n -x USR1=5
	ready it
	keeper=$(children_of "$it_pid")
	wait_started "$keeper"
	goes_on true
	kill -USR1 "$keeper"
	finish it
	assert_status 5
}

@test "--hangup: COMMAND's descriptor has the flags that it has without fry-run" {
	local flags='sed -n s/flags:.//p /proc/self/fdinfo/0'
	for kind in pipe socket; do
		start it "$BIN/peer" "$kind" 0 bash -c "$flags"
		finish it
		mv it.out bare
		# Once before fry-run waits, and once while it does.
		between "$kind" 0 --hangup -- bash -c "$flags; echo ready \$\$
			until [[ -e go ]]; do :; done; rm go; $flags"
		touch go
		finish it
		assert_lines it.out "$(<bare)" "ready ${ready[0]}" "$(<bare)"
	done
}

@test "--hangup: a descriptor that is not open is refused" {
	for words in --hangup=17 --hangup=2147483647; do
		run -125 "$FRY_RUN" "$words" -- touch started
		assert_lines - "fry-run: $words: Bad file descriptor"
	done
	run -125 bash -c '"$0" --hangup -- touch started <&-' "$FRY_RUN"
	assert_lines - 'fry-run: --hangup=0: Bad file descriptor'
	[ ! -e started ]
}

@test "--hangup does not take the next word as its descriptor" {
	run "$FRY_RUN" --hangup echo 5
	assert_lines - 5
}

@test "--hangup: COMMAND gets one TERM, and the schedule goes on from there" {
	for guard in "${guards[@]}"; do
		between pipe 0 "$guard" --hangup --stop=TERM/0.3/QUIT/1h/KILL --report=report -- \
			"$BIN/probe" -n -x QUIT=6
		hang_up
		finish it
		assert_status 6
		assert_lines it.out "ready ${ready[0]}" TERM QUIT
		assert_equal "$(jq -c '.forwarded' report)" '[{"signal":"TERM","count":1}]'
		rm report
	done
}

@test "--hangup: --rewrite applies to its TERM" {
	between pipe 0 --hangup -r TERM:QUIT -- "$BIN/probe" -n -x QUIT=6
	hang_up
	finish it
	assert_status 6
	assert_lines it.out "ready ${ready[0]}" QUIT
}

@test "--hangup: after a stop request the cause stays the request" {
	between pipe 0 --hangup --report=report -- "$BIN/probe" -n -x QUIT=6
	kill -TERM "$keeper"
	wait_line it.out TERM
	hang_up
	wait_line it.out TERM 2
	kill -QUIT "$keeper"
	finish it
	assert_status 6
	assert_equal "$(cause)" stopped
}

@test "--hangup: -v reports the hang-up" {
	between pipe 0 --hangup -v -- "$BIN/probe"
	hang_up
	finish it
	assert_equal "$(count_lines it.err 'fry-run: * the other end of descriptor 0 is closed')" 1
}

# bats test_tags=linux
@test "--hangup: only the outer process keeps the descriptor, and closes it when it hangs up" {
	between out 9 --hangup=9 --stop=TERM/1h/KILL -- bash -c 'exec 9>&-; exec "$0" -n -x QUIT=0' "$BIN/probe"
	assert_match "$(readlink "/proc/$keeper/fd/0")" 'pipe:*'
	[ ! -e "/proc/$keeper/fd/9" ]
	[ ! -e "/proc/$(inner_of "$keeper")/fd/0" ]
	hang_up
	wait_line it.out TERM
	wait_until 'the descriptor to be closed' test ! -e "/proc/$keeper/fd/0"
	kill -QUIT "$keeper"
	finish it
	assert_status 0
}

# bats test_tags=linux
@test "--hangup: --pause ends on the hang-up" {
	start it "$BIN/peer" pipe 0 "$FRY_RUN" --pause --hangup
	wait_prints '*fry-run*' names_below "$pid"
	wait_started "$(children_of "$pid")"
	hang_up
	finish it
	assert_status 0
}

# bats test_tags=linux
@test "--hangup as process 1: the end of a pipe's writer is TERM for COMMAND" {
	requires pid-namespace
	start it "$BIN/peer" pipe 0 unshare --pid --fork --kill-child --mount-proc \
		"$FRY_RUN" --hangup -- "$BIN/probe" -n -x TERM=3 -o heard.out
	ready heard
	keeper=$(children_of "$(children_of "$pid")")
	wait_started "$keeper"
	goes_on kill -USR1 "$pid"
	hang_up
	finish it
	assert_status 3
	assert_lines heard.out "ready ${ready[0]}" TERM
}

# bats test_tags=linux
@test "--hangup: the inner process hangs when the other end is closed, and the outer one ends the run" {
	between pipe 0 --guard --hangup --stop=TERM/0.1/KILL -- "$BIN/probe" -n
	inner=$(inner_of "$keeper")
	start tracer "$BIN/seize" "$inner"
	wait_line tracer.out '*'
	hang_up
	finish it
	nothing_left_of_it() { gone "$keeper" "${ready[0]}"; }
	wait_until 'COMMAND to be gone' nothing_left_of_it
	end "$tracer_pid"
}

# bats test_tags=linux,static
@test "--hangup: the hang-up is noticed without a free descriptor" {
	requires prlimit
	for guard in "${guards[@]}"; do
		start it "$BIN/peer" pipe 0 bash -c 'exec 1>>it.log 2>&1 prlimit --nofile=3:3 "$@"' bash \
			"$FRY_RUN" "$guard" --hangup -- "$BIN/probe" -x TERM=3
		wait_line it.log 'ready *'
		wait_started "$(children_of "$pid")"
		hang_up
		finish it
		assert_status 3
		rm it.log
	done
}

# bats test_tags=linux
@test "--hangup with one process: a leftover that ignores TERM gets KILL when its wait is over" {
	start it "$BIN/peer" pipe 0 "$FRY_RUN" --no-guard --hangup -k 1s -- sh -c '
		"$0" -n -d -o daemon.out; exit 4' "$BIN/probe"
	finish it
	assert_status 4
	nothing_left
}

# bats test_tags=linux
@test "a client that is killed is one TERM, with --hangup and --parent-death" {
	for guard in --guard --no-guard; do
		between pipe 0 -v -k 1h "$guard" -p TERM --hangup -- "$BIN/probe" -n
		end "$it_pid"
		wait_line it.out TERM
		kill -USR1 "$keeper"
		wait_line it.out USR1
		assert_equal "$(count_lines it.err '*the parent has died')" 1
		assert_equal "$(count_lines it.err '*the other end of descriptor 0 is closed')" 1
		assert_equal "$(count_lines it.err '*sent TERM to*')" 1 "TERM, $guard"
		end "${ready[0]}"
		wait_gone "$keeper"
	done
}
