# race.bats - a signal in the moment before fry-run forks is neither lost nor doubled

# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for other shells; start sets pids

load attack.bash

# Start fry-run with OPTIONs on a terminal, held just before the process NAME forks. COMMAND begins with
# these signals blocked, so that it hears what came before it was executed.
start_held() {
	local name=$1
	shift
	start_tty it "$BIN/fresh" -b INT,TERM,USR2 -- "$BIN/hold" "$name" \
		"$FRY_RUN" "$@" -- "$BIN/probe" -n -o heard -x USR1=4
	wait_line it.out 'held *'
	held=$(sed -n 's/^held \([0-9]*\).*/\1/p' it.out)
	holder=$(children_of "$pid")
	outer=$(children_of "$holder")
}

# hears_once SIGNAL: COMMAND, whose process is made now, hears it once.
hears_once() {
	wait_until "$1 to be pending" is_pending "$1" "$held"
	kill -USR1 "$holder"
	wait_line heard 'ready *'
	wait_line heard "$1"
	kill -USR1 "$outer"
	finish it
	assert_status 4
	assert_equal "$(count_lines heard "$1")" 1 "$1 heard"
}

is_pending() {
	local word set
	while read -r word set; do
		if [[ $word == ShdPnd: ]]; then break; fi
	done <"/proc/$2/status"
	((0x$set >> ($(kill -l "$1") - 1) & 1))
}

@test "TERM sent to the group just before the inner process forks COMMAND reaches COMMAND once" {
	requires seccomp
	start_held fry-inner --stop=TERM/1h/KILL
	kill -TERM -- "-$holder"
	hears_once TERM
}

@test "USR2 sent to the group just before the inner process forks COMMAND reaches COMMAND once" {
	requires seccomp
	start_held fry-inner --stop=TERM/1h/KILL
	kill -USR2 -- "-$holder"
	hears_once USR2
}

@test "INT typed just before the inner process forks COMMAND reaches COMMAND once" {
	requires seccomp
	start_held fry-inner --stop=TERM/1h/KILL
	keys it '\003'
	hears_once INT
}

@test "TERM sent to the group just before the outer process forks the inner one reaches COMMAND once" {
	requires seccomp
	start_held "${FRY_RUN##*/}" --stop=TERM/1h/KILL
	kill -TERM -- "-$holder"
	hears_once TERM
}

@test "USR2 sent to the group just before the outer process forks the inner one reaches COMMAND once" {
	requires seccomp
	start_held "${FRY_RUN##*/}" --stop=TERM/1h/KILL
	kill -USR2 -- "-$holder"
	hears_once USR2
}

@test "INT typed just before the outer process forks the inner one reaches COMMAND once" {
	requires seccomp
	start_held "${FRY_RUN##*/}" --stop=TERM/1h/KILL
	keys it '\003'
	hears_once INT
}

@test "TERM sent to the group just before fry-run without its guard forks COMMAND reaches COMMAND once" {
	requires seccomp
	start_held "${FRY_RUN##*/}" --no-guard --stop=TERM/1h/KILL
	kill -TERM -- "-$holder"
	hears_once TERM
}

@test "USR2 sent to the group just before fry-run without its guard forks COMMAND reaches COMMAND once" {
	requires seccomp
	start_held "${FRY_RUN##*/}" --no-guard --stop=TERM/1h/KILL
	kill -USR2 -- "-$holder"
	hears_once USR2
}

@test "INT typed just before fry-run without its guard forks COMMAND reaches COMMAND once" {
	requires seccomp
	start_held "${FRY_RUN##*/}" --no-guard --stop=TERM/1h/KILL
	keys it '\003'
	hears_once INT
}
