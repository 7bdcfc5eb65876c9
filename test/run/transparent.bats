# transparent.bats - COMMAND inherits everything as without fry-run, and fry-run keeps nothing open or awake

# What is meant for sh is not to be expanded here.
# shellcheck disable=SC2016

# Tests with the tag static are not for the sanitizers, whose runtime takes memory of its own.
# bats file_tags=posix,rounds
load ../lib/helper

# same [WORD]... -- COMMAND...: COMMAND prints the same with and without fry-run. WORDs precede it in both
# cases.
same() {
	local prefix=()
	while [[ $1 != -- ]]; do
		prefix+=("$1")
		shift
	done
	shift
	"${prefix[@]}" "$@" >unwrapped 2>&1 || echo "status $?" >>unwrapped
	"${prefix[@]}" "$FRY_RUN" "$@" >wrapped 2>&1 || echo "status $?" >>wrapped
	[ -s unwrapped ] && diff -a unwrapped wrapped
}

# both_have GLOB: both outputs have such a line, so that the comparison was not one of empty outputs.
both_have() {
	wait_line unwrapped "$1" && wait_line wrapped "$1"
}

# The lines of /proc/self/status that do not depend on the pid, the memory or the scheduling.
status_of_self='grep -Ev "^(Name|.*[Pp]id|.*[Tt]gid|NSpgid|NSsid|Vm.*|Rss.*|SigQ|.*_ctxt_switches):" /proc/self/status'

# Print the pids of fry-run's processes.
keepers_of() {
	echo "$1"
	inner_of "$1" 2>/dev/null || :
}

# wait_each GLOB COMMAND PID: wait until the output of COMMAND matches for each process of fry-run.
wait_each() {
	local glob=$1 command=$2 keeper
	for keeper in $(keepers_of "$3"); do
		wait_prints "$glob" "$command" "$keeper" || return
	done
}

# Print how often fry-run has gone to sleep, or was made to yield.
switches_of() {
	local keeper
	for keeper in $(keepers_of "$1"); do
		grep _ctxt_switches: "/proc/$keeper/status"
	done
}

# Print the system call in which a process sleeps, and with which arguments.
call_of() {
	cat "/proc/$1/syscall"
}

memory_of() {
	awk -v "name=$2:" '$1 == name { print $2 }' "/proc/$1/status"
}

cwd_of() {
	readlink "/proc/$1/cwd"
}

# Wait until fry-run has released what it inherited, and sleeps.
idle() {
	wait_each / cwd_of "$1"
	wait_each S state_of "$1"
	wait_until 'fry-run to come to rest' rests "$1"
}

# No process of fry-run has run for a moment.
rests() {
	local before
	before=$(switches_of "$1")
	pause .2
	[[ $(switches_of "$1") == "$before" ]]
}

# All signals, or some of each kind.
some_signals() {
	if [[ $(rounds 2 1) == 2 ]]; then seq 64; else printf '%s\n' 1 2 9 15 17 18 19 20 32 33 34 64; fi
}

# --- what COMMAND is given

@test "COMMAND gets the caller's arguments, whatever bytes they hold" {
	same -- printf '<%s>\n' a '' ' ' '  b ' $'c\nd' $'\e[31m' $'\xff\xfe\x80' 'ü' '*' '$(id)' "'" '"' \\ \
		-- -v --help = ''
	both_have '<--help>'
	arguments=()
	for number in {1..255}; do
		printf -v byte %b "\\x$(printf %x "$number")"
		arguments+=("$byte$byte")
	done
	same -- printf '<%s>' "${arguments[@]}"
}

@test "COMMAND's arguments are as many and as long as the kernel takes" {
	long=$(printf '%0131071d' 0)
	same -- sh -c 'echo "$# ${#1} ${#2}"' sh "$long" "$long"
	both_have '2 131071 131071'
	# shellcheck disable=SC2046 # many words
	same -- sh -c 'echo "$#"; printf "%s." "$@" | cksum' sh $(seq 20000)
	both_have 20000
}

@test "COMMAND's environment is the caller's, whatever it holds, in its order" {
	same env -i A= $'B=1\n2' $'C=\xff\x80' D== 'with space=1' Z=1 PATH=/nowhere LISTEN_FDS=3 LISTEN_PID=1 -- \
		/usr/bin/env -0
	same env -i -- /usr/bin/env -- /usr/bin/printf nothing
	same env FRY_RUN_OPTS='-s  -g' -- env -0
	same env -u _ -- env -0 # which bash sets to the name of what it starts
}

@test "COMMAND's working directory is the caller's, even one that was removed" {
	mkdir -p a/b
	cd a/b
	same -- readlink /proc/self/cwd
	both_have '*/a/b'
	cd ../..
	same sh -c 'mkdir gone; cd gone; rmdir ../gone; exec "$@"' sh -- readlink /proc/self/cwd
	both_have '*/gone (deleted)'
}

@test "COMMAND's umask is the caller's" {
	for mask in 0000 0022 0077 0357 0777; do
		same sh -c 'umask "$0"; exec "$@"' "$mask" -- sh -c umask
		both_have "$mask"
	done
}

# bats test_tags=static
@test "COMMAND's limits are the caller's" {
	requires prlimit
	same -- cat /proc/self/limits
	same prlimit --nofile=123:456 --core=0:1000 --stack=4194304 --fsize=1000000 --cpu=1000 --data=100000000 \
		--nproc=5000 --locks=50 --sigpending=100 --msgqueue=100 --rss=1000000 --memlock=8192 -- \
		cat /proc/self/limits
	both_have 'Max open files * 123 * 456 *'
}

@test "COMMAND's nice value, scheduling, processors and priority for the disk are the caller's" {
	requires chrt taskset ionice
	same nice -n 5 -- nice
	both_have 5
	for policy in --other --batch --idle; do
		same chrt "$policy" 0 -- sh -c 'chrt -p $$ | sed "s/.*: //"'
	done
	both_have SCHED_IDLE
	same taskset 1 -- sh -c 'taskset -p $$ | sed "s/.*: //"'
	both_have 1
	same ionice -c 3 -- ionice
	both_have idle
}

@test "COMMAND's scheduling is the caller's, the real-time policies too" {
	requires root chrt
	for policy in --fifo --rr; do
		chrt "$policy" 3 true || skip 'real-time scheduling is not permitted here'
		same chrt "$policy" 3 -- sh -c 'chrt -p $$ | sed "s/.*: //"'
		both_have 3
	done
}

@test "COMMAND's identity, capabilities and restrictions are the caller's" {
	same -- sh -c "$status_of_self"
	both_have 'SigIgn:*'
	requires root setpriv
	same setpriv --no-new-privs --bounding-set -sys_time --groups 5,6 --egid 7 --securebits +noroot -- \
		sh -c "$status_of_self"
	both_have NoNewPrivs:?1
}

@test "COMMAND's OOM score, core filter, cgroup, personality, namespaces and timer slack are the caller's" {
	same setarch -R sh -c 'echo 500 >/proc/self/oom_score_adj; echo 0x23 >/proc/self/coredump_filter; exec "$@"' sh -- \
		sh -c 'cd /proc/self; cat oom_score_adj coredump_filter cgroup personality; readlink root ns/*;
			cat /proc/$$/timerslack_ns'
	both_have 500
	both_have '00040000'
}

# --- descriptors

@test "COMMAND has the caller's descriptors and no others" {
	same "$BIN/fresh" -- "$BIN/probe" -F
	both_have 'open: 0 1 2'
	same "$BIN/fresh" -k 5,7,200,255 -- "$BIN/probe" -F 5</dev/null 7</dev/null 200</dev/null 255</dev/null
	both_have 'open: 0 1 2 5 7 200 255'
}

# bats test_tags=linux
@test "COMMAND has no additional descriptor with any option" {
	for option in -v -w -pTERM -t1h --pgroup=session --scope=tree; do
		FRY_RUN_OPTS=-s "$BIN/fresh" "$FRY_RUN" "$option" "$BIN/probe" -F -o open 2>err
	done
	assert_equal "$(sort -u open)" 'open: 0 1 2'
	assert_equal "$(count_lines open '*')" 6
}

@test "standard descriptors that are closed at entry are closed for COMMAND" {
	for closed in '' 0 1 2 0,1 0,2 1,2 0,1,2; do
		start -c "$closed" -k 9 it "$FRY_RUN" sleep 1000 9</dev/null
		has_all_but "$closed" 0 1 2 9
	done
}

@test "on a terminal standard descriptors that are closed at entry are closed for COMMAND" {
	for closed in '' 0 1 2 0,1 0,2 1,2 0,1,2; do
		start_tty it "$BIN/fresh" -c "$closed" "$FRY_RUN" sleep 1000
		wait_prints fry-run name_of_child "$pid"
		has_all_but "$closed" 0 1 2
		rm it.keys
	done
}

# COMMAND, a sleep below what was started last, has these descriptors but for those that are closed.
has_all_but() {
	local closed=$1 one sleeper expected=
	shift
	for one; do
		if [[ ,$closed, != *,$one,* ]]; then expected+=$one$'\n'; fi
	done
	wait_prints '*sleep' names_below "$pid"
	sleeper=$(descendants_of "$pid" | tail -n 1)
	# It may still have a library open.
	wait_prints "${expected%$'\n'}" descriptors_of "$sleeper" || return
	end "$sleeper" && wait_gone "$pid"
}

name_of_child() {
	name_of "$(children_of "$1")"
}

@test "COMMAND's status is known though the standard descriptors are closed" {
	for closed in 0 1 2 0,1 0,2 1,2 0,1,2; do
		"$BIN/fresh" -c "$closed" "$FRY_RUN" sh -c 'exit 7' && status=0 || status=$?
		assert_status 7
		"$BIN/fresh" -c "$closed" "$FRY_RUN" -vvw sh -c 'sleep 0 & exit 7' 2>err && status=0 || status=$?
		assert_status 7
	done
	wait_prints '' left_behind # by POSIX alone sleep(1) may outlive fry-run for a moment
}

@test "COMMAND's descriptors are the caller's open files: position and flags are shared" {
	seq 5 >numbers
	for _ in 1 2; do
		"$FRY_RUN" sh -c 'read number && echo "$number"'
	done <numbers >>out
	assert_lines out 1 2
	{
		"$FRY_RUN" dd bs=2 count=1 status=none
		cat
	} <numbers >out
	assert_lines out 1 2 3 4 5
	exec 5>>appended
	same -- sh -c 'readlink /proc/$$/fd/0 /proc/$$/fd/5; grep flags: /proc/$$/fdinfo/5'
	both_have '*/appended'
}

# --- signals

# bats test_tags=linux
@test "COMMAND's signal mask is the caller's, for each of the signals" {
	for signal in $(some_signals); do
		same "$BIN/fresh" -b "$signal" -- "$BIN/probe" -D
		if [[ $signal != @(9|19) ]]; then both_have "blocked: $signal"; fi
	done
	same "$BIN/fresh" -b "$(seq -s, 64)" -- "$BIN/probe" -D
	both_have 'blocked: 1 2 * 63 64'
}

# bats test_tags=linux
@test "COMMAND's dispositions are the caller's, for each of the signals" {
	for signal in $(some_signals); do
		same "$BIN/fresh" -i "$signal" -- "$BIN/probe" -D
		if [[ $signal != @(9|19) ]]; then both_have "ignored: $signal"; fi
	done
	same "$BIN/fresh" -i "$(seq -s, 64)" -b "$(seq -s, 64)" -- "$BIN/probe" -D
	both_have 'ignored: 1 2 * 63 64'
	same "$BIN/fresh" -- "$BIN/probe" -D
	both_have 'ignored:'
}

# bats test_tags=linux
@test "COMMAND's mask and dispositions are the caller's with any option" {
	some=$(seq -s, 2 3 64)
	"$BIN/fresh" -i "$some" -b "$some" "$BIN/probe" -D >unwrapped
	for option in -v -w -pTERM -t1h -rTERM:INT --pgroup=session --pgroup=inherit --leftover=wait; do
		"$BIN/fresh" -i "$some" -b "$some" "$FRY_RUN" "$option" "$BIN/probe" -D >wrapped 2>err
		both_have 'ignored: 2 5 8 *'
		diff unwrapped wrapped
	done
}

# bats test_tags=linux
@test "COMMAND's status is known though CHLD is ignored, or blocked, or both, at entry" {
	requires perl
	for state in '-i CHLD' '-b CHLD' '-i CHLD -b CHLD' "-i $(seq -s, 64) -b $(seq -s, 64)"; do
		# shellcheck disable=SC2086 # several words
		start $state it "$FRY_RUN" "$BIN/probe" -e 7
		finish it
		assert_status 7
		# shellcheck disable=SC2086 # several words
		start $state it "$FRY_RUN" "$BIN/probe" -k USR1
		finish it
		assert_status 138
		# Orphans are reaped, and the last one is waited for.
		# shellcheck disable=SC2086 # several words
		start $state it "$FRY_RUN" --leftover=wait "$BIN/orphans" 20
		finish it
		assert_status 0
	done
}

@test "orphans are reaped though CHLD is ignored at entry" {
	start -i CHLD it "$FRY_RUN" sh -c '"$0" 20; exec sleep 1000' "$BIN/orphans"
	wait_line it.out 'done'
	wait_prints '+([0-9])' children_of "$pid"
	assert_equal "$(name_of "$(children_of "$pid")")" sleep
	kill -TERM "$pid"
	finish it
	assert_status 143
}

@test "a signal that was pending before fry-run was executed reaches COMMAND" {
	requires perl
	start it perl -MPOSIX -e 'sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGUSR1, SIGHUP));
		kill $_ => $$ for SIGUSR1, SIGHUP; exec @ARGV' "$FRY_RUN" "$BIN/probe" -n
	wait_line it.out USR1
	wait_line it.out HUP
	ready it
	end "${ready[0]}" && wait_gone "$pid"
}

@test "an alarm set before fry-run was executed reaches a COMMAND that handles it" {
	requires perl
	# Blocked, so that it does not end perl where it comes too early.
	start it perl -MPOSIX -MTime::HiRes=ualarm -e 'sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGALRM));
		ualarm 300_000; exec @ARGV' "$FRY_RUN" "$BIN/probe" -n
	wait_line it.out ALRM
	ready it
	assert_lines it.out "ready ${ready[0]}" ALRM
	end "${ready[0]}" && wait_gone "$pid"
}

@test "an alarm set before fry-run was executed ends a COMMAND that does not handle it" {
	requires perl
	start it perl -e 'alarm 2; exec @ARGV' "$FRY_RUN" sleep 1000
	finish it
	assert_status 142
}

# --- variables that hold a process's number

@test "LISTEN_PID of fry-run becomes COMMAND's" {
	for variable in LISTEN_PID WATCHDOG_PID SYSTEMD_EXEC_PID; do
		run sh -c 'export "$0=$$"; exec "$@"' "$variable" "$FRY_RUN" \
			sh -c "echo \$$variable \$\$ \$PPID"
		read -r value command_pid fry_pid <<<"$output"
		assert_equal "$value" "$command_pid"
		[ "$value" != "$fry_pid" ]
	done
}

@test "LISTEN_PID, WATCHDOG_PID and SYSTEMD_EXEC_PID are rewritten together, in their order" {
	numbered='echo $$; exec env -i A=1 LISTEN_PID=$$ LISTEN_FDS=2 B=2 WATCHDOG_PID=$$ C= SYSTEMD_EXEC_PID=$$ D=4 "$@"'
	sh -c "$numbered" sh /usr/bin/env >unwrapped
	sh -c "$numbered" sh "$FRY_RUN" /usr/bin/env >wrapped
	command_pid=$(sed -n 's/^LISTEN_PID=//p' wrapped)
	[ "$command_pid" != "$(head -n 1 wrapped)" ]
	assert_equal "$(sed 1d wrapped)" "$(sed "1d; s/=$(head -n 1 unwrapped)\$/=$command_pid/" unwrapped)"
	both_have 'SYSTEMD_EXEC_PID=+([0-9])'
}

@test "LISTEN_PID of another process is not changed" {
	for value in 1 "$$" 999999999 99999999999999999999 '' 0 -1 x 12x; do
		same env LISTEN_PID="$value" LISTEN_FDS=1 LISTEN_PIDFDID=5 WATCHDOG_PID="$value" \
			SYSTEMD_EXEC_PID="$value" MY_LISTEN_PID="$value" -- env -0
	done
	run sh -c 'KNOWN=$$ LISTEN_PIDX=$$ XLISTEN_PID=$$ exec "$@"' sh "$FRY_RUN" \
		sh -c 'test "$LISTEN_PIDX $XLISTEN_PID" = "$KNOWN $KNOWN"'
	assert_status 0
}

@test "LISTEN_PIDFDID of fry-run is removed with LISTEN_PID" {
	run sh -c 'LISTEN_PIDFDID=5 LISTEN_PID=$$ exec "$@"' sh "$FRY_RUN" env
	assert_status 0
	assert_equal "$(grep -c '^LISTEN_PID=' <<<"$output")" 1
	assert_equal "$(grep -c '^LISTEN_PIDFDID=' <<<"$output")" 0
	run sh -c 'LISTEN_PIDFDID=5 LISTEN_PID=1 WATCHDOG_PID=$$ SYSTEMD_EXEC_PID=$$ exec "$@"' sh "$FRY_RUN" env
	assert_equal "$(grep -c '^LISTEN_PIDFDID=5$' <<<"$output")" 1
}

@test "nested fry-runs pass LISTEN_PID on to COMMAND" {
	run sh -c 'LISTEN_PID=$$ exec "$@"' sh "$FRY_RUN" "$FRY_RUN" sh -c 'test "$LISTEN_PID" = $$'
	assert_status 0
}

# --- what fry-run holds on to

@test "fry-run holds no descriptor but stderr" {
	exec 5</dev/null 6>file 200</dev/null 300</dev/null
	start -k 5,6,200 it "$FRY_RUN" "$BIN/probe"
	ready it
	wait_each 2 descriptors_of "$pid"
	end "${ready[0]}" && wait_gone "$pid"
	# Without fresh, which closes what is above 255.
	"$FRY_RUN" "$BIN/probe" >other.out 2>err 3>&- &
	pid=$!
	ready other
	wait_each 2 descriptors_of "$pid"
	assert_equal "$(readlink "/proc/$pid/fd/2")" "$PWD/err"
	[ -e "/proc/${ready[0]}/fd/300" ]
	end "${ready[0]}" && wait_gone "$pid"
}

@test "fry-run holds no descriptor where stderr is closed" {
	start -c 2 it "$FRY_RUN" "$BIN/probe"
	ready it
	wait_each '' descriptors_of "$pid"
	end "${ready[0]}" && wait_gone "$pid"
}

@test "fry-run holds no descriptor but stderr without close_range(2)" {
	requires seccomp
	exec 7</dev/null
	start -k 7 it "$BIN/deny" close_range -- "$FRY_RUN" "$BIN/probe"
	ready it
	wait_each 2 descriptors_of "$pid"
	end "${ready[0]}" && wait_gone "$pid"
}

@test "fry-run holds no descriptor but stderr without close_range(2) and /proc" {
	requires root seccomp
	unshare --mount true || skip 'mounts are not permitted here'
	exec 7</dev/null
	start -k 7 it unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' sh \
		"$BIN/deny" close_range -- "$FRY_RUN" "$BIN/probe"
	ready it
	wait_each 2 descriptors_of "$pid"
	end "${ready[0]}" && wait_gone "$pid"
}

@test "fry-run holds no descriptor but stderr after a walk over /proc" {
	start it "$FRY_RUN" -k 1h --scope=tree "$BIN/probe" -n -f 3
	ready it 4
	kill -USR1 "$pid"
	kill -TERM "$pid"
	wait_line it.out TERM 4
	idle "$pid"
	wait_each 2 descriptors_of "$pid"
	end "${ready[@]}" && wait_gone "$pid"
}

@test "fry-run's working directory is the root" {
	start it "$FRY_RUN" "$BIN/probe"
	ready it
	wait_each / cwd_of "$pid"
	assert_equal "$(cwd_of "${ready[0]}")" "$PWD"
	end "${ready[0]}" && wait_gone "$pid"
}

@test "fry-run does not keep a mount busy" {
	requires root
	mkdir mount
	unshare --mount true || skip 'mounts are not permitted here'
	# COMMAND is started in the mount, with a file of it as stdin, and leaves it.
	run unshare --mount sh -c '
		mount -t tmpfs none mount && : >mount/file && cd mount &&
		exec "$0" sh -c "cd / && exec </dev/null && until umount \"\$0\" 2>umount; do
			i=\$((i + 1)); test \$i -lt 12000 || exit 9; sleep .01; done" "$1" <file' \
		"$FRY_RUN" "$PWD/mount"
	assert_status 0
}

@test "a reader of COMMAND's stdout sees its end when COMMAND closes it and lives on" {
	mkfifo pipe
	start reader cat pipe
	start it sh -c 'exec "$0" sh -c "echo hello; exec >&-; exec sleep 1000" >pipe' "$FRY_RUN"
	finish reader
	assert_lines reader.out hello
	alive "$it_pid"
	kill -TERM "$it_pid"
	finish it
	assert_status 143
}

@test "a writer to COMMAND's stdin sees its end when COMMAND closes it and lives on" {
	mkfifo pipe
	start writer sh -c 'exec yes >pipe'
	start it sh -c 'exec "$0" sh -c "exec <&-; exec sleep 1000" <pipe' "$FRY_RUN"
	finish writer
	assert_status 141
	alive "$it_pid"
	kill -TERM "$it_pid"
	finish it
}

@test "a file lock that COMMAND gives up is free" {
	requires flock
	: >lock
	exec 7<lock
	flock 7
	start -k 7 it "$FRY_RUN" sh -c 'exec 7<&-; echo free; exec sleep 1000'
	exec 7<&-
	wait_line it.out free
	idle "$pid"
	flock --nonblock lock true
	kill -TERM "$pid"
	finish it
}

# --- what fry-run costs while nothing happens

@test "fry-run sleeps in one system call, without a timer" {
	start it "$FRY_RUN" "$BIN/probe" -n
	ready it
	idle "$pid"
	call_of "$pid" >/dev/null || skip '/proc tells no system calls here'
	# rt_sigtimedwait(set, info, timeout, size)
	wait_each '+([0-9]) * * 0x0 *' call_of "$pid"
	kill -USR1 "$pid"
	wait_line it.out USR1
	wait_each '+([0-9]) * * 0x0 *' call_of "$pid"
	# The timer is that of the stop, and so it does show.
	kill -TERM "$pid"
	wait_line it.out TERM
	wait_prints '+([0-9]) 0x* 0x* 0x[1-9a-f]* 0x*' call_of "$(keepers_of "$pid" | tail -n 1)"
	end "${ready[0]}" && wait_gone "$pid"
}

@test "fry-run never wakes while nothing happens" {
	start it "$FRY_RUN" "$BIN/probe" -n
	ready it
	idle "$pid"
	before=$(switches_of "$pid")
	start other sleep 1.5 # long enough for anything that is done once a second
	finish other
	assert_equal "$(switches_of "$it_pid")" "$before"
	# It is the right thing that was counted.
	kill -USR1 "$it_pid"
	wait_line it.out USR1
	idle "$it_pid"
	[ "$(switches_of "$it_pid")" != "$before" ]
	end "${ready[0]}" && wait_gone "$it_pid"
}

@test "fry-run never wakes between the steps of a stop or before a timeout" {
	start it "$FRY_RUN" -t 1h -k 1h "$BIN/probe" -n
	ready it
	kill -TERM "$pid"
	wait_line it.out TERM
	idle "$pid"
	before=$(switches_of "$pid")
	start other sleep 1.5
	finish other
	assert_equal "$(switches_of "$it_pid")" "$before"
	end "${ready[0]}" && wait_gone "$it_pid"
}

@test "fry-run does not wake for children and signals below COMMAND" {
	mkfifo pipe
	exec 7<>pipe
	start -k 7 it "$FRY_RUN" sh -c 'echo ready $$; read -r go <&7
		for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true; /bin/sh -c "kill -CONT $$"; done
		echo over; exec sleep 1000'
	ready it
	idle "$pid"
	before=$(switches_of "$pid")
	echo go >&7
	wait_line it.out over
	wait_prints sleep name_of "${ready[0]}"
	assert_equal "$(switches_of "$pid")" "$before"
	kill -TERM "$pid"
	finish it
}

# bats test_tags=static
@test "fry-run's processes each have at most 1 MiB resident and 64 KiB of their own" {
	start it "$FRY_RUN" "$BIN/probe" -n
	ready it
	idle "$pid"
	for keeper in $(keepers_of "$pid"); do
		echo "resident: $(memory_of "$keeper" VmRSS) KiB, of which its own: $(memory_of "$keeper" RssAnon) KiB"
		(($(memory_of "$keeper" VmRSS) <= 1024))
		(($(memory_of "$keeper" RssAnon) <= 64))
	done
	end "${ready[0]}" && wait_gone "$pid"
}

# bats test_tags=static
@test "fry-run does not grow with what it reaps and forwards" {
	start it "$FRY_RUN" sh -c '"$0" 500; exec "$1" -n' "$BIN/orphans" "$BIN/probe"
	ready it
	for i in {1..20}; do
		kill -USR1 "$pid"
		wait_line it.out USR1 "$i"
	done
	idle "$pid"
	for keeper in $(keepers_of "$pid"); do
		(($(memory_of "$keeper" RssAnon) <= 64))
	done
	end "${ready[0]}" && wait_gone "$pid"
}
