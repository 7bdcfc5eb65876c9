/*
 * execute.c - find COMMAND and execute it
 *
 * This replaces execvp(3), which in musl runs no script without an interpreter line.
 */
/* SPDX-License-Identifier: MIT */
#include "execute.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

/* Execute a file as execvp(3) does: a shell runs one that the kernel refuses with ENOEXEC. */
static void execute_file(char **command, char *path)
{
	char *name = command[0];

	execve(path, command, environ);
	if (errno != ENOEXEC)
		return;
	command[-1] = (char[]){"sh"}; /* in place of fry-run's own name or last option */
	command[0] = path;
	execve("/bin/sh", command - 1, environ);
	command[0] = name;
}

/*
 * Search PATH for COMMAND and execute it. Returns with errno if that is impossible. This is not inlined:
 * the path takes a page of the stack, and the page fault would cost a COMMAND with a slash 10 system calls.
 */
__attribute__((noinline)) static void execute_search(char **command)
{
	const char *path = getenv("PATH");
	char file[PATH_MAX];
	int error = ENOENT;

	if (path == NULL)
		path = "/usr/local/bin:/bin:/usr/bin";
	for (bool last = command[0][0] == '\0'; !last;) {
		int length = (int)strcspn(path, ":");

		if (text_format(file, sizeof(file), "%.*s%s%s", length, path,
				length == 0 ? "" : "/", command[0]) < sizeof(file)) {
			execute_file(command, file);
			if (errno == EACCES)
				error = EACCES; /* as execvp(3): try the rest of PATH */
			else if (errno != ENOENT && errno != ENOTDIR)
				return;
		}
		last = path[length] == '\0';
		path += length + !last;
	}
	errno = error;
}

void execute(char **command)
{
	if (strchr(command[0], '/') != NULL)
		execute_file(command, command[0]);
	else
		execute_search(command);
}
