# libraries.bats - libraries of node and Python that signal what they have started

# shellcheck disable=SC2034,SC2154 # start sets pids; what compares reads hears

# bats file_tags=linux

load ../lib/helper
load callers

in_node() { caller node "$CALLERS/call.mjs" "$@"; }
in_python() { caller /usr/bin/python3 "$REPO/test/callers/call.py" "$@"; }

@test "tree-kill brings TERM and INT to each process as often as without fry-run" {
	for signal in TERM INT; do compare 8 $signal in_node tree-kill; done
}

@test "execa's kill brings TERM and INT to COMMAND as often as without fry-run" {
	options+=(--single-child)
	hears=(command)
	for signal in TERM INT; do compare 10 $signal in_node execa; done
}

@test "execa's forceKillAfterDelay leaves nothing of a tree that ignores TERM" {
	tree_start under in_node execa-force
	call TERM 1
	wait_line command TERM
	wait_gone "$top"
	end "$caller_pid"
	wait_prints '' left_pids
	assert_lines <(sed /ready/d command) TERM
}

@test "execa's cleanup brings TERM to COMMAND as often as without fry-run" {
	options+=(--single-child)
	hears=(command)
	call() { echo "$1" 1<>calls; }
	fresh 5 TERM in_node cleanup
}

@test "psutil brings TERM and INT to each process as often as without fry-run, children first" {
	for signal in TERM INT; do compare 10 $signal in_python children; done
}

@test "psutil brings TERM and INT to each process as often as without fry-run, the parent first" {
	for signal in TERM INT; do compare 10 $signal in_python parent; done
}

@test "asyncio's terminate brings TERM to COMMAND as often as without fry-run" {
	options+=(--single-child)
	hears=(command)
	compare 10 TERM in_python loop
}

@test "asyncio's kill leaves nothing behind, and sees the death by KILL" {
	tree_start under in_python loop
	call KILL 1
	assert_lines caller.out -9 sent
	wait_prints "$caller_pid" left_pids
	end "$caller_pid"
}

@test "killpg of a new session brings TERM and INT to each process as often as without fry-run" {
	hears=(command child)
	for signal in TERM INT; do compare 10 $signal in_python killpg; done
}

@test "a server in node tidies up upon TERM from tree-kill and from psutil" {
	tidies 3 TERM in_node tree-kill
	tidies 3 TERM in_python children
	tidies 3 TERM in_python parent
}
