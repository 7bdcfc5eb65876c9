# schedule.bats - each signal of the stop schedule reaches its recipients, and --rewrite does not change it

# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for other shells; start sets pids

load attack.bash

@test "a timeout sends the schedule's first signal as it is, whatever --rewrite makes of it" {
	for to in USR1 0; do
		# Blocked, they wait for probe, which may take longer than the timeout to be executed.
		start it "$BIN/fresh" -b INT,USR1 -- "$FRY_RUN" -r INT:$to -t 50ms --stop=INT/1h -- \
			"$BIN/probe" -n -x INT=4 -x USR1=5
		finish it
		assert_status 124
		assert_lines it.out "ready $(sed -n 's/^ready //p' it.out)" INT
	done
}

@test "a step by time sends its signal as it is, whatever --rewrite makes of it" {
	for to in USR1 0; do
		start it "$FRY_RUN" -r TERM:$to --stop=INT/50ms/TERM/1h -- "$BIN/probe" -n -x TERM=4 -x USR1=5
		ready it
		kill -INT "$pid"
		finish it
		assert_status 4
		assert_lines it.out "ready ${ready[0]}" INT TERM
	done
}

# A COMMAND that ignores TERM, and a child in a session of its own, which names its signals. INT and TERM are
# blocked, and wait for both to be executed.
start_hidden() {
	start it "$BIN/fresh" -b INT,TERM -- "$FRY_RUN" "$@" -- \
		sh -c '"$0" -n -S -o child & exec "$0" -n' "$BIN/probe"
	ready it
	wait_line child 'ready *'
}

@test "a child in a session of its own gets TERM before KILL where TERM was received" {
	start_hidden --stop=TERM/500ms/KILL
	kill -TERM "$pid"
	finish it
	assert_status 137
	assert_equal "$(grep -vx CONT child | tail -n +2)" TERM 'heard by the child'
	assert_equal "$(grep -vx CONT it.out | tail -n +2)" TERM 'heard by COMMAND'
}

@test "a child in a session of its own gets INT before KILL where INT was received" {
	start_hidden --stop=INT/500ms/KILL
	kill -INT "$pid"
	finish it
	assert_status 137
	assert_equal "$(grep -vx CONT child | tail -n +2)" INT 'heard by the child'
	assert_equal "$(grep -vx CONT it.out | tail -n +2)" INT 'heard by COMMAND'
}

@test "a child in a session of its own gets TERM before KILL where a timeout began with TERM" {
	start_hidden -t 50ms --stop=TERM/2s/KILL
	finish it
	assert_status 124
	assert_equal "$(grep -vx CONT child | tail -n +2)" TERM 'heard by the child'
}

@test "a child in a session of its own gets the signal of a step by receipt no sooner than half of its wait" {
	start_hidden --stop=TERM/2s/KILL
	sent=$(now)
	kill -TERM "$pid"
	wait_line child TERM
	at_least $(($(now) - sent)) 1000
	finish it
	assert_status 137
}

@test "a child that is left when COMMAND ends of TERM gets TERM once" {
	start it "$FRY_RUN" --stop=TERM/1h/KILL -- sh -c '"$0" -S -o child & exec "$0"' "$BIN/probe"
	ready it
	wait_line child 'ready *'
	kill -TERM "$pid"
	finish it
	assert_status 143
	assert_equal "$(tail -n +2 child)" TERM 'heard by the child'
}
