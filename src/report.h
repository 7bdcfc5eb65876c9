/* report.h - how the run went, as one line of JSON */
/* SPDX-License-Identifier: MIT */
#ifndef REPORT_H
#define REPORT_H

#include <sys/types.h>

#include <stdint.h>

#include "signame.h"

struct fry;

enum { MAX_NOTED = 256, NAME_SIZE = 16, CGROUP_FIGURES = 3 };

/* What both processes noted for the report. */
struct log {
	_Atomic unsigned reaped;
	unsigned steps, leftovers;
	unsigned forwarded[SIGNALS];
	int64_t first; /* when the first of the steps was */
	struct noted_step {
		int signal;
		unsigned found; /* processes that were left */
		int64_t after;
	} step[MAX_NOTED];
	struct noted_leftover {
		pid_t pid;
		int signal; /* that ended it; 0: it is not known to have ended */
		char name[NAME_SIZE];
	} leftover[MAX_NOTED];
	int64_t figure[CGROUP_FIGURES]; /* memory.peak and the like; -1: not known */
};

/* Move a descriptor above stderr: a standard one is COMMAND's, if only as a closed one. -1 stays. */
int descriptor_raise(int fd);
/* Open what --report names. Exits with 125 if it cannot be written to. */
void report_open(struct fry *fry);
/* Note a step of the schedule, when it was, and how many processes were left. */
void report_step(struct fry *fry, int sig, int64_t when, unsigned found);
/* Note a process that outlived COMMAND. */
void report_leftover(struct fry *fry, pid_t pid, const char *name);
/* Note that an orphan was reaped, and what ended it. */
void report_reaped(struct fry *fry, pid_t pid, int status);
/* At the end, with the status that fry-run exits with: write the line. */
void report_write(const struct fry *fry, int status);

#endif
