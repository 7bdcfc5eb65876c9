/* reap.h - subreaper, reaping, and killing until nothing is left */
/* SPDX-License-Identifier: MIT */
#ifndef REAP_H
#define REAP_H

#include <stdbool.h>

struct fry;

/*
 * Become a subreaper, and see whether children were inherited by exec. Exits with 125 on ENOMEM, and where
 * --leftover=fail would need a subreaper that the system does not have.
 */
void reap_start(struct fry *fry);
/* Reap a batch of zombies. Returns how many. *left is whether children remain. */
unsigned reap_drain(struct fry *fry, bool *left);
/* Without a subreaper: reap COMMAND, whose zombie was kept. */
void reap_end(struct fry *fry);
/* Repeat KILL until no process is left, or only those that cannot be killed. */
void reap_kill(struct fry *fry);

#endif
