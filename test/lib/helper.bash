# helper.bash - what every test stands on; a .bats file begins with `load helper`
# shellcheck shell=bash
#
# FRY_RUN	the binary under test; from the environment, or the one at the top of the tree
# BIN		where the fixtures are (probe, pty, deny, fresh, orphans, bomb: see their sources)
#
# Every test stands in a directory of its own, reads nothing from stdin, and fails if a process that
# it started is left when it ends. A file may define setup_more and teardown_more, never setup or
# teardown.
#
# Starting and ending
#   start [FRESH-OPTION VALUE]... NAME COMMAND...  run in the background, from a clean state (see
#                              fresh.c), into NAME.out and NAME.err; sets pid and NAME_pid; COMMAND
#                              has been executed when it returns
#   start_tty NAME COMMAND...  the same on a (dumb) terminal of its own; NAME.out is its screen,
#                              pid is pty's
#   keys NAME TEXT             type TEXT there, escapes as in printf %b: '\003' is Ctrl-C
#   ready NAME [N]             wait for N (1) lines `ready PID` in NAME.out; sets ready=(PID...)
#   finish NAME                wait until it has ended; sets status, 128+N where it died of signal N
#   end PID...                 kill -9, and wait until they are gone
#   end_bomb                   end what bomb has started, and wait until it is gone
#
# Waiting: 10 s at most, then the test fails naming what was waited for
#   wait_until WHAT COMMAND... until COMMAND succeeds
#   wait_line FILE GLOB [N]    until N (1) lines match the whole of GLOB: 'TERM', 'TERM from *'
#   wait_prints GLOB COMMAND.. until the whole of what it prints matches: '!(*sleep*)' is none
#   wait_gone PID...           until all of them are gone
#
# Looking
#   alive PID... / gone PID... all of them; a zombie is gone, unless one of its threads lives
#   look_at PID                set state, parent, group, session, tty, foreground
#   state_of PID               print its state, a letter as in ps(1)
#   children_of PID            print the pids of its children, zombies too, one a line; fry-run and
#                              its inner process count as one
#   inner_of PID               print the pid of fry-run's inner process, or PID if there is none
#   descendants_of PID         the same, with theirs
#   name_of PID                print its name
#   count_lines FILE GLOB      print how many lines match
#   names_below PID            print the names of its descendants
#   left_pids                  print the pids of what this test started and is alive
#   left_behind                print their pids, names and states
#   cgroup2_own                print the directory of the cgroup v2 that the test is in
#   now                        print milliseconds, for lower bounds
#
# Asserting
#   assert_equal ACTUAL EXPECTED [WHAT]
#   assert_status N            of what run or finish has left in status
#   assert_lines FILE LINE...  FILE holds these lines and no others; - is $output
#   assert_match TEXT GLOB     TEXT, the whole of it, matches
#   bomb_gone                  nothing of bomb is left, exact where /proc is too slow (see bomb.c)
#   at_least MS LIMIT          a time that was measured is no less
#   nothing_left               no process that this test started is alive at this very moment
#
# Skipping; where CI is set, what is missing fails instead
#   requires WHAT...           a tool in PATH; or root, pid-namespace, user-namespace, cgroup2
#                              (leaves can be made below one's own), seccomp

bats_require_minimum_version 1.5.0

REPO=${BATS_TEST_DIRNAME%/test/*}
BIN=$REPO/test/bin
FRY_RUN=${FRY_RUN:-$REPO/fry-run}
[[ $FRY_RUN == /* ]] || FRY_RUN=$PWD/$FRY_RUN # tests stand elsewhere
WAIT_LIMIT=10

setup() {
	if [[ ! -x $BIN/bomb ]]; then
		echo "the fixtures are not built: $BIN" >&2
		return 1
	fi
	cd "$BATS_TEST_TMPDIR" || return
	exec </dev/null
	# Processes are found by this word in their environment: unique, as the directory is.
	export FRY_TEST=$BATS_TEST_TMPDIR
	if declare -F setup_more >/dev/null; then setup_more; fi
}

teardown() {
	local failed=0
	if declare -F teardown_more >/dev/null; then teardown_more || failed=1; fi
	nothing_left || failed=1
	end_bomb || failed=1
	wait_until 'what was left behind to die' left_behind_killed || failed=1
	return "$failed"
}

# --- starting and ending

start() {
	local options=()
	while [[ $1 == -* ]]; do
		options+=("$1" "$2")
		shift 2
	done
	local name=$1
	shift
	: >"$name.out"
	: >"$name.err"
	"$BIN/fresh" "${options[@]}" -- "$@" <&0 >"$name.out" 2>"$name.err" &
	pid=$!
	printf -v "${name}_pid" %s "$pid"
	wait_until "$name to be executed" executed "$pid"
}

# Neither this shell's copy nor fresh any more.
executed() {
	local now=() shell=()
	{ mapfile -d '' -t now <"/proc/$1/cmdline"; } 2>/dev/null || return 0
	mapfile -d '' -t shell <"/proc/$$/cmdline"
	[[ ${now[*]} != "${shell[*]}" && ${now[0]-} != "$BIN/fresh" ]]
}

start_tty() {
	local name=$1
	shift
	mkfifo "$name.keys"
	# Open for both, so that neither end waits for the other and the terminal sees no end of file.
	TERM=dumb start "$name" "$BIN/pty" "$@" <>"$name.keys"
}

keys() {
	printf %b "$2" 1<>"$1.keys"
}

ready() {
	local word number
	wait_line "$1.out" 'ready [0-9]*' "${2:-1}" || return
	ready=()
	while read -r word number; do
		if [[ $word == ready ]]; then ready+=("${number%$'\r'}"); fi
	done <"$1.out"
}

finish() {
	local name=${1}_pid
	wait_gone "${!name}" || return
	wait "${!name}" && status=0 || status=$?
}

end() {
	kill -KILL "$@" 2>/dev/null || :
	wait_gone "$@"
}

end_bomb() {
	[[ -e bomb.lock ]] || return 0
	local lock
	exec {lock}<bomb.lock
	rm bomb.lock
	wait_until 'the bomb to end' flock --nonblock "$lock"
	exec {lock}<&-
}

# --- waiting

wait_until() {
	local what=$1 never step=.001 limit
	local -
	set +T # the trace that bats keeps of every command would cost half a processor here
	shift
	if "$@"; then return 0; fi
	limit=$((${EPOCHREALTIME/[.,]/} + WAIT_LIMIT * 1000000))
	exec {never}<> <(:) # nothing ever comes from here: reading it is a sleep without a process
	until "$@"; do
		if ((${EPOCHREALTIME/[.,]/} > limit)); then
			exec {never}>&-
			echo "waited $WAIT_LIMIT s for $what: $*" >&2
			return 1
		fi
		read -r -t "$step" -u "$never" || :
		step=.01
	done
	exec {never}>&-
}

wait_line() {
	if wait_until "'$2' in $1" has_lines "$@"; then return 0; fi
	if [[ -e $1 ]]; then sed "s|^|$1: |" "$1" >&2; fi
	return 1
}

has_lines() {
	matches "$1" "$2"
	((matched >= ${3:-1}))
}

wait_prints() {
	local glob=$1
	shift
	wait_until "$* to print '$glob'" prints "$glob" "$@"
}

prints() {
	local glob=$1
	shift
	# shellcheck disable=SC2053 # a glob is meant
	[[ $("$@") == $glob ]]
}

wait_gone() {
	wait_until "$* to be gone" gone "$@"
}

# --- looking

alive() {
	local one
	for one; do
		if gone "$one"; then return 1; fi
	done
}

gone() {
	local state parent group session tty foreground one tasks
	for one; do
		look_at "$one" || continue
		[[ $state == [ZX] ]] || return 1
		tasks=("/proc/$one/task/"*)
		((${#tasks[@]} < 2)) || return 1
	done
}

look_at() {
	local stat=
	{ read -r -d '' stat <"/proc/$1/stat"; } 2>/dev/null || :
	# shellcheck disable=SC2034 # for the tests
	read -r state parent group session tty foreground _ <<<"${stat##*) }"
	if [[ $(name_of "$parent") == fry-inner ]]; then
		parent=$(outer_of "$parent")
	fi
	[[ $stat ]]
}

# With its guard fry-run is two processes, which count as one for who is below whom.
inner_of() {
	local child
	for child in $(direct_children_of "$1"); do
		if [[ $(name_of "$child") == fry-inner ]]; then
			echo "$child"
			return
		fi
	done
	echo "$1"
}

outer_of() {
	local stat
	{ read -r -d '' stat <"/proc/$1/stat"; } 2>/dev/null || :
	read -r _ stat _ <<<"${stat##*) }"
	echo "$stat"
}

state_of() {
	(look_at "$1" && echo "$state")
}

children_of() {
	local child
	for child in $(direct_children_of "$1"); do
		if [[ $(name_of "$child") == fry-inner ]]; then
			direct_children_of "$child"
		else
			echo "$child"
		fi
	done
}

direct_children_of() {
	local task children child
	for task in "/proc/$1/task/"*; do
		children=
		{ read -r children <"$task/children"; } 2>/dev/null || :
		for child in $children; do echo "$child"; done
	done
}

descendants_of() {
	local - child
	set +T # as in wait_until
	for child in $(children_of "$1"); do
		echo "$child"
		descendants_of "$child"
	done
}

name_of() {
	local name
	{ read -r name <"/proc/$1/comm"; } 2>/dev/null && echo "$name"
}

names_below() {
	local one
	for one in $(descendants_of "$1"); do name_of "$one" || :; done
}

# Set matched to the number of lines that match.
matches() {
	local line
	matched=0
	[[ -e $1 ]] || return 0
	while read -r line || [[ $line ]]; do
		line=${line%$'\r'} # as a terminal ends it
		# shellcheck disable=SC2053 # a glob is meant
		if [[ $line == $2 ]]; then ((++matched)); fi
	done <"$1"
}

count_lines() {
	local matched
	matches "$@"
	echo "$matched"
}

# In any thread, since a main thread that is gone hides the mark. A subshell that executed nothing
# has none; but bats does not end before it.
left_pids() {
	local mark=FRY_TEST=$FRY_TEST
	(
		unset FRY_TEST # who looks does not count
		grep -lszxF "$mark" /proc/[0-9]*/task/[0-9]*/environ | cut -d/ -f3 | sort -nu
	)
}

left_behind() {
	local -
	set +T # as in wait_until
	local one
	for one in $(left_pids); do
		if alive "$one"; then echo "$one $(name_of "$one") $(state_of "$one")"; fi
	done
	if ! bomb_gone; then echo 'a bomb'; fi
}

# Exact, where looking for pids is too slow: see bomb.c.
bomb_gone() {
	[[ ! -e bomb.lock ]] || flock --nonblock bomb.lock true
}

left_behind_killed() {
	local -
	set +T # as in wait_until
	local one clear=0
	for one in $(left_pids); do
		gone "$one" && continue
		kill -KILL "$one" 2>/dev/null || :
		clear=1
	done
	return "$clear"
}

now() {
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# --- asserting

assert_equal() {
	if [[ $1 == "$2" ]]; then return 0; fi
	printf '%s\n  expected: %s\n  actual:   %s\n' "${3:-not equal}" "$2" "$1" >&2
	return 1
}

assert_status() {
	if [[ $status == "$1" ]]; then return 0; fi
	printf 'status\n  expected: %s\n  actual:   %s\n' "$1" "$status" >&2
	if [[ ${output-} ]]; then echo "$output" >&2; fi
	return 1
}

assert_lines() {
	local file=$1 actual expected
	shift
	if [[ $file == - ]]; then actual=$output; else actual=$(<"$file"); fi
	printf -v expected '%s\n' "$@"
	if (($# == 0)); then expected=; fi
	assert_equal "$actual" "${expected%$'\n'}" "lines of $file"
}

assert_match() {
	# shellcheck disable=SC2053 # a glob is meant
	if [[ $1 == $2 ]]; then return 0; fi
	printf 'no match\n  expected: %s\n  actual:   %s\n' "$2" "$1" >&2
	return 1
}

at_least() {
	if (($1 >= $2)); then return 0; fi
	echo "only $1 ms, not $2" >&2
	return 1
}

nothing_left() {
	local left
	left=$(left_behind)
	if [[ -z $left ]]; then return 0; fi
	echo "left behind: $left" >&2
	return 1
}

# --- skipping

requires() {
	local what
	for what; do
		if available "$what"; then continue; fi
		if [[ ${CI-} ]]; then
			echo "$what is missing, and nothing may be skipped in CI" >&2
			return 1
		fi
		skip "$what is missing"
	done
}

available() {
	case $1 in
	root) ((EUID == 0)) ;;
	pid-namespace) unshare --pid --fork true ;;
	user-namespace) unshare --user true ;;
	seccomp) "$BIN/deny" getsid -- true ;;
	cgroup2) cgroup2_writable ;;
	*) command -v "$1" >/dev/null ;;
	esac 2>/dev/null
}

cgroup2_writable() {
	local leaf
	leaf=$(cgroup2_own) && mkdir "$leaf/fry-test.$$" && rmdir "$leaf/fry-test.$$"
}

# Print the directory of this shell's own cgroup v2, hybrid mounts included.
cgroup2_own() {
	local path mount
	path=$(sed -n 's/^0:://p' /proc/self/cgroup)
	mount=$(awk '$(NF - 2) == "cgroup2" { print $5; exit }' /proc/self/mountinfo)
	[[ $mount && $path ]] && echo "$mount${path%/}"
}
