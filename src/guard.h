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
		bool terminating; /* the outer process found it to be a termination request */
	} relay[MAX_RELAYS];
	/* How many were written and read. An entry is complete before it is counted. */
	_Atomic unsigned sent, taken;

	/* from the inner process to the outer one */
	_Atomic unsigned loops; /* of the inner process: a sign of life */
	pid_t command_pgid;     /* process group that COMMAND was started in */
	_Atomic bool executing; /* PLACE_INHERIT: set by the child; COMMAND may send signals now */
	/* Written in this order: the signal, then the number. */
	_Atomic int stopped;    /* signal that COMMAND is stopped by; 0: it is not stopped */
	_Atomic unsigned stops; /* number of its stops with which the outer process has to stop */

	/* The inner process asks, and the outer one answers once it has no signal pending. */
	_Atomic unsigned asked, answered;
	unsigned answered_after; /* number of relays that were sent before the answer */

	unsigned continued; /* from the outer process: number of stops before its last CONT */
};

struct guard {
	bool request_known; /* both processes know of a termination request */

	/* the outer process */
	int inner_status;        /* wait status of the inner process */
	int signal_fd, inner_fd; /* readable: a signal is pending, the inner process has died */
	int64_t deadline;        /* when the inner process must have ended */
	bool asked;              /* it missed the deadline, and was asked for a sign of life */
	unsigned loops;          /* its loops then; any other number is the sign */
	bool overdue;            /* it gave none, and was killed */
	bool given_up;           /* it does not die of KILL */

	/* the inner process */
	bool outer_has_children; /* beside this one, as far as is known */
	bool outer_died;
	struct copies copies;
};

/* Become two processes, if asked to. */
void guard_start(struct fry *fry);
/*
 * In the outer process: its loop. Returns false in any other process, and if children remain that the inner
 * process could not see: role is ALONE then.
 */
bool guard_run(struct fry *fry);
/* In the inner process: put a name of its own in place of the arguments, for `pkill -f`. */
void guard_rename(const struct fry *fry);
/*
 * In the inner process, as its last act: leave the rest to the outer one. Returns false if that has died, and
 * in any other process.
 */
bool guard_hand_over(struct fry *fry);

/* In the inner process: handle the signals that were relayed. */
void guard_take(struct fry *fry);
/* In the inner process: take a signal of which a copy may be relayed. Returns false for any other. */
bool guard_receive(struct fry *fry, siginfo_t *info);

/* Linux alone has the guard (the Makefile defines _GNU_SOURCE there). Elsewhere the only role is ALONE. */
#ifndef _GNU_SOURCE
#define guard_start(fry)         ((void)(fry))
#define guard_run(fry)           ((void)(fry), false)
#define guard_rename(fry)        ((void)(fry))
#define guard_hand_over(fry)     ((void)(fry), false)
#define guard_take(fry)          ((void)(fry))
#define guard_receive(fry, info) ((void)(fry), (void)(info), false)
#endif

#endif
