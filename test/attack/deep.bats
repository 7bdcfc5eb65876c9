# deep.bats - cgroups in cgroups, deeper than a stack or a path

# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for other shells; start sets pids

# bats file_tags=rounds

load attack.bash

# A cgroup of the test's own.
setup_more() {
	requires root cgroup2
	job=$(cgroup2_own)/fry-attack-$$-$BATS_TEST_NUMBER
	mkdir "$job"
	length=1 # of their names
	inside=(sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$job")
}

teardown_more() {
	local leaf
	[[ -e ${job-} ]] || return 0
	echo 1 >"$job/cgroup.kill"
	wait_prints '*populated 0*' cat "$job/cgroup.events"
	for leaf in "$job"/fry-run-*; do
		[[ -e $leaf ]] || continue
		"$BIN/nest" -r "$leaf" "$length"
		rmdir "$leaf"
	done
	rmdir "$job"
}

# nest DEPTH [WORD]...: fry-run, preceded by WORDs, with a COMMAND that makes cgroups in its own.
nest() {
	local depth=$1
	shift
	run "${inside[@]}" "$@" "$FRY_RUN" --cgroup=new -- sh -c \
		'exec "$0" "$1$(sed -n "s/^0:://p" /proc/self/cgroup)" '"$depth $length"' "$2" -e 7' \
		"$BIN/nest" "$(awk '$(NF - 2) == "cgroup2" { print $5; exit }' /proc/self/mountinfo)" "$BIN/probe"
	assert_status 7
	assert_match "$output" 'ready *'
	assert_equal "$(find "$job" -mindepth 1 -maxdepth 1 -type d)" '' 'cgroups that are left'
}

@test "cgroups that are hundreds deep in each other are removed, and the status is COMMAND's" {
	nest "$(rounds 1100 300)"
}

@test "cgroups in each other whose path is too long are removed" {
	length=$(rounds 1 200)
	nest "$(rounds 2500 25)"
}

@test "100 cgroups in each other are removed with a small stack" {
	nest 100 prlimit --stack=262144:262144
}
