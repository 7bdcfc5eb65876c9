/* schedule.h - the stop schedule: pure functions of its state and the time */
/* SPDX-License-Identifier: MIT */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"

#define STEP_WAIT (10 * SECOND) /* between the steps by default */
#define KILL_WAIT (10 * SECOND) /* after KILL, since the last process died */

enum { MAX_STEPS = 16 };

/*
 * Each step sends its signal and waits before the next step. A schedule that begins with a wait, the drain, has
 * a first step without a signal: a termination request is held back for so long.
 */
struct schedule {
	struct step {
		int signal; /* 0: the drain */
		int64_t wait;
	} step[1 + MAX_STEPS];
	int steps;
	int at;           /* current step; -1: no termination request yet; steps: it is over */
	int64_t deadline; /* when the wait of the current step is over */
	int64_t spread;   /* when its signal, which COMMAND's group had, goes to every descendant */
};

/* Parse a schedule of start-stop-daemon(8). Returns NULL, or the rule that word breaks. */
const char *schedule_parse(struct schedule *schedule, const char *word);
/* Set the default schedule, with this wait between its steps; 0: without KILL. */
void schedule_set_default(struct schedule *schedule, int64_t wait);
/* On the first termination request: if the schedule begins with a drain, start it and return true. */
bool schedule_drain(struct schedule *schedule, int64_t now);
/* Whether the drain is under way and its wait is over. */
bool schedule_drained(const struct schedule *schedule, int64_t now);
/* On receipt of sig, a termination request: go to its step if that lies ahead. */
void schedule_request(struct schedule *schedule, int sig, int64_t now);
/* When COMMAND has ended before its descendants: go to the TERM step if that lies ahead. */
void schedule_leftover(struct schedule *schedule, int64_t now);
/* If the wait of the current step is over, go to the next step and return true. */
bool schedule_expire(struct schedule *schedule, int64_t now);
/* If the signal of the current step is now due for every descendant, return true, once. */
bool schedule_spread(struct schedule *schedule, int64_t now);
/* Returns when schedule_expire() or schedule_spread() is due next. */
int64_t schedule_next(const struct schedule *schedule);
/* Returns how long a stop takes at most until KILL is due, or the last wait is over if there is none. */
int64_t schedule_until_kill(const struct schedule *schedule);
/* Returns the first signal of the schedule. */
int schedule_first_signal(const struct schedule *schedule);
/* Returns the signal of the current step; 0 if there is none. */
int schedule_signal(const struct schedule *schedule);
/* Replace the schedule by one step, KILL, and enter it. */
void schedule_kill(struct schedule *schedule);
/* Whether the schedule may yet send sig to a process that has not had it. */
bool schedule_may_send(const struct schedule *schedule, int sig);

#endif
