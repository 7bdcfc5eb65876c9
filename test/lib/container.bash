# container.bash - run fry-run in a small root with busybox, by runc and by podman
# shellcheck shell=bash
#
#   root_make                  make $root: busybox, /fry-run and the fixtures /probe and /orphans
#   heard FILE                 print the signals that a probe has named in it
#   assert_heard FILE NAME...  these and no others
#
# With runc, PID 1 is what the test says:
#   box_run WORD...            run this as PID 1 until it ends; sets status and output
#   box_start WORD...          the same in the background, as `start box` would
#   box_kill SIGNAL            send it to PID 1
#   box_exec WORD...           run this beside it
#   box_pids                   print what is below PID 1, as pids of this side; PID 1 is $(box_init)
#   box_delete                 for teardown_more
#
# With podman, storage and settings of the test's own, so that plain `podman` is safe:
#   podman_setup               write the settings, choose $box, a name for the container
#   podman_run WORD...         podman run with the root and what follows; sets status and output
#   podman_start WORD...       the same in the background, as `start box` would
#   image_make NAME CHANGE...  make an image of the root, with lines of a Containerfile
#   podman_teardown            for teardown_more

# Otherwise Go's scheduler sends URG to its own threads, and runc passes on every signal.
export GODEBUG=asyncpreemptoff=1

root_make() {
	root=$BATS_TEST_TMPDIR/root
	if [[ ! -e $BATS_FILE_TMPDIR/root ]]; then
		root_fill
		mv "$root" "$BATS_FILE_TMPDIR/root" # once for all tests of the file, each of which has a copy
	fi
	cp -Rp "$BATS_FILE_TMPDIR/root" "$root"
}

root_fill() {
	local applet
	mkdir -p "$root"/{bin,dev,proc,sys,tmp}
	into_root "$(command -v busybox)" bin/busybox
	for applet in sh sleep true; do ln -s busybox "$root/bin/$applet"; done
	into_root "$FRY_RUN" fry-run
	into_root "$BIN/probe" probe
	into_root "$BIN/orphans" orphans
}

# Copy a binary, and the libraries of one that is not static.
into_root() {
	local library
	cp "$1" "$root/$2"
	for library in $(ldd "$1" 2>/dev/null | grep -o '/[^ ]*'); do
		mkdir -p "$root${library%/*}"
		cp -L "$library" "$root$library"
	done
}

# Print the variables that a process in the container has to have in its environment, one a line.
box_environment() {
	env | grep -E '^(FRY_TEST|(A|UB|L)SAN_OPTIONS)='
}

heard() {
	grep -v '^ready ' "$1"
}

assert_heard() {
	local IFS=$'\n' file=$1
	shift
	assert_equal "$(heard "$file")" "$*" "heard in $file"
}

box_finish() {
	# shellcheck disable=SC2034 # for the tests
	finish box && output=$(cat box.out box.err)
}

# --- runc

# Write runc's default configuration, without a network and without limits.
box_make() {
	box=fry-$$-${BATS_TEST_TMPDIR##*/}
	mkdir -p bundle
	if [[ ! -e $BATS_FILE_TMPDIR/config.json ]]; then runc spec --bundle "$BATS_FILE_TMPDIR"; fi
	jq --arg root "$root" --arg environment "$(box_environment)" '
		.root = {path: $root, readonly: false}
		| .process.args = $ARGS.positional
		| .process.env += ($environment | split("\n"))
		| .process.terminal = false
		| del(.process.rlimits)
		| .linux.namespaces |= map(select(.type != "network"))
	' --args -- "$@" <"$BATS_FILE_TMPDIR/config.json" >bundle/config.json
}

box_run() {
	box_start "$@"
	box_finish
}

box_start() {
	box_make "$@"
	start box runc --root "$BATS_TEST_TMPDIR/runc" run --bundle bundle "$box"
}

box_kill() {
	box_do kill "$1"
}

box_exec() {
	box_do exec "$@"
}

box_init() {
	box_do state | jq .pid
}

box_pids() {
	descendants_of "$(box_init)"
}

# runc's commands take the container's name after their options and before all other words.
box_do() {
	local command=("$1")
	shift
	while [[ ${1-} == -* ]]; do
		command+=("$1")
		shift
	done
	runc --root "$BATS_TEST_TMPDIR/runc" "${command[@]}" "$box" "$@"
}

box_delete() {
	if [[ ${box-} ]]; then box_do delete --force; fi
}

# --- podman

podman_setup() {
	box=fry
	export TMPDIR=$BATS_TEST_TMPDIR
	export CONTAINERS_CONF=$BATS_TEST_TMPDIR/containers.conf
	export CONTAINERS_STORAGE_CONF=$BATS_TEST_TMPDIR/storage.conf
	export PODMAN_IGNORE_CGROUPSV1_WARNING=1 # podman 5 prints it on the container's terminal
	# Limits that are below those of any shell: root may not be allowed to raise them.
	cat >"$CONTAINERS_CONF" <<-END
		[containers]
		netns = "none"
		default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
		[engine]
		runtime = "runc"
		cgroup_manager = "cgroupfs"
		events_logger = "none"
		lock_type = "file"
		tmp_dir = "$BATS_TEST_TMPDIR/podman"
	END
	cat >"$CONTAINERS_STORAGE_CONF" <<-END
		[storage]
		driver = "vfs"
		graphroot = "$BATS_TEST_TMPDIR/storage"
		runroot = "$BATS_TEST_TMPDIR/runroot"
	END
}

podman_options() {
	local word
	options=(run --name "$box" --conmon-pidfile "$BATS_TEST_TMPDIR/conmon.pid")
	while read -r word; do options+=(--env "$word"); done < <(box_environment)
}

podman_run() {
	podman_start "$@"
	box_finish
	podman_removed
}

podman_start() {
	local options
	podman_options
	start box podman "${options[@]}" "$@"
}

image_make() {
	local image=$1 change changes=()
	shift
	for change; do changes+=(--change "$change"); done
	tar -C "$root" -c . | podman import --quiet "${changes[@]}" - "$image"
}

# conmon does not carry the mark of the test, and outlives the container to clean up.
podman_removed() {
	podman rm --all --force --time 0 >/dev/null
	if [[ -s conmon.pid ]]; then wait_gone "$(<conmon.pid)" && rm conmon.pid; fi
}

podman_teardown() {
	if [[ ${box-} ]]; then podman_removed; fi
}
