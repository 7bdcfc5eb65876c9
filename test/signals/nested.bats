#!/usr/bin/env bats
# Under, over and beside other tools that run commands: each stop signal reaches each command once,
# the status is right, nothing is left.
#
# If a tool passes signals on to a child in its own group, that child gets a second copy of each signal to the
# whole group, as it does with Ctrl-C on a terminal. -c, which signals COMMAND alone, is for such tools: sudo,
# make upon TERM, timeout --foreground.

# $0 and the like are for inner shells; start sets pids.
# shellcheck disable=SC2016,SC2154

# bats file_tags=programs
load ../lib/helper

setup_more() {
	unset MAKEFLAGS MAKELEVEL MFLAGS FRY_RUN_OPTS
	export BIN FRY_RUN
	export PARALLEL_HOME=$PWD/parallel HOME=$PWD # where parallel keeps its own files
}

fry=("$FRY_RUN" -k 1h)
probe=("$BIN/probe" -n -s -o one.out)

# --- how often

# all_ready FILE...: wait until the probe of each is, and set probes.
all_ready() {
	local name
	probes=()
	for name; do
		ready "${name%.out}"
		probes+=("${ready[@]}")
	done
}

# once [FILE... --] COMMAND...: each stop signal reaches each probe that COMMAND starts with -n -s and
# -o FILE (one.out) once, and no other signal does. Once all probes are at rest, a signal is sent to each
# directly: it comes after all other signals.
once() {
	local signal file i=0 files=()
	if [[ $1 == *.out ]]; then
		for file; do
			shift
			if [[ $file == -- ]]; then break; fi
			files+=("$file")
		done
	else
		files=(one.out)
	fi
	start it "$@"
	all_ready "${files[@]}"
	wait_rested "$pid" # timeout(1) forwards nothing before its fork(2) has returned
	for signal in INT TERM QUIT; do
		kill -"$signal" "$pid"
		for file in "${files[@]}"; do wait_line "$file" "$signal from *"; done
		wait_rested "$pid"
	done
	kill -WINCH "${probes[@]}"
	for file in "${files[@]}"; do
		wait_line "$file" 'WINCH from *'
		# CONT goes with every signal that timeout sends.
		assert_lines <(sed '/^CONT /d; s/ from .*//' "$file") \
			"ready ${probes[i++]}" INT TERM QUIT WINCH
	done
	end "${probes[@]}"
	finish it
	nothing_left
	rm "${files[@]}"
}

# gives STATUS COMMAND...: upon TERM.
gives() {
	local expected=$1
	shift
	start it "$@"
	ready one
	# TERM ends a timeout(1) whose fork(2) has not returned yet, and leaves its child.
	wait_rested "$pid"
	kill -TERM "$pid"
	finish it
	assert_status "$expected"
	nothing_left
	rm one.out
}

# gives_all: COMMAND ends in two ways, by an exit after a signal and by death of a signal.
gives_all() {
	gives 3 "$@" "$BIN/probe" -x TERM=3 -o one.out
	gives 143 "$@" "$BIN/probe" -o one.out
}

# --- fry-run

@test "three nested fry-runs forward each stop signal once" {
	once "${fry[@]}" "${fry[@]}" "${fry[@]}" "${probe[@]}"
	gives_all "$FRY_RUN" "$FRY_RUN" "$FRY_RUN"
}

@test "nested fry-runs forward each stop signal once in every scope and placement" {
	for option in --scope={group,command,tree} --pgroup={inherit,session} --no-guard; do
		once "$FRY_RUN" -k 1h "$option" -- "${fry[@]}" "${probe[@]}"
		once "${fry[@]}" "$FRY_RUN" -k 1h "$option" -- "${probe[@]}"
	done
}

@test "nested fry-runs: each later step's signal reaches COMMAND once" {
	cp "$FRY_RUN" fry-run-0.9.0-amd64 # as a release has it
	cp "$FRY_RUN" tini                # in the place of tini, under its name
	# Under that name it is not told of a step, and recognises by its inner process a copy that it can hold.
	for nested in 'fry-run-0.9.0-amd64 --guard RTMIN+3' 'fry-run-0.9.0-amd64 --no-guard RTMIN+3' \
		'tini --guard USR2'; do
		read -r name guard last <<<"$nested"
		start it "$FRY_RUN" "--stop=INT/100ms/QUIT/100ms/TERM/100ms/$last/1h" -- \
			"$PWD/$name" -k 1h "$guard" -- sh -c '"$0" -n -d -o daemon.out; exec "$@"' \
			"$BIN/probe" "${fry[@]}" "$guard" -r TERM:USR1 "${probe[@]}"
		all_ready daemon.out one.out
		kill -INT "$pid"
		wait_line one.out 'INT from *'
		wait_line one.out "$last from *"
		wait_line daemon.out "$last"
		wait_rested "$pid"
		kill -WINCH "${probes[@]}"
		wait_line one.out 'WINCH from *'
		wait_line daemon.out WINCH
		# A step signals all processes at once, and may overtake a signal that one fry-run forwards to
		# the next.
		assert_equal "$(sed 's/ from .*//' one.out | sort)" \
			"$(print_lines INT QUIT TERM WINCH "$last" "ready ${probes[1]}" | sort)"
		assert_equal "$(sort daemon.out)" "$(print_lines QUIT TERM WINCH "$last" "ready ${probes[0]}" | sort)"
		end "${probes[@]}"
		finish it
		rm ./*.out
	done
}

@test "nested fry-runs: a step of one reaches the COMMAND of the one below once" {
	# INT is for the shell alone, TERM for everything.
	start it "$FRY_RUN" -c --stop=INT/100ms/TERM/100ms/KILL -- sh -c 'trap : INT TERM; "$@" &
		while kill -0 $! 2>/dev/null; do wait $!; done; exit 5' sh \
		"$FRY_RUN" --stop=TERM/3s/KILL -- "${probe[@]}"
	ready one
	kill -INT "$pid"
	finish it
	assert_status 137
	assert_lines <(sed 's/ from .*//' one.out) "ready ${ready[0]}" TERM
}

@test "nested fry-runs: TERM or kill -9 of the first leaves no hidden descendant" {
	hidden='"$0" -n -d -o daemon.out; "$0" -n -S -o session.out & exec "$0" -n -o one.out'
	for signal in KILL TERM; do
		start it "$FRY_RUN" -k 0.2 "$FRY_RUN" -k 0.2 sh -c "$hidden" "$BIN/probe"
		all_ready daemon.out session.out one.out
		kill -"$signal" "$pid"
		finish it
		assert_status 137
		wait_gone "${probes[@]}"
		wait_prints '' left_behind # the inner one goes by itself when the outer is killed
		rm ./*.out
	done
}

@test "nested fry-runs: the shorter of two schedules ends COMMAND" {
	start it "$FRY_RUN" -k 1h "$FRY_RUN" --stop=INT/0.1/TERM/3s/KILL "${probe[@]}"
	ready one
	kill -INT "$pid"
	finish it
	assert_status 137
	assert_lines <(sed 's/ from .*//' one.out) "ready ${ready[0]}" INT TERM
	rm one.out
	start it "$FRY_RUN" -k 0.1 "$FRY_RUN" -k 1h "$BIN/probe" -n -i INT,TERM -o one.out
	ready one
	kill -INT "$pid"
	finish it
	assert_status 137
	nothing_left
}

# --- inits

@test "under and over tini each stop signal arrives once, and the status is tini's" {
	requires tini
	once tini -s -- "${fry[@]}" "${probe[@]}"
	once tini -s -g -- "${fry[@]}" "${probe[@]}"
	once "${fry[@]}" tini -s -- "${probe[@]}"
	gives_all tini -s -- "$FRY_RUN"
	gives_all "$FRY_RUN" tini -s --
}

@test "under and over dumb-init and catatonit each stop signal arrives once, and the status is theirs" {
	requires dumb-init catatonit
	for init in dumb-init catatonit; do
		once "$init" -- "${fry[@]}" "${probe[@]}"
		once "${fry[@]}" "$init" -- "${probe[@]}"
		gives_all "$init" -- "$FRY_RUN"
		gives_all "$FRY_RUN" "$init" --
	done
}

@test "fry-run stops a daemon that tini leaves behind" {
	requires tini
	start it "$FRY_RUN" -k 3 tini -s -- sh -c '
		"$0" -n -d -o daemon.out
		exec "$0" -o one.out' "$BIN/probe"
	all_ready daemon.out one.out
	kill -TERM "$pid"
	finish it
	assert_status 143
	nothing_left
	assert_lines daemon.out "ready ${probes[0]}" TERM
}

# --- timeout

@test "under and over timeout(1) each stop signal arrives once, and the status is kept" {
	# Without --foreground timeout itself sends twice, to its child and to its group.
	once timeout --foreground 1h "${fry[@]}" "${probe[@]}"
	once "${fry[@]}" -c timeout --foreground 1h "${probe[@]}"
	gives_all timeout 1h "$FRY_RUN"
	gives_all "$FRY_RUN" timeout 1h
}

@test "under and over timeout(1) an expired time is reported and nothing is left" {
	daemon_and_one='"$0" -n -d -o daemon.out; exec "$0" -o one.out'
	start it timeout 3 "$FRY_RUN" -k 0.1 sh -c "$daemon_and_one" "$BIN/probe"
	finish it
	assert_status 124
	nothing_left
	all_ready daemon.out one.out # it was not the start that took that long
	rm ./*.out
	start it timeout -s KILL 3 "$FRY_RUN" sh -c "$daemon_and_one" "$BIN/probe"
	finish it
	assert_status 137
	wait_prints '' left_behind # by the guard; timeout kills its child alone
	all_ready daemon.out one.out
	rm ./*.out
	start it "$FRY_RUN" -k 0.1 timeout 3 sh -c "$daemon_and_one" "$BIN/probe"
	finish it
	assert_status 124
	nothing_left
	all_ready daemon.out one.out
}

# --- make

makefile() {
	printf '%s\n' 'all: a b c' 'a b c:' "	$1" >Makefile
}

# jobs_got LINE...: each job got these signals; `by make` marks a signal from make itself.
jobs_got() {
	for one in a b c; do
		wait_line "$one.out" 'WINCH from *'
		assert_lines <(grep -v ready "$one.out" | sed "s/from $make\$/by make/; s/ from [0-9]*//") "$@"
	done
}

# jobs_of_make COMMAND...: run it; make signals the shell of a job, hence the exec in the recipe.
jobs_of_make() {
	makefile '@exec $$BIN/probe -n -s -o $@.out'
	start it "$@"
	all_ready a.out b.out c.out
	make=$(children_of "$pid")
}

at_rest() {
	wait_rested "$pid"
	kill -WINCH "${probes[@]}"
}

@test "make -j under fry-run: INT and QUIT reach each job once" {
	for signal in INT QUIT; do
		jobs_of_make "${fry[@]}" make -sj3
		kill -"$signal" "$pid"
		for one in a b c; do wait_line "$one.out" "$signal from *"; done
		at_rest
		jobs_got "$signal" WINCH
		end "${probes[@]}"
		finish it
		if [[ $signal == INT ]]; then assert_status 130; else assert_status 1; fi
		nothing_left
		rm ./*.out
	done
}

@test "make -j under fry-run -c: TERM reaches each job once, from make" {
	jobs_of_make "${fry[@]}" -c make -sj3
	kill -TERM "$pid"
	for one in a b c; do wait_line "$one.out" 'TERM from *'; done
	at_rest
	jobs_got 'TERM by make' WINCH
	end "${probes[@]}"
	finish it
	assert_status 143
}

@test "make -j over fry-run: TERM reaches each job once, and the status is make's" {
	makefile '@exec $$FRY_RUN -k 1h -- $$BIN/probe -s -o $@.out -x TERM=3'
	start it make -sj3
	all_ready a.out b.out c.out
	kill -TERM "$pid"
	finish it
	assert_status 143
	nothing_left
	for one in a b c; do
		assert_equal "$(count_lines "$one.out" 'TERM from *')" 1
		assert_equal "$(count_lines "$one.out" '*')" 2
	done
}

@test "make -j over fry-run: a recipe's leftover is gone before the next line starts" {
	printf '%s\n' 'all: a b' 'a b:' \
		'	@$(FRY_RUN) -k 0.1 sh -c '\''$(BIN)/probe -n -d -o $@.out'\' \
		'	@pid=$$(sed -n "s/ready //p" $@.out); ! kill -0 $$pid 2>/dev/null' >Makefile
	start it make -sj2
	finish it
	assert_status 0
	all_ready a.out b.out
}

# --- sudo

@test "under and over sudo each stop signal arrives once, and the status is kept" {
	requires sudo root
	sudo=(sudo -n --preserve-env=FRY_TEST)
	once "${sudo[@]}" "${fry[@]}" "${probe[@]}"
	once "${fry[@]}" -c "${sudo[@]}" "${probe[@]}"
	gives_all "${sudo[@]}" "$FRY_RUN"
	gives_all "$FRY_RUN" "${sudo[@]}"
}

@test "over sudo to another user a daemon is stopped" {
	requires sudo root
	chmod o+x "$BATS_RUN_TMPDIR" "${PWD%/*}" . 2>/dev/null
	mkdir -m 777 others
	cp "$BIN/probe" others # the sources may be in a directory of root's
	start it "$FRY_RUN" -k 3 sudo -n --preserve-env=FRY_TEST -u nobody sh -c '
		"$0" -n -d -o others/daemon.out
		exec "$0" -o others/one.out' others/probe
	all_ready others/daemon.out others/one.out
	kill -TERM "$pid"
	finish it
	assert_status 143
	nothing_left
	assert_lines others/daemon.out "ready ${probes[0]}" TERM
}

# --- setsid, nohup, xargs, parallel

@test "under and over setsid each stop signal arrives once, and the status is kept" {
	once setsid "${fry[@]}" "${probe[@]}"
	# With --pgroup=inherit setsid leads no group, and needs no fork to lead a session.
	once "${fry[@]}" --pgroup=inherit setsid "${probe[@]}"
	# Otherwise setsid leads a group: it forks and exits at once, or waits and passes no signal on.
	once "${fry[@]}" --leftover=wait setsid "${probe[@]}"
	once "${fry[@]}" --scope=tree sh -c 'trap : INT TERM QUIT; setsid -w "$@" & while ! wait; do :; done' \
		sh env --default-signal "${probe[@]}"
	gives_all setsid -w "$FRY_RUN"
	gives 143 "$FRY_RUN" setsid -w "$BIN/probe" -x TERM=3 -o one.out
}

@test "under and over nohup each stop signal and HUP arrive once, and the status is kept" {
	once nohup "${fry[@]}" "${probe[@]}"
	once "${fry[@]}" nohup "${probe[@]}"
	gives_all nohup "$FRY_RUN"
	gives_all "$FRY_RUN" nohup
	start it nohup "$FRY_RUN" -- "$BIN/probe" -o one.out
	ready one
	kill -HUP "$pid" # ignored when fry-run started: passed on, and no stop
	wait_line one.out HUP
	kill -TERM "$pid"
	finish it
	assert_status 143
}

@test "under and over xargs -P each command gets each stop signal once, and the status is xargs's" {
	printf '%s\n' a.out b.out c.out >names
	# xargs dies at once, and its commands go on: the remaining processes get later signals.
	start it sh -c 'exec "$@" <names' sh "${fry[@]}" --leftover=wait \
		xargs -P3 -n1 "$BIN/probe" -n -s -o
	all_ready a.out b.out c.out
	for signal in INT TERM QUIT; do
		kill -"$signal" "$pid"
		for one in a b c; do wait_line "$one.out" "$signal from *"; done
		wait_rested "$pid"
	done
	kill -WINCH "${probes[@]}"
	make=none
	jobs_got INT TERM QUIT WINCH
	end "${probes[@]}"
	finish it
	assert_status 130
	rm ./*.out
	start it sh -c 'exec "$@" <names' sh xargs -P3 -n1 "$FRY_RUN" "$BIN/probe" -x USR1=1 -o
	all_ready a.out b.out c.out
	kill -USR1 "${probes[@]}"
	finish it
	assert_status 123 # as where it runs the commands themselves
}

@test "over parallel TERM ends its jobs in order, each by one TERM" {
	requires parallel
	start it "${fry[@]}" parallel -j3 --termseq TERM,100000,KILL "$BIN/probe" -s -x TERM=0 -o '{}' \
		::: a.out b.out c.out d.out
	all_ready a.out b.out c.out
	parallel=$(children_of "$pid")
	kill -TERM "$pid"
	finish it
	assert_status 255
	nothing_left
	for one in a b c; do
		assert_lines "$one.out" "$(head -n 1 "$one.out")" "TERM from $parallel"
	done
	[[ ! -e d.out ]]
}

@test "over parallel QUIT ends parallel, and the jobs get TERM once" {
	requires parallel
	start it "${fry[@]}" parallel -j2 "$BIN/probe" -s -x TERM=0 -o '{}' ::: a.out b.out
	all_ready a.out b.out
	inner=$(inner_of "$pid")
	kill -QUIT "$pid"
	finish it
	assert_status 131
	nothing_left
	for one in a b; do
		assert_lines "$one.out" "$(head -n 1 "$one.out")" "TERM from $inner"
	done
}

@test "under parallel each command gets TERM once, and the status counts the failures" {
	requires parallel
	start it parallel -j3 --termseq TERM,100000,KILL "$FRY_RUN" -- "$BIN/probe" -x TERM=0 -o '{}' \
		::: a.out b.out c.out
	all_ready a.out b.out c.out
	kill -TERM "$pid"
	finish it
	assert_status 255
	nothing_left
	for one in a b c; do assert_lines "$one.out" "$(head -n 1 "$one.out")" TERM; done
	run parallel -j2 "$FRY_RUN" -- "$BIN/probe" -o /dev/null -e '{}' ::: 0 7 0 9
	assert_status 2
}

# --- shells

@test "under a shell with traps each trap runs once and its command gets each signal once" {
	for shell in bash dash; do
		requires "$shell"
		start it "${fry[@]}" "$shell" -c '
			for s in INT TERM QUIT; do trap "echo $s >>trapped" $s; done
			echo up >trapped
			"$0" -n -s -o one.out & until wait; do kill -0 $! 2>/dev/null || break; done
			exit 5' "$BIN/probe"
		all_ready one.out
		wait_line trapped up
		for signal in INT TERM QUIT; do
			kill -"$signal" "$pid"
			wait_line one.out "$signal from *"
			wait_line trapped "$signal"
			wait_rested "$pid"
		done
		kill -WINCH "${probes[@]}"
		wait_line one.out 'WINCH from *'
		assert_lines <(sed 's/ from .*//' one.out) "ready ${probes[0]}" INT TERM QUIT WINCH
		assert_lines trapped up INT TERM QUIT
		end "${probes[@]}"
		finish it
		assert_status 5
		nothing_left
		rm one.out trapped
	done
}

@test "a shell's trap may run another fry-run as its cleanup" {
	start it "$FRY_RUN" -k 1h bash -c '
		trap '\''"$FRY_RUN" sh -c "\$BIN/probe -n -d -o clean.out; exit 6"; echo "clean $?"; exit 7'\'' TERM
		export FRY_RUN_OPTS="-k 0.1"
		"$0" -o one.out & wait' "$BIN/probe"
	all_ready one.out
	kill -TERM "$pid"
	finish it
	assert_status 7
	nothing_left
	assert_lines it.out 'clean 6'
	all_ready clean.out
}

# --- systemd's variables

@test "LISTEN_PID, WATCHDOG_PID and NOTIFY_SOCKET name COMMAND, three deep and under nohup" {
	requires python3
	for wrapper in '' "$FRY_RUN -- $FRY_RUN --" "nohup $FRY_RUN --"; do
		# shellcheck disable=SC2086 # words
		start it python3 "$REPO/test/fixtures/systemd.py" \
			$wrapper "$FRY_RUN" -- python3 "$REPO/test/fixtures/systemd.py" --service
		wait_line it.out served
		kill -TERM "$pid"
		finish it
		assert_status 0
		nothing_left
		assert_lines it.out 'READY=1 from main' served 'STOPPING=1 from main' 'exited 3'
		assert_equal "$(grep -v '^nohup: ' it.err)" ''
	done
}
