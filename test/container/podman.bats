# podman.bats - as podman's --init, and as the ENTRYPOINT of an image that was written for another

# bats file_tags=rounds
load ../lib/helper
load ../lib/container

setup_more() {
	requires root podman runc busybox
	root_make
	podman_setup
}

teardown_more() {
	podman_teardown
}

# --- podman run --init

@test "podman --init: the status of COMMAND is podman's" {
	podman_init /probe -e 7
	assert_status 7
	podman_init sh -c 'kill -TERM $$'
	assert_status 143
}

podman_init() {
	podman_run --init --init-path "$FRY_RUN" --rootfs "$root" "$@"
}

podman_init_start() {
	podman_start --init --init-path "$FRY_RUN" --rootfs "$root" "$@"
	ready box
}

@test "podman --init: podman stop is TERM for COMMAND, and no KILL follows" {
	podman_init_start /probe -x TERM=3
	podman stop --time 60 "$box"
	finish box
	assert_status 3
	assert_heard box.out TERM
}

@test "podman --init: podman stop ends a COMMAND that does not handle TERM" {
	podman_init_start sh -c 'echo ready $$; exec sleep 1000'
	podman stop --time 60 "$box"
	finish box
	assert_status 143
}

@test "podman --init: podman stop is TERM also for a daemon" {
	podman_init_start sh -c '/probe -d -o /heard; exec /probe'
	podman stop --time 60 "$box"
	finish box
	assert_status 143
	assert_heard "$root/heard" TERM
}

@test "podman --init: podman kill reaches COMMAND" {
	podman_init_start /probe -x USR1=0
	podman kill --signal HUP "$box"
	wait_line box.out HUP
	podman kill --signal USR1 "$box"
	finish box
	assert_status 0
	assert_heard box.out HUP USR1
}

@test "podman run's own signals reach COMMAND once" {
	podman_init_start /probe -x INT=9
	wait_until 'podman to pass on signals' passes_on
	kill -HUP "$box_pid"
	wait_line box.out HUP
	kill -INT "$box_pid"
	finish box
	assert_status 9
	assert_lines <(heard box.out | grep -v CONT) HUP INT
}

# It begins to only after it has started COMMAND. Until then CONT, unlike HUP, does it no harm.
passes_on() {
	kill -CONT "$box_pid"
	has_lines box.out CONT
}

# --- the ENTRYPOINT of an image

@test "an image's ENTRYPOINT takes the arguments of podman run as COMMAND" {
	image_make image 'ENTRYPOINT ["/fry-run", "--"]' 'CMD ["/probe", "-e", "5"]'
	podman_run image
	assert_status 5
	podman_run image /probe -e 6
	assert_status 6
}

@test "an image's ENTRYPOINT gets TERM of podman stop, or the image's own STOPSIGNAL" {
	image_make image 'ENTRYPOINT ["/fry-run", "--"]' 'STOPSIGNAL INT'
	podman_start image /probe -x INT=4
	ready box
	podman stop --time 60 "$box"
	finish box
	assert_status 4
	assert_heard box.out INT
}

@test "FRY_RUN_OPTS brings options to an ENTRYPOINT that cannot be edited" {
	image_make image 'ENTRYPOINT ["/fry-run", "--"]'
	podman_run --env 'FRY_RUN_OPTS=-e 7 -k 1' image /probe -e 7
	assert_status 0
}

# --- as tini's users write it

entrypoint() {
	local word json=
	for word; do json+="${json:+, }\"$word\""; done
	entrypoint=(--entrypoint "[$json]" --rootfs "$root")
}

@test "an ENTRYPOINT with tini's flags works with fry-run" {
	local words flags all=('-p SIGKILL --' '-wvg --' '-s --' -v '-vvv --' '-s -g')
	for words in "${all[@]:0:$(rounds 6 2)}"; do
		read -ra flags <<<"$words"
		entrypoint /fry-run "${flags[@]}"
		podman_run "${entrypoint[@]}" /probe -e 7
		assert_status 7
	done
}

@test "an ENTRYPOINT with tini's -e 143 exits 0 where TERM killed COMMAND" {
	entrypoint /fry-run -e 143 --
	podman_start "${entrypoint[@]}" /probe
	ready box
	podman stop --time 60 "$box"
	finish box
	assert_status 0
}

@test "an ENTRYPOINT with tini's -g forwards to COMMAND's group" {
	entrypoint /fry-run -g --
	podman_start "${entrypoint[@]}" sh -c '/probe -x HUP=0 & exec /probe -x HUP=2'
	ready box 2
	podman kill --signal HUP "$box"
	finish box
	assert_status 2
	assert_equal "$(count_lines box.out HUP)" 2 'HUP heard'
}

@test "an ENTRYPOINT without -g forwards HUP to COMMAND alone" {
	entrypoint /fry-run --
	podman_start "${entrypoint[@]}" sh -c '/probe -x HUP=0 -x TERM=0 & exec /probe -x HUP=2'
	ready box 2
	podman kill --signal HUP "$box"
	finish box
	assert_status 2
	assert_equal "$(count_lines box.out HUP)" 1 'HUP heard'
}

@test "an ENTRYPOINT with tini's -w names orphans as they are reaped" {
	entrypoint /fry-run -w --
	podman_start "${entrypoint[@]}" sh -c '/orphans 3; exec /probe'
	ready box
	wait_line box.err 'fry-run: *reaped*' 3
	podman stop --time 60 "$box"
	finish box
	assert_status 143
}

# --- as the users of others do

@test "an ENTRYPOINT with dumb-init's --rewrite forwards the other signal" {
	local option all=(--rewrite -r)
	for option in "${all[@]:0:$(rounds 2 1)}"; do
		entrypoint /fry-run "$option" 15:2 --
		podman_start "${entrypoint[@]}" /probe -x INT=4
		ready box
		podman stop --time 60 "$box"
		finish box
		assert_status 4
		assert_heard box.out INT
		podman_removed
	done
}

@test "an ENTRYPOINT with dumb-init's --single-child forwards to COMMAND alone" {
	local option all=(--single-child -c)
	for option in "${all[@]:0:$(rounds 2 1)}"; do
		entrypoint /fry-run "$option"
		podman_start "${entrypoint[@]}" sh -c '/probe -x HUP=0 & exec /probe -x HUP=2'
		ready box 2
		podman kill --signal HUP "$box"
		finish box
		assert_status 2
		assert_equal "$(count_lines box.out HUP)" 1 'HUP heard'
		podman_removed
	done
}
