/*
 * schedule.c - the stop schedule
 *
 * The schedule only moves forward, and no wait is restarted.
 */
/* SPDX-License-Identifier: MIT */
#include "schedule.h"

#include <signal.h>
#include <string.h>

#include "signame.h"

/* Returns the place of the first step with a signal. */
static int first_step(const struct schedule *schedule)
{
	return schedule->steps != 0 && schedule->step[0].signal == 0;
}

const char *schedule_parse(struct schedule *schedule, const char *word)
{
	bool waits = false; /* the last word was a duration */
	struct step *last = NULL;

	*schedule = (struct schedule){.at = -1};
	for (;;) {
		size_t length = strcspn(word, "/");
		char part[32];

		if (length == 0 || length >= sizeof(part))
			return "SCHEDULE is [DURATION/]SIGNAL[/DURATION/SIGNAL]...[/DURATION]";
		memcpy(part, word, length);
		part[length] = '\0';
		if (strchr("0123456789.", part[0]) != NULL) {
			if (waits)
				return "a duration comes after a signal in SCHEDULE";
			if (last == NULL)
				last = &schedule->step[schedule->steps++];
			last->wait = clock_parse_duration(part);
			if (last->wait == -1)
				return "a DURATION is a decimal number with ms, s, m, h or d";
			waits = true;
		} else {
			if (last != NULL && last->signal == SIGKILL)
				return "nothing comes after KILL in SCHEDULE";
			if (schedule->steps == first_step(schedule) + MAX_STEPS)
				return "SCHEDULE has at most 16 signals";
			last = &schedule->step[schedule->steps++];
			last->signal = signame_parse(part[0] == '-' ? part + 1 : part);
			if (last->signal == -1)
				return "no such signal; / separates signals and durations";
			if (last->signal == SIGSTOP || last->signal == SIGCHLD)
				return "SCHEDULE names a signal that ends nothing";
			waits = false;
		}
		if (word[length] == '\0')
			break;
		word += length + 1;
	}
	if (last->signal == 0)
		return "a signal comes after the first duration in SCHEDULE; -k sets the wait alone";
	/* A last step without a wait never expires; after KILL, KILL_WAIT applies. */
	if (!waits)
		last->wait = last->signal == SIGKILL ? KILL_WAIT : NEVER;
	return NULL;
}

void schedule_set_default(struct schedule *schedule, int64_t wait)
{
	*schedule = (struct schedule){
		.step = {{SIGINT, wait}, {SIGTERM, wait}, {SIGKILL, KILL_WAIT}},
		.steps = 3,
		.at = -1,
	};
	if (wait == 0) {
		schedule->step[0].wait = STEP_WAIT;
		schedule->step[1].wait = NEVER;
		schedule->steps = 2;
	}
}

/*
 * Go to a step. If a received signal enters it, COMMAND's group alone has that signal: other descendants get
 * it before KILL, halfway through the wait, or 5 s before its end if the wait is at least 10 s.
 */
static void schedule_enter(struct schedule *schedule, int at, int64_t now, bool received)
{
	int64_t wait = at < schedule->steps ? schedule->step[at].wait : NEVER;
	bool kill_next = at + 1 < schedule->steps && schedule->step[at + 1].signal == SIGKILL;

	schedule->at = at;
	schedule->deadline = clock_add(now, wait);
	schedule->spread = NEVER;
	if (received && kill_next)
		schedule->spread =
			clock_add(now, wait < 10 * SECOND ? wait / 2 : wait - 5 * SECOND);
}

/* Go to the step of a signal if it lies ahead. A signal without a step goes to the first that sends. */
static void schedule_advance(struct schedule *schedule, int sig, int64_t now, bool received)
{
	int own = first_step(schedule);

	while (own < schedule->steps && schedule->step[own].signal != sig)
		own++;
	if (own == schedule->steps)
		own = first_step(schedule);
	if (own > schedule->at)
		schedule_enter(schedule, own, now, received);
}

bool schedule_drain(struct schedule *schedule, int64_t now)
{
	if (schedule->at != -1 || first_step(schedule) == 0)
		return false;
	schedule_enter(schedule, 0, now, false);
	return true;
}

bool schedule_drained(const struct schedule *schedule, int64_t now)
{
	return schedule->at == 0 && first_step(schedule) != 0 && now >= schedule->deadline;
}

void schedule_request(struct schedule *schedule, int sig, int64_t now)
{
	schedule_advance(schedule, sig, now, true);
}

void schedule_leftover(struct schedule *schedule, int64_t now)
{
	schedule_advance(schedule, SIGTERM, now, false);
}

bool schedule_expire(struct schedule *schedule, int64_t now)
{
	if (schedule->at == -1 || schedule->at == schedule->steps || now < schedule->deadline)
		return false;
	schedule_enter(schedule, schedule->at + 1, now, false);
	return true;
}

bool schedule_spread(struct schedule *schedule, int64_t now)
{
	if (schedule->at == -1 || now < schedule->spread)
		return false;
	schedule->spread = NEVER;
	return true;
}

int64_t schedule_next(const struct schedule *schedule)
{
	return schedule->spread < schedule->deadline ? schedule->spread : schedule->deadline;
}

int64_t schedule_until_kill(const struct schedule *schedule)
{
	int64_t total = 0;

	for (int i = 0; i < schedule->steps && schedule->step[i].signal != SIGKILL; i++)
		total = clock_add(total, schedule->step[i].wait);
	return total;
}

int schedule_first_signal(const struct schedule *schedule)
{
	return schedule->step[first_step(schedule)].signal;
}

int schedule_signal(const struct schedule *schedule)
{
	return schedule->at == -1 || schedule->at == schedule->steps
		       ? 0
		       : schedule->step[schedule->at].signal;
}

void schedule_kill(struct schedule *schedule)
{
	int64_t wait = KILL_WAIT;

	if (schedule->step[schedule->steps - 1].signal == SIGKILL)
		wait = schedule->step[schedule->steps - 1].wait;
	*schedule = (struct schedule){
		.step = {{SIGKILL, wait}}, .steps = 1, .deadline = NEVER, .spread = NEVER};
}

bool schedule_may_send(const struct schedule *schedule, int sig)
{
	if (sig == SIGTERM) /* to leftovers */
		return true;
	if (schedule->at != -1 && schedule->spread != NEVER && schedule_signal(schedule) == sig)
		return true;
	for (int i = schedule->at + 1; i < schedule->steps; i++)
		if (schedule->step[i].signal == sig)
			return true;
	return false;
}
