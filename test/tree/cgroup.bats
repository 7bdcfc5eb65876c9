# cgroup.bats - --cgroup=new and own, on a real cgroup v2

# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for other shells; start sets pids

# bats file_tags=rounds
load ../lib/helper

setup_file() {
	requires make
	unset MAKEFLAGS MAKELEVEL
	old_make
}

# Each test has a cgroup of its own. `"${inside[@]}" COMMAND...` executes COMMAND in it.
setup_more() {
	requires root cgroup2
	job=$(cgroup2_own)/fry-test-$$-$BATS_TEST_NUMBER
	mkdir "$job"
	inside=(sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$job")
	user=$((1000000 + $$)) # of this test alone
	export BIN
}

# Report processes that are left in the cgroup as left behind, before they are killed.
teardown_more() {
	local failed=0
	nothing_left || failed=1
	if [[ ${reachable-} ]]; then rm -r "$reachable"; fi
	if [[ -e ${job-} ]]; then
		echo 1 >"$job/cgroup.kill"
		wait_prints '*populated 0*' cat "$job/cgroup.events" || failed=1
		find "$job" -depth -type d -delete
	fi
	return "$failed"
}

# Print the names of the cgroups below the test's own.
leaves() {
	find "$job" -mindepth 1 -type d -printf '%P\n'
}

# Print the cgroup that a process is in, relative to the test's own.
cgroup_of() {
	local name
	name=$(sed -n 's/^0:://p' "/proc/$1/cgroup")
	echo "${name##*/"${job##*/}"}"
}

# Print the pids in a cgroup of the test, in order.
members() {
	sort -n "$job/$1/cgroup.procs"
}

lines() {
	printf '%s\n' "$@"
}

# Set leaf to the one leaf that there is.
find_leaf() {
	leaf=$(leaves)
	assert_match "$leaf" 'fry-run-+([0-9]).+([0-9])'
}

# Where another user finds the binaries.
reach() {
	reachable=$(mktemp -d)
	chmod 777 .
	cp "$FRY_RUN" "$BIN"/{fresh,probe} "$reachable"
	chmod -R go+rX "$reachable"
	FRY_RUN=$reachable/${FRY_RUN##*/}
	BIN=$reachable
}

# Delegate the test's cgroup to the user.
delegate() {
	chown "$user" "$job" "$job/cgroup.procs" "$job/cgroup.subtree_control" "$job/cgroup.threads"
}

# --- new

@test "COMMAND is in its leaf cgroup from its first instruction on, in every placement" {
	for options in '' --no-guard --pgroup=inherit --pgroup=session; do
		# shellcheck disable=SC2086 # none or one
		run "${inside[@]}" "$FRY_RUN" $options --cgroup=new -- sed -n 's/^0:://p' /proc/self/cgroup
		assert_status 0
		assert_match "$output" "*/${job##*/}/fry-run-+([0-9]).+([0-9])"
		assert_equal "$(leaves)" ''
	done
}

@test "the leaf cgroup holds COMMAND and its descendants but neither of fry-run's processes" {
	start it "${inside[@]}" "$FRY_RUN" --cgroup=new -- \
		sh -c '"$0" -d & wait; "$0" -S & "$0" -g & exec "$0"' "$BIN/probe"
	ready it 4
	find_leaf
	assert_equal "$(members "$leaf")" "$(lines "${ready[@]}" | sort -n)" 'in the leaf'
	assert_equal "$(members .)" "$(lines "$pid" "$(inner_of "$pid")" | sort -n)" 'beside it'
	kill -TERM "$pid"
	finish it
	assert_status 143
	assert_equal "$(leaves)" ''
}

@test "each of several fry-runs has a leaf cgroup of its own" {
	for name in one two three; do
		start "$name" "${inside[@]}" "$FRY_RUN" --cgroup=new -- "$BIN/probe"
		ready "$name"
	done
	assert_equal "$(leaves | wc -l)" 3
	kill -TERM "$two_pid"
	finish two
	assert_equal "$(leaves | wc -l)" 2
	alive "$one_pid" "$three_pid"
	kill -TERM "$one_pid" "$three_pid"
	finish one
	finish three
	assert_equal "$(leaves)" ''
}

@test "the leaf cgroup is removed however COMMAND ends, and the status is kept" {
	run "${inside[@]}" "$FRY_RUN" --cgroup=new -- "$BIN/probe" -e 7
	assert_status 7
	assert_equal "$(leaves)" '' 'left after an exit'
	run "${inside[@]}" "$FRY_RUN" --cgroup=new -- "$BIN/probe" -k SEGV
	assert_status 139
	assert_equal "$(leaves)" '' 'left after death by a signal'
	run "${inside[@]}" "$FRY_RUN" --cgroup=new -t 50ms --stop=TERM/50ms/KILL -- "$BIN/probe" -n -f 3
	assert_status 124
	assert_equal "$(leaves)" '' 'left after a timeout'
	run -127 "${inside[@]}" "$FRY_RUN" --cgroup=new -- ./missing
	assert_status 127
	assert_equal "$(leaves)" '' 'left after nothing could be executed'
}

@test "cgroups that COMMAND makes below its leaf are emptied and removed" {
	start it "${inside[@]}" "$FRY_RUN" --cgroup=new --stop=TERM/200ms/KILL -- bash -c '
		leaf=$1$(sed -n "s|^0::.*/|/|p" /proc/self/cgroup)
		mkdir -p "$leaf/a/b" "$leaf/c"
		(echo 0 >"$leaf/a/b/cgroup.procs"; exec "$0" -n -S) &
		(echo 0 >"$leaf/c/cgroup.procs"; exec "$0" -n -d) &
		exec "$0" -n' "$BIN/probe" "$job"
	ready it 3
	assert_equal "$(leaves | wc -l)" 4
	kill -TERM "$pid"
	finish it
	assert_status 137
	assert_equal "$(leaves)" ''
	nothing_left
}

@test "a process moved into the leaf cgroup gets TERM and the time to act on it" {
	start it "${inside[@]}" "$FRY_RUN" --cgroup=new -- "$BIN/probe"
	ready it
	find_leaf
	start stranger "$BIN/probe" -x TERM=3
	ready stranger
	echo "$stranger_pid" >"$job/$leaf/cgroup.procs"
	kill -TERM "$it_pid"
	finish it
	assert_status 143
	finish stranger
	assert_status 3
	assert_lines stranger.out "ready $stranger_pid" TERM
	assert_equal "$(leaves)" ''
}

@test "a process moved into the leaf cgroup that ignores TERM is killed" {
	start it "${inside[@]}" "$FRY_RUN" --cgroup=new --stop=TERM/3s/KILL -- "$BIN/probe" -x USR1=5
	ready it
	find_leaf
	start stranger "$BIN/probe" -n
	ready stranger
	echo "$stranger_pid" >"$job/$leaf/cgroup.procs"
	kill -USR1 "$it_pid"
	finish it
	assert_status 5
	finish stranger
	assert_status 137
	assert_equal "$(count_lines stranger.out TERM)" 1 'TERM heard'
	assert_equal "$(leaves)" ''
}

@test "a descendant that moved itself out of the leaf cgroup is stopped" {
	start it "${inside[@]}" "$FRY_RUN" --cgroup=new --stop=TERM/3s/KILL -- sh -c '
		(echo 0 >"$1/cgroup.procs"; exec "$0" -n -d)
		(echo 0 >"$1/cgroup.procs"; exec "$0" -S -o heard) &
		exec "$0" -x USR1=6' "$BIN/probe" "$job"
	ready it 2
	wait_line heard 'ready *'
	kill -USR1 "$pid"
	finish it
	assert_status 6
	nothing_left
	assert_equal "$(count_lines heard TERM)" 1 'TERM heard'
	assert_equal "$(leaves)" ''
}

@test "a tree in the leaf cgroup that ignores every signal is killed" {
	start it "${inside[@]}" "$FRY_RUN" --cgroup=new --stop=TERM/200ms/KILL -- \
		sh -c '"$0" -n -d; "$0" -n -S & "$0" -n -T & "$0" -n -t & exec "$0" -n' "$BIN/probe"
	ready it 5
	kill -TERM "$pid"
	finish it
	assert_status 137
	nothing_left
	assert_equal "$(leaves)" ''
}

# brings_bombs_down FRY-RUN: when FRY-RUN has ended, a bomb, ten chains and their leaf are gone.
brings_bombs_down() {
	requires flock
	for bomb in "fork $(rounds 200 50)" 'chain 10'; do
		# shellcheck disable=SC2086 # two words
		start it "${inside[@]}" "$1" --cgroup=new --stop=TERM/200ms/KILL -- "$BIN/bomb" -s $bomb
		wait_line it.out ready
		kill -TERM "$pid"
		finish it
		bomb_gone
		assert_equal "$(leaves)" '' "left, $bomb"
	done
}

@test "a fork bomb and ten forking chains are killed with their leaf cgroup" {
	brings_bombs_down "$FRY_RUN"
}

@test "an unprivileged fry-run ends a setuid program in its delegated cgroup" {
	requires setpriv
	reach
	cp "$(command -v setpriv)" "$BIN/become"
	chmod u+s "$BIN/become"
	delegate
	start it "${inside[@]}" setpriv --reuid "$user" --regid "$user" --clear-groups \
		"$FRY_RUN" --cgroup=new --stop=TERM/200ms/KILL -- \
		sh -c '"$BIN/become" --reuid 0 "$BIN/probe" -n -S & exec "$BIN/probe" -x USR1=4'
	ready it 2
	kill -USR1 "$pid"
	finish it
	assert_status 4
	nothing_left
	assert_equal "$(leaves)" ''
}

@test "with --cgroup=new fry-run holds no descriptor but stderr" {
	for guard in --guard --no-guard; do
		start it "${inside[@]}" "$FRY_RUN" $guard --cgroup=new -- "$BIN/probe" -n
		ready it
		for one in "$pid" "$(inner_of "$pid")"; do
			wait_prints 2 descriptors_of "$one"
		done
		kill -USR1 "$pid"
		wait_line it.out USR1
		wait_prints 2 descriptors_of "$pid"
		end "${ready[0]}"
		finish it
	done
}

@test "--leftover=leave leaves the leaf cgroup and its processes" {
	run "${inside[@]}" "$FRY_RUN" --cgroup=new --leftover=leave -- \
		sh -c '"$0" -n -d -o heard; exec "$0" -e 3' "$BIN/probe"
	assert_status 3
	assert_match "$output" 'ready +([0-9])'
	daemon=$(sed -n 's/^ready //p' heard)
	alive "$daemon"
	find_leaf
	assert_equal "$(members "$leaf")" "$daemon"
	end "$daemon"
	assert_lines heard "ready $daemon"
}

# rests PID: the process sleeps, and has slept without a break for a moment.
rests() {
	local switches
	switches=$(grep _ctxt_switches "/proc/$1/status")
	pause .2
	[[ $(state_of "$1") == S && $(grep _ctxt_switches "/proc/$1/status") == "$switches" ]]
}

@test "--leftover=wait waits for a process moved into the leaf cgroup without waking" {
	start it "${inside[@]}" "$FRY_RUN" --cgroup=new --leftover=wait -- "$BIN/probe" -x USR1=2
	ready it
	command=${ready[0]}
	find_leaf
	start stranger "$BIN/probe" -n
	ready stranger
	echo "$stranger_pid" >"$job/$leaf/cgroup.procs"
	kill -USR1 "$it_pid"
	wait_gone "$command"
	inner=$(inner_of "$it_pid")
	wait_line it.out USR1
	wait_prints S state_of "$inner"
	wait_until 'it to come to rest' rests "$inner"
	before=$(grep _ctxt_switches "/proc/$inner/status")
	start other sleep 1
	finish other
	assert_equal "$(grep _ctxt_switches "/proc/$inner/status")" "$before" 'times it woke'
	end "$stranger_pid"
	finish it
	assert_status 2
	assert_equal "$(leaves)" ''
}

@test "a leaf cgroup that COMMAND left and removed makes no difference" {
	start it "${inside[@]}" "$FRY_RUN" --cgroup=new --stop=TERM/200ms/KILL -- bash -c '
		leaf=$1$(sed -n "s|^0::.*/|/|p" /proc/self/cgroup)
		echo 0 >"$1/cgroup.procs" && rmdir "$leaf" || exit
		"$0" -n -d; exec "$0" -n' "$BIN/probe" "$job"
	ready it 2
	assert_equal "$(leaves)" ''
	kill -TERM "$pid"
	finish it
	assert_status 137
	assert_lines it.err
	nothing_left
}

@test "a leaf cgroup that is removed before COMMAND enters it ends with 125" {
	# It ends between two of its children.
	start remover sh -c 'trap exit TERM; echo ready $$; while :; do rmdir "$0"/fry-run-* 2>/dev/null; done' "$job"
	ready remover
	for ((i = $(rounds 30 5); i; i--)); do
		run "${inside[@]}" "$FRY_RUN" --cgroup=new -- sed -n 's/^0:://p' /proc/self/cgroup
		if ((status == 0)); then
			assert_match "$output" "*/fry-run-+([0-9]).+([0-9])" "round $i"
		else
			assert_status 125
			assert_match "$output" 'fry-run: cannot enter *: No such *' # file or device
		fi
	done
	kill -TERM "$remover_pid"
	finish remover
}

# --- kill -9

@test "kill -9 of fry-run leaves neither a process nor the leaf cgroup" {
	start it "${inside[@]}" "$FRY_RUN" --cgroup=new -- sh -c '"$0" -n -d; "$0" -n -S & exec "$0" -n' "$BIN/probe"
	ready it 3
	find_leaf
	start stranger "$BIN/probe" -n
	ready stranger
	echo "$stranger_pid" >"$job/$leaf/cgroup.procs"
	kill -KILL "$it_pid"
	finish it
	finish stranger
	assert_status 137
	wait_prints '' leaves
	nothing_left
}

@test "kill -9 of the inner process leaves neither a process nor the leaf cgroup" {
	start it "${inside[@]}" "$FRY_RUN" --cgroup=new -- sh -c '"$0" -n -d; "$0" -n -S & exec "$0" -n' "$BIN/probe"
	ready it 3
	find_leaf
	start stranger "$BIN/probe" -n
	ready stranger
	echo "$stranger_pid" >"$job/$leaf/cgroup.procs"
	kill -KILL "$(inner_of "$it_pid")"
	finish it
	assert_status 137
	assert_lines it.err 'fry-run: the inner process was killed: killing everything'
	finish stranger
	assert_equal "$(leaves)" ''
	nothing_left
}

# killed MANY [OPTION]: nothing is left in any of so many rounds of killer.
killed() {
	local count
	count=$(rounds "$1")
	run --separate-stderr "${inside[@]}" "$BIN/killer" "${@:2}" -n "$count" -d 10000 -- \
		"$FRY_RUN" --cgroup=new -- "$BIN/killer" -T
	assert_lines - "$count gone"
}

@test "kill -9 of fry-run at any moment leaves neither a process nor a leaf cgroup" {
	killed 250
	assert_equal "$(leaves | wc -l)" 0 'leaves that are left'
}

@test "kill -9 of the inner process at any moment leaves neither a process nor a leaf cgroup" {
	killed 250 -i
	assert_equal "$(leaves | wc -l)" 0 'leaves that are left'
}

# --- before Linux 5.14

@test "without cgroup.kill a tree that ignores every signal is frozen, killed and thawed" {
	start it "${inside[@]}" "$BATS_RUN_TMPDIR/old/fry-run" --cgroup=new --stop=TERM/200ms/KILL -- \
		sh -c '"$0" -n -d; "$0" -n -S & "$0" -n -T & exec "$0" -n' "$BIN/probe"
	ready it 4
	find_leaf
	start stranger "$BIN/probe" -n
	ready stranger
	echo "$stranger_pid" >"$job/$leaf/cgroup.procs"
	kill -TERM "$it_pid"
	finish it
	assert_status 137
	finish stranger
	nothing_left
	assert_equal "$(leaves)" ''
}

@test "without cgroup.kill a fork bomb and ten forking chains are killed" {
	brings_bombs_down "$BATS_RUN_TMPDIR/old/fry-run"
}

@test "without cgroup.kill, kill -9 of either process leaves neither a process nor the leaf cgroup" {
	for which in echo inner_of; do
		start it "${inside[@]}" "$BATS_RUN_TMPDIR/old/fry-run" --cgroup=new -- \
			sh -c '"$0" -n -d; "$0" -n -S & exec "$0" -n' "$BIN/probe"
		ready it 3
		kill -KILL "$("$which" "$pid")"
		finish it
		assert_status 137
		wait_prints '' leaves
		nothing_left
	done
}

# --- refused

# assert_refused MESSAGE: nothing was started, and this is the only line that was printed.
assert_refused() {
	assert_status 125
	assert_match "$output" "fry-run: --cgroup=$1: $2"
	[ ! -e started ]
	assert_equal "$(leaves)" "${3-}" leaves
}

@test "--cgroup=new is refused in a cgroup that is not delegated" {
	requires setpriv
	reach
	run "${inside[@]}" setpriv --reuid "$user" --regid "$user" --clear-groups \
		"$FRY_RUN" --cgroup=new -- touch started
	assert_refused new '*permission*delegated*'
}

@test "--expect does not hide that --cgroup=new was refused, and the report has no exit" {
	reach
	run setpriv --reuid "$user" --clear-groups "$FRY_RUN" -e 125 --report=report --cgroup=new -- true
	assert_status 125
	assert_equal "$(jq -c '[.exit, .status]' report)" '[null,125]'
}

@test "--cgroup=new is refused where the leaf may be made but not entered" {
	requires setpriv
	reach
	chown "$user" "$job" # and not its cgroup.procs
	run "${inside[@]}" setpriv --reuid "$user" --regid "$user" --clear-groups \
		"$FRY_RUN" --cgroup=new -- touch started
	assert_status 125
	assert_match "$output" 'fry-run: *'
	assert_equal "$(wc -l <<<"$output")" 1 'lines'
	[ ! -e started ]
	assert_equal "$(leaves)" '' leaves
}

@test "--cgroup=new is refused on a read-only cgroup file system" {
	requires unshare
	mount=$(cgroup2_own)
	mount=$(findmnt --noheadings --output TARGET --target "$mount")
	run "${inside[@]}" unshare --mount sh -c 'mount -o remount,bind,ro "$0" && exec "$@"' "$mount" \
		"$FRY_RUN" --cgroup=new -- touch started
	assert_refused new '*read-only*'
}

@test "--cgroup=new says that cgroup v2 is not mounted" {
	requires unshare
	run "${inside[@]}" unshare --mount sh -c 'umount "$0" || umount -l "$0"; exec "$@"' \
		"$(findmnt --noheadings --output TARGET --target "$job")" "$FRY_RUN" --cgroup=new -- touch started
	assert_refused new 'no cgroup v2 is mounted*'
}

@test "--cgroup=new says that there is only cgroup v1" {
	requires unshare
	printf '1:name=systemd:/\n' >only-v1
	run "${inside[@]}" unshare --mount sh -c 'mount --bind "$0" /proc/$$/cgroup && exec "$@"' "$PWD/only-v1" \
		"$FRY_RUN" --no-guard --cgroup=new -- touch started
	assert_refused new '*no cgroup v2, only v1'
}

# The sanitizers' runtime prints a message of its own.
# bats test_tags=static
@test "--cgroup=new says that /proc/self/cgroup cannot be read" {
	requires unshare
	run "${inside[@]}" unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' sh \
		"$FRY_RUN" --cgroup=new -- touch started
	assert_refused new '/proc/self/cgroup cannot be read'
}

@test "--cgroup=new is refused where the leaf's path is too long" {
	long=$(printf '%0240d' 0)
	cd "$job"
	while ((${#PWD} < 4096 - 300)); do
		mkdir "$long" && cd "$long"
	done
	# One more directory would still have a valid path, but the files in it would not.
	rest=$((4096 - ${#PWD} - 30))
	mkdir "${long:0:rest}" && cd "${long:0:rest}"
	run sh -c 'echo 0 >cgroup.procs && exec "$@"' sh "$FRY_RUN" --cgroup=new -- touch started
	cd "$BATS_TEST_TMPDIR"
	assert_status 125
	assert_match "$output" 'fry-run: --cgroup=new: *too long'
	assert_equal "$(find "$job" -name 'fry-run-*' 2>/dev/null)" ''
}

@test "--cgroup=new says that the number of cgroups is limited" {
	echo 0 >"$job/cgroup.max.descendants"
	run "${inside[@]}" "$FRY_RUN" --cgroup=new -- touch started
	assert_refused new '?*'
	assert_match "$output" '*Resource temporarily unavailable*'
}

# --- own

@test "--cgroup=own ends everything in the cgroup but fry-run itself, TERM first" {
	start it "${inside[@]}" "$FRY_RUN" --cgroup=own --stop=TERM/3s/KILL -- \
		sh -c '"$0" -n -d; exec "$0" -x USR1=8' "$BIN/probe"
	ready it 2
	start gentle "${inside[@]}" "$BIN/probe" -x TERM=3
	ready gentle
	start stubborn "${inside[@]}" "$BIN/probe" -n
	ready stubborn
	kill -USR1 "$it_pid"
	finish it
	assert_status 8
	finish gentle
	assert_status 3
	finish stubborn
	assert_status 137
	assert_equal "$(count_lines stubborn.out TERM)" 1 'TERM heard'
	nothing_left
	assert_equal "$(members .)" ''
	[ -d "$job" ]
}

@test "--cgroup=own keeps COMMAND's status and returns when the cgroup is empty" {
	for guard in --guard --no-guard; do
		run "${inside[@]}" "$FRY_RUN" $guard --cgroup=own --stop=TERM/1h/KILL -- "$BIN/probe" -e 7
		assert_status 7
		run "${inside[@]}" "$FRY_RUN" $guard --cgroup=own --stop=TERM/1h/KILL -- "$BIN/probe" -k TERM
		assert_status 143
		run "${inside[@]}" "$FRY_RUN" $guard --cgroup=own -t 50ms --stop=TERM/50ms/KILL -- "$BIN/probe" -n
		assert_status 124
	done
}

@test "--cgroup=own ends the whole cgroup after a stop request that COMMAND ignores" {
	for guard in --guard --no-guard; do
		start it "${inside[@]}" "$FRY_RUN" $guard --cgroup=own --stop=TERM/200ms/KILL -- "$BIN/probe" -n
		ready it
		start stranger "${inside[@]}" "$BIN/probe" -n
		ready stranger
		kill -TERM "$it_pid"
		finish it
		assert_status 137
		finish stranger
		assert_status 137
		nothing_left
	done
}

@test "--cgroup=own ends everything after kill -9 of either process" {
	for which in echo inner_of; do
		start it "${inside[@]}" "$FRY_RUN" --cgroup=own -- sh -c '"$0" -n -d; exec "$0" -n' "$BIN/probe"
		ready it 2
		start stranger "${inside[@]}" "$BIN/probe" -n
		ready stranger
		kill -KILL "$("$which" "$it_pid")"
		finish it
		assert_status 137
		finish stranger
		wait_prints '' members .
		nothing_left
	done
}

@test "--cgroup=own is refused where a bystander is in the cgroup, which lives on" {
	start bystander "${inside[@]}" "$BIN/probe"
	ready bystander
	run "${inside[@]}" "$FRY_RUN" --cgroup=own -- touch started
	assert_refused own 'there are other processes in the cgroup'
	alive "$bystander_pid"
	assert_equal "$(wc -l <bystander.out)" 1 'lines: it heard nothing'
	kill -TERM "$bystander_pid"
	finish bystander
}

@test "--cgroup=own is refused where there are cgroups below" {
	mkdir "$job/below"
	run "${inside[@]}" "$FRY_RUN" --cgroup=own -- touch started
	assert_refused own '*below it' below
}

@test "--cgroup=own is refused in the root cgroup" {
	root=$(findmnt --noheadings --output TARGET --target "$job")
	run sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$root" "$FRY_RUN" --cgroup=own -- touch started
	assert_refused own '*root cgroup*'
}
