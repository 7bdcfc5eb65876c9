/* pty.c - run a command on a new pseudo-terminal */
/* SPDX-License-Identifier: MIT */
/*
 * pty [-n] [--] COMMAND [ARG]...
 *
 * COMMAND leads a session whose controlling terminal is the pty, which is its stdin, stdout and
 * stderr. What appears on the terminal is copied to stdout (lines end in CR LF), what arrives on
 * stdin is typed, its end is not. Exits with COMMAND's status, 128+N where it died of signal N,
 * once COMMAND has ended and what it wrote is copied.
 *
 *	-n	the terminal is there, but controls nobody. COMMAND is in pty's own new session and leads
 *		nothing: the terminal would become that of a leader that merely opens it, as bash does.
 *		pty must not lead a process group then
 */
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <poll.h>
#include <stdbool.h>
#include <termios.h>

#include "fixture.h"

/* Copy what there is. Returns false at the end of the file. */
static bool copy(int from, int to)
{
	char buffer[4096];
	ssize_t n = read(from, buffer, sizeof(buffer));

	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0) /* EIO: nobody has the terminal open any more */
		return false;
	for (ssize_t done = 0; done < n;) {
		ssize_t written = write(to, buffer + done, (size_t)(n - done));

		if (written == -1 && errno != EINTR)
			break;
		if (written > 0)
			done += written;
	}
	return true;
}

static void command_start(const char *name, bool control, uint64_t mask, char **command)
{
	int terminal;

	if (control)
		setsid();
	terminal = open(name, O_RDWR | O_NOCTTY);
	if (terminal == -1)
		fail(name);
	if (control && ioctl(terminal, TIOCSCTTY, 0) == -1)
		fail("TIOCSCTTY");
	for (int fd = 0; fd < 3; fd++)
		dup2(terminal, fd);
	descriptors_close(NULL);
	mask_set(mask);
	command_exec(command);
}

int main(int argc, char **argv)
{
	uint64_t mask = mask_set(signal_bit(SIGCHLD));
	struct winsize size = {.ws_row = 24, .ws_col = 80};
	bool control = true, open_master = true;
	sigset_t child;
	char name[64];
	int option, status, master;
	pid_t pid;

	while ((option = getopt(argc, argv, "+n")) != -1) {
		if (option != 'n')
			return 2;
		control = false;
	}
	if (!control && setsid() == -1)
		fail("setsid");
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master == -1 || grantpt(master) == -1 || unlockpt(master) == -1)
		fail("pseudo-terminal");
	if (ptsname_r(master, name, sizeof(name)) != 0)
		fail("ptsname");
	ioctl(master, TIOCSWINSZ, &size);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);

	/* Before COMMAND opens it, the terminal reads as hung up: hold it until COMMAND has ended. */
	int hold = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	int ended = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);

	if (hold == -1 || ended == -1)
		fail("descriptors");
	pid = fork();
	if (pid == -1)
		fail("fork");
	if (pid == 0)
		command_start(name, control, mask, argv + optind);

	struct pollfd poller[] = {
		{.fd = master, .events = POLLIN},
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = ended, .events = POLLIN},
	};

	do {
		if (poll(poller, 3, -1) == -1)
			continue;
		if (poller[0].revents)
			copy(master, STDOUT_FILENO);
		if (poller[1].revents && !copy(STDIN_FILENO, master))
			poller[1].fd = -1;
	} while (waitpid(pid, &status, WNOHANG) != pid);

	/* What COMMAND wrote is in the terminal by now; what others write later is not waited for. */
	close(hold);
	while (open_master && poll(poller, 1, 0) > 0)
		open_master = copy(master, STDOUT_FILENO);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
