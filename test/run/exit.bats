# exit.bats - how fry-run ends: as COMMAND did, or with 124 to 127

# What is meant for sh is not to be expanded here.
# shellcheck disable=SC2016

# bats file_tags=core,posix,rounds
load ../lib/helper

# Run fry-run with its words in out and err, and its status in status.
fry() {
	"$FRY_RUN" "$@" >out 2>err && status=0 || status=$?
}

# fry-run could not execute this COMMAND, and says so in one line that names it and the reason.
cannot_execute() {
	local code=$1 why=$2
	shift 2
	fry "$@"
	assert_status "$code" && assert_lines out || return
	assert_lines err "fry-run: cannot execute ${*: -1}: $why"
}

# All statuses, or some of each kind.
statuses() {
	if [[ $(rounds 2 1) == 2 ]]; then seq 0 255; else printf '%s\n' 0 1 2 7 64 123 {124..130} 143 192 254 255; fi
}

# Every signal that ends a process unless it is handled.
deadly() {
	local signal
	for signal in {1..64}; do
		case $signal in
		17 | 18 | 19 | 20 | 21 | 22 | 23 | 28) ;; # CHLD CONT STOP TSTP TTIN TTOU URG WINCH
		*) echo "$signal" ;;
		esac
	done
}

# A core file is written to the working directory of the process that dumps it.
requires_core_files() {
	if [[ $(</proc/sys/kernel/core_pattern) == [!/\|]* ]] && ulimit -c unlimited &&
		core_dumped "$BIN/fresh" sh -c 'kill -QUIT $$'; then return; fi
	skip 'core files are not written to the working directory'
}

core_dumped() {
	"$@" || :
	compgen -G 'core*' >/dev/null && rm core*
}

# fry-run stands in the root directory.
cores_of_fry_run() {
	find / -maxdepth 1 -name 'core*' -newer mark -type f
}

executable() {
	mkdir -p "${1%/*}"
	printf '#!/bin/sh\necho "%s" "$@"\n' "$1" >"$1"
	chmod +x "$1"
}

# --- COMMAND's own

@test "fry-run exits with COMMAND's status, from 0 to 255" {
	for code in $(statuses); do
		fry "$BIN/probe" -e "$code"
		assert_status "$code"
	done
	assert_lines err
}

# bats test_tags=linux
@test "fry-run dies of each signal that COMMAND died of" {
	for signal in $(deadly); do
		assert_equal "$(ending_of "$BIN/probe" -k "$signal" -o unwrapped)" "died of $signal"
		assert_equal "$(ending_of "$FRY_RUN" "$BIN/probe" -k "$signal" -o wrapped)" "died of $signal"
	done
}

# bats test_tags=linux
@test "fry-run dies of COMMAND's signal though it was ignored and blocked at entry" {
	for signal in $(deadly); do
		assert_equal "$(ending_of "$BIN/fresh" -i "$signal" -b "$signal" "$FRY_RUN" \
			"$BIN/probe" -k "$signal" -o out)" "died of $signal"
	done
}

@test "fry-run dies of COMMAND's signal though another deadly one is pending" {
	start it "$FRY_RUN" sh -c 'echo ready $$; exec sleep 1000'
	ready it
	inner=$(inner_of "$pid")
	# The outer process first, since it would continue the inner one.
	kill -STOP "$pid"
	wait_prints T state_of "$pid"
	kill -STOP "$inner"
	wait_prints T state_of "$inner"
	kill -RTMIN+6 "${ready[0]}"
	wait_prints Z state_of "${ready[0]}"
	# The loop receives HUP first, and has no process left to forward it to. USR1 stays pending, and has a
	# lower number than RTMIN+6, so the kernel would deliver USR1 first.
	kill -HUP "$pid"
	kill -USR1 "$pid"
	kill -CONT "$pid" "$inner"
	finish it
	assert_status $((128 + $(kill -l RTMIN+6)))
}

@test "nested fry-runs exit and die as COMMAND did" {
	assert_equal "$(ending_of "$FRY_RUN" "$FRY_RUN" "$FRY_RUN" sh -c 'exit 42')" 'exited 42'
	assert_equal "$(ending_of "$FRY_RUN" "$FRY_RUN" "$FRY_RUN" sh -c 'kill -USR1 $$')" 'died of 10'
}

# bats test_tags=linux
@test "the status is COMMAND's, not an orphan's or a leftover's" {
	fry sh -c '"$0" -e 9 -d; "$0" -x TERM=8 -d; exit 7' "$BIN/probe"
	assert_status 7
	fry sh -c '"$0" -x TERM=8 -d -o orphan.out; kill -USR1 $$' "$BIN/probe"
	assert_status 138
	wait_line orphan.out TERM
}

@test "children that fry-run was started with do not change the status" {
	run bash -c 'true & (exit 5) & exec "$0" "$1" -e 7' "$FRY_RUN" "$BIN/probe"
	assert_status 7
}

# bats test_tags=linux
@test "only COMMAND dumps core" {
	requires_core_files
	for signal in QUIT ABRT SEGV; do
		touch -d '1 second ago' mark
		run "$BIN/fresh" "$FRY_RUN" sh -c "kill -$signal \$\$"
		assert_status $((128 + $(kill -l "$signal")))
		assert_equal "$(compgen -G 'core*' | wc -l)" 1
		assert_equal "$(cores_of_fry_run)" ''
		rm core*
	done
}

# bats test_tags=linux
@test "a core limit of 0 or PR_SET_DUMPABLE alone prevents a second core" {
	requires seccomp
	requires_core_files
	for denied in prctl prlimit64; do
		# The sanitizers' runtime does not come up without limits to ask for.
		"$BIN/deny" -e EPERM "$denied" -- "$FRY_RUN" -V || continue
		touch -d '1 second ago' mark
		run "$BIN/fresh" "$BIN/deny" -e EPERM "$denied" -- "$FRY_RUN" sh -c 'kill -QUIT $$'
		assert_status 131
		rm core*
		assert_equal "$(cores_of_fry_run)" ''
	done
}

@test "--status=code exits with 128 + N where COMMAND died of signal N" {
	for signal in $(deadly); do
		assert_equal "$(ending_of "$FRY_RUN" --status=code "$BIN/probe" -k "$signal" -o out)" \
			"exited $((128 + signal))"
	done
	fry --status=code sh -c 'exit 42'
	assert_status 42
}

@test "PID 1 exits with COMMAND's status, and with 128 + N where it died of signal N" {
	requires root pid-namespace
	for code in 0 1 42 255; do
		assert_equal "$(ending_of unshare -pf --mount-proc "$FRY_RUN" sh -c "exit $code")" "exited $code"
	done
	for signal in 1 2 3 6 9 10 11 13 15 32 33 34 64; do
		assert_equal "$(ending_of unshare -pf --mount-proc "$FRY_RUN" "$BIN/probe" -k "$signal" -o out)" \
			"exited $((128 + signal))"
	done
}

@test "PID 1 that cannot execute COMMAND exits with 127 or 126" {
	requires root pid-namespace
	for command in ./missing:127 /:126; do
		unshare -pf --mount-proc "$FRY_RUN" "${command%:*}" 2>err && status=0 || status=$?
		assert_status "${command#*:}"
	done
}

# --- -e

@test "-e: exit 0 where COMMAND's status is CODE; -e can be repeated" {
	for code in $(statuses); do
		fry -e $((code ^ 1)) -e "$code" -e $((code ^ 2)) "$BIN/probe" -e "$code"
		assert_status 0
	done
}

@test "-e leaves every other status as it is" {
	for code in 0 1 2 6 8 15 71 77 124 125 126 127 128 142 144 255; do
		fry -e 7 -e 143 sh -c "exit $code"
		assert_status "$code"
	done
}

@test "-e: death by signal N counts as 128 + N" {
	for signal in $(deadly); do
		fry -e $((128 + signal)) "$BIN/probe" -k "$signal"
		assert_status 0
		fry --status=code -e $((128 + signal)) "$BIN/probe" -k "$signal"
		assert_status 0
	done
}

@test "-e leaves death by another signal as it is" {
	assert_equal "$(ending_of "$FRY_RUN" -e 143 -e 15 sh -c 'kill -HUP $$')" 'died of 1'
	assert_equal "$(ending_of "$FRY_RUN" -e 15 sh -c 'kill -TERM $$')" 'died of 15'
}

@test "-e does not turn a COMMAND that cannot be executed into a success" {
	fry -e 127 -e 126 ./missing
	assert_status 127
	fry -e 127 -e 126 /
	assert_status 126
	fry -e 127 sh -c 'exit 127'
	assert_status 0
}

@test "-e does not turn a timeout into a success" {
	fry -e 124 -e 130 -e 143 -e 0 -t .05 sleep 1000
	assert_status 124
}

# --- 124 and 125

@test "a timeout exits 124, however COMMAND ends then" {
	fry -t .05 sleep 1000
	assert_status 124
	fry -t .05 "$BIN/probe" -x INT=0
	assert_status 124
	fry -t .05 "$BIN/probe" -x INT=7
	assert_status 124
	fry -t .05 -k .05 "$BIN/probe" -n
	assert_status 124
	fry --status=code -t .05 sleep 1000
	assert_status 124
}

@test "a COMMAND that ends before its timeout keeps its status" {
	fry -t 1h sh -c 'exit 7'
	assert_status 7
	fry -t 1h sh -c 'exit 124'
	assert_status 124
}

# bats test_tags=linux
@test "a timeout that expires during --leftover=stop does not change the status" {
	# The daemon takes TERM and stays until the KILL, when the timeout is long over.
	fry -t 3 -k 4 sh -c '"$0" -d -n -o daemon.out; exit 7' "$BIN/probe"
	assert_status 7
	assert_equal "$(count_lines daemon.out TERM)" 1
}

@test "where fork fails with EAGAIN or ENOMEM fry-run exits 125 and says why" {
	requires seccomp
	run "$BIN/deny" -e EAGAIN fork -- "$FRY_RUN" true
	assert_status 125
	assert_match "$output" 'fry-run: cannot fork: *limit on processes*'
	run "$BIN/deny" -e ENOMEM fork -- "$FRY_RUN" true
	assert_status 125
	assert_match "${output,,}" 'fry-run: cannot fork: *memory*'
}

@test "at RLIMIT_NPROC 0 fry-run exits 125" {
	requires root seccomp setpriv
	run "$BIN/deny" -u 0 -- setpriv --reuid 54321 --clear-groups "$FRY_RUN" true
	assert_status 125
	assert_match "$output" 'fry-run: cannot fork: *limit on processes*'
}

@test "a malformed option and a missing COMMAND exit 125" {
	fry -t x true
	assert_status 125
	fry
	assert_status 125
}

# bats test_tags=linux
@test "--leftover=fail exits 125 where a successful COMMAND leaves processes, and names them" {
	fry --leftover=fail sh -c '"$0" -d -o daemon.out; "$0" -d -o daemon.out' "$BIN/probe"
	assert_status 125
	ready daemon 2
	for one in "${ready[@]}"; do
		wait_line err "fry-run: left behind by COMMAND, sent TERM: process $one (*probe*)"
	done
	assert_equal "$(count_lines err '*')" 2
}

# bats test_tags=linux
@test "--leftover=fail keeps a failure and death by a signal" {
	fry --leftover=fail sh -c '"$0" -d -o daemon.out; exit 7' "$BIN/probe"
	assert_status 7
	assert_equal "$(ending_of "$FRY_RUN" --leftover=fail sh -c '"$0" -d -o daemon.out; kill -HUP $$' \
		"$BIN/probe" 2>err)" 'died of 1'
	fry --leftover=fail -t .1 sh -c '"$0" -d -o daemon.out; exec sleep 1000' "$BIN/probe"
	assert_status 124
}

# bats test_tags=linux
@test "--leftover=fail exits 0 without leftovers" {
	fry --leftover=fail sh -c 'sleep 0 & wait'
	assert_status 0
	assert_lines err
}

@test "--leftover=fail exits 125 where COMMAND's status is expected by -e" {
	fry --leftover=fail -e 7 sh -c '"$0" -d -o daemon.out; exit 7' "$BIN/probe"
	assert_status 125
}

# --- 126 and 127: a COMMAND that cannot be executed

@test "a missing COMMAND exits 127" {
	mkdir empty
	cannot_execute 127 'No such file or directory' ./missing
	cannot_execute 127 'No such file or directory' /missing/too
	cannot_execute 127 'No such file or directory' no-such-command-anywhere
	PATH=$PWD/empty cannot_execute 127 'No such file or directory' sh
}

@test "an empty COMMAND exits 127" {
	cannot_execute 127 'No such file or directory' ''
	PATH=:/bin cannot_execute 127 'No such file or directory' ''
}

@test "a COMMAND that is not executable exits 126" {
	echo true >plain
	cannot_execute 126 'Permission denied' ./plain
	PATH=$PWD cannot_execute 126 'Permission denied' plain
	ln -s loop loop
	PATH=$PWD fry loop
	assert_status 126
	assert_match "$(<err)" 'fry-run: cannot execute loop: *[Ss]ymbolic link*' # as libc words it
}

@test "a COMMAND that is a directory exits 126" {
	mkdir directory
	cannot_execute 126 'Permission denied' ./directory
	cannot_execute 126 'Permission denied' /
	PATH=$PWD cannot_execute 126 'Permission denied' directory
}

@test "a COMMAND below a plain file exits 126" {
	: >plain
	cannot_execute 126 'Not a directory' ./plain/command
}

@test "a COMMAND whose interpreter is missing exits 127" {
	printf '#!/no/such/interpreter\n' >script
	chmod +x script
	cannot_execute 127 'No such file or directory; it exists, but its interpreter does not' ./script
}

@test "a COMMAND in an unreadable directory exits 126" {
	requires root setpriv
	mkdir -m 700 secret
	chmod 755 .
	executable secret/command
	run setpriv --reuid 54321 --clear-groups "$BIN/probe" -e 0
	if [[ $status != 0 ]]; then skip 'the fixtures are out of reach of another user'; fi
	run setpriv --reuid 54321 --clear-groups "$FRY_RUN" secret/command
	assert_status 126
	assert_lines - 'fry-run: cannot execute secret/command: Permission denied'
}

@test "a COMMAND of unknown format is given to sh, as by env(1)" {
	printf '\177ELF\2\1\1' >alien
	head -c 100 /dev/zero >>alien
	chmod +x alien
	env ./alien 2>/dev/null && expected=0 || expected=$?
	fry ./alien
	assert_status "$expected"
}

@test "a COMMAND that is open for writing exits 126" {
	cp "$BIN/probe" busy
	exec 7>>busy
	cannot_execute 126 'Text file busy' ./busy
	exec 7>&-
}

@test "a COMMAND whose name is too long exits 126 with the reason" {
	long=$(printf '%05000d' 0)
	fry "./$long"
	assert_status 126
	assert_equal "$(wc -l <err)" 1
	assert_match "$(<err)" 'fry-run: cannot execute ./000*'
	# strerror(3) differs from libc to libc.
	assert_match "$(tr '[:upper:]' '[:lower:]' <err)" '*name too long'
}

@test "the status of a COMMAND that cannot be executed does not depend on a closed or full stderr" {
	"$FRY_RUN" ./missing 2>&- && status=0 || status=$?
	assert_status 127
	"$FRY_RUN" ./missing 2>/dev/full && status=0 || status=$?
	assert_status 127
	"$FRY_RUN" / 2>&- && status=0 || status=$?
	assert_status 126
}

@test "the status of a COMMAND that cannot be executed does not depend on a reader of stderr" {
	mkfifo pipe
	exec 7<>pipe
	exec 8>pipe 7>&-
	"$BIN/fresh" "$FRY_RUN" ./missing 2>&8 && status=0 || status=$?
	assert_status 127
	exec 7<>pipe
	# Full, when what must not block has no room any more.
	dd if=/dev/zero bs=64k count=64 oflag=nonblock of=pipe 2>/dev/null || :
	start it sh -c 'exec "$0" ./missing 2>pipe' "$FRY_RUN"
	finish it
	assert_status 127
	exec 7>&- 8>&-
}

# --- COMMAND is looked for as execvp(3) does

@test "a script without an interpreter line is run by sh, with its arguments" {
	echo 'echo "$0" "$#" "$@"; exit 7' >script
	chmod +x script
	fry ./script a '' 'b c'
	assert_status 7
	assert_lines out './script 3 a  b c'
	PATH=$PWD:$PATH fry -- script --
	assert_status 7
	assert_lines out "$PWD/script 1 --"
	fry -s ./script
	assert_lines out './script 0'
}

@test "an empty file is run by sh, and does nothing" {
	: >empty
	chmod +x empty
	fry ./empty
	assert_status 0
	assert_lines err
}

@test "PATH is searched in its order" {
	executable first/command
	executable second/command
	PATH=$PWD/none:$PWD/first:$PWD/second fry command
	assert_lines out "first/command"
	PATH=$PWD/second:$PWD/first fry command x
	assert_lines out "second/command x"
}

@test "the search of PATH passes over plain files, directories and missing directories" {
	executable last/command
	mkdir -p first second/command
	: >first/command
	: >file
	PATH=$PWD/first:$PWD/second:$PWD/file:$PWD/none:$PWD/last fry command
	assert_status 0
	assert_lines out last/command
}

@test "a COMMAND found on PATH but not executable exits 126" {
	mkdir -p first last
	: >first/command
	PATH=$PWD/first:$PWD/last cannot_execute 126 'Permission denied' command
	PATH=$PWD/last:$PWD/first cannot_execute 126 'Permission denied' command
}

@test "a COMMAND with a slash is not looked for along PATH" {
	executable bin/sub/command
	PATH=$PWD/bin cannot_execute 127 'No such file or directory' sub/command
}

@test "an empty element of PATH is the working directory" {
	executable ./command
	mkdir none
	for path in :none none: none::none : ''; do
		PATH=$path fry command
		assert_status 0
		assert_lines out ./command
	done
}

@test "an element of PATH may be relative, or end in a slash" {
	executable bin/command
	for path in bin bin/ ./bin//; do
		PATH=$path fry command
		assert_lines out bin/command
	done
}

@test "an element of PATH that is too long is skipped" {
	executable bin/command
	PATH=/$(printf '%05000d' 0):bin fry command
	assert_status 0
	assert_lines out bin/command
}

@test "without PATH the usual places are searched, and not the working directory" {
	executable ./mine
	for command in true:0 mine:127; do
		env -u PATH "$FRY_RUN" "${command%:*}" 2>err && status=0 || status=$?
		assert_status "${command#*:}"
	done
}

@test "COMMAND is called by the name that was given" {
	fry cat /proc/self/cmdline
	assert_equal "$(tr '\0' ' ' <out)" 'cat /proc/self/cmdline '
}
