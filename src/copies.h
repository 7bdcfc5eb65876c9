/* copies.h - tell a signal to the whole process group from one to fry-run alone */
/* SPDX-License-Identifier: MIT */
#ifndef COPIES_H
#define COPIES_H

#include <sys/types.h>

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "signame.h"

struct fry;

/* For each signal: copies that were received and wait for another. */
struct copies {
	struct copy {
		int64_t until; /* 0: none waits */
		pid_t sender;
		int own; /* how many more own copies came than relayed ones */
		bool terminating;
	} of[SIGNALS];
};

/* Handle a signal that the outer process has relayed. */
void copies_relayed(struct fry *fry, siginfo_t *info, bool terminating);
/* Take a signal that the inner process has received itself. Returns false if it has no copy. */
bool copies_received(struct fry *fry, siginfo_t *info);
/* Handle what has waited for its copy long enough. Returns until when the next one waits, or NEVER. */
int64_t copies_expire(struct fry *fry);

#endif
