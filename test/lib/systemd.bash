# systemd.bash - a systemd of its own, booted once for the suite, and services in it
# shellcheck shell=bash
#
# systemd runs in a container of systemd-nspawn, with a pure cgroup v2, whatever the host has. Its root is a
# few empty directories and the host's /usr. SYSTEMD_ROOT=DIRECTORY takes the root of another distribution
# instead, as mmdebstrap makes it, with systemd, systemd-sysv, dbus, dbus-user-session and python3. In the
# container /fry has fry-run and the fixtures; services log to /log.
#
#   systemd_boot               boot it; for setup_suite
#   systemd_end                kill it, and remove its cgroups; for teardown_suite
#   inside WORD...             run this in the container
#   as_user WORD...            the same, as an ordinary user; manager_start has started the user's manager
#
# Each test writes one service twice: `bare`, and `fry`, which runs the same command under fry-run.
#   services <<<TEXT           write both; TEXT is what a unit file has under [Service], and has @ where
#                              fry-run is put; the array options has its options
#   systemctl_both VERB [OPTION]...  at once; sets bare_status and fry_status
#   both COMMAND... SERVICE    run COMMAND with `bare`, then with `fry`, as its last word
#   wait_both GLOB [N]         until N (1) lines of each log match
#   log_of bare|fry [NAME]     print the path of its log, or of /log/SERVICE.NAME
#   logs_remove                begin with empty logs
#   messages_of bare|fry       print the path of what it writes to standard error
#   unit_of bare|fry           print the name of the service, without .service
#   cgroup_of bare|fry         print the directory of its cgroup
#   assert_alike [NAME]        the two logs hold the same lines, whatever their pids and order
#   assert_property NAME...    systemd shows the same for both
#   property_of bare|fry NAME  print what systemd shows
#   assert_heard bare|fry GLOB N [NAME]  so many lines of its log match
#   assert_empty bare|fry      no process of the service is left

export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1

systemd_boot() {
	local root=${SYSTEMD_ROOT:-$BATS_SUITE_TMPDIR/root} tools=$BATS_SUITE_TMPDIR/fry usr=()
	requires root pid-namespace cgroup2 systemd-nspawn nsenter
	mkdir -p "$root" "$tools"
	if [[ ! ${SYSTEMD_ROOT-} ]]; then
		root_make "$root"
		usr=(--bind-ro=/usr)
	fi
	cp "$FRY_RUN" "$tools/fry-run"
	cp "$BIN"/{probe,notify} "$REPO/test/fixtures/systemd.py" "$tools/"
	# Where only root may look, no other user of the container could.
	chmod 755 "$root" "$tools" "$tools/systemd.py"
	export LOGS=$BATS_SUITE_TMPDIR/log
	mkdir -m 1777 "$LOGS"
	systemd_cgroup=$(cgroup2_own)/fry-systemd-$$
	mkdir "$systemd_cgroup"
	# shellcheck disable=SC2016 # for the other shell
	sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$systemd_cgroup" \
		systemd-nspawn --quiet --directory="$root" --register=no --keep-unit --link-journal=no \
		"${usr[@]}" --bind-ro="$tools:/fry" --bind="$LOGS:/log" --console=pipe --boot \
		systemd.unit=basic.target </dev/null >"$BATS_SUITE_TMPDIR/console" 2>&1 3>&- &
	nspawn=$!
	wait_until 'systemd to start' systemd_find
	export SYSTEMD
	wait_until 'systemd to be running' systemd_runs
}

# The host's /usr has all that systemd needs, where /bin and /lib are links into it.
root_make() {
	local name
	mkdir -p "$1"/{dev,etc,proc,run,sys,tmp,usr,var}
	for name in bin lib lib64 sbin; do ln -s "usr/$name" "$1/$name"; done
	echo 'root:x:0:0::/:/bin/sh' >"$1/etc/passwd"
	echo 'root:x:0:' >"$1/etc/group"
	touch "$1/etc/machine-id" "$1/etc/os-release"
}

# At first systemd-nspawn has another child, which makes this one.
systemd_find() {
	for SYSTEMD in $(direct_children_of "$nspawn"); do
		if [[ $(name_of "$SYSTEMD") == systemd ]]; then return; fi
	done
	return 1
}

systemd_runs() {
	[[ $(inside systemctl is-system-running 2>&1) == @(running|degraded) ]]
}

systemd_end() {
	local one
	if [[ ${SYSTEMD-} ]]; then kill -KILL "$SYSTEMD"; fi
	if [[ ${nspawn-} ]]; then wait "$nspawn" || :; fi
	# A hybrid host has the same directories in systemd's own hierarchy.
	for one in "${systemd_cgroup-none}" /sys/fs/cgroup/systemd/"${systemd_cgroup##*/}"; do
		if [[ -d $one ]]; then find "$one" -depth -type d -exec rmdir '{}' +; fi
	done
}

inside() {
	nsenter --target "$SYSTEMD" --mount --pid --cgroup --root --wd -- "$@"
}

# --- services

unit_of() {
	echo "$1-$BATS_SUITE_TEST_NUMBER"
}

log_of() {
	echo "$LOGS/$(unit_of "$1").${2-log}"
}

logs_remove() {
	rm -f "$LOGS/$(unit_of bare)".* "$LOGS/$(unit_of fry)".*
}

messages_of() {
	log_of "$1" messages
}

services() {
	local text name unit file prefix again=
	text=$(cat)
	for name in bare fry; do
		unit=$(unit_of "$name")
		prefix=
		if [[ $name == fry ]]; then prefix="/fry/fry-run -v ${options[*]} --"; fi
		file=/proc/$SYSTEMD/root/run/systemd/system/$unit.service
		if [[ -e $file ]]; then again=yes; fi
		cat >"$file" <<-END
			[Unit]
			StartLimitIntervalSec=0
			[Service]
			StandardOutput=append:/log/$unit.log
			StandardError=append:/log/$unit.messages
			${text//@/"$prefix"}
		END
	done
	if [[ $again ]]; then inside systemctl daemon-reload; fi
}

both() {
	"$@" bare
	"$@" fry
}

# shellcheck disable=SC2034 # for the tests
systemctl_both() {
	local bare fry
	inside systemctl "$@" "$(unit_of bare)" 2>bare.err 3>&- &
	bare=$!
	inside systemctl "$@" "$(unit_of fry)" 2>fry.err 3>&- &
	fry=$!
	wait "$bare" && bare_status=0 || bare_status=$?
	wait "$fry" && fry_status=0 || fry_status=$?
}

wait_both() {
	local name
	for name in bare fry; do wait_line "$(log_of "$name")" "$@"; done
}

# Print a log in an order that does not depend on which process was faster.
log_sorted() {
	sed 's/^ready [0-9]*$/ready/' "$(log_of "$@")" | sort
}

assert_alike() {
	assert_equal "$(log_sorted fry "$@")" "$(log_sorted bare "$@")" "what ${1-the log} has under fry-run" || {
		sed 's/^/fry: /' "$(messages_of fry)" >&2
		false
	}
}

assert_heard() {
	assert_equal "$(count_lines "$(log_of "$1" "${4-log}")" "$2")" "$3" "$2 in ${4-the log} of $1"
}

property_of() {
	inside systemctl show --value --property="$2" "$(unit_of "$1")"
}

assert_property() {
	local name
	for name; do assert_equal "$(property_of fry "$name")" "$(property_of bare "$name")" "$name"; done
}

cgroup_of() {
	echo "/proc/$SYSTEMD/root/sys/fs/cgroup/system.slice/$(unit_of "$1").service"
}

assert_empty() {
	local processes
	processes=$(cat "$(cgroup_of "$1")/cgroup.procs" 2>/dev/null) || :
	assert_equal "$processes" '' "processes of $1"
}

# --- a user and the user's manager

user_id=65534

as_user() {
	inside setpriv --reuid=$user_id --regid=$user_id --clear-groups env "XDG_RUNTIME_DIR=/run/user/$user_id" "$@"
}

# Start the user's manager, as a service of the test.
manager_start() {
	local runtime=/run/user/$user_id
	manager=manager-$BATS_SUITE_TEST_NUMBER
	inside install -d -o $user_id -g $user_id -m 700 "$runtime"
	inside systemd-run --quiet --unit="$manager" --property=Type=notify --property=User=$user_id \
		--property=Delegate=yes --setenv="XDG_RUNTIME_DIR=$runtime" --setenv=HOME=/ \
		/usr/lib/systemd/systemd --user
}

# --- every test

setup_more() {
	# shellcheck disable=SC2034 # for the tests
	options=()
}

teardown_more() {
	local unit
	if [[ ! ${BATS_TEST_COMPLETED-} ]]; then both report; fi
	for unit in "$(unit_of bare)" "$(unit_of fry)" "${manager-}"; do
		if [[ $unit ]]; then unit_end "$unit"; fi
	done
}

# After a failure: print the logs and the journal of a service.
report() {
	local log
	for log in "$LOGS/$(unit_of "$1")."*; do
		if [[ -f $log ]]; then sed "s|^|${log##*/}: |" "$log" >&2; fi
	done
	inside journalctl --no-pager --boot --unit="$(unit_of "$1")" >&2 || :
}

# End all processes of a service, so that no other test waits for them.
unit_end() {
	inside systemctl kill --signal=KILL "$1" || :
	inside systemctl stop "$1" || :
	inside systemctl reset-failed "$1" || :
} 2>/dev/null
