# hangup.bats - --hangup where a client dies: podman exec, runc exec, ssh, a server over stdio

# $0 and the like are for inner shells.
# shellcheck disable=SC2016,SC2154

load ../lib/helper
load ../lib/container

teardown_more() {
	if [[ ${sshd_pid-} ]]; then end "$sshd_pid"; fi
	if [[ ${podman-} ]]; then podman_teardown; fi
	box_delete
}

@test "--hangup: podman exec -i whose client is killed ends the command" {
	requires root podman runc busybox
	podman=1
	root_make
	podman_setup
	podman_start --init --init-path "$FRY_RUN" --rootfs "$root" sh -c 'echo ready $$; exec sleep 1000'
	ready box
	mkfifo input
	start client podman exec -i "$box" /fry-run --hangup -- /probe -n -x TERM=0 -o /heard <>input
	wait_line "$root/heard" 'ready *'
	end "$client_pid"
	wait_line "$root/heard" TERM
	assert_heard "$root/heard" TERM
	podman_removed
	finish box # the client of `podman run` ends a moment later
}

@test "--hangup: runc exec whose client is killed ends the command" {
	requires root runc busybox mkfifo
	root_make
	box_start /fry-run -- sh -c 'echo ready $$; exec sleep 1000'
	ready box
	mkfifo input
	start client sh -c 'cat | runc --root "$0" exec "$1" /fry-run --hangup -- /probe -n -x TERM=0 -o /heard' \
		"$BATS_TEST_TMPDIR/runc" "$box" <>input
	wait_line "$root/heard" 'ready *'
	# The client and the program between it and runc: both hold what is sent to COMMAND.
	end "$client_pid" "$(direct_children_of "$client_pid" | head -n 1)"
	wait_line "$root/heard" TERM
	assert_heard "$root/heard" TERM
	box_kill TERM
	finish box
}

# Start an sshd on the loopback interface, for the key in ./key. Sets port.
sshd_start() {
	ssh-keygen -q -t ed25519 -N '' -f host
	ssh-keygen -q -t ed25519 -N '' -f key
	mkdir -p /run/sshd
	# It demands that no other user may write to the file, and its directories are those of the test.
	cat >sshd_config <<-END
		ListenAddress 127.0.0.1
		HostKey $PWD/host
		AuthorizedKeysFile $PWD/key.pub
		StrictModes no
		PermitRootLogin yes
		UsePAM no
		SetEnv FRY_TEST=$FRY_TEST
	END
	for port in {22022..22122}; do
		start sshd "$(command -v sshd)" -D -e -f "$PWD/sshd_config" -p "$port"
		wait_line sshd.err '@(Server listening|*Address already in use|Cannot bind)*'
		if has_lines sshd.err 'Server listening*'; then return 0; fi
		finish sshd
	done
	return 1
}

ssh_start() {
	start "$1" ssh -F none -i key -p "$port" -o StrictHostKeyChecking=no -o UserKnownHostsFile=known \
		-o LogLevel=ERROR 127.0.0.1 "cd '$PWD' && ${*:2}" <>input
}

@test "--hangup: ssh whose client is killed ends the command, which lives on otherwise" {
	requires root ssh sshd
	sshd_start
	mkfifo input
	ssh_start bare exec "'$BIN/probe'" -n -o bare.heard
	ssh_start client exec "'$FRY_RUN'" --hangup -- "'$BIN/probe'" -n -x TERM=0 -o client.heard
	wait_line bare.heard 'ready *'
	wait_line client.heard 'ready *'
	end "$bare_pid" "$client_pid"
	wait_line client.heard TERM
	assert_heard client.heard TERM
	read -r _ probe <bare.heard
	alive "$probe"
	assert_equal "$(heard bare.heard)" ''
	end "$probe"
	end "$sshd_pid"
}

@test "--hangup: a server over stdio ends when its client is killed" {
	requires python3
	cat >client.py <<-'END'
		import subprocess, sys
		server = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
		print(server.stdout.readline().decode(), end="", flush=True)
		server.wait()
	END
	start client python3 client.py "$FRY_RUN" --hangup -- sh -c '"$0" -d -o daemon.out; exec "$0"' "$BIN/probe"
	ready client
	ready daemon
	end "$client_pid"
	wait_line daemon.out TERM
	wait_until 'nothing to be left' nothing_left
}
