# held.bats - nothing holds fry-run past the total of its stop schedule

# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for other shells; start sets pids

# bats file_tags=rounds

load attack.bash

fast=TERM/300ms/KILL/1s

# --- a tracer

@test "a COMMAND that traces the inner process and ignores all signals is killed when the schedule is over" {
	start it "$FRY_RUN" --stop=$fast -- "$BIN/seize" parent
	ready it
	kill -TERM "$pid"
	finish it
	assert_status 137
	nothing_left
}

@test "a stop request that comes after more signals than fry-run can relay starts the schedule" {
	start it "$FRY_RUN" --stop=$fast -- "$BIN/seize" parent
	ready it
	for value in {1..70}; do /bin/kill -q "$value" -s RTMIN+1 "$pid"; done # 64 of them fill the ring
	kill -TERM "$pid"
	finish it
	assert_status 137
	nothing_left
}

@test "a descendant in a session of its own that traces the inner process is killed when the schedule is over" {
	mkfifo hold
	start it "$FRY_RUN" --stop=$fast -- sh -c 'setsid "$0" $PPID <>hold & exec "$1" -n' "$BIN/seize" "$BIN/probe"
	ready it 2
	kill -TERM "$pid"
	finish it
	assert_status 137
	nothing_left
}

@test "kill -9 of an inner process that a descendant traces leaves nothing, and fry-run dies of KILL" {
	start it "$FRY_RUN" -- "$BIN/seize" parent
	ready it
	kill -KILL "$(inner_of "$pid")"
	finish it
	assert_status 137
	nothing_left
}

@test "a COMMAND that traces the inner process and holds it at its end is killed when the schedule is over" {
	start it "$FRY_RUN" --stop=$fast -- "$BIN/seize" -e parent
	ready it
	kill -TERM "$pid"
	finish it
	assert_status 137
	nothing_left
}

@test "a tracer that interrupts fry-run again and again does not put off the timeout" {
	for guard in guard no-guard; do
		start it "$FRY_RUN" --$guard -t 200ms --stop=TERM/200ms/KILL -- "$BIN/probe" -n
		ready it
		victim=$(inner_of "$it_pid")
		start tracer "$BIN/seize" -i "$victim"
		finish it
		assert_status 124
		finish tracer
	done
}

@test "a timeout ends a COMMAND that traces the inner process" {
	start it "$FRY_RUN" -t 100ms --stop=$fast -- "$BIN/seize" parent
	finish it
	assert_status 124
	nothing_left
}

# --- STOP

@test "a timeout comes though COMMAND has stopped the inner process" {
	start it "$FRY_RUN" -t 300ms --stop=$fast -- sh -c 'kill -STOP $PPID; exec sleep 77'
	finish it
	assert_status 124
	nothing_left
}

@test "COMMAND's end is noticed though it has stopped the inner process" {
	start it "$FRY_RUN" -t 300ms --stop=$fast -- sh -c 'kill -STOP $PPID; exit 3'
	finish it
	[[ $status == 3 || $status == 124 ]] || assert_status '3 or 124'
	nothing_left
}

@test "a stop request comes through though COMMAND has stopped the inner process and ended" {
	start it "$FRY_RUN" --stop=$fast -- sh -c 'kill -STOP $PPID; echo ready 0; exit 3'
	wait_line it.out 'ready 0'
	kill -TERM "$pid" || : # it may have ended by itself
	finish it
	assert_status 3
	nothing_left
}

@test "a COMMAND that stops the inner process again and again is killed when the schedule is over" {
	start it "$FRY_RUN" --stop=$fast -- \
		sh -c 'trap "" TERM INT; echo "ready $$"; while :; do kill -STOP $PPID; sleep .001; done'
	ready it
	kill -TERM "$pid"
	finish it
	assert_status 137
	nothing_left
}

@test "a timeout ends a COMMAND that stops the inner process again and again" {
	start it "$FRY_RUN" -t 300ms --stop=$fast -- \
		sh -c 'trap "" TERM INT; while :; do kill -STOP $PPID; sleep .001; done'
	finish it
	assert_status 124
	nothing_left
}

# --- a terminal that no process reads

@test "a terminal that no process reads, with room for part of a line, holds up neither COMMAND nor a signal" {
	local room step
	step=$(rounds 25 100)
	# Try every amount of room, so that each line of either process once finds too little room.
	for ((room = 1; room < 700; room += step)); do
		echo "with $room bytes of room"
		start it "$BIN/narrow" $room "$FRY_RUN" -v -v -- "$BIN/probe" -o heard$room -n -x USR2=4
		wait_line heard$room 'ready *'
		outer=$(children_of "$pid")
		for signal in TERM HUP USR1 USR2; do
			kill -$signal "$outer"
			wait_line heard$room $signal
		done
		finish it
		assert_status 4
	done
}

@test "a terminal that no process reads does not keep fry-run from refusing an option" {
	for room in 1 40 100; do
		start it "$BIN/narrow" $room "$FRY_RUN" --no-such-option -- true
		finish it
		assert_status 125
	done
}

@test "a pipe that becomes full between poll(2) and write(2) holds up no signal" {
	requires strace mkfifo
	local full
	mkfifo pipe
	exec {full}<>pipe
	start it sh -c 'exec 2>>pipe; exec "$@"' sh \
		strace -o trace -e trace=write --inject=write:delay_enter=500ms:when=1 \
		"$FRY_RUN" -v --no-guard -- "$BIN/probe" -x TERM=4
	wait_until 'the write of a line to begin' writing
	dd if=/dev/zero of=pipe bs=4096 count=1000 oflag=nonblock 2>/dev/null || :
	ready it
	kill -TERM "$(children_of "$pid")"
	finish it
	exec {full}>&-
	assert_status 4
}

# fry-run is about to write, and COMMAND is there: it is forked before a line says so.
writing() {
	[[ $(children_of "$pid") && -s it.out ]]
}
