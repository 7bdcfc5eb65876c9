/* bomb.c - processes that fork faster than they can be counted, within bounds */
/* SPDX-License-Identifier: MIT */
/*
 * bomb [OPTION]... chain [K]	K (1) chains of processes that fork and exit for ever
 * bomb [OPTION]... fork [N]	about N (500) processes that replace whatever of them is killed, and
 *				now and then themselves
 *
 *	-s	each in a session of its own
 *	-x	exit 0 when ready, instead of staying among them
 *	-l SEC	all of it ends by itself after SEC seconds (60)
 *
 * All ignore HUP, INT and TERM. Prints `ready` when all chains run, or N processes were reached.
 *
 * A walk over /proc misses what forks and exits all the time. Therefore all of them hold, together,
 * a lock on the file bomb.lock, made in the working directory: `flock -n bomb.lock true` succeeds
 * exactly when none is left. They end by themselves when that file is removed.
 *
 * Whoever runs it has to reap the orphans, as their zombies count.
 *
 * What keeps the machine safe: every process looks at the clock and the file before it forks. Of a
 * bomb, each needs a slot in shared memory, which is free again only when its holder is gone for
 * good, reaped included. A chain waits where the one a thousand forks ago was not reaped yet.
 */
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "fixture.h"

#define POPULATION 4096
#define BACKLOG    1024

struct shared {
	atomic_int reached;            /* slots that were ever filled */
	atomic_int holder[POPULATION]; /* of a slot; 0: nobody yet */
	atomic_int chains;             /* that run */
	pid_t recent[64][BACKLOG];     /* what each chain forked last */
};

static struct shared *shared;
static time_t end;
static int lock;
static bool sessions, leave;

static time_t clock_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void end_check(void)
{
	struct stat file;

	if (clock_seconds() >= end || fstat(lock, &file) == -1 || file.st_nlink == 0)
		_exit(0);
}

static void rest(void)
{
	nanosleep(&(struct timespec){0, 1000000}, NULL);
}

static bool exists(pid_t pid)
{
	return kill(pid, 0) == 0 || errno != ESRCH;
}

static void chain_run(int chain)
{
	for (unsigned link = 0;; link++) {
		pid_t *recent = &shared->recent[chain][link % BACKLOG];

		end_check();
		while (*recent && exists(*recent)) {
			rest();
			end_check();
		}
		switch (fork()) {
		case -1:
			rest();
			break;
		case 0:
			*recent = getpid();
			if (sessions)
				setsid();
			if (link == 0)
				atomic_fetch_add(&shared->chains, 1);
			break;
		default:
			_exit(0);
		}
	}
}

static void chains_start(int count)
{
	for (int chain = 0; chain < count; chain++) {
		pid_t pid = fork();

		if (pid == -1)
			fail("fork");
		if (pid == 0)
			chain_run(chain);
	}
	while (atomic_load(&shared->chains) < count) {
		end_check();
		rest();
	}
}

/*
 * Try to put a new process into a slot. Its parent takes the slot before it forks, so a slot whose
 * taker was killed in between is merely free again, and a child whose slot was taken over leaves.
 * Returns true in the new process.
 */
static bool slot_fill(atomic_int *slot)
{
	int holder = atomic_load(slot), self = getpid();

	if (holder == self || (holder && exists(holder)))
		return false;
	if (!atomic_compare_exchange_strong(slot, &holder, self))
		return false;
	switch (fork()) {
	case -1:
		atomic_store(slot, 0);
		rest();
		return false;
	case 0:
		if (!atomic_compare_exchange_strong(slot, &self, getpid()))
			_exit(0);
		if (holder == 0)
			atomic_fetch_add(&shared->reached, 1);
		if (sessions)
			setsid();
		return true;
	default:
		return false;
	}
}

/* Fill free slots for ever; the mortal leave after some 64 rounds, and are replaced. */
static void bomb_run(int population, bool mortal)
{
	unsigned seed = (unsigned)getpid();

	for (;;) {
		end_check();
		for (int tries = 0; tries < 16; tries++) {
			int slot;

			seed = seed * 1103515245U + 12345U;
			slot = (int)((seed >> 8) % (unsigned)population);
			if (slot_fill(&shared->holder[slot])) {
				mortal = true;
				seed = (unsigned)getpid();
			}
		}
		if (mortal && (seed >> 16) % 64 == 0 && atomic_load(&shared->reached) >= population)
			_exit(0);
		rest();
	}
}

static void bomb_start(int population)
{
	pid_t pid = fork();

	if (pid == -1)
		fail("fork");
	if (pid == 0)
		bomb_run(population, false);
	while (atomic_load(&shared->reached) < population) {
		end_check();
		rest();
	}
}

int main(int argc, char **argv)
{
	static const int ignored[] = {SIGHUP, SIGINT, SIGTERM, SIGCHLD};
	int option, life = 60, count;
	const char *kind;

	while ((option = getopt(argc, argv, "sxl:")) != -1) {
		switch (option) {
		case 's':
			sessions = true;
			break;
		case 'x':
			leave = true;
			break;
		case 'l':
			life = number_parse(optarg, 600);
			break;
		default:
			return 2;
		}
	}
	kind = argv[optind];
	if (!kind)
		misused("missing word", "chain or fork");
	count = strcmp(kind, "chain") == 0 ? 1 : 500;
	if (argv[optind + 1])
		count = number_parse(argv[optind + 1], count == 1 ? 64 : POPULATION);

	end = clock_seconds() + life;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		fail("mmap");
	lock = open("bomb.lock", O_RDWR | O_CREAT, 0644);
	if (lock == -1 || flock(lock, LOCK_EX | LOCK_NB) == -1)
		fail("bomb.lock");
	/* Ignoring CHLD leaves no zombies to those that live; orphans' are the reaper's. */
	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		disposition_set(ignored[i], SIG_IGN);
	if (strcmp(kind, "chain") == 0)
		chains_start(count);
	else if (strcmp(kind, "fork") == 0 && count > 0)
		bomb_start(count);
	else
		misused("neither chain nor fork", kind);
	puts("ready");
	fflush(stdout);
	if (leave)
		return 0;
	if (strcmp(kind, "fork") == 0)
		bomb_run(count, false);
	for (;;) {
		end_check();
		rest();
	}
}
