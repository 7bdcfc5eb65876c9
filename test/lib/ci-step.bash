# ci-step.bash - steps of GitHub Actions, as its runner cancels them
# shellcheck shell=bash
#
# A test runs its step with fry-run and without, both at once, under the names with and without.
#
#   script NAME LINE...        write the step's script, NAME.sh
#   cancel [OPTION]... NAME WORD...
#                              run this as the step, and cancel it once it is ready: INT, 7.5 s, TERM,
#                              2.5 s, KILL; OPTION is one of runner.py; the timeline is NAME.out, what
#                              the step prints NAME.step
#   cancelled                  wait for both, show the timelines side by side
#   assert_over NAME GLOB...   the step was over before the runner's KILL; in its timeline these came
#                              in this order
#   assert_leaked NAME         it was not, and every task that had said `ready` still lives
#   assert_ended NAME          no such task lives

script() {
	local name=$1
	shift
	printf '%s\n' "$@" >"$name.sh"
}

cancel() {
	local options=()
	while [[ $1 == -* ]]; do
		options+=("$1" "$2")
		shift 2
	done
	local name=$1
	shift
	start "$name" python3 "$REPO/test/runner.py" --output "$name.step" \
		"${options[@]}" -- "$@"
}

cancelled() {
	finish with
	finish without
	{
		printf '%-46s%s\n' 'with fry-run' 'without'
		pr --merge --omit-header --width=92 with.out without.out
	} | expand | sed "s/^/#   /" >&3
}

tasks() {
	sed -n 's/^ready //p' "$1.step"
}

assert_over() {
	local name=$1 glob line i=0
	shift
	mapfile -t line <"$name.out"
	for glob in "$@" 'step over'; do
		# shellcheck disable=SC2053 # a glob is meant
		until [[ ${line[i]-} == *' s  '$glob ]]; do
			if ((++i < ${#line[@]})); then continue; fi
			printf '%s\n' "no '$glob', or not in this order:" "${line[@]}" >&2
			return 1
		done
	done
	assert_equal "$(count_lines "$name.out" '* KILL *')" 0 'KILL'
}

assert_leaked() {
	assert_equal "$(count_lines "$1.out" '* given up*')" 1 'given up'
	assert_match "$(tasks "$1")" '[0-9]*'
	# shellcheck disable=SC2046 # several
	alive $(tasks "$1")
}

assert_ended() {
	assert_match "$(tasks "$1")" '[0-9]*'
	# shellcheck disable=SC2046 # several
	gone $(tasks "$1")
}
