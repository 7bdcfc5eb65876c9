/* signals.h - what a received signal means, and which processes it is forwarded to */
/* SPDX-License-Identifier: MIT */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <sys/types.h>

#include <signal.h>
#include <stdbool.h>

#include "src/signame.h"

struct fry;

struct signals {
	sigset_t mask;                 /* signal mask at entry, which COMMAND inherits */
	struct sigaction child_action; /* disposition of SIGCHLD at entry, likewise */
	sigset_t early;                /* pending before COMMAND existed, and not received yet */
	bool parent_signal;  /* that of --parent-death came already: as a request, or by --hangup */
	bool parent_gone;    /* the parent's death has been noticed */
	sigset_t resent;     /* only process: sent to COMMAND already, and not received yet */
	sigset_t early_copy; /* pending before COMMAND existed */
	siginfo_t held;      /* termination request that the drain holds back; si_signo 0: none */
};

/* Block every signal. Save the signal mask and the disposition of SIGCHLD at entry. */
void signals_init(struct fry *fry);
/* In the child: restore the signal mask and the disposition of SIGCHLD at entry. */
void signals_restore(const struct fry *fry);
/* Before fork(2): record the pending signals. The child starts with none pending. */
void signals_snapshot_pending(struct fry *fry);
/*
 * After fork(2): send COMMAND each signal that has become pending since the snapshot. If the signal was sent
 * to the group before the fork, COMMAND has no copy. If it came later, COMMAND's copy is still blocked, and
 * both merge. Once COMMAND is executed, COMMAND itself may have sent the signal to this process alone. Such a
 * signal counts as early: it is forwarded once, with or without a copy.
 */
void signals_resend_early(struct fry *fry);
/* Whether a termination request is pending. */
bool signals_termination_pending(void);
/* Whether a received signal is to be handled. *terminating is whether it is a termination request. */
bool signals_accept(struct fry *fry, const siginfo_t *info, bool *terminating);
/* Handle a received signal: forward it as the options say, and start or advance the schedule. */
void signals_dispatch(struct fry *fry, siginfo_t *info);
/* Handle a signal that signals_accept() has accepted, here or in the outer process. */
void signals_handle(struct fry *fry, siginfo_t *info, bool terminating);
/* Handle an accepted signal that is no step of an enclosing fry-run. */
void signals_apply(struct fry *fry, siginfo_t *info, bool terminating);
/*
 * Forward the termination request that the drain holds back, if there is one. It merges with sig, a later
 * request, if both are equal, as pending signals do; 0: there is no later one.
 */
void signals_release(struct fry *fry, int sig);
/* Whether the parent has died, with --parent-death; true once. last is the last received signal. */
bool signals_parent_died(struct fry *fry, const siginfo_t *last);
/* Whether a signal was pending before COMMAND existed; true once. */
bool signals_was_early(struct fry *fry, int sig);
/* Act as if sig had been received from a process. */
void signals_inject(struct fry *fry, int sig);
/* Start the schedule with its first signal, without a drain; --rewrite does not apply to it. */
void signals_start_schedule(struct fry *fry);
/* COMMAND's group has a termination request already: advance the schedule, but do not forward. */
void signals_note_delivered(struct fry *fry, int sig, pid_t group);
/* Returns COMMAND's process group now: an interactive shell makes one of its own. */
pid_t signals_command_pgid(const struct fry *fry);
/* Die of sig, without a core dump. Returns if fry-run is PID 1, which the kernel protects. */
void signals_die(const struct fry *fry, int sig);

#endif
