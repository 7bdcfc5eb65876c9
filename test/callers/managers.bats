# managers.bats - programs that run and stop commands: concurrently, nodemon, pm2, GNU parallel

# shellcheck disable=SC2034,SC2154,SC2317 # start sets pids; what compares reads hears, and calls call

# bats file_tags=linux

load ../lib/helper
load callers

teardown_more() {
	[[ ! -e $BATS_TEST_TMPDIR/pm2 ]] || PM2_HOME=$BATS_TEST_TMPDIR/pm2 pm2 kill >/dev/null
}

# --- concurrently: the other command is over, or it is signalled itself

in_concurrently() { start caller concurrently --raw "$*"; }

beside_another() {
	rm -f go
	mkfifo go
	start caller concurrently --raw --kill-others "$*" 'read line <go'
}

@test "concurrently --kill-others brings TERM to each process as often as without fry-run" {
	call() { echo 1<>go >&1; }
	fresh 5 TERM beside_another
}

@test "concurrently passes INT and TERM on to each process as often as without fry-run" {
	call() { kill "-$1" "$caller_pid"; }
	for signal in INT TERM; do fresh 3 $signal in_concurrently; done
}

# --- nodemon: `rs` restarts, with USR2 for each process

in_nodemon() {
	caller nodemon --watch started --exec "$*"
}

@test "nodemon's restart brings USR2 to each process as often as without fry-run" {
	call() { echo rs 1<>calls; }
	fresh 5 USR2 in_nodemon
}

@test "a server in node tidies up upon nodemon's USR2" {
	call() { echo rs 1<>calls; }
	tidies 3 USR2 in_nodemon
	wait_prints '' left_pids # it has started the server again, which exits
}

# --- pm2: INT for each process, KILL after a time

in_pm2() {
	export PM2_HOME=$BATS_TEST_TMPDIR/pm2
	cat >run <<-END
		#!/bin/sh
		exec $*
	END
	chmod +x run
	if [[ -e $PM2_HOME ]]; then pm2 delete all >/dev/null; fi
	pm2 start ./run --name it --interpreter none --no-autorestart --kill-timeout 7200000 >pm2.out
}

@test "pm2 stop brings INT to each process as often as without fry-run" {
	call() { start caller pm2 stop it; } # it waits for the end of all
	fresh 5 INT in_pm2
}

@test "a server in node tidies up upon pm2 stop" {
	call() { start caller pm2 stop it; } # it waits for the end of all
	tidies 3 INT in_pm2
}

# --- GNU parallel: signals the process group of each job

in_parallel() {
	rm -f go
	mkfifo go
	start caller parallel --will-cite --jobs 2 --halt now,fail=1 --termseq TERM,7200000,KILL,25 ::: \
		"$*" 'read line <go; false'
}

@test "parallel --halt now brings TERM to each process as often as without fry-run" {
	hears=(command child)
	call() { echo 1<>go >&1; }
	fresh 5 TERM in_parallel
}

@test "parallel that gets TERM brings TERM to each process as often as without fry-run" {
	hears=(command child)
	call() { kill -TERM "$caller_pid"; }
	fresh 5 TERM in_parallel
}

@test "parallel --timeout brings TERM to each process as often as without fry-run" {
	hears=(command child)
	in_parallel() { start caller parallel --will-cite --timeout 5 --termseq TERM,7200000,KILL,25 ::: "$*"; }
	call() { :; }
	fresh 1 TERM in_parallel
}
