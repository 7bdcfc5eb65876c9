/* cmdline.h - the command line of a process, to be shown */
/* SPDX-License-Identifier: MIT */
#ifndef CMDLINE_H
#define CMDLINE_H

#include <stddef.h>

struct process;

/*
 * Read the command line of a process: arguments with a blank between them, `?` in place of control characters,
 * and `...` at the end if it was cut. It is the process's name if there is no command line, as of a zombie.
 */
void cmdline_read(const struct process *process, char *to, size_t size);

/* Elsewhere than on Linux fry-run reads no /proc. */
#ifndef _GNU_SOURCE
#define cmdline_read(process, to, size) text_format(to, size, "%s", (process)->name)
#endif

#endif
