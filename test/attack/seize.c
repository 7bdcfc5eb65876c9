/* seize.c - trace a process, which stays in a stop that no signal but KILL ends */
/* SPDX-License-Identifier: MIT */
/*
 * seize parent		trace the parent process, and never wait for it
 * seize PID		trace this process until stdin ends, then let go of it
 *
 * Prints `ready PID`, its own, once the other one has stopped. It ignores every signal that can be
 * ignored but ALRM, by which it ends after five minutes as a safeguard.
 */
#include <sys/ptrace.h>

#include "fixture.h"

#define SAFEGUARD 300 /* seconds */

/* Print the state of a process, as /proc/PID/stat has it. */
static char state_of(pid_t pid)
{
	char path[32], text[512], *end;
	FILE *file;
	size_t length;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	file = fopen(path, "r");
	if (!file)
		fail(path);
	length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[length] = '\0';
	end = strrchr(text, ')');
	return end && end[1] != '\0' ? end[2] : '?';
}

int main(int argc, char **argv)
{
	const char *word = argc == 2 ? argv[1] : "";
	pid_t pid = strcmp(word, "parent") == 0 ? getppid() : number_parse(word, INT_MAX);
	char byte;

	for (int sig = 1; sig <= SIGNALS; sig++)
		if (sig != SIGALRM)
			disposition_set(sig, SIG_IGN);
	alarm(SAFEGUARD);
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == -1)
		fail("PTRACE_SEIZE");
	if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == -1)
		fail("PTRACE_INTERRUPT");
	while (state_of(pid) != 't')
		usleep(1000);
	dprintf(STDOUT_FILENO, "ready %ld\n", (long)getpid());
	if (pid == getppid())
		for (;;)
			pause();
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0; /* the kernel lets go of it */
}
