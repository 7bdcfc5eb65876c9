/* kills.c - kill a process tree by one call, to compare fry-run with, which has to find it first */
/* SPDX-License-Identifier: MIT */
/*
 * kills all COMMAND [ARG]...		as PID 1 of a namespace, by kill(-1)
 * kills cgroup DIR COMMAND [ARG]...	by cgroup.kill in a leaf below the cgroup DIR
 *
 * Start COMMAND. On TERM, kill everything that is left, reap until nothing is left, and exit.
 */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../test/fixtures/fixture.h"

static void file_write(const char *directory, const char *name, const char *word)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd == -1 || write(fd, word, strlen(word)) == -1)
		fail(path);
	close(fd);
}

/* Start COMMAND; on TERM, kill the processes in the cgroup leaf or, if it is NULL, all processes. */
static int run(const char *leaf, char **command)
{
	sigset_t term, old;
	int sig;
	pid_t pid;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &old);
	pid = fork();
	if (pid == -1)
		fail("fork");
	if (pid == 0) {
		if (leaf != NULL)
			file_write(leaf, "cgroup.procs", "0");
		sigprocmask(SIG_SETMASK, &old, NULL);
		execvp(command[0], command);
		_exit(127);
	}
	close(STDOUT_FILENO);
	sigwait(&term, &sig);
	if (leaf != NULL)
		file_write(leaf, "cgroup.kill", "1");
	else
		kill(-1, SIGKILL);
	while (waitpid(-1, NULL, __WALL) > 0)
		;
	if (leaf != NULL && rmdir(leaf) == -1)
		fail(leaf);
	return 0;
}

static int run_cgroup(char **arguments)
{
	char leaf[PATH_MAX];

	if (snprintf(leaf, sizeof(leaf), "%s/kills.%d", arguments[0], (int)getpid()) >=
	    (int)sizeof(leaf))
		misused("DIR", "too long");
	if (mkdir(leaf, 0755) == -1)
		fail(leaf);
	return run(leaf, arguments + 1);
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "all") == 0)
		return run(NULL, argv + 2);
	if (argc > 3 && strcmp(argv[1], "cgroup") == 0)
		return run_cgroup(argv + 2);
	misused("kills", "needs a means and COMMAND");
}
