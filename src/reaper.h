/* reaper.h - the descendants that procctl(2) lists on FreeBSD and DragonFly; none by POSIX alone */
/* SPDX-License-Identifier: MIT */
#ifndef REAPER_H
#define REAPER_H

#include <sys/types.h>

#include <stdbool.h>

struct fry;

/* Takes a descendant that reaper_list() has found; state is as in proc_pid_stat(5). */
typedef void reaper_found(struct fry *fry, pid_t pid, char state);

/* List the descendants. Returns whether the list is complete. */
bool reaper_list(struct fry *fry, reaper_found *found);
/* Kill as many descendants as one call can. Returns whether that was all it should be. */
bool reaper_kill(void);

#endif
