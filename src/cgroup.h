/* cgroup.h - contain COMMAND in a cgroup v2 */
/* SPDX-License-Identifier: MIT */
#ifndef CGROUP_H
#define CGROUP_H

#include <sys/types.h>

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct fry;

enum { CGROUP_FILE_SIZE = 1 << 18 }; /* longer files are truncated */

struct cgroup {
	char path[PATH_MAX]; /* its directory */
	char name[PATH_MAX]; /* its path in the hierarchy, as in /proc/PID/cgroup */
	bool frozen;         /* cgroup_kill() froze it */
};

/* Find fry-run's cgroup, and name a leaf below it (new) or claim it (own). Exits with 125 on failure. */
void cgroup_start(struct fry *fry);
/* Make the leaf. Exits with 125 on failure. */
void cgroup_make(const struct fry *fry);
/* In the child: enter the leaf. Returns -1 with errno. */
int cgroup_enter(const struct fry *fry);
/* Read cgroup.procs into text. Returns its length, or -1: also without --cgroup. */
ssize_t cgroup_members(const struct fry *fry, char *text, size_t size);
/* Whether a process is in the cgroup now. False if /proc cannot be read. */
bool cgroup_holds(const struct fry *fry, pid_t pid);
/* Whether a process is in the cgroup, other than the outer and the inner process. */
bool cgroup_populated(const struct fry *fry);
/* Wait until the cgroup is empty or changes, a signal is pending, or the deadline is over. */
void cgroup_wait(const struct fry *fry, int64_t deadline);
/*
 * Kill every process in the leaf and return true. Without cgroup.kill, freeze the leaf until cgroup_thaw()
 * and return false: each process has to be killed. With --cgroup=own, return false, too.
 */
bool cgroup_kill(const struct fry *fry);
/* Thaw the leaf if cgroup_kill() froze it. */
void cgroup_thaw(const struct fry *fry);
/* Record the figures for the report, and remove the leaf. The outer process finds this done most often. */
void cgroup_end(const struct fry *fry);

/* Linux alone has cgroups (the Makefile defines _GNU_SOURCE there). Elsewhere --cgroup is refused. */
#ifndef _GNU_SOURCE
#define cgroup_start(fry)          ((void)(fry))
#define cgroup_make(fry)           ((void)(fry))
#define cgroup_enter(fry)          ((void)(fry), 0)
#define cgroup_populated(fry)      ((void)(fry), false)
#define cgroup_wait(fry, deadline) ((void)(fry), (void)(deadline))
#define cgroup_kill(fry)           ((void)(fry), false)
#define cgroup_thaw(fry)           ((void)(fry))
#define cgroup_end(fry)            ((void)(fry))
#endif

#endif
