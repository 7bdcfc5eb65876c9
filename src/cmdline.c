/*
 * cmdline.c - the command line of a process, to be shown
 *
 * The name of a process misleads: it is that of the parent until the process has executed a file, and that of
 * the interpreter if the file is a script. A process can change its command line, too, and may hold any bytes
 * there.
 */
/* SPDX-License-Identifier: MIT */
#include "cmdline.h"

#include <string.h>

#include "process.h"
#include "text.h"

void cmdline_read(const struct process *process, char *to, size_t size)
{
	ssize_t length = 0;
	char path[32];

	text_format(path, sizeof(path), "/proc/%d/cmdline", (int)process->pid);
	if (process->state != 0) /* otherwise /proc is not ours */
		length = proc_read(path, to, size);
	if (length == (ssize_t)size - 1)
		memcpy(to + length - 3, "...", 3);
	while (length > 0 && to[length - 1] == '\0')
		length--;
	if (length <= 0)
		length = (ssize_t)text_format(to, size, "%s", process->name);
	for (ssize_t i = 0; i < length; i++)
		if (to[i] == '\0')
			to[i] = ' ';
	text_mask_controls(to);
}
