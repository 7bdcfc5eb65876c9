/*
 * tty.c - the controlling terminal: job control works as if fry-run were absent
 *
 * COMMAND stays in the caller's process group unless --pgroup says otherwise. The terminal then treats
 * COMMAND as it treats any job: it sends signals and checks background reads. Three tasks are left. When
 * COMMAND stops, fry-run stops with it, so that the shell notices. The foreground is handed to COMMAND's own
 * group, or the terminal to its session. In the end the terminal is restored.
 *
 * The inner process sees COMMAND stop and continue, the outer process stops for the shell, and the only
 * process does both. The inner process does not stop, so it can always continue the outer one. It publishes
 * COMMAND's state in struct channel.
 */
/* SPDX-License-Identifier: MIT */
#include "tty.h"

#include <sys/ioctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "fry.h"
#include "pending.h"
#include "process.h"
#include "sys.h"

/* Open the controlling terminal. Returns a descriptor, to be closed if *opened, or -1. */
static int terminal_open(bool *opened)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	*opened = fd != -1;
	if (fd != -1)
		return fd;
	if (errno == ENXIO)
		return -1;
	/* /dev may be missing in a small root, and EMFILE leaves no descriptor: try the standard ones. */
	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (tcgetsid(fd) == getsid(0))
			return fd;
	return -1;
}

static void terminal_close(int fd, bool opened)
{
	if (opened)
		close(fd);
}

void tty_start(struct fry *fry)
{
	struct tty *tty = &fry->tty;
	bool opened;
	int fd = terminal_open(&opened);

	tty->handover_fd = -1;
	if (fd == -1)
		return;
	tty->present = true;
	tty->has_shell = fry->caller != 0 && getsid(fry->caller) == getsid(0);
	/*
	 * In the background these would be the modes in which the shell edits its command line. In a
	 * pipeline another command may set modes, as less does, and goes on after COMMAND.
	 */
	tty->was_foreground = tcgetpgrp(fd) == fry->pgid;
	tty->modes_known = tty->was_foreground && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
			   tcgetattr(fd, &tty->modes) == 0;
	terminal_close(fd, opened);
}

/* Make a zombie that leads a group of its own. Returns its pid, or -1 with errno from fork(2). */
static pid_t zombie_make(void)
{
	pid_t pid = process_fork(SIGCHLD);
	siginfo_t info;

	if (pid == 0) {
		setpgid(0, 0);
		_exit(EXIT_SUCCESS);
	}
	if (pid == -1)
		return -1;
	/* Set the group in parent and child, since either may run first. KILL ends even a stopped child. */
	setpgid(pid, pid);
	kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	return pid;
}

/*
 * Hand the terminal to COMMAND's new session, if fry-run leads the session that has it. When a leader gives
 * a terminal up, the kernel sends HUP and CONT to the foreground group: ioctl_tty(2). So a group that holds
 * a zombie only is in the foreground meanwhile.
 */
void tty_detach(struct fry *fry)
{
	struct tty *tty = &fry->tty;
	bool opened;
	pid_t holder;
	int fd;

	if (!tty->present || fry->options.placement != PLACE_SESSION || getsid(0) != fry->self)
		return;
	fd = terminal_open(&opened);
	tty->handover_fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	terminal_close(fd, opened);
	if (tty->handover_fd == -1)
		return;
	tty->suspends_with_command = false; /* fry-run led the session, so there is no shell */
	holder = zombie_make();
	if (holder == -1)
		die_fork(errno);
	tcsetpgrp(tty->handover_fd, holder);
#ifdef TIOCNOTTY
	ioctl(tty->handover_fd, TIOCNOTTY);
#endif
	waitpid(holder, NULL, 0);
}

void tty_attach(const struct fry *fry)
{
#ifdef TIOCSCTTY
	if (fry->tty.handover_fd != -1)
		ioctl(fry->tty.handover_fd, TIOCSCTTY, 0);
#else
	(void)fry; /* a session leader without a terminal acquires the one that it opens: POSIX */
#endif
}

/* From the background tcsetpgrp(3) works since TTOU is blocked. */
bool tty_set_foreground(const struct fry *fry, pid_t group)
{
	bool opened, given;
	int fd;

	if (!fry->tty.present || fry->options.placement != PLACE_NEW)
		return false;
	fd = terminal_open(&opened);
	given = tcgetpgrp(fd) == fry->caller_pgid && tcsetpgrp(fd, group) == 0;
	terminal_close(fd, opened);
	return given;
}

/* Take the foreground back from COMMAND's group, or from a group that has ended. */
static void foreground_take(const struct fry *fry, int fd)
{
	pid_t group = tcgetpgrp(fd);

	if (group <= 1 || group == fry->caller_pgid)
		return;
	/* From the background it could be the shell's next job, which has just ended. */
	if (group == fry->shared->channel.command_pgid ||
	    (fry->tty.was_foreground && kill(-group, 0) == -1 && errno == ESRCH))
		tcsetpgrp(fd, fry->caller_pgid);
}

void tty_end(struct fry *fry)
{
	const struct shared *shared = fry->shared;
	bool opened;
	int fd;

	if (!fry->tty.present)
		return;
	tty_note_continued(fry);
	fd = terminal_open(&opened);
	foreground_take(fry, fd);
	/* After a normal exit keep the terminal modes that COMMAND set: stty(1). */
	if (fry->tty.modes_known && tcgetpgrp(fd) == fry->caller_pgid &&
	    (!shared->result.ended || WIFSIGNALED(shared->result.status) || shared->result.asked))
		tcsetattr(fd, TCSANOW, &fry->tty.modes);
	terminal_close(fd, opened);
}

static void tty_note_stopped(struct fry *fry, int sig)
{
	bool opened, job_control = sig != SIGSTOP;
	int fd;

	/*
	 * Continue COMMAND in its own group at once in two cases. Without a shell nothing else would
	 * continue it; the kernel stopped it since its group is not orphaned: its parent is in the session.
	 * If the shell puts a running background job into the foreground, the job gets no signal: COMMAND
	 * reads, is stopped by TTIN, and only now can fry-run hand it the foreground.
	 */
	if (job_control && fry->command_leads_group &&
	    (!fry->tty.has_shell ||
	     (sig != SIGTSTP && tty_set_foreground(fry, fry->command_pgid)))) {
		kill(-fry->command_pgid, SIGCONT);
		return;
	}
	/* PID 1 of its own pid namespace has no pid of the outer process to stop it by: continue COMMAND. */
	if (fry->self == 1 && fry->public_pid != 1)
		kill(fry->command_leads_group ? -fry->command_pgid : fry->command, SIGCONT);
	if (!fry->tty.suspends_with_command || fry->self == 1)
		return;
	fd = terminal_open(&opened);
	foreground_take(fry, fd);
	terminal_close(fd, opened);
	fry->shared->channel.stopped = sig;
	fry->shared->channel.stops++;
	/* tty_suspend_self() checks whether COMMAND was continued before it stops. STOP has to come from here. */
	signal_outer(fry, job_control ? SIGCHLD : SIGSTOP);
}

void tty_note_continued(struct fry *fry)
{
	if (fry->shared->channel.stopped == 0)
		return;
	fry->shared->channel.stopped = 0;
	signal_outer(fry, SIGCONT);
}

void tty_poll_command(struct fry *fry)
{
	siginfo_t info;

	if (!fry->tty.present)
		return;
	while (fry->command != 0) {
		info.si_pid = 0;
		if (waitid(P_PID, (id_t)fry->command, &info, WSTOPPED | WCONTINUED | WNOHANG) ==
			    -1 ||
		    info.si_pid == 0)
			return;
		if (info.si_code == CLD_STOPPED)
			tty_note_stopped(fry, info.si_status);
		else if (info.si_code == CLD_CONTINUED)
			tty_note_continued(fry);
	}
	tty_note_continued(fry); /* COMMAND has ended */
}

void tty_note_cont(struct fry *fry)
{
	struct shared *shared = fry->shared;

	/* The inner process sent STOP itself, and CONT has ended that stop. */
	if (shared->channel.stopped == SIGSTOP)
		fry->tty.stops = shared->channel.stops;
	shared->channel.continued = fry->tty.stops;
}

int tty_stop_due(struct fry *fry)
{
	const struct channel *channel = &fry->shared->channel;
	unsigned stops = channel->stops; /* read first: a stop in between must count as new */
	int sig = channel->stopped;

	if (fry->tty.stops == stops)
		return 0;
	fry->tty.stops = stops;
	/* 0: COMMAND was continued. STOP: the inner process has sent it already. */
	return sig == SIGSTOP && fry->inner != 0 ? 0 : sig;
}

void tty_suspend_self(struct fry *fry, int sig)
{
	const struct channel *channel = &fry->shared->channel;
	siginfo_t info;

	signal_default(sig);
	kill(fry->self, sig);
	/*
	 * The signal is pending, and a CONT from now on discards it: signal(7). If COMMAND was continued
	 * before, discard it here.
	 */
	if (fry->inner == 0)
		tty_poll_command(fry);
	if (channel->stopped == 0 || channel->stops != fry->tty.stops) {
		pending_consume(sig, &info);
		return;
	}
	pending_deliver(sig);
	/* If no CONT is pending, the process has not stopped: in an orphaned group only STOP does it. */
	if (!pending_has(SIGCONT))
		kill(fry->self, SIGSTOP);
}
