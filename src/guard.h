/* guard.h - two processes, so that SIGKILL to one of them leaves nothing */
/* SPDX-License-Identifier: MIT */
#ifndef GUARD_H
#define GUARD_H

#include <sys/types.h>

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "copies.h"

struct fry;

/* Whether fry-run is one process, or which of two this is. */
enum role { ALONE, OUTER, INNER };

enum { MAX_RELAYS = 64 }; /* a power of two */

/*
 * The messages of the two processes to each other, in memory that only they share. A signal wakes the reader
 * and carries nothing, so no siginfo from outside can be taken for a relayed signal.
 */
struct channel {
	/* from the outer process to the inner one */
	struct relay {
		int signal, code;
		pid_t sender;
		uid_t user;
		union sigval value;
		bool terminating; /* the outer process found it to be a request to end */
	} relay[MAX_RELAYS];
	/* How many were written and read. An entry is complete before it is counted. */
	_Atomic unsigned sent, taken;

	/* from the inner process to the outer one */
	_Atomic unsigned loops; /* of the inner process: a sign of life */
	pid_t command_pgid;     /* process group that COMMAND was started in */
	_Atomic bool executing; /* set by the child: from now on it may be COMMAND that signals */
	/* Written in this order: the signal, then the number. */
	_Atomic int stopped;    /* signal that COMMAND is stopped by; 0: it is not stopped */
	_Atomic unsigned stops; /* how often it was, if the outer process is to follow */

	/* A question of the inner process, whether anything is pending, and the answer that it is not. */
	_Atomic unsigned asked, answered;
	unsigned answered_after; /* how many were written before the answer */

	unsigned continued; /* from the outer one: the last CONT came after so many stops */
};

struct guard {
	bool request_known; /* that a request to end was made is known to both processes */

	/* the outer process */
	int inner_status;        /* wait status of the inner process */
	int signal_fd, inner_fd; /* readable: a signal is pending, the inner process has died */
	int64_t deadline;        /* by then the inner process must have ended */
	bool asked;              /* since then for a sign of life, */
	unsigned loops;          /* which is any other number */
	bool overdue;            /* there was none, and it was killed */
	bool given_up;           /* and does not die */

	/* the inner process */
	bool outer_has_children; /* beside this one, as far as is known */
	bool outer_died;
	struct copies copies;
};

/* Become two processes, if asked to. */
void guard_start(struct fry *fry);
/* In the outer process: its loop. If children remain that the inner one could not see, role is ALONE then. */
void guard_run(struct fry *fry);
/* In the inner process: put a name of its own in place of the arguments, for `pkill -f`. */
void guard_rename(const struct fry *fry);
/*
 * In the inner process, as its last act: leave the rest to the outer one. Returns false if that has died, and
 * in any other process.
 */
bool guard_hand_over(struct fry *fry);

/* In the inner process: act on what was relayed. */
void guard_take(struct fry *fry);
/* In the inner process: take a signal of which a copy may be relayed. Returns false for any other. */
bool guard_receive(struct fry *fry, siginfo_t *info);

/* Linux alone has the guard (the Makefile defines _GNU_SOURCE there). Elsewhere the only role is ALONE. */
#ifndef _GNU_SOURCE
#define guard_start(fry)         ((void)(fry))
#define guard_run(fry)           ((void)(fry))
#define guard_rename(fry)        ((void)(fry))
#define guard_hand_over(fry)     ((void)(fry), false)
#define guard_take(fry)          ((void)(fry))
#define guard_receive(fry, info) ((void)(fry), (void)(info), false)
#endif

#endif
