/* nest.c - make a directory in a directory, very often */
/* SPDX-License-Identifier: MIT */
/*
 * nest DIRECTORY DEPTH COMMAND [ARG]...	make DEPTH directories `d`, each in the one before, and
 *						execute COMMAND
 * nest -r DIRECTORY				remove all that there are
 *
 * Neither the depth nor the length of the path has a limit here: each step is relative to the last.
 */
#include <sys/stat.h>

#include "fixture.h"

/* Go down, and make what is missing up to that depth. Returns how deep it is. */
static int descend(const char *directory, int depth)
{
	int at = 0;

	if (chdir(directory) == -1)
		fail(directory);
	while ((at >= depth || mkdir("d", 0755) == 0 || errno == EEXIST) && chdir("d") == 0)
		at++;
	return at;
}

int main(int argc, char **argv)
{
	int depth;

	if (argc == 3 && strcmp(argv[1], "-r") == 0) {
		for (depth = descend(argv[2], 0); depth > 0; depth--)
			if (chdir("..") == -1 || rmdir("d") == -1)
				fail("rmdir");
		return 0;
	}
	if (argc < 4)
		misused("missing word", "COMMAND");
	depth = number_parse(argv[2], INT_MAX);
	if (descend(argv[1], depth) != depth)
		fail("mkdir");
	command_exec(argv + 3);
}
