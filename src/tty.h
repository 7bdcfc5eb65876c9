/* tty.h - the controlling terminal: job control works as if fry-run were absent */
/* SPDX-License-Identifier: MIT */
#ifndef TTY_H
#define TTY_H

#include <sys/types.h>

#include <stdbool.h>
#include <termios.h>

struct fry;

struct tty {
	bool present;               /* there is a controlling terminal */
	bool suspends_with_command; /* stop together with COMMAND, so that the shell notices */
	bool has_shell;             /* the caller is in the same session, and may continue a job */
	bool was_foreground;        /* at the start */
	bool modes_known;           /* read at the start */
	struct termios modes;
	int handover_fd; /* the terminal to hand to COMMAND's new session; -1: none */
	unsigned stops;  /* COMMAND's stops that this process has followed */
};

/* Detect the controlling terminal, and save its modes. */
void tty_start(struct fry *fry);
/* Give the terminal up for COMMAND's new session. Exits with 125 if fork(2) fails. */
void tty_detach(struct fry *fry);
/* In the child, as the leader of the new session: acquire the terminal. */
void tty_attach(const struct fry *fry);
/* If fry-run's group is in the foreground, put COMMAND's own group there. Returns whether it did. */
bool tty_set_foreground(const struct fry *fry, pid_t group);
/* Ask wait(2) whether COMMAND was stopped or continued, and act on it. */
void tty_poll_command(struct fry *fry);
/* Record that COMMAND is not stopped: it was continued or has ended. Continue the outer process. */
void tty_note_continued(struct fry *fry);
/* Record after which of COMMAND's stops fry-run received CONT. */
void tty_note_cont(struct fry *fry);
/* Returns the signal that stopped COMMAND if fry-run has yet to stop with it; otherwise 0. */
int tty_stop_due(struct fry *fry);
/* Stop by sig as COMMAND did. Returns when fry-run is continued, or at once if COMMAND was. */
void tty_suspend_self(struct fry *fry, int sig);
/* At the end: take the foreground back. Restore the modes unless COMMAND exited by itself. */
void tty_end(struct fry *fry);

#endif
