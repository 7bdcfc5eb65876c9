/* work.c - the commands that the measured wrappers run */
/* SPDX-License-Identifier: MIT */
/*
 * work MODE [ARG]...	Each mode sends a message (bench.h) when it is ready.
 *
 * pause		wait until a signal ends it
 * meter		send the time whenever WINCH or TERM reaches the handler, until KILL ends it
 * last			send the time and exit at once
 * stray		leave a daemon behind and exit; on TERM, the daemon sends the time and exits
 * family N		start N children; on TERM, each of them and the parent send the time and exit
 * orphans N TOP	make N orphans that exit at once, as fast as vfork(2) allows, and wait until the
 *			wrapper has reaped them; send the time that this took, and the CPU time in
 *			nanoseconds of all ancestors below the process with the pid TOP
 *
 * If a signal does not come, a mode that waits for it ends after five minutes.
 */
#include <sys/wait.h>

#include "bench.h"

#define BATCH 100 /* orphans of one parent */

static void message_send(int64_t value, int64_t more)
{
	struct message message = {now(), value, more, getpid()};

	if (write(STDOUT_FILENO, &message, sizeof(message)) == -1)
		_exit(1);
}

static void on_signal(int sig)
{
	message_send(sig, 0);
}

static void on_last_signal(int sig)
{
	message_send(sig, 0);
	_exit(0);
}

static void handle(int sig, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

	if (sigaction(sig, &action, NULL) == -1)
		fail("sigaction");
}

__attribute__((noreturn)) static void live(void)
{
	alarm(300);
	for (;;)
		pause();
}

static pid_t process_fork(void)
{
	pid_t pid = fork();

	if (pid == -1)
		fail("fork");
	return pid;
}

/* The daemon is ready before its parent exits. */
static void stray(void)
{
	int ready[2];
	char byte;

	if (pipe(ready) == -1)
		fail("pipe");
	if (process_fork() == 0) {
		setsid();
		handle(SIGTERM, on_last_signal);
		close(ready[0]);
		close(ready[1]);
		live();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 0)
		fail("read");
	message_send(0, 0);
}

static void family(int children)
{
	handle(SIGTERM, on_last_signal);
	for (int i = 0; i < children; i++)
		if (process_fork() == 0)
			live();
	message_send(0, 0);
	live();
}

/* Whether this process is the only child of its parent. */
static int is_alone(void)
{
	char path[64], text[64], own[16];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)getppid(), (int)getppid());
	snprintf(own, sizeof(own), "%d ", (int)getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		fail(path);
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[length > 0 ? length : 0] = '\0';
	return strcmp(text, own) == 0;
}

/* The CPU time that a process has used, in nanoseconds. */
static int64_t cpu_of(pid_t pid)
{
	char path[64], text[64] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || read(fd, text, sizeof(text) - 1) <= 0)
		fail(path);
	close(fd);
	return strtoll(text, NULL, 10);
}

static void orphans(int count, pid_t top)
{
	int64_t start = now(), took, cpu = 0;

	for (int made = 0; made < count; made += BATCH) {
		pid_t parent = process_fork();

		if (parent == 0) {
			for (int i = made; i < count && i < made + BATCH; i++) {
				pid_t pid = vfork();

				if (pid == 0)
					_exit(0);
				if (pid == -1)
					fail("vfork");
			}
			_exit(0);
		}
		while (waitpid(parent, NULL, 0) == -1)
			if (errno != EINTR)
				fail("waitpid");
	}
	while (!is_alone())
		usleep(100);
	took = now() - start;
	for (pid_t pid = getppid(); pid > 0 && pid != top; pid = parent_of(pid))
		cpu += cpu_of(pid);
	message_send(took, cpu);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (strcmp(mode, "last") == 0) {
		message_send(0, 0);
	} else if (strcmp(mode, "stray") == 0) {
		stray();
	} else if (strcmp(mode, "family") == 0 && argc == 3) {
		family(number_parse(argv[2], 100000));
	} else if (strcmp(mode, "orphans") == 0 && argc == 4) {
		orphans(number_parse(argv[2], 100000000), number_parse(argv[3], INT_MAX));
	} else if (strcmp(mode, "meter") == 0) {
		handle(SIGWINCH, on_signal);
		handle(SIGTERM, on_signal);
		message_send(0, 0);
		live();
	} else if (strcmp(mode, "pause") == 0) {
		message_send(0, 0);
		live();
	} else {
		misused("no such mode, or not its arguments", mode);
	}
	return 0;
}
