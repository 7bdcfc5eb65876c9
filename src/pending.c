/*
 * pending.c - every signal stays blocked, and is received as data
 */
/* SPDX-License-Identifier: MIT */
#include "pending.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "sys.h"

void pending_block_all(sigset_t *old)
{
	sigset_t all;

	mask_fill(&all);
	mask_set(&all, old);
}

/* Returns the signal, or 0 when the deadline has come. */
static int receive_from(const sigset_t *set, siginfo_t *info, int64_t deadline)
{
	int sig;

	do {
		int64_t left =
			deadline == NEVER || deadline == 0 ? deadline : deadline - clock_now();
		struct timespec wait = {0};

		if (left > INT32_MAX * SECOND)
			left = INT32_MAX * SECOND; /* the largest 32-bit time_t */
		if (left > 0)
			wait = (struct timespec){.tv_sec = (time_t)(left / SECOND),
						 .tv_nsec = (long)(left % SECOND)};

		sig = signal_wait(set, info, deadline == NEVER ? NULL : &wait);
	} while (sig == -1 && errno == EINTR); /* after SIGSTOP and SIGCONT: signal(7) */
	return sig == -1 ? 0 : sig;
}

int pending_receive(siginfo_t *info, int64_t deadline, int except)
{
	sigset_t set;

	mask_fill(&set);
	if (except != 0)
		mask_test_clear(&set, except);
	return receive_from(&set, info, deadline);
}

int pending_wait(siginfo_t *info, int64_t deadline, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	mask_add(&set, sig);
	return receive_from(&set, info, deadline);
}

bool pending_has(int sig)
{
	sigset_t set;

	return sigpending(&set) == 0 && mask_test_clear(&set, sig);
}

bool pending_has_any(void)
{
	sigset_t set = {0}, none = {0};

	if (sigpending(&set) == -1)
		return false;
	mask_test_clear(&set, SIGCHLD);
	return memcmp(&set, &none, sizeof(set)) != 0;
}

bool pending_consume(int sig, siginfo_t *info)
{
	return pending_wait(info, 0, sig) == sig;
}

void pending_discard(int except)
{
	siginfo_t info;
	sigset_t set;

	mask_fill(&set);
	mask_test_clear(&set, except);
	while (signal_wait(&set, &info, &(struct timespec){0}) > 0)
		;
}

void pending_deliver(int sig)
{
	sigset_t mask;

	mask_fill(&mask);
	mask_test_clear(&mask, sig);
	mask_set(&mask, NULL);
	pending_block_all(NULL);
}

bool sent_by_kernel(const siginfo_t *info)
{
#ifdef SI_KERNEL
	return info->si_code == SI_KERNEL;
#else
	return info->si_code != SI_USER && info->si_code != SI_QUEUE;
#endif
}
