/*
 * tty.c - the controlling terminal: who sits at it cannot tell that fry-run is there
 *
 * COMMAND stays in the caller's process group unless something else is asked for, so what the
 * terminal does to a job, its signals and its checks of background reads, it does to COMMAND.
 * What remains is to stop when COMMAND has stopped, for a shell to see; to hand the foreground to
 * a group of COMMAND's own, or the terminal to its session; and to leave the terminal as it was.
 *
 * One process sees COMMAND stop and go on, and one stops for the shell: the inner and the outer
 * one, or the same where there is but one. The inner one itself is never stopped by this, so it
 * can always make the outer one go on. What it saw last stands in struct outcome.
 */
/* SPDX-License-Identifier: MIT */
#include "fry.h"

#include <sys/ioctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

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
		if (tcgetsid(fd) == fry->own_session)
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

	tty->moving = -1;
	if (fd == -1)
		return;
	tty->there = true;
	tty->watched = fry->parent != 0 && getsid(fry->parent) == fry->own_session;
	/* In the background these would be a shell's, which edits a line. */
	tty->known = tcgetpgrp(fd) == fry->own_group && tcgetattr(fd, &tty->modes) == 0;
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

	if (!tty->there || fry->options.placement != PLACE_SESSION || fry->own_session != fry->self)
		return;
	fd = terminal_open(fry, &opened);
	tty->moving = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	terminal_close(fd, opened);
	if (tty->moving == -1)
		return;
	tty->mirrors = false; /* and no shell is left to see */
	holder = zombie_make();
	if (holder == -1)
		refuse_fork(fry);
	tcsetpgrp(tty->moving, holder);
#ifdef TIOCNOTTY
	ioctl(tty->moving, TIOCNOTTY);
#endif
	waitpid(holder, NULL, 0);
}

void tty_attach(const struct fry *fry)
{
#ifdef TIOCSCTTY
	if (fry->tty.moving != -1)
		ioctl(fry->tty.moving, TIOCSCTTY, 0);
#else
	(void)fry; /* a leader has what it opens */
#endif
}

/* As all signals are blocked, the background may do this: no TTOU stops it, tcsetpgrp(3). */
bool tty_give(const struct fry *fry, pid_t group)
{
	bool opened, given;
	int fd;

	if (!fry->tty.there || fry->options.placement != PLACE_NEW)
		return false;
	fd = terminal_open(fry, &opened);
	given = tcgetpgrp(fd) == fry->job && tcsetpgrp(fd, group) == 0;
	terminal_close(fd, opened);
	return given;
}

/* Take the foreground back from COMMAND's group, or from one that is gone. */
static void foreground_take(const struct fry *fry, int fd)
{
	pid_t group = tcgetpgrp(fd);

	if (group <= 1 || group == fry->job)
		return;
	if (group == fry->outcome->group || (kill(-group, 0) == -1 && errno == ESRCH))
		tcsetpgrp(fd, fry->job);
}

void tty_end(struct fry *fry)
{
	const struct outcome *outcome = fry->outcome;
	bool opened;
	int fd;

	if (!fry->tty.there)
		return;
	tty_continued(fry);
	fd = terminal_open(fry, &opened);
	foreground_take(fry, fd);
	/* What COMMAND leaves when it exits is meant: stty(1). */
	if (fry->tty.known && tcgetpgrp(fd) == fry->job &&
	    (!outcome->ended || WIFSIGNALED(outcome->status) || fry->stop.at != -1))
		tcsetattr(fd, TCSANOW, &fry->tty.modes);
	terminal_close(fd, opened);
}

static void tty_stopped(struct fry *fry, int sig)
{
	bool opened, job_control = sig != SIGSTOP;
	int fd;

	/*
	 * In a group of its own COMMAND can be stopped though no shell is there to continue it, as
	 * the kernel would not let it in an orphaned group. And a job that was in the background
	 * is told nothing when it comes to the foreground running: it reads, and is stopped.
	 */
	if (job_control && fry->owns_group &&
	    (!fry->tty.watched || (sig != SIGTSTP && tty_give(fry, fry->group)))) {
		kill(-fry->group, SIGCONT);
		return;
	}
	/* PID 1 of a namespace of its own cannot make the outer process stop, so COMMAND goes on. */
	if (fry->role == INNER && fry->self == 1)
		kill(fry->owns_group ? -fry->group : fry->child, SIGCONT);
	if (!fry->tty.mirrors || fry->self == 1)
		return;
	fd = terminal_open(fry, &opened);
	foreground_take(fry, fd);
	terminal_close(fd, opened);
	fry->outcome->stopped = sig;
	fry->outcome->stops++;
	/* A stop that can wait, until it was looked whether COMMAND goes on, is left to tty_follow. */
	guard_poke(fry, job_control ? SIGCHLD : SIGSTOP);
}

void tty_continued(struct fry *fry)
{
	if (fry->role == OUTER || fry->outcome->stopped == 0)
		return;
	fry->outcome->stopped = 0;
	guard_poke(fry, SIGCONT);
}

void tty_look(struct fry *fry)
{
	siginfo_t info;

	if (!fry->tty.there || fry->role == OUTER)
		return;
	while (fry->child != 0) {
		info.si_pid = 0;
		if (waitid(P_PID, (id_t)fry->child, &info, WSTOPPED | WCONTINUED | WNOHANG) == -1 ||
		    info.si_pid == 0)
			return;
		if (info.si_code == CLD_STOPPED)
			tty_stopped(fry, info.si_status);
		else if (info.si_code == CLD_CONTINUED)
			tty_continued(fry);
	}
	tty_continued(fry); /* it has ended */
}

void tty_woken(struct fry *fry)
{
	struct outcome *outcome = fry->outcome;

	/* This stop the inner process has made itself, and it is over. */
	if (outcome->stopped == SIGSTOP)
		fry->tty.stops = outcome->stops;
	outcome->continued = fry->tty.stops;
}

void tty_follow(struct fry *fry)
{
	const struct outcome *outcome = fry->outcome;
	unsigned stops = outcome->stops; /* first, or a stop noted in between would be lost */
	int sig = outcome->stopped;
	siginfo_t info;

	if (fry->role == INNER || fry->tty.stops == stops)
		return;
	fry->tty.stops = stops;
	if (sig == 0 || (sig == SIGSTOP && fry->role == OUTER))
		return; /* it goes on, or the inner process has seen to it */
	/* One that was sent to fry-run is for COMMAND, and not what fry-run stops by. */
	if (signals_take(sig, &info))
		signals_act(fry, &info);
	signal_default(sig);
	kill(fry->self, sig);
	/* It waits, and CONT discards it from now on. Where COMMAND went on before, that shows now. */
	tty_look(fry);
	if (outcome->stopped == 0 || outcome->stops != stops) {
		signals_take(sig, &info);
		return;
	}
	signals_let(sig);
	/* Without CONT it has not stopped: in an orphaned group only this does it. */
	if (!signals_pending(SIGCONT))
		kill(fry->self, SIGSTOP);
}
