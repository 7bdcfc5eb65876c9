/* floors.c - the smallest possible wrappers, to compare real ones with */
/* SPDX-License-Identifier: MIT */
/*
 * floors vfork COMMAND [ARG]...	start COMMAND, wait for it, and exit with its status
 * floors fork COMMAND [ARG]...		the same, with fork(2)
 * floors two COMMAND [ARG]...		two processes: the outer forks the inner, which vforks COMMAND
 *
 * They block and forward no signals and are not subreapers. COMMAND is a path. stdio is not used, so
 * that it is not linked in.
 */
#include <sys/wait.h>

#include <string.h>
#include <unistd.h>

static int wait_for(pid_t pid)
{
	int status = 0;

	if (pid == -1 || waitpid(pid, &status, 0) == -1)
		return 125;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run_vfork(char **command)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execve(command[0], command, environ);
		_exit(127);
	}
	return wait_for(pid);
}

static int run_fork(char **command)
{
	pid_t pid = fork();

	if (pid == 0) {
		execve(command[0], command, environ);
		_exit(127);
	}
	return wait_for(pid);
}

static int run_two(char **command)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(run_vfork(command));
	return wait_for(pid);
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "vfork") == 0)
		return run_vfork(argv + 2);
	if (argc > 2 && strcmp(argv[1], "fork") == 0)
		return run_fork(argv + 2);
	if (argc > 2 && strcmp(argv[1], "two") == 0)
		return run_two(argv + 2);
	return 125;
}
