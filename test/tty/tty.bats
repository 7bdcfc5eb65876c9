#!/usr/bin/env bats
# At a terminal job control works as if fry-run were absent.
#
# A scene is played at a shell, once with COMMAND as it is ($RUN is empty) and once below fry-run.
# The scene's assertions hold in both cases. Its notes, the shell's own words, must be equal in both cases.
# In `make check-stress` each scene is played at all shells, otherwise the scenes take turns at them.

# $RUN and the like are for inner shells; ready and look_at set variables.
# shellcheck disable=SC2016,SC2034,SC2154

# bats file_tags=rounds
load ../lib/helper

setup_more() {
	requires bash dash zsh script
	# If fry-run took a signal for a stop request, COMMAND would end at once.
	OPTIONS=--stop=KILL
	PLACEMENTS=(inherit new)
	scenes=0
}

# --- scenes

# Set shells to those at which the next scene is played.
take_turns() {
	local all=(bash dash zsh)
	shells=("${all[@]}")
	if [[ ${ROUNDS-} != all ]]; then shells=("${all[(BATS_TEST_NUMBER + scenes++) % 3]}"); fi
}

scene() {
	local shell shells placement
	take_turns
	for shell in "${shells[@]}"; do
		play plain '' "$@"
		for placement in "${PLACEMENTS[@]}"; do
			play "$placement" "$FRY_RUN $OPTIONS --pgroup=$placement --" "$@"
			assert_equal "$(<"$placement/notes")" "$(<plain/notes)" 'notes'
		done
		rm -r plain "${PLACEMENTS[@]}"
	done
}

# A scene below fry-run alone, without a comparison.
wrapped_scene() {
	local shell shells placement
	take_turns
	for shell in "${shells[@]}"; do
		for placement in "${PLACEMENTS[@]}"; do
			play "$placement" "$FRY_RUN $OPTIONS --pgroup=$placement --" "$@"
		done
		rm -r "${PLACEMENTS[@]}"
	done
}

play() {
	local how=$1 RUN=$2
	shift 2
	echo "$how at $shell: $*" # where it fails, this says which one it was
	mkdir "$how"
	cd "$how" || return
	sit_down
	"$@"
	if alive "$at"; then
		line exit
		line exit # it may insist on a job that has just ended
		finish it
	fi
	cd "$OLDPWD" || return
}

# Start the shell on a terminal of its own; sets at, its pid.
sit_down() {
	case $shell in
	bash) set -- bash --norc --noprofile -i ;;
	dash) set -- dash -i ;;
	zsh) set -- zsh -f -i -o shwordsplit ;;
	esac
	: >notes
	asked=0
	start_tty it env -u ENV HOME="$PWD" HISTFILE= PS1='$ ' RUN="$RUN" BIN="$BIN" FRY_RUN="$FRY_RUN" "$@"
	ask '$$'
	at=$answer
}

# With a newline, which means the same in every mode that the terminal may be in.
line() {
	keys it "${1//\\/\\\\}\n"
}

# Wait for the prompt, and for what the shell prints for this there; sets answer. The line that
# was typed does not match, for its quote.
ask() {
	local one
	((++asked))
	line "echo \"<$asked ${1-}>\""
	wait_line it.out "?(*[!\"])<$asked *>"
	while read -r one || [[ $one ]]; do # the end of the line may not have come yet
		if [[ $one =~ ^(.*[^\"])?"<$asked "(.*)">"$'\r'*$ ]]; then answer=${BASH_REMATCH[2]}; fi
	done <it.out
}

answers() {
	ask "$1"
	assert_equal "$answer" "$2" "$1"
}

# Type this, and wait until N (1) probes say in NAME.out that they are ready. Sets leader, the process
# that the shell knows, and command, which below fry-run is another: runs NAME TEXT [N].
runs() {
	line "$2"
	ready "$1" "${3:-1}"
	leader=${ready[0]}
	look_at "$leader" || return
	while [[ $parent != "$at" ]]; do
		command=$leader leader=$parent
		look_at "$leader" || return
	done
	if [[ ! $RUN ]]; then command=$leader; fi
}

note_jobs() {
	line 'jobs >jobs.out'
	ask
	cat jobs.out >>notes
}

# Wait until everything below the shell is in this state; only the inner process is never stopped.
job_is() {
	local one
	wait_prints "$1" states_below_shell
	[[ $RUN ]] || return 0
	for one in $(children_of "$at"); do
		one=$(direct_children_of "$one")
		if [[ $(name_of "$one") == fry-inner ]]; then assert_match "$(state_of "$one")" '[!T]'; fi
	done
}

states_below_shell() {
	local one
	for one in $(descendants_of "$at"); do state_of "$one" || :; done | sort -u
}

in_foreground() {
	look_at "$1" && [[ $foreground == "$group" ]]
}

# Wait until the shell has given the foreground to a job.
wait_foreground() {
	wait_until 'the job to be in the foreground' in_background "$at"
}

in_background() {
	look_at "$1" && [[ $foreground != "$group" ]]
}

# All of them exit with 3 at USR1, if fry-run is not faster.
probes_end() {
	kill -USR1 "${ready[@]}" 2>/dev/null || :
	answers '$?' 3
}

# assert_heard NAME [SIGNAL...]: the probes have named these signals and no others, in this order.
assert_heard() {
	local name=$1
	shift
	assert_equal "$(grep -v ready "$name.out" | xargs)" "$*" "heard in $name"
}

# assert_counts NAME ...: the number of times that the probes have named each signal, in any order.
assert_counts() {
	local name=$1
	shift
	assert_equal "$(counts "$name")" "$*" "heard in $name"
}

counts() {
	grep -vE 'ready|USR1|CHLD' "$1.out" | LC_ALL=C sort | uniq -c | xargs
}

terminal() {
	readlink "/proc/$at/fd/0"
}

# --- what is typed

@test "Ctrl-C and Ctrl-\ reach COMMAND and its child once, and start no stop" {
	scene typed
}

typed() {
	local count
	runs heard '$RUN "$BIN/probe" -n -f 1 -x USR1=3 -o heard.out' 2
	for count in 1 2 3; do
		keys it '\003'
		wait_line heard.out INT $((2 * count))
	done
	keys it '\034'
	wait_line heard.out QUIT 2
	probes_end
	assert_counts heard 6 INT 2 QUIT
}

@test "the shell sees death by the signal that was typed" {
	scene dies_of_keys
}

dies_of_keys() {
	runs int '$RUN "$BIN/probe" -o int.out'
	keys it '\003'
	answers '$?' 130
	runs other '$RUN "$BIN/probe" -o other.out'
	keys it '\034'
	answers '$?' 131
	grep -ci quit it.out >>notes # what the shell calls it
}

@test "a loop ends on the first Ctrl-C" {
	scene loop
}

loop() {
	runs heard 'for i in 1 2 3; do $RUN "$BIN/probe" -o heard.out; done'
	keys it '\003'
	answers '$?' 130
	assert_heard heard INT
}

# --- stopping

@test "Ctrl-Z stops the whole job, bg and fg continue it" {
	scene stops_and_goes
	OPTIONS='--no-guard --leftover=wait' scene stops_and_goes
}

stops_and_goes() {
	runs heard '$RUN "$BIN/probe" -n -z -f 1 -x USR1=3 -o heard.out' 2
	keys it '\032'
	answers '$?' 148
	job_is T
	note_jobs
	line bg
	job_is S
	wait_line heard.out CONT 2
	note_jobs
	in_foreground "$at"
	line fg
	wait_foreground
	keys it '\003'
	wait_line heard.out INT 2
	keys it '\032'
	answers '$?' 148
	job_is T
	line fg
	wait_foreground
	wait_line heard.out CONT 4
	keys it '\034'
	wait_line heard.out QUIT 2
	probes_end
	sed -i /CONT/d heard.out # some shells send it with each fg
	assert_counts heard 2 INT 2 QUIT
}

@test "the shell's prompt comes after a program has restored the terminal on Ctrl-Z" {
	scene restores 'kill -STOP $$'
	scene restores 'trap - TSTP; kill -TSTP $$'
	scene restores 'trap - TSTP; kill -TSTP 0'
}

restores() {
	cat >program <<-END
		restore() {
			until [ -e restore ]; do sleep .01; done
			echo restored
			$1
			echo on >>heard.out
			trap restore TSTP
		}
		trap restore TSTP
		trap 'exit 9' INT
		"\$BIN/probe" -z -o heard.out &
		while :; do wait; done
	END
	runs heard '$RUN bash program'
	keys it '\032'
	wait_prints T state_of "${ready[0]}"
	line 'echo early'
	wait_line it.out '*echo early'
	touch restore
	ask '$?'
	# Where it is early the prompt may stand before it.
	assert_equal "$(tr -d '\r' <it.out | grep -xE 'restored|(\$ )?early' | grep -oE '[a-z]+' | xargs)" \
		'restored early'
	job_is T
	note_jobs
	line fg
	wait_line heard.out on
	keys it '\003'
	answers '$?' 9
}

@test "a shell below fry-run that suspends gives the terminal back and gets it again" {
	scene suspends
}

suspends() {
	line 'INNER=yes $RUN bash --norc --noprofile -i'
	answers '$INNER' yes
	line suspend
	answers '${INNER-no}' no
	in_foreground "$at"
	note_jobs
	line fg
	answers '$INNER' yes
	line 'exit 7'
	answers '$? ${INNER-no}' '7 no'
}

@test "each of several quick Ctrl-Z and fg stops COMMAND once" {
	wrapped_scene to_and_fro
}

to_and_fro() {
	local count
	cat >program <<-'END'
		trap 'echo TSTP >>heard.out; kill -STOP $$; echo on >>heard.out' TSTP
		trap 'exit 9' INT
		"$BIN/probe" -z -o child.out &
		while :; do wait; done
	END
	runs child '$RUN bash program'
	for ((count = 1; count <= $(rounds 30 5); count++)); do
		keys it '\032fg\n'
		wait_line heard.out on "$count"
	done
	keys it '\003'
	answers '$?' 9
	assert_counts heard $((count - 1)) TSTP $((count - 1)) on
}

@test "CONT to a stopped COMMAND alone continues the job" {
	scene continued_alone
}

continued_alone() {
	runs heard '$RUN "$BIN/probe" -z -n -x QUIT=5 -o heard.out'
	keys it '\032'
	answers '$?' 148
	job_is T
	kill -CONT "$command"
	job_is S
	note_jobs
	line fg
	wait_foreground
	keys it '\034'
	answers '$?' 5
}

@test "STOP to COMMAND alone stops the job" {
	scene stopped_alone
	OPTIONS=--no-guard scene stopped_alone
}

stopped_alone() {
	runs heard '$RUN "$BIN/probe" -n -x QUIT=5 -o heard.out'
	kill -STOP "$command"
	ask '$?'
	echo "$answer" >>notes
	job_is T
	note_jobs
	line fg
	wait_foreground
	job_is S
	keys it '\034'
	answers '$?' 5
}

@test "a stopped COMMAND that is killed ends the job" {
	scene killed_stopped
}

killed_stopped() {
	runs heard '$RUN "$BIN/probe" -z -n -o heard.out'
	keys it '\032'
	answers '$?' 148
	job_is T
	kill -KILL "$command"
	wait_gone "$leader"
	note_jobs
	sed -i 's/^\[1\]+/[1] /' notes # it is the current job until the shell has looked
}

@test "kill -9 of fry-run leaves nothing of a stopped job" {
	wrapped_scene wrapper_killed
}

wrapper_killed() {
	runs heard '$RUN "$BIN/probe" -z -n -f 2 -o heard.out' 3
	keys it '\032'
	answers '$?' 148
	job_is T
	kill -KILL "$leader"
	wait_gone "$leader" "${ready[@]}"
	ask # the shell sees that its job is gone
}

@test "a stopped job that gets TERM ends" {
	OPTIONS='-k 0' scene ended_stopped
}

ended_stopped() {
	runs heard '$RUN "$BIN/probe" -z -f 1 -o heard.out' 2
	keys it '\032'
	answers '$?' 148
	job_is T
	line 'kill %1'
	# The other shells do that by themselves.
	if [[ $shell == dash ]]; then line 'kill -s CONT %1'; fi
	wait_gone "$leader" "${ready[@]}"
	assert_equal "$(count_lines heard.out TERM)" 2
	ask
}

# --- pipelines

@test "both ends of a pipeline may read the terminal, whichever is below fry-run" {
	PLACEMENTS=(inherit) # in a group of its own one of them could not
	scene pipe '$RUN' ''
	scene pipe '' '$RUN'
	scene pipe '$RUN' '$RUN'
}

pipe() {
	cat >left <<-'END'
		until [ -e here ]; do sleep .01; done
		echo left? >/dev/tty
		read word </dev/tty
		echo "$word"
	END
	cat >right <<-'END'
		>here
		read word
		echo right? >/dev/tty
		read other </dev/tty
		echo "$word $other" >words
	END
	line "$1 sh left | $2 sh right"
	wait_line it.out 'left[?]'
	keys it '\032'
	job_is T # before it stops, the reader may still get the next line
	note_jobs
	line fg
	job_is S
	line one
	wait_line it.out 'right[?]'
	keys it '\032'
	job_is T # before it stops, the reader may still get the next line
	note_jobs
	line fg
	job_is S
	line two
	answers '$?' 0
	assert_lines words 'one two'
}

@test "Ctrl-C ends both ends of a pipeline" {
	PLACEMENTS=(inherit)
	scene pipe_ends '$RUN' ''
	scene pipe_ends '' '$RUN'
	scene pipe_ends '$RUN' '$RUN'
}

pipe_ends() {
	line "$1 \"\$BIN/probe\" -o left.out | $2 \"\$BIN/probe\" -o right.out"
	ready left
	ready right
	keys it '\003'
	answers '$?' 130
	assert_heard left INT
	assert_heard right INT
}

# --- in the background

@test "a job in the background leaves the terminal to the shell" {
	scene leaves_terminal
}

leaves_terminal() {
	runs heard "$* "'$RUN "$BIN/probe" -n -x QUIT=4 -o heard.out &'
	answers '$?' 0
	in_foreground "$at"
	note_jobs
	line fg
	wait_foreground
	keys it '\034'
	answers '$?' 4
	assert_equal "$(count_lines heard.out QUIT)" 1
}

@test "a typed Ctrl-\ starts no stop though the user's queue of signals is full" {
	PLACEMENTS=(new)
	OPTIONS='--stop=KILL' scene leaves_terminal prlimit --sigpending=0
}

@test "a job in the background that reads or writes is stopped, and fg lets it go on" {
	scene reads_in_background
}

reads_in_background() {
	line 'stty tostop'
	line '$RUN sh -c "read word; echo \$word >word" &'
	ask
	job_is T
	note_jobs
	line fg
	wait_foreground
	job_is S
	line one
	answers '$?' 0
	assert_lines word one
	line '$RUN sh -c "echo written; exit 6" &'
	ask
	job_is T
	note_jobs
	assert_equal "$(count_lines it.out written)" 0
	line fg
	answers '$?' 6
	assert_equal "$(count_lines it.out written)" 1
}

@test "a running job that comes to the foreground may read" {
	scene reads_in_foreground
}

reads_in_foreground() {
	line '$RUN sh -c "until [ -e go ]; do sleep .01; done; read word; echo \$word >word" &'
	ask
	line fg
	wait_foreground
	touch go
	line one
	answers '$?' 0
	assert_lines word one
}

# --- a shell inside

@test "an interactive shell below fry-run has job control and gives the terminal back" {
	scene inside
}

inside() {
	line 'INNER=yes $RUN bash --norc --noprofile -i'
	answers '$INNER' yes
	line '"$BIN/probe" -z -n -x QUIT=8 -o heard.out'
	ready heard
	keys it '\032'
	answers '$? $INNER' '148 yes'
	wait_prints $'S\nT' states_below_shell
	line fg
	wait_until 'the job to be in the foreground' in_foreground "${ready[0]}"
	keys it '\003'
	wait_line heard.out INT
	keys it '\034'
	answers '$? $INNER' '8 yes'
	line 'exit 7'
	answers '$? ${INNER-no}' '7 no'
	in_foreground "$at"
}

# --- the terminal itself

@test "a change of the window's size arrives once" {
	scene resized
}

resized() {
	local rows
	runs heard '$RUN "$BIN/probe" -n -f 1 -x USR1=3 -o heard.out' 2
	for rows in 30 31 32; do
		stty rows "$rows" <"$(terminal)"
		wait_line heard.out WINCH $((2 * (rows - 29)))
	done
	probes_end
	assert_counts heard 6 WINCH
}

@test "closing the terminal ends a running and a stopped job" {
	scene hung_up ''
	scene hung_up '\032'
}

hung_up() {
	runs heard '$RUN "$BIN/probe" -z -f 1 -x HUP=0 -o heard.out' 2
	if [[ $1 ]]; then
		keys it "$1"
		job_is T
	fi
	end "$it_pid"
	wait_prints '' left_behind
}

@test "closing the terminal ends everything where fry-run leads its session" {
	for placement in inherit new session; do
		start_tty it "$FRY_RUN" --pgroup="$placement" -- \
			"$BIN/probe" -f 1 -x HUP=0 -o heard.out
		ready heard 2
		end "$it_pid"
		wait_prints '' left_behind
		rm it.keys heard.out
	done
}

@test "terminal modes that COMMAND sets before a normal exit stay" {
	scene leaves_modes
}

# Below a script, since an interactive shell sets what it likes.
leaves_modes() {
	line "sh -c '\$RUN stty -echo; stty -g >after; stty echo'"
	ask
	cat after >>notes
}

@test "terminal modes and foreground are restored after kill -9, a timeout and a stop" {
	wrapped_scene restored KILL 137
	wrapped_scene restored TERM 143
	OPTIONS='--timeout=4' wrapped_scene restored 0 124
}

# COMMAND takes the foreground, makes the terminal raw, and gets a signal.
restored() {
	cat >program <<-'END'
		stty -g >before
		$RUN bash -ic 'stty raw -echo; exec "$BIN/probe" -z -o heard.out'
		status=$?
		stty -g >after
		echo $status >status
		read word && echo "$word" >word
	END
	runs heard 'sh program'
	kill -s "$1" "${ready[0]}" || :
	wait_line status "$2"
	cmp before after
	line one
	ask
	assert_lines word one
}

@test "terminal modes are restored when COMMAND exits because of a stop" {
	start_tty it sh -c 'stty -g >before
		"$0" -- sh -c "stty raw -echo; exec \"\$0\" -x TERM=3 -o heard.out" "$1"
		echo $? >status; stty -g >after' "$FRY_RUN" "$BIN/probe"
	ready heard
	kill -TERM "$(children_of "$(children_of "$it_pid")")"
	finish it
	assert_lines status 3
	cmp before after
}

@test "terminal modes that another command of a pipeline sets stay when COMMAND is killed" {
	mkfifo go
	start_tty it sh -c '"$0" -- sh -c "read -r go <go; kill -KILL \$\$" | {
		stty raw -echo </dev/tty; stty -g </dev/tty >before
		echo >go; cat; stty -g </dev/tty >after
	}' "$FRY_RUN"
	finish it
	cmp before after
}

# --- as the session leader

@test "COMMAND gets every typed key where fry-run leads the session" {
	for RUN in '' "$FRY_RUN --stop=KILL --" "$FRY_RUN --stop=KILL --pgroup=new --"; do
		# shellcheck disable=SC2086 # words
		start_tty it $RUN "$BIN/probe" -z -n -x QUIT=3 -o heard.out
		led_session
		# Without exec another shell than bash, in the same group, would get what is typed as well.
		# shellcheck disable=SC2086 # words
		start_tty it script -qec "exec $RUN $BIN/probe -z -n -x QUIT=3 -o heard.out" typescript
		led_session
	done
}

# No shell is there to continue what Ctrl-Z stops, so it stops nothing.
led_session() {
	ready heard
	keys it '\032'
	keys it '\003'
	wait_line heard.out INT
	keys it '\034'
	finish it
	assert_status 3
	# In a group of its own COMMAND is stopped, and continued at once.
	if [[ $RUN == *new* ]]; then sed -i /CONT/d heard.out; fi
	assert_heard heard INT QUIT
	rm it.keys heard.out
}

@test "a shell below a fry-run that leads the session has job control" {
	for options in '' --pgroup=new --pgroup=session; do
		# shellcheck disable=SC2086 # words
		start_tty it env BIN="$BIN" "$FRY_RUN" $options -- bash --norc --noprofile -i
		asked=0
		line '"$BIN/probe" -z -n -x QUIT=8 -o heard.out'
		ready heard
		look_at "${ready[0]}"
		at=$parent # of the shell
		keys it '\032'
		answers '$?' 148
		line fg
		wait_foreground
		keys it '\034'
		answers '$?' 8
		line 'exit 7'
		finish it
		assert_status 7
		rm it.keys heard.out
	done
}

# --- other placements

@test "--pgroup=new: COMMAND's group is in the foreground where fry-run's was" {
	PLACEMENTS=(new)
	wrapped_scene handed_over
}

handed_over() {
	runs heard '$RUN "$BIN/probe" -z -n -x QUIT=0 -o heard.out'
	look_at "$command"
	assert_equal "$group $foreground" "$command $command"
	keys it '\032'
	answers '$?' 148
	in_foreground "$at"
	line bg
	job_is S
	in_foreground "$at"
	line fg
	wait_foreground
	keys it '\032'
	answers '$?' 148
	line fg
	wait_until 'COMMAND to be in the foreground' in_foreground "$command"
	kill -KILL "$command"
	answers '$?' 137
	in_foreground "$at"
	runs second '$RUN "$BIN/probe" -o second.out &'
	look_at "$command"
	assert_equal "$group" "$command"
	in_foreground "$at"
	kill -KILL "$command"
	wait_gone "$leader"
	ask
}

@test "--pgroup=session under a shell: Ctrl-Z stops the job, and fg continues it" {
	PLACEMENTS=(session)
	wrapped_scene own_session
}

own_session() {
	runs heard '$RUN "$BIN/probe" -n -f 1 -x QUIT=3 -o heard.out' 2
	look_at "$command"
	assert_equal "$session $tty" "$command 0"
	keys it '\032'
	ask
	job_is T
	line fg
	wait_foreground
	job_is S
	keys it '\003'
	wait_line heard.out INT
	keys it '\034'
	answers '$?' 3
}

@test "--pgroup=session moves the terminal along without HUP or CONT for any process" {
	start_tty it env BIN="$BIN" FRY_RUN="$FRY_RUN" sh -c '
		"$BIN/probe" -n -o child.out &
		until [ -s child.out ]; do sleep .01; done
		exec "$FRY_RUN" --stop=KILL --pgroup=session -- sh -c "
			echo there >/dev/tty
			exec \"\$BIN/probe\" -n -x QUIT=3 -o heard.out"'
	ready child
	child=${ready[0]}
	ready heard
	look_at "${ready[0]}"
	assert_equal "$session $foreground" "${ready[0]} ${ready[0]}"
	wait_line it.out there
	keys it '\003'
	wait_line heard.out INT
	kill -USR1 "$child"
	wait_line child.out USR1
	assert_heard child USR1
	keys it '\034'
	finish it
	assert_status 3
	assert_heard heard INT QUIT
}

fry_has_a_child() {
	local one
	for one in $(descendants_of "$pid"); do
		[[ $(name_of "$one") == fry-run ]] || continue
		helper=$(direct_children_of "$one") && [[ $helper ]] && return
	done
	return 1
}

@test "stopping the helper that gives up the terminal does not hold fry-run" {
	requires strace
	start_tty it strace -D -f -qq -o calls -e trace=setpgid -e inject=setpgid:delay_exit=5000000 \
		"$FRY_RUN" --no-guard --pgroup=session -- echo runs
	# Each process that calls setpgid(2) is held in it.
	wait_until 'fry-run to fork' fry_has_a_child
	kill -STOP "$helper"
	wait_line it.out runs
	finish it
	assert_status 0
}

@test "a terminal whose ioctl calls all fail ends no run" {
	for placement in auto inherit new session; do
		# ENXIO and EBADF by number
		for error in EPERM ENOTTY 6 9; do
			start_tty it "$BIN/deny" -e "$error" ioctl -- "$FRY_RUN" --pgroup="$placement" -- \
				"$BIN/probe" -e 7
			finish it
			assert_status 7
			rm it.keys
		done
	done
}

# --- from a process

@test "kill PID, kill %1 and kill of the group reach COMMAND once" {
	OPTIONS='-k 1h' scene killed
}

# Two signals to the group that merge in one process of fry-run, and not in the other, may bring COMMAND a
# copy too many: wait until neither is pending.
killed() {
	local signal count=0
	runs heard '$RUN "$BIN/probe" -n -x USR1=3 -o heard.out &'
	for signal in INT TERM QUIT HUP USR2; do
		line "kill -s $signal \$!"
		wait_line heard.out "$signal"
		wait_received
		line "kill -s $signal %1"
		wait_line heard.out "$signal" 2
		wait_received
		line "kill -s $signal -- -\$!"
		wait_line heard.out "$signal" 3
		wait_received
	done
	line 'wait $!'
	kill -USR1 "$command"
	answers '$?' 3
	assert_counts heard 3 HUP 3 INT 3 QUIT 3 TERM 3 USR2
}

@test "kill PID, kill %1 and kill of the group are stop requests on a terminal" {
	wrapped_scene requested
}

requested() {
	local signal whom
	for signal in INT TERM QUIT; do
		for whom in '$!' %1 '-- -$!'; do
			runs heard '$RUN "$BIN/probe" -n -o heard.out &'
			line "kill -s $signal $whom; wait \$!" # a prompt between would forget it
			answers '$?' 137
			rm heard.out
		done
	done
}

@test "a shell's HUP reaches its jobs as often as without fry-run" {
	OPTIONS='-k 1h' scene shell_hung_up
}

shell_hung_up() {
	runs heard '$RUN "$BIN/probe" -n -x USR1=0 -o heard.out &'
	kill -HUP "$at"
	wait_gone "$at"
	kill -USR1 "$leader"
	wait_prints '' left_behind
	grep -v ready heard.out >>notes || :
}
