# agents.bats - the recipes of doc/agents.md, run as they stand there, with small programs for the user's

# shellcheck disable=SC2016,SC2034,SC2046,SC2154 # single quotes are for other shells; start sets pids

load ../lib/helper

PAGE=$REPO/doc/agents.md

setup_more() {
	requires jq
	unset FRY_RUN_OPTS
	mkdir tools
	ln -s "$FRY_RUN" tools/fry-run
	export PATH=$PWD/tools:$PATH PROBE=$BIN/probe LOGS=$PWD
	# An agent makes a call, as the page says, and then waits for TERM.
	printf '%s\n' '#!/bin/bash' "$(recipe '--leftover=leave')" 'echo "call $?"' 'exec "$PROBE"' >tools/agent
	chmod +x tools/agent
	export call='"$PROBE" -d -o "$LOGS/server"; echo called'
}

teardown_more() {
	if [[ ${away-} ]]; then rm -r "$away"; fi
}

# recipe REGEX: print the one command of the page that matches
recipe() {
	local lines
	mapfile -t lines < <(awk '/^```/ { inside = !inside; next } inside' "$PAGE" | grep -e "$1")
	assert_equal "${#lines[@]}" 1 "commands like $1" && echo "${lines[0]}"
}

# start_recipe NAME REGEX [SED]: run it as a script whose last command it is; it reads from descriptor 0
start_recipe() {
	recipe "$2" >"$1.recipe"
	sed "1s/^/exec /; ${3-}" "$1.recipe" >"$1.sh"
	start "$1" bash -e "$1.sh"
}

server_there() {
	wait_line server 'ready *'
	server=$(sed -n 's/^ready //p' server)
}

# --- a session, and a call that leaves a server

session() {
	start_recipe it '^fry-run -- agent'
	ready it
	server_there
	wait_line it.out 'call 0'
	alive "$server"
	assert_equal "$(ps -o ppid= -p "$server" | tr -d ' ')" "$(inner_of "$it_pid")" "the server's parent"
}

@test "a call leaves a server, which gets TERM when the session ends" {
	session
	assert_lines <(head -n 2 it.out) called 'call 0'
	kill -TERM "$it_pid"
	finish it
	assert_status 143
	assert_lines server "ready $server" TERM
	nothing_left
}

@test "a server that a call has left ends when the agent is killed" {
	session
	kill -KILL "${ready[@]}"
	finish it
	assert_status 137
	assert_lines server "ready $server" TERM
	nothing_left
}

@test "a server that a call has left ends when the session's fry-run is killed" {
	local victim
	for victim in outer inner; do
		rm -f server
		session
		if [[ $victim == outer ]]; then kill -KILL "$it_pid"; else kill -KILL "$(inner_of "$it_pid")"; fi
		finish it
		assert_status 137
		wait_until 'nothing to be left' nothing_left
	done
}

# limited COMMAND...: run COMMAND with a longer time limit each time, until the server was ready before
limited() {
	local limit
	for limit in 1 4 16 64; do
		rm -f server
		limit=$limit "$@"
		if [[ -s server ]]; then return; fi
	done
	return 1
}

session_limited() {
	sed "s/-t 2m/-t ${limit}s -k .5s/" agent >tools/agent
	start_recipe it '^fry-run -- agent'
	wait_line it.out 'call *'
	wait_line it.out 'ready *'
	if [[ ! -s server ]]; then
		kill -TERM "$it_pid"
		finish it
	fi
}

@test "at the time limit of a call whose shell ends, a server in another session lives on" {
	cp tools/agent agent
	call='"$PROBE" -d -o "$LOGS/server"; exec "$PROBE" -o "$LOGS/command"'
	limited session_limited
	assert_equal "$(count_lines it.out 'call 124')" 1
	server_there
	alive "$server"
	kill -TERM "$it_pid"
	finish it
	assert_lines server "ready $server" TERM
	nothing_left
}

@test "at the time limit of a call whose shell goes on, a server gets the next steps, too" {
	cp tools/agent agent
	call='"$PROBE" -d -n -o "$LOGS/server"; exec "$PROBE" -n -o "$LOGS/command"'
	limited session_limited
	assert_equal "$(count_lines it.out 'call 124')" 1
	server_there
	wait_gone "$server"
	kill -TERM "$it_pid"
	finish it
	nothing_left
}

@test "if the fry-run of a call is killed, the server of this call ends, and the session goes on" {
	call='"$PROBE" -d -o "$LOGS/server"; echo $PPID >"$LOGS/inner"; exec "$PROBE" -o "$LOGS/command"'
	start_recipe it '^fry-run -- agent'
	wait_line command 'ready *'
	kill -KILL "$(outer_of "$(cat inner)")"
	ready it
	wait_line it.out 'call 137'
	server_there
	wait_gone "$server"
	kill -TERM "$it_pid"
	finish it
	nothing_left
}

# --- a call that leaves nothing

call_limited() {
	start_recipe it '--stop=TERM/5s/KILL' "s/-t 2m/-t ${limit}s/; s/5s/2s/"
	finish it
	assert_status 124
}

@test "a time limit takes daemons along" {
	call='"$PROBE" -d -n -o "$LOGS/server"; exec "$PROBE" -n'
	limited call_limited
	assert_match "$(<server)" $'ready *\nTERM'
	nothing_left
}

@test "a call that succeeds and leaves a process behind fails with --leftover=fail" {
	start_recipe it '--stop=TERM/5s/KILL' 's/-t 2m/& --leftover=fail/'
	finish it
	assert_status 125
	assert_match "$(<it.err)" 'fry-run: left behind by COMMAND*(probe)*'
	nothing_left
}

# --- a server over standard input

# Make a server that does not notice the end of its input.
server_make() {
	requires node
	cat >server.js <<-'END'
		process.stdin.on('data', data => process.stdout.write(data)).on('error', () => {});
		process.on('SIGTERM', () => { console.error('TERM'); process.exit(3); });
		setInterval(() => {}, 1000000);
		console.log('ready ' + process.pid);
	END
	recipe 'node server.js' | sed 's/^/exec /' >server.sh
}

@test "a server over stdio ends when its client closes the pipe" {
	server_make
	start it "$BIN/peer" pipe 0 bash server.sh
	ready it
	kill -USR1 "$it_pid"
	wait_line it.out '*' 2
	kill -USR2 "$it_pid"
	finish it
	assert_status 3
	assert_lines it.err TERM
	nothing_left
}

@test "a server over stdio ends when its client is killed" {
	server_make
	start it "$BIN/peer" socket 0 bash server.sh
	ready it
	kill -KILL "$it_pid"
	wait_gone "${ready[@]}"
	assert_lines it.err TERM
	wait_until 'nothing to be left' nothing_left
}

@test "a server over stdio ends when its client is killed, and a launcher between the two lives on" {
	server_make
	sed -i 's/^exec //; $a echo "status $?"; sleep 1000' server.sh
	start it "$BIN/peer" pipe 0 bash server.sh
	ready it
	launcher=$(children_of "$it_pid")
	kill -KILL "$it_pid"
	wait_line it.out 'status 3'
	alive "$launcher"
	end "$launcher" $(left_pids)
}

@test "a server whose standard input is not the client's ends when the client is killed" {
	server_make
	sed -i 's/^exec //; s/$/ <\/dev\/null/; $a :' server.sh
	start it bash server.sh
	ready it
	kill -KILL "$it_pid"
	wait_gone "${ready[@]}"
	wait_until 'nothing to be left' nothing_left
}

@test "a server over stdio that ignores TERM gets KILL" {
	server_make
	sed -i "s/console.error('TERM'); process.exit(3);/console.error('TERM');/" server.js
	sed -i 's/-k 2s/-k .2s/' server.sh
	start it "$BIN/peer" pipe 0 bash server.sh
	ready it
	kill -USR2 "$it_pid"
	finish it
	assert_status 137
	nothing_left
}

# --- a harness that kills

# Without a terminal fry-run leads a process group, as harnesses start commands.
harness() {
	call='"$PROBE" -d -o "$LOGS/server"; "$PROBE" -S -o "$LOGS/session" & exec "$PROBE" -o "$LOGS/command"'
	rm -f server session command
	recipe '--stop=TERM/5s/KILL' >call.sh
	sed -i 's/^/exec /' call.sh
	start it setsid bash call.sh
	wait_line server 'ready *'
	wait_line session 'ready *'
	wait_line command 'ready *'
	wait_prints / readlink "/proc/$it_pid/cwd"
}

@test "a harness that sends TERM, to a process, a group or each process of the tree, leaves nothing" {
	local how
	for how in process group ascending descending children parents; do
		harness
		case $how in
		process) kill -TERM "$it_pid" ;;
		group) kill -TERM -- "-$it_pid" ;;
		*) "$BIN/sweep" -o "$how" TERM "$it_pid" ;;
		esac
		finish it
		assert_equal "$(grep -cx TERM command)" 1 "TERM for COMMAND, $how"
		nothing_left
	done
}

@test "a harness that sends KILL, to a process or a group, leaves nothing" {
	local how
	for how in process group; do
		harness
		if [[ $how == group ]]; then kill -KILL -- "-$it_pid"; else kill -KILL "$it_pid"; fi
		finish it
		assert_status 137
		wait_until 'nothing to be left' nothing_left
	done
}

@test "a harness that sends KILL to each process of the tree leaves no process that it has seen" {
	local how
	for how in ascending descending children parents; do
		harness
		"$BIN/sweep" -o "$how" KILL "$it_pid"
		finish it
		wait_until 'nothing to be left' nothing_left
	done
}

# --- a pid namespace below fry-run; test/attack/both.bats kills both processes

# namespace [SED]: the recipe as a script whose last command it is
namespace() {
	requires root pid-namespace setpriv
	recipe '^fry-run.* unshare --pid .* agent$' | sed "s/^/exec /; ${1-}" >namespace.sh
	printf '%s\n' '#!/bin/sh' '"$PROBE" -d -o "$LOGS/server"' 'exec "$PROBE" -z' >tools/agent
}

@test "a pid namespace below: TERM, INT and the exit status pass through, and daemons get TERM" {
	local signal status
	for signal in TERM INT; do
		namespace
		rm -f server
		start it bash namespace.sh
		ready it
		kill "-$signal" "$it_pid"
		finish it
		assert_status $((128 + $(kill -l "$signal")))
		assert_lines it.out "ready ${ready[0]}" "$signal"
		assert_match "$(<server)" $'ready *\nTERM'
		nothing_left
	done
	printf '%s\n' '#!/bin/sh' 'echo $$ $PPID; exit 7' >tools/agent
	run bash namespace.sh
	assert_status 7
	assert_lines - '2 1'
}

@test "a pid namespace below: HUP kills everything at once, and -r makes it TERM" {
	namespace
	start it bash namespace.sh
	ready it
	kill -HUP "$it_pid"
	finish it
	assert_status 129
	assert_lines it.out "ready ${ready[0]}"
	nothing_left
	namespace "s/fry-run/& $(grep -o -e '-r HUP:TERM [^\`]*' "$PAGE")/"
	for signal in HUP QUIT; do
		start it bash namespace.sh
		ready it
		kill -USR1 "$it_pid"
		kill -$signal "$it_pid"
		finish it
		assert_status 143
		assert_lines it.out "ready ${ready[0]}" TERM
		nothing_left
	done
}

@test "a pid namespace below: the second fry-run has the report, and sees the leftovers" {
	namespace 's/ fry-run -- agent/ fry-run --leftover=fail --report=runs.json -- sh -c "$call"/'
	run bash namespace.sh
	assert_status 125
	assert_equal "$(report_line)" $'exited\t125\tprobe'
}

# The shell says with = that it is back at its prompt.
@test "a pid namespace below: Ctrl-Z, bg, fg and Ctrl-C work as without the namespace" {
	namespace
	sed -i 's/^exec //' namespace.sh
	start_tty it env PS1=$'$\n' HISTFILE= bash --norc --noprofile -i
	keys it 'stty -echo; set -m\r'
	keys it "$(cat namespace.sh)\r"
	ready it
	shell=$(children_of "$pid")
	keys it '\032'
	keys it 'echo "=stopped $?"\r'
	wait_line it.out '*=stopped 148'
	for one in $(descendants_of "$shell"); do
		if [[ $(name_of "$one") == probe && $(state_of "$one") == T ]]; then stopped=$one; fi
	done
	alive "$stopped"
	keys it 'bg\r'
	wait_line it.out '*CONT'
	keys it 'fg\r'
	wait_prints "$(ps -o pgrp= -p "$stopped" | tr -d ' ')" foreground_of "$shell"
	keys it '\003'
	wait_line it.out 'INT'
	keys it 'echo "=ended $?"\r'
	wait_line it.out '*=ended 130'
	keys it 'exit\r'
	finish it
}

foreground_of() {
	ps -o tpgid= -p "$1" | tr -d ' '
}

@test "a user and a pid namespace below: TERM passes through, and a setuid program gets no privilege" {
	requires root user-namespace setpriv
	local other_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	away=$(mktemp -d)
	cp "$FRY_RUN" "$BIN/probe" /usr/bin/id "$away"
	chmod 755 "$away" "$away/probe" "$away/${FRY_RUN##*/}"
	chmod 4755 "$away/id"
	recipe '^fry-run.* unshare --user .* agent$' |
		sed "s|fry-run|$away/${FRY_RUN##*/}|g; s/agent\$/\"\$@\"/; s/^/exec /" >user.sh
	start it "${other_user[@]}" bash -c "$(cat user.sh)" sh "$away/probe"
	ready it
	kill -TERM "$it_pid"
	finish it
	assert_status 143
	assert_lines it.out "ready ${ready[0]}" TERM
	nothing_left
	run "${other_user[@]}" "$away/id" -u
	assert_lines - 0
	run "${other_user[@]}" bash -c "$(cat user.sh)" sh "$away/id" -u
	assert_lines - 65534
}

# --- the report

# report_line: run the page's jq, and print its line
report_line() {
	recipe 'jq -r' | bash -e
	rm runs.json
}

@test "the report has the cause, the status and the names of the leftovers" {
	call='exit 3' bash -c "$(recipe --report=runs.json)" || :
	assert_equal "$(report_line)" $'exited\t3\t'
	bash -c "$(recipe --report=runs.json)"
	assert_equal "$(report_line)" $'exited\t0\tprobe'
	call='kill -KILL $$' bash -c "$(recipe --report=runs.json)" || :
	assert_equal "$(report_line)" $'signal\t137\t'
	call='kill $(ps -o ppid= -p $PPID); exec sleep 1000' bash -c "$(recipe --report=runs.json)" || :
	assert_equal "$(report_line)" $'stopped\t143\t'
	call='exec sleep 1000' bash -c "$(recipe --report=runs.json | sed 's/fry-run/& -t .1s/')" || :
	assert_equal "$(report_line)" $'timeout\t124\t'
	bash -c "$(recipe --report=runs.json | sed 's/ bash -c .*/ none/')" 2>/dev/null || :
	assert_equal "$(report_line)" $'exec-failed\t127\t'
	# The page lists all causes that there are.
	assert_equal "$(sed -n '/^| `cause`/,/^$/s/^| \([^|]*\).*/\1/p' "$PAGE" | grep -o '[a-z-]*[a-z]' | sort)" \
		"$(jq -r '"cause", .properties.cause.enum[]' "$REPO/report.schema.json" | sort)"
}

@test "no report is written if fry-run itself was killed" {
	start it bash -c "exec $(recipe --report=runs.json | sed 's/ bash -c .*/ "$PROBE"/')"
	ready it
	kill -KILL "$it_pid"
	finish it
	wait_until 'nothing to be left' nothing_left
	assert_lines runs.json
}
