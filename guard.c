/*
 * guard.c - two processes, so that SIGKILL to one of them leaves nothing
 *
 * The outer process is the one that the caller knows. It starts the inner process, and that one starts
 * COMMAND. Both are subreapers.
 *
 * - The outer process has a loop of its own, outer_run(): it relays what it receives, stops and goes
 *   on with COMMAND's job, and exits with the status that the inner process reports.
 * - The inner process runs the loop in fry.c. If the outer process is killed, it kills everything.
 * - If the inner process is killed, its tree is reparented to the outer one, which kills everything.
 *
 * A signal is relayed through a ring in shared memory. COMMAND may be of another user, or a tracer: the
 * outer process believes no siginfo about the inner one, and waits for it no longer than the schedule
 * takes.
 */
/* SPDX-License-Identifier: MIT */
#include "fry.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * How long to wait for the other copy of what may have been sent to the whole group. The kernel
 * sends all of them in one go, in which it may be interrupted on a busy machine; the relayed one has
 * to wait for the outer process to run.
 */
#define COPY_WAIT  (20 * MILLISECOND)
#define RELAY_WAIT SECOND

/* An inner process that does what is due this much later, and answers as late, is only slow. */
#define INNER_WAIT SECOND

enum { DEATH_SIGNAL = 63 };

static void outer_start(struct fry *fry, pid_t inner)
{
	fry->role = OUTER;
	fry->inner = inner;
	fry->highest = inner;
}

/*
 * The inner process is in another pid namespace, by `unshare --pid` or `nsenter --pid --no-fork`. The
 * outer one has no number there, and getppid(2) is 0 before and after its death. As PID 1 the inner
 * process obeys a KILL from outside, and the kernel takes the namespace down with it: pid_namespaces(7).
 * Elsewhere a signal that nothing else sends has to tell.
 */
static void inner_start_elsewhere(struct fry *fry)
{
	fry->parent = 0;
	prctl(PR_SET_PDEATHSIG, fry->self == 1 ? SIGKILL : DEATH_SIGNAL);
}

/* It comes from outside of the namespace, and from this user, who may kill fry-run anyway. */
static bool is_outer_death(const struct fry *fry, const siginfo_t *info)
{
	return fry->parent == 0 && info->si_signo == DEATH_SIGNAL && info->si_code == SI_USER &&
	       info->si_pid == 0 && info->si_uid == getuid();
}

static void inner_start(struct fry *fry)
{
	fry->role = INNER;
	fry->parent = fry->self;
	fry->self = getpid();
	fry->outer_children = fry->inherited;
	/* So that `pkill -x fry-run` means the outer process. */
	prctl(PR_SET_NAME, "fry-inner");
	if (getppid() == 0)
		inner_start_elsewhere(fry);
	else
		/* CONT, so that it is heard even where the inner process is stopped. */
		prctl(PR_SET_PDEATHSIG, SIGCONT);
	if (getppid() != fry->parent)
		_exit(EXIT_FRY); /* it died before that, and nothing is started yet */
	say_verbose(fry, 1, "guard: the inner process is %d", (int)fry->self);
	reap_start(fry);
	if (fry->options.placement == PLACE_INHERIT)
		return;
	/* A kill of the caller's group must not hit both processes. */
	if (setpgid(0, 0) == 0)
		fry->own_group = fry->self;
	/* The outer process relays what was sent to that group before. */
	signals_discard(SIGCHLD);
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
	if (inner == 0) {
		inner_start(fry);
		return;
	}
	outer_start(fry, inner);
	/* The inner process has no copy of what came just before the fork. */
	signals_before(fry);
}

/* Whether the outer process lives. Its number is its own as long as it is the parent. */
static bool outer_lives(const struct fry *fry)
{
	return fry->role == INNER && getppid() == fry->parent;
}

bool guard_owns(const struct fry *fry, pid_t pid)
{
	return pid == fry->self || (pid == fry->inner && fry->role == OUTER) ||
	       (fry->role == INNER && pid == fry->parent && outer_lives(fry));
}

bool guard_outer_died(struct fry *fry)
{
	if (fry->role == INNER && !outer_lives(fry)) {
		fry->outer_died = true;
		fry->outer_children = false; /* the number may be another's from now on */
	}
	return fry->outer_died;
}

void guard_rename(const struct fry *fry)
{
	static const char name[] = "fry-inner";

	if (fry->words_size < sizeof(name))
		return;
	memset(fry->words, 0, fry->words_size);
	memcpy(fry->words, name, sizeof(name));
}

/* It cannot be another's number: opened first, and then found to be the parent still. */
void guard_poke(const struct fry *fry, int sig)
{
	int fd;

	if (fry->role != INNER || fry->parent == 0) /* kill(0) would be for our own group */
		return;
	fd = (int)syscall(SYS_pidfd_open, fry->parent, 0);
	if (outer_lives(fry) &&
	    (fd == -1 ||
	     (syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) == -1 && errno == ENOSYS)))
		kill(fry->parent, sig); /* before Linux 5.3 */
	if (fd != -1)
		close(fd);
}

/* There is no room in the ring: the inner process is slow, stopped or traced. */
static bool relay_is_full(const struct fry *fry)
{
	const struct channel *channel = &fry->outcome->channel;

	return channel->sent - channel->taken >= MAX_RELAYS;
}

/* From a request to end on, the inner process has until KILL is due. */
static void outer_expect_end(struct fry *fry, int64_t from)
{
	int64_t due = clock_add(clock_add(from, stop_until_kill(&fry->stop)), INNER_WAIT);

	if (due < fry->outer.deadline)
		fry->outer.deadline = due;
}

void guard_relay(struct fry *fry, const siginfo_t *info, bool stopping)
{
	struct channel *channel = &fry->outcome->channel;

	if (relay_is_full(fry))
		return;
	if (stopping || info->si_signo == SIGKILL)
		outer_expect_end(fry, clock_now());
	fry->outcome->asked |= stopping;
	if (info->si_signo == SIGCONT)
		tty_woken(fry);
	channel->relay[channel->sent % MAX_RELAYS] = (struct relay){
		info->si_signo, info->si_code, info->si_pid, info->si_uid, info->si_value, stopping,
	};
	++channel->sent; /* once it is whole */
	kill(fry->inner, SIGCHLD);
}

/*
 * The deadline has come. The inner process may have been frozen, as with all of its cgroup, or be killing
 * what does not die: ask it for a sign of life, again and again, and kill it if there is none.
 */
static void outer_expire(struct fry *fry)
{
	struct outer *outer = &fry->outer;
	unsigned loops = fry->outcome->channel.loops;

	if (!outer->asked || loops != outer->loops) {
		outer->asked = true;
		outer->loops = loops;
		outer->deadline = clock_add(clock_now(), INNER_WAIT);
		kill(fry->inner, SIGCHLD);
		return;
	}
	outer->deadline = NEVER;
	outer->overdue = true;
	fry->outcome->timed_out |= fry->options.timeout != 0 && !fry->outcome->asked;
	say("the inner process does not respond: killing everything");
	kill(fry->inner, SIGKILL);
}

/*
 * Whether the inner process has died. A tracer may keep its wait status for itself, so that wait(2) never
 * tells; its pidfd does, and before Linux 5.3 its state.
 */
static bool outer_lost_inner(const struct fry *fry)
{
	struct pollfd polled = {.fd = fry->outer.inner_fd, .events = POLLIN};

	if (fry->inner == 0)
		return true;
	if (polled.fd == -1)
		return fry->outer.overdue && process_died(fry->inner);
	return poll(&polled, 1, 0) == 1;
}

static void outer_reap(struct fry *fry)
{
	bool left;

	if (reap_drain(fry, &left) != 0 && fry->inherited && fry->inner != 0)
		kill(fry->inner, SIGCHLD); /* it waits for them, too */
}

/* Wait for a signal, the death of the inner process or the deadline. Returns how long yet to wait. */
static int64_t outer_wait(const struct fry *fry, int64_t deadline)
{
	struct pollfd polled[] = {{.fd = fry->outer.inner_fd, .events = POLLIN},
				  {.fd = fry->outer.signal_fd, .events = POLLIN}};
	int64_t left = deadline == NEVER ? -1 : deadline - clock_now();

	/* Without a descriptor to spare, or before Linux 5.3: see outer_lost_inner(). */
	if (polled[0].fd == -1 || polled[1].fd == -1)
		return fry->outer.overdue ? clock_now() + MILLISECOND : deadline;
	left = left > 0 ? left / MILLISECOND + 1 : left;
	poll(polled, 2, left > INT_MAX ? INT_MAX : (int)left);
	return 0;
}

/* The ring is full: what comes now waits in the kernel, which may have more room. */
static void outer_wait_for_room(struct fry *fry)
{
	siginfo_t info;

	/* A request to end may be among it, and the inner process be stuck. */
	if (signals_stop_pending(fry))
		outer_expect_end(fry, clock_now());
	signals_wait(&info, clock_now() + MILLISECOND, SIGCHLD);
}

/* The inner process has ended. What is left is below the outer one now. */
static void outer_end(struct fry *fry)
{
	struct outcome *outcome = fry->outcome;

	if (outcome->told) {
		/* Children that were inherited, which the inner process cannot see without /proc. */
		if (fry->inherited && fry->options.leftover != LEFTOVER_LEAVE) {
			fry->role = ALONE;
			run(fry);
		}
		return;
	}
	/* Its own status is unknown if a tracer has it; what it told of COMMAND still holds. */
	if (fry->inner != 0)
		fry->inner_status = SIGKILL;
	if (WIFSIGNALED(fry->inner_status) && !fry->outer.overdue)
		say("the inner process was killed: killing everything");
	if (!outcome->ended)
		outcome->status = fry->inner_status;
	outcome->ended = true;
	outcome->lost = true;
	stop_kill(&fry->stop);
	reap_kill(fry);
}

void guard_open(struct fry *fry)
{
	fry->outer.signal_fd = descriptor_raise(signals_open());
	fry->outer.inner_fd = descriptor_raise((int)syscall(SYS_pidfd_open, fry->inner, 0));
}

void guard_run(struct fry *fry)
{
	siginfo_t info = {0};
	int64_t deadline;
	int except;

	fry->outer.deadline = NEVER;
	if (fry->options.timeout != 0)
		outer_expect_end(fry, clock_add(clock_now(), fry->options.timeout));
	for (;;) {
		outer_reap(fry);
		if (outer_lost_inner(fry))
			break;
		tty_follow(fry);
		if (fry->outer.deadline <= clock_now())
			outer_expire(fry);
		if (relay_is_full(fry)) {
			outer_wait_for_room(fry);
			continue;
		}
		check_parent(fry, &info);
		/* SIGCHLD has a low number, which the kernel gives first: let others come in between. */
		except = info.si_signo == SIGCHLD ? SIGCHLD : 0;
		deadline = except != 0 ? 0 : outer_wait(fry, fry->outer.deadline);
		info.si_signo = 0;
		if (signals_receive(&info, deadline, except) != 0)
			signals_act(fry, &info);
	}
	close(fry->outer.signal_fd);
	close(fry->outer.inner_fd);
	outer_end(fry);
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
	sigset_t had = fry->early_copy;

	/* What was typed before COMMAND was there is relayed, unless this process has a copy. */
	if (is_witness(fry) && info->si_code > 0 && mask_cut(&had, info->si_signo))
		return;
	if (is_witness(fry) && info->si_code == SI_USER)
		witness(fry, info, true, stopping);
	else if (!is_overtaken(fry, info->si_signo))
		signals_handle(fry, info, stopping);
}

void guard_beat(struct fry *fry)
{
	if (fry->role == INNER)
		fry->outcome->channel.loops++;
}

void guard_take(struct fry *fry)
{
	struct channel *channel = &fry->outcome->channel;

	if (fry->role != INNER)
		return;
	guard_beat(fry);
	while (channel->taken != channel->sent) {
		struct relay relay = channel->relay[channel->taken % MAX_RELAYS];
		siginfo_t info = {.si_signo = relay.signal, .si_code = relay.code};

		info.si_pid = relay.sender;
		info.si_uid = relay.user;
		info.si_value = relay.value;
		channel->taken++;
		relay_receive(fry, &info, relay.stopping);
	}
}

bool guard_receive(struct fry *fry, siginfo_t *info)
{
	if (fry->role != INNER)
		return false;
	if (is_outer_death(fry, info)) {
		fry->outer_died = true;
		return true;
	}
	/* The outer process has continued this one, or has died; getppid(2) tells of its death. */
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

	if (fry->role != INNER || !is_witness(fry))
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
