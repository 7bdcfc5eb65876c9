/* bench.h - what the commands and the one who measures them tell each other */
/* SPDX-License-Identifier: MIT */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "../test/fixture.h"

/* Written whole to stdout, a pipe: no longer than PIPE_BUF, so several writers do not mix. */
struct message {
	int64_t time;  /* CLOCK_MONOTONIC, in nanoseconds; the same clock in all processes */
	int64_t value; /* what the command measured itself */
	int64_t more;
	int64_t pid;
};

static inline int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* The parent of a process, as /proc has it; 0 if there is none. */
static inline pid_t parent_of(pid_t pid)
{
	char path[64], text[512] = "";
	const char *end;
	ssize_t length = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		length = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	text[length > 0 ? length : 0] = '\0';
	end = strrchr(text, ')');
	return end == NULL || end[1] == '\0' ? 0 : (pid_t)atoi(end + 4);
}

#endif
