# silent.bats - orphans that end without SIGCHLD, as those made with CLONE_AUTOREAP do since Linux 7.1

# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for other shells; start sets pids

# bats file_tags=linux

load ../lib/helper

# fry-run, linked with silent.c: it gets no SIGCHLD for an exit with status 77.
silent=${FRY_RUN%/*}/silent

# An orphan that ends when the FIFO is written to. It ignores TERM.
orphan='trap "" TERM; echo ready $$ >orphan.out; read -r go <go; exit 77'

setup_more() {
	mkfifo go
}

# only_orphan_left PARENT: wait until the orphan is there, and nothing else below PARENT.
only_orphan_left() {
	wait_line orphan.out 'ready *'
	wait_prints "$(sed -n 's/^ready //p' orphan.out)" descendants_of "$1"
}

@test "--leftover=wait ends after an orphan that sends no SIGCHLD" {
	start it "$silent" --leftover=wait -- sh -c 'sh -c "$0" & exit 3' "$orphan"
	wait_line orphan.out 'ready *'
	only_orphan_left "$(inner_of "$it_pid")"
	echo >go
	finish it
	assert_status 3
}

@test "a stop ends after an orphan that sends no SIGCHLD" {
	start it "$silent" --stop=TERM/2h/KILL -- \
		sh -c 'sh -c "$0" & trap "exit 4" TERM; echo ready $$; wait' "$orphan"
	ready it
	wait_line orphan.out 'ready *'
	kill -TERM "$it_pid"
	only_orphan_left "$(inner_of "$it_pid")"
	echo >go
	finish it
	assert_status 4
}

@test "with --no-guard a run ends after an orphan that sends no SIGCHLD" {
	start it "$silent" --no-guard --leftover=wait -- sh -c 'sh -c "$0" & exit 3' "$orphan"
	only_orphan_left "$it_pid"
	echo >go
	finish it
	assert_status 3
}
