/* fry.h - exit statuses, and struct fry, the state of one run */
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
#include "src/hangup.h"
#include "src/message.h"
#include "src/options.h"
#include "src/report.h"
#include "src/schedule.h"
#include "src/tree.h"
#include "src/tty.h"

#define FRY_VERSION "1.0.0"

enum {
	EXIT_TIMED_OUT = 124,      /* as timeout(1) */
	EXIT_FRY = 125,            /* fry-run itself failed or was misused */
	EXIT_NOT_EXECUTABLE = 126, /* as a shell: found, not executable */
	EXIT_NOT_FOUND = 127       /* as a shell: not found */
};

/* How COMMAND ended, and why. It is complete once `final` is set or the inner process has died. */
struct result {
	bool final;     /* set by the inner process as its last act */
	int exec_errno; /* set by the child if COMMAND could not be executed */
	bool ended;     /* status is COMMAND's wait status */
	int status;
	/* stopped by request, --timeout, --parent-death, --hangup */
	bool asked, timed_out, orphaned, hung_up;
	bool leaked; /* --leftover=fail: a descendant outlived COMMAND */
};

/* State shared by the outer process, the inner process and the child, until COMMAND is executed. */
struct shared {
	struct result result;
	struct channel channel;
	struct log log;
};

struct fry {
	struct options options;
	char **argv; /* COMMAND and its arguments; argv[-1] is fry-run's own, and may be overwritten */

	/* how fry-run was started */
	struct timespec start; /* CLOCK_REALTIME */
	int64_t began;
	pid_t caller;      /* parent of the outer or the only process */
	pid_t public_pid;  /* pid of the outer or the only process */
	pid_t caller_pgid; /* process group that fry-run was started in: the shell's job */
	char *argv_area;   /* fry-run's arguments in memory, as ps(1) shows them */
	size_t argv_area_size;
	bool inherited; /* fry-run had children already when it was executed */
	bool subreaper; /* orphans are reparented to fry-run */
	int report;     /* descriptor of the report; -1: none */

	/* the processes; a pid is 0 once the process has ended, since it may be reused */
	enum role role;
	pid_t self, pgid;         /* of this process */
	pid_t outer;              /* inner process only; 0: in another pid namespace */
	pid_t inner;              /* outer process only */
	pid_t command;            /* child of the inner or the only process */
	pid_t zombie;             /* COMMAND, once it has ended and is kept: see reap_keep() */
	pid_t command_pgid;       /* process group that COMMAND was started in */
	bool command_leads_group; /* COMMAND was started as the leader of that group */
	bool pausing;             /* --pause: there is no COMMAND, and no termination request yet */

	int64_t timeout_at;
	struct schedule schedule;
	struct signals signals;
	struct tty tty;
	struct tree tree;
	struct guard guard;
	struct hangup hangup;
	struct cgroup *cgroup; /* NULL: no --cgroup */
	struct shared *shared;
};

#endif
