# drain.bats - a server in a container that is stopped while requests still arrive

# shellcheck disable=SC2154

load ../lib/helper
load ../lib/container

setup_more() {
	requires root runc busybox
	root_make
	into_root "$BIN/serve" serve
}

teardown_more() {
	touch removed
	box_delete
}

# Start the server under fry-run with these options, and four clients that ask it until a load balancer would have
# removed it: once the file `removed` is there. A line in the file `requests` says what became of each request.
serving() {
	local client
	box_start /fry-run -v "$@" -- /serve
	wait_line box.out 'port *'
	port=$(sed -n 's/^port //p' box.out)
	for client in 1 2 3 4; do start "client$client" bash -c "$ask" bash "$port"; done
	wait_line requests answered 20
}

# shellcheck disable=SC2016 # for the clients
ask='
	until [[ -e removed ]]; do
		line=
		{ exec 3<>"/dev/tcp/127.0.0.1/$1" && printf "GET / HTTP/1.0\r\n\r\n" >&3 && mapfile -t line <&3; } 2>/dev/null
		if [[ ${line[3]-} == answered ]]; then echo answered; else echo lost; fi >>requests
		exec 3<&- 3>&-
	done'

finish_clients() {
	local client
	touch removed
	for client in 1 2 3 4; do finish "client$client"; done
}

@test "drain in a container: all requests are answered until the server is out of the load balancer" {
	serving --stop=1h/TERM/1h/KILL
	box_kill TERM
	wait_line box.err '*holding TERM back*'
	wait_line requests answered $(($(count_lines requests answered) + 100))
	finish_clients
	box_kill TERM # the wait is over sooner than in an hour
	finish box
	assert_equal "$(count_lines requests lost)" 0 'lost requests'
}

@test "drain in a container: without a first wait requests are lost" {
	serving --stop=TERM/1h/KILL
	box_kill TERM
	wait_line requests lost
	finish_clients
	finish box
}
