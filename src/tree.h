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
 * si_code of a step that was sent to the whole tree, so that a nested fry-run does not forward it again.
 * The kernel lets any sender choose a negative code: one that is forged may cost a forward, no more.
 */
#define STEP_CODE (-71)

/* A growing array of processes, with an index by pid. */
struct table {
	struct process *process;
	uint32_t *slot; /* 0: empty; otherwise 1 + the place in the array */
	size_t count, slots;
};

struct tree {
	struct table current, previous; /* as this walk found it, and the one before */
	struct table outer_children; /* inner process: inherited by the outer one before the fork */
	bool proc_is_ours;           /* /proc was found to be of this pid namespace */
	bool boosted;                /* running under SCHED_FIFO */
	pid_t max_pid_seen;          /* says how far to look without /proc */
};

/* A signal, its recipients, and what came of it. */
struct broadcast {
	int signal;
	int instead_of; /* not 0: the received signal, by --rewrite; its recipients need it no more */
	pid_t group;    /* not 0: only processes of this group, and `pid` */
	pid_t pid;      /* not 0: only this process, and those of `group` */
	bool once;      /* not to processes that have had it */
	bool terminating; /* part of a stop: note it as delivered, with CONT for stopped processes */
	bool record_only; /* send nothing: it reaches them another way */
	bool log;         /* name them on stderr, after `why` */
	bool report;      /* put them into the report as left behind */
	bool zombies;     /* also children that a tracer keeps from being reaped */
	const char *why;
	unsigned found, sent, stopped, forbidden;
};

/* Make room for a small tree, before COMMAND may use up all memory. Returns -1 with errno ENOMEM. */
int tree_init(struct fry *fry);
/* Before the guard forks: save what hangs below this process, for the inner process to kill. */
void tree_save_inherited(struct fry *fry);
/* Note that a pid was reaped, and may be reused. */
void tree_note_reaped(struct fry *fry, pid_t pid);
/* Signal everything below fry-run that the broadcast is for. */
void tree_signal(struct fry *fry, struct broadcast *broadcast);
/* The same; again: one walk was not enough, so whole groups are killed. */
void tree_walk(struct fry *fry, struct broadcast *broadcast, bool again);
/* Name what is left. */
void tree_name(struct fry *fry, const char *why);
/* Whether the outer process has other children than the inner one, which asks. */
bool tree_outer_children(struct fry *fry);
/* Whether there may be descendants whose orphans are not reparented to this process. */
bool orphans_escape(const struct fry *fry);
/*
 * Run under SCHED_FIFO once something takes long that began at this time: under a fork bomb the share of
 * the processor decides.
 */
void boost_priority(struct fry *fry, int64_t began);

#endif
