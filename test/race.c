/* race.c - signal a wrapper in the first moments of its life, and count what came of it */
/* SPDX-License-Identifier: MIT */
/*
 * race [OPTION]... -- COMMAND [ARG]...
 *
 * Again and again, execute COMMAND (a wrapper around something that ends of the signal) and send it
 * a signal after a delay, a little longer each time. Prints how often each of these happened, as
 * lines `COUNT OUTCOME`, those that did not happen left out:
 *
 *	died	it ended of the signal, or exited 128+N, and so did all that it had started
 *	lost	it did not end within the limit
 *	left	it did, but something that it had started did not
 *	status S	it ended with another wait status, in decimal
 *
 *	-n N	loops (1000); fewer if three were lost or left before, since those take their time
 *	-s SIG	the signal (TERM)
 *	-d USEC	the longest delay (5000), in 250 steps, counted from the moment of execve(2)
 *	-l MSEC	the limit (5000)
 *	-a	all loops, whatever is lost
 *	-g	send it to the process group that COMMAND leads, rather than to COMMAND alone
 */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <poll.h>
#include <stdbool.h>
#include <time.h>

#include "fixture.h"

#define STEPS 250

static struct {
	int loops, losses, sig, delay, limit;
	bool group;
	char **command;
} race = {.loops = 1000, .losses = 3, .sig = SIGTERM, .delay = 5000, .limit = 5000};

static struct {
	int died, lost, left;
	int status[UINT16_MAX + 1];
} count;

static int64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Start COMMAND, which holds *life open with all its descendants. Returns when it is executed. */
static pid_t command_start(int *life, uint64_t mask)
{
	int executed[2], lives[2];
	char byte;
	pid_t pid;

	if (pipe2(executed, O_CLOEXEC) == -1 || pipe(lives) == -1)
		fail("pipe");
	pid = fork();
	if (pid == -1)
		fail("fork");
	if (pid == 0) {
		close(lives[0]);
		if (race.group)
			setpgid(0, 0);
		mask_set(mask);
		command_exec(race.command);
	}
	close(executed[1]);
	close(lives[1]);
	while (read(executed[0], &byte, 1) == -1 && errno == EINTR)
		;
	close(executed[0]);
	*life = lives[0];
	return pid;
}

/* Wait for the end of a child. Returns false if the limit is reached. */
static bool child_ended(pid_t pid, int *status)
{
	int64_t limit = clock_ns() + race.limit * INT64_C(1000000);
	uint64_t child = signal_bit(SIGCHLD);

	for (;;) {
		struct timespec wait = {0, 100000000};
		pid_t ended = waitpid(-1, status, WNOHANG);

		if (ended == pid)
			return true;
		if (ended > 0)
			continue;
		if (clock_ns() > limit)
			return false;
		syscall(SYS_rt_sigtimedwait, &child, NULL, &wait, sizeof(child));
	}
}

/* Kill and reap all children: as a subreaper, this is everything. */
static void children_end(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%ld/children", (long)getpid());
	while (waitpid(-1, NULL, WNOHANG) != -1) {
		FILE *file = fopen(path, "r");
		int pid;

		if (!file)
			fail(path);
		while (fscanf(file, "%d", &pid) == 1)
			kill(pid, SIGKILL);
		fclose(file);
		poll(NULL, 0, 1);
	}
}

static void once(int64_t delay, uint64_t mask)
{
	struct pollfd life = {.events = POLLIN};
	int64_t start;
	int status = 0;
	pid_t pid;

	pid = command_start(&life.fd, mask);
	start = clock_ns();
	while (clock_ns() < start + delay)
		;
	kill(race.group ? -pid : pid, race.sig);
	if (!child_ended(pid, &status))
		count.lost++;
	else if (poll(&life, 1, race.limit) != 1)
		count.left++;
	else if (status == race.sig || status == (128 + race.sig) << 8)
		count.died++;
	else
		count.status[status & UINT16_MAX]++;
	close(life.fd);
	children_end();
}

int main(int argc, char **argv)
{
	uint64_t mask = mask_set(signal_bit(SIGCHLD));
	int option;

	while ((option = getopt(argc, argv, "+n:s:d:l:ag")) != -1) {
		switch (option) {
		case 'n':
			race.loops = number_parse(optarg, 1000000);
			break;
		case 's':
			race.sig = signal_parse(optarg);
			break;
		case 'd':
			race.delay = number_parse(optarg, 1000000);
			break;
		case 'l':
			race.limit = number_parse(optarg, 60000);
			break;
		case 'a':
			race.losses = INT_MAX;
			break;
		case 'g':
			race.group = true;
			break;
		default:
			return 2;
		}
	}
	race.command = argv + optind;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (int i = 0; i < race.loops && count.lost + count.left < race.losses; i++)
		once(i % STEPS * (race.delay * INT64_C(1000) / STEPS), mask);

	if (count.died)
		printf("%d died\n", count.died);
	if (count.lost)
		printf("%d lost\n", count.lost);
	if (count.left)
		printf("%d left\n", count.left);
	for (int status = 0; status <= UINT16_MAX; status++)
		if (count.status[status])
			printf("%d status %d\n", count.status[status], status);
	return 0;
}
