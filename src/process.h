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

enum { CHILDREN_PATH = 64 };

/* One descendant, as of the latest read. */
struct process {
	pid_t pid; /* below 0, in tree_posix.c only: COMMAND's process group */
	pid_t parent, group, session;
	unsigned long long start; /* in clock ticks since boot: with pid, it names one process */
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
/* Put the path of the file together that lists the children which a thread of a process has forked. */
void process_children_path(pid_t pid, pid_t thread, char path[CHILDREN_PATH]);
/* Fill in a process from /proc/PID/stat. Returns -1 if it cannot be read. */
int process_read(pid_t pid, struct process *process);
/* Whether the pid still names this process, with the same parent. */
bool process_same(const struct process *process);
/* Whether the process has ended, though it may still be a zombie. Every thread has to have ended. */
bool process_is_dead(const struct process *process);
/* Whether the pid still names this process, whatever its parent, and it lives. now is the new read. */
bool process_alive(const struct process *process, struct process *now);
/* Returns how long the first thread of a process has run, in nanoseconds, or -1 if that is unknown. */
int64_t process_ran(pid_t pid);
/* Whether a process has ended, by /proc: true if it cannot be read. */
bool process_died(pid_t pid);
/* See whether a child has ended, without reaping it. Returns -1 with ECHILD if there is none. */
int child_peek(idtype_t type, pid_t pid, siginfo_t *info);

/* Whether a child has ended and is not reaped yet. */
static inline bool child_ended(pid_t pid)
{
	siginfo_t info = {0};

	return child_peek(P_PID, pid, &info) == 0 && info.si_pid != 0;
}

/*
 * Reap a child that has ended: pid, any for -1, none for 0. The outer process reaps stopped ones, too.
 * Returns 0 if none has ended, and -1 with errno: ECHILD if there are no children to wait for.
 */
pid_t child_wait(const struct fry *fry, pid_t pid, int *status);
/* Whether this is an unreaped child of ours, whatever /proc says. */
bool is_child(pid_t pid);
/*
 * Signal a process that was found below; step: the signal goes to the whole tree. Returns 1 if the process
 * was signalled or has ended, 0 if the signal reaches it in another way, and -1 with errno. ESTALE: the
 * process has changed since it was found, most often because its parent has died: read it again.
 */
int process_signal(const struct fry *fry, const struct process *process, int sig, bool step);
/* In the inner process: whether the outer one lives. Its pid is not reused while it is the parent. */
bool outer_lives(const struct fry *fry);
/* In the inner process: whether the outer one has died, which is noted. */
bool outer_died(struct fry *fry);
/* In the inner process: send a signal to the outer one. */
void signal_outer(const struct fry *fry, int sig);
/* In the inner process: give a sign of life. */
void inner_beat(struct fry *fry);
/* Whether this is one of fry-run's own processes, and no descendant. */
bool is_own_process(const struct fry *fry, pid_t pid);

/* Elsewhere than on Linux fry-run reads no /proc, and has no outer process. */
#ifndef _GNU_SOURCE
#define process_read(pid, process) ((void)(pid), (void)(process), -1)
#define signal_outer(fry, sig)     ((void)(fry), (void)(sig))
#define outer_died(fry)            ((void)(fry), false)
#define inner_beat(fry)            ((void)(fry))
#endif

#endif
