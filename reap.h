/* reap.h - subreaper, reaping, and killing until nothing is left */
/* SPDX-License-Identifier: MIT */
#ifndef REAP_H
#define REAP_H

#include <stdbool.h>

struct fry;

/* Become a subreaper, and see whether there are children already. Exits if there is no memory. */
void reap_start(struct fry *fry);
/* Reap what has ended. Returns how many, with *left saying whether children remain. */
unsigned reap_drain(struct fry *fry, bool *left);
/* Kill until nothing is left, or only what cannot be killed. */
void reap_kill(struct fry *fry);

#endif
