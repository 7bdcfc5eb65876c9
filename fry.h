/* fry.h - exit statuses, and struct fry: all that a run knows, made of its modules' parts */
/* SPDX-License-Identifier: MIT */
#ifndef FRY_H
#define FRY_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "signals.h"
#include "src/cgroup.h"
#include "src/clock.h"
#include "src/guard.h"
#include "src/message.h"
#include "src/options.h"
#include "src/report.h"
#include "src/schedule.h"
#include "src/tree.h"
#include "src/tty.h"

#define FRY_VERSION "0.9.1"

enum {
	EXIT_TIMED_OUT = 124,      /* as timeout(1) */
	EXIT_FRY = 125,            /* fry-run itself failed or was misused */
	EXIT_NOT_EXECUTABLE = 126, /* as a shell: found, not executable */
	EXIT_NOT_FOUND = 127       /* as a shell: not found */
};

/* How COMMAND ended, and why: read once the inner process has set `final`, or has died. */
struct result {
	bool final;        /* set by the inner process as its last act */
	bool inner_killed; /* the outer process has taken over */
	int exec_errno;    /* set by the child if COMMAND could not be executed */
	bool ended;        /* status holds COMMAND's wait status */
	int status;
	bool asked, timed_out, orphaned; /* why COMMAND was stopped */
	bool leaked;                     /* a process outlived COMMAND, with --leftover=fail */
};

/* State shared by the outer process, the inner process and the child, until COMMAND is executed. */
struct shared {
	struct result result;
	struct channel channel;
	struct log log;
};

struct fry {
	struct options options;
	char **argv; /* COMMAND and its arguments; the word before it may be overwritten */

	/* how fry-run was started */
	struct timespec start; /* CLOCK_REALTIME */
	int64_t began;
	pid_t caller;      /* parent of the process that the caller knows */
	pid_t public_pid;  /* pid of the process that the caller knows: the outer or the only one */
	pid_t caller_pgid; /* its process group: the shell's job */
	pid_t sid;
	char *argv_area; /* its arguments as ps(1) shows them */
	size_t argv_area_size;
	bool inherited; /* it had children already, by exec */
	bool subreaper; /* orphans are reparented to fry-run */
	int report;     /* descriptor of the report; -1: none */

	/* the processes; 0 once reaped, and a pid is never used again */
	enum role role;
	pid_t self, pgid;         /* of this process */
	pid_t outer;              /* known to the inner process only */
	pid_t inner;              /* known to the outer process only */
	pid_t command;            /* child of the inner or the only process */
	pid_t command_pgid;       /* process group that COMMAND was started in */
	bool command_leads_group; /* and nothing else was in it */
	bool pausing;             /* --pause: there is no COMMAND, and no request to end yet */

	int64_t timeout_at;
	struct schedule schedule;
	struct signals signals;
	struct tty tty;
	struct tree tree;
	struct guard guard;
	struct cgroup *cgroup; /* NULL: without */
	struct shared *shared;
};

#endif
