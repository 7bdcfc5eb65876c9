# stop.bats - systemctl stop, kill and restart: each process gets a signal as often as without fry-run

# bats file_tags=linux

load ../lib/helper
load ../lib/systemd

# tree_services LINES [OPTION-OF-PROBE]: COMMAND, its child in the group, and a descendant in a session of
# its own. Each has a log of its own, /log/SERVICE.command, .child and .session. They do not end by a signal.
tree_services() {
	local probe="/fry/probe ${2--n}"
	services <<-END
		Type=exec
		$1
		ExecStart=@ sh -c '$probe -S -o /log/%N.session & $probe -o /log/%N.child & \
			exec $probe -o /log/%N.command'
	END
}

tree_start() {
	systemctl_both start
	both tree_ready
}

# tree_ready [N] bare|fry: it has started N (1) times.
tree_ready() {
	local times=1
	if (($# > 1)); then
		times=$1
		shift
	fi
	for part in command child session; do wait_line "$(log_of "$1" "$part")" 'ready *' "$times"; done
}

# assert_tree bare|fry SIGNAL N N N: COMMAND, its child, and the one in the session got SIGNAL so often.
assert_tree() {
	assert_heard "$1" "$2" "$3" command
	assert_heard "$1" "$2" "$4" child
	assert_heard "$1" "$2" "$5" session
}

assert_tree_alike() {
	for part in command child session; do assert_alike "$part"; done
}

@test "KillMode=control-group: each process gets TERM once, and not again from the schedule" {
	# The schedule is over before TimeoutStopSec: all its steps have come when the service has stopped.
	options=(--stop=TERM/1s/KILL)
	tree_services TimeoutStopSec=60
	for ((round = 1; round <= 20; round++)); do
		inside systemctl start "$(unit_of fry)"
		tree_ready "$round" fry
		inside systemctl stop "$(unit_of fry)"
		assert_tree fry TERM "$round" "$round" "$round"
	done
}

@test "KillMode=control-group: where nothing heeds TERM, systemd's KILL ends it after TimeoutStopSec" {
	options=(--stop=TERM/1h/KILL)
	tree_services TimeoutStopSec=2
	tree_start
	systemctl_both stop
	assert_tree bare TERM 1 1 1
	assert_tree_alike
	assert_property Result ExecMainCode ExecMainStatus ActiveState
	both assert_empty
}

@test "KillMode=control-group: a service that heeds TERM stops cleanly, with every process" {
	tree_services TimeoutStopSec=60 ''
	tree_start
	systemctl_both stop
	assert_tree fry TERM 1 1 1
	assert_property Result ExecMainCode ExecMainStatus ActiveState
	both assert_empty
}

@test "KillMode=mixed: COMMAND's group gets TERM as well, and with -c COMMAND alone" {
	options=(--stop=TERM/1h/KILL)
	tree_services $'KillMode=mixed\nTimeoutStopSec=2'
	tree_start
	systemctl_both stop
	assert_tree bare TERM 1 0 0
	assert_tree fry TERM 1 1 0
	assert_property Result ExecMainCode ExecMainStatus ActiveState
	both assert_empty
	options+=(-c)
	tree_services $'KillMode=mixed\nTimeoutStopSec=2'
	inside systemctl start "$(unit_of fry)"
	tree_ready 2 fry
	inside systemctl stop "$(unit_of fry)"
	assert_tree fry TERM 2 1 0
}

@test "KillMode=mixed: leftovers get TERM before KILL, and without fry-run KILL alone" {
	tree_services $'KillMode=mixed\nTimeoutStopSec=60' ''
	tree_start
	systemctl_both stop
	assert_tree bare TERM 1 0 0
	assert_tree fry TERM 1 1 1
	assert_property Result ExecMainCode ExecMainStatus ActiveState
	both assert_empty
}

@test "KillMode=process: leftovers end, too, and live on without fry-run" {
	tree_services $'KillMode=process\nTimeoutStopSec=60' ''
	tree_start
	systemctl_both stop
	assert_tree bare TERM 1 0 0
	assert_tree fry TERM 1 1 1
	assert_empty fry
	run assert_empty bare
	assert_status 1
}

@test "KillMode=process: with -c --leftover=leave a service stops as without fry-run" {
	options=(-c --leftover=leave)
	tree_services $'KillMode=process\nTimeoutStopSec=60' ''
	tree_start
	systemctl_both stop
	assert_tree bare TERM 1 0 0
	assert_tree_alike
	run assert_empty fry
	assert_status 1
}

@test "KillSignal=, SendSIGHUP=: each process gets the signals once" {
	options=(--stop=TERM/1h/KILL)
	for signal in INT QUIT PWR; do
		tree_services "KillSignal=$signal"$'\nSendSIGHUP=yes\nTimeoutStopSec=2'
			tree_start
		systemctl_both stop
		assert_tree bare "$signal" 1 1 1
		assert_tree bare HUP 1 1 1
		assert_tree_alike
		logs_remove
	done
}

@test "KillSignal=WINCH and RTMIN+3: COMMAND gets them once with KillMode=mixed" {
	options=(--stop=TERM/1h/KILL)
	for signal in WINCH RTMIN+3; do
		tree_services "KillSignal=$signal"$'\nKillMode=mixed\nTimeoutStopSec=2'
		tree_start
		systemctl_both stop
		assert_tree bare "$signal" 1 0 0
		assert_tree_alike
		logs_remove
	done
}

@test "systemctl kill: each process gets a signal once" {
	tree_services ''
	tree_start
	for signal in HUP USR1 USR2 ABRT ALRM PWR CONT; do
		systemctl_both kill --signal="$signal"
		for part in command child session; do both heard_by "$part" "$signal"; done
	done
	# A copy too many would have come before these.
	end_marked
	assert_tree_alike
}

@test "systemctl kill --kill-who=main: COMMAND alone gets a signal, and its group INT, TERM and QUIT" {
	options=(--stop=TERM/1h)
	tree_services ''
	tree_start
	for signal in HUP USR1 WINCH ABRT CONT RTMIN+3; do
		systemctl_both kill --kill-who=main --signal="$signal"
		both heard_by command "$signal"
	done
	end_marked
	assert_tree_alike
	systemctl_both kill --kill-who=main --signal=TERM
	both heard_by command TERM
	wait_line "$(log_of fry child)" TERM
	assert_tree bare TERM 1 0 0
	assert_tree fry TERM 1 1 0
}

# heard_by PART SIGNAL bare|fry
heard_by() {
	wait_line "$(log_of "$3" "$1")" "$2"
}

# A signal to fry-run alone that comes after all others.
end_marked() {
	systemctl_both kill --kill-who=main --signal=IO
	both heard_by command IO
}

@test "systemctl restart: the old processes are gone, and the new ones get nothing" {
	tree_services TimeoutStopSec=60 ''
	tree_start
	systemctl_both restart
	both tree_ready 2
	assert_tree bare TERM 1 1 1
	assert_tree_alike
	assert_property NRestarts ActiveState
	assert_equal "$(processes_of fry)" "$(($(processes_of bare) + 2))"
	systemctl_both stop
	assert_tree_alike
}

processes_of() {
	wc -l <"$(cgroup_of "$1")/cgroup.procs"
}

@test "Restart=on-failure: a service whose main process was killed is restarted, without a leftover" {
	tree_services $'Restart=on-failure\nRestartSec=0\nTimeoutStopSec=60' ''
	tree_start
	systemctl_both kill --kill-who=main --signal=KILL
	both tree_ready 2
	assert_property NRestarts ActiveState
	assert_equal "$(processes_of fry)" "$(($(processes_of bare) + 2))"
}

@test "Restart=on-failure: a service is restarted when COMMAND has failed, and not when COMMAND has exited with 0" {
	for code in 3 0; do
		services <<-END
			Type=exec
			Restart=on-failure
			RestartSec=0
			ExecStart=@ sh -c '/fry/probe -e \$\$((\$\$(cat /log/%N.log | wc -l) > 1 ? 0 : $code))'
		END
			systemctl_both start
		wait_both 'ready *' $((code == 0 ? 1 : 2))
		both wait_inactive
		assert_alike
		assert_property NRestarts Result ExecMainStatus
		logs_remove
	done
}

wait_inactive() {
	wait_prints '@(inactive|failed)' property_of "$1" ActiveState
}

@test "a service that dies of a signal has failed, and --status=code needs SuccessExitStatus=143 for TERM" {
	for signal in TERM INT SEGV; do
		services <<-END
			Type=exec
			ExecStart=@ /fry/probe -k $signal
		END
			systemctl_both start
		both wait_inactive
		assert_property Result ExecMainCode ExecMainStatus ActiveState
	done
	options=(--status=code)
	services <<-END
		Type=exec
		ExecStart=@ /fry/probe
	END
	systemctl_both start
	wait_line "$(log_of fry)" 'ready *' 4
	systemctl_both stop
	assert_equal "$(property_of bare Result) $(property_of fry Result)" 'success exit-code'
	services <<-END
		Type=exec
		SuccessExitStatus=143
		ExecStart=@ /fry/probe
	END
	systemctl_both start
	wait_line "$(log_of fry)" 'ready *' 5
	systemctl_both stop
	assert_property Result ActiveState
}
