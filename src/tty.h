/* tty.h - the controlling terminal: job control works as if fry-run were absent */
/* SPDX-License-Identifier: MIT */
#ifndef TTY_H
#define TTY_H

#include <sys/types.h>

#include <stdbool.h>
#include <termios.h>

struct fry;

struct tty {
	bool present;
	bool suspends_with_command; /* so that the shell sees the job stop */
	bool has_shell;             /* the caller is in the same session */
	bool modes_known;           /* they were read while fry-run was in the foreground */
	struct termios modes;
	int handover_fd; /* the terminal, on its way to COMMAND's session; -1: it stays */
	unsigned stops;  /* those that this process followed */
};

/* See whether there is a controlling terminal, and what its modes are. */
void tty_start(struct fry *fry);
/* Give the terminal up, for a COMMAND that is to lead a session. Exits if no process can be made. */
void tty_detach(struct fry *fry);
/* In the child, which leads that session: take the terminal. */
void tty_attach(const struct fry *fry);
/* If fry-run is in the foreground, put COMMAND's own group there. Returns whether that was done. */
bool tty_set_foreground(const struct fry *fry, pid_t group);
/* See whether COMMAND was stopped or continued. */
void tty_poll_command(struct fry *fry);
/* Note that COMMAND was continued, or has ended. */
void tty_note_continued(struct fry *fry);
/* Note that CONT came to fry-run, and after which stop. */
void tty_note_cont(struct fry *fry);
/* Returns the signal that COMMAND was stopped by, if fry-run has yet to stop as well; otherwise 0. */
int tty_stop_due(struct fry *fry);
/* Stop by sig as COMMAND did. Returns when fry-run was continued, or at once if COMMAND was. */
void tty_suspend_self(struct fry *fry, int sig);
/* At the end: take the foreground back, and restore the modes if COMMAND could not. */
void tty_end(struct fry *fry);

#endif
