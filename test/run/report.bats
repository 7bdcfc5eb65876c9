#!/usr/bin/env bats
# The report, the lines of -v, and --pause.

# $0 and the like are for inner shells.
# shellcheck disable=SC2016,SC2154

# bats file_tags=posix,rounds
load ../lib/helper

teardown_more() {
	assert_report_valid
}

# assert_field FIELD VALUE: the last line of the report has this field.
assert_field() {
	assert_equal "$(tail -n 1 report | jq -c "$1")" "$2" "$1"
}

# bats test_tags=linux
@test "the report of a COMMAND that exits has its arguments, start, status and resources" {
	before=$(date -u +%FT%T)
	for guard in --guard --no-guard; do
		run "$FRY_RUN" $guard --report=report -- sh -c 'exit 3' x
		assert_status 3
		assert_field .argv '["sh","-c","exit 3","x"]'
		assert_field '[.exit.code, .status, .cause]' '[3,3,"exited"]'
		assert_field '[.stop, .forwarded, .leftovers, .reaped]' '[[],[],[],0]'
		assert_field ".version == \"$("$FRY_RUN" -V | cut -d' ' -f2)\"" true
		assert_field ".start >= \"$before\" and .wall_s >= 0 and .max_rss_kib > 0" true
	done
	assert_equal "$(wc -l <report)" 2 lines
}

@test "the report of a COMMAND that died of a signal has the cause and a shell's status" {
	run "$FRY_RUN" --report=report -- sh -c 'kill -SEGV $$'
	assert_status 139
	assert_field '[.exit.signal, .status, .cause]' '["SEGV",139,"signal"]'
}

@test "a COMMAND that cannot be executed is in the report" {
	run -127 "$FRY_RUN" --report=report -- ./missing
	assert_field '[.argv[0], .exit.code, .status, .cause]' '["./missing",127,127,"exec-failed"]'
}

# bats test_tags=linux
@test "a step counts the processes that it was for, though they end of it at once" {
	for guard in --guard --no-guard; do
		for ((i = $(rounds 30 5); i; i--)); do
			rm -f report
			start it "$FRY_RUN" $guard --report=report -- "$BIN/probe" -f 2
			ready it 3
			kill -INT "$pid"
			finish it
			assert_field '.stop[0] | [.signal, .processes]' '["INT",3]'
			assert_field '[.stop[1:][] | select(.processes == 0)]' '[]'
		done
	done
}

# bats test_tags=linux
@test "the report of a stop has each step with its time and number of processes" {
	start it "$FRY_RUN" --report=report --stop=INT/0.2/TERM/0.1/KILL -- "$BIN/probe" -n -f 2
	ready it 3
	kill -USR1 "$pid"
	wait_line it.out USR1
	kill -INT "$pid"
	finish it
	assert_status 137
	assert_field '[.exit.signal, .status, .cause]' '["KILL",137,"stopped"]'
	assert_field '[.stop[] | [.signal, .processes]]' '[["INT",3],["TERM",3],["KILL",3]]'
	assert_field '.stop[0].after_s == 0 and .stop[1].after_s >= 0.2 and .stop[2].after_s >= 0.3' true
	assert_field .forwarded '[{"signal":"INT","count":1},{"signal":"USR1","count":1}]'
	assert_field .pid "$it_pid"
}

# bats test_tags=linux
@test "the report names a timeout and the parent's death as causes" {
	run "$FRY_RUN" --report=report -t 0.1 -- sleep 1000
	assert_status 124
	assert_field '[.exit.signal, .status, .cause]' '["INT",124,"timeout"]'
	mkfifo it.fifo
	start parent sh -c '"$0" -p TERM --report=report -- "$1" & read -r _ <it.fifo' "$FRY_RUN" "$BIN/probe"
	ready parent
	end "$pid"
	wait_gone "${ready[0]}"
	wait_until 'the report' test -s report
	wait_until 'both lines' has_lines report '*' 2
	assert_field .cause '"parent-death"'
}

# bats test_tags=linux
@test "the report names leftovers with the signal that ended them and counts orphans" {
	run "$FRY_RUN" --report=report -k 3 -- sh -c '"$0" -d -o one.out; "$0" -d -n -o two.out; "$0" -d -x TERM=0 -o three.out' "$BIN/probe"
	ready one
	one=${ready[0]}
	ready two
	two=${ready[0]}
	ready three
	assert_field '[.leftovers | sort_by(.signal)[] | [.pid, .name, .signal]] | map(.[0]) | sort' \
		"$(printf '%s\n' "$one" "$two" "${ready[0]}" | jq -sc sort)"
	assert_field ".leftovers[] | select(.pid == $two) | .signal" '"KILL"'
	assert_field ".leftovers[] | select(.pid == $one) | .signal" '"TERM"'
	assert_field ".leftovers[] | select(.pid == ${ready[0]}) | [.name, .signal]" '["probe","TERM"]'
	assert_field '.reaped >= 3' true
}

# bats test_tags=linux
@test "a leftover that its own parent has reaped has ended" {
	run "$FRY_RUN" --report=report -k 1h -- bash -c '
		bash -c '\''trap "wait; exit 0" TERM; "$0" -o child.out & echo >ready; wait'\'' "$0" &
		until [[ -e ready ]]; do :; done' "$BIN/probe"
	assert_status 0
	assert_field '[.leftovers[].state] | unique' '["ended"]'
}

# bats test_tags=linux
@test "the report has a leftover's name and command line, and the message has the command line" {
	cat >script <<-END
		#!/bin/sh
		echo ready >ready
		read -r _ <>fifo
	END
	chmod +x script
	mkfifo fifo
	run "$FRY_RUN" --leftover=fail --report=report -k 3 -- sh -c 'setsid ./script one two &
		until [ -e ready ]; do :; done'
	assert_status 125
	assert_field '[.leftovers[] | select(.name == "script") | .command_line, .signal]' \
		'["/bin/sh ./script one two","TERM"]'
	assert_match "$output" '*fry-run: left behind by COMMAND, sent TERM: process +([0-9]) (/bin/sh ./script one two)*'
}

# bats test_tags=linux
@test "a leftover's command line is cut, and has no control characters" {
	long=$(printf '%0200d' 0)
	printf -v evil 'evil\n\r\t\x7f\e[31m\xc2\x9b\xff"\\ä'
	for name in "$evil" "$long"; do
		run "$FRY_RUN" --leftover=fail --report=report -k 3 -- bash -c 'exec -a "$0" sleep 1000 &
			until [[ $(</proc/$!/comm) == sleep ]]; do :; done' "$name"
		assert_status 125
		assert_equal "${#lines[@]}" 1 'lines of stderr'
		if [[ $name == "$evil" ]]; then
			assert_field '.leftovers[0].command_line' '"evil?????[31m�?�\"\\ä 1000"'
			assert_equal "$(LC_ALL=C grep -c $'[\001-\010\013-\037\177\x9b]' <<<"$output")" 0
		else
			assert_field '.leftovers[0].command_line' "\"${long:0:124}...\""
			assert_match "$output" "*process +([0-9]) (${long:0:124}...)"
		fi
	done
}

@test "the report is valid JSON whatever bytes the arguments hold" {
	run "$FRY_RUN" --report=report -- true $'\x01\x1f"\\/\x7f' $'\xff\xc3' $'\xed\xa0\x80\xf4\x90\x80\x80\xc0\x80' 'äß€😀'
	assert_status 0
	assert_field '.argv[1] | explode' '[1,31,34,92,47,127]'
	assert_field '.argv[2] | explode | map(. == 65533)' '[true,true]'
	assert_field '.argv[3] | explode | map(. == 65533) | all' true
	assert_field '.argv[4]' '"äß€😀"'
	run "$FRY_RUN" --report=report -- true "$(printf '%0100000d' 7 | tr 0 '\001')"
	assert_field '.argv[1] | length' 100000
}

@test "a report is one write, and reports of concurrent runs do not mix" {
	requires strace
	run strace -f -e trace=write -e status=successful -o trace "$FRY_RUN" --report=report -- true
	assert_equal "$(grep -c 'write(.*version' trace)" 1
	long=$(printf '%05000d' 1)
	count=$(rounds 100 25)
	for ((i = count; i; i--)); do "$FRY_RUN" --report=together -- true "$long" & done
	wait
	assert_equal "$(jq -c '.argv[1] | length' together | sort | uniq -c | xargs)" "$count 5000"
}

@test "--report=fd:N writes to a descriptor that COMMAND does not have" {
	run "$BIN/fresh" bash -c '"$0" --report=fd:7 -- "$1" -F 7>report' "$FRY_RUN" "$BIN/probe"
	assert_match "$output" 'open: 0 1 2*( 3)'
	assert_field .cause '"exited"'
	run bash -c '"$0" --report=fd:1 -- echo first' "$FRY_RUN"
	assert_match "${lines[0]}" first
	assert_match "${lines[1]}" '{*}'
}

@test "a report that cannot be written is a message and does not change the status" {
	run "$FRY_RUN" --report=/dev/full -- sh -c 'exit 5'
	assert_status 5
	assert_match "$output" 'fry-run: --report=/dev/full: cannot be written: *'
	mkfifo pipe
	run bash -c 'exec 8<>pipe 7>pipe 8>&-; exec "$0" --report=fd:7 -- sh -c "exit 5"' "$FRY_RUN"
	assert_status 5
	assert_match "$output" 'fry-run: --report=fd:7: cannot be written: Broken pipe'
}

# bats test_tags=linux
@test "the report has the figures of the cgroup" {
	requires cgroup2
	run "$FRY_RUN" --cgroup=new --report=report -- true
	assert_field '.cpu_usec > 0' true
}

# bats test_tags=linux
@test "the report of kill -9 of the inner process names KILL" {
	start it "$FRY_RUN" --guard --report=report -- "$BIN/probe"
	ready it
	kill -KILL "$(inner_of "$pid")"
	finish it
	assert_field '[.exit.signal, .status]' '["KILL",137]'
	assert_field '.stop[].signal' '"KILL"'
}

# events FILE COMMAND-PID: print the lines of -v without their times, which must only grow, with names for
# pids.
events() {
	awk '/^fry-run: [0-9]+\.[0-9][0-9][0-9] / { if ($2 < last) print "back in time"; last = $2 } 1' "$1" |
		sed -e 's/^fry-run: [0-9]*\.[0-9]* //' -e "s/\<$2\>/COMMAND/g" -e "s/\<$$\>/TEST/g" -e 's/process [0-9][0-9]*/process N/' \
			-e 's/inner process is [0-9]*/inner process is N/'
}

# bats test_tags=linux
@test "-v writes each event of a stop in order" {
	start it "$FRY_RUN" --guard -v --stop=INT/0.2/TERM/1h -- sh -c '"$0" -d -o daemon.out; exec "$0" -i INT' "$BIN/probe"
	ready it
	command=${ready[0]}
	kill -INT "$pid"
	finish it
	assert_status 143
	# The daemon may be there a moment longer than COMMAND.
	events it.err "$command" | grep -v 'left behind' >lines
	assert_lines lines 'guard: the inner process is N' \
		"started sh as process COMMAND in group COMMAND" \
		"received INT from process TEST" "sent INT to COMMAND's group" \
		'time for TERM' 'sent TERM to 2 remaining processes' 'dying of TERM, as COMMAND did'
}

# bats test_tags=linux
@test "--leftover=fail exits 125 and names the leftover in one line" {
	run "$FRY_RUN" --leftover=fail -- sh -c '"$0" -d -o daemon.out' "$BIN/probe"
	assert_status 125
	ready daemon
	assert_equal "$output" "fry-run: left behind by COMMAND, sent TERM: process ${ready[0]} ($BIN/probe -d -o daemon.out)"
}

# Wait until fry-run is ready for every signal: its directory is / then.
wait_started() {
	wait_prints / readlink "/proc/$1/cwd"
}

# bats test_tags=linux
@test "--pause exits 0 on INT, TERM and QUIT and stops its children" {
	for signal in INT TERM QUIT; do
		rm -f child.out
		start it sh -c '"$1" -n -o child.out & exec "$0" --report=report -k 0.1 --pause' \
			"$FRY_RUN" "$BIN/probe"
		ready child
		wait_started "$pid"
		kill -USR1 "$pid"
		kill -"$signal" "$pid"
		finish it
		assert_status 0
		assert_field '[.exit, .status, .cause]' '[null,0,"stopped"]'
		gone "${ready[0]}"
	done
}

@test "--pause as process 1 reaps orphans, sleeps, and exits on TERM" {
	requires pid-namespace
	start it unshare --pid --fork --kill-child --mount-proc "$FRY_RUN" -P
	wait_prints 'fry-run' names_below "$pid"
	one=$(children_of "$pid")
	wait_started "$one"
	nsenter --target "$one" --pid "$BIN/orphans" 20
	wait_prints '' children_of "$one"
	kill -TERM "$one"
	finish it
	assert_status 0
}

@test "--pause ends on a typed Ctrl-C" {
	start_tty it "$FRY_RUN" -P
	wait_prints 'fry-run' names_below "$pid"
	wait_started "$(children_of "$pid")"
	keys it '\003'
	finish it
	assert_status 0
}

# bats test_tags=linux
@test "--help fits a screen" {
	run "$FRY_RUN" --help
	((${#lines[@]} <= 24))
	for line in "${lines[@]}"; do ((${#line} <= 80)); done
}
