/* number.c - processes that have a certain number */
/* SPDX-License-Identifier: MIT */
/*
 * number same COMMAND [ARG]...	run COMMAND in a process whose number is the same in this pid
 *				namespace and in the one around it; exit with its status
 * number reuse N COUNT		fork and reap COUNT children, with number N as far as it is free, and
 *				with every signal blocked
 * number guard N COUNT		the same, each looking out for a signal for a moment. Print `hit SIGNAL`
 *				for each that was caught
 *
 * The latter two need a pid namespace that has nobody else in it to mind.
 */
#include <sys/wait.h>

#include <stdbool.h>
#include <time.h>

#include "fixture.h"

#define NR_CLONE3 435

struct clone_arguments {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size;
};

/* Fork with that number in both namespaces. Returns as fork(2) does. */
static pid_t fork_same(int number)
{
	int32_t numbers[2] = {number, number};
	struct clone_arguments arguments = {
		.exit_signal = SIGCHLD,
		.set_tid = (uint64_t)(uintptr_t)numbers,
		.set_tid_size = 2,
	};

	return (pid_t)syscall(NR_CLONE3, &arguments, sizeof(arguments));
}

static void run_same(char **command)
{
	pid_t pid = -1;
	int status;

	/* From the end of what every kernel has, where it is the least crowded. */
	for (int number = 32000; number > 1000 && pid == -1; number--) {
		pid = fork_same(number);
		if (pid == -1 && errno != EEXIST)
			fail("clone3");
	}
	if (pid == -1)
		fail("no free number");
	if (pid == 0)
		command_exec(command);
	while (waitpid(pid, &status, 0) == -1)
		;
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* Let the next fork in this namespace get this number, or the next that is free. */
static void number_set(int number)
{
	int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY);

	if (fd == -1 || dprintf(fd, "%d", number - 1) < 0)
		fail("ns_last_pid");
	close(fd);
}

static void guard(void)
{
	struct timespec moment = {0, 500000};
	uint64_t all = EVERY_SIGNAL;
	char name[24];
	long sig = syscall(SYS_rt_sigtimedwait, &all, NULL, &moment, sizeof(all));

	if (sig > 0)
		dprintf(STDOUT_FILENO, "hit %s\n", signal_name((int)sig, name));
}

static void run_numbered(int number, int count, bool guards)
{
	mask_set(EVERY_SIGNAL);
	for (int i = 0; i < count; i++) {
		pid_t pid;

		number_set(number);
		pid = fork();
		if (pid == -1)
			fail("fork");
		if (pid == 0) {
			if (guards)
				guard();
			_exit(0);
		}
		while (waitpid(pid, NULL, 0) == -1)
			;
	}
	puts("done");
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";

	if (strcmp(kind, "same") == 0)
		run_same(argv + 2);
	else if (argc == 4 && (strcmp(kind, "reuse") == 0 || strcmp(kind, "guard") == 0))
		run_numbered(number_parse(argv[2], INT_MAX), number_parse(argv[3], INT_MAX),
			     strcmp(kind, "guard") == 0);
	else
		misused("neither same, reuse nor guard", kind);
	return 0;
}
