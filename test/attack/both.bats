# both.bats - KILL for both processes of fry-run at once, with a pid namespace below: doc/agents.md

# shellcheck disable=SC2016,SC2154 # single quotes are for other shells; start sets pids

# bats file_tags=rounds
load attack.bash

# The words of doc/agents.md. unshare dies with the inner process, and what it has forked, process 1 of the
# namespace, dies with unshare.
below=(setpriv --pdeathsig KILL unshare --pid --fork --kill-child --mount-proc)
unprivileged=(setpriv --pdeathsig KILL unshare --user --map-current-user --pid --fork --kill-child --mount-proc)
# The shorter form, in which the inner process is process 1.
within=(unshare --pid --mount)
mounts='mount -t proc proc /proc && exec "$@"'

# One of each kind that has to be found.
every_kind='"$0" -n -g & "$0" -n -S & "$0" -n -d & "$0" -n -T & exec "$0" -n'

setup_more() {
	requires root pid-namespace user-namespace setpriv
	unset FRY_RUN_OPTS
	reach
}

@test "the commands that put a pid namespace below are those of doc/agents.md" {
	local words
	for words in "${below[*]}" "${unprivileged[*]}"; do
		grep -qxF "fry-run -- $words fry-run -- agent" "$REPO/doc/agents.md"
	done
	grep -qxF "${within[*]} fry-run -- sh -c '$mounts' sh agent" "$REPO/doc/agents.md"
}

# killed_at_once COMMAND...: kill both processes of the fry-run that COMMAND starts, in either order, half of the
# time after they were stopped, so that neither of them can act in between.
killed_at_once() {
	start it "$@"
	wait_line it.out 'ready *' 5
	inner=$(inner_of "$it_pid")
	[[ $inner != "$it_pid" ]]
	if ((RANDOM % 2)); then kill -STOP "$it_pid" "$inner"; fi
	if ((RANDOM % 2)); then kill -KILL "$it_pid" "$inner"; else kill -KILL "$inner" "$it_pid"; fi
	finish it
	assert_status 137
	wait_prints '' left_pids
}

@test "KILL for both processes at once leaves nothing if a pid namespace is below" {
	for ((i = $(rounds 100); i; i--)); do
		killed_at_once "$FRY_RUN" -- "${below[@]}" "$FRY_RUN" -- sh -c "$every_kind" "$BIN/probe"
	done
}

@test "KILL for both processes at once leaves nothing if a user and a pid namespace are below" {
	for ((i = $(rounds 100); i; i--)); do
		killed_at_once "${other_user[@]}" "$FRY_RUN" -- "${unprivileged[@]}" \
			"$FRY_RUN" -- sh -c "$every_kind" "$BIN/probe"
	done
}

@test "KILL for both processes at once leaves nothing if the inner process is PID 1 of a namespace" {
	for ((i = $(rounds 100); i; i--)); do
		killed_at_once "${within[@]}" "$FRY_RUN" -- sh -c "$mounts" sh sh -c "$every_kind" "$BIN/probe"
	done
}

@test "KILL for both processes at once leaves nothing if the inner process is PID 1, without privileges" {
	for ((i = $(rounds 100); i; i--)); do
		killed_at_once "${other_user[@]}" unshare --user --map-root-user "${within[@]:1}" \
			"$FRY_RUN" -- sh -c "$mounts" sh sh -c "$every_kind" "$BIN/probe"
	done
}

@test "KILL for the process group on a terminal leaves nothing if a pid namespace is below" {
	for ((i = $(rounds 20 2); i; i--)); do
		rm -f it.keys
		start_tty it "$FRY_RUN" -- "${below[@]}" "$FRY_RUN" -- sh -c "$every_kind" "$BIN/probe"
		wait_line it.out 'ready *' 5
		kill -KILL -- "-$(children_of "$pid")"
		finish it
		wait_prints '' left_pids
	done
}
