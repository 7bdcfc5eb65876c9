# hostile.bats - the main promises in an environment that lacks, refuses or breaks something

# shellcheck disable=SC2016,SC2034,SC2046 # what stands in single quotes is for other shells; pids are words

# bats file_tags=core,rounds
load ../lib/helper
load ../lib/promises

# --- /proc

@test "without /proc fry-run keeps its promises" {
	requires root
	keeps_promises unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' sh
}

@test "without /proc an orphan in COMMAND's group gets each step's signal once" {
	requires root
	start it unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' sh \
		"$FRY_RUN" --stop=INT/100ms/TERM/1h -- sh -c '("$0" -n -o orphan.out &) ; exec "$0" -n' "$BIN/probe"
	ready it
	command=${ready[0]}
	ready orphan
	kill -INT "$pid"
	wait_line orphan.out TERM
	wait_line it.out TERM
	kill -WINCH "${ready[0]}" # all that came before is named before
	wait_line orphan.out WINCH
	assert_lines <(grep -v CONT orphan.out) "ready ${ready[0]}" INT TERM WINCH
	end "$command" "${ready[0]}"
	finish it
}

@test "in a pid namespace with the /proc of another fry-run keeps its promises" {
	requires root
	keeps_promises unshare --pid --fork sh -c '"$@"; exit $?' sh
}

@test "as PID 1 with the /proc of another pid namespace fry-run keeps its promises" {
	requires root
	keeps_promises unshare --pid --fork
}

@test "as PID 1 without /proc fry-run keeps its promises" {
	requires root
	keeps_promises unshare --pid --fork --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' sh
}

@test "fry-run keeps its promises where its pid is equal in the pid namespace of /proc" {
	requires root
	keeps_promises unshare --pid --fork "$BIN/number" same
}

@test "under hidepid=2 fry-run keeps its promises" {
	requires root
	reach
	keeps_promises unshare --mount sh -c 'mount -t proc -o hidepid=2 proc /proc &&
		exec setpriv --reuid "$0" --regid "$0" --clear-groups "$@"' "$user"
}

@test "without /proc's children files fry-run keeps its promises" {
	FRY_RUN=$BATS_RUN_TMPDIR/old/fry-run
	keeps_promises env
}

# --- system calls

@test "without pidfd_open and pidfd_send_signal fry-run keeps its promises" {
	requires seccomp
	keeps_promises "$BIN/deny" pidfd --
}

@test "where pidfd_open fails with EPERM fry-run keeps its promises" {
	requires seccomp
	keeps_promises "$BIN/deny" -e EPERM pidfd --
}

@test "without close_range fry-run keeps its promises" {
	requires seccomp
	keeps_promises "$BIN/deny" close_range --
	keeps_promises "$BIN/deny" -e EPERM close_range --
}

@test "without close_range fry-run closes COMMAND's descriptors" {
	requires seccomp
	start -k 0,1,2,7,200 it "$BIN/deny" close_range -- "$FRY_RUN" -- "$BIN/probe" 7</dev/null 200</dev/null
	ready it
	wait_prints 2 descriptors_of "$(inner_of "$pid")"
	wait_prints 2 descriptors_of "$pid"
	kill -TERM "$pid"
	finish it
}

@test "without close_range and /proc fry-run closes COMMAND's descriptors" {
	requires seccomp root
	start -k 0,1,2,7,200 it unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' sh \
		"$BIN/deny" close_range -- "$FRY_RUN" -- "$BIN/probe" 7</dev/null 200</dev/null
	ready it
	wait_prints 2 descriptors_of "$(inner_of "$pid")"
	wait_prints 2 descriptors_of "$pid"
	kill -TERM "$pid"
	finish it
}

@test "without poll and sched_setscheduler fry-run keeps its promises" {
	requires seccomp
	keeps_promises "$BIN/deny" poll -e EPERM sched_setscheduler --
}

@test "where waitid rejects __WALL, as before Linux 4.7, fry-run keeps its promises" {
	requires seccomp
	keeps_promises "$BIN/deny" -e EINVAL waitid --
}

@test "where fork fails fry-run exits 125 and says why" {
	requires seccomp
	for guard in --guard --no-guard; do
		run "$BIN/deny" -e EAGAIN fork -- "$FRY_RUN" "$guard" -- true
		assert_status 125
		assert_match "$output" 'fry-run: cannot fork: *limit*'
		run "$BIN/deny" -e ENOMEM fork -- "$FRY_RUN" "$guard" -- true
		assert_status 125
		assert_match "$output" 'fry-run: cannot fork: *memory'
	done
}

# --- limits

# Copy what a user has to reach, and make FRY_RUN and BIN name the copies.
reach() {
	chmod 777 .
	reachable=$(mktemp -d)
	cp "$FRY_RUN" "$BIN"/{fresh,deny,probe,orphans} "$reachable"
	chmod -R go+rX "$reachable"
	FRY_RUN=$reachable/${FRY_RUN##*/}
	BIN=$reachable
}

@test "at the user's limit on processes fry-run exits 125 and says so" {
	requires root
	reach
	run setpriv --reuid "$user" "$FRY_RUN" -- true
	assert_status 0
	run "$BIN/deny" -u 1 -- setpriv --reuid "$user" "$FRY_RUN" -- true
	assert_status 125
	assert_match "$output" 'fry-run: cannot fork: *the limit on processes*'
}

# Let none of the processes of fry-run PID have any more memory.
starve() {
	local one
	for one in "$1" "$(inner_of "$1")"; do prlimit --pid "$one" --as=1:1; done
}

@test "a tree is stopped though fry-run gets no more memory" {
	start it "$FRY_RUN" --stop="$fast" -- "$BIN/orphans" -s -f 300
	wait_line it.out ready
	starve "$pid"
	kill -TERM "$pid"
	finish it
	assert_status 143
	nothing_left
}

@test "a daemon gets TERM once though fry-run gets no more memory" {
	start it "$FRY_RUN" --stop="$heeded" -- sh -c '"$0" -d -n -o heard; exec "$0" -x USR1=3' "$BIN/probe"
	ready it
	wait_line heard 'ready *'
	starve "$pid"
	kill -USR1 "$pid"
	finish it
	assert_status 3
	assert_equal "$(count_lines heard TERM)" 1 'TERM heard by the daemon'
}

# --- stderr

# Run fry-run with all kinds of messages, and a COMMAND that names every signal that it gets.
talk() {
	start talk "$@" "$FRY_RUN" -v -v -w --stop="$heeded" -- "${within[@]}" \
		sh -c '"$1" -s 50 >/dev/null; "$0" -d -n -o heard; exec "$0" -x USR1=4' \
		"$BIN/probe" "$BIN/orphans"
	ready talk
	kill -WINCH "$pid"
	wait_line talk.out WINCH
	kill -USR1 "$pid"
	finish talk
	assert_status 4
	assert_equal "$(tail -n +2 talk.out)" $'WINCH\nUSR1' 'heard by COMMAND'
	assert_equal "$(tail -n +2 heard)" TERM 'heard by the daemon'
}

@test "a stderr without a reader neither ends fry-run nor sends COMMAND a signal" {
	mkfifo pipe
	talk sh -c 'exec 3<>pipe 2>pipe 3<&-; exec "$@"' sh
}

@test "a full stderr that is not read delays nothing" {
	local full
	mkfifo pipe
	exec {full}<>pipe
	dd if=/dev/zero of=pipe bs=4096 count=1000 oflag=nonblock 2>/dev/null || :
	talk sh -c 'exec 2>pipe; exec "$@"' sh
	exec {full}>&-
}

@test "a closed stderr changes nothing for COMMAND and its daemon" {
	talk sh -c 'exec 2>&-; exec "$@"' sh
}

@test "a COMMAND that closes its standard descriptors is stopped like any other" {
	start it "$FRY_RUN" -v -v -w --stop="$heeded" -- \
		sh -c 'exec <&- >&- 2>&-; "$1" -s 50; "$0" -d -n -o heard; exec "$0" -x TERM=4 -o heard' \
		"$BIN/probe" "$BIN/orphans"
	wait_line heard 'ready *' 2
	kill -TERM "$pid"
	finish it
	assert_status 4
}

@test "a full disk under stderr changes nothing for COMMAND and its daemon" {
	talk sh -c 'exec 2>/dev/full; exec "$@"' sh
}

@test "a stderr beyond the limit on file size sends COMMAND no signal" {
	requires root
	within=(prlimit --fsize=unlimited:unlimited)
	: >full
	talk sh -c 'exec 2>>full; exec "$@"' sh prlimit --fsize=0:unlimited
	assert_lines full
}

# --- other users' processes

# Make a setuid program: `$BIN/become --reuid 0 COMMAND`, run by the user, becomes another user's process.
become_make() {
	requires root
	reach
	cp "$(command -v setpriv)" "$BIN/become"
	chmod u+s "$BIN/become"
}

@test "a process that may not be signalled is named once and not waited for after KILL" {
	become_make
	start it setpriv --reuid "$user" --regid "$user" --clear-groups \
		"$FRY_RUN" --stop=INT/100ms/TERM/100ms/KILL/60s -- \
		sh -c '"$BIN/become" --reuid 0 "$BIN/probe" -n -S & exec "$BIN/probe" -x HUP=4'
	ready it 2
	kill -HUP "$pid"
	finish it
	assert_status 4
	assert_match "$(<it.err)" 'fry-run: cannot signal process +([0-9]) (probe): Operation not permitted'
	assert_match "$(left_pids)" '+([0-9])'
	end $(left_pids)
}

@test "a process that may not be signalled does not keep others from being killed" {
	become_make
	start it setpriv --reuid "$user" --regid "$user" --clear-groups \
		"$FRY_RUN" --stop=TERM/100ms/KILL/60s -- \
		sh -c '"$BIN/become" --reuid 0 "$BIN/probe" -n -S & "$BIN/probe" -d -n; exec "$BIN/probe" -n'
	ready it 3
	kill -TERM "$pid"
	finish it
	assert_status 137
	assert_equal "$(wc -l <it.err)" 1 'messages'
	assert_match "$(left_pids)" '+([0-9])'
	end $(left_pids)
}

@test "a leftover that may not be signalled is in the report once, and no line says that it was sent TERM" {
	become_make
	touch "$reachable/report"
	chown "$user" "$reachable/report"
	for code in 4 KILL; do # it is a leftover, or survives a stop
		start it setpriv --reuid "$user" --regid "$user" --clear-groups \
			"$FRY_RUN" --report="$reachable/report" --leftover=fail --stop=TERM/100ms/KILL/60s -- \
			sh -c '"$BIN/become" --reuid 0 "$BIN/probe" -n -S & exec "$BIN/probe" -n -x HUP=4'
		ready it 2
		if [[ $code == 4 ]]; then kill -HUP "$pid"; else kill -TERM "$pid"; fi
		finish it
		left=$(left_pids)
		assert_equal "$(tail -n 1 "$reachable/report" | jq -c '[.exit[], [.leftovers[] | .pid, .signal, .state]]')" \
			"[${code/KILL/\"KILL\"},[$left,null,\"running\"]]"
		assert_equal "$(grep -c 'sent TERM' it.err)" 0 'lines about TERM'
		end "$left"
	done
}

@test "a COMMAND that may not be signalled is named once, and fry-run exits 125" {
	become_make
	start it setpriv --reuid "$user" --regid "$user" --clear-groups \
		"$FRY_RUN" --stop=INT/100ms/TERM/100ms/KILL/60s -- "$BIN/become" --reuid 0 "$BIN/probe" -n
	ready it
	kill -INT "$pid"
	finish it
	assert_status 125
	assert_lines it.err "fry-run: cannot signal process ${ready[0]} (probe): Operation not permitted"
	assert_equal "$(tail -n +2 it.out)" ''
	end "${ready[0]}"
}

@test "a COMMAND that may not be signalled is named by the first signal to be forwarded" {
	become_make
	for scope in auto group command tree; do
		start it setpriv --reuid "$user" --regid "$user" --clear-groups \
			"$FRY_RUN" --scope="$scope" -- "$BIN/become" --reuid 0 "$BIN/probe" -n
		ready it
		for signal in USR1 HUP TERM; do
			kill -"$signal" "$pid"
			wait_line it.err \
				"fry-run: cannot signal process ${ready[0]} (probe): Operation not permitted"
		done
		end "${ready[0]}"
		finish it
		assert_equal "$(wc -l <it.err)" 1 "messages, scope $scope"
	done
}

@test "a COMMAND that may not be signalled outlives a time limit, and fry-run exits 125" {
	become_make
	start it setpriv --reuid "$user" --regid "$user" --clear-groups \
		"$FRY_RUN" -t 300ms --stop=TERM/100ms/KILL/60s -- "$BIN/become" --reuid 0 "$BIN/probe" -n
	ready it
	finish it
	assert_status 125
	end "${ready[0]}"
}

@test "a COMMAND that may be neither signalled nor seen is not waited for after KILL" {
	become_make
	start it unshare --mount sh -c 'mount -t proc -o hidepid=2 proc /proc &&
		exec setpriv --reuid "$0" --regid "$0" --clear-groups "$@"' "$user" \
		"$FRY_RUN" --stop=INT/100ms/TERM/100ms/KILL/60s -- "$BIN/become" --reuid 0 "$BIN/probe" -n
	ready it
	kill -INT "$pid"
	finish it
	assert_status 125
	assert_match "$(<it.err)" "fry-run: cannot signal process ${ready[0]} (*): Operation not permitted"
	end "${ready[0]}"
}

@test "a hidden setuid program gets TERM along with visible processes" {
	requires root
	reach
	cp "$BIN/probe" "$BIN/hidden"
	chmod u+s "$BIN/hidden"
	start it unshare --mount sh -c 'mount -t proc -o hidepid=2 proc /proc &&
		exec setpriv --reuid "$0" --regid "$0" --clear-groups "$@"' "$user" "$FRY_RUN" --stop="$heeded" -- \
		sh -c '"$BIN/hidden" -d -n -o heard; "$BIN/probe" -d -n; exec "$BIN/probe" -x HUP=4'
	ready it 2
	wait_line heard 'ready *'
	kill -HUP "$pid"
	finish it
	assert_status 4
	assert_equal "$(count_lines heard TERM)" 1 'TERM heard by it' # and perhaps CONT, as it may be stopped
}

# --- how it was started

@test "a removed working directory makes no difference" {
	mkdir here
	start it sh -c 'cd here && rmdir ../here && exec "$@"' sh "$FRY_RUN" -- "$BIN/probe"
	ready it
	kill -TERM "$pid"
	finish it
	assert_status 143
}

@test "a read-only root makes no difference" {
	requires root
	keeps_promises unshare --mount sh -c 'mount --bind . . && cd "$PWD" && mount -o remount,bind,ro / && exec "$@"' sh
}

@test "an empty argv[0] makes no difference" {
	start it bash -c 'exec -a "" "$@"' bash "$FRY_RUN" -- "$BIN/probe" -e 7
	finish it
	assert_status 7
	start it bash -c 'exec -a "" "$@"' bash "$FRY_RUN" --no-such-option
	finish it
	assert_status 125
	assert_match "$(<it.err)" 'fry-run: *'
}

@test "an empty environment makes no difference" {
	run env -i "$FRY_RUN" -- "$BIN/probe" -e 7
	assert_status 7
	run env -i "$FRY_RUN" -- env
	assert_lines -
}

@test "fry-run works with every signal blocked at entry, and COMMAND has them blocked" {
	local every
	every=$(seq -s , 64)
	start -b "$every" it "$FRY_RUN" -- "$BIN/probe" -D
	finish it
	start -b "$every" bare "$BIN/probe" -D
	finish bare
	assert_equal "$(<it.out)" "$(<bare.out)"
	start -b "$every" it "$FRY_RUN" -- sh -c '"$0" 20; exec "$1" -x TERM=4' "$BIN/orphans" "$BIN/probe"
	ready it
	wait_prints "${ready[0]}" children_of "$pid"
	kill -TERM "$pid"
	finish it
	assert_status 4
}

@test "with every signal ignored at entry fry-run forwards but starts no stop, and COMMAND has them ignored" {
	local every
	every=$(seq -s , 64)
	start -i "$every" it "$FRY_RUN" -- "$BIN/probe" -D
	finish it
	start -i "$every" bare "$BIN/probe" -D
	finish bare
	assert_equal "$(<it.out)" "$(<bare.out)"
	start -i "$every" it "$FRY_RUN" -- sh -c '"$0" 20; exec "$1" -n -x USR1=4' "$BIN/orphans" "$BIN/probe"
	ready it
	wait_prints "${ready[0]}" children_of "$pid"
	kill -TERM "$pid"
	wait_line it.out TERM
	kill -USR1 "$pid"
	finish it
	assert_status 4
}

@test "a signal received while fry-run is stopped is forwarded when it is continued" {
	start it "$FRY_RUN" -- "$BIN/probe"
	ready it
	kill -STOP "$pid"
	wait_prints T state_of "$pid"
	kill -TERM "$pid"
	kill -CONT "$pid"
	finish it
	assert_status 143
}

@test "the schedule goes on when the outer process is stopped and continued" {
	start it "$FRY_RUN" --stop=TERM/3s/KILL -- "$BIN/probe" -n
	ready it
	kill -TERM "$pid"
	wait_line it.out TERM
	kill -STOP "$pid"
	wait_prints T state_of "$pid"
	kill -CONT "$pid"
	finish it
	assert_status 137
}

# --- too much of something

@test "masses of CHLD are not forwarded and delay no TERM" {
	start it "$FRY_RUN" -- "$BIN/probe"
	ready it
	repeat "$(rounds 5000)" kill -CHLD "$pid"
	kill -TERM "$pid"
	finish it
	assert_status 143
	assert_lines it.out "ready ${ready[0]}" TERM
}

@test "masses of ending children delay no stop" {
	start it "$FRY_RUN" --stop="$fast" -- sh -c '"$0" 1000000 & exec "$1" -n' "$BIN/orphans" "$BIN/probe"
	ready it
	kill -TERM "$pid"
	finish it
	assert_status 137
}
