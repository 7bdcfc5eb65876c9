# options.bats - the command line and FRY_RUN_OPTS: what is accepted, what is refused, and the messages

# Arguments in single quotes are expanded by the sh that fry-run runs, not here.
# shellcheck disable=SC2016

# bats file_tags=posix
load ../lib/helper

# Run fry-run with its words in out and err, and its status in status.
fry() {
	"$FRY_RUN" "$@" >out 2>err && status=0 || status=$?
}

# fry-run accepts these words, says nothing, and runs COMMAND.
accepts() {
	fry "$@" sh -c 'echo run'
	assert_status 0 && assert_lines err && assert_lines out run
}

# fry-run refuses these words: nothing was started, 125, nothing on stdout, and on stderr one line
# that matches.
refuses() {
	local match=$1
	shift
	fry "$@" touch started
	is_refused "$match"
}

is_refused() {
	local lines
	mapfile -t lines <err
	assert_status 125 && assert_match "${lines[*]}" "fry-run: $1" || return
	assert_equal "${#lines[@]}" 1 "lines of err" && assert_lines out || return
	if [ -e started ]; then
		echo "COMMAND was started" >&2
		return 1
	fi
}

# fry-run with these words forwards USR1 as the signal of this name.
forwards_usr1_as() {
	local name=$1
	shift
	start it "$FRY_RUN" "$@" -- "$BIN/probe" -n
	ready it
	kill -USR1 "$pid"
	wait_line it.out '*' 2 || return
	assert_lines it.out "ready ${ready[0]}" "$name" || return
	end "${ready[0]}" && wait_gone "$pid"
}

# fry-run with these words times out, after as many milliseconds at least.
times_out_after() {
	local least=$1 before
	shift
	before=$(now)
	fry "$@" sleep 1000
	assert_status 124 || return
	at_least $(($(now) - before)) "$least"
}

# --- where options end

@test "options end at COMMAND, whose own options and -- are passed on" {
	fry -s echo -v --help -- -k -- last
	assert_status 0
	assert_lines out '-v --help -- -k -- last'
	assert_lines err
}

@test "a -- before COMMAND ends the options and is not passed on" {
	fry -s -- echo -- -v
	assert_status 0
	assert_lines out '-- -v'
}

@test "after -- a COMMAND may look like an option" {
	printf '#!/bin/sh\necho "ran $*"\n' >-v
	chmod +x ./-v
	PATH=.:$PATH fry -- -v -k
	assert_lines out 'ran -k'
}

@test "POSIXLY_CORRECT makes no difference" {
	POSIXLY_CORRECT=1 fry --status code sh -c 'kill $$'
	assert_status 143
}

@test "without a COMMAND nothing is run, and the status is 125" {
	fry
	is_refused 'no COMMAND was given: see fry-run --help'
	fry --
	is_refused 'no COMMAND was given: see fry-run --help'
	fry -v -k 5s
	is_refused 'no COMMAND was given: see fry-run --help'
}

# --- every option, in every form

# bats test_tags=linux
@test "an option's value follows its letter, in one word or the next" {
	for option in k5 t1h pTERM rUSR1:USR2 e7; do
		accepts "-$option"
		accepts "-${option:0:1}" "${option:1}"
	done
}

# bats test_tags=linux
@test "an option's value follows its name, after = or in the next word" {
	for option in kill-after=5 stop=TERM/5s/KILL timeout=1h parent-death=TERM leftover=stop \
		scope=auto rewrite=USR1:USR2 pgroup=auto status=mirror expect=7; do
		accepts "--$option"
		accepts "--${option%%=*}" "${option#*=}"
	done
}

@test "several letters share a word, of which the last may take a value" {
	accepts -gcws
	FRY_RUN_OPTS='-e 3 -e4' fry -wge5 sh -c 'exit 5'
	assert_status 0
	fry -se 6 sh -c 'exit 6'
	assert_status 0
	fry -ve7 sh -c 'exit 7'
	assert_status 0
	[ -s err ]
}

@test "an option's name may be cut as long as one option alone begins so" {
	fry --exp=3 --ex 4 --sin --k 5 --le leave sh -c 'exit 3'
	assert_status 0
	refuses '--status=x: *mirror or code' --stat=x
	for word in --g --s --re=x --st=mirror --=x; do
		refuses "$word: *no such option*" "$word"
	done
	refuses '--gr=x: the option takes no argument' --gr=x
}

@test "the word after an option is its value even if it looks like an option" {
	refuses '--expect=-v: *CODE*' -e -v
	refuses '--timeout=--help: *DURATION*' -st --help
}

@test "a lone - is COMMAND" {
	fry -s - -v
	assert_status 127
	assert_match "$(<err)" 'fry-run: *-: No such file or directory'
}

@test "an option without a value has a letter and a name" {
	accepts -g
	accepts --group
	accepts -c
	accepts --single-child
	accepts -w
	accepts --warn-reaped
	accepts -s
	accepts --no-guard
	accepts --hangup
	accepts -sgw
}

@test "an option that needs a value is refused without one" {
	for option in -k -t -p -r -e --kill-after --stop --timeout --parent-death --leftover --scope \
		--rewrite --pgroup --status --expect --cgroup --report; do
		fry "$option"
		is_refused "$option: *needs an argument, *"
		fry -v "$option"
		is_refused "$option: *needs an argument, *"
		refuses "$option: *needs an argument, *" "$option" --
	done
	fry -gk
	is_refused '-k: *needs an argument, DURATION'
	refuses '--leftover: *needs an argument, stop|wait|leave|fail' --leftover --
	refuses '-e: *needs an argument, CODE' -we --
}

@test "an option that takes no value is refused with one" {
	for option in --group --single-child --warn-reaped --verbose --no-guard --help --version; do
		refuses "$option=1: *takes no argument*" "$option=1"
	done
}

@test "an option that does not exist is refused by its name" {
	refuses '-x: *no such option*' -x
	refuses '-x: *no such option*' -gx
	refuses '-x: *no such option*' --group -xg
	refuses '--exit: *no such option*' --exit
	refuses '--exit: *no such option*' -g --exit
	refuses '--exit=1: *no such option*' --exit=1
	refuses '-S: *no such option*' -S
}

@test "-k is the wait between the steps: INT, TERM, and then KILL" {
	for option in '-k 2.5' --kill-after=2500ms; do
		# shellcheck disable=SC2086 # two words
		start it "$FRY_RUN" $option "$BIN/probe" -n
		ready it
		before=$(now)
		kill -INT "$pid"
		finish it
		assert_status 137
		at_least $(($(now) - before)) 5000
		assert_lines it.out "ready ${ready[0]}" INT TERM
	done
}

@test "--stop names the steps" {
	start it "$FRY_RUN" --stop=USR2/.05/RTMIN+3/1h/KILL -t 3 "$BIN/probe" -n
	ready it
	wait_line it.out RTMIN+3
	assert_lines it.out "ready ${ready[0]}" USR2 RTMIN+3
	end "${ready[0]}"
	finish it
	assert_status 124
}

@test "--stop takes a schedule with and without a last wait, of one signal, and with minus signs" {
	for schedule in TERM KILL TERM/5s -TERM/5s/-KILL TERM/KILL int/.5/Sigterm/1m/KILL/1h \
		TERM/1/TERM/1/TERM/1/TERM 5s/TERM .5/-15/5s/KILL 0/KILL -15/5s/-9 HUP/0/KILL; do
		accepts --stop="$schedule"
	done
}

@test "--stop excludes -k, in either order" {
	refuses '--stop: *-k*' -k 5 --stop=TERM/5s/KILL
	refuses '--stop: *-k*' --stop=TERM/5s/KILL -k 5
	refuses '--stop: *-k*' --stop=TERM/5s/KILL --kill-after=0
}

# bats test_tags=linux
@test "-p forwards a signal when the parent dies" {
	for option in '-p TERM' --parent-death=SIGTERM '-p 15'; do
		start it sh -c "'$FRY_RUN' $option '$BIN/probe'; true"
		ready it
		end "$pid"
		wait_line it.out TERM
		wait_until 'nothing to be left' nothing_left
	done
}

# bats test_tags=linux
@test "--leftover decides on a process that outlives COMMAND" {
	fry --leftover=stop "$BIN/probe" -d -o stop.out
	assert_status 0
	assert_match "$(<stop.out)" $'ready *\nTERM'

	fry --leftover=fail "$BIN/probe" -d -o fail.out
	assert_status 125
	assert_match "$(<fail.out)" $'ready *\nTERM'
	assert_match "$(<err)" 'fry-run: left behind * (*probe -d -o fail.out)'

	fry --leftover=leave "$BIN/probe" -d -o leave.out
	assert_status 0
	ready leave
	alive "${ready[0]}"
	end "${ready[0]}"

	start it "$FRY_RUN" --leftover=wait "$BIN/probe" -d -o wait.out
	ready wait
	wait_prints "${ready[0]}" children_of "$pid"
	kill -USR1 "$pid"
	wait_line wait.out USR1
	end "${ready[0]}"
	finish it
	assert_status 0
}

@test "-g and --scope=group forward to COMMAND's group" {
	for option in -g --group --scope=group; do
		start it "$FRY_RUN" --pgroup=new "$option" "$BIN/probe" -n -f 1
		ready it 2
		kill -USR1 "$pid"
		wait_line it.out USR1 2
		end "${ready[@]}" && wait_gone "$pid"
	done
}

@test "-c and --scope=command forward to COMMAND alone, TERM too" {
	for option in -c --single-child --scope=command; do
		start it "$FRY_RUN" --pgroup=new "$option" "$BIN/probe" -n -f 1
		ready it 2
		kill -TERM "$pid"
		wait_line it.out TERM
		kill -USR2 "${ready[@]}"
		wait_line it.out USR2 2
		assert_equal "$(count_lines it.out TERM)" 1
		end "${ready[@]}" && wait_gone "$pid"
	done
}

# bats test_tags=linux
@test "--scope=tree forwards to every descendant" {
	start it "$FRY_RUN" --scope=tree sh -c '"$0" -d -n -o daemon.out; exec "$0" -n' "$BIN/probe"
	ready it
	kill -USR1 "$pid"
	wait_line it.out USR1
	wait_line daemon.out USR1
	end "${ready[0]}"
	kill -TERM "$pid"
	wait_line daemon.out TERM
	ready daemon
	end "${ready[0]}" && wait_gone "$pid"
}

@test "--scope=auto forwards TERM to COMMAND's group and USR1 to COMMAND alone" {
	for option in -s --scope=auto; do
		start it "$FRY_RUN" --pgroup=new "$option" "$BIN/probe" -n -f 1
		ready it 2
		kill -USR1 "$pid"
		wait_line it.out USR1
		kill -TERM "$pid"
		wait_line it.out TERM 2
		assert_equal "$(count_lines it.out USR1)" 1
		end "${ready[@]}" && wait_gone "$pid"
	done
}

@test "-r forwards another signal than the one received, or none" {
	start it "$FRY_RUN" -r USR1:USR2 --rewrite HUP:0 -r 12:RTMIN+3 "$BIN/probe" -n
	ready it
	kill -HUP "$pid"
	kill -USR1 "$pid"
	wait_line it.out USR2
	kill -USR2 "$pid"
	wait_line it.out RTMIN+3
	assert_lines it.out "ready ${ready[0]}" USR2 RTMIN+3
	end "${ready[0]}" && wait_gone "$pid"
}

@test "the last -r of a signal counts" {
	forwards_usr1_as WINCH -r USR1:USR2 -r 10:WINCH
	forwards_usr1_as USR1 -r USR1:0 -r USR1:USR1
}

@test "--pgroup says which group COMMAND is in" {
	start it setsid "$FRY_RUN" --pgroup=inherit "$BIN/probe"
	ready it
	look_at "${ready[0]}"
	assert_equal "$group" "$pid"
	end "${ready[0]}" && wait_gone "$pid"

	start it setsid "$FRY_RUN" --pgroup=new "$BIN/probe"
	ready it
	look_at "${ready[0]}"
	assert_equal "$group $session" "${ready[0]} $pid"
	end "${ready[0]}" && wait_gone "$pid"

	start it setsid "$FRY_RUN" --pgroup=session "$BIN/probe"
	ready it
	look_at "${ready[0]}"
	assert_equal "$group $session" "${ready[0]} ${ready[0]}"
	end "${ready[0]}" && wait_gone "$pid"

	start leader "$BIN/probe" -g
	ready leader
	start it "$FRY_RUN" --pgroup="$leader_pid" "$BIN/probe"
	ready it
	look_at "${ready[0]}"
	assert_equal "$group" "$leader_pid"
	end "${ready[0]}" "$leader_pid" && wait_gone "$pid"
}

@test "--pgroup of the caller's own group keeps COMMAND in that group" {
	start leads setsid bash -c 'exec "$0" --pgroup=$$ -- "$1"' "$FRY_RUN" "$BIN/probe"
	ready leads
	look_at "${ready[0]}"
	assert_equal "$group" "$leads_pid"
	end "${ready[0]}"
	finish leads
}

@test "--pgroup of a group that cannot be joined is refused, and COMMAND is not run" {
	start other setsid sleep 1000
	refuses "--pgroup=$other_pid: no such group in this session" --pgroup="$other_pid"
	refuses '--pgroup=2147483647: no such group in this session' --pgroup=2147483647
	FRY_RUN_OPTS=--pgroup=2147483647 refuses 'FRY_RUN_OPTS: --pgroup=2147483647: no such group*'
	end "$other_pid"
}

@test "--status=code exits with 128 + N where COMMAND died of a signal, mirror dies of it" {
	requires perl
	start it "$FRY_RUN" --status=code sh -c 'kill -KILL $$'
	finish it
	assert_status 137
	assert_equal "$(perl -e 'print system @ARGV' "$FRY_RUN" --status=code sh -c 'kill $$')" $((143 << 8))
	assert_equal "$(perl -e 'print system @ARGV' "$FRY_RUN" --status=mirror sh -c 'kill $$')" 15
}

@test "-e makes a status count as 0, and can be repeated" {
	for status in 3 4 255; do
		accepts -e 3 --expect=4 -e 255
		fry -e 3 --expect 4 -e255 sh -c "exit $status"
		assert_status 0
	done
	fry -e 3 sh -c 'exit 4'
	assert_status 4
}

# bats test_tags=linux
@test "-w names each orphan once when it is reaped, and no other process" {
	for option in -w --warn-reaped -w -w -w -w -w -w; do
		fry "$option" "$BIN/orphans" 20
		assert_status 0
		assert_equal "$(count_lines err 'fry-run: reaped orphan: process +([0-9]) (orphans)')" 20
		assert_equal "$(sort -u err | count_lines /dev/stdin '*')" 20
		assert_equal "$(count_lines err '*')" 20
	done
}

@test "-v writes what is done to stderr and can be repeated" {
	for option in -v --verbose -vv -vvv '-v --verbose -v'; do
		# shellcheck disable=SC2086 # several words
		fry $option echo hello
		assert_status 0
		assert_lines out hello
		[ -s err ]
		assert_equal "$(grep -cv '^fry-run: ' err)" 0
	done
}

# --- as the users of tini, dumb-init and catatonit write it

# bats test_tags=linux
@test "tini's command lines are accepted with their meaning" {
	accepts
	accepts --
	accepts -s --
	accepts -g --
	accepts -w -s -g --
	accepts -p SIGTERM --
	accepts -p SIGKILL -s -g --
	accepts -e 143 -e 130 --
	accepts -sg -e143 --
	fry -vvv -e 143 -- sh -c 'kill $$'
	assert_status 0
	for option in -l -h --version; do
		fry "$option"
		assert_status 0
		[ -s out ]
	done
}

@test "dumb-init's command lines are accepted with their meaning" {
	accepts --
	accepts -c --
	accepts --single-child
	accepts -r 15:3 --
	accepts -r15:3 -r 1:0
	accepts --rewrite 15:3 --rewrite 2:3 --
	accepts --rewrite=1:0 -c
	fry -v -- echo run
	assert_status 0
	fry --verbose echo run
	assert_status 0
	for option in -h --help -V --version; do
		fry "$option"
		assert_status 0
		[ -s out ]
	done
}

@test "catatonit's command lines are accepted with their meaning" {
	accepts --
	accepts -g --
	accepts -g
	for option in -h --help -L --license -V --version; do
		fry "$option"
		assert_status 0
		[ -s out ]
	done
}

# --- help, version and licence

@test "--help, --version and --license write to stdout alone, run nothing and exit 0" {
	for option in -h --help -V --version -l -L --license; do
		fry "$option" touch started
		assert_status 0
		assert_lines err
		[ -s out ]
		[ ! -e started ]
	done
}

@test "--help explains every option" {
	fry --help
	assert_match "$(<out)" 'Usage: fry-run*'
	for option in -k --kill-after --stop -t --timeout -p --parent-death --leftover --scope -g --group \
		-c --single-child -r --rewrite --hangup --pgroup --cgroup --guard --no-guard --status -e --expect \
		-w --warn-reaped -v --verbose --report -P --pause -s -l -L --license -h --help -V \
		--version FRY_RUN_OPTS 124 125 126 127; do
		grep -qwF -e "$option" out || {
			echo "$option is not explained" >&2
			return 1
		}
	done
}

@test "--version names the version that the sources have" {
	version=$(sed -n 's/^#define FRY_VERSION "\(.*\)"/\1/p' "$REPO/fry.h")
	fry --version
	assert_match "$(<out)" "fry-run $version?( (*))" # the revision, from a checkout
}

@test "--license prints the licence that the sources have" {
	for option in -l -L --license; do
		fry "$option"
		cmp out "$REPO/LICENSE"
	done
}

@test "--help that cannot be written exits 125" {
	for option in -h -V -L; do
		: >out
		"$FRY_RUN" "$option" >/dev/full 2>err && status=0 || status=$?
		is_refused 'stdout: No space left on device'
		"$FRY_RUN" "$option" >&- 2>err && status=0 || status=$?
		is_refused 'stdout: Bad file descriptor'
	done
}

# --- malformed values

@test "a malformed DURATION is refused" {
	for word in '' 1e3 1E3 inf INF infinity nan -1 -0 +1 -.5 ' 1' '1 ' '1 m' 1x 1S 1M 1H 1D 1sec 1min 1us \
		1ns 0x10 . .s s ms d 1.5.5 1..5 1,5 1hs 1mss 1h30m 1/2 ten ½; do
		for option in kill-after timeout; do
			refuses "--$option=$word: *DURATION*decimal number*ms, s, m, h or d" "--$option=$word"
		done
		refuses "--timeout=$word: *DURATION*" -t "$word"
		refuses "--kill-after=$word: *DURATION*" -k "$word"
	done
}

@test "a DURATION has a fraction, a unit, or neither" {
	for word in 1.5h .5 5. 0 00 007 1ms 1s 1m 1h 1d 0.5d 1000000000 100.000000000001m; do
		accepts -k "$word"
	done
	accepts -t 1.5h
	accepts -t 0
	accepts -t 100d
}

@test "each unit of a DURATION is at least as long as it should be" {
	times_out_after 400 -t 400ms
	times_out_after 400 -t .4
	times_out_after 400 -t 0.4s
	times_out_after 420 -t .007m
	times_out_after 432 -t .00012h
	times_out_after 432 -t .000005d
	times_out_after 1050 -t 1.05
}

@test "a DURATION that is longer than time saturates" {
	# The last but two is 512 ns where 64 bits are not enough.
	for word in 9999999999 9223372036 9223372037 106752d 20211507185753197 99999999999999999999d \
		"$(printf '%0300d' 0 | tr 0 9)h"; do
		start it "$FRY_RUN" -t "$word" "$BIN/probe" -n
		ready it
		kill -USR1 "$pid" # and once more, when the first has made it look at the clock
		wait_line it.out USR1
		kill -USR2 "$pid"
		wait_line it.out USR2
		assert_lines it.out "ready ${ready[0]}" USR1 USR2
		end "${ready[0]}" && wait_gone "$pid"
	done
}

@test "a tiny DURATION is not rounded to 0" {
	times_out_after 0 -t .0000000001
	times_out_after 0 -t 0.000000000000000000000000001ms
}

@test "--timeout=0 never expires" {
	start it "$FRY_RUN" -t 0 "$BIN/probe" -n
	ready it
	kill -USR1 "$pid"
	wait_line it.out USR1
	kill -USR2 "$pid"
	wait_line it.out USR2
	assert_lines it.out "ready ${ready[0]}" USR1 USR2
	end "${ready[0]}" && wait_gone "$pid"
}

@test "a malformed SIGNAL is refused" {
	for word in '' 0 65 100 -1 +15 15x '15 ' ' 15' 0xf 1.5 99999999999999999999 4294967311 FOO SIG SIGSIGTERM \
		SIG_TERM -TERM TERM,INT TERMINATE RTMIN+31 RTMIN-1 RTMIN+ RTMIN+x RTMIN+-1 RTMAX+1 RTMAX-31 \
		RTMIN1 RT EXIT; do
		refuses "--parent-death=$word: *SIGNAL*" --parent-death "$word"
		refuses "--parent-death=$word: *SIGNAL*" -p "$word"
	done
}

@test "a SIGNAL has a name, with or without SIG, in any case" {
	names=(HUP INT QUIT ILL TRAP ABRT BUS FPE USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT TSTP TTIN
		TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS)
	# One real-time signal is sent for each name.
	for form in '' SIG sig Sig lower; do
		options=()
		expected=()
		for i in "${!names[@]}"; do
			name=$form${names[i]}
			if [[ $form == lower ]]; then name=${names[i],,}; fi
			options+=(-r "RTMIN+$((i + 1)):$name")
		done
		start it "$FRY_RUN" "${options[@]}" "$BIN/probe" -n
		ready it
		for i in "${!names[@]}"; do
			kill -$((35 + i)) "$pid"
			expected+=("${names[i]}")
			wait_line it.out '*' $((i + 2))
		done
		assert_lines it.out "ready ${ready[0]}" "${expected[@]}"
		end "${ready[0]}" && wait_gone "$pid"
	done
}

@test "a SIGNAL may be named by an alias" {
	forwards_usr1_as ABRT -r USR1:IOT
	forwards_usr1_as CHLD -r USR1:CLD
	forwards_usr1_as IO -r USR1:POLL
	forwards_usr1_as RTMIN+30 -r USR1:RTMAX
	forwards_usr1_as RTMIN+29 -r usr1:sigrtmax-1
	forwards_usr1_as RTMIN -r SIGUSR1:SIGRTMIN
	forwards_usr1_as RTMIN -r SIGUSR1:SIGRTMIN+0
	forwards_usr1_as RTMIN+30 -r SIGUSR1:rtmin+30
}

# bats test_tags=linux
@test "a SIGNAL may be the number of any signal" {
	# Rewrite each signal to the one before it, except for signals that cannot be caught.
	for from in {1..64}; do
		to=$((from - 1))
		if [[ $to == @(0|9|19) || $from == @(9|19|17) ]]; then continue; fi
		options+=(-r "$from:$to")
		pairs+=("$from")
	done
	start it "$FRY_RUN" -k 1h "${options[@]}" "$BIN/probe" -n # INT and the like ask for a stop
	start other "$BIN/probe" -n
	ready other
	ready it
	seen=1
	for from in "${pairs[@]}"; do
		kill -"$((from - 1))" "$other_pid"
		kill -"$from" "$it_pid"
		((++seen))
		wait_line it.out '*' "$seen"
		wait_line other.out '*' "$seen"
	done
	assert_equal "$(sed 1d it.out)" "$(sed 1d other.out)"
	end "${ready[0]}" "$other_pid" && wait_gone "$it_pid"
	# Those whose successor was left out.
	forwards_usr1_as FPE -r USR1:8
	forwards_usr1_as STKFLT -r USR1:16
	forwards_usr1_as CONT -r USR1:18
	forwards_usr1_as RTMIN+30 -r USR1:64
}

@test "a malformed SCHEDULE is refused" {
	while read -r word rule; do
		if [[ $word == empty ]]; then word=; fi
		refuses "--stop=$word: *$rule*" --stop="$word"
		refuses "--stop=$word: *$rule*" --stop "$word"
	done <<-'END'
		empty		SIGNAL?/DURATION
		/		SIGNAL?/DURATION
		TERM/		SIGNAL?/DURATION
		/TERM		SIGNAL?/DURATION
		TERM//KILL	SIGNAL?/DURATION
		5s		signal comes after the first duration
		0		signal comes after the first duration
		5s/6s/TERM	duration comes after a signal
		TERM/5s/6s	duration comes after a signal
		KILL/TERM	nothing comes after KILL
		TERM/5s/KILL/1s/INT	nothing comes after KILL
		TERM/forever/KILL	forever: no such signal
		FOO/5s/KILL	FOO: no such signal
		SIGTREM/5s/KILL	SIGTREM: no such signal; / separates signals and durations
		TERM/-5s	-5s: no such signal
		TERM/RTMIN+31	RTMIN+31: no such signal
		TERM,5s,KILL	TERM,5s,KILL: no such signal; / separates signals and durations
		--TERM		--TERM: no such signal
		10s		-k sets the wait alone
		STOP/5s/KILL	ends nothing
		CHLD		ends nothing
		TERM/5x/KILL	5x: a DURATION is a decimal number
		TERM/1e3/KILL	1e3: a DURATION is a decimal number
		TERM/5s_/KILL	decimal number
		TERM/.		decimal number
	END
	refuses "--stop=TERM 5s KILL: TERM 5s KILL: no such signal; / separates*" --stop 'TERM 5s KILL'
	refuses "--stop=TERM/5s /KILL: *decimal number*" --stop 'TERM/5s /KILL'
}

@test "a SCHEDULE has at most 16 signals" {
	schedule=TERM
	for _ in {2..16}; do schedule+=/1s/TERM; done
	accepts --stop="$schedule"
	accepts --stop="5s/$schedule"
	refuses "--stop=$schedule/1s/KILL: *at most 16 signals" --stop="$schedule/1s/KILL"
	refuses "--stop=5s/$schedule/1s/KILL: *at most 16 signals" --stop="5s/$schedule/1s/KILL"
}

@test "a malformed rewrite is refused" {
	while read -r word rule; do
		refuses "--rewrite=$word: *$rule*" --rewrite="$word"
		refuses "--rewrite=$word: *$rule*" -r "$word"
	done <<-'END'
		TERM		FROM:TO
		15		FROM:TO
		:TERM		FROM:TO
		:		FROM:TO
		TERM=INT	FROM:TO
		TERM,INT	FROM:TO
		A-MUCH-TOO-LONG-NAME:TERM	FROM:TO
		TERM:		FROM and TO
		TERM:FOO	FROM and TO
		FOO:TERM	FROM and TO
		0:TERM		FROM and TO
		65:TERM		FROM and TO
		TERM:65		FROM and TO
		TERM:-1		FROM and TO
		TERM:INT:QUIT	FROM and TO
		TERM:RTMIN+31	FROM and TO
		KILL:TERM	never reaches
		9:15		never reaches
		STOP:TERM	never reaches
		SIGCHLD:TERM	never reaches
	END
	refuses "--rewrite=: *FROM:TO*" -r ''
}

@test "a malformed process group is refused" {
	for word in '' x AUTO aut news own PGID 'auto|inherit' -1 0 1 +5 5x 5.0 0x10 99999999999 2147483648; do
		refuses "--pgroup=$word: *auto, inherit, new, session or a group*" --pgroup="$word"
	done
}

@test "a malformed CODE is refused" {
	for word in '' 256 -1 +1 1x x 0x1 1.0 ' 1' '1 ' 99999999999999999999 1,2; do
		refuses "--expect=$word: *CODE*0 to 255*" --expect="$word"
		refuses "--expect=$word: *CODE*0 to 255*" -e "$word"
	done
}

@test "an unknown choice is refused with the list of known ones" {
	for word in '' x STOP sto 'stop ' stop,fail; do
		refuses "--leftover=$word: *stop, wait, leave or fail" --leftover="$word"
	done
	for word in '' x Auto grou all; do
		refuses "--scope=$word: *auto, command, group or tree" --scope="$word"
	done
	for word in '' x Code 1; do
		refuses "--status=$word: *mirror or code" --status="$word"
	done
	for word in '' x old; do
		refuses "--cgroup=$word: *new or own" --cgroup="$word"
	done
}

@test "a malformed descriptor of --hangup is refused" {
	for word in '' x -1 +1 1x 0x1 2147483648 fd:0; do
		refuses "--hangup=$word: FD is the number of a descriptor" --hangup="$word"
	done
	fry --hangup 0
	assert_status 127
}

@test "--pause takes no COMMAND" {
	refuses 'echo: --pause runs no command' -P echo
	refuses 'echo: --pause runs no command' --pause -- echo
}

@test "a report that cannot be opened is refused and nothing is started" {
	mkfifo fifo # without a reader
	for word in '' . missing/report fifo fd: fd:x fd:-1 fd:3x fd:99 fd:0; do
		refuses "--report=$word: *" --report="$word"
	done
}

@test "a FILE for the report cannot begin with a dash" {
	refuses '--report=-: *./-*fd:1*' --report=-
	refuses '--report=-v: *./-*fd:1*' --report -v
	fry --report ./-v true
	[ -s ./-v ]
}

# --- likely mistakes, such as of users of timeout, tini, dumb-init and docker

@test "a misspelt option is refused with the option that was meant" {
	while read -r word name; do
		refuses "$word*: no such option; is it $name*" "$word"
	done <<-'END'
		--timout=5	--timeout
		--timeuot=5	--timeout
		--kill_after=5	--kill-after
		--killafter=5	--kill-after
		--left-over=stop	--leftover
		--pgrop=new	--pgroup
		--noguard	--no-guard
		--verbos3	--verbose
		--reports=x	--report
	END
	for word in --tmout=5 --xyz --pid=1; do
		refuses "$word: no such option" "$word"
	done
}

@test "an option of another tool is refused with the option to use instead" {
	while read -r word hint; do
		refuses "$word: no such option; *$hint*" "$word"
	done <<-'END'
		--signal=KILL	--stop=SIGNAL
		--preserve-status	--report
		--foreground	COMMAND is in the foreground
		--subreaper	always
		--setsid	--pgroup=session
		--debug	-v
		--stop-signal=QUIT	--rewrite=TERM:SIGNAL
		--stop-timeout=30	-k
		--kill-mode=process	--scope
		--retry=TERM/30/KILL/5	--stop
	END
	refuses '--expect=130,143: CODE*repeat -e*' -e 130,143
	refuses '--rewrite=15:3,2:3: *repeat -r*' -r 15:3,2:3
}

# fry-run exits 127 with a message that ends in this hint.
misses() {
	local hint=$1
	shift
	fry "$@"
	assert_status 127 && assert_lines out || return
	assert_equal "$(<err)" "fry-run: cannot execute $command: No such file or directory$hint"
}

@test "a COMMAND that does not exist is reported with a hint at the mistake" {
	command=5m misses '; for a time limit, use -t 5m' 5m sleep 1000
	command=1.5h misses '; for a time limit, use -t 1.5h' -k 5s 1.5h true
	command=KILL misses '; -s takes no signal, --stop does' -s KILL 300 true
	command=SIGTERM misses '; -s takes no signal, --stop does' -s SIGTERM true
	command=-t misses '; options stand before -- and COMMAND' -- -t 5m true
	command=LANG=C misses '; to set a variable, use env LANG=C' LANG=C true
	command='echo hello' misses '; each argument is a word of its own, and sh -c takes a line' 'echo hello'
	command='exec' misses '; only a shell has it: use sh -c' exec true
	command=: misses '; only a shell has it: use sh -c' : script
	echo true >my-script
	chmod +x my-script
	command=my-script misses '; to run the file in this directory, use ./my-script' my-script
	printf '#!/no/such/interpreter\n' >my-script
	command=./my-script misses '; it exists, but its interpreter does not' ./my-script
	# Other names have no hint.
	for command in missing ./missing sec ulimits x - ''; do misses '' "$command"; done
}

@test "a COMMAND that looks like a mistake is run if it exists" {
	mkdir bin
	printf '#!/bin/sh\necho ran\n' >bin/5m
	chmod +x bin/5m
	cp bin/5m bin/KILL
	for command in 5m KILL; do
		PATH=$PWD/bin:$PATH fry -s "$command"
		assert_lines out ran
	done
}

@test "a malformed value after a valid one is refused" {
	refuses '--timeout=x: *' -k 5s -t x
	refuses '--timeout=x: *' -t 5s -t x
	refuses '--timeout=x: *' -t x -t 5s
}

# --- messages

@test "a message stays one line without control characters" {
	evil=$'1\n2\r3\t\e[31m\a\x7f'
	refuses '--timeout=1?2?3??\[31m??: *' -t "$evil"
	refuses '--1?2?3??\[31m??: *' "--$evil"
	fry "$evil"
	assert_status 127
	assert_match "$(<err)" 'fry-run: *1?2?3??\[31m??: No such file or directory'
	FRY_RUN_OPTS=$'-t \e[31m' fry touch started
	is_refused 'FRY_RUN_OPTS: --timeout=?\[31m: *'
	assert_equal "$(LC_ALL=C grep -c $'[\001-\010\013-\037\177]' err)" 0
}

@test "a message about a long word stays one line" {
	long=$(printf '%05000d' 0)x
	refuses '--timeout=0000*' -t "$long"
	refuses '--0000*' "--$long"
}

@test "a message about a long word names the rule" {
	long=$(printf '%05000d' 0)x
	refuses '--timeout=0000*DURATION*decimal number*' -t "$long"
	refuses '--0000*no such option*' "--$long"
}

@test "an invalid option exits 125 where stderr cannot be written" {
	"$FRY_RUN" -t x touch started 2>&- && status=0 || status=$?
	assert_status 125
	"$FRY_RUN" -t x touch started 2>/dev/full && status=0 || status=$?
	assert_status 125
	[ ! -e started ]
}

# --- FRY_RUN_OPTS

@test "FRY_RUN_OPTS holds options, split on white space" {
	export FRY_RUN_OPTS=$' \t-e\n3  --expect=4\r\v\f-e5\t'
	for code in 3 4 5; do
		fry sh -c "exit $code"
		assert_status 0
		assert_lines err
	done
	fry sh -c 'exit 6'
	assert_status 6
}

@test "the command line overrides FRY_RUN_OPTS" {
	FRY_RUN_OPTS='--status=mirror -r USR1:HUP' forwards_usr1_as WINCH -r USR1:WINCH
	FRY_RUN_OPTS='-t .05' accepts -t 0
	FRY_RUN_OPTS='--status=code' fry sh -c 'exec kill -s KILL $$'
	assert_status 137
	FRY_RUN_OPTS='-e 3' fry -e 4 sh -c 'exit 3'
	assert_status 0
}

@test "FRY_RUN_OPTS may be empty, be blank, or end with --" {
	FRY_RUN_OPTS='' accepts
	FRY_RUN_OPTS=$' \t\n' accepts
	FRY_RUN_OPTS=-- accepts
	FRY_RUN_OPTS='-s --' accepts -g
}

@test "FRY_RUN_OPTS stays in COMMAND's environment" {
	FRY_RUN_OPTS=' -e  3 ' fry sh -c 'echo "<$FRY_RUN_OPTS>"'
	assert_lines out '< -e  3 >'
}

@test "reading FRY_RUN_OPTS does not change it for a COMMAND that reads it" {
	export FRY_RUN_OPTS='-e 3 -r USR1:HUP'
	fry "$FRY_RUN" "$FRY_RUN" sh -c 'echo "<$FRY_RUN_OPTS>"; exit 3'
	assert_status 0
	assert_lines out "<$FRY_RUN_OPTS>"
}

@test "a malformed value in FRY_RUN_OPTS is refused" {
	while read -r words; do
		export FRY_RUN_OPTS=${words%% =>*}
		refuses "${words##*=> }"
	done <<-'END'
		-t x => FRY_RUN_OPTS: --timeout=x: *DURATION*
		--stop=KILL/TERM => FRY_RUN_OPTS: --stop=KILL/TERM: *nothing comes after KILL*
		-x => FRY_RUN_OPTS: -x: *no such option*
		--group=1 => FRY_RUN_OPTS: --group=1: *takes no argument*
		--status=x => FRY_RUN_OPTS: --status=x: *mirror or code
		-e => FRY_RUN_OPTS: -e: *needs an argument*
		--expect => FRY_RUN_OPTS: --expect: *needs an argument*
		-e 3 -k => FRY_RUN_OPTS: -k: *needs an argument*
		-s echo => FRY_RUN_OPTS: echo: *holds options only
		-- echo => FRY_RUN_OPTS: echo: *holds options only
		echo -s => FRY_RUN_OPTS: echo: *holds options only
		-e "3" => FRY_RUN_OPTS: --expect="3": *CODE*
		--pause => FRY_RUN_OPTS: touch: --pause runs no command
		--stop=TERM -k 5 => FRY_RUN_OPTS: --stop: *-k*
		--hangup=99 => FRY_RUN_OPTS: --hangup=99: Bad file descriptor
		--report=missing/report => FRY_RUN_OPTS: --report=missing/report: No such file or directory
		--report=fd:x => FRY_RUN_OPTS: --report=fd:x: *fd:N*
	END
}

@test "an option at the end of FRY_RUN_OPTS takes no value from the command line" {
	export FRY_RUN_OPTS=-e
	refuses 'FRY_RUN_OPTS: -e: *needs an argument, CODE' 3
}

@test "a message about a word of the command line does not name FRY_RUN_OPTS" {
	export FRY_RUN_OPTS='-k 5s --report=missing/report --hangup=99'
	refuses '--timeout=x: *' -t x
	refuses '--report=missing/other: *' --hangup --report=missing/other
	refuses '--hangup=98: *' --report=report --hangup=98
	refuses '-x: *no such option*' -x
}

@test "the command line wins over FRY_RUN_OPTS, whichever of -k and --stop it has" {
	FRY_RUN_OPTS='-w -k 5s' accepts --stop=TERM/5s/KILL
	FRY_RUN_OPTS='--stop=TERM/5s/KILL' accepts -k 5s
	# Blocked, the signals wait for probe, which may take longer than the timeout to be executed.
	FRY_RUN_OPTS='-k 1h' start it "$BIN/fresh" -b QUIT -- "$FRY_RUN" --stop=QUIT/1h/KILL -t 0.1 -- \
		"$BIN/probe" -n -x QUIT=0
	finish it
	assert_match "$(<it.out)" $'ready *\nQUIT'
	FRY_RUN_OPTS='--stop=QUIT/1h' start it "$BIN/fresh" -b INT,TERM -- "$FRY_RUN" -k 1 -t 0.1 -- \
		"$BIN/probe" -n -x TERM=0
	finish it
	assert_match "$(<it.out)" $'ready *\nINT\nTERM'
	FRY_RUN_OPTS='-k 5s' refuses '--stop: *-k*' -k 5 --stop=TERM/5s/KILL
}

@test "FRY_RUN_OPTS of any length is read" {
	FRY_RUN_OPTS="$(yes -- '-e 3' | head -n 20000 | tr '\n' ' ') -e 4" fry sh -c 'exit 4'
	assert_status 0
	FRY_RUN_OPTS="$(printf '%0100000d' 0 | tr 0 ' ')-e 4" fry sh -c 'exit 4'
	assert_status 0
}
