/*
 * copies.c - tell a signal to the whole process group from one to fry-run alone
 *
 * In the caller's process group the outer process, the inner process and COMMAND each get a copy of a
 * signal that is sent to the group. The outer process relays its copy. If the inner process gets both, in
 * whatever order, COMMAND has the signal already, and it is not forwarded. If one copy is missing, the
 * signal was sent to one process of fry-run alone, and is forwarded.
 */
/* SPDX-License-Identifier: MIT */
#include "copies.h"

#include "fry.h"
#include "pending.h"
#include "process.h"
#include "signals.h"
#include "sys.h"

/*
 * How long to wait for the other copy. The kernel sends all of them in one go, in which it may be
 * interrupted on a busy machine; a relayed copy waits for the outer process to run.
 */
#define OWN_COPY_WAIT     (20 * MILLISECOND)
#define RELAYED_COPY_WAIT SECOND

/* Whether the inner process is in COMMAND's group, and so gets what is sent to the group. */
static bool shares_group(const struct fry *fry)
{
	return fry->options.placement == PLACE_INHERIT;
}

static bool is_job_control(int sig)
{
	return sig == SIGCONT || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

/* Whether COMMAND was stopped again after a CONT was sent, which has had its effect then. */
static bool is_overtaken(const struct fry *fry, int sig)
{
	const struct channel *channel = &fry->shared->channel;

	return sig == SIGCONT && channel->stopped != 0 && channel->continued < channel->stops;
}

/*
 * The kernel discards a pending stop when CONT comes, and a pending CONT when a stop comes, so that one of
 * the copies never arrives: cancel those that wait. Returns whether this one is cancelled itself.
 */
static bool copy_cancel(struct fry *fry, int sig, bool relayed)
{
	struct copy *of = fry->guard.copies.of;

	if (sig == SIGCONT) {
		of[SIGTSTP] = of[SIGTTIN] = of[SIGTTOU] = (struct copy){0};
		return false;
	}
	if (relayed && of[SIGCONT].own > 0)
		return true; /* the CONT that came after it was received already */
	of[SIGCONT] = (struct copy){0};
	return false;
}

/* No other copy came: handle each as a signal to fry-run alone. */
static void copy_unpaired(struct fry *fry, int sig)
{
	struct copy copy = fry->guard.copies.of[sig];
	siginfo_t info = {.si_signo = sig, .si_code = SI_USER};

	info.si_pid = copy.sender;
	fry->guard.copies.of[sig] = (struct copy){0};
	/* The kernel may have discarded the other copy of a job-control signal. */
	for (; copy.own > 0 && !is_job_control(sig); copy.own--)
		signals_dispatch(fry, &info);
	for (; copy.own < 0 && !is_overtaken(fry, sig); copy.own++)
		signals_apply(fry, &info, copy.terminating);
}

/* Both copies came. COMMAND has the signal as well, unless it did not exist or has left the group. */
static void copy_paired(struct fry *fry, siginfo_t *info)
{
	struct copy *copy = &fry->guard.copies.of[info->si_signo];
	bool terminating = copy->terminating;

	if (copy->own == 0)
		*copy = (struct copy){0};
	if (signals_was_early(fry, info->si_signo) || signals_command_pgid(fry) != fry->pgid)
		signals_apply(fry, info, terminating);
	else if (terminating)
		signals_note_delivered(fry, info->si_signo, fry->command_pgid);
}

static void copy_match(struct fry *fry, siginfo_t *info, bool relayed, bool terminating)
{
	struct copy *copy = &fry->guard.copies.of[info->si_signo];
	bool pair;

	if (is_job_control(info->si_signo) && copy_cancel(fry, info->si_signo, relayed))
		return;
	pair = relayed ? copy->own > 0 : copy->own < 0;
	copy->own += relayed ? -1 : 1;
	copy->terminating |= terminating;
	if (pair) {
		copy_paired(fry, info);
		return;
	}
	copy->sender = info->si_pid;
	if (copy->until == 0)
		copy->until = clock_now() + (relayed ? OWN_COPY_WAIT : RELAYED_COPY_WAIT);
}

void copies_relayed(struct fry *fry, siginfo_t *info, bool terminating)
{
	sigset_t early = fry->signals.early_copy;

	/* The outer process relays what was typed before COMMAND existed. This process may have a copy. */
	if (shares_group(fry) && info->si_code > 0 && mask_test_clear(&early, info->si_signo))
		return;
	if (shares_group(fry) && info->si_code == SI_USER)
		copy_match(fry, info, true, terminating);
	else if (!is_overtaken(fry, info->si_signo))
		signals_handle(fry, info, terminating);
}

bool copies_received(struct fry *fry, siginfo_t *info)
{
	if (!shares_group(fry) || info->si_signo == SIGCHLD)
		return false;
	if (info->si_code == SI_USER) {
		copy_match(fry, info, false, false);
		return true;
	}
	if (is_job_control(info->si_signo)) /* typed, so COMMAND has it as well */
		copy_cancel(fry, info->si_signo, false);
	return false;
}

/* Whether the other copy exists, though it was not received yet. */
static bool copy_exists(const struct fry *fry, int sig)
{
	struct process outer;

	if (fry->guard.copies.of[sig].own < 0)
		return pending_has(sig);
	/* An outer process that is stopped has it pending. */
	return process_read(fry->outer, &outer) == 0 && outer.state == 'T' && outer_lives(fry);
}

int64_t copies_expire(struct fry *fry)
{
	int64_t next = NEVER, now;

	if (fry->role != INNER || !shares_group(fry))
		return NEVER;
	now = clock_now();
	for (int sig = 1; sig < SIGNALS; sig++) {
		struct copy *copy = &fry->guard.copies.of[sig];

		if (copy->until == 0)
			continue;
		if (copy->until <= now && copy_exists(fry, sig))
			copy->until = now + (copy->own < 0 ? OWN_COPY_WAIT : RELAYED_COPY_WAIT);
		if (copy->until <= now)
			copy_unpaired(fry, sig);
		else if (copy->until < next)
			next = copy->until;
	}
	return next;
}
