# ci-step.bats - GitHub Actions cancels a step: INT to one process, then TERM, then KILL

# bats file_tags=programs
load ../lib/helper
load ../lib/ci-step

setup_more() {
	requires python3
}

# A step without fry-run leaves processes behind, as expected: kill them at the end of the test.
teardown_more() {
	if [[ -e without.step ]]; then
		# shellcheck disable=SC2046 # several
		end $(tasks without)
	fi
}

@test "a cancelled CI step that execs fry-run ends with its task" {
	script with "exec '$FRY_RUN' -- '$BIN/probe'"
	script without "'$BIN/probe'"
	cancel with bash -e with.sh
	cancel without bash -e without.sh
	cancelled

	assert_over with 'INT sent' 'process died of INT'
	assert_ended with
	assert_equal "$(count_lines with.step INT)" 1 'INT heard'

	assert_leaked without
	assert_lines without.step "ready $(tasks without)"
}

@test "fry-run as the shell of a CI step reaches the task below bash" {
	script step "'$BIN/probe'" "echo 'the line after'"
	cancel with "$FRY_RUN" -- bash -e step.sh
	cancel without bash -e step.sh
	cancelled

	assert_over with 'INT sent' 'process died of INT'
	assert_ended with
	assert_equal "$(count_lines with.step INT)" 1 'INT heard'
	assert_equal "$(count_lines with.step 'the line after')" 0 'a cancelled script goes on'

	assert_leaked without
}

@test "a task in a process group of its own ends with the cancelled CI step" {
	script step 'set -m' "'$BIN/probe' &" wait
	cancel with "$FRY_RUN" -- bash -e step.sh
	cancel without bash -e step.sh
	cancelled

	assert_over with 'INT sent' 'process *'
	assert_ended with
	assert_equal "$(count_lines with.step TERM)" 1 'TERM heard'

	assert_leaked without
}

@test "a task in a session of its own ends by the CI runner's TERM" {
	script step "'$BIN/probe' -S"
	cancel with "$FRY_RUN" -- bash -e step.sh
	cancel without bash -e step.sh
	cancelled

	assert_over with 'INT sent' 'TERM sent' 'process *'
	assert_ended with
	assert_equal "$(count_lines with.step INT)" 0 'INT heard'
	assert_equal "$(count_lines with.step TERM)" 1 'TERM heard'

	assert_leaked without
}

@test "--scope=tree forwards the CI runner's INT to a task in a session of its own" {
	script step "'$BIN/probe' -S -l \"\$1\""
	cancel with "$FRY_RUN" --scope=tree -- bash -e step.sh with.lock
	cancel without bash -e step.sh without.lock
	cancelled

	assert_over with 'INT sent' 'process *'
	assert_ended with
	assert_equal "$(count_lines with.step INT)" 1 'INT heard'
	[ ! -e with.lock ]

	assert_leaked without
	[ -e without.lock ]
}

@test "a task that removes its lock upon INT has removed it when the CI step is over" {
	script step "'$BIN/probe' -l \"\$1\" -x INT=1"
	cancel with "$FRY_RUN" -- bash -e step.sh with.lock
	cancel without bash -e step.sh without.lock
	cancelled

	assert_over with 'INT sent' 'process *'
	assert_ended with
	[ ! -e with.lock ]

	assert_leaked without
	[ -e without.lock ]
}

# One in the foreground, one in the background, a daemon.
@test "tasks that ignore INT and TERM are gone before the runner's KILL, and not before fry-run's" {
	script step "'$BIN/probe' -n -d" "'$BIN/probe' -n &" "'$BIN/probe' -n"
	cancel --ready 3 with "$FRY_RUN" --stop=INT/5s/TERM/2s/KILL -- bash -e step.sh
	cancel --ready 3 without bash -e step.sh
	cancelled

	assert_over with 'INT sent' 'process *'
	at_least "$(sed -n 's/^ *\([0-9]*\)\.\([0-9]*\) s  process .*/\1\2/p' with.out)" 7000
	assert_ended with
	assert_equal "$(tasks with | wc -l)" 3
	(($(count_lines with.step TERM) >= 3)) # each; the runner's own may come on top

	assert_leaked without
	assert_equal "$(tasks without | wc -l)" 3
}
