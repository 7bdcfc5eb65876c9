/*
 * signals.c - decide what a received signal means, and forward it
 *
 * Every signal is blocked for the whole run and received as data (src/pending.c). A signal stays pending
 * until the loop receives it, even one that arrives before COMMAND exists. On Linux there are no handlers.
 * Only the dispositions of SIGCHLD and of a signal by which fry-run stops or dies change.
 *
 * If a received signal enters a step of the schedule, that signal is forwarded. If a step is entered because
 * the wait is over, its signal goes to every descendant.
 */
/* SPDX-License-Identifier: MIT */
#include "fry.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "src/pending.h"
#include "src/process.h"
#include "sys/sys.h"

void signals_init(struct fry *fry)
{
	pending_block_all(&fry->signals.mask);
	/*
	 * If SIGCHLD is ignored, the kernel reaps children itself and COMMAND's wait status is lost:
	 * wait(2). Other dispositions stay, since Linux keeps a blocked signal pending even if it is ignored.
	 */
	signal_heed(&fry->signals.child_action);
}

/* Whether INT, TERM or QUIT was ignored at entry: fry-run leaves its disposition as it is. */
static bool was_ignored(int sig)
{
	struct sigaction action;

	return sigaction(sig, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

void signals_restore(const struct fry *fry)
{
	if (fry->signals.child_action.sa_handler == SIG_IGN)
		sigaction(SIGCHLD, &fry->signals.child_action, NULL);
	mask_set(&fry->signals.mask, NULL);
}

/* Signal COMMAND alone. A signal from sigqueue(3) keeps its value and its sender. */
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
 * Signal COMMAND, or its whole group in one call, which no fork can escape. COMMAND is not reaped yet, so
 * neither number can have been reused. If the schedule may send the signal later, the recipients are
 * recorded first. A child forked meanwhile may get it twice; that is better than never. Otherwise the
 * record comes after the signal, so as not to delay it, but COMMAND may have ended by then: the report needs the
 * number before. Returns the number of recipients.
 */
static unsigned forward_atomically(struct fry *fry, int sig, siginfo_t *info, bool group,
				   bool terminating)
{
	struct broadcast record = {
		.signal = sig,
		.instead_of = info->si_signo,
		.pid = fry->command, /* it may have left the group */
		.group = group ? fry->command_pgid : 0,
		.record_only = true,
	};
	bool first = schedule_may_send(&fry->schedule, info->si_signo) ||
		     schedule_may_send(&fry->schedule, sig) || fry->options.report != NULL;
	int sent = -1;

	if (terminating && first)
		tree_signal(fry, &record);
	/* ESRCH: COMMAND has left the group that it led, or has yet to call setsid(2). */
	if (group && (sent = kill(-fry->command_pgid, sig)) == -1 && errno == ESRCH)
		group = false;
	if (!group)
		sent = signal_command(fry, sig, info);
	/* None may be signalled: try them one by one, which names them. */
	if (sent == -1 && errno == EPERM) {
		record.record_only = false;
		record.found = 0;
	}
	if (!record.record_only || (terminating && !first))
		tree_signal(fry, &record);
	if (record.stopped != 0)
		kill(group ? -fry->command_pgid : fry->command, SIGCONT);
	return record.found;
}

/* Whether the terminal sent this to fry-run's session, which COMMAND has left. */
static bool is_typed_elsewhere(const struct fry *fry, const siginfo_t *info)
{
	return sent_by_kernel(info) && fry->options.placement == PLACE_SESSION;
}

pid_t signals_command_pgid(const struct fry *fry)
{
	pid_t group = fry->command == 0 ? -1 : getpgid(fry->command);

	return group > 1 ? group : fry->command_pgid;
}

/* Whether COMMAND has moved to this group from the one that it was started in, where others remain. */
static bool has_left_group(const struct fry *fry, pid_t group)
{
	return group != fry->command_pgid && (kill(-fry->command_pgid, 0) == 0 || errno != ESRCH);
}

/* With --scope=auto: whether a signal goes to COMMAND's group rather than to COMMAND alone. */
static bool is_for_group(const struct fry *fry, int sig, const siginfo_t *info, bool terminating)
{
	/* A shell continues a whole job, so CONT goes to the group. */
	if (sig == SIGCONT && fry->shared->channel.stopped != 0)
		return signals_command_pgid(fry) != fry->caller_pgid;
	/* The terminal signals the whole foreground group, and that is fry-run's instead of COMMAND's. */
	if (sent_by_kernel(info) && (sig == SIGTSTP || is_resize_signal(sig)))
		return true;
	/* The first signal of the schedule is for the group as well, unless --rewrite changed it. */
	return is_termination_signal(sig) || (terminating && sig == info->si_signo);
}

/* Send sig to the recipients that --scope names. info is the received signal, with its value. */
static void signals_forward(struct fry *fry, int sig, siginfo_t *info, bool terminating)
{
	struct broadcast broadcast = {
		.signal = sig, .instead_of = info->si_signo, .terminating = terminating};
	enum scope scope = fry->options.scope;
	pid_t group = signals_command_pgid(fry);
	int64_t now = clock_now();
	struct signal_name name;
	const char *target;

	if (sig == SIGCONT)
		tty_set_foreground(fry, fry->command_pgid);
	/* The kernel ignores TSTP in an orphaned group: send STOP, as dumb-init does. */
	if (sig == SIGTSTP && is_typed_elsewhere(fry, info)) {
		sig = SIGSTOP;
		scope = SCOPE_GROUP;
	}
	if (scope == SCOPE_AUTO)
		scope = is_for_group(fry, sig, info, terminating) ? SCOPE_GROUP : SCOPE_COMMAND;
	if (fry->command == 0 || scope == SCOPE_TREE ||
	    (fry->options.leftover != LEFTOVER_LEAVE && child_ended(fry->command))) {
		/* After COMMAND's end, whether reaped or not, its descendants get what it would have got. */
		target = "everything left";
		tree_signal(fry, &broadcast);
	} else if (scope == SCOPE_GROUP &&
		   (!fry->command_leads_group || has_left_group(fry, group))) {
		/* kill(2) would reach other members, too: the caller's shell, the next command of a pipe. */
		target = "descendants in COMMAND's group";
		broadcast.group = group;
		broadcast.pid = fry->command; /* it may be about to change its group */
		tree_signal(fry, &broadcast);
	} else {
		target = scope == SCOPE_GROUP ? "COMMAND's group" : "COMMAND";
		broadcast.found =
			forward_atomically(fry, sig, info, scope == SCOPE_GROUP, terminating);
	}
	fry->shared->log.forwarded[sig]++;
	if (terminating)
		report_step(fry, sig, now, broadcast.found);
	log_verbose(fry, 1, "sent %s to %s", signame_format(sig, &name), target);
}

/* Whether a signal is about fry-run itself, and so is not for COMMAND. */
static bool is_about_fry_run(const struct fry *fry, const siginfo_t *info)
{
	switch (info->si_signo) {
	case SIGCHLD:
		return true;
	case SIGPIPE:
	case SIGXFSZ: /* from a write to stderr: the kernel names the writer as the sender */
		return info->si_code == SI_USER && info->si_pid == fry->self;
	case SIGCONT: /* from the inner process, when COMMAND is continued or the inner one dies */
		return (info->si_code >= CLD_EXITED && info->si_code <= CLD_CONTINUED) ||
		       (info->si_code == SI_USER && fry->inner != 0 && info->si_pid == fry->inner);
	case SIGXCPU: /* from RLIMIT_CPU, which counts each process alone: setrlimit(2) */
		return sent_by_kernel(info);
	default:
		return false;
	}
}

void signals_snapshot_pending(struct fry *fry)
{
	sigemptyset(&fry->signals.resent);
	sigemptyset(&fry->signals.early);
	sigpending(&fry->signals.early);
	fry->signals.early_copy = fry->signals.early;
}

void signals_resend_early(struct fry *fry)
{
	sigset_t now, early = fry->signals.early;

	if (sigpending(&now) == -1)
		return;
	/* Read after the pending set: a COMMAND that is not executed yet has sent none of these signals. */
	if (fry->shared->channel.executing) {
		fry->signals.early = now;
		return;
	}
	mask_test_clear(&now, SIGCHLD);
	mask_test_clear(&now, SIGCONT);
	for (int sig = 1; sig < STANDARD_SIGNALS; sig++) /* a second real-time signal would queue */
		if (mask_test_clear(&now, sig) && !mask_test_clear(&early, sig) &&
		    kill(fry->command, sig) == 0 && fry->role == ALONE)
			mask_add(&fry->signals.resent, sig); /* else copies.c recognises it */
}

bool signals_was_early(struct fry *fry, int sig)
{
	return mask_test_clear(&fry->signals.early, sig);
}

bool signals_termination_pending(void)
{
	return (pending_has(SIGINT) && !was_ignored(SIGINT)) ||
	       (pending_has(SIGTERM) && !was_ignored(SIGTERM)) ||
	       (pending_has(SIGQUIT) && !was_ignored(SIGQUIT));
}

/* Whether the terminal sent this to the whole group, so that COMMAND has it already. */
static bool is_typed(const struct fry *fry, const siginfo_t *info)
{
	if (!sent_by_kernel(info) || fry->options.placement != PLACE_INHERIT)
		return false;
	switch (info->si_signo) {
	case SIGHUP: /* at a hang-up the session leader alone gets HUP and CONT: forward them */
	case SIGCONT:
		return getsid(0) != fry->public_pid;
	case SIGINT:
	case SIGQUIT:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		return true;
	default:
		return is_resize_signal(info->si_signo);
	}
}

/* Forward a signal as `as`, unless KILL is due: reap_kill() handles that step. */
static void signals_apply_as(struct fry *fry, int as, siginfo_t *info, bool terminating)
{
	if (terminating) {
		schedule_request(&fry->schedule, info->si_signo, clock_now());
		fry->shared->result.asked = true;
	}
	if (as != 0 && schedule_signal(&fry->schedule) != SIGKILL)
		signals_forward(fry, as, info, terminating);
}

/*
 * If the schedule begins with a drain, hold the first termination request back: COMMAND goes on serving. Without
 * a COMMAND there is nothing to drain.
 */
static bool drain_hold(struct fry *fry, const siginfo_t *info)
{
	struct broadcast count = {.record_only = true};
	int64_t now = clock_now();
	struct signal_name name;

	if (fry->command == 0 || !schedule_drain(&fry->schedule, now))
		return false;
	fry->signals.held = *info;
	fry->shared->result.asked = true;
	tree_signal(fry, &count);
	report_step(fry, 0, now, count.found);
	log_verbose(fry, 1, "holding %s back, since the stop schedule begins with a wait",
		    signame_format(info->si_signo, &name));
	return true;
}

void signals_release(struct fry *fry, int sig)
{
	siginfo_t held = fry->signals.held;

	if (held.si_signo == 0)
		return;
	fry->signals.held.si_signo = 0;
	log_verbose(fry, 1, "the first wait of the stop schedule is over");
	if (held.si_signo != sig)
		signals_apply_as(fry, fry->options.as[held.si_signo], &held, true);
}

/* Handle a termination request for COMMAND. A second one ends the drain at once. */
static void signals_request(struct fry *fry, siginfo_t *info)
{
	if (drain_hold(fry, info))
		return;
	signals_release(fry, info->si_signo);
	signals_apply_as(fry, fry->options.as[info->si_signo], info, true);
}

void signals_apply(struct fry *fry, siginfo_t *info, bool terminating)
{
	if (info->si_signo == SIGKILL) { /* --parent-death=KILL */
		schedule_kill(&fry->schedule);
		fry->pausing = false;
	} else if (fry->pausing) { /* there is no COMMAND to forward to */
		fry->pausing = !terminating;
		fry->shared->result.asked |= terminating;
	} else if (terminating)
		signals_request(fry, info);
	else
		signals_apply_as(fry, fry->options.as[info->si_signo], info, false);
}

void signals_inject(struct fry *fry, int sig)
{
	siginfo_t info = {.si_signo = sig, .si_code = SI_USER};

	signals_apply(fry, &info, options_let_stop(&fry->options, sig));
}

bool signals_parent_died(struct fry *fry, const siginfo_t *last)
{
	bool died = fry->options.parent_death != 0 && getppid() != fry->caller;

	/* getppid(2) is 0 for a parent in another pid namespace, and so is the sender of its death signal. */
	if (fry->options.parent_death != 0 && fry->caller == 0 && last->si_signo == SIGCHLD &&
	    last->si_code == SI_USER)
		died = last->si_pid == 0;
	/*
	 * A caller that ended the parent may have signalled fry-run as well, as kill(2) of the group does. The
	 * parent dies only after kill(2) has signalled the whole group, so that signal is pending: receive it
	 * first.
	 */
	if (died && fry->caller != 0 && pending_has(fry->options.parent_death))
		return false;
	if (!died || fry->signals.parent_gone)
		return false;
	fry->signals.parent_gone = true;
	fry->shared->result.orphaned = !fry->shared->result.asked;
	log_verbose(fry, 1, "the parent has died");
	return !fry->signals.parent_signal;
}

void signals_start_schedule(struct fry *fry)
{
	siginfo_t info = {.si_signo = schedule_first_signal(&fry->schedule), .si_code = SI_USER};

	if (fry->pausing || info.si_signo == SIGKILL)
		signals_apply(fry, &info, true);
	else
		signals_apply_as(fry, info.si_signo, &info, true);
}

void signals_note_delivered(struct fry *fry, int sig, pid_t group)
{
	struct broadcast record = {.signal = sig, .group = group, .record_only = true};

	signals_release(fry, sig);
	schedule_request(&fry->schedule, sig, clock_now());
	fry->shared->result.asked = true;
	tree_signal(fry, &record);
	report_step(fry, sig, clock_now(), record.found);
	if (record.stopped != 0)
		tree_signal(fry, &(struct broadcast){.signal = SIGCONT, .group = group});
}

/*
 * An enclosing fry-run has sent this step to all its descendants, COMMAND included, and keeps its own
 * schedule: record it, but do not forward it. The mark can be forged, so it does not advance the schedule
 * towards KILL here.
 */
static void signals_note_step(struct fry *fry, int sig)
{
	if (fry->signals.held.si_signo == sig)
		fry->signals.held.si_signo = 0;
	fry->shared->result.asked = true;
	tree_signal(fry, &(struct broadcast){.signal = sig, .record_only = true});
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

	if (is_about_fry_run(fry, info) ||
	    (is_typed(fry, info) && !signals_was_early(fry, sig) && !fry->pausing))
		return false;
	if (sent_by_kernel(info))
		log_verbose(fry, 1, "received %s from the kernel", signame_format(sig, &name));
	else
		log_verbose(fry, 1, "received %s from process %d", signame_format(sig, &name),
			    (int)info->si_pid);
	/* A signal typed at the terminal is no termination request: COMMAND decides, as without fry-run. */
	*terminating = options_let_stop(&fry->options, sig) &&
		       (!sent_by_kernel(info) || fry->pausing) && !was_ignored(sig);
	fry->signals.parent_signal |= *terminating && sig == fry->options.parent_death;
	return true;
}

void signals_dispatch(struct fry *fry, siginfo_t *info)
{
	bool terminating, resent = mask_test_clear(&fry->signals.resent, info->si_signo);

	if (!signals_accept(fry, info, &terminating))
		return;
	if (!resent)
		signals_handle(fry, info, terminating);
	else if (terminating)
		signals_note_delivered(fry, info->si_signo, 0);
}

void signals_die(const struct fry *fry, int sig)
{
	core_forbid(); /* COMMAND's own core dump is the useful one */
	signal_default(sig);
	kill(fry->self, sig);
	pending_deliver(sig);
}
