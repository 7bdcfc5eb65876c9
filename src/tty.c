/*
 * tty.c - the controlling terminal: job control works as if fry-run were absent
 *
 * COMMAND stays in the caller's process group unless another placement is asked for, so the terminal does
 * to COMMAND what it does to a job: signals, and the checks of background reads. What remains is to stop
 * when COMMAND has stopped, for the shell to notice; to hand the foreground to a group of COMMAND's own,
 * or the terminal to its session; and to leave the terminal as it was.
 *
 * One process sees COMMAND stop and go on, and one stops for the shell: the inner and the outer process,
 * or the only one. The inner process itself is never stopped by this, so it can always continue the outer
 * one. What it saw last is in struct channel.
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

/* Open the controlling terminal. Returns a descriptor, and whether it is to be closed, or -1. */
static int terminal_open(const struct fry *fry, bool *opened)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	*opened = fd != -1;
	if (fd != -1)
		return fd;
	if (errno == ENXIO)
		return -1;
	/* No /dev in a small root, or no descriptor to spare. */
	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (tcgetsid(fd) == fry->sid)
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
	int fd = terminal_open(fry, &opened);

	tty->handover_fd = -1;
	if (fd == -1)
		return;
	tty->present = true;
	tty->has_shell = fry->caller != 0 && getsid(fry->caller) == fry->sid;
	/* In the background these would be a shell's, which edits a line. */
	tty->modes_known = tcgetpgrp(fd) == fry->pgid && tcgetattr(fd, &tty->modes) == 0;
	terminal_close(fd, opened);
}

/* Make a zombie that leads a group of its own. Returns its pid, or -1 with errno from fork(2). */
static pid_t zombie_make(void)
{
	pid_t pid = fork();
	siginfo_t info;

	if (pid == 0) {
		setpgid(0, 0);
		_exit(EXIT_SUCCESS);
	}
	if (pid == -1)
		return -1;
	/* By whoever of the two comes first; who stops it holds nobody. */
	setpgid(pid, pid);
	kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	return pid;
}

/*
 * Where fry-run leads the session of the terminal, that is to be COMMAND's, which leads another.
 * The kernel sends HUP and CONT to the foreground group of a terminal that is given up: to a
 * group, therefore, that has none but a zombie in it.
 */
void tty_detach(struct fry *fry)
{
	struct tty *tty = &fry->tty;
	bool opened;
	pid_t holder;
	int fd;

	if (!tty->present || fry->options.placement != PLACE_SESSION || fry->sid != fry->self)
		return;
	fd = terminal_open(fry, &opened);
	tty->handover_fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	terminal_close(fd, opened);
	if (tty->handover_fd == -1)
		return;
	tty->suspends_with_command = false; /* and no shell is left to see */
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
	(void)fry; /* a leader has what it opens */
#endif
}

/* As all signals are blocked, the background may do this: no TTOU stops it, tcsetpgrp(3). */
bool tty_set_foreground(const struct fry *fry, pid_t group)
{
	bool opened, given;
	int fd;

	if (!fry->tty.present || fry->options.placement != PLACE_NEW)
		return false;
	fd = terminal_open(fry, &opened);
	given = tcgetpgrp(fd) == fry->caller_pgid && tcsetpgrp(fd, group) == 0;
	terminal_close(fd, opened);
	return given;
}

/* Take the foreground back from COMMAND's group, or from one that is gone. */
static void foreground_take(const struct fry *fry, int fd)
{
	pid_t group = tcgetpgrp(fd);

	if (group <= 1 || group == fry->caller_pgid)
		return;
	if (group == fry->shared->channel.command_pgid || (kill(-group, 0) == -1 && errno == ESRCH))
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
	fd = terminal_open(fry, &opened);
	foreground_take(fry, fd);
	/* What COMMAND leaves when it exits is meant: stty(1). */
	if (fry->tty.modes_known && tcgetpgrp(fd) == fry->caller_pgid &&
	    (!shared->result.ended || WIFSIGNALED(shared->result.status) || fry->schedule.at != -1))
		tcsetattr(fd, TCSANOW, &fry->tty.modes);
	terminal_close(fd, opened);
}

static void tty_note_stopped(struct fry *fry, int sig)
{
	bool opened, job_control = sig != SIGSTOP;
	int fd;

	/*
	 * In a group of its own COMMAND can be stopped though no shell is there to continue it, as
	 * the kernel would not let it in an orphaned group. And a job that was in the background
	 * is told nothing when it comes to the foreground running: it reads, and is stopped.
	 */
	if (job_control && fry->command_leads_group &&
	    (!fry->tty.has_shell ||
	     (sig != SIGTSTP && tty_set_foreground(fry, fry->command_pgid)))) {
		kill(-fry->command_pgid, SIGCONT);
		return;
	}
	/* PID 1 of a namespace of its own cannot make the outer process stop, so COMMAND goes on. */
	if (fry->role == INNER && fry->self == 1)
		kill(fry->command_leads_group ? -fry->command_pgid : fry->command, SIGCONT);
	if (!fry->tty.suspends_with_command || fry->self == 1)
		return;
	fd = terminal_open(fry, &opened);
	foreground_take(fry, fd);
	terminal_close(fd, opened);
	fry->shared->channel.stopped = sig;
	fry->shared->channel.stops++;
	/* A stop that can wait, until it was looked whether COMMAND goes on, is left to tty_suspend_self. */
	signal_outer(fry, job_control ? SIGCHLD : SIGSTOP);
}

void tty_note_continued(struct fry *fry)
{
	if (fry->role == OUTER || fry->shared->channel.stopped == 0)
		return;
	fry->shared->channel.stopped = 0;
	signal_outer(fry, SIGCONT);
}

void tty_poll_command(struct fry *fry)
{
	siginfo_t info;

	if (!fry->tty.present || fry->role == OUTER)
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
	tty_note_continued(fry); /* it has ended */
}

void tty_note_cont(struct fry *fry)
{
	struct shared *shared = fry->shared;

	/* This stop the inner process has made itself, and it is over. */
	if (shared->channel.stopped == SIGSTOP)
		fry->tty.stops = shared->channel.stops;
	shared->channel.continued = fry->tty.stops;
}

int tty_stop_due(struct fry *fry)
{
	const struct channel *channel = &fry->shared->channel;
	unsigned stops = channel->stops; /* first, or a stop noted in between would be missed */
	int sig = channel->stopped;

	if (fry->tty.stops == stops)
		return 0;
	fry->tty.stops = stops;
	/* COMMAND goes on, or the inner process has sent STOP already. */
	return sig == SIGSTOP && fry->inner != 0 ? 0 : sig;
}

void tty_suspend_self(struct fry *fry, int sig)
{
	const struct channel *channel = &fry->shared->channel;
	siginfo_t info;

	signal_default(sig);
	kill(fry->self, sig);
	/* It is pending, and CONT discards it from now on. If COMMAND went on before, that shows now. */
	if (fry->inner == 0)
		tty_poll_command(fry);
	if (channel->stopped == 0 || channel->stops != fry->tty.stops) {
		pending_consume(sig, &info);
		return;
	}
	pending_deliver(sig);
	/* If no CONT is pending it has not stopped: an orphaned group obeys only STOP. */
	if (!pending_has(SIGCONT))
		kill(fry->self, SIGSTOP);
}
