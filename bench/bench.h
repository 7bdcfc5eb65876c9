/* bench.h - the messages that the commands of work.c send to measure.c */
/* SPDX-License-Identifier: MIT */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "../test/fixtures/fixture.h"

/* Written to stdout, a pipe. Not longer than PIPE_BUF, so messages of several writers do not mix. */
struct message {
	int64_t time;  /* nanoseconds of CLOCK_MONOTONIC, which is the same in all processes */
	int64_t value; /* what the command itself has measured */
	int64_t more;
	int64_t pid;
};

static inline int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* Read the parent of a process from /proc. Returns 0 if there is no such process. */
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
