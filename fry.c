/*
 * fry.c - fry-run: run a command and leave nothing behind
 *
 * main() reads in the order of a run: block all signals, parse the options, become a subreaper, start the
 * inner process and COMMAND, release the inherited descriptors, supervise COMMAND until no descendant is
 * left, and end as COMMAND did.
 *
 * A failure before COMMAND is started is one line on stderr and exit status 125. A later failure is
 * reported and never ends fry-run, since COMMAND would lose its supervisor.
 */
/* SPDX-License-Identifier: MIT */
#include "fry.h"

#include <sys/wait.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reap.h"
#include "signals.h"
#include "src/execute.h"
#include "src/hint.h"
#include "src/pending.h"
#include "src/process.h"
#include "src/text.h"
#include "sys/sys.h"

#define SILENT_END (100 * MILLISECOND)

/* Decide in which process group COMMAND runs. */
static void choose_pgroup(struct fry *fry)
{
	struct options *options = &fry->options;

	if (options->placement == PLACE_AUTO)
		options->placement = fry->tty.present ? PLACE_INHERIT : PLACE_NEW;
	if (options->placement == PLACE_JOIN && options->group == fry->pgid)
		options->placement = PLACE_INHERIT;
	fry->command_pgid = options->placement == PLACE_JOIN ? options->group : fry->pgid;
	fry->command_leads_group =
		options->placement == PLACE_NEW || options->placement == PLACE_SESSION;
	fry->tty.suspends_with_command = fry->tty.present && fry->self != 1;
}

/* Map the state that the outer process, the inner process and the child share. */
static void map_shared(struct fry *fry)
{
	fry->shared = page_map_shared(sizeof(*fry->shared));
	if (fry->shared == NULL)
		die_memory();
}

/*
 * In the child: if a variable names fry-run's pid as its addressee, name COMMAND's pid instead:
 * sd_listen_fds(3), sd_watchdog_enabled(3). Returns whether it did; text then belongs to the environment.
 */
static bool environ_readdress(const struct fry *fry, const char *name, char *text, size_t size)
{
	size_t length = strlen(name);

	for (char **variable = environ; *variable != NULL; variable++) {
		if (strncmp(*variable, name, length) != 0 || (*variable)[length] != '=')
			continue;
		if (text_parse_number(*variable + length + 1, 0, INT_MAX) != fry->public_pid)
			return false;
		text_format(text, size, "%s=%d", name, (int)getpid());
		*variable = text;
		return true;
	}
	return false;
}

static void environ_remove(const char *name)
{
	size_t length = strlen(name);
	char **to = environ;

	for (char **from = environ; *from != NULL; from++)
		if (strncmp(*from, name, length) != 0 || (*from)[length] != '=')
			*to++ = *from;
	*to = NULL;
}

/*
 * In the child: enter the group, session and cgroup, then execute COMMAND. All signals stay blocked until
 * the end, so that a signal to the new group stays pending for COMMAND.
 */
__attribute__((noreturn)) static void child_run(struct fry *fry)
{
	static const char *const names[] = {"LISTEN_PID", "WATCHDOG_PID", "SYSTEMD_EXEC_PID"};
	enum { NAMES = sizeof(names) / sizeof(names[0]) };
	char texts[NAMES][32];
	char hint[128] = "";

	if (fry->options.placement == PLACE_SESSION) {
		setsid();
		tty_attach(fry);
	} else if (fry->options.placement == PLACE_NEW) {
		setpgid(0, 0);
		if (fry->tty.present)
			tty_set_foreground(fry, getpid());
	} else if (fry->options.placement == PLACE_JOIN && setpgid(0, fry->command_pgid) == -1) {
		fry->shared->result.exec_errno = errno;
		text_format(hint, sizeof(hint), "%d", (int)fry->command_pgid);
		options_refuse(fry, "pgroup", hint,
			       errno == EPERM ? "no such group in this session" : strerror(errno));
		_exit(EXIT_FRY);
	}
	/* Without a subreaper the outer process needs it, even if the inner one dies right after fork(2). */
	if (!fry->subreaper)
		fry->shared->channel.command_pgid = getpgrp();
	if (cgroup_enter(fry) == -1) {
		fry->shared->result.exec_errno = errno;
		warn("cannot enter %s: %s", fry->cgroup->path, strerror(errno));
		_exit(EXIT_FRY);
	}
	for (int i = 0; i < NAMES; i++)
		if (environ_readdress(fry, names[i], texts[i], sizeof(texts[i])) && i == 0)
			environ_remove("LISTEN_PIDFDID"); /* it names fry-run's pidfd */
	if (fry->options.placement == PLACE_INHERIT) /* a page fault that others need not have */
		fry->shared->channel.executing = true;
	signals_restore(fry);
	execute(fry->argv);
	fry->shared->result.exec_errno = errno;
	/* Block SIGPIPE again before warn(): a broken stderr must not change the status. */
	pending_block_all(NULL);
	if (fry->shared->result.exec_errno == ENOENT)
		hint_command(hint, sizeof(hint), fry->argv[0]);
	warn("cannot execute %.400s: %s%s", fry->argv[0], strerror(fry->shared->result.exec_errno),
	     hint);
	_exit(fry->shared->result.exec_errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

static void spawn(struct fry *fry)
{
	pid_t child;

	signals_snapshot_pending(fry);
	/*
	 * vfork(2) would be faster, but it suspends the parent until execve(2): a Ctrl-Z that stops the
	 * child before that would suspend fry-run, too.
	 */
	child = process_fork(SIGCHLD);
	if (child == 0)
		child_run(fry);
	if (child == -1) {
		int error = errno;

		cgroup_end(fry);
		die_fork(error);
	}
	fry->command = child;
	fry->tree.max_pid_seen = fry->command > fry->self ? fry->command : fry->self;
	if (fry->command_leads_group)
		fry->command_pgid = fry->command;
	fry->shared->channel.command_pgid = fry->command_pgid;
	if (fry->options.placement == PLACE_INHERIT)
		signals_resend_early(fry);
	/* Set the group in parent and child, since either may run first: setpgid(2). */
	if (fry->options.placement == PLACE_NEW)
		setpgid(fry->command, fry->command);
	log_verbose(fry, 1, "started %s as process %d in group %d", fry->argv[0], (int)fry->command,
		    (int)fry->command_pgid);
	if (getenv("NOTIFY_SOCKET") != NULL)
		log_verbose(fry, 1,
			    "READY=1 comes from COMMAND, so Type=notify needs NotifyAccess=all");
}

/*
 * Close inherited descriptors, so that readers of COMMAND's pipes see end-of-file when COMMAND closes
 * them. Keep the one of --hangup. Leave the working directory, so that no mount stays busy.
 */
static void release_inherited(struct fry *fry)
{
	hangup_keep(fry);
	descriptors_close(fry->hangup.fd + 1, fry->report == -1 ? STDERR_FILENO : fry->report);
	if (chdir("/") == -1)
		return; /* no other directory is sure to exist */
}

/* In the inner or the only process: start COMMAND. */
static void start(struct fry *fry)
{
	if (!fry->pausing) {
		cgroup_make(fry);
		spawn(fry);
	}
	if (fry->options.timeout != 0)
		fry->timeout_at = clock_add(clock_now(), fry->options.timeout);
	guard_rename(fry);
}

/* Send the signal of the current step to every descendant that has not had it. */
static void send_step(struct fry *fry)
{
	const struct schedule *schedule = &fry->schedule;
	struct broadcast broadcast = {
		.signal = schedule_signal(schedule), .terminating = true, .once = true};
	int64_t now = clock_now();
	struct signal_name name;

	if (broadcast.signal == 0)
		return;
	log_verbose(fry, 1, "time for %s", signame_format(broadcast.signal, &name));
	for (int i = 0; i < schedule->at; i++)
		if (schedule->step[i].signal == broadcast.signal)
			broadcast.once = false; /* the schedule repeats the signal on purpose */
	if (broadcast.signal == SIGKILL)
		return; /* reap_kill() sends it */
	tree_signal(fry, &broadcast);
	if (broadcast.sent == 0)
		return;
	report_step(fry, broadcast.signal, now, broadcast.found);
	log_verbose(fry, 1, "sent %s to %d remaining process%s",
		    signame_format(broadcast.signal, &name), (int)broadcast.sent,
		    broadcast.sent == 1 ? "" : "es");
}

/* After COMMAND has ended: send TERM to every descendant that has not had it. */
static void stop_leftovers(struct fry *fry)
{
	struct broadcast broadcast = {.signal = SIGTERM, .terminating = true, .once = true};
	enum leftover leftover = fry->options.leftover;
	int64_t now = clock_now();

	if (leftover == LEFTOVER_WAIT) {
		signals_release(fry, 0);
		return;
	}
	signals_release(fry, SIGTERM);
	schedule_leftover(&fry->schedule, now);
	broadcast.record_only = schedule_signal(&fry->schedule) == SIGKILL;
	broadcast.log = leftover == LEFTOVER_FAIL || fry->options.verbose > 0;
	broadcast.report = fry->options.report != NULL;
	broadcast.why = broadcast.record_only ? "left behind by COMMAND, to be killed"
					      : "left behind by COMMAND, sent TERM";
	tree_signal(fry, &broadcast);
	fry->shared->result.leaked |= leftover == LEFTOVER_FAIL && broadcast.found != 0;
	if (!broadcast.record_only && broadcast.found != 0) /* else the last ones have just ended */
		report_step(fry, SIGTERM, now, broadcast.found);
}

/* With --leftover=leave: name the leftovers, which live on. */
static void name_leftovers(struct fry *fry)
{
	struct broadcast note = {.record_only = true, .report = true};

	note.log = fry->options.verbose > 0;
	note.why = fry->self == 1 ? "left to the kernel, which kills it with process 1"
				  : "left running";
	if (note.log || fry->options.report != NULL)
		tree_signal(fry, &note);
}

/* If the parent has died, act as --parent-death says, once; if the other end is closed, as --hangup does. */
static void check_caller(struct fry *fry, const siginfo_t *last)
{
	if (signals_parent_died(fry, last))
		signals_inject(fry, fry->options.parent_death);
	if (hangup_seen(fry))
		signals_inject(fry, SIGTERM);
}

static void check_timeout(struct fry *fry)
{
	if (fry->timeout_at == NEVER || fry->schedule.at != -1 || fry->timeout_at > clock_now())
		return;
	fry->shared->result.timed_out = true;
	fry->timeout_at = NEVER;
	log_verbose(fry, 1, "timed out");
	signals_start_schedule(fry);
}

/* Whether processes other than descendants remain: in the cgroup, or below the outer process. */
static bool others_left(struct fry *fry)
{
	return cgroup_populated(fry) || tree_outer_children(fry);
}

/* Do what the stop schedule has due now. Returns whether nothing is left to do after it. */
static bool keep_schedule(struct fry *fry)
{
	struct schedule *schedule = &fry->schedule;
	int64_t now = schedule->at == -1 ? 0 : clock_now(); /* without a stop no clock is read */

	if (schedule->at == -1)
		return false;
	if (schedule_drained(schedule, now))
		signals_release(fry, 0);
	if (schedule_spread(schedule, now) || schedule_expire(schedule, now))
		send_step(fry);
	if (schedule_signal(schedule) == SIGKILL) {
		reap_kill(fry);
		return true;
	}
	if (schedule->at == schedule->steps)
		tree_name(fry, "still running after the last step of the stop schedule");
	return schedule->at == schedule->steps;
}

/*
 * Returns when the next step, the timeout or the end of a hold is due. An orphan may end without SIGCHLD
 * (Linux 7.1: CLONE_AUTOREAP), so once COMMAND has ended, look for orphans every SILENT_END.
 */
static int64_t next_deadline(const struct fry *fry, int64_t hold, bool childless)
{
	int64_t deadline = fry->schedule.at == -1 ? fry->timeout_at : schedule_next(&fry->schedule);

	if (fry->command == 0 && !fry->pausing && !childless && deadline > clock_now() + SILENT_END)
		deadline = clock_now() + SILENT_END;
	return hold < deadline ? hold : deadline;
}

/*
 * If COMMAND has stopped, stop too, so that the shell notices. A pending instance of the same signal is
 * forwarded first: the raised one would merge with it, and COMMAND would miss it.
 */
static void follow_stop(struct fry *fry)
{
	int sig = tty_stop_due(fry);
	siginfo_t info;

	if (sig == 0)
		return;
	if (pending_consume(sig, &info))
		signals_dispatch(fry, &info);
	tty_suspend_self(fry, sig);
}

/* The loop of the inner or the only process, until no descendant is left or the schedule is over. */
static void supervise(struct fry *fry)
{
	bool left, ended = false;
	siginfo_t info = {0};

	for (;;) {
		unsigned reaped = reap_drain(fry, &left);
		bool childless = !left && !fry->pausing;
		int64_t deadline, hold;
		int except;

		tty_poll_command(fry);
		if (childless)
			left = others_left(fry);
		if (fry->command == 0 && !ended && !fry->pausing) {
			if (!left)
				return;
			if (fry->options.leftover == LEFTOVER_LEAVE) {
				name_leftovers(fry);
				return;
			}
			ended = copies_settled(fry);
			if (ended)
				stop_leftovers(fry);
		}
		if (!left && !fry->pausing)
			return;
		if (outer_died(fry)) {
			schedule_kill(&fry->schedule);
			reap_kill(fry);
			return;
		}
		if (fry->role == ALONE) {
			follow_stop(fry);
			check_caller(fry, &info);
		}
		check_timeout(fry);
		guard_take(fry);
		hold = copies_expire(fry);
		if (keep_schedule(fry))
			return;
		childless = childless && cgroup_populated(fry);
		deadline = next_deadline(fry, hold, childless);
		if (childless)
			cgroup_wait(fry, deadline);
		/* The lowest number is delivered first: skip SIGCHLD once, so that others are not starved. */
		except = info.si_signo == SIGCHLD ? SIGCHLD : 0;
		/* Do not sleep after a batch was reaped: orphans may come faster than SIGCHLD, which merges. */
		if (reaped != 0 || childless || except != 0)
			deadline = 0;
		deadline = hangup_wait(fry, deadline);
		info.si_signo = 0;
		if (pending_receive(&info, deadline, except) != 0 && !guard_receive(fry, &info))
			signals_dispatch(fry, &info);
	}
}

/* Returns the status to exit with. *sig is the signal to die of instead, or 0. */
static int status_of(const struct fry *fry, int *sig)
{
	const struct shared *shared = fry->shared;
	int status;

	*sig = 0;
	if (!shared->result.ended && !fry->options.pause)
		return EXIT_FRY; /* COMMAND may not be signalled, or does not die */
	if (shared->result.timed_out)
		return EXIT_TIMED_OUT;
	if (WIFEXITED(shared->result.status))
		status = WEXITSTATUS(shared->result.status);
	else
		status = 128 + WTERMSIG(shared->result.status);
	if (fry->options.expected[status & UINT8_MAX] && shared->result.exec_errno == 0)
		status = 0;
	else if (WIFSIGNALED(shared->result.status) && !fry->options.code && fry->self != 1)
		*sig = WTERMSIG(shared->result.status);
	return shared->result.leaked && status == 0 ? EXIT_FRY : status;
}

/* End as COMMAND did. */
static int finish(const struct fry *fry)
{
	int sig, status = status_of(fry, &sig);
	struct signal_name name;

	report_write(fry, status);
	if (sig != 0) {
		log_verbose(fry, 1, "dying of %s, as COMMAND did", signame_format(sig, &name));
		signals_die(fry, sig);
	}
	log_verbose(fry, 1, "exiting with %d", status);
	return status;
}

int main(int argc, char **argv)
{
	static struct fry fry; /* in .bss: fork(2) copies fewer pages than of the stack */

	fry.timeout_at = NEVER;
	fry.caller = getppid(); /* first: getppid(2) changes when the parent dies */
	signals_init(&fry);     /* from here on every signal stays pending */
	fry.self = fry.public_pid = getpid();
	fry.argv_area = argv[0];
	if (argc > 0)
		fry.argv_area_size = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) - argv[0]);
	fry.pgid = fry.caller_pgid = getpgrp();
	options_parse(&fry, argc, argv);
	if (fry.options.verbose > 0 || fry.options.report != NULL) {
		fry.began = clock_now();
		clock_gettime(CLOCK_REALTIME, &fry.start);
	}
	tty_start(&fry);
	choose_pgroup(&fry);
	map_shared(&fry);
	report_open(&fry);
	/* SIGCHLD is a mere wake-up, since the end of the forking thread sends it, too: prctl(2). */
	if (fry.options.parent_death != 0)
		parent_watch();
	reap_start(&fry);   /* before COMMAND can leave an orphan */
	cgroup_start(&fry); /* before the guard: both processes have to know the leaf */
	tty_detach(&fry);   /* after all checks, in the leader of the session */
	guard_start(&fry);  /* before COMMAND: kill -9 must leave nothing */
	if (fry.role != OUTER)
		start(&fry);
	release_inherited(&fry); /* after COMMAND has its copies */
	/* The outer process stays in its own loop until the inner one has ended. */
	if (!guard_run(&fry))
		supervise(&fry);
	if (!fry.shared->result.final) { /* else the inner process has done it */
		reap_end(&fry);          /* before the report, which counts the times of COMMAND */
		cgroup_end(&fry); /* after its last process, and while two processes can do it */
		tty_end(&fry);    /* likewise, after the last process that may use the terminal */
	}
	if (guard_hand_over(&fry))
		return EXIT_SUCCESS; /* the outer process does the rest */
	return finish(&fry);
}
