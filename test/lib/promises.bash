# promises.bash - the main promises in any environment, for hostile.bats and scarce.bats
# shellcheck shell=bash disable=SC2016,SC2034,SC2046 # single-quoted text is for other shells; pids are words

setup_file() {
	requires make
	unset MAKEFLAGS MAKELEVEL
	old_make
}

setup_more() {
	export BIN
	user=$((1000000 + $$)) # of this test alone, since RLIMIT_NPROC counts its processes
}

teardown_more() {
	if [[ ${reachable-} ]]; then rm -r "$reachable"; fi
}

# --- the promises; the arguments are words that precede fry-run and change its environment

fast=TERM/100ms/KILL # for processes that only KILL ends
heeded=TERM/3s/KILL  # for processes that have to act on TERM before KILL
within=() # words that precede COMMAND and take back the change of the environment

keeps_promises() {
	keeps_status "$@"
	reaps_orphans "$@"
	signals_the_group "$@"
	stops_a_daemon "$@"
	kills_what_ignores_term "$@"
}

keeps_status() {
	run "$@" "$FRY_RUN" -- "$BIN/probe" -e 7
	assert_status 7
	# Without /proc the sanitizers' runtime prints a warning.
	output=$(sed '/^==[0-9]*==WARNING: reading executable name/d' <<<"$output")
	assert_match "$output" 'ready +([0-9])'
	run "$@" "$FRY_RUN" -- "$BIN/probe" -k USR1
	assert_status 138
}

reaps_orphans() {
	start it "$@" "$FRY_RUN" -- "${within[@]}" sh -c '"$0" -s "$2"; exec "$1"' \
		"$BIN/orphans" "$BIN/probe" "$(rounds 100 20)"
	ready it
	find_fry
	wait_until 'no zombie to be left' no_zombies
	kill -TERM "$fry"
	finish it
	assert_status 143
}

signals_the_group() {
	start it "$@" "$FRY_RUN" -- "$BIN/probe" -f 3
	ready it 4
	find_fry
	kill -TERM "$fry"
	finish it
	assert_status 143
	assert_equal "$(grep -v ready it.out)" $'TERM\nTERM\nTERM\nTERM' 'heard by the group'
}

stops_a_daemon() {
	rm -f heard
	start it "$@" "$FRY_RUN" -- "${within[@]}" sh -c '"$0" -d -o heard; exec "$0" -x USR1=4' "$BIN/probe"
	ready it
	find_fry
	kill -USR1 "$fry"
	finish it
	assert_status 4
	assert_equal "$(tail -n +2 heard)" TERM 'heard by the daemon'
}

kills_what_ignores_term() {
	start it "$@" "$FRY_RUN" --stop="$fast" -- \
		"${within[@]}" sh -c '"$0" -d -n -T >&2; "$1" -l -s 3; "$0" -n -t & exec "$0" -n' "$BIN/probe" "$BIN/orphans"
	ready it 2
	find_fry
	kill -TERM "$fry"
	finish it
	assert_status 137
	nothing_left
}

# Set fry to fry-run's pid, as seen from here: a command that precedes fry-run may be its parent.
find_fry() {
	local name below
	descendants_read "$pid"
	for fry in "$pid" "${below[@]}"; do
		if name_read "$fry" && [[ $name == "${FRY_RUN##*/}" ]]; then return 0; fi
	done
	echo "fry-run is not among the descendants of $pid" >&2
	return 1
}

no_zombies() {
	local one children stat
	children_merge "$fry"
	for one in "${children[@]}"; do
		if stat_read "$one" && [[ $stat == Z* ]]; then return 1; fi
	done
}
