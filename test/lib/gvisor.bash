# gvisor.bash - run fry-run in gVisor, which has a kernel of its own; `load` it after container
# shellcheck shell=bash
#
# It takes the place of runc: box_run, box_start, box_kill and box_delete are those of container.bash, with
# runsc. A process in the box can be observed only through its output, and through files in $root.
#
#   sandbox_requires       for setup_more: require the tools that runsc needs
#   box_script SCRIPT      run a shell as process 1 that reads this; the shell's functions are
#     living PID             succeed if the process is there, and no zombie
#     left_in_box            print a line `left N` with the number of processes other than the shell

sandbox_requires() {
	requires root runsc jq busybox pid-namespace
}

box_make() {
	box=fry-$$-${BATS_TEST_TMPDIR##*/}
	mkdir -p bundle
	jq -n --arg root "$root" --arg environment "$(box_environment)" '{
		ociVersion: "1.0.0",
		root: {path: $root},
		process: {
			user: {uid: 0, gid: 0}, cwd: "/", args: $ARGS.positional,
			env: (["PATH=/bin", "TERM=dumb"] + ($environment | split("\n")))
		},
		mounts: [{destination: "/proc", type: "proc", source: "proc"}],
		linux: {namespaces: [{type: "pid"}, {type: "mount"}, {type: "network"}]}
	}' --args -- "$@" >bundle/config.json
}

sandbox() {
	runsc --root "$BATS_TEST_TMPDIR/runsc" --network=none --ignore-cgroups --platform=ptrace "$@"
}

box_start() {
	box_make "$@"
	start box runsc --root "$BATS_TEST_TMPDIR/runsc" --network=none --ignore-cgroups \
		--platform=ptrace run --bundle bundle "$box"
}

box_run() {
	box_start "$@"
	box_finish
}

box_kill() {
	sandbox kill "$box" "$1"
}

box_delete() {
	if [[ ${box-} && -d runsc ]]; then sandbox delete --force "$box"; fi
}

box_script() {
	box_start sh -c "$(box_functions)"$'\n'"$1"
	box_finish
}

# left_in_box starts no process, so that it does not count itself.
# shellcheck disable=SC2016 # for the shell in the box
box_functions() {
	echo '
	living() {
		{ read -r state <"/proc/$1/stat"; } 2>/dev/null || return 1
		state=${state##*) }
		[ "${state%% *}" != Z ]
	}
	left_in_box() {
		left=0
		for one in /proc/[0-9]*; do
			one=${one#/proc/}
			if [ "$one" != $$ ] && living "$one"; then left=$((left + 1)); fi
		done
		echo "left $left"
	}'
}
