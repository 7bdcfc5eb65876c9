/* execute.h - find COMMAND and execute it */
/* SPDX-License-Identifier: MIT */
#ifndef EXECUTE_H
#define EXECUTE_H

extern char **environ; /* NOLINT(readability-redundant-declaration): POSIX has no header for it */

/*
 * Execute COMMAND, searching PATH for a name without a slash. command[-1] must be there, and is overwritten if a
 * shell runs a script without an interpreter. Returns with errno from execve(2) if COMMAND cannot be executed.
 */
void execute(char **command);

#endif
