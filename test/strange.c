/* strange.c - processes of the kinds that a wait or a walk over /proc easily misses */
/* SPDX-License-Identifier: MIT */
/*
 * strange vfork		a parent that waits in vfork(2), state D, for a child that never executes
 * strange silent [-x] COMMAND [ARG]...
 *			execute COMMAND in place of the parent of a child of clone(2) that was made
 *			without an exit signal: only a wait with __WALL sees it. With -x it exits at once
 * strange trace PID	trace PID, which goes on, and never wait for it
 * strange halt PID	the same, but PID is stopped by it
 *
 * Prints `ready PID`, the child's or its own, once it is so. As a safeguard all of it ends by
 * itself after five minutes, but for COMMAND.
 */
#include <sys/ptrace.h>

#include "fixture.h"

#define SAFEGUARD 300 /* seconds */

static void live(void)
{
	alarm(SAFEGUARD);
	for (;;)
		pause();
}

static void ready(pid_t pid)
{
	dprintf(STDOUT_FILENO, "ready %ld\n", (long)pid);
}

static void run_vfork(void)
{
	pid_t pid = vfork();

	if (pid == -1)
		fail("vfork");
	if (pid == 0) {
		ready(getpid());
		live();
	}
}

static void run_silent(char **command)
{
	int exits = command[0] && strcmp(command[0], "-x") == 0;
	/* Flags and exit signal 0: what fork(2) does, but for that signal. */
	pid_t pid = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);

	if (pid == -1)
		fail("clone");
	if (pid == 0 && exits)
		_exit(0);
	if (pid == 0)
		live();
	ready(pid);
	command_exec(command + exits);
}

static void run_tracer(pid_t pid, int request)
{
	if (ptrace(request, pid, NULL, NULL) == -1)
		fail("ptrace");
	ready(getpid());
	live();
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";

	if (strcmp(kind, "vfork") == 0)
		run_vfork();
	else if (strcmp(kind, "silent") == 0)
		run_silent(argv + 2);
	else if (strcmp(kind, "trace") == 0 && argc == 3)
		run_tracer(number_parse(argv[2], INT_MAX), PTRACE_SEIZE);
	else if (strcmp(kind, "halt") == 0 && argc == 3)
		run_tracer(number_parse(argv[2], INT_MAX), PTRACE_ATTACH);
	else
		misused("neither vfork, silent, trace nor halt", kind);
}
