# callers.bash - a tree of probes that a real caller starts and signals, with fry-run and without
# shellcheck shell=bash disable=SC2034,SC2103,SC2154,SC2164 # start sets pids; a failing cd fails the test
#
#   compare ROUNDS SIGNAL START [WORD]...
#                              run `START WORD... COMMAND...` twice: COMMAND is a tree of probes, alone and
#                              below fry-run. Let the caller signal it ROUNDS times; each process of the
#                              tree hears the same in both cases. `hears` names those that hear SIGNAL at
#                              all, of command, child (in the group of command) and session; `options` are
#                              those of fry-run
#   fresh ROUNDS SIGNAL START [WORD]...
#                              the same with a new tree for each call
#   call                       what makes the caller send SIGNAL; a file may define another
#   tidies ROUNDS SIGNAL START [WORD]...
#                              run a server that tidies up upon SIGNAL, in the same way: it does
#
# After each call a marker goes to the top of the tree alone, and to COMMAND from there. A copy too many would
# come before it.

CALLERS=$REPO/build/callers
PATH=$CALLERS/node_modules/.bin:$PATH
options=(--stop=TERM/2h/KILL)

setup_more() {
	unset MAKEFLAGS MAKELEVEL FRY_RUN_OPTS
	export HOME=$PWD npm_config_update_notifier=false
	hears=(command child session)
	# A caller may start it again, which is not compared.
	cat >tree <<-END
		#!/bin/sh
		mkdir started || exit
		$BIN/probe -n -S -o session &
		$BIN/probe -n -o child &
		exec $BIN/probe -n -o command
	END
	chmod +x tree
}

call() {
	echo "$1" 1<>calls
	wait_line caller.out sent "$2"
}

# caller COMMAND...: start it with what it reads.
caller() {
	[[ -p calls ]] || mkfifo calls
	start caller "$@" <>calls
}

pid_in() {
	sed -n 's/^ready //p' "$1"
}

# Set top to what the caller started: COMMAND, or fry-run.
top_find() {
	local one
	for one in command child session; do wait_line "$one" 'ready *'; done
	top=$(pid_in command)
	if [[ $1 == under ]]; then top=$(outer_of "$(outer_of "$top")"); fi
}

tree_start() {
	local kind=$1 words=()
	shift
	if [[ $kind == under ]]; then words=("$FRY_RUN" "${options[@]}" --); fi
	"$@" "${words[@]}" ./tree
	top_find "$kind"
}

# Keep what was heard, before the end of COMMAND becomes a stop of the others. A caller that is gone first
# starts nothing again.
tree_end() {
	local one
	for one in command child session; do sed '/^ready\|^CHLD/d' "$one" >>"$one.heard"; done
	end "$caller_pid" "$top" "$(pid_in command)" "$(pid_in child)" "$(pid_in session)"
	wait "$caller_pid" 2>/dev/null || :
}

# rounds_play SIGNAL FIRST LAST
rounds_play() {
	local signal=$1 round one
	for ((round = $2; round <= $3; round++)); do
		call "$signal" "$round"
		for one in "${hears[@]}"; do wait_line "$one" "$signal" "$round"; done
		kill -HUP "$top"
		wait_line command HUP "$round"
	done
}

play_compare() {
	local kind=$1 rounds=$2 signal=$3
	shift 3
	tree_start "$kind" "$@"
	rounds_play "$signal" 1 "$rounds"
	tree_end
}

play_fresh() {
	local kind=$1 rounds=$2 signal=$3 round
	shift 3
	for ((round = 1; round <= rounds; round++)); do
		tree_start "$kind" "$@"
		rounds_play "$signal" 1 1
		tree_end
		rm command child session
		rmdir started
	done
}

compare() { both play_compare "$@"; }
fresh() { both play_fresh "$@"; }

both() {
	local kind one
	for kind in plain under; do
		mkdir "$kind"
		cp tree "$kind"
		cd "$kind"
		"$1" "$kind" "${@:2}"
		cd ..
	done
	for one in command child session; do
		assert_equal "$(<"under/$one.heard")" "$(<"plain/$one.heard")" "heard by $one"
	done
	rm -r plain under
}

# server_tidies KIND SIGNAL START [WORD]...
server_tidies() {
	local kind=$1 signal=$2 words=()
	shift 2
	if [[ $kind == under ]]; then words=("$FRY_RUN" "${options[@]}" --); fi
	mkdir "$kind.$round"
	cd "$kind.$round"
	"$@" "${words[@]}" node "$REPO/test/callers/server.cjs" "SIG$signal"
	wait_line server 'ready *'
	server=$(pid_in server)
	call "$signal" 1
	wait_gone "$server"
	assert_lines <(sed '/^ready\|^CHLD/d' server) tidying tidied
	end "$caller_pid"
	wait "$caller_pid" 2>/dev/null || :
	cd ..
	rm -r "$kind.$round"
}

tidies() {
	local rounds=$1 kind round
	shift
	for kind in plain under; do
		for ((round = 1; round <= rounds; round++)); do server_tidies "$kind" "$@"; done
	done
}
