/* hangup.h - --hangup: notice that the other end of a descriptor is closed */
/* SPDX-License-Identifier: MIT */
#ifndef HANGUP_H
#define HANGUP_H

#include <stdbool.h>
#include <stdint.h>

struct fry;

/* In the outer or the only process. */
struct hangup {
	int fd;        /* the descriptor, once COMMAND is started; -1: there is none to wait for */
	int signal_fd; /* the only process: readable while a signal is pending; 0: not opened yet */
};

/* After COMMAND has its copies: keep the descriptor that --hangup names, as descriptor 0. */
void hangup_keep(struct fry *fry);
/* Whether its other end is closed. */
bool hangup_now(const struct fry *fry);
/* Whether its other end is closed. Closes the descriptor then, so that this is true once. */
bool hangup_seen(struct fry *fry);
/*
 * Wait for the hang-up, a readable descriptor (that of signals, and another one; -1: none) or the deadline.
 * Returns the deadline for receiving a signal afterwards: 0 if this function has waited.
 */
int64_t hangup_poll(const struct fry *fry, int signal_fd, int other, int64_t deadline);
/* The same in the only process, with --hangup. Without it, return the deadline at once. */
int64_t hangup_wait(struct fry *fry, int64_t deadline);

#endif
