# nested.bats - below a shell in gVisor, of a release without subreapers

# shellcheck disable=SC2016,SC2154 # what stands in single quotes is for other shells; the helpers set variables

load ../lib/helper
load ../lib/container
load ../lib/gvisor

lack="fry-run: no subreaper: Invalid argument; orphans are lost, except in COMMAND's process group"

setup_more() {
	sandbox_requires
	root_make
}

teardown_more() {
	box_delete
}

# Wait, in the box, until a file has a line `ready PID`, and set ready to the pid.
ready='
	ready() {
		until read -r word ready <"$1"; do sleep .01; done 2>/dev/null
	}'

@test "in gVisor fry-run below a shell ends as COMMAND does" {
	box_script '
		/fry-run -- /probe -e 7 >/dev/null; echo $?
		/fry-run -- /probe -k KILL >/dev/null; echo $?
		/fry-run --status=code -- /probe -k USR1 >/dev/null; echo $?
		/fry-run -- /missing; echo $?
		left_in_box'
	assert_lines box.out 7 137 138 127 'left 0'
	assert_equal "$(grep -Fxc "$lack" box.err)" 4
}

@test "in gVisor without a subreaper --leftover=fail is refused" {
	box_script '/fry-run --leftover=fail -- /probe -e 7; echo $?'
	assert_lines box.out 125
	assert_match "$(<box.err)" 'fry-run: --leftover=fail: no subreaper (Invalid argument), *'
}

@test "in gVisor without a subreaper the timeout ends all of COMMAND's group" {
	box_script '
		/fry-run -t 1s -- sh -c "sleep 1000 & sleep 1000"; echo $?
		/fry-run --no-guard -t 1s -- sh -c "sleep 1000 & sleep 1000"; echo $?
		left_in_box'
	assert_lines box.out 124 124 'left 0'
}

@test "in gVisor without a subreaper an orphan in COMMAND's group gets TERM, then KILL" {
	box_script "$ready"'
		/fry-run -k 1 -- sh -c "(/probe -n -o /orphan &); exec /probe -x USR1=4" >/command &
		ready /command
		ready /orphan
		kill -USR1 $!
		wait $!; echo $?
		left_in_box'
	assert_lines box.out 4 'left 0'
	assert_heard "$root/orphan" TERM
	assert_heard "$root/command" USR1
}

@test "in gVisor without a subreaper --leftover=wait waits for COMMAND's group" {
	box_script "$ready"'
		/fry-run --leftover=wait -- sh -c "(/probe -x USR1=0 -o /orphan &); exec /probe -e 4" >/command &
		ready /command
		until ! living "$ready"; do sleep .01; done
		ready /orphan
		kill -HUP $!
		until grep -q HUP /orphan; do sleep .01; done
		kill -USR1 $!
		wait $!; echo $?
		left_in_box'
	assert_lines box.out 4 'left 0'
	assert_heard "$root/orphan" HUP USR1
}

@test "in gVisor signals to fry-run below a shell reach COMMAND once" {
	box_script "$ready"'
		/fry-run -- /probe -i TERM,INT -x USR2=3 >/command &
		ready /command
		for signal in TERM HUP USR1 WINCH TERM; do
			kill -$signal $!
			echo $signal >>/sent
			until [ "$(grep -v ready /command)" = "$(cat /sent)" ]; do sleep .01; done
		done
		kill -USR2 $!
		wait $!; echo $?
		left_in_box'
	assert_lines box.out 3 'left 0'
	assert_heard "$root/command" TERM HUP USR1 WINCH TERM USR2
}

@test "in gVisor a signal to a stopped fry-run is forwarded once it is continued" {
	box_script "$ready"'
		/fry-run -- /probe -x USR2=3 >/command &
		ready /command
		kill -STOP $!
		kill -USR1 $!
		kill -CONT $!
		until grep -q USR1 /command; do sleep .01; done
		kill -USR2 $!
		wait $!; echo $?'
	assert_lines box.out 3
}

@test "in gVisor KILL of either process of fry-run leaves nothing" {
	box_script "$ready"'
		for process in outer inner; do
			rm -f /command /orphan
			/fry-run -- sh -c "(/probe -n -o /orphan &); exec /probe -n" >/command &
			ready /command
			command=$ready
			ready /orphan
			if [ $process = outer ]; then kill -KILL $!; else
				kill -KILL "$(sed "s/.*) . \([0-9]*\) .*/\1/" "/proc/$command/stat")"
			fi
			wait $!; echo $?
			while living "$command" || living "$ready"; do sleep .01; done
			left_in_box
		done'
	assert_lines box.out 137 'left 0' 137 'left 0'
	assert_heard "$root/command"
}

@test "in gVisor ten runs, one after the other and all at once, leave nothing" {
	box_script '
		for i in 1 2 3 4 5 6 7 8 9 10; do
			/fry-run -k 1 -- sh -c "sleep 1000 & exit $i"; echo $?
		done
		left_in_box
		for i in 1 2 3 4 5 6 7 8 9 10; do
			/fry-run -k 1 -- sh -c "sleep 1000 & exit $i" &
		done
		for job in $(jobs -p); do wait "$job"; done
		left_in_box'
	assert_lines box.out 1 2 3 4 5 6 7 8 9 10 'left 0' 'left 0'
}

@test "in gVisor the report of a run below a shell is complete" {
	box_script '/fry-run --report=/report -- sh -c "(/probe -o /orphan &)
		until grep -q ready /orphan; do sleep .01; done; exit 4"; echo $?'
	assert_lines box.out 4
	run jq -c '[.exit.code, .status, .cause, [.leftovers[].name]]' "$root/report"
	assert_lines - '[4,4,"exited",["probe"]]'
}
