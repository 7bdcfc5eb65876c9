#!/usr/bin/env bats
# The builds for systems other than Linux: by POSIX alone, and with an imitation of procctl(2).
# `make check-portable` also runs the tests tagged `posix` and not `linux` in other files, by POSIX alone.

# $0 and the like are for inner shells.
# shellcheck disable=SC2016,SC2154

# bats file_tags=posix
load ../lib/helper

FRY_RUN=$REPO/build/portable/fry-run
PROCCTL=$REPO/build/procctl/fry-run
DRAGONFLY=$REPO/build/dragonfly/fry-run

# The tests may run below a make with variables and a jobserver of its own: neither is meant for this one. The
# variants differ in the sources that name FRY_PROCCTL alone, so what they have in common is compiled once.
setup_file() {
	local variant file
	unset MAKEFLAGS MAKELEVEL
	cd "$REPO" || return
	make -s PORTABLE=1 B=build/portable CFLAGS=-Werror >&2
	for variant in build/procctl build/dragonfly; do
		if [[ -e $variant ]]; then continue; fi
		cp -Rp build/portable "$variant"
		rm "$variant/fry-run"
		while read -r file; do
			file=${file##*/}
			rm "$variant/${file%.c}".[od]
		done < <(grep -l FRY_PROCCTL ./*.c src/*.c sys/*.c)
		for file in "$variant"/*.d; do sed -i "s|build/portable/|$variant/|" "$file"; done
	done
	make -s portable CFLAGS=-Werror >&2
}

refuses() {
	run "$FRY_RUN" "$@" -- touch started
	assert_status 125
	[[ ! -e started ]]
}

@test "portable: fry-run makes no system call that POSIX does not have" {
	requires strace
	start it strace -f -qq -o calls \
		"$FRY_RUN" --stop=INT/0.1/TERM/0.1/KILL -t 1h --status=code -e 137 -- "$BIN/probe" -n
	ready it
	look_at "${ready[0]}"
	kill -INT "$parent"
	finish it
	assert_status 0
	assert_match "$(<calls)" '*SIGINT*SIGTERM*'
	run grep -E '^[0-9]+ +(prctl|pidfd_[a-z_]+|close_range|prlimit64\(0, RLIMIT_NOFILE, \{|rt_sigqueueinfo|getdents64|sched_setscheduler)\(|"/proc' calls
	assert_equal "$output" ''
}

@test "portable: every signal but libc's own reaches COMMAND exactly once" {
	start it "$FRY_RUN" -k 1h -- "$BIN/probe" -n
	ready it
	count=1
	for signal in {1..64}; do
		case $signal in 9 | 17 | 19 | 32 | 33 | 34) continue ;; esac
		kill -"$signal" "$pid"
		wait_line it.out '*' $((++count))
	done
	kill -HUP "$pid" # after all others
	wait_line it.out HUP 2
	assert_equal "$(count_lines it.out '*')" $((count + 1))
	assert_equal "$(sort -u it.out | count_lines /dev/stdin '*')" "$count"
	end "${ready[0]}"
	finish it
	assert_status 137
}

@test "portable: a signal of sigqueue(3) keeps its value" {
	start it "$FRY_RUN" -- "$BIN/probe" -n -q
	ready it
	for signal in USR1 RTMIN+4; do
		/bin/kill -q 4711 -s "$signal" "$pid"
		wait_line it.out "$signal value 4711"
	done
	end "${ready[0]}"
	finish it
}

@test "portable: the status is COMMAND's, death by a signal included" {
	for code in 0 1 77 124 255; do
		run "$FRY_RUN" sh -c "exit $code"
		assert_status "$code"
	done
	for signal in HUP INT KILL USR1 TERM 40; do
		assert_equal "$(ending_of "$FRY_RUN" "$BIN/probe" -k "$signal" -o out)" \
			"$(ending_of "$BIN/probe" -k "$signal" -o out)"
	done
}

@test "portable: INT, TERM and KILL go to COMMAND's group, each after its wait" {
	start it "$FRY_RUN" --stop=INT/0.3/TERM/3s/KILL -- bash -c '"$0" -n -o child.out & exec "$0" -n' "$BIN/probe"
	ready it
	command=${ready[0]}
	ready child
	began=$(now)
	kill -INT "$pid"
	finish it
	at_least $(($(now) - began)) 3300
	assert_status 137
	assert_lines it.out "ready $command" INT TERM
	assert_lines child.out "ready ${ready[0]}" INT TERM
	wait_gone "${ready[0]}"
}

@test "portable: a group in state T is continued by a stop request and acts on it" {
	start it "$FRY_RUN" -k 1h -- bash -c '"$0" -T -o child.out & exec "$0" -T' "$BIN/probe"
	ready child
	child=${ready[0]}
	wait_prints T state_of "$child"
	ready it
	wait_prints T state_of "${ready[0]}"
	kill -TERM "$pid"
	finish it
	assert_status 143
	wait_gone "$child"
}

@test "portable: COMMAND gets the steps though it has left its group" {
	start it "$FRY_RUN" --stop=INT/0.2/TERM/2h/KILL --pgroup=inherit -- "$BIN/probe" -n -g
	ready it
	kill -INT "$pid"
	wait_line it.out TERM
	assert_lines it.out "ready ${ready[0]}" INT TERM
	end "${ready[0]}"
	finish it
	assert_status 137
}

@test "portable: a timeout exits 124" {
	run "$FRY_RUN" -t 0.1 -- sleep 1000
	assert_status 124
	run "$FRY_RUN" -t 0.1 -k 0.1 -- "$BIN/probe" -n
	assert_status 124
}

@test "portable: processes that outlive COMMAND are left running" {
	for option in -v --leftover=leave; do
		start it "$FRY_RUN" "$option" -- "$BIN/probe" -d -n -o daemon.out
		finish it
		assert_status 0
		ready daemon
		alive "${ready[0]}"
		assert_lines daemon.out "ready ${ready[0]}"
		end "${ready[0]}"
		rm daemon.out
	done
}

@test "portable: an option that the system cannot support is refused by its name" {
	for leftover in stop wait fail; do
		refuses --leftover="$leftover"
		assert_lines - 'fry-run: --leftover: only leave is possible where the system does not list descendants'
	done
	refuses --guard
	assert_match "$output" 'fry-run: --guard: *'
	refuses --cgroup=new
	assert_match "$output" 'fry-run: --cgroup: *'
	refuses --cgroup=own
	refuses -p TERM
	assert_match "$output" 'fry-run: --parent-death: *'
	FRY_RUN_OPTS=--guard refuses
	run "$FRY_RUN" --guard --no-guard --leftover=stop --leftover=leave true
	assert_status 0
}

@test "portable: a missing COMMAND is 127, and one that cannot be executed is 126" {
	run -127 "$FRY_RUN" ./missing
	run -127 "$FRY_RUN" no-such-command
	: >plain
	run -126 "$FRY_RUN" ./plain
}

@test "portable: --version and --license are as on Linux, and --help names the difference" {
	run "$FRY_RUN" --version
	assert_status 0
	assert_match "$output" "fry-run $(sed -n 's/^#define FRY_VERSION "\(.*\)"/\1/p' "$REPO/fry.h")*"
	assert_equal "$("$FRY_RUN" --license)" "$(<"$REPO/LICENSE")"
	assert_match "$("$FRY_RUN" --help)" '*--leftover=leave is the*'
}

@test "portable: the report is as the schema says" {
	requires python3
	run -137 "$FRY_RUN" --report=report --stop=INT/0.1/KILL -- \
		sh -c 'trap "" INT; kill -INT $PPID; while :; do sleep 0.1; done' $'\xff"\n'
	run -127 "$FRY_RUN" --report=report -- ./missing
	python3 -c 'import json, jsonschema, sys
for line in open(sys.argv[2]):
	jsonschema.validate(json.loads(line), json.load(open(sys.argv[1])))' "$REPO/report.schema.json" report
	assert_equal "$(wc -l <report)" 2
}

@test "portable: fry-run holds no descriptor but stderr, however high its number" {
	"$FRY_RUN" -- "$BIN/probe" -n -o it.out 20>other 300>other 700>other &
	pid=$!
	ready it
	wait_prints 2 ls "/proc/$pid/fd"
	wait_prints '*300*' ls "/proc/${ready[0]}/fd"
	kill -KILL "${ready[0]}"
	wait "$pid" && status=0 || status=$?
	assert_status 137
}

# The tests below run with an imitation of procctl(2), test/fixtures/procctl, and never ran on the systems
# that have procctl(2).

@test "procctl: every descendant gets TERM once, then KILL" {
	start it "$PROCCTL" -v -k 3 --report=report -- bash -c '
		"$0" -d -o polite.out; "$0" -d -n -o daemon.out; "$0" -n -o child.out &
		until [[ -s child.out ]]; do sleep .01; done' "$BIN/probe"
	finish it
	assert_status 0
	nothing_left
	for name in polite daemon child; do
		ready "$name"
		assert_lines "$name.out" "ready ${ready[0]}" TERM
	done
	assert_equal "$(count_lines it.err '*left behind by COMMAND, sent TERM: process *')" 3
	assert_equal "$(jq -c '[.leftovers[].signal] | sort' report)" '["KILL","KILL","TERM"]'
}

@test "procctl: a leftover that got TERM with the request gets no second one" {
	start it "$PROCCTL" -k 3 -- bash -c '
		"$0" -n -o child.out & "$0" -d -n -o daemon.out; exec "$0"' "$BIN/probe"
	ready it
	ready child
	child=${ready[0]}
	ready daemon
	kill -TERM "$pid"
	finish it
	assert_status 143
	assert_lines child.out "ready $child" TERM
	assert_lines daemon.out "ready ${ready[0]}" TERM
	nothing_left
}

@test "procctl: --leftover=fail exits 125, wait waits, leave leaves" {
	run "$PROCCTL" --leftover=fail -k 0.1 -- "$BIN/probe" -d -o daemon.out
	assert_status 125
	nothing_left
	run "$PROCCTL" --leftover=fail -- true
	assert_status 0
	start it "$PROCCTL" --leftover=wait -- "$BIN/probe" -d -o waited.out
	ready waited
	kill -TERM "${ready[0]}"
	finish it
	assert_status 0
	run "$PROCCTL" --leftover=leave -- "$BIN/probe" -d -n -o left.out
	ready left
	alive "${ready[0]}"
	end "${ready[0]}"
}

@test "procctl: children inherited by exec have another reaper and are left" {
	start it bash -c '"$0" -n -o before.out & exec "$1" -k 0.1 -- "$0" -d -n -o daemon.out' \
		"$BIN/probe" "$PROCCTL"
	ready daemon
	finish it
	assert_status 0
	gone "${ready[0]}"
	ready before
	assert_lines before.out "ready ${ready[0]}"
	end "${ready[0]}"
}

@test "procctl: --parent-death=TERM makes the parent's death a TERM request" {
	mkfifo it.fifo
	start parent sh -c '"$0" -p TERM -- "$1" & read -r _ <it.fifo' "$PROCCTL" "$BIN/probe"
	ready parent
	end "$parent_pid"
	wait_gone "${ready[0]}"
	assert_lines parent.out "ready ${ready[0]}" TERM
	wait_prints '' left_pids # no process waits for fry-run
}

@test "procctl of DragonFly: every descendant is killed one by one" {
	start it "$DRAGONFLY" --stop=INT/0.2/TERM/3s/KILL -- bash -c '
		"$0" -d -n -o one.out; "$0" -d -n -f 2 -o two.out; exec "$0" -n' "$BIN/probe"
	ready it
	command=${ready[0]}
	ready one
	ready two 3
	kill -INT "$pid"
	finish it
	assert_status 137
	assert_lines it.out "ready $command" INT TERM
	nothing_left
	run "$DRAGONFLY" -p TERM true
	assert_status 125
	run "$DRAGONFLY" --leftover=fail -k 0.1 -- "$BIN/probe" -d -o daemon.out
	assert_status 125
	nothing_left
}
