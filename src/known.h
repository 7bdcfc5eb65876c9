/* known.h - the processes that were found below fry-run, and what each of them was sent */
/* SPDX-License-Identifier: MIT */
#ifndef KNOWN_H
#define KNOWN_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fry;
struct process;

enum { SMALL_TREE = 256 }; /* slots before COMMAND starts, for half as many processes */

/* A growing array of processes, with an index by pid. */
struct table {
	struct process *process;
	uint32_t *slot; /* 0: empty; otherwise 1 + the place in the array */
	size_t count, slots;
	bool fixed; /* its memory is not its own: see known_init() */
};

/* A signal, its recipients, and what came of it. */
struct broadcast {
	int signal;
	int instead_of; /* not 0: the received signal, before --rewrite; counts as delivered, too */
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
int known_init(struct fry *fry);
/* Add a process that was found, with what was noted about it before. Returns NULL with errno ENOMEM. */
struct process *known_add(struct fry *fry, struct process *process);
/* Note that a pid was reaped, and may be reused. */
void known_note_reaped(struct fry *fry, pid_t pid);
/* Returns the process with this pid, or NULL. */
struct process *table_find(const struct table *table, pid_t pid);
/* Before a new walk: make the current table the previous one. */
void table_turn(struct fry *fry);

/* Send a broadcast to a process that was found. Returns false if it is no recipient, or has to be read again. */
bool broadcast_deliver(struct fry *fry, struct broadcast *broadcast, struct process *process);

/* Whether the outer process has died, so that the inner one kills the outer one's children. */
bool kills_outer_children(const struct fry *fry);
/* Whether there may be descendants whose orphans are not reparented to this process. */
bool orphans_escape(const struct fry *fry);

#endif
