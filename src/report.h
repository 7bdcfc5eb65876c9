/* report.h - how the run went, as one line of JSON */
/* SPDX-License-Identifier: MIT */
#ifndef REPORT_H
#define REPORT_H

#include <sys/types.h>

#include <stdint.h>

#include "signame.h"

struct fry;

enum { MAX_NOTED = 256, NAME_SIZE = 16, COMMAND_LINE_SIZE = 128, CGROUP_FIGURES = 3 };

/* The notes of the outer and the inner process for the report. */
struct log {
	_Atomic unsigned reaped;
	unsigned steps, leftovers;
	unsigned forwarded[SIGNALS];
	int64_t figure[CGROUP_FIGURES]; /* memory.peak, cpu.stat, memory.events; -1: unknown */
	int64_t first;                  /* time of the first step */
	struct noted_step {
		int signal;
		unsigned found; /* remaining processes */
		int64_t after;  /* time since the first step */
	} step[MAX_NOTED];
	struct noted_leftover {
		pid_t pid;
		int signal; /* signal that ended it; 0: not known to have ended */
		char name[NAME_SIZE];
		char line[COMMAND_LINE_SIZE];
	} leftover[MAX_NOTED]; /* at the end, since most runs touch none of its pages */
};

/* Open the file or descriptor that --report names. Exits with 125 on failure. */
void report_open(struct fry *fry);
/* Record a step of the schedule: its signal, its time, and the number of remaining processes. */
void report_step(struct fry *fry, int sig, int64_t when, unsigned found);
/* Record a leftover with its name and its command line. */
void report_leftover(struct fry *fry, pid_t pid, const char *name, const char *line);
/* Record that an orphan was reaped, with its wait status. */
void report_reaped(struct fry *fry, pid_t pid, int status);
/* At the end: write the line. status is the one that fry-run exits with. */
void report_write(const struct fry *fry, int status);

#endif
