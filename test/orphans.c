/* orphans.c - make processes whose parent is gone, or many that have to be killed */
/* SPDX-License-Identifier: MIT */
/*
 * orphans [-l] [-s] N
 *	Make N orphans as fast as fork allows: a child forks a grandchild and is reaped. Print `done`
 *	and exit 0. An orphan exits at once; with -l it lives; with -s it is in a session of its own.
 *
 * orphans [-s] -f N	keep N children
 * orphans [-s] -d N	keep a chain of N processes, each the parent of the next
 *	Those ignore HUP, INT, QUIT and TERM. Print `ready` when all exist, and wait until a signal
 *	ends it; it ignores none itself.
 *
 * As a safeguard what lives ends by itself after five minutes.
 */
#include <sys/wait.h>

#include <stdbool.h>

#include "fixture.h"

#define SAFEGUARD 300 /* seconds */

/* Wait until a signal ends it. */
static void live(void)
{
	alarm(SAFEGUARD);
	for (;;)
		pause();
}

static pid_t process_fork(void)
{
	pid_t pid = fork();

	if (pid == -1)
		fail("fork");
	return pid;
}

static void orphans_make(int count, bool lives, bool sessions)
{
	for (int i = 0; i < count; i++) {
		pid_t pid = process_fork();

		if (pid == 0) {
			if (sessions)
				setsid();
			if (process_fork() == 0 && lives)
				live();
			_exit(0);
		}
		while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
			;
	}
}

/* One that is kept: ignore what a stop sends, and tell that it is there. */
static void settle(bool session, int tell)
{
	static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		disposition_set(ignored[i], SIG_IGN);
	if (session)
		setsid();
	if (write(tell, "", 1) != 1)
		_exit(1);
}

static void children_keep(int count, bool sessions, int tell)
{
	for (int i = 0; i < count; i++) {
		if (process_fork() == 0) {
			settle(sessions, tell);
			live();
		}
	}
}

/* Each link forks the next, and stays. */
static void chain_keep(int count, bool sessions, int tell)
{
	if (count == 0 || process_fork() != 0)
		return;
	do
		settle(sessions, tell);
	while (--count > 0 && process_fork() == 0);
	live();
}

static void arrivals_await(int count, int told)
{
	char byte;

	for (int i = 0; i < count; i++)
		if (read(told, &byte, 1) != 1)
			fail("a child");
}

int main(int argc, char **argv)
{
	bool lives = false, sessions = false;
	int option, told[2], flat = -1, deep = -1;

	while ((option = getopt(argc, argv, "+lsf:d:")) != -1) {
		switch (option) {
		case 'l':
			lives = true;
			break;
		case 's':
			sessions = true;
			break;
		case 'f':
			flat = number_parse(optarg, 1000000);
			break;
		case 'd':
			deep = number_parse(optarg, 1000000);
			break;
		default:
			return 2;
		}
	}
	if (flat < 0 && deep < 0) {
		if (!argv[optind])
			misused("missing word", "N");
		orphans_make(number_parse(argv[optind], 1000000), lives, sessions);
		puts("done");
		return 0;
	}
	if (pipe(told) == -1)
		fail("pipe");
	if (flat >= 0) {
		children_keep(flat, sessions, told[1]);
		arrivals_await(flat, told[0]);
	}
	if (deep >= 0) {
		chain_keep(deep, sessions, told[1]);
		arrivals_await(deep, told[0]);
	}
	puts("ready");
	fflush(stdout);
	live();
}
