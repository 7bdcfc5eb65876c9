#!/usr/bin/env bats
# Real supervisors under fry-run: each is stopped under load, and its own log tells an orderly
# shutdown.

# start sets pids; what stands in single quotes is for other shells.
# shellcheck disable=SC2016,SC2154

load ../lib/helper

setup_file() {
	# A directory that another user may go through is needed; a template saves each test a second.
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "${BATS_FILE_TMPDIR%/*}"
	postgres_programs || return 0
	mkdir "$BATS_FILE_TMPDIR/data"
	chown postgres "$BATS_FILE_TMPDIR/data"
	as_postgres "$programs/initdb" --no-sync --wal-segsize=1 --auth=trust --username=postgres \
		--locale=C --pgdata="$BATS_FILE_TMPDIR/data" >"$BATS_FILE_TMPDIR/initdb.log" 2>&1 </dev/null
}

setup_more() {
	unset MAKEFLAGS MAKELEVEL FRY_RUN_OPTS
	export BIN FRY_RUN HOME=$PWD
	chmod o+x "${PWD%/*}" .
}

# logged FILE TEXT [N]: it is there N (1) times.
logged() {
	assert_equal "$(grep -cF -- "$2" "$1")" "${3:-1}" "'$2' in $1" || { sed "s|^|$1: |" "$1" >&2; false; }
}

# --- postgres: TERM is the smart shutdown, INT the fast one, QUIT the immediate one

postgres_programs() {
	local all=(/usr/lib/postgresql/*/bin)
	programs=${all[-1]}
	[[ -x $programs/postgres ]]
}

as_postgres() {
	(cd / && exec setpriv --reuid=postgres --regid=postgres --clear-groups "$@")
}

# postgres_start [OPTION-OF-FRY-RUN]...
postgres_start() {
	requires root setpriv jq
	postgres_programs || requires postgres
	cp -a "$BATS_FILE_TMPDIR/data" .
	export PGHOST=$PWD/data PGUSER=postgres PGDATABASE=postgres
	start it "$FRY_RUN" --report="$PWD/report" "$@" -- \
		setpriv --reuid=postgres --regid=postgres --clear-groups \
		"$programs/postgres" -D "$PWD/data" -k "$PWD/data" -c listen_addresses= -c fsync=off
	wait_line it.err '*ready to accept connections'
}

# A session that stays until its standard input ends, and one that inserts without a pause.
sessions_start() {
	mkfifo ask
	start session psql -X -At <>ask
	ask "create table t (n int)" 'CREATE TABLE'
	echo 'insert into t values (1);' >insert.sql
	start load "$programs/pgbench" -n -f insert.sql -c 2 -T 1000
	wait_until 'the load to begin' inserted
}

inserted() {
	(($(psql -X -At -c 'select count(*) from t') > 10))
}

# psql never sees the end of its input, since this shell holds it open.
sessions_end() {
	end "$session_pid"
	finish load
}

# Its processes overwrite the environment by which others are found; they stand in the data directory.
no_postgres() {
	assert_equal "$(find /proc -maxdepth 2 -name cwd -lname "$PWD/data" 2>/dev/null)" ''
}

ask() {
	printf '%s;\n' "$1" >ask
	wait_line session.out "$2"
}

control_state() {
	as_postgres "$programs/pg_controldata" "$PWD/data" | sed -n 's/^Database cluster state: *//p'
}

# It was stopped in order: by the one signal that it got, and its data are complete.
postgres_stopped() {
	finish it
	assert_status 0
	no_postgres
	sessions_end
	logged it.err "received $1 shutdown request"
	logged it.err ' shutdown request'
	logged it.err 'database system is shut down'
	assert_equal "$(control_state)" 'shut down'
	# Whatever a backend says when it gets a signal that did not come from its postmaster.
	logged it.err 'canceling statement' 0
	logged it.err 'SIGQUIT' 0
	logged it.err 'terminated by signal' 0
}

@test "postgres: TERM lets its sessions finish, and no backend is signalled" {
	postgres_start -k 1h
	sessions_start
	kill -TERM "$it_pid"
	wait_line it.err '*received smart shutdown request'
	ask "select 'still served'" 'still served'
	alive "$load_pid"
	assert_equal "$(psql -X -At -c 'select 1' 2>&1 | grep -c 'the database system is shutting down')" 1
	ask "select 'once more'" 'once more'
	end "$load_pid"
	echo '\q' >ask # the last one leaves
	postgres_stopped smart
	logged it.err 'terminating connection' 0
	assert_equal "$(jq -c '[.forwarded, [.stop[].signal], .leftovers]' report)" \
		'[[{"signal":"TERM","count":1}],["TERM"],[]]'
}

@test "postgres: INT ends its sessions, in order and by itself" {
	postgres_start
	sessions_start
	kill -INT "$it_pid"
	postgres_stopped fast
	assert_equal "$(jq -c '[.forwarded, [.stop[].signal], .leftovers]' report)" \
		'[[{"signal":"INT","count":1}],["INT"],[]]'
}

@test "postgres: QUIT is the immediate shutdown, and backends get it from postgres alone" {
	postgres_start
	sessions_start
	kill -QUIT "$it_pid"
	finish it
	assert_status 0
	no_postgres
	logged it.err 'received immediate shutdown request'
	logged it.err 'database system is shut down'
	echo 'select 2;' >ask # it is told when it asks next
	wait_line session.err '*terminating connection*'
	sessions_end
	logged load.err 'unexpected SIGQUIT' 0
	logged session.err 'terminating connection due to immediate shutdown command'
	assert_equal "$(control_state)" 'in production' # as immediate means
}

@test "postgres: --rewrite TERM:INT is the fast shutdown where a container runtime sends TERM" {
	postgres_start --rewrite TERM:INT
	sessions_start
	kill -TERM "$it_pid"
	postgres_stopped fast
}

@test "postgres: a smart shutdown that takes too long becomes a fast one" {
	postgres_start --stop=TERM/300ms/INT/1h
	sessions_start
	kill -TERM "$it_pid"
	finish it
	assert_status 0
	no_postgres
	sessions_end
	logged it.err 'received smart shutdown request'
	logged it.err 'received fast shutdown request'
	logged it.err 'database system is shut down'
	logged it.err 'terminated by signal' 0
	assert_equal "$(control_state)" 'shut down'
}

# --- nginx: TERM is the fast shutdown, QUIT the one that finishes what is being served

nginx_start() {
	requires nginx python3
	mkdir www
	head -c 600000 /dev/zero >www/big
	cat >nginx.conf <<-END
		daemon off;
		worker_processes 2;
		user root root;
		error_log $PWD/error.log notice;
		pid $PWD/nginx.pid;
		events { }
		http {
			access_log off;
			client_body_temp_path $PWD/t1; proxy_temp_path $PWD/t2; fastcgi_temp_path $PWD/t3;
			scgi_temp_path $PWD/t4; uwsgi_temp_path $PWD/t5;
			server {
				listen unix:$PWD/web;
				root $PWD/www;
				# One second and a half for what is asked for.
				location /big { limit_rate 400k; limit_rate_after 1k; }
			}
		}
	END
	start it "$FRY_RUN" "$@" -- nginx -p "$PWD" -c "$PWD/nginx.conf" -e "$PWD/error.log"
	wait_until 'nginx to listen' test -S web
	wait_line error.log '*start worker process [0-9]*' 2
	start client python3 -c '
import socket
s = socket.socket(socket.AF_UNIX)
s.connect("web")
s.send(b"GET /big HTTP/1.0\r\n\r\n")
body = s.recv(1).partition(b"x")[0]
print("begun", flush=True)
size = 1
while piece := s.recv(65536):
    size += len(piece)
print("whole" if size > 600000 else "cut off")'
	wait_line client.out begun
}

@test "nginx: --rewrite TERM:QUIT finishes open requests, and its log says so" {
	nginx_start --rewrite TERM:QUIT
	inner=$(inner_of "$it_pid")
	master=$(<nginx.pid)
	kill -TERM "$it_pid"
	finish it
	assert_status 0
	finish client
	nothing_left
	assert_lines client.out begun whole
	logged error.log "$master#$master: signal 3 (SIGQUIT) received from $inner, shutting down"
	logged error.log 'signal 3 (SIGQUIT) received' 3 # the master and its workers, each once
	logged error.log 'SIGTERM' 0
	logged error.log "$master#$master: exit"
}

@test "nginx: with -c only the master gets the signal, and stops its workers itself" {
	nginx_start -c --rewrite TERM:QUIT
	kill -TERM "$it_pid"
	finish it
	assert_status 0
	finish client
	nothing_left
	assert_lines client.out begun whole
	logged error.log 'signal 3 (SIGQUIT) received' 1
	logged error.log 'gracefully shutting down' 2
}

@test "nginx: TERM is the fast shutdown, HUP and USR1 are no stop" {
	nginx_start
	inner=$(inner_of "$it_pid")
	master=$(<nginx.pid)
	kill -USR1 "$it_pid"
	wait_line error.log '*reopening logs*'
	kill -HUP "$it_pid"
	wait_line error.log '*start worker process [0-9]*' 4
	kill -TERM "$it_pid"
	finish it
	assert_status 0
	nothing_left
	finish client
	assert_lines client.out begun 'cut off'
	logged error.log "$master#$master: signal 15 (SIGTERM) received from $inner, exiting"
	logged error.log "$master#$master: exit"
}

# --- redis: a second INT makes it exit at once, without saving

# redis_start MILLISECONDS: that long the last save takes for each of its 101 keys.
redis_start() {
	requires redis-server
	start it "$FRY_RUN" -- redis-server --port 0 --unixsocket "$PWD/redis" --dir "$PWD" \
		--save '3600 1' --rdb-key-save-delay $(($1 * 1000)) --enable-debug-command yes
	wait_line it.out '*The server is now ready to accept connections*'
	assert_equal "$(redis-cli -s redis debug populate 100)" OK
	assert_equal "$(redis-cli -s redis set answer 42)" OK
	start load redis-benchmark -s "$PWD/redis" -q -l -c 4 -t get
}

@test "redis: TERM and INT save first, as its log says, and the stored value is there again" {
	for signal in TERM INT; do
		redis_start 3
		kill -"$signal" "$it_pid"
		finish it
		assert_status 0
		end "$load_pid"
		nothing_left
		logged it.out "Received SIG$signal scheduling shutdown"
		logged it.out 'DB saved on disk'
		logged it.out 'ready to exit, bye bye'
		redis_start 0
		assert_equal "$(redis-cli -s redis dbsize)" 101
		kill -INT "$it_pid"
		finish it
		end "$load_pid"
		rm dump.rdb
	done
}

@test "redis: the second INT makes it exit at once, as on a terminal" {
	redis_start 30
	kill -INT "$it_pid"
	wait_line it.out '*Saving the final RDB snapshot*'
	kill -INT "$it_pid"
	finish it
	assert_status 1
	end "$load_pid"
	nothing_left
	logged it.out 'You insist... exiting now.'
	logged it.out 'bye bye' 0
}

# --- npm: passes INT and TERM on to its script

npm_package() {
	requires node npm
	cat >package.json <<-'END'
		{ "name": "x", "version": "1.0.0", "scripts": { "start": "node server.js" } }
	END
	cat >server.js <<-'END'
		const server = require('http').createServer((request, response) => {
			response.write('begun\n')
			setTimeout(() => response.end('whole\n'), 500)
		})
		for (const name of ['SIGINT', 'SIGTERM'])
			process.on(name, () => { console.log('got ' + name); server.close(() => process.exit(4)) })
		server.listen(process.cwd() + '/web', () => console.log('ready ' + process.pid))
	END
	export npm_config_update_notifier=false npm_config_cache=$PWD/cache
}

# npm_stopped COMMAND...: upon TERM its server, which exits with 4, finishes what it serves.
npm_stopped() {
	start it "$@" npm start
	ready it
	start client python3 -c '
import socket
s = socket.socket(socket.AF_UNIX)
s.connect("web")
s.send(b"GET / HTTP/1.0\r\n\r\n")
while piece := s.recv(65536):
    print(piece.decode(), flush=True)'
	wait_line client.out begun
	kill -TERM "$it_pid"
	finish it
}

@test "npm: upon TERM the server finishes open requests, and npm's status is kept" {
	npm_package
	npm_stopped env
	expected=$status
	# Without a wrapper npm tells the shell that runs its script, and the server may live on.
	end "${ready[0]}" "$client_pid"
	for scope in auto command; do
		rm -f web
		npm_stopped "$FRY_RUN" --scope="$scope" --
		assert_status "$expected"
		finish client
		nothing_left
		assert_match "$(<client.out)" '*whole*'
		logged it.out 'got SIGTERM'
	done
}

# --- python multiprocessing

@test "python: a multiprocessing pool ends, and its shared memory is gone" {
	requires python3
	cat >pool.py <<-'END'
		import multiprocessing, multiprocessing.shared_memory, os, signal, sys, time
		def work(n):
		    while True: time.sleep(.01)
		def begin():
		    signal.signal(signal.SIGTERM, signal.SIG_DFL)
		    signal.signal(signal.SIGINT, signal.SIG_IGN)
		    os.write(1, b"ready 1\n") # print() may write the end of the line by itself
		if __name__ == "__main__":
		    multiprocessing.set_start_method(sys.argv[1])
		    memory = multiprocessing.shared_memory.SharedMemory(create=True, size=4096)
		    print("memory", memory.name, flush=True)
		    if sys.argv[2] == "handled":
		        signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))
		    with multiprocessing.Pool(3, begin) as pool:
		        pool.map(work, range(3))
	END
	for method in fork spawn forkserver; do
		for how in handled default; do
			# Pool.terminate() may hang for ever where its workers die at the same moment.
			scope=auto
			if [[ $how == handled ]]; then scope='command'; fi
			start it "$FRY_RUN" --scope="$scope" -- python3 pool.py "$method" "$how"
			ready it 3
			memory=$(sed -n 's/^memory //p' it.out)
			[[ -e /dev/shm/$memory ]]
			kill -TERM "$it_pid"
			finish it
			if [[ $how == handled ]]; then assert_status 9; else assert_status 143; fi
			nothing_left
			# By a process of python's that ignores TERM, and looks when all others are gone.
			[[ ! -e /dev/shm/$memory ]]
		done
	done
}

# --- a build

@test "make -j: its compilers are gone and no half-written object is left" {
	requires make
	mkdir src
	# A compiler that has begun to write when it is stopped.
	cat >cc <<-'END'
		#!/bin/sh
		echo half >"$1"
		echo "ready $$"
		exec "$BIN/probe" -o "$1.signals"
	END
	chmod +x cc
	printf '%s\n' 'all: a.o b.o c.o d.o' '%.o: ; @exec ./cc $@' >Makefile
	for signal in INT TERM; do
		start it "$FRY_RUN" -- make -sj4
		for one in a b c d; do wait_line "$one.o.signals" 'ready *'; done
		kill -"$signal" "$it_pid"
		finish it
		if [[ $signal == INT ]]; then assert_status 130; else assert_status 143; fi
		nothing_left
		for one in a b c d; do
			[[ ! -e $one.o ]]
			assert_match "$(<"$one.o.signals")" "ready *$signal*"
		done
		logged it.err 'Deleting file' 4
		rm ./*.signals
	done
}
