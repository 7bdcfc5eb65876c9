/* narrow.c - run a command on a terminal that is nearly full and that nobody reads */
/* SPDX-License-Identifier: MIT */
/*
 * narrow N COMMAND [ARG]...
 *
 * COMMAND leads a session whose controlling terminal is a pseudo-terminal, which is its stdin, stdout
 * and stderr. Before, that is filled until N bytes of room are left, as far as single bytes go. Nothing
 * is ever read from it. Exits with COMMAND's status, 128+N where it died of signal N.
 */
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "fixture.h"

/* Open a new pseudo-terminal. Returns its master, and the terminal itself, which does not block. */
static int terminal_open(int *terminal, char name[64])
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (master == -1 || grantpt(master) == -1 || unlockpt(master) == -1 ||
	    ptsname_r(master, name, 64) != 0)
		fail("pseudo-terminal");
	*terminal = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (*terminal == -1)
		fail(name);
	return master;
}

/* Write so many bytes, or until it is full. Returns how many. */
static int fill(int master, int terminal, int most)
{
	enum { READABLE = 4095 }; /* the kernel moves so many to where they are read */
	int filled = 0, moved = 0;

	for (; filled < READABLE; filled++)
		if (write(terminal, "x", 1) != 1)
			fail("write");
	/* When depends on another thread of the kernel; from then on the room is always the same. */
	while (ioctl(master, TIOCINQ, &moved) == 0 && moved < READABLE)
		usleep(1000);
	while (filled < most && write(terminal, "x", 1) == 1)
		filled++;
	return filled;
}

static void command_start(const char *name, char **command)
{
	int terminal;

	setsid();
	terminal = open(name, O_RDWR | O_NOCTTY);
	if (terminal == -1 || ioctl(terminal, TIOCSCTTY, 0) == -1)
		fail(name);
	for (int fd = 0; fd < 3; fd++)
		dup2(terminal, fd);
	descriptors_close(NULL);
	command_exec(command);
}

int main(int argc, char **argv)
{
	int status, master, terminal, room;
	char name[64];
	pid_t pid;

	if (argc < 3)
		misused("missing word", "COMMAND");
	master = terminal_open(&terminal, name);
	room = fill(master, terminal, INT_MAX);
	close(terminal);
	close(master);
	master = terminal_open(&terminal, name);
	fill(master, terminal, room - number_parse(argv[1], 4096));
	pid = fork();
	if (pid == -1)
		fail("fork");
	if (pid == 0)
		command_start(name, argv + 2);
	while (waitpid(pid, &status, 0) == -1)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
