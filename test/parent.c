/* parent.c - start a command, and be a parent that is gone soon */
/* SPDX-License-Identifier: MIT */
/*
 * parent [OPTION]... [--] COMMAND [ARG]...
 *	Execute COMMAND in a child and exit 0 as soon as that has happened.
 *
 *	-b	not before it has blocked TERM, or has a child: a sign that it has reached main
 *	-f	at once, without looking whether it was executed
 *	-t	start it from a thread, which ends as with -b; then print `ready PID`, where PID is
 *		COMMAND's, and live until a signal
 */
#include <sys/wait.h>

#include <pthread.h>
#include <stdbool.h>

#include "fixture.h"

static bool blocks, at_once;
static char **command;
static pid_t child;

/* Whether the child has TERM blocked. While it waits in sigtimedwait(2), that does not show. */
static bool child_blocks(void)
{
	char path[32], line[256];
	unsigned long long mask = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)child);
	file = fopen(path, "r");
	if (!file)
		fail(path);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "SigBlk: %llx", &mask) == 1)
			break;
	fclose(file);
	return (mask & signal_bit(SIGTERM)) != 0;
}

static bool child_has_child(void)
{
	char path[64];
	int pid, found;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", (long)child, (long)child);
	file = fopen(path, "r");
	if (!file)
		fail(path);
	found = fscanf(file, "%d", &pid);
	fclose(file);
	return found == 1;
}

static void *command_start(void *unused)
{
	int executed[2];
	char byte;

	if (pipe2(executed, O_CLOEXEC) == -1)
		fail("pipe");
	child = fork();
	if (child == -1)
		fail("fork");
	if (child == 0)
		command_exec(command);
	close(executed[1]);
	if (at_once)
		_exit(0);
	while (read(executed[0], &byte, 1) == -1 && errno == EINTR)
		;
	close(executed[0]);
	while (blocks && !child_blocks() && !child_has_child())
		if (waitpid(child, NULL, WNOHANG) != 0)
			misused("COMMAND ended", command[0]);
	return unused;
}

int main(int argc, char **argv)
{
	bool threaded = false;
	pthread_t thread;
	int option;

	while ((option = getopt(argc, argv, "+bft")) != -1) {
		switch (option) {
		case 'b':
			blocks = true;
			break;
		case 'f':
			at_once = true;
			break;
		case 't':
			blocks = threaded = true;
			break;
		default:
			return 2;
		}
	}
	command = argv + optind;
	if (!threaded) {
		command_start(NULL);
		_exit(0);
	}
	errno = pthread_create(&thread, NULL, command_start, NULL);
	if (errno != 0)
		fail("pthread_create");
	pthread_join(thread, NULL);
	printf("ready %ld\n", (long)child);
	fflush(stdout);
	for (;;)
		pause();
}
