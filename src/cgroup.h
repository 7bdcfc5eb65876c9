/* cgroup.h - contain COMMAND in a cgroup v2 */
/* SPDX-License-Identifier: MIT */
#ifndef CGROUP_H
#define CGROUP_H

#include <sys/types.h>

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct fry;

enum { CGROUP_FILE_SIZE = 1 << 18 }; /* no file that is read is longer */

struct cgroup {
	char path[PATH_MAX]; /* of its directory */
	char name[PATH_MAX]; /* as /proc/PID/cgroup has it */
	bool frozen;         /* by us, and to be thawed */
};

/* Find our own cgroup, and choose a leaf or claim it. Exits with 125 if that is impossible. */
void cgroup_start(struct fry *fry);
/* Make the leaf. Exits with 125 if that is impossible. */
void cgroup_make(const struct fry *fry);
/* In the child: enter the leaf. Returns -1 with errno. */
int cgroup_enter(const struct fry *fry);
/* Read cgroup.procs into text. Returns its length, or -1. */
ssize_t cgroup_members(const struct fry *fry, char *text, size_t size);
/* Whether a process is in the cgroup now. */
bool cgroup_holds(const struct fry *fry, pid_t pid);
/* Whether a process other than fry-run's own is in the cgroup. */
bool cgroup_populated(const struct fry *fry);
/* Wait for that to change, for a signal, or until a deadline. */
void cgroup_wait(const struct fry *fry, int64_t deadline);
/* Kill all in the leaf and return true; or freeze it, so that each process can be killed. */
bool cgroup_kill(const struct fry *fry);
/* Thaw what was frozen, so that it dies. */
void cgroup_thaw(const struct fry *fry);
/* Note the figures for the report, and remove the leaf. */
void cgroup_end(const struct fry *fry);

#endif
