/* process.h - one process as /proc shows it, and its relation to fry-run */
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

/* One descendant, as of the latest read. */
struct process {
	pid_t pid, parent, group, session;
	unsigned long long start; /* in clock ticks since boot; pid and start identify a process */
	unsigned long threads;
	uint64_t delivered; /* bit N-1: signal N of a stop was sent to it */
	char state;         /* as in proc_pid_stat(5); 0 if unknown, without /proc */
	bool forbidden;     /* signalling it failed, and the message was printed */
	bool reaped;        /* its pid may be reused */
	bool recheck;       /* it changed before it was signalled: read it again */
	char name[NAME_SIZE];
};

/* Read a file of /proc into text. Returns its length, or -1 with errno from open(2) or read(2). */
ssize_t proc_read(const char *path, char *text, size_t size);
/* Whether /proc belongs to this pid namespace. */
bool proc_is_ours(struct fry *fry);
/* Fill in a process from /proc/PID/stat. Returns -1 if it cannot be read. */
int process_read(pid_t pid, struct process *process);
/* Whether the pid still names this process, with the same parent. */
bool process_same(const struct process *process);
/* Whether the process has ended, though it may still be a zombie. Every thread has to have ended. */
bool process_is_dead(const struct process *process);
/* Whether the pid still names this process, whatever its parent, and it lives. now is the new read. */
bool process_alive(const struct process *process, struct process *now);
/* Whether a process has ended, by /proc: true if it cannot be read. */
bool process_died(pid_t pid);
/* Whether the signal queue of a process's user is full: SigQ in proc_pid_status(5). */
bool process_queue_is_full(pid_t pid);
/* As waitid(2), for zombies, without reaping: info->si_pid is 0 if none. Returns -1 with errno ECHILD. */
int child_peek(idtype_t type, pid_t pid, siginfo_t *info);
/* Whether pid is an unreaped child of this process, by waitid(2) instead of /proc. */
bool is_child(pid_t pid);
/* In the inner process: whether the outer one lives. Its pid is not reused while it is the parent. */
bool outer_lives(const struct fry *fry);
/* In the inner process: signal the outer one if it lives. */
void signal_outer(const struct fry *fry, int sig);
/* Whether pid is this process or the other one of the guard. */
bool is_own_process(const struct fry *fry, pid_t pid);

#endif
