# notify.bats - Type=, notifications to systemd, the watchdog, and socket activation

# shellcheck disable=SC2016,SC2034 # what stands in single quotes is for other shells; services reads options

# bats file_tags=linux

load ../lib/helper
load ../lib/systemd

assert_started() {
	assert_equal "$bare_status $fry_status" '0 0' 'status of systemctl start'
	assert_property ActiveState SubState Result
}

# stop_alike: all processes have ended, and their logs are equal.
stop_alike() {
	systemctl_both stop
	assert_alike
	assert_property Result ActiveState
	both assert_empty
}

@test "Type=exec, simple: a service starts, gets each signal once, and stops" {
	for type in exec simple; do
		services <<-END
			Type=$type
			ExecStart=@ /fry/probe -f 1
		END
		systemctl_both start
		assert_started
		wait_both 'ready *' 2
		systemctl_both kill --signal=HUP
		wait_both HUP 2
		stop_alike
		logs_remove
	done
}

@test "Type=exec: if COMMAND is missing, the service fails with 127" {
	services <<-END
		Type=exec
		ExecStart=@ /missing
	END
	systemctl_both start
	# The start may succeed: systemd may see fry-run executed before it ends.
	assert_equal "$bare_status" 1
	wait_prints failed property_of fry ActiveState
	assert_equal "$(property_of bare ExecMainStatus) $(property_of fry ExecMainStatus)" '203 127'
}

@test "Type=oneshot: the start waits until COMMAND has ended, and its status counts" {
	for code in 0 3; do
		services <<-END
			Type=oneshot
			ExecStart=@ /fry/probe -e $code
		END
		systemctl_both start
		assert_equal "$fry_status" "$bare_status" 'status of systemctl start'
		assert_alike
		assert_property ActiveState Result ExecMainStatus
	done
}

@test "Type=forking: the daemon is a leftover and stopped, and lives on with --leftover=leave" {
	for leftover in stop leave; do
		options=("--leftover=$leftover")
		services <<-END
			Type=forking
			ExecStart=@ /fry/probe -d -o /log/%N.daemon
		END
		systemctl_both start
		wait_line "$(log_of bare daemon)" 'ready *'
		assert_equal "$(property_of bare ActiveState)" active
		if [[ $leftover == stop ]]; then
			wait_prints inactive property_of fry ActiveState
			assert_heard fry TERM 1 daemon
		else
			assert_started
		fi
		systemctl_both stop
		logs_remove
	done
}

@test "Type=notify: the start fails with NotifyAccess=main and exec, and works with NotifyAccess=all" {
	# The default is main.
	for access in '' NotifyAccess=main NotifyAccess=exec; do
		services <<-END
			Type=notify
			$access
			ExecStart=@ /fry/notify READY=1 -- /fry/probe
		END
		inside systemctl start "$(unit_of bare)"
		assert_equal "$(property_of bare ActiveState)" active
		# Without fry-run no timeout may expire on a slow machine.
		services <<-END
			Type=notify
			$access
			TimeoutStartSec=1
			ExecStart=@ /fry/notify READY=1 -- /fry/probe
		END
		run inside systemctl start "$(unit_of fry)"
		assert_status 1
		assert_equal "$(property_of fry Result)" timeout
		wait_line "$(messages_of fry)" '*READY=1*NotifyAccess=all*'
		systemctl_both stop
	done
	logs_remove
	services <<-END
		Type=notify
		NotifyAccess=all
		TimeoutStartSec=60
		ExecStart=@ /fry/notify READY=1 STATUS=well -- /fry/probe
	END
	systemctl_both start
	assert_started
	assert_property StatusText
	wait_both 'ready *'
	stop_alike
}

@test "Type=notify: systemd-notify in a script makes the service ready" {
	services <<-END
		Type=notify
		NotifyAccess=all
		TimeoutStartSec=60
		ExecStart=@ sh -c 'systemd-notify --ready; exec /fry/probe'
	END
	systemctl_both start
	assert_started
	wait_both 'ready *'
	stop_alike
}

@test "Type=notify: a COMMAND that names itself by MAINPID= gets signals once, and its status is unknown" {
	services <<-END
		Type=notify
		NotifyAccess=all
		TimeoutStartSec=60
		ExecStart=@ /fry/notify MAINPID=%% READY=1 -- /fry/probe -x USR1=3
	END
	systemctl_both start
	assert_started
	wait_both 'ready *'
	read -r _ pid <"$(log_of fry)"
	assert_equal "$(property_of fry MainPID)" "$pid"
	systemctl_both kill --kill-who=main --signal=HUP
	wait_both HUP
	stop_alike
	# COMMAND ends by itself. It is no child of systemd, which then learns no status from it.
	systemctl_both start
	wait_both 'ready *' 2
	systemctl_both kill --kill-who=main --signal=USR1
	wait_prints failed property_of bare ActiveState
	wait_prints inactive property_of fry ActiveState
	assert_equal "$(property_of bare Result) $(property_of fry Result)" 'exit-code success'
	assert_alike
	both assert_empty
}

@test "ExecReload=: COMMAND gets the signal to the main process once" {
	services <<-'END'
		Type=exec
		ExecStart=@ /fry/probe
		ExecReload=sh -c 'kill -HUP $$MAINPID'
	END
	systemctl_both start
	wait_both 'ready *'
	for round in 1 2 3; do
		systemctl_both reload
		wait_both HUP $round
	done
	stop_alike
}

@test "WatchdogSec=: COMMAND feeds the watchdog, and gets ABRT once when it no longer does" {
	# The notifications come from COMMAND, as READY=1 does.
	services <<-END
		Type=notify
		NotifyAccess=all
		WatchdogSec=3
		TimeoutStartSec=60
		TimeoutAbortSec=2
		ExecStart=@ /fry/notify -w 6 READY=1 -- /fry/probe -n -f 1
	END
	systemctl_both start
	assert_started
	# `ready` comes after four and a half seconds: COMMAND has fed the watchdog until then.
	wait_both 'ready *' 2
	wait_both ABRT 2
	for name in bare fry; do wait_prints failed property_of $name ActiveState; done
	assert_equal "$(property_of fry Result)" watchdog
	assert_property Result ActiveState
	assert_alike
	both assert_empty
}

@test "socket activation: LISTEN_PID is COMMAND's, which answers a connection and ends by TERM" {
	requires python3
	services <<-END
		Type=notify
		NotifyAccess=all
		WatchdogSec=1h
		TimeoutStartSec=60
		Environment=PYTHONDONTWRITEBYTECODE=1
		ExecStart=@ /usr/bin/python3 /fry/systemd.py --service
	END
	for name in bare fry; do
		unit=$(unit_of $name)
		printf '[Socket]\nListenStream=/log/%s.door\nFileDescriptorName=door\n' "$unit" \
			>"/proc/$SYSTEMD/root/run/systemd/system/$unit.socket"
		inside systemctl start "$unit.socket"
		run connect "$(log_of $name door)"
		assert_lines - welcome
		assert_equal "$(property_of $name ActiveState)" active
		inside systemctl stop "$unit.socket" "$unit.service"
	done
	both assert_empty
	# COMMAND exits with 3 upon TERM.
	wait_line "$(messages_of fry)" '*exiting with 3'
}

connect() {
	python3 -c '
import socket, sys
guest = socket.socket(socket.AF_UNIX)
guest.connect(sys.argv[1])
print(guest.recv(100).decode())' "$1"
}
