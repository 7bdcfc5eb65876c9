/*
 * guard.c - two processes, so that SIGKILL to one of them leaves nothing
 *
 * The outer process is the one that the caller knows. It starts the inner one as its COMMAND, and
 * the inner one starts COMMAND. Both run the same loop, and both are subreapers:
 *
 * - What the outer receives it does not forward but relays, with all that is known about it. It
 *   ends as the inner one tells that COMMAND did. Children that the caller's program left to it
 *   are its own, and it stops them by the same schedule.
 * - If the outer is killed, the inner kills everything at once.
 * - If the inner is killed, everything falls to the outer, which does the same.
 */
/* SPDX-License-Identifier: MIT */
#include "fry.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	/*
	 * A relayed signal comes as this one, which queues. As itself it would coalesce with one
	 * that was sent to the inner process directly, and nobody could tell the two apart.
	 */
	RELAY_SIGNAL = 40, /* emulators keep the last ones for themselves */
	/* The kernel takes a siginfo as it was written if its code is negative: what it was... */
	RELAY_CODE = -70,
	/* ...is packed into si_errno: the code, whether it is a stop request, and the signal. */
	STOPPING = 1 << 8,
	CODE_SHIFT = 9,
	/* The queue is for all processes of a user, and an inner process that is stopped takes none. */
	MAX_RELAYED = 64,
	STANDARD_SIGNALS = 32 /* from here on they are real-time ones, which queue */
};

/*
 * How long to wait for the other copy of what may have been sent to the whole group. The kernel
 * sends all of them in one go, in which it may be interrupted on a busy machine; the relayed one has
 * to wait for the outer process to run.
 */
#define COPY_WAIT  (20 * MILLISECOND)
#define RELAY_WAIT SECOND

static void outer_start(struct fry *fry, pid_t inner)
{
	fry->role = OUTER;
	fry->child = inner;
	fry->highest = inner;
	fry->owns_group = false;
	/* When the last wait is over, the inner one should have given up, and told. */
	fry->stop.step[fry->stop.steps - 1].wait =
		clock_add(fry->stop.step[fry->stop.steps - 1].wait, SECOND);
}

static void inner_start(struct fry *fry)
{
	fry->role = INNER;
	fry->parent = fry->self;
	fry->self = getpid();
	/* CONT, so that it is heard even where the inner one is stopped. */
	prctl(PR_SET_PDEATHSIG, SIGCONT);
	/* So that `pkill -x fry-run` means the outer one. */
	prctl(PR_SET_NAME, "fry-inner");
	if (getppid() != fry->parent)
		_exit(EXIT_FRY); /* it was too late to ask, and nothing is started yet */
	say_verbose(fry, 1, "guard: the inner process is %d", (int)fry->self);
	reap_start(fry);
	if (fry->options.placement == PLACE_INHERIT)
		return;
	/* Who kills the caller's group must not get both. What it got before, the outer relays. */
	if (setpgid(0, 0) == 0)
		fry->own_group = fry->self;
	signals_discard(RELAY_SIGNAL);
}

/*
 * fork(2), but with CONT for SIGCHLD at the child's death: it is heard even where fry-run is
 * stopped. Emulators and some kernels know SIGCHLD only.
 */
static pid_t fork_waking(void)
{
#ifdef __s390__
	long child = syscall(SYS_clone, 0, SIGCONT, 0, 0, 0);
#else
	long child = syscall(SYS_clone, SIGCONT, 0, 0, 0, 0);
#endif

	return child == -1 && errno == EINVAL ? fork() : (pid_t)child;
}

void guard_start(struct fry *fry)
{
	pid_t inner;

	if (!fry->options.guard || fry->options.pause || fry->self == 1)
		return;
	signals_before(fry);
	if (fry->inherited)
		tree_keep(fry);
	inner = fork_waking();
	if (inner == -1)
		refuse_fork(fry);
	if (inner == 0)
		inner_start(fry);
	else
		outer_start(fry, inner);
}

bool guard_holds(const struct fry *fry)
{
	return fry->role == OUTER && fry->child != 0;
}

bool guard_owns(const struct fry *fry, pid_t pid)
{
	return pid == fry->self || (guard_holds(fry) && pid == fry->child) ||
	       (fry->role == INNER && pid == fry->parent);
}

void guard_rename(const struct fry *fry)
{
	static const char name[] = "fry-inner";

	if (fry->words_size < sizeof(name))
		return;
	memset(fry->words, 0, fry->words_size);
	memcpy(fry->words, name, sizeof(name));
}

/* Returns false where there is no room: a standard signal is merged then, as one that is pending. */
static bool relay_queue(struct fry *fry, int sig, siginfo_t *relay)
{
	_Atomic unsigned *relayed = &fry->outcome->relayed;

	if (sig < STANDARD_SIGNALS && *relayed >= MAX_RELAYED)
		return false;
	++*relayed; /* before it can be taken */
	if (syscall(SYS_rt_sigqueueinfo, fry->child, RELAY_SIGNAL, relay) == 0)
		return true;
	--*relayed;
	return false;
}

void guard_relay(struct fry *fry, const siginfo_t *info, bool stopping)
{
	siginfo_t relay = *info;
	bool wake = true;

	if (info->si_signo == SIGCONT)
		tty_woken(fry);
	relay.si_signo = RELAY_SIGNAL;
	relay.si_errno = (int)((unsigned)info->si_code << CODE_SHIFT) | (stopping ? STOPPING : 0) |
			 info->si_signo;
	relay.si_code = RELAY_CODE;
	if (relay_queue(fry, info->si_signo, &relay)) {
		wake = stopping || info->si_signo == SIGCONT;
	} else if (info->si_signo < STANDARD_SIGNALS) {
		fry->outcome->merged[stopping] |= 1U << (info->si_signo - 1);
	} else {
		kill(fry->child, info->si_signo);
	}
	if (wake)
		kill(fry->child, SIGCONT);
}

/* It cannot be another's number: opened first, and then found to be the parent still. */
void guard_poke(const struct fry *fry, int sig)
{
	int fd;

	if (fry->role != INNER)
		return;
	fd = (int)syscall(SYS_pidfd_open, fry->parent, 0);
	if (getppid() == fry->parent &&
	    (fd == -1 ||
	     (syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) == -1 && errno == ENOSYS)))
		kill(fry->parent, sig); /* before Linux 5.3 */
	if (fd != -1)
		close(fd);
}

/* Whether the inner one shares a group with COMMAND, and so sees what is sent to both. */
static bool is_witness(const struct fry *fry)
{
	return fry->options.placement == PLACE_INHERIT;
}

static bool is_job_control(int sig)
{
	return sig == SIGCONT || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

/* Whether COMMAND was stopped once more after a CONT was sent, which has had its effect then. */
static bool is_overtaken(const struct fry *fry, int sig)
{
	return sig == SIGCONT && fry->outcome->stopped != 0 &&
	       fry->outcome->continued < fry->outcome->stops;
}

/*
 * CONT discards the stops that are pending in a process, and a stop discards CONT: then one of the
 * copies never comes, and the others count no more. Returns whether this one is among those.
 */
static bool witness_void(struct fry *fry, int sig, bool relayed)
{
	struct witness *cont = &fry->witness[SIGCONT];

	if (sig == SIGCONT) {
		for (int stop = SIGTSTP; stop <= SIGTTOU; stop++)
			fry->witness[stop] = (struct witness){0};
		return false;
	}
	if (relayed && cont->own > 0)
		return true; /* the CONT that came after it was seen already */
	*cont = (struct witness){0};
	return false;
}

/* The other copies did not come: those were sent to fry-run alone. */
static void witness_alone(struct fry *fry, int sig)
{
	struct witness seen = fry->witness[sig];
	siginfo_t info = {.si_signo = sig, .si_code = SI_USER};

	info.si_pid = seen.sender;
	fry->witness[sig] = (struct witness){0};
	/* Of what controls a job the kernel itself drops one, or it came out of turn. */
	for (; seen.own > 0 && !is_job_control(sig); seen.own--)
		signals_act(fry, &info);
	for (; seen.own < 0 && !is_overtaken(fry, sig); seen.own++)
		signals_request(fry, &info, seen.stopping);
}

/*
 * In COMMAND's group the inner process gets what is sent to the group, and the outer relays its
 * own copy. Where both come, in whatever order, COMMAND has had it as well, if it was there.
 */
static void witness(struct fry *fry, siginfo_t *info, bool relayed, bool stopping)
{
	int sig = info->si_signo;
	struct witness *seen = &fry->witness[sig];
	bool pair;

	if (is_job_control(sig) && witness_void(fry, sig, relayed))
		return;
	pair = relayed ? seen->own > 0 : seen->own < 0;
	seen->own += relayed ? -1 : 1;
	seen->stopping |= stopping;
	if (!pair) {
		seen->sender = info->si_pid;
		if (seen->until == 0)
			seen->until = clock_now() + (relayed ? COPY_WAIT : RELAY_WAIT);
		return;
	}
	stopping = seen->stopping;
	if (seen->own == 0)
		*seen = (struct witness){0};
	/* It was not there yet, or is in another group by now. */
	if (signals_early(fry, sig) || signals_group(fry) != fry->own_group)
		signals_request(fry, info, stopping);
	else if (stopping)
		signals_witnessed(fry, sig, fry->group);
}

static void relay_receive(struct fry *fry, siginfo_t *info, bool stopping)
{
	if (is_witness(fry) && info->si_code == SI_USER)
		witness(fry, info, true, stopping);
	else if (!is_overtaken(fry, info->si_signo))
		signals_request(fry, info, stopping);
}

/* Take what had no room in the queue, and so comes without its sender. */
static void merged_receive(struct fry *fry)
{
	for (int stopping = 0; stopping < 2; stopping++) {
		unsigned merged = fry->outcome->merged[stopping];

		if (merged != 0)
			merged = atomic_exchange(&fry->outcome->merged[stopping], 0);
		for (int sig = 1; merged != 0; sig++, merged >>= 1) {
			siginfo_t info = {.si_signo = sig, .si_code = SI_USER};

			if ((merged & 1) != 0)
				relay_receive(fry, &info, stopping != 0);
		}
	}
}

bool guard_receive(struct fry *fry, siginfo_t *info)
{
	if (fry->role != INNER)
		return false;
	if (info->si_code == RELAY_CODE) {
		unsigned packed = (unsigned)info->si_errno;

		fry->outcome->relayed--;
		info->si_signo = (int)(packed & (STOPPING - 1));
		info->si_code = (int)packed >> CODE_SHIFT;
		info->si_errno = 0;
		relay_receive(fry, info, (packed & STOPPING) != 0);
		return true;
	}
	/* That the outer one has died, or wants to be heard; for its death there is getppid(2). */
	if (info->si_signo == SIGCONT && info->si_code == SI_USER && info->si_pid == fry->parent)
		return true;
	if (!is_witness(fry) || info->si_signo == SIGCHLD)
		return false;
	if (info->si_code != SI_USER) {
		if (is_job_control(info->si_signo)) /* typed, which COMMAND has as well */
			witness_void(fry, info->si_signo, false);
		return false;
	}
	witness(fry, info, false, false);
	return true;
}

int64_t guard_expire(struct fry *fry)
{
	int64_t next = NEVER, now;

	if (fry->role != INNER)
		return NEVER;
	merged_receive(fry);
	if (!is_witness(fry))
		return NEVER;
	now = clock_now();
	for (int sig = 1; sig < SIGNALS; sig++) {
		int64_t until = fry->witness[sig].until;

		if (until != 0 && until <= now)
			witness_alone(fry, sig);
		else if (until != 0 && until < next)
			next = until;
	}
	return next;
}
