/* reuse.c - a process that gets the number of one that is gone */
/* SPDX-License-Identifier: MIT */
/*
 * reuse PID
 *
 * Prints `ready PID`, its own, then tries to have a child of number PID until there is none of that
 * number any more. The child leads a session, ignores every signal but ALRM, by which it ends after
 * five minutes, and prints `reused PID`. Root's capability is needed, in the owner of the namespace.
 */
#include "fixture.h"

#define NR_CLONE3 435
#define SAFEGUARD 300 /* seconds */

struct clone_arguments {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size;
};

int main(int argc, char **argv)
{
	int32_t number = number_parse(argc == 2 ? argv[1] : "", INT_MAX);
	struct clone_arguments arguments = {
		.exit_signal = SIGCHLD,
		.set_tid = (uint64_t)(uintptr_t)&number,
		.set_tid_size = 1,
	};
	long pid;

	for (int sig = 1; sig <= SIGNALS; sig++)
		if (sig != SIGALRM)
			disposition_set(sig, SIG_IGN);
	disposition_set(SIGCHLD, SIG_DFL);
	alarm(SAFEGUARD);
	setsid();
	dprintf(STDOUT_FILENO, "ready %ld\n", (long)getpid());
	while ((pid = syscall(NR_CLONE3, &arguments, sizeof(arguments))) == -1)
		if (errno == EEXIST)
			usleep(1000);
		else
			fail("clone3");
	if (pid == 0) {
		setsid();
		alarm(SAFEGUARD);
		dprintf(STDOUT_FILENO, "reused %ld\n", (long)getpid());
	}
	for (;;)
		pause();
}
