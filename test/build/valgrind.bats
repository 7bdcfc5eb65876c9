# No error of memory, and nothing lost, on the main paths: under valgrind, with glibc.
# bats file_tags=rounds
load ../lib/helper

setup_file() {
	requires valgrind gcc
	glibc_make "$BATS_FILE_TMPDIR/dynamic" STATIC=-no-pie STRIP=
}

# clean STATUS [OPTION]... COMMAND: both processes are looked at. Depending on its version valgrind does not
# know an ioctl and the system calls of pidfds, and then answers ENOSYS.
clean() {
	local expected=$1
	shift
	run "-$expected" valgrind -q --leak-check=full --show-leak-kinds=all --child-silent-after-fork=no \
		--log-file="$PWD/log.%p" "$BATS_FILE_TMPDIR/dynamic/fry-run" "$@"
	assert_equal "$(cat log.* | grep -v -e 'unhandled ioctl' -e 'spurious value' -e README_MISSING \
		-e 'unhandled amd64-linux syscall: 4[23]4' -e 'write your own handler' \
		-e 'consider this a bug' -e 'valgrind.org/support')" ''
}

# The runs that only check-stress makes go through what others do, too.
clean_stress() {
	if [[ ${ROUNDS-} == all ]]; then clean "$@"; fi
}

@test "valgrind finds no error where COMMAND ends, fails, cannot be executed or dies" {
	clean_stress 0 true
	clean 3 --no-guard -vv sh -c 'exit 3'
	clean 127 no-such-command
	clean_stress 125 --stop=x true
	clean 139 sh -c 'kill -SEGV $$'
}

@test "valgrind finds no error with leftovers, a timeout, orphans, a cgroup and a report" {
	requires root cgroup2
	clean 3 -k 0.2 -w sh -c '(true &); setsid sleep 100 & setsid sleep 100 & exit 3'
	clean 124 -t 0.3 --stop=TERM/0.2/KILL --cgroup=new --report=report \
		sh -c 'trap "" TERM; sleep 50 & while :; do sleep 50; done'
	clean_stress 0 --leftover=wait -w sh -c 'sleep 0.2 & sleep 0.1'
	clean_stress 0 --cgroup=new --report=report sh -c 'sleep 100 & true'
	clean_stress 124 -t 0.3 --stop=TERM/0.2/KILL sh -c 'trap "" TERM; sleep 50 & while :; do sleep 50; done'
}
