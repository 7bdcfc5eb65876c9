/* copies.h - forward a signal once, however it was sent */
/* SPDX-License-Identifier: MIT */
#ifndef COPIES_H
#define COPIES_H

#include <sys/types.h>

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "signame.h"

struct fry;

/* Copies that were received and wait for another. */
struct copies {
	int64_t due; /* when to look at them; NEVER: none waits */
	/* after COMMAND's end: until when to wait for copies at least, and at most; 0: COMMAND lives */
	int64_t settled, settled_limit;
	unsigned settled_question; /* to the outer process: is all relayed? */
	struct copy {
		int64_t until; /* end of its hold; 0: none waits */
		int64_t limit; /* end of the longest hold, for a sender that waits for the processor */
		pid_t parent; /* of the sender */
		/* processor time of sender and parent when the hold began; -1: unknown */
		int64_t sender_ran, parent_ran;
		unsigned question;    /* to the outer process; 0: not asked yet */
		int64_t answer_until; /* how long to wait for its answer */
		pid_t sender;
		int own;    /* how many more own copies came than relayed ones */
		int merged; /* how many relayed ones may have an own copy that merged with another */
		unsigned merging; /* question after the last own copy: see was_merged(); 0: none */
		bool terminating;
	} * of; /* for each signal */
};

/* Make room for copies. Returns -1 with errno ENOMEM. */
int copies_init(struct copies *copies);

/* Handle a signal that the outer process has relayed. */
void copies_relayed(struct fry *fry, siginfo_t *info, bool terminating);
/* Take a signal that the inner process has received itself. Returns false if it has no copy. */
bool copies_received(struct fry *fry, siginfo_t *info);
/* Handle each copy whose hold is over. Returns when the next hold is over, or NEVER. */
int64_t copies_expire(struct fry *fry);
/* After COMMAND's end: whether no copy of what ended it is yet to come. copies_expire() says when to ask again. */
bool copies_settled(struct fry *fry);

#ifndef _GNU_SOURCE
/* Beyond Linux there is one process, and no copy to wait for: see guard.h. */
#define copies_expire(fry)  ((void)(fry), NEVER)
#define copies_settled(fry) ((void)(fry), true)
#endif

#endif
