# reap.bats - orphans, inherited children, and unusual processes below fry-run

# shellcheck disable=SC2016,SC2046 # what stands in single quotes is for other shells; pids are words

# bats file_tags=core,rounds
load ../lib/helper

fast=TERM/100ms/KILL # for what only KILL ends

setup_more() {
	export BIN
}

# --- orphans

@test "an orphan becomes a child of fry-run" {
	start it "$FRY_RUN" -- sh -c '"$0" -d & exec "$0"' "$BIN/probe"
	ready it 2
	assert_equal "$(parents "${ready[@]}")" "$pid $pid"
	kill -TERM "$pid"
	finish it
}

parents() {
	local one parents=()
	for one; do
		look_at "$one"
		parents+=("$parent")
	done
	echo "${parents[*]}"
}

@test "an orphan is reaped while COMMAND lives" {
	start it "$FRY_RUN" -- sh -c '"$0" 20; exec "$1"' "$BIN/orphans" "$BIN/probe"
	ready it
	wait_prints "${ready[0]}" children_of "$pid"
	kill -TERM "$pid"
	finish it
}

@test "hundreds of orphans that outlive COMMAND are reaped, and its status is kept" {
	run "$FRY_RUN" -- sh -c '"$0" -l "$1"; exit 7' "$BIN/orphans" "$(rounds 1000 200)"
	assert_status 7
}

@test "-w names each orphan once and no other process" {
	count=$(rounds 1000 100)
	start it "$FRY_RUN" -w -- sh -c '"$0" "$2"; exec "$1"' "$BIN/orphans" "$BIN/probe" "$count"
	ready it
	wait_prints "${ready[0]}" children_of "$pid"
	kill -TERM "$pid"
	finish it
	assert_equal "$(count_lines it.err 'fry-run: reaped orphan: process +([0-9]) (orphans)')" "$count"
	assert_equal "$(sort -u it.err | wc -l)" "$count" 'orphans that were named'
}

@test "without -w no orphan is named" {
	run "$FRY_RUN" -- "$BIN/orphans" 20
	assert_lines - 'done'
}

# --- what was there before

# Run COMMAND, the last words, in place of a shell that has a background job, and wait for it.
inherit() {
	local job=$1
	shift
	start it sh -c "$job"' & exec "$@"' sh "$@"
}

@test "a child inherited by exec is reaped when it ends" {
	inherit '"$BIN/probe" -x USR1=0' "$FRY_RUN" -- "$BIN/probe"
	ready it 2
	kill -USR1 $(children_of "$pid")
	wait_line it.out USR1 2
	wait_until 'one child to be left' one_child
	kill -TERM "$pid"
	finish it
}

one_child() {
	[[ $(children_of "$pid") =~ ^[0-9]+$ ]]
}

@test "a child inherited by exec gets TERM when COMMAND has ended and does not change the status" {
	inherit '"$BIN/probe" -x TERM=3 -o heard' "$FRY_RUN" -- "$BIN/probe" -x USR1=5
	ready it
	wait_line heard 'ready *'
	kill -USR1 "$pid"
	finish it
	assert_status 5
	assert_equal "$(tail -n +2 heard)" TERM 'heard by the child'
}

@test "children inherited by exec are killed with the rest" {
	inherit '"$BIN/probe" -n & "$BIN/orphans" -s -f 20 >flat & "$BIN/probe" -n -S' \
		"$FRY_RUN" --stop=$fast -- "$BIN/probe" -n
	ready it 3
	wait_line flat ready
	kill -TERM "$pid"
	finish it
	assert_status 137
	nothing_left
}

# Fail unless the process that writes to the file alien lives, and has heard nothing; end it.
spared() {
	local word number
	read -r word number <alien
	assert_lines alien "$word $number"
	alive "$number"
	end "$number"
}

@test "a process orphaned before fry-run was executed is not signalled" {
	start it sh -c 'setsid sh -c "(\"$BIN/probe\" -n -o alien &); exec \"$BIN/probe\" -n" &
		while ! [ -s alien ]; do sleep .01; done; exec "$@"' \
		sh "$FRY_RUN" --stop=$fast -- "$BIN/probe" -n
	ready it 2
	kill -TERM "$pid"
	finish it
	spared
}

@test "an inherited child without an exit signal is reaped when it ends" {
	start it "$BIN/strange" silent -x "$FRY_RUN" -- "$BIN/probe"
	ready it 2
	wait_prints "${ready[1]}" children_of "$pid"
	kill -TERM "$pid"
	finish it
	assert_status 143
}

@test "an inherited child without an exit signal is stopped with the rest" {
	start it "$BIN/strange" silent "$FRY_RUN" -- "$BIN/probe"
	ready it 2
	alive "${ready[0]}"
	kill -TERM "$pid"
	finish it
	assert_status 143
	nothing_left
}

# --- as PID 1

@test "as PID 1 orphans are reaped, and daemons get TERM" {
	requires pid-namespace
	start it unshare --pid --fork --mount-proc "$FRY_RUN" -- sh -c \
		'"$1" -s 100; "$2" -d -o heard; exec "$2" -x USR1=4' sh "$BIN/orphans" "$BIN/probe"
	ready it
	wait_until 'no zombie to be left' no_zombies "$(children_of "$pid")"
	kill -USR1 "$(children_of "$pid")"
	finish it
	assert_status 4
	assert_equal "$(tail -n +2 heard)" TERM 'heard by the daemon'
}

no_zombies() {
	local one
	for one in $(children_of "$1"); do
		if [[ $(state_of "$one") == Z ]]; then return 1; fi
	done
}

@test "as PID 1 an inherited zombie is reaped and an inherited child stopped" {
	requires pid-namespace
	start it unshare --pid --fork --mount-proc sh -c '"$2" -x TERM=3 -o heard & true & 
		while [ "$(grep -l "^State:.Z" /proc/[0-9]*/status)" = "" ]; do :; done
		while ! [ -s heard ]; do :; done
		exec "$1" -- "$2" -x USR1=9' sh "$FRY_RUN" "$BIN/probe"
	ready it
	wait_until 'no zombie to be left' no_zombies "$(children_of "$pid")"
	kill -USR1 "$(children_of "$pid")"
	finish it
	assert_status 9
	assert_equal "$(tail -n +2 heard)" TERM 'heard by the child'
}

@test "as PID 1 everything that ignores TERM is killed" {
	requires pid-namespace
	start it unshare --pid --fork --mount-proc "$FRY_RUN" --stop=$fast -- \
		sh -c '"$1" -d -n -o heard; "$1" -d -n -T -o heard; exec "$1" -n' sh "$BIN/probe"
	ready it
	kill -TERM "$(children_of "$pid")"
	finish it
	assert_status 137
	nothing_left
}

# --- strange ones

@test "a leftover in state T is continued and acts on TERM" {
	start it "$FRY_RUN" -- sh -c '"$0" -d -T -o heard; exec "$0" -x USR1=4' "$BIN/probe"
	ready it
	wait_line heard 'ready *'
	wait_prints T state_of "$(sed -n 's/^ready //p' heard)"
	kill -USR1 "$pid"
	finish it
	assert_status 4
	assert_equal "$(tail -n +2 heard)" TERM 'heard by it'
}

@test "a process in state T that ignores TERM is killed" {
	start it "$FRY_RUN" --stop=$fast -- sh -c '"$0" -d -T -n -o heard; exec "$0" -T -n' "$BIN/probe"
	ready it
	wait_prints T state_of "${ready[0]}"
	kill -TERM "$pid"
	finish it
	assert_status 137
	nothing_left
}

@test "a process traced and stopped by another descendant is killed" {
	start it "$FRY_RUN" --stop=$fast -- \
		sh -c '"$0" -n -o halted & while ! [ -s halted ]; do sleep 0.01; done; "$1" halt $! &
			"$0" -n -S & "$1" trace $! & wait' "$BIN/probe" "$BIN/strange"
	ready it 3
	kill -TERM "$pid"
	finish it
	nothing_left
}

# Have fry-run's descendant PID traced by a process that is none of its own.
trace() {
	start tracer "$BIN/strange" trace "$1"
	ready tracer
}

@test "the wait after KILL is bounded where a foreign tracer holds a leftover" {
	start it "$FRY_RUN" --stop=TERM/100ms/KILL/300ms -- sh -c '"$0" -d -n -o heard; exec "$0" -x USR1=4' \
		"$BIN/probe"
	ready it
	wait_line heard 'ready *'
	trace "$(sed -n 's/^ready //p' heard)"
	kill -USR1 "$it_pid"
	finish it
	assert_status 4
	end "$tracer_pid"
}

@test "a COMMAND held by a foreign tracer is named, and fry-run exits 125" {
	start it "$FRY_RUN" --stop=TERM/100ms/KILL/300ms -- "$BIN/probe" -n
	ready it
	trace "${ready[0]}"
	ready it
	kill -TERM "$it_pid"
	finish it
	assert_status 125
	assert_match "$(<it.err)" "fry-run: *process ${ready[0]} (*probe*)*"
	end "$tracer_pid"
}

@test "a parent that waits in vfork for ever is killed with its child" {
	start it "$FRY_RUN" --stop=$fast -- "$BIN/strange" vfork
	ready it
	wait_prints D state_of "$(children_of "$pid")"
	kill -TERM "$pid"
	finish it
	nothing_left
}

@test "a process whose main thread has exited gets TERM" {
	start it "$FRY_RUN" -- sh -c '"$0" -S -t -o heard & exec "$0" -x USR1=4' "$BIN/probe"
	ready it
	wait_line heard 'ready *'
	wait_prints Z state_of "$(sed -n 's/^ready //p' heard)"
	kill -USR1 "$pid"
	finish it
	assert_status 4
	assert_equal "$(tail -n +2 heard)" TERM 'heard by it'
}

@test "the children of a thread get TERM" {
	start it "$FRY_RUN" --stop=TERM/3s/KILL -- \
		sh -c '"$0" -S -t -n -f 2 -o heard & exec "$0" -x USR1=4' "$BIN/probe"
	ready it
	wait_line heard 'ready *' 3
	wait_prints Z state_of "$(sed -n 's/^ready //p' heard | sort -n | head -n 1)"
	kill -USR1 "$pid"
	finish it
	assert_status 4
	assert_equal "$(count_lines heard TERM)" 3 'that heard of it'
}

@test "a process whose main thread has exited, and its children, are killed" {
	start it "$FRY_RUN" --stop=$fast -- sh -c '"$0" -S -t -n -o heard & exec "$0" -t -f 3 -n' "$BIN/probe"
	ready it 4
	wait_line heard 'ready *'
	kill -TERM "$pid"
	finish it
	assert_status 137
	nothing_left
}

# Parentheses, blanks and newlines in the name must not confuse the parser of /proc/PID/stat.
@test "a process and its child get TERM whatever the process's name is" {
	local names=(') S 1 1 (' 'a b' $'\n' ')' '(' $'x) S\n1 1 1' '%n%s') name number=0
	for name in "${names[@]}"; do
		cp "$BIN/probe" "./$name"
		start it "$FRY_RUN" -- \
			sh -c '"$0" -S -f 1 -o "$1" & exec "$2" -x USR1=4' "./$name" heard$number "$BIN/probe"
		ready it
		wait_line heard$number 'ready *' 2
		kill -USR1 "$pid"
		finish it
		assert_status 4
		assert_equal "$(count_lines heard$number TERM)" 2 "heard by those called $name"
		((++number))
	done
}

@test "control characters in a process's name do not reach the terminal by -w's line" {
	local name=$'a)\n(\e[1m\xc2\x9b31m'
	cp "$BIN/probe" "./$name"
	start it "$FRY_RUN" -w -- sh -c '"$0" -d; exit 4' "./$name"
	finish it
	assert_status 4
	assert_match "$(<it.err)" 'fry-run: reaped orphan: process +([0-9]) (a)[?]([?]\[1m?[?]31m)'
}

# The process changes its parent after fry-run has found it and before fry-run signals it.
@test "a process gets TERM although its parent dies of TERM at that moment" {
	for ((i = $(rounds 150); i; i--)); do
		rm -f heard
		run "$FRY_RUN" --stop=TERM/2s/KILL -- sh -c '"$0" -S -f 1 -o heard &
			until [ "$(grep -c ready heard)" = 2 ]; do :; done; exit 4' "$BIN/probe"
		assert_status 4
		assert_equal "$(count_lines heard TERM)" 2 'that heard of it'
	done
}

# --- foreign processes

@test "a foreign process in fry-run's group and session is not signalled" {
	start it sh -c '"$1" -n -o alien & "$2" --pgroup=inherit --stop='$fast' -- \
		sh -c "\"$1\" -n & exec \"$1\" -n" >out; echo $? >status; wait' sh "$BIN/probe" "$FRY_RUN"
	wait_line alien 'ready *'
	wait_line out 'ready *' 2
	kill -TERM "$(find_child "${FRY_RUN##*/}")"
	wait_until 'fry-run to end' test -s status
	assert_equal "$(<status)" 137
	spared
	finish it
}

find_child() {
	local one
	for one in $(children_of "$pid"); do
		if [[ $(name_of "$one") == "$1" ]]; then echo "$one"; fi
	done
}

@test "a foreign process in the group that COMMAND joined is not signalled" {
	start it sh -c '"$1" -g -n -o alien & until [ -s alien ]; do sleep .01; done
		"$2" --pgroup=$! --stop='$fast' -- sh -c "\"$1\" -n & exec \"$1\" -n" >out
		echo $? >status; wait' sh "$BIN/probe" "$FRY_RUN"
	wait_line out 'ready *' 2
	kill -TERM "$(find_child "${FRY_RUN##*/}")"
	wait_until 'fry-run to end' test -s status
	assert_equal "$(<status)" 137
	spared
	finish it
}

# One pid alternates between a process below fry-run and one that is not.
@test "a foreign process that reuses a descendant's pid is not signalled" {
	requires root pid-namespace
	start it unshare --pid --fork --mount-proc sh -c '
		"$1" --scope=tree -- "$2" reuse 300 1000000 & fry=$!
		"$2" guard 300 "$3" >guarded &
		while kill -0 $!; do kill -USR2 $fry; done 2>/dev/null
		kill -KILL $fry' sh "$FRY_RUN" "$BIN/number" "$(rounds 1500)"
	finish it
	assert_lines guarded 'done'
}
