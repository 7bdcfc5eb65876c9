# agents.bats - CI agents that end a job: GitLab's and GitHub's runner, Jenkins

# shellcheck disable=SC2016,SC2034,SC2154 # what stands in single quotes is for other shells; start sets pids; what compares reads hears

# bats file_tags=linux

load ../lib/helper
load callers

in_python() { caller /usr/bin/python3 "$REPO/test/callers/call.py" "$@"; }

@test "GitLab's runner brings TERM to each process as often as without fry-run" {
	hears=(command child)
	fresh 5 TERM in_python gitlab
}

@test "GitLab's runner brings TERM to each process as often as without fry-run with -p TERM" {
	hears=(command child)
	options+=(-p TERM)
	fresh 10 TERM in_python gitlab
}

# --- GitHub: INT for the process of the step alone, and KILL for what has the tracking ID when the job is over

@test "GitHub's runner brings INT to COMMAND as often as without fry-run" {
	options+=(--single-child)
	hears=(command)
	compare 10 INT in_python step
}

# step [WORD]...: it leaves two daemons behind, one of which has no tracking ID, and the job is over.
step() {
	RUNNER_TRACKING_ID=github_$PWD start step "$@" sh -c \
		'"$0" -d -o marked; env -u RUNNER_TRACKING_ID "$0" -d -o unmarked' "$BIN/probe"
	finish step
	assert_status 0
	"$BIN/sweep" -e "RUNNER_TRACKING_ID=github_$PWD" KILL $$
}

@test "after fry-run GitHub's sweep over RUNNER_TRACKING_ID finds nothing, and nothing lives on" {
	step
	wait_gone "$(pid_in marked)"
	end "$(pid_in unmarked)"
	rm marked unmarked
	step "$FRY_RUN" --
	nothing_left
}

# --- Jenkins: TERM for each process that has the cookie, children first; it waits until each is gone

# end_next NAME PID: it has had TERM, and a marker that goes to PID; then it ends.
end_next() {
	wait_line "$1" TERM
	kill -HUP "$2"
	wait_line "$1" HUP
	sed '/^ready\|^CHLD/d' "$1" >"$1.heard"
	end "$(pid_in "$1")"
}

play_jenkins() {
	tree_start "$1" in_python jenkins
	echo TERM 1<>calls
	end_next session "$(pid_in session)"
	end_next child "$(pid_in child)"
	end_next command "$top"
	wait_line caller.out sent
	end "$caller_pid"
}

@test "Jenkins brings TERM to each process as often as without fry-run, while it waits for each" {
	both play_jenkins
}

# A script that looks for the processes and starts kill(1) for each.
in_script() {
	cat >script <<-'END'
		"$@" &
		while read -r signal; do
			below() { for one in $(ps -o pid= --ppid "$1"); do echo "$one"; below "$one"; done; }
			for pid in $! $(below $!); do /bin/kill "-$signal" "$pid"; done
			echo sent
		done
	END
	caller bash script "$@"
}

@test "a script that starts kill(1) brings TERM to each process as often as without fry-run" {
	compare 10 TERM in_script
}
