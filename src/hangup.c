/*
 * hangup.c - --hangup: notice that the other end of a descriptor is closed
 *
 * The outer or the only process keeps the descriptor and waits for it with poll(2), beside its signals. Data
 * that arrives does not wake it, since it asks for none. poll(2) changes neither the descriptor nor the flags
 * of its open file description, which COMMAND shares: O_ASYNC and O_NONBLOCK would.
 */
/* SPDX-License-Identifier: MIT */
#include "hangup.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "fry.h"
#include "pending.h"
#include "sys.h"

/* Without signalfd(2), or if there is no descriptor for it, how often to look. */
#define LOOK_AGAIN (100 * MILLISECOND)

/* POLLHUP and POLLERR are always reported. A socket reports the closing of the other end as POLLRDHUP, too. */
#ifdef POLLRDHUP
#define HANGUP POLLRDHUP
#else
#define HANGUP 0
#endif

#ifndef _GNU_SOURCE
#define pending_open() (-1)
#endif

void hangup_keep(struct fry *fry)
{
	fry->hangup.fd = -1;
	if (fry->options.hangup == -1)
		return;
	fry->hangup.fd = dup2(fry->options.hangup, STDIN_FILENO);
	if (fry->hangup.fd == -1)
		warn("--hangup=%d has no effect: %s", fry->options.hangup, strerror(errno));
}

bool hangup_now(const struct fry *fry)
{
	struct pollfd polled = {.fd = fry->hangup.fd, .events = HANGUP};

	return fry->hangup.fd != -1 && poll(&polled, 1, 0) == 1;
}

bool hangup_seen(struct fry *fry)
{
	struct result *result = &fry->shared->result;

	if (!hangup_now(fry))
		return false;
	close(fry->hangup.fd);
	fry->hangup.fd = -1;
	/* A caller that signals fry-run first and is gone then has asked for the stop by its signal. */
	result->hung_up = !result->asked;
	log_verbose(fry, 1, "the other end of descriptor %d is closed", fry->options.hangup);
	/* A client that is killed is a parent that dies, too: one TERM is enough. */
	if (fry->options.parent_death != SIGTERM)
		return true;
	if (fry->signals.parent_gone)
		return false;
	fry->signals.parent_signal = true;
	return true;
}

int64_t hangup_poll(const struct fry *fry, int signal_fd, int other, int64_t deadline)
{
	struct pollfd polled[] = {{.fd = signal_fd, .events = POLLIN},
				  {.fd = other, .events = POLLIN},
				  {.fd = fry->hangup.fd, .events = HANGUP}};
	int64_t left = deadline == NEVER || deadline == 0 ? deadline : deadline - clock_now();

	if (signal_fd == -1 && fry->hangup.fd != -1 && deadline > clock_now() + LOOK_AGAIN)
		return clock_now() + LOOK_AGAIN;
	if (signal_fd == -1 || (other == -1 && fry->hangup.fd == -1))
		return deadline;
	/* The deadline may be over already, and a negative timeout is none: poll(2). */
	left = left > 0 ? left / MILLISECOND + 1 : 0;
	poll(polled, 3, deadline == NEVER ? -1 : left > INT_MAX ? INT_MAX : (int)left);
	return 0;
}

int64_t hangup_wait(struct fry *fry, int64_t deadline)
{
	struct hangup *hangup = &fry->hangup;

	if (hangup->fd == -1)
		return deadline;
	if (hangup->signal_fd == 0)
		hangup->signal_fd = pending_open();
	return hangup_poll(fry, hangup->signal_fd, -1, deadline);
}
