/* process.h - one process, as /proc shows it, and whose it is */
/* SPDX-License-Identifier: MIT */
#ifndef PROCESS_H
#define PROCESS_H

#include <sys/types.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "report.h"

struct fry;

/* One process below fry-run, as it was when it was last seen. */
struct process {
	pid_t pid, parent, group, session;
	unsigned long long start; /* in clock ticks since boot: with pid, it names one process */
	unsigned long threads;
	uint64_t delivered; /* bit N-1: has been sent signal N of a stop */
	char state;         /* as in proc_pid_stat(5); 0 if unknown, without /proc */
	bool forbidden;     /* may not be signalled, and was named for it */
	bool reaped;        /* its pid may be reused */
	bool recheck;       /* had another parent when it was to be signalled */
	char name[NAME_SIZE];
};

/* Read a file of /proc into text. Returns its length, or -1 with errno from open(2) or read(2). */
ssize_t proc_read(const char *path, char *text, size_t size);
/* Whether /proc belongs to this pid namespace. */
bool proc_is_ours(struct fry *fry);
/* Fill in a process from /proc/PID/stat. Returns -1 if there is none. */
int process_read(pid_t pid, struct process *process);
/* Whether a pid still names the process that it did, with the same parent. */
bool process_same(const struct process *process);
/* Whether only the wait status is left. */
bool process_is_dead(const struct process *process);
/* Whether it lives as the same process, whatever its parent is; it is read again into now. */
bool process_alive(const struct process *process, struct process *now);
/* Whether a process has ended, as far as /proc tells: true if it cannot be read. */
bool process_died(pid_t pid);
/* Whether the queue of signals of a process's user is full: proc_pid_status(5). */
bool process_queue_is_full(pid_t pid);
/* See whether a child has ended, without reaping it. Returns -1 with ECHILD if there is none. */
int child_peek(idtype_t type, pid_t pid, siginfo_t *info);
/* Whether this is an unreaped child of ours, whatever /proc says. */
bool is_child(pid_t pid);
/* In the inner process: whether the outer one lives. Its pid is not reused while it is the parent. */
bool outer_lives(const struct fry *fry);
/* In the inner process: send a signal to the outer one. */
void signal_outer(const struct fry *fry, int sig);
/* Whether this is one of fry-run's own processes, and no descendant. */
bool is_own_process(const struct fry *fry, pid_t pid);

#endif
