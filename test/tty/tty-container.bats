# tty-container.bats - as PID 1 on the terminal of a container, next to COMMAND as PID 1, in a real tmux

# shellcheck disable=SC2016 # words for a shell on the screen

# bats file_tags=rounds
load ../lib/helper
load ../lib/container
load ../lib/screen

setup_more() {
	requires root tmux podman runc jq busybox
	root_make
	podman_setup
	ln -s busybox "$root/bin/clear" # which only some busybox shells find without a link
	ln -s busybox "$root/bin/stty"
	ln -s busybox "$root/bin/cat"
}

teardown_more() {
	local failed=0
	screens_close || failed=1
	boxes_remove || failed=1
	return "$failed"
}

# Print the runtimes that a test uses: both in make check-stress, otherwise one of them in turn.
runtimes() {
	local all=(podman runc)
	if [[ ${ROUNDS-} == all ]]; then echo "${all[@]}"; else echo "${all[BATS_TEST_NUMBER % 2]}"; fi
}

# The same COMMAND in a container of podman's or runc's each, as PID 1 and below fry-run.
both_run() {
	local runtime=$1
	shift
	box_screen "$runtime" plain "$@"
	box_screen "$runtime" wrapped /fry-run -- "$@"
}

# When the container has ended its status is shown.
box_screen() {
	local runtime=$1 name=$2
	shift 2
	"$runtime"_words "$name" "$@"
	screen_open "$name" "$name" sh -c '"$@"; echo "status $?"; exec sleep 1000' sh "${words[@]}"
}

# podman passes its own WINCH on to PID 1, and also sets the new size. If podman's WINCH is still pending, the
# kernel's WINCH for the size merges with it.
podman_words() {
	local box=$1 options
	shift
	podman_options
	words=(podman "${options[@]}" --conmon-pidfile "$PWD/$box.conmon" --sig-proxy=false
		-it --rootfs "$root" "$@")
}

runc_words() {
	local name=$1
	shift
	mkdir -p bundle
	box_make "$@"
	mkdir "bundle.$name"
	jq '.process.terminal = true' bundle/config.json >"bundle.$name/config.json"
	words=(runc --root "$BATS_TEST_TMPDIR/runc" run --bundle "$PWD/bundle.$name" "$box.$name")
}

boxes_remove() {
	local one
	podman rm --all --force --time 0 >/dev/null
	for one in *.conmon; do
		if [[ -s $one ]]; then wait_gone "$(<"$one")"; fi
	done
	for one in runc/*/; do
		if [[ -d $one ]]; then runc --root "$PWD/runc" delete --force "$(basename "$one")"; fi
	done
	rm -rf ./*.conmon bundle* runc
}

both_end() {
	screens_close
	boxes_remove
	nothing_left
}

# The size of the screen comes a moment after the container.
SIZED='until [ "$(stty size 2>/dev/null)" = "24 80" ]; do :; done; '

normalise() {
	sed '/^cursor /d; /^$/d; s/ready [0-9]*/ready/'
}

@test "on a container's terminal Ctrl-C, Ctrl-Z, a resize and Ctrl-\ reach COMMAND once" {
	local runtime
	for runtime in $(runtimes); do
		# The terminal signals before it echoes, and what COMMAND says may come in between.
		both_run "$runtime" sh -c "$SIZED stty -echo; exec /probe -n -s -x QUIT=3"
		both_show 'ready*'
		both_keys C-c
		both_show '*INT from kernel*'
		both_size 90 20
		both_show '*WINCH from kernel*'
		both_keys C-z
		both_show '*TSTP from kernel*'
		both_keys C-c
		both_show '*TSTP from kernel*INT from kernel*'
		both_keys C-\\
		both_show $'ready*\nINT*\nWINCH*\nTSTP*\nINT*\nQUIT*\nstatus 3'
		both_end
	done
}

# Without fry-run it is PID 1, which no such signal kills.
@test "on a container's terminal Ctrl-C and Ctrl-\ end a COMMAND with default dispositions" {
	local runtime
	for runtime in $(runtimes); do
		box_screen "$runtime" int /fry-run -- sh -c 'echo runs; exec sleep 1000'
		wait_screen int runs
		screen_keys int C-c
		wait_screen int $'runs\n^C*status 130'
		box_screen "$runtime" quit /fry-run -- sh -c 'echo runs; exec sleep 1000'
		wait_screen quit runs
		screen_keys quit C-\\
		wait_screen quit $'runs\n^\\\\*status 131'
		both_end
	done
}

# No process could continue it.
@test "on a container's terminal Ctrl-Z does not stop COMMAND" {
	local runtime
	for runtime in $(runtimes); do
		both_run "$runtime" sh -c 'echo runs; exec cat'
		both_show runs
		both_keys C-z
		both_show $'runs\n^Z*'
		both_keys one Enter
		both_show $'runs\n^Z*one\none'
		both_keys C-d
		both_show '*status 0'
		both_end
	done
}

@test "on a container's terminal a shell has job control" {
	local runtime
	for runtime in $(runtimes); do
		both_run "$runtime" /bin/busybox env 'PS1=$? in $ ' sh -c "$SIZED exec sh"
		both_show '*0 in $'
		# The output of cat shows that cat is in the foreground.
		both_line 'echo runs; cat'
		both_show $'*\nruns'
		both_line one
		both_show $'*one\none'
		both_keys C-z
		both_show '*Stopped*1[0-9][0-9] in $'
		# The second cat is stopped when it reads, which the shell may see after its next prompt.
		both_line 'cat &'
		both_line 'clear; until jobs >list; [ "$(grep -c Stopped list)" = 2 ]; do :; done; cat list'
		both_show '*Stopped*Stopped*0 in $'
		both_line 'clear; fg %1'
		both_show cat
		both_line two
		both_show $'*two\ntwo'
		both_keys C-c
		both_show '*^C*130 in $'
		both_line 'clear; fg %2'
		both_show cat
		both_line three
		both_show $'*three\nthree'
		both_keys C-\\
		both_show '*131 in $'
		both_size 70 15
		both_line 'clear; stty size; stty -a'
		both_show '15 70*echoke*0 in $'
		both_line 'exit 5'
		both_show '*status 5'
		both_end
	done
}

@test "closing a container's terminal hangs up COMMAND and stops its leftovers" {
	box_screen runc box /fry-run -- sh -c "$SIZED"'/probe -o /heard & exec /probe -x HUP=0 -o /heard'
	wait_line "$root/heard" 'ready *' 2
	screen_hang_up box
	wait_prints '' left_behind
	# runc may pass on first the CONT that comes with its HUP.
	sed -i '/^CONT$/d' "$root/heard"
	assert_heard "$root/heard" HUP TERM
}
