/*
 * signals.c - decide what a received signal means, and forward it
 *
 * Every signal is blocked from main's first line to its last and received as data (src/pending.c), so a
 * signal that comes at any moment, before COMMAND exists included, stays pending until the loop asks for
 * it. There are no handlers, and no disposition is changed but that of SIGCHLD.
 *
 * A step of the schedule that is entered by receipt of a signal forwards that signal; one that is entered
 * by time sends its signal to everything left.
 */
/* SPDX-License-Identifier: MIT */
#include "fry.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "src/pending.h"
#include "sys/sys.h"

void signals_init(struct fry *fry)
{
	static const int terminating[] = {SIGINT, SIGTERM, SIGQUIT};
	struct sigaction action;

	pending_block_all(&fry->signals.mask);
	/*
	 * Ignored, a SIGCHLD would make the kernel reap by itself, and COMMAND's status would be
	 * lost. (A blocked signal is queued even where it is ignored; the others stay as they are.)
	 */
	signal_heed(&fry->signals.child_action);
	for (size_t i = 0; i < sizeof(terminating) / sizeof(terminating[0]); i++)
		if (sigaction(terminating[i], NULL, &action) == 0)
			fry->signals.ignored[terminating[i]] = action.sa_handler == SIG_IGN;
}

void signals_restore(const struct fry *fry)
{
	if (fry->signals.child_action.sa_handler == SIG_IGN)
		sigaction(SIGCHLD, &fry->signals.child_action, NULL);
	mask_set(&fry->signals.mask, NULL);
}

/* COMMAND alone, with the value that sigqueue(3) gave and the sender as it was. */
static int signal_command(const struct fry *fry, int sig, siginfo_t *info)
{
	if (info->si_code == SI_QUEUE) {
		info->si_signo = sig;
		if (signal_queue(fry->command, info) == 0)
			return 0;
	}
	return kill(fry->command, sig);
}

/*
 * Signal COMMAND, or its whole group in one call, against which no fork can race. COMMAND is not
 * reaped yet, so neither number can be another's. Who gets it is noted before it is sent (a child
 * forked in between may get it from the schedule once more, which beats not getting it at all),
 * but only where the schedule may come to send it: otherwise the signal is on its way first.
 */
static unsigned forward_at_once(struct fry *fry, int sig, siginfo_t *info, bool group,
				bool terminating)
{
	struct broadcast note = {.signal = sig, .instead_of = info->si_signo, .record_only = true};
	bool first = schedule_may_send(&fry->schedule, info->si_signo) ||
		     schedule_may_send(&fry->schedule, sig);

	if (group)
		note.group = fry->command_pgid;
	else
		note.pid = fry->command;
	if (terminating && first)
		tree_signal(fry, &note);
	/* COMMAND may have left the group that it led, or has still to lead a session. */
	if (!group || (kill(-fry->command_pgid, sig) == -1 && errno == ESRCH))
		signal_command(fry, sig, info);
	if (terminating && !first)
		tree_signal(fry, &note);
	if (note.stopped != 0)
		kill(group ? -fry->command_pgid : fry->command, SIGCONT);
	return note.found;
}

/* Whether the kernel sent this by itself: what is typed at a terminal, for one. */
static bool is_kernels(const siginfo_t *info)
{
#ifdef SI_KERNEL
	return info->si_code == SI_KERNEL;
#else
	return info->si_code != SI_USER && info->si_code != SI_QUEUE;
#endif
}

/* Whether this says that a window has another size. */
static bool is_resize(int sig)
{
#ifdef SIGWINCH
	return sig == SIGWINCH;
#else
	return sig == 0;
#endif
}

/* Whether the terminal sent this to fry-run, and COMMAND is in another session. */
static bool is_typed_elsewhere(const struct fry *fry, const siginfo_t *info)
{
	return is_kernels(info) && fry->options.placement == PLACE_SESSION;
}

pid_t signals_command_pgid(const struct fry *fry)
{
	pid_t group = fry->command == 0 ? -1 : getpgid(fry->command);

	return group > 1 ? group : fry->command_pgid;
}

/* Whether COMMAND, now in this group, has left the one that it led, and others are there still. */
static bool has_left(const struct fry *fry, pid_t group)
{
	return group != fry->command_pgid && (kill(-fry->command_pgid, 0) == 0 || errno != ESRCH);
}

/* Whether a signal is for all of COMMAND's group, where the options leave that open. */
static bool is_for_group(const struct fry *fry, int sig, const siginfo_t *info, bool terminating)
{
	/* What a shell does to a job, it does to all of it. */
	if (sig == SIGCONT && fry->shared->channel.stopped != 0)
		return signals_command_pgid(fry) != fry->caller_pgid;
	/* What is typed is for all of a foreground job, whose group may be fry-run's by now. */
	if (is_kernels(info) && (sig == SIGTSTP || is_resize(sig)))
		return true;
	/* Or what a schedule begins with, unless --rewrite has made it another. */
	return is_termination_signal(sig) || (terminating && sig == info->si_signo);
}

/* Send sig, for which info may hold a value, to those whom the scope names. */
static void signals_forward(struct fry *fry, int sig, siginfo_t *info, bool terminating)
{
	struct broadcast broadcast = {
		.signal = sig, .instead_of = info->si_signo, .terminating = terminating};
	enum scope scope = fry->options.scope;
	pid_t group = signals_command_pgid(fry);
	int64_t now = clock_now();
	struct signal_name name;
	const char *whom;

	if (sig == SIGCONT)
		tty_set_foreground(fry, fry->command_pgid);
	/* In a session without a shell a Ctrl-Z stops nobody, unless it is made to: as dumb-init. */
	if (sig == SIGTSTP && is_typed_elsewhere(fry, info)) {
		sig = SIGSTOP;
		scope = SCOPE_GROUP;
	}
	if (scope == SCOPE_AUTO)
		scope = is_for_group(fry, sig, info, terminating) ? SCOPE_GROUP : SCOPE_COMMAND;
	if (fry->command == 0 || scope == SCOPE_TREE) {
		/* While COMMAND is gone and others remain, signals go to those others. */
		whom = "everything left";
		tree_signal(fry, &broadcast);
	} else if (scope == SCOPE_GROUP && (!fry->command_leads_group || has_left(fry, group))) {
		/* Others are in this group, too: the caller, the other end of its pipe. */
		whom = "descendants in COMMAND's group";
		broadcast.group = group;
		broadcast.pid = fry->command; /* it may be on its way to another one */
		tree_signal(fry, &broadcast);
	} else {
		whom = scope == SCOPE_GROUP ? "COMMAND's group" : "COMMAND";
		broadcast.found =
			forward_at_once(fry, sig, info, scope == SCOPE_GROUP, terminating);
	}
	fry->shared->log.forwarded[sig]++;
	if (terminating)
		report_step(fry, sig, now, broadcast.found);
	log_verbose(fry, 1, "sent %s to %s", signame_format(sig, &name), whom);
}

/* Whether a signal is about fry-run itself rather than for COMMAND. */
static bool is_own(const struct fry *fry, const siginfo_t *info)
{
	switch (info->si_signo) {
	case SIGCHLD:
		return true;
	case SIGPIPE:
	case SIGXFSZ: /* of a write to stderr: the kernel names the writer as the sender */
		return info->si_code == SI_USER && info->si_pid == fry->self;
	case SIGCONT: /* of the inner process: COMMAND goes on, or it has died */
		return (info->si_code >= CLD_EXITED && info->si_code <= CLD_CONTINUED) ||
		       (info->si_code == SI_USER && fry->inner != 0 && info->si_pid == fry->inner);
	case SIGXCPU: /* of fry-run's own RLIMIT_CPU; COMMAND has its own count */
		return is_kernels(info);
	default:
		return false;
	}
}

void signals_snapshot_pending(struct fry *fry)
{
	sigemptyset(&fry->signals.early);
	sigpending(&fry->signals.early);
	fry->signals.early_copy = fry->signals.early;
}

void signals_resend_early(const struct fry *fry)
{
	sigset_t now, early = fry->signals.early;

	if (sigpending(&now) == -1)
		return;
	for (int sig = 1; sig < STANDARD_SIGNALS; sig++) /* others would queue rather than merge */
		if (mask_test_clear(&now, sig) && !mask_test_clear(&early, sig) && sig != SIGCHLD &&
		    sig != SIGCONT)
			kill(fry->command, sig);
}

bool signals_was_early(struct fry *fry, int sig)
{
	return mask_test_clear(&fry->signals.early, sig);
}

bool signals_termination_pending(const struct fry *fry)
{
	return (pending_has(SIGINT) && !fry->signals.ignored[SIGINT]) ||
	       (pending_has(SIGTERM) && !fry->signals.ignored[SIGTERM]) ||
	       (pending_has(SIGQUIT) && !fry->signals.ignored[SIGQUIT]);
}

/* Whether the terminal sent this, and so to COMMAND, in the same group, as well. */
static bool is_typed(const struct fry *fry, const siginfo_t *info)
{
	if (!is_kernels(info) || fry->options.placement != PLACE_INHERIT)
		return false;
	switch (info->si_signo) {
	case SIGHUP: /* a session leader is the only one to get the hang-up, and CONT with it */
	case SIGCONT:
		return fry->sid != fry->public_pid;
	case SIGINT:
	case SIGQUIT:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		return true;
	default:
		return is_resize(info->si_signo);
	}
}

/* Forward a signal, as this one, unless the KILL step takes everything anyway. */
static void signals_apply_as(struct fry *fry, int as, siginfo_t *info, bool terminating)
{
	if (terminating)
		schedule_request(&fry->schedule, info->si_signo, clock_now());
	fry->shared->result.asked |= terminating;
	if (as != 0 && schedule_signal(&fry->schedule) != SIGKILL)
		signals_forward(fry, as, info, terminating);
}

void signals_apply(struct fry *fry, siginfo_t *info, bool terminating)
{
	if (fry->pausing) /* nobody is there to be signalled */
		fry->pausing = !terminating && info->si_signo != SIGKILL;
	else if (info->si_signo == SIGKILL)
		schedule_kill(&fry->schedule); /* the parent's death may mean that */
	else
		signals_apply_as(fry, fry->options.as[info->si_signo], info, terminating);
}

void signals_inject(struct fry *fry, int sig)
{
	siginfo_t info = {.si_signo = sig, .si_code = SI_USER};

	signals_apply(fry, &info, is_termination_signal(sig));
}

bool signals_parent_died(struct fry *fry, const siginfo_t *last)
{
	struct result *result = &fry->shared->result;
	bool died = fry->options.parent_death != 0 && getppid() != fry->caller;

	/* A parent in another pid namespace has no number; its death has no sender either. */
	if (fry->options.parent_death != 0 && fry->caller == 0 && last->si_signo == SIGCHLD &&
	    last->si_code == SI_USER)
		died = last->si_pid == 0;
	if (!died || result->orphaned)
		return false;
	result->orphaned = true;
	log_verbose(fry, 1, "the parent has died");
	return true;
}

void signals_start_schedule(struct fry *fry)
{
	siginfo_t info = {.si_signo = fry->schedule.step[0].signal, .si_code = SI_USER};

	if (fry->pausing || info.si_signo == SIGKILL)
		signals_apply(fry, &info, true);
	else
		signals_apply_as(fry, info.si_signo, &info, true);
}

void signals_note_delivered(struct fry *fry, int sig, pid_t group)
{
	struct broadcast note = {.signal = sig, .group = group, .record_only = true};
	struct broadcast wake = {.signal = SIGCONT, .group = group};

	schedule_request(&fry->schedule, sig, clock_now());
	fry->shared->result.asked = true;
	tree_signal(fry, &note);
	report_step(fry, sig, clock_now(), note.found);
	if (note.stopped != 0)
		tree_signal(fry, &wake);
}

/*
 * A fry-run further up has sent this to everything below as well, and goes on with its schedule. Whoever
 * may signal fry-run can forge the mark, so it does not lead to KILL here.
 */
static void signals_note_step(struct fry *fry, int sig)
{
	struct broadcast note = {.signal = sig, .record_only = true};

	fry->shared->result.asked = true;
	tree_signal(fry, &note);
}

void signals_handle(struct fry *fry, siginfo_t *info, bool terminating)
{
	if (info->si_code != STEP_CODE || fry->pausing)
		signals_apply(fry, info, terminating);
	else if (terminating)
		signals_note_step(fry, info->si_signo);
}

bool signals_accept(struct fry *fry, const siginfo_t *info, bool *terminating)
{
	int sig = info->si_signo;
	struct signal_name name;

	if (is_own(fry, info) ||
	    (is_typed(fry, info) && !signals_was_early(fry, sig) && !fry->pausing))
		return false;
	if (is_kernels(info))
		log_verbose(fry, 1, "received %s from the kernel", signame_format(sig, &name));
	else
		log_verbose(fry, 1, "received %s from process %d", signame_format(sig, &name),
			    (int)info->si_pid);
	/* What was typed at the terminal is no request to end, wherever COMMAND runs. */
	*terminating = is_termination_signal(sig) && (!is_kernels(info) || fry->pausing) &&
		       !fry->signals.ignored[sig] && fry->options.as[sig] != 0;
	return true;
}

void signals_dispatch(struct fry *fry, siginfo_t *info)
{
	bool terminating;

	if (signals_accept(fry, info, &terminating))
		signals_handle(fry, info, terminating);
}

void signals_die(const struct fry *fry, int sig)
{
	core_forbid(); /* COMMAND has dumped its own if it should */
	signal_default(sig);
	kill(fry->self, sig);
	pending_deliver(sig);
}
