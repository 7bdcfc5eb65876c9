/*
 * guard.c - two processes, so that SIGKILL to one of them leaves nothing
 *
 * The caller starts the outer process, which starts the inner process, which starts COMMAND. The outer and
 * the inner process are subreapers.
 *
 * - The outer process has a loop of its own, guard_run(): it relays what it receives, stops and continues
 *   together with COMMAND, and exits with the status that the inner process reports.
 * - The inner process runs the loop in fry.c. If the outer process is killed, it kills everything.
 * - If the inner process is killed, its tree is reparented to the outer one, which kills everything.
 *
 * Questions of other files about the two processes are answered in process.c, which is below this file.
 *
 * A signal is relayed through a ring in shared memory, since a siginfo can be forged. COMMAND may stop or
 * trace the inner process: the outer process waits for it until the schedule is over, then asks for a sign
 * of life, and kills it if there is none.
 */
/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "copies.h"
#include "fry.h"
#include "pending.h"
#include "process.h"
#include "reap.h"
#include "signals.h"
#include "sys.h"

/* How long after KILL is due the outer process asks for a sign of life, and how long it waits for one. */
#define INNER_WAIT SECOND

enum { DEATH_SIGNAL = 63 }; /* see inner_start_elsewhere() */

static void outer_start(struct fry *fry, pid_t inner)
{
	fry->role = OUTER;
	fry->inner = inner;
	fry->tree.max_pid_seen = inner;
}

/*
 * The inner process is in another pid namespace, after `unshare --pid` or `nsenter --pid --no-fork`. The
 * outer process has no pid there, and getppid(2) is 0 before and after its death. PID 1 of a namespace
 * dies of a KILL from outside, and the kernel kills the namespace with it: pid_namespaces(7). In a
 * namespace with another PID 1 a signal that is otherwise unused reports the death.
 */
static void inner_start_elsewhere(struct fry *fry)
{
	fry->outer = 0;
	prctl(PR_SET_PDEATHSIG, fry->self == 1 ? SIGKILL : DEATH_SIGNAL);
}

/*
 * The sender is outside of the namespace and runs as the same user or as root, so it may kill fry-run anyway.
 * With a full queue of signals the kernel gives 0 for both numbers.
 */
static bool is_outer_death(const struct fry *fry, const siginfo_t *info)
{
	return fry->outer == 0 && info->si_signo == DEATH_SIGNAL && info->si_code == SI_USER &&
	       info->si_pid == 0 && (info->si_uid == getuid() || info->si_uid == 0);
}

static void inner_start(struct fry *fry)
{
	pid_t outer;

	fry->role = INNER;
	fry->report = -1;         /* the outer process writes it */
	fry->options.hangup = -1; /* the outer process waits for it */
	fry->outer = fry->self;
	fry->self = getpid();
	fry->guard.outer_has_children = fry->inherited;
	/* `pkill -x fry-run` must find the outer process alone. */
	prctl(PR_SET_NAME, "fry-inner");
	/* CONT is received even by an inner process that is stopped. */
	prctl(PR_SET_PDEATHSIG, SIGCONT);
	outer = getppid();
	if (outer == 0)
		inner_start_elsewhere(fry);
	if (outer != fry->outer)
		_exit(EXIT_FRY); /* the outer process died before prctl(2), and nothing is started yet */
	log_verbose(fry, 1, "guard: the inner process is %d", (int)fry->self);
	fry->inherited = false;
	if (fry->subreaper)
		subreaper_acquire(); /* before COMMAND can leave an orphan */
	if (fry->options.placement == PLACE_INHERIT)
		return;
	/* A kill of the caller's group must not hit both processes. */
	if (setpgid(0, 0) == 0)
		fry->pgid = fry->self;
	/* The outer process relays what was sent to that group before. */
	pending_discard(SIGCHLD);
}

void guard_start(struct fry *fry)
{
	pid_t inner;

	fry->guard.copies.due = NEVER;
	if (!fry->options.guard || fry->options.pause || fry->self == 1)
		return;
	if (fry->inherited)
		tree_save_inherited(fry);
	if (copies_init(&fry->guard.copies) == -1)
		die_memory();
	/* The inner process's death sends CONT, which continues an outer process that is stopped. */
	inner = process_fork(SIGCONT);
	if (inner == -1 && errno == EINVAL)
		inner = process_fork(
			SIGCHLD); /* emulators and some kernels support no other signal */
	if (inner == -1)
		die_fork(errno);
	if (inner == 0) {
		inner_start(fry);
		return;
	}
	outer_start(fry, inner);
	signals_snapshot_pending(
		fry); /* what came before the fork is pending in this process alone */
}

void guard_rename(const struct fry *fry)
{
	static const char name[] = "fry-inner";

	if (fry->role != INNER || fry->argv_area_size < sizeof(name))
		return;
	memset(fry->argv_area, 0, fry->argv_area_size);
	memcpy(fry->argv_area, name, sizeof(name));
}

/* The ring is full if the inner process is slow, stopped or traced. */
static bool relay_is_full(const struct fry *fry)
{
	const struct channel *channel = &fry->shared->channel;

	return channel->sent - channel->taken >= MAX_RELAYS;
}

/* For a termination request at this time: set the deadline of the inner process, unless one is earlier. */
static void outer_expect_end(struct fry *fry, int64_t from)
{
	int64_t due = clock_add(clock_add(from, schedule_until_kill(&fry->schedule)), INNER_WAIT);

	fry->guard.request_known = true;
	if (due < fry->guard.deadline)
		fry->guard.deadline = due;
}

static void relay_send(struct fry *fry, const siginfo_t *info, bool terminating)
{
	struct channel *channel = &fry->shared->channel;

	if (relay_is_full(fry))
		return;
	if (terminating || info->si_signo == SIGKILL)
		outer_expect_end(fry, clock_now());
	if (terminating)
		fry->shared->result.asked = true;
	if (info->si_signo == SIGCONT)
		tty_note_cont(fry);
	channel->relay[channel->sent % MAX_RELAYS] = (struct relay){
		info->si_signo, info->si_code,  info->si_pid,
		info->si_uid,   info->si_value, terminating,
	};
	++channel->sent; /* after the entry is complete: this process may be killed between the two */
	kill(fry->inner, SIGCHLD);
}

/* Relay a received signal, unless it is about fry-run itself. */
static void outer_accept(struct fry *fry, const siginfo_t *info)
{
	bool terminating;

	if (signals_accept(fry, info, &terminating))
		relay_send(fry, info, terminating);
}

/* Relay a signal as if it had been received from a process. */
static void relay_inject(struct fry *fry, int sig)
{
	siginfo_t info = {.si_signo = sig, .si_code = SI_USER};

	relay_send(fry, &info, options_let_stop(&fry->options, sig));
}

/* If the parent has died, act as if the signal of --parent-death had been received, once; --hangup: TERM. */
static void outer_check_caller(struct fry *fry, const siginfo_t *last)
{
	if (signals_parent_died(fry, last))
		relay_inject(fry, fry->options.parent_death);
	if (!relay_is_full(fry) && hangup_seen(fry))
		relay_inject(fry, SIGTERM);
}

/* If COMMAND has stopped, relay a pending instance of that signal, then stop, so that the shell notices. */
static void outer_follow_stop(struct fry *fry)
{
	int sig = tty_stop_due(fry);
	siginfo_t info;

	if (sig == 0)
		return;
	if (pending_consume(sig, &info))
		outer_accept(fry, &info);
	tty_suspend_self(fry, sig);
}

/*
 * The inner process missed its deadline. It may have been frozen with its cgroup for a while, or wait for
 * processes that do not die, so ask it for a sign of life every INNER_WAIT. Kill it if there is none.
 */
static void outer_expire(struct fry *fry)
{
	struct guard *guard = &fry->guard;
	unsigned loops = fry->shared->channel.loops;

	if (!guard->asked || loops != guard->loops) {
		guard->asked = true;
		guard->loops = loops;
		guard->deadline = clock_add(clock_now(), INNER_WAIT);
		kill(fry->inner, SIGCHLD);
		return;
	}
	if (guard->overdue) {
		guard->given_up = true; /* frozen, it does not die of KILL: cgroups(7), version 1 */
		return;
	}
	guard->overdue = true;
	guard->deadline = clock_add(clock_now(), INNER_WAIT);
	fry->shared->result.timed_out |= fry->options.timeout != 0 && !fry->shared->result.asked;
	warn("the inner process does not respond: killing everything");
	kill(fry->inner, SIGKILL);
}

/*
 * Whether the inner process has died, or is given up. wait(2) does not report its death as long as a tracer
 * has not waited for it. Its pidfd does, and before Linux 5.3 its state in /proc.
 */
static bool outer_lost_inner(const struct fry *fry)
{
	struct pollfd polled = {.fd = fry->guard.inner_fd, .events = POLLIN};

	if (fry->inner == 0 || fry->guard.given_up)
		return true;
	if (polled.fd == -1)
		return fry->guard.overdue && process_died(fry->inner);
	return poll(&polled, 1, 0) == 1;
}

static void outer_reap(struct fry *fry)
{
	bool left;

	if (reap_drain(fry, &left) != 0 && fry->inherited && fry->inner != 0)
		kill(fry->inner, SIGCHLD); /* it waits for inherited children, too */
}

/*
 * Wait for a signal, the death of the inner process or the deadline. Returns the deadline for receiving a
 * signal afterwards: 0 if this function has waited.
 */
static int64_t outer_wait(const struct fry *fry, int64_t deadline)
{
	const struct guard *guard = &fry->guard;

	/* Before Linux 5.3, or if no descriptor was left: see outer_lost_inner(). */
	if ((guard->inner_fd == -1 || guard->signal_fd == -1) && guard->overdue)
		deadline = clock_now() + MILLISECOND;
	return hangup_poll(fry, guard->signal_fd, guard->inner_fd, deadline);
}

/* The ring is full: leave further signals pending in the kernel, and look again soon. */
static void outer_wait_for_room(struct fry *fry)
{
	siginfo_t info;

	/* The inner process may hang: set a deadline if a termination request waits or the caller is gone. */
	if (signals_termination_pending() || hangup_now(fry) ||
	    (fry->options.parent_death != 0 && getppid() != fry->caller))
		outer_expect_end(fry, clock_now());
	pending_wait(&info, clock_now() + MILLISECOND, SIGCHLD);
}

/* If the inner process has asked for it, answer as soon as no signal is left to relay. */
static void outer_answer(struct fry *fry)
{
	struct channel *channel = &fry->shared->channel;
	unsigned question = channel->asked;

	if (channel->answered == question || pending_has_any())
		return;
	channel->answered_after = channel->sent;
	channel->answered = question;
	kill(fry->inner, SIGCHLD);
}

/* The inner process has ended. If it was killed, its tree is below this process now. */
static void outer_end(struct fry *fry)
{
	struct shared *shared = fry->shared;

	if (shared->result.final) {
		/* Without /proc the inner process does not see children that were inherited. */
		if (!fry->inherited || proc_is_ours(fry) || fry->options.leftover == LEFTOVER_LEAVE)
			return;
		fry->role = ALONE;
		if (shared->result.asked || shared->result.timed_out) /* its schedule is gone */
			signals_start_schedule(fry);
		return;
	}
	/* Its wait status is unknown if a tracer has not waited for it. A reported status of COMMAND holds. */
	if (fry->inner != 0)
		fry->guard.inner_status = SIGKILL;
	/* It may be frozen, and its tree then stays below it: it is a descendant like any other now. */
	if (fry->guard.given_up)
		fry->inner = 0;
	if (WIFSIGNALED(fry->guard.inner_status) && !fry->guard.overdue)
		warn("the inner process was killed: killing everything");
	/* If it has exited, it has failed and said why: COMMAND was not started. */
	if (!shared->result.ended && WIFSIGNALED(fry->guard.inner_status)) {
		shared->result.status = fry->guard.inner_status;
		shared->result.ended = true;
	}
	schedule_kill(&fry->schedule);
	reap_kill(fry);
}

/* Open what guard_run() waits for. */
static void outer_open(struct fry *fry)
{
	fry->guard.signal_fd = pending_open();
	fry->guard.inner_fd = (int)syscall(SYS_pidfd_open, fry->inner, 0);
}

bool guard_run(struct fry *fry)
{
	siginfo_t info = {0};
	int64_t deadline;
	int except;

	if (fry->role != OUTER)
		return false;
	outer_open(fry);
	fry->guard.deadline = NEVER;
	if (fry->options.timeout != 0)
		outer_expect_end(fry, clock_add(clock_now(), fry->options.timeout));
	fry->guard.request_known = false;
	for (;;) {
		outer_reap(fry);
		if (outer_lost_inner(fry))
			break;
		if (fry->shared->result.asked && !fry->guard.request_known)
			outer_expect_end(fry, clock_now());
		if (fry->guard.deadline != NEVER && fry->guard.deadline <= clock_now())
			outer_expire(fry);
		if (relay_is_full(fry)) {
			outer_wait_for_room(fry);
			continue;
		}
		outer_follow_stop(fry);
		outer_check_caller(fry, &info);
		if (relay_is_full(fry))
			continue;
		outer_answer(fry);
		/* The lowest number is delivered first: skip SIGCHLD once, so that others are not starved. */
		except = info.si_signo == SIGCHLD ? SIGCHLD : 0;
		deadline = except != 0 ? 0 : outer_wait(fry, fry->guard.deadline);
		info.si_signo = 0;
		if (pending_receive(&info, deadline, except) != 0)
			outer_accept(fry, &info);
	}
	if (fry->inner != 0)
		outer_reap(fry); /* it may have ended since the last look */
	/* tty_end() and a walk need a descriptor, and the limit may be three. */
	close(fry->guard.signal_fd);
	close(fry->guard.inner_fd);
	outer_end(fry);
	return fry->role == OUTER;
}

bool guard_hand_over(struct fry *fry)
{
	if (fry->role != INNER || outer_died(fry))
		return false;
	fry->shared->result.final = true;
	return true;
}

/* A tracer of either process can write to the ring: check what is read. */
static bool relay_take(struct channel *channel, siginfo_t *info, bool *terminating)
{
	struct relay relay = channel->relay[channel->taken % MAX_RELAYS];

	*info = (siginfo_t){.si_signo = relay.signal, .si_code = relay.code};
	info->si_pid = relay.sender;
	info->si_uid = relay.user;
	info->si_value = relay.value;
	*terminating = relay.terminating;
	channel->taken++;
	return relay.signal > 0 && relay.signal < SIGNALS;
}

/* Wake the outer process after a termination request that it has not relayed: it has to set its deadline. */
static void inner_report_request(struct fry *fry)
{
	if (fry->guard.request_known || !fry->shared->result.asked)
		return;
	fry->guard.request_known = true;
	signal_outer(fry, SIGCHLD);
}

void guard_take(struct fry *fry)
{
	struct channel *channel = &fry->shared->channel;
	siginfo_t info;
	bool terminating;

	if (fry->role != INNER)
		return;
	inner_beat(fry);
	/* A tracer can write any count: read no more entries than the ring holds. */
	for (int room = MAX_RELAYS; room > 0 && channel->taken != channel->sent; room--) {
		if (!relay_take(channel, &info, &terminating))
			continue;
		fry->guard.request_known |= terminating;
		copies_relayed(fry, &info, terminating);
	}
	inner_report_request(fry);
}

bool guard_receive(struct fry *fry, siginfo_t *info)
{
	if (fry->role != INNER)
		return false;
	if (is_outer_death(fry, info)) {
		fry->guard.outer_died = true;
		return true;
	}
	/* This CONT only wakes: the outer process has continued this one, or has died. */
	if (info->si_signo == SIGCONT && info->si_code == SI_USER && info->si_pid == fry->outer)
		return true;
	return copies_received(fry, info);
}
