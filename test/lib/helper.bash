# helper.bash - functions for every test; a .bats file begins with `load ../lib/helper`
# shellcheck shell=bash
#
# REPO		the top of the tree
# FRY_RUN	the binary under test; from the environment, or the one at the top of the tree
# BIN		where the fixtures are; each source in test/fixtures explains its own
#
# Every test runs in a directory of its own, reads nothing from stdin, and fails if a process that
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
#   ending_of COMMAND...       run it, and print `exited N` or `died of N`, as wait(2) has it
#   end_bomb                   end what bomb has started, and wait until it is gone
#
# Waiting: for WAIT_LIMIT seconds, then the test fails and names what it waited for. The limit is for
# the slowest machine; a condition that is met costs nothing.
#   wait_until WHAT COMMAND... until COMMAND succeeds
#   wait_line FILE GLOB [N]    until N (1) lines match the whole of GLOB: 'TERM', 'TERM from *'
#   wait_prints GLOB COMMAND.. until the whole of what it prints matches: '!(*sleep*)' is none
#   wait_gone PID...           until all of them are gone
#   wait_rested PID [OTHER]... until PID and all below it, and OTHERs, sleep and have no signal pending
#   wait_received              until no process that this test started has a signal pending
#
# Looking
#   alive PID... / gone PID... all of them; a zombie is gone, unless one of its threads lives
#   look_at PID                set state, parent, group, session, tty, foreground
#   state_of PID               print its state, a letter as in ps(1)
#   children_of PID            print the pids of its children, zombies too, one a line; fry-run and
#                              its inner process count as one
#   direct_children_of PID     print the same, where the two are two
#   inner_of PID               print the pid of fry-run's inner process, or PID if there is none
#   descendants_of PID         print the pids of its children, and of theirs
#   name_of PID                print its name
#   count_lines FILE GLOB      print how many lines match
#   names_below PID            print the names of its descendants
#   left_behind                print pid, name and state of what this test started and is alive
#   left_pids                  print their pids
#   cgroup2_own                print the directory of the cgroup v2 that the test is in
#   descriptors_of PID        print its descriptors, without two of the outer process's own
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
# Repeating
#   rounds MANY [FEW]          print how often a test repeats something: MANY times where ROUNDS is
#                              `all`, as in `make check-stress`, otherwise FEW (a twentieth of MANY)
#   repeat N COMMAND...        run it N times
#
# Building, once for all files
#   old_make                   make a fry-run that knows less of the kernel; see there
#   glibc_make [DIRECTORY [MAKE-VARIABLE]...]  make one with gcc and glibc; see there
#
# Skipping; if CI is set, a missing requirement fails the test instead
#   requires WHAT...           a tool in PATH; or root, pid-namespace, user-namespace, cgroup2
#                              (leaves can be made below one's own), seccomp

bats_require_minimum_version 1.5.0

REPO=${BATS_TEST_DIRNAME%/test/*}
BIN=$REPO/test/bin
LOOK=$BIN/look # BIN may change in a test
FRY_RUN=${FRY_RUN:-$REPO/fry-run}
[[ $FRY_RUN == /* ]] || FRY_RUN=$PWD/$FRY_RUN # tests run in other directories
WAIT_LIMIT=120

# bats notes when a test begins, for which it executes date(1).
get_mills_since_epoch() {
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# bats keeps a trace of every command, for versions of bash that do not know in which line a command failed. The
# trace takes a fifth of the suite's time. bash 5 knows, so the lines are taken when a command fails.
bats_error_trap() {
	bats_check_status_from_trap
	if [[ ! $BATS_DEBUG_LAST_STACK_TRACE_IS_VALID ]]; then bats_capture_stack_trace; fi
	BATS_DEBUG_LAST_STACK_TRACE_IS_VALID=1
}

setup() {
	[[ ${BATS_TRACE_LEVEL:-0} != 0 ]] || trap - DEBUG
	if [[ ! -x $LOOK ]]; then
		echo "the fixtures are not built: $BIN" >&2
		return 1
	fi
	cd "$BATS_TEST_TMPDIR" || return
	exec </dev/null
	# The processes of a test are found by this word in their environment, which no other test has.
	export FRY_TEST=$BATS_TEST_TMPDIR
	if declare -F setup_more >/dev/null; then setup_more; fi
}

teardown() {
	local failed=0 left
	if declare -F teardown_more >/dev/null; then teardown_more || failed=1; fi
	if ! bomb_gone; then
		echo 'left behind: a bomb' >&2
		failed=1
	fi
	end_bomb || failed=1
	left=$("$LOOK" clean $((1000 * WAIT_LIMIT)) "$FRY_TEST") || failed=1
	if [[ $left ]]; then
		echo "left behind: $left" >&2
		failed=1
	fi
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
	looks executed "$name to be executed" "$pid"
}

# looks KIND WHAT PID...: let the fixture look wait.
looks() {
	local kind=$1 what=$2
	shift 2
	"$LOOK" "$kind" $((1000 * WAIT_LIMIT)) "$@" && return
	echo "waited $WAIT_LIMIT s for $what" >&2
	return 1
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

ending_of() {
	"$BIN/ending" "$@" 3>&-
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
	local what=$1 step=1 limit rest
	shift
	if "$@"; then return 0; fi
	limit=$((${EPOCHREALTIME/[.,]/} + WAIT_LIMIT * 1000000))
	until "$@"; do
		if ((${EPOCHREALTIME/[.,]/} > limit)); then
			echo "waited $WAIT_LIMIT s for $what: $*" >&2
			return 1
		fi
		printf -v rest '.%03d' "$step"
		pause "$rest"
		step=$((step < 25 ? 2 * step : 50))
	done
}

# Sleep without a process: read what nothing ever comes from.
pause() {
	if [[ ! ${never-} ]]; then
		local fifo=${BATS_RUN_TMPDIR:-.}/never
		[[ -p $fifo ]] || mkfifo "$fifo" 2>/dev/null || :
		exec {never}<>"$fifo"
	fi
	read -r -t "$1" -u "$never" || :
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
	looks gone "$* to be gone" "$@" && return
	ps -o pid=,ppid=,stat=,args= -p "$*" >&2 || :
	return 1
}

wait_rested() {
	looks rested 'all to be at rest' "$@"
}

wait_received() {
	looks received 'all signals to be received' "$FRY_TEST"
}

# --- looking

alive() {
	local one
	for one; do
		if gone "$one"; then
			echo "process $one is not alive" >&2
			return 1
		fi
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

# shellcheck disable=SC2034 # for the tests
look_at() {
	local stat name
	stat_read "$1" || return
	read -r state parent group session tty foreground _ <<<"$stat"
	if name_read "$parent" && [[ $name == fry-inner ]] && stat_read "$parent"; then
		stat=${stat#* }
		parent=${stat%% *}
	fi
}

# Set stat to what comes after the name in the stat of a process.
stat_read() {
	stat=
	{ read -r -d '' stat <"/proc/$1/stat"; } 2>/dev/null || :
	stat=${stat##*) }
	[[ $stat ]]
}

# Set name to that of a process.
name_read() {
	name=
	{ IFS= read -r name <"/proc/$1/comm"; } 2>/dev/null
}

# Set children to those of a process, zombies too.
children_read() {
	local task one
	children=()
	for task in "/proc/$1/task/"*; do
		one=()
		{ read -r -a one <"$task/children"; } 2>/dev/null || :
		children+=(${one[@]+"${one[@]}"})
	done
}

# Set children likewise; with its guard fry-run is two processes, which count as one here.
children_merge() {
	local one name all=()
	children_read "$1"
	for one in "${children[@]}"; do
		if name_read "$one" && [[ $name == fry-inner ]]; then
			children_read "$one"
			all+=("${children[@]}")
		else
			all+=("$one")
		fi
	done
	children=("${all[@]}")
}

print_lines() {
	if (($#)); then printf '%s\n' "$@"; fi
}

inner_of() {
	local one name children
	children_read "$1"
	for one in "${children[@]}"; do
		if name_read "$one" && [[ $name == fry-inner ]]; then
			echo "$one"
			return
		fi
	done
	echo "$1"
}

outer_of() {
	local stat
	stat_read "$1" || return
	stat=${stat#* }
	echo "${stat%% *}"
}

state_of() {
	local stat
	stat_read "$1" && echo "${stat%% *}"
}

children_of() {
	local children
	children_merge "$1"
	print_lines "${children[@]}"
}

direct_children_of() {
	local children
	children_read "$1"
	print_lines "${children[@]}"
}

descendants_of() {
	local below
	descendants_read "$1"
	print_lines "${below[@]}"
}

# Set below to the descendants, each before its own.
descendants_read() {
	local one children queue=("$1")
	below=()
	while ((${#queue[@]})); do
		one=${queue[0]}
		children_merge "$one"
		queue=("${children[@]}" "${queue[@]:1}")
		if [[ $one != "$1" ]]; then below+=("$one"); fi
	done
}

name_of() {
	local name
	name_read "$1" && echo "$name"
}

names_below() {
	local one name below
	descendants_read "$1"
	for one in "${below[@]}"; do
		if name_read "$one"; then echo "$name"; fi
	done
}

# Set matched to the number of lines that match, without the blanks around them.
matches() {
	local line lines
	matched=0
	[[ -e $1 ]] || return 0
	mapfile -t lines <"$1"
	for line in "${lines[@]}"; do
		line=${line%$'\r'} # as a terminal ends it
		if [[ $line == [[:space:]]* ]]; then line=${line#"${line%%[![:space:]]*}"}; fi
		if [[ $line == *[[:space:]] ]]; then line=${line%"${line##*[![:space:]]}"}; fi
		# shellcheck disable=SC2053 # a glob is meant
		if [[ $line == $2 ]]; then ((++matched)); fi
	done
}

count_lines() {
	local matched
	matches "$@"
	echo "$matched"
}

# A subshell that executed nothing has no mark; but bats does not end before it.
left_behind() {
	"$LOOK" left "$FRY_TEST"
	if ! bomb_gone; then echo 'a bomb'; fi
}

left_pids() {
	local pid
	"$LOOK" left "$FRY_TEST" | while read -r pid _; do echo "$pid"; done
}

# A lock shows exactly whether a process of bomb is left; a search for pids is too slow. See bomb.c.
bomb_gone() {
	[[ ! -e bomb.lock ]] || flock --nonblock bomb.lock true
}

# Print a process's descriptors, without the two that the outer process waits for: its signals, and the
# death of the inner process.
descriptors_of() {
	local fd
	for fd in "/proc/$1/fd/"*; do
		if [[ -L $fd && $(readlink "$fd") != anon_inode:* ]]; then echo "${fd##*/}"; fi
	done
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

# Every line of the file `report`, if there is one, is as the schema says.
assert_report_valid() {
	[[ -e report ]] || return 0
	python3 -c 'import json, jsonschema, sys
schema = json.load(open(sys.argv[1]))
for line in open("report"):
    jsonschema.validate(json.loads(line), schema)' "$REPO/report.schema.json"
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

# --- repeating

rounds() {
	if [[ ${ROUNDS-} == all ]]; then echo "$1"; else echo "${2:-$((($1 + 19) / 20))}"; fi
}

repeat() {
	local i times=$1
	shift
	for ((i = 0; i < times; i++)); do "$@" || return; done
}

# --- building, once for all files

# Make $BATS_RUN_TMPDIR/old/fry-run, which finds neither the children files of /proc nor cgroup.kill, as on an
# older kernel. Only two sources use these files. If make would not rebuild the objects at the top, the other
# objects are copied from there.
old_make() {
	local old=$BATS_RUN_TMPDIR/old object objects=()
	for object in "$REPO"/*.o; do
		case ${object##*/} in
		options.o | cgroup.o | tree.o | '*.o') ;;
		*) objects+=("${object##*/}") ;;
		esac
	done
	mkdir -p "$old"
	if ((${#objects[@]})) && [[ ! -e $old/fry-run ]] && make -q -C "$REPO" "${objects[@]}" >/dev/null 2>&1; then
		(cd "$REPO" && cp -p "${objects[@]}" "$old")
	fi
	flock "$BATS_RUN_TMPDIR" make -s -C "$REPO" B="$old" \
		CPPFLAGS='-DCHILDREN_FILE=\"none\" -DCGROUP_KILL=\"none\"' "$old/fry-run"
}

# Make $BATS_RUN_TMPDIR/glibc/fry-run, static; and with a DIRECTORY another of the same objects there, which
# make makes with the variables that follow: glibc_make [DIRECTORY [MAKE-VARIABLE]...].
glibc_make() {
	local glibc=$BATS_RUN_TMPDIR/glibc variables=(CC=gcc CFLAGS='-g -Werror')
	flock "$BATS_RUN_TMPDIR" make -s -C "$REPO" B="$glibc" "${variables[@]}" >&2 || return
	if (($# == 0)); then return; fi
	cp -Rp "$glibc" "$1"
	rm "$1/fry-run"
	make -s -C "$REPO" B="$1" "${variables[@]}" "${@:2}" >&2
}

# --- skipping

requires() {
	local what
	for what; do
		if [[ -e $BATS_RUN_TMPDIR/has.$what ]]; then continue; fi
		if available "$what"; then
			: >"$BATS_RUN_TMPDIR/has.$what" # once for all tests
			continue
		fi
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
	local line path='' mount=''
	while read -r line; do
		if [[ $line == 0::* ]]; then path=${line#0::}; fi
	done </proc/self/cgroup
	while read -r _ _ _ _ mount line; do
		if [[ $line == *' - cgroup2 '* ]]; then break; fi
		mount=
	done </proc/self/mountinfo
	[[ $mount && $path ]] && echo "$mount${path%/}"
}
