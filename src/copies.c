/*
 * copies.c - forward a signal once, however it was sent
 *
 * A caller may signal fry-run alone, its whole process group, or every process that it finds, one by one.
 * In the last two cases COMMAND gets the signal directly. Only then does the inner process receive a copy
 * itself: its own copy. The outer process relays another copy. If both copies come, in whatever order, the
 * signal is not forwarded.
 *
 * - A signal to the process group is recognised exactly. kill(2) and the terminal driver hold the kernel's
 *   tasklist_lock as readers while they signal the whole group, and setpgid(2) takes it as a writer. Once
 *   setpgid(2) has returned, the own copy is pending, or never comes.
 * - A signal from the terminal is no copy: the kernel marks it, and is_typed() in signals.c drops it.
 * - A caller that signals one process after the other takes time, so a copy waits up to HOLD for another.
 *   On a busy machine the caller may wait for the processor in between, and this does not count.
 * - If the own copy comes first, the relayed one comes only when the outer process gets the processor. So
 *   the inner process asks the outer one to relay all that is pending, and waits for the answer.
 */
/* SPDX-License-Identifier: MIT */
#include "copies.h"

#include <limits.h>
#include <unistd.h>

#include "fry.h"
#include "pending.h"
#include "process.h"
#include "signals.h"
#include "sys.h"
#include "text.h"

#define HOLD (4 * MILLISECOND)
/* The longest hold, while the sender waits for the processor. */
#define LONGEST_HOLD (200 * MILLISECOND)
/* How long to wait for the answer of an outer process that hangs. */
#define ANSWER_WAIT SECOND

int copies_init(struct copies *copies)
{
	copies->of = page_alloc(SIGNALS * sizeof(*copies->of));
	return copies->of == NULL ? -1 : 0;
}

/* Whether the inner process is in COMMAND's group, and so gets what is sent to the group. */
static bool shares_group(const struct fry *fry)
{
	return fry->options.placement == PLACE_INHERIT;
}

static bool is_job_control(int sig)
{
	return sig == SIGCONT || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

/*
 * Whether callers may send this to every process that they find: to end it, to make it reload, or as a service
 * manager's KillSignal=. A real-time signal would lose its place in the queue, WINCH is only typed, and a stop
 * must not come after a CONT that was sent later.
 */
static bool is_held(int sig)
{
	return sig < STANDARD_SIGNALS && sig != SIGWINCH &&
	       (sig == SIGCONT || !is_job_control(sig));
}

/* Whether COMMAND has stopped again since a CONT was sent: that CONT must not undo the new stop. */
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

/*
 * Both copies came. COMMAND has the signal as well, unless it did not exist, or has left the process group
 * that the signal was sent to.
 */
static void copy_paired(struct fry *fry, siginfo_t *info, bool to_group)
{
	struct copy *copy = &fry->guard.copies.of[info->si_signo];
	bool terminating = copy->terminating;

	if (copy->own == 0)
		*copy = (struct copy){.merging = copy->merging};
	if (signals_was_early(fry, info->si_signo) ||
	    (to_group && signals_command_pgid(fry) != fry->pgid))
		signals_apply(fry, info, terminating);
	else if (terminating)
		signals_note_delivered(fry, info->si_signo, to_group ? fry->command_pgid : 0);
}

/* Wait until a sender that signals a group now is done: see the top. setpgid(2) fails: no such process. */
static void wait_for_sender(void)
{
	setpgid(INT_MAX, INT_MAX);
}

/* No other copy came: handle each as a signal to fry-run alone, unless its own copy has merged with another. */
static void copy_unpaired(struct fry *fry, int sig)
{
	struct copy copy = fry->guard.copies.of[sig];
	siginfo_t info = {.si_signo = sig, .si_code = SI_USER};

	info.si_pid = copy.sender;
	fry->guard.copies.of[sig] = (struct copy){.merging = copy.merging};
	signals_was_early(fry, sig); /* forget it: a later signal to the group is not early */
	/* The kernel may have discarded the other copy of a job-control signal. */
	for (; copy.own > 0 && !is_job_control(sig); copy.own--)
		signals_dispatch(fry, &info);
	if (copy.own < 0 && copy.merged != 0) {
		fry->guard.copies.of[sig].terminating = copy.terminating;
		copy_paired(fry, &info, shares_group(fry));
		copy.own += copy.merged;
	}
	for (; copy.own < 0 && !is_overtaken(fry, sig); copy.own++)
		signals_apply(fry, &info, copy.terminating);
}

/*
 * An own copy was taken. The kernel merges pending standard signals, so this copy may stand for several that
 * the outer process has relayed, or is about to relay: ask the outer one to relay all that is pending.
 */
static void note_merging(struct fry *fry, int sig)
{
	/* The sender of a merged copy may have yet to signal the outer process: the answer must not come before. */
	wait_for_sender();
	fry->guard.copies.of[sig].merging = ++fry->shared->channel.asked;
	signal_outer(fry, SIGCHLD);
}

/* Whether the relay that was taken last came before the answer, so that its own copy may have merged. */
static bool was_merged(const struct fry *fry, const struct copy *copy)
{
	const struct channel *channel = &fry->shared->channel;

	return copy->merging != 0 && ((int)(channel->answered - copy->merging) < 0 ||
				      (int)(channel->answered_after - channel->taken) >= 0);
}

/* Take the own copy of a signal that was sent to the process group. Returns whether there is one. */
static bool take_group_copy(struct fry *fry, int sig)
{
	siginfo_t own;

	wait_for_sender();
	if (!pending_consume(sig, &own))
		return false;
	if (own.si_code == SI_USER) {
		note_merging(fry, sig);
		return true;
	}
	signals_dispatch(fry, &own); /* typed: not a copy of this signal */
	return false;
}

/* Let a copy wait for another from the same caller. */
static void copy_hold(struct fry *fry, struct copy *copy, pid_t sender)
{
	struct process process;

	if (copy->until != 0)
		return;
	copy->sender = sender;
	copy->until = clock_now() + HOLD;
	if (fry->guard.copies.due > copy->until)
		fry->guard.copies.due = copy->until;
	copy->limit = clock_now() + LONGEST_HOLD;
	copy->sender_ran = copy->parent_ran = -1;
	if (!proc_is_ours(fry))
		return;
	copy->sender_ran = process_ran(sender);
	/* If the sender has gone already, it was most likely started by what has started fry-run. */
	copy->parent = process_read(sender, &process) == 0 ? process.parent : fry->caller;
	copy->parent_ran = process_ran(copy->parent);
}

/* Whether a process is ready to run, and its processor time has grown by less than HOLD since `had_run`. */
static bool is_waiting(pid_t pid, int64_t had_run)
{
	struct process process;

	return had_run != -1 && process_read(pid, &process) == 0 && process.state == 'R' &&
	       process_ran(pid) < had_run + HOLD;
}

/*
 * Whether a child that the parent started after the sender has yet to run. A parent may start one child after
 * the other for long, so wait for it only until it has run for HOLD: that is enough to start a few.
 */
static bool successor_waits(const struct copy *copy)
{
	char path[CHILDREN_PATH], text[1024];
	const char *at = text;
	pid_t child;

	if (copy->parent <= 1 || process_ran(copy->parent) >= copy->parent_ran + HOLD)
		return false;
	process_children_path(copy->parent, copy->parent, path);
	if (proc_read(path, text, sizeof(text)) <= 0)
		return false;
	while ((child = (pid_t)scan_number(&at)) > 0)
		if (child > copy->sender && is_waiting(child, 0))
			return true;
	return false;
}

/*
 * The hold is over. Returns whether the caller has been waiting for the processor instead of running, so that
 * the other copy may be yet to come. nodemon and shell scripts start a process for each signal: the caller is
 * then the parent of the sender, and another child of it sends the other copy. If that child ends between the
 * two looks at the children and at their parent, the parent is ready to run.
 */
static bool caller_waits(const struct copy *copy, int64_t now)
{
	return now < copy->limit &&
	       (is_waiting(copy->sender, copy->sender_ran) ||
		is_waiting(copy->parent, copy->parent_ran) || successor_waits(copy) ||
		is_waiting(copy->parent, copy->parent_ran));
}

/* A relayed copy. */
static void copy_relayed(struct fry *fry, siginfo_t *info, bool terminating)
{
	struct copy *copy = &fry->guard.copies.of[info->si_signo];

	copy->terminating |= terminating;
	/* Signals in quick succession merge while they are pending in the outer process: one pairs with all. */
	copy->own = copy->own > 0 ? 0 : copy->own - 1;
	if (copy->own == 0) {
		copy_paired(fry, info, shares_group(fry));
	} else if (shares_group(fry) && take_group_copy(fry, info->si_signo)) {
		copy->own++;
		copy_paired(fry, info, true);
	} else {
		copy->merged += info->si_signo < STANDARD_SIGNALS && was_merged(fry, copy);
		if (is_held(info->si_signo))
			copy_hold(fry, copy, info->si_pid);
		else
			copy_unpaired(fry, info->si_signo);
	}
}

/* An own copy. */
static void copy_received(struct fry *fry, siginfo_t *info)
{
	struct copy *copy = &fry->guard.copies.of[info->si_signo];

	note_merging(fry, info->si_signo);
	if (++copy->own <= 0)
		copy_paired(fry, info, false);
	else
		copy_hold(fry, copy, info->si_pid);
}

void copies_relayed(struct fry *fry, siginfo_t *info, bool terminating)
{
	sigset_t early = fry->signals.early_copy;

	/* Typed before COMMAND existed: if this process has a copy of its own, it forwards that one. */
	if (shares_group(fry) && info->si_code > 0 && mask_test_clear(&early, info->si_signo))
		return;
	if (info->si_code != SI_USER || !(shares_group(fry) || is_held(info->si_signo))) {
		/* A CONT to fry-run alone that still waits goes before a stop. */
		if (is_job_control(info->si_signo) && !shares_group(fry))
			copy_unpaired(fry, SIGCONT);
		if (!is_overtaken(fry, info->si_signo))
			signals_handle(fry, info, terminating);
		return;
	}
	if (!is_job_control(info->si_signo) || !copy_cancel(fry, info->si_signo, true))
		copy_relayed(fry, info, terminating);
}

bool copies_received(struct fry *fry, siginfo_t *info)
{
	int sig = info->si_signo;

	if (sig == SIGCHLD || !(shares_group(fry) || is_held(sig)))
		return false;
	/* PIPE or XFSZ from a write of this process's own has no copy: signals_accept() drops it. */
	if (info->si_pid == fry->self)
		return false;
	/* COMMAND has a typed signal as well: no copy of it comes, but it cancels copies that wait. */
	if (info->si_code != SI_USER && is_job_control(sig))
		copy_cancel(fry, sig, false);
	if (info->si_code != SI_USER)
		return false;
	if (!is_job_control(sig) || !copy_cancel(fry, sig, false))
		copy_received(fry, info);
	return true;
}

/* Whether the outer process is stopped, and may have a signal pending that it has yet to relay. */
static bool outer_is_stopped(const struct fry *fry)
{
	struct process outer;

	return process_read(fry->outer, &outer) == 0 && outer.state == 'T' && outer_lives(fry);
}

/* The hold of an own copy is over. Returns whether the outer process has nothing to relay. */
static bool outer_has_answered(struct fry *fry, struct copy *copy, int64_t now)
{
	struct channel *channel = &fry->shared->channel;

	if (copy->question == 0) {
		copy->question = ++channel->asked;
		copy->until = now + ANSWER_WAIT;
		copy->answer_until = copy->until;
		signal_outer(fry, SIGCHLD);
	}
	/* Read the answer before the ring, which then holds all that was relayed before the answer. */
	if ((int)(channel->answered - copy->question) >= 0)
		return channel->taken == channel->sent;
	if (now < copy->answer_until)
		return false;
	copy->answer_until = now + ANSWER_WAIT;
	return !outer_is_stopped(fry);
}

/*
 * Whether an earlier signal is held still, since its caller waits for the processor. A later one must not
 * overtake it: COMMAND may end by the later one.
 */
static bool is_behind(const struct copies *copies, const struct copy *copy)
{
	for (int sig = 1; sig < SIGNALS; sig++) {
		const struct copy *other = &copies->of[sig];

		if (other->until != 0 && other->question == 0 && other->limit < copy->limit)
			return true;
	}
	return false;
}

/* Handle the copy of a signal if its hold is over, and return NEVER. Otherwise return when it ends. */
static int64_t copy_expire(struct fry *fry, int sig, int64_t now)
{
	struct copy *copy = &fry->guard.copies.of[sig];

	if (copy->question == 0 && now < copy->until)
		return copy->until;
	if (copy->own < 0 && pending_has(sig))
		return now; /* the own copy came while this process was busy */
	if (copy->question == 0 &&
	    (caller_waits(copy, now) || is_behind(&fry->guard.copies, copy))) {
		copy->until = now + MILLISECOND;
		return copy->until;
	}
	if (copy->own > 0 && !outer_has_answered(fry, copy, now))
		return copy->answer_until;
	copy_unpaired(fry, sig);
	return NEVER;
}

int64_t copies_expire(struct fry *fry)
{
	struct copies *copies = &fry->guard.copies;
	int64_t now;

	if (copies->due == NEVER)
		return NEVER;
	now = clock_now();
	copies->due = NEVER;
	for (int sig = 1; sig < SIGNALS; sig++) {
		int64_t until = NEVER;

		if (copies->of != NULL && copies->of[sig].until != 0)
			until = copy_expire(fry, sig, now);
		if (until < copies->due)
			copies->due = until;
	}
	if (copies->settled > now && copies->settled < copies->due)
		copies->due = copies->settled;
	return copies->due;
}

static bool is_holding(const struct copies *copies)
{
	for (int sig = 1; copies->of != NULL && sig < SIGNALS; sig++)
		if (copies->of[sig].until != 0)
			return true;
	return false;
}

/* Whether the outer process, if it can be asked, has relayed all that was pending when it was asked. */
static bool all_is_relayed(const struct fry *fry)
{
	const struct channel *channel = &fry->shared->channel;

	return fry->outer == 0 ||
	       ((int)(channel->answered - fry->guard.copies.settled_question) >= 0 &&
		channel->taken == channel->sent);
}

/*
 * COMMAND may have ended by a signal that a caller is still sending to other descendants and to fry-run, or that
 * this process holds. A descendant that has had the signal must not get it again as a leftover. So wait for HOLD
 * in case a copy comes, and for what the outer process has yet to relay. If a stop was requested, and nothing is
 * held, the signal is known. With --leftover=fail, wait then for descendants that are about to end of it.
 */
bool copies_settled(struct fry *fry)
{
	struct copies *copies = &fry->guard.copies;
	bool asked = fry->shared->result.asked && !is_holding(copies);
	bool fails = fry->options.leftover == LEFTOVER_FAIL;
	int64_t now = clock_now();

	if (copies->settled == 0) {
		if (asked ? !fails : fry->outer == 0)
			return true;
		copies->settled = now + (asked ? LONGEST_HOLD : HOLD);
		copies->settled_limit = now + LONGEST_HOLD;
		if (copies->due > copies->settled)
			copies->due = copies->settled;
		copies->settled_question = ++fry->shared->channel.asked;
		signal_outer(fry, SIGCHLD);
	}
	if (now >= copies->settled_limit)
		return true;
	return now >= copies->settled && !is_holding(copies) && all_is_relayed(fry);
}
