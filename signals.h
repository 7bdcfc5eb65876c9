/* signals.h - what a received signal means, and who it is forwarded to */
/* SPDX-License-Identifier: MIT */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <sys/types.h>

#include <signal.h>
#include <stdbool.h>

#include "src/signame.h"

struct fry;

struct signals {
	sigset_t mask;                 /* inherited, and COMMAND's */
	struct sigaction child_action; /* of SIGCHLD, likewise */
	bool ignored[SIGNALS];         /* INT, TERM and QUIT that were ignored start no stop */
	sigset_t early;                /* pending before COMMAND existed, and not handled yet */
	sigset_t early_copy;           /* pending before COMMAND existed */
};

/* Block every signal; keep the mask and the dispositions that were inherited. */
void signals_init(struct fry *fry);
/* In the child: give COMMAND the mask and the disposition of SIGCHLD that were inherited. */
void signals_restore(const struct fry *fry);
/* Before a fork: note which signals are pending, of which the child will have no copy. */
void signals_snapshot_pending(struct fry *fry);
/*
 * After the fork: send COMMAND, which has everything blocked still, what has become pending since the
 * snapshot. A signal to the group that came before the fork has no copy there; one that came after merges.
 */
void signals_resend_early(const struct fry *fry);
/* Whether a request to end is pending. */
bool signals_termination_pending(const struct fry *fry);
/* Decide whether a received signal is handled at all, and whether it is a request to end. */
bool signals_accept(struct fry *fry, const siginfo_t *info, bool *terminating);
/* Handle a received signal: forward it as the options say, and start or advance the schedule. */
void signals_dispatch(struct fry *fry, siginfo_t *info);
/* The same for a signal that was accepted by the outer process. */
void signals_handle(struct fry *fry, siginfo_t *info, bool terminating);
/* The same for one that is not a step of a fry-run further up. */
void signals_apply(struct fry *fry, siginfo_t *info, bool terminating);
/* Whether the parent has died, with --parent-death; true once. last is what was received last. */
bool signals_parent_died(struct fry *fry, const siginfo_t *last);
/* Whether a signal was pending before COMMAND existed; true once. */
bool signals_was_early(struct fry *fry, int sig);
/* Act as if sig had been received from a process. */
void signals_inject(struct fry *fry, int sig);
/* Start the schedule with its first step as it is, whatever --rewrite says. */
void signals_start_schedule(struct fry *fry);
/* A request to end has reached COMMAND's group already: advance the schedule, and do not forward. */
void signals_note_delivered(struct fry *fry, int sig, pid_t group);
/* The process group that COMMAND is in now: an interactive shell makes one of its own. */
pid_t signals_command_pgid(const struct fry *fry);
/* Die of sig, without a core dump. Returns where that is impossible: as PID 1. */
void signals_die(const struct fry *fry, int sig);

#endif
