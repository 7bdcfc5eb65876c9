# run.bats - systemd-run: scopes, --pipe, and a user's own services

# bats file_tags=linux

load ../lib/helper
load ../lib/systemd

# COMMAND and its child, and a descendant in a session of its own, all with one log.
three='/fry/probe -S & exec /fry/probe -f 1'

# begin [as_user] OPTION-OF-SYSTEMD-RUN...: run both in the background, as root or as an ordinary user.
begin() {
	local run=inside name prefix
	logs_remove
	if [[ $1 == as_user ]]; then
		run=$1
		shift
	fi
	for name in bare fry; do
		prefix=
		if [[ $name == fry ]]; then prefix="/fry/fry-run ${options[*]} --"; fi
		"$run" systemd-run --quiet --unit="$(unit_of "$name")" "$@" \
			sh -c "exec $prefix sh -c '$three'" >"$(log_of "$name")" 2>"$(messages_of "$name")" 3>&- &
		printf -v "${name}_pid" %s $!
	done
	wait_both 'ready *' 3
}

# ended: wait for both, whose statuses and logs are equal; each of the three has had TERM once.
ended() {
	finish bare
	bare_status=$status
	finish fry
	assert_equal "$status" "$bare_status" 'status of systemd-run'
	assert_alike
	assert_heard fry TERM 3
}

@test "systemd-run --scope: systemctl stop brings TERM to each process once" {
	begin --scope
	for name in bare fry; do inside systemctl stop "$(unit_of $name).scope"; done
	ended
}

@test "systemd-run --scope: systemctl kill brings a signal to each process once" {
	begin --scope
	for signal in HUP USR1 ABRT; do
		for name in bare fry; do inside systemctl kill --signal=$signal "$(unit_of $name).scope"; done
		wait_both $signal 3
	done
	for name in bare fry; do inside systemctl stop "$(unit_of $name).scope"; done
	ended
}

@test "systemd-run --scope: --cgroup=own takes the cgroup of the scope" {
	options=(--cgroup=own)
	begin --scope
	for name in bare fry; do inside systemctl stop "$(unit_of $name).scope"; done
	ended
}

@test "systemd-run --pipe --wait: input, output, descriptors and status pass through" {
	for prefix in '' '/fry/fry-run --'; do
		run --separate-stderr inside systemd-run --quiet --pipe --wait \
			sh -c "exec $prefix sh -c '/fry/probe -F; cat; echo no >&2; exit 7'" <<<hello
		assert_status 7
		assert_lines - 'open: 0 1 2' hello
		assert_equal "$stderr" no
	done
}

@test "systemd-run --pipe --wait: systemctl stop brings TERM to each process once" {
	begin --pipe --wait
	systemctl_both stop
	ended
}

@test "systemd-run --user: services and scopes of a user, also with --cgroup=new" {
	manager_start
	for kind in '--pipe --wait' --scope; do
		for options in '' '--cgroup=new'; do
			# shellcheck disable=SC2086 # two words
			begin as_user --user --property=Delegate=yes $kind
			for name in bare fry; do
				unit=$(unit_of $name)
				if [[ $kind == --scope ]]; then unit+=.scope; fi
				as_user systemctl --user stop "$unit"
			done
			ended
		done
	done
}
