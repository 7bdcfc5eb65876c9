# services.bats - users, sandboxes and cgroups: a service under fry-run starts, hears and stops as without

# shellcheck disable=SC2034 # services reads options

# bats file_tags=linux

load ../lib/helper
load ../lib/systemd

# COMMAND and its child, and a descendant in a session of its own, all with one log: /log is read-only for
# some of them.
three='/fry/probe -S & exec /fry/probe -f 1'

# runs_alike LINES: a service with these starts, hears each signal once, stops with everything in it, and
# is the same for systemd.
runs_alike() {
	services <<-END
		Type=exec
		TimeoutStopSec=60
		$1
		ExecStart=@ sh -c 'cat /proc/self/status | grep -E "^(Uid|Gid|NoNewPrivs|Cap)" >&2; $three'
	END
	systemctl_both start
	assert_equal "$bare_status $fry_status" '0 0' 'status of systemctl start'
	wait_both 'ready *' 3
	systemctl_both kill --signal=HUP
	wait_both HUP 3
	if [[ ${2-} ]]; then both "$2"; fi
	systemctl_both stop
	assert_alike
	assert_heard fry TERM 3
	assert_property Result ExecMainCode ExecMainStatus ActiveState
	both assert_empty
}

# credentials bare|fry: print the credentials of COMMAND.
credentials() {
	grep -E '^(Uid|Gid|NoNewPrivs|Cap)' "$(messages_of "$1")"
}

@test "User=: COMMAND and its descendants run as the user, and get each signal once" {
	runs_alike $'User=nobody\nGroup=daemon'
	assert_equal "$(credentials fry)" "$(credentials bare)"
	assert_match "$(credentials fry)" $'Uid:\t65534*'
}

@test "DynamicUser=, ProtectProc=invisible, ProcSubset=pid: each signal arrives once" {
	runs_alike $'DynamicUser=yes\nProtectProc=invisible\nProcSubset=pid'
	assert_equal "$(credentials fry | grep Cap)" "$(credentials bare | grep Cap)"
	assert_match "$(credentials fry)" $'*NoNewPrivs:\t1*'
}

@test "ProtectProc=noaccess: each signal arrives once" {
	runs_alike $'User=nobody\nProtectProc=noaccess'
}

@test "a sandbox of most settings of systemd: each signal arrives once" {
	runs_alike 'DynamicUser=yes
		ProtectProc=invisible
		PrivateDevices=yes
		PrivateUsers=yes
		ProtectClock=yes
		ProtectControlGroups=yes
		ProtectHome=yes
		ProtectHostname=yes
		ProtectKernelLogs=yes
		ProtectKernelModules=yes
		ProtectKernelTunables=yes
		CapabilityBoundingSet=
		LockPersonality=yes
		MemoryDenyWriteExecute=yes
		RestrictAddressFamilies=AF_UNIX
		RestrictNamespaces=yes
		RestrictRealtime=yes
		RestrictSUIDSGID=yes
		SystemCallArchitectures=native
		SystemCallFilter=~@mount @clock @module @reboot @swap
		SystemCallErrorNumber=EPERM
		TasksMax=20
		UMask=0077'
}

@test "Delegate=yes: --cgroup=new makes a cgroup in that of the service, also for a user" {
	local user
	options=(--cgroup=new)
	for user in '' User=nobody $'DynamicUser=yes\nProtectProc=invisible'; do
		runs_alike $'Delegate=yes\n'"$user" assert_leaf
		logs_remove
	done
}

# fry-run's two processes are in the service's cgroup, and all others in one below it.
assert_leaf() {
	local cgroup
	if [[ $1 == bare ]]; then return; fi
	cgroup=$(cgroup_of fry)
	assert_equal "$(wc -l <"$cgroup/cgroup.procs")" 2
	assert_equal "$(cat "$cgroup"/fry-run-*/cgroup.procs | wc -l)" 3
}

@test "--cgroup=own: the cgroup of the service is fry-run's" {
	options=(--cgroup=own)
	runs_alike ''
	logs_remove
	runs_alike $'User=nobody\nDelegate=yes'
}

@test "--cgroup=own, KillMode=mixed: a process that left the tree gets TERM, and systemd has nothing to kill" {
	options=(--cgroup=own)
	services <<-END
		Type=exec
		KillMode=mixed
		TimeoutStopSec=60
		ExecStart=@ sh -c '$three'
	END
	systemctl_both start
	wait_both 'ready *' 3
	# A process that something else puts into the cgroup.
	inside sh -c "echo \$\$ >/sys/fs/cgroup/system.slice/$(unit_of fry).service/cgroup.procs
		exec /fry/probe -o /log/$(unit_of fry).guest" 3>&- &
	wait_line "$(log_of fry guest)" 'ready *'
	systemctl_both stop
	wait
	assert_heard fry TERM 1 guest
	assert_heard fry TERM 3
	assert_heard bare TERM 1
	both assert_empty
}

@test "--cgroup without a cgroup that may be written to is refused with 125, and systemd says so" {
	options=(--cgroup=new)
	services <<-END
		Type=exec
		User=nobody
		ExecStart=@ /fry/probe
	END
	systemctl_both start
	wait_prints failed property_of fry ActiveState
	assert_equal "$(property_of fry ExecMainStatus)" 125
}
