/* tree.h - the processes below fry-run, found and signalled */
/* SPDX-License-Identifier: MIT */
#ifndef TREE_H
#define TREE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fry;
struct process;

/*
 * si_code that marks a step sent to the whole tree, so that a nested fry-run does not forward it again. Any
 * sender may choose a negative code: rt_sigqueueinfo(2). A forged mark costs a forward, no more.
 */
#define STEP_CODE (-71)

/* A growing array of processes, with an index by pid. */
struct table {
	struct process *process;
	uint32_t *slot; /* 0: empty; otherwise 1 + the place in the array */
	size_t count, slots;
};

struct tree {
	struct table current, previous; /* found by the latest walk, and by the one before */
	struct table outer_children; /* inner process only: other children of the outer process */
	bool proc_is_ours;           /* /proc belongs to this pid namespace, as checked once */
	bool boosted;                /* running under SCHED_FIFO */
	pid_t max_pid_seen;          /* how far to search without /proc */
};

/* A signal, its recipients, and the counts of a walk that delivered it. */
struct broadcast {
	int signal;
	int instead_of; /* not 0: signal received, before --rewrite; recorded as delivered, too */
	pid_t group;    /* not 0: only processes of this group, and pid */
	pid_t pid;      /* not 0: only this process, and those of group */
	bool once;      /* skip processes that have had it */
	bool terminating; /* part of a stop: record it as delivered, and send CONT to stopped processes */
	bool record_only; /* send nothing: the signal is sent by other means */
	bool log;         /* name the recipients on stderr, after why */
	bool report;      /* list the recipients in the report as leftovers */
	bool zombies;     /* also children that a tracer keeps from being reaped */
	const char *why;
	unsigned found, sent, stopped, forbidden; /* forbidden: EPERM from kill(2) */
};

/* Allocate tables for a small tree, before COMMAND can use up all memory. Returns -1 with errno ENOMEM. */
int tree_init(struct fry *fry);
/* Before the guard forks: save the inherited descendants, which the inner process may have to kill. */
void tree_save_inherited(struct fry *fry);
/* Record that a pid was reaped, and may be reused. */
void tree_note_reaped(struct fry *fry, pid_t pid);
/* Find the descendants and signal those that the broadcast is for. */
void tree_signal(struct fry *fry, struct broadcast *broadcast);
/* As tree_signal(). again: an earlier walk of the kill was not enough, so kill whole groups. */
void tree_walk(struct fry *fry, struct broadcast *broadcast, bool again);
/* Name the remaining processes on stderr, each after why. */
void tree_name(struct fry *fry, const char *why);
/* In the inner process: whether the outer process has other children. */
bool tree_outer_children(struct fry *fry);
/* Whether orphans of a descendant may be reparented to a process other than this one. */
bool orphans_escape(const struct fry *fry);
/*
 * Against a fork bomb the share of the processor decides: 50 ms after began switch to SCHED_FIFO. In a stop
 * it stays, since each step would wait its turn among hundreds of processes. A refusal is ignored.
 */
void boost_priority(struct fry *fry, int64_t began);

#endif
