/* tree.h - the processes below fry-run, found and signalled */
/* SPDX-License-Identifier: MIT */
#ifndef TREE_H
#define TREE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "known.h"

struct fry;

/*
 * si_code that marks a step sent to the whole tree, so that a nested fry-run does not forward it again. Any
 * sender may choose a negative code: rt_sigqueueinfo(2). A forged mark costs a forward, no more.
 */
#define STEP_CODE (-71)

struct tree {
	struct table current, previous; /* found by the latest walk, and by the one before */
	struct table outer_children; /* inner process only: other children of the outer process */
	bool proc_is_ours;           /* /proc belongs to this pid namespace, as checked once */
	bool boosted;                /* running under SCHED_FIFO */
	pid_t max_pid_seen;          /* how far to search without /proc */
};

/* Before the guard forks: save the processes below this one, for the inner process to kill. */
void tree_save_inherited(struct fry *fry);
/*
 * Signal everything below fry-run that the broadcast is for; again: one walk was not enough, so whole groups
 * are killed.
 */
void tree_walk(struct fry *fry, struct broadcast *broadcast, bool again);
/* Send KILL to each child that the children file lists, and to no other process. Returns how many. */
size_t tree_kill_children(struct fry *fry);
/*
 * Without a subreaper: the process group of COMMAND, whose members are found although they are orphans. 0:
 * the group was not made for COMMAND, or its number may have been reused.
 */
pid_t tree_group(const struct fry *fry);
/* Without a subreaper: whether a child, or a member of that group, is alive. */
bool tree_left(struct fry *fry);
/* In the inner process: whether the outer one has other children. */
bool tree_outer_children(struct fry *fry);
/*
 * Against a fork bomb the share of the processor decides: 50 ms after began switch to SCHED_FIFO. In a stop
 * it stays, since each step would wait its turn among hundreds of processes. A refusal is ignored.
 */
void boost_priority(struct fry *fry, int64_t began);

/* The same for a first walk. */
static inline void tree_signal(struct fry *fry, struct broadcast *broadcast)
{
	tree_walk(fry, broadcast, false);
}

/* Name the processes that are left. */
static inline void tree_name(struct fry *fry, const char *why)
{
	struct broadcast note = {
		.record_only = true, .log = true, .report = true, .zombies = true, .why = why};

	tree_walk(fry, &note, false);
}

/*
 * Elsewhere than on Linux there is no outer process, and fry-run asks for no other scheduling policy. The
 * manual page says what is lost without a subreaper.
 */
#ifdef _GNU_SOURCE
enum { ORPHANS_MATTER = true };
#else
enum { ORPHANS_MATTER = false };
#define tree_group(fry)            ((void)(fry), 0)
#define tree_left(fry)             ((void)(fry), false)
#define tree_outer_children(fry)   ((void)(fry), false)
#define tree_kill_children(fry)    ((void)(fry), (size_t)0)
#define boost_priority(fry, began) ((void)(fry), (void)(began))
#endif

#endif
