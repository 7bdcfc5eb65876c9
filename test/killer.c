/* killer.c - kill a wrapper with SIGKILL, again and again, and count what it leaves behind */
/* SPDX-License-Identifier: MIT */
/*
 * killer [OPTION]... -- COMMAND [ARG]...
 *
 * Again and again, execute COMMAND (a wrapper around something that does not end) and send it
 * SIGKILL after a delay, a little longer each time. Everything that it started holds its stdout, a
 * pipe, and falls to killer, which is a subreaper. Prints how often each of these happened, as lines
 * `COUNT OUTCOME`, those that did not happen left out:
 *
 *	gone	it died of SIGKILL; within the limit all was reaped, and the pipe at its end
 *	leaked	that was not so
 *	alive	it did not end, though one of its processes was killed
 *	status S	it ended with another wait status, in decimal
 *
 *	-n N	loops (1000); fewer if three went wrong before, since those take their time
 *	-d USEC	the longest delay (5000), in 250 steps, counted from the moment of execve(2)
 *	-l MSEC	the limit (5000)
 *	-i	kill COMMAND's first child instead, the delay counted from when there is one
 *	-s	stop that child before COMMAND is killed, the delay counted from when it has a child itself
 *	-w	wait until something was written to the pipe, and count the delay from there
 *	-t	print `slowest USEC`, from SIGKILL until nothing was left, and `median USEC`
 *
 * killer -T
 *	Be a tree for that: a child, one in a process group and one in a session of its own, a daemon,
 *	a stopped one, a thread whose process is otherwise gone, and a chain that forks and exits for
 *	ever. All ignore what can be ignored. Prints `ready` when all are there.
 *
 * As a safeguard what lives ends by itself after a minute.
 */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "fixture.h"

#define STEPS     250
#define SAFEGUARD 60 /* seconds */
#define MOST      1000000

static struct {
	int loops, delay, limit;
	bool inner, stop, wait, time;
	char **command;
} killer = {.loops = 1000, .delay = 5000, .limit = 5000};

static struct {
	int gone, leaked, alive, times;
	int status[UINT16_MAX + 1];
	int64_t took[MOST];
} count;

static int64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void spin(int64_t delay)
{
	int64_t until = clock_ns() + delay;

	while (clock_ns() < until)
		;
}

/* Start COMMAND with its stdout in *life. Returns when it is executed. */
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
		dup2(lives[1], STDOUT_FILENO);
		close(lives[0]);
		close(lives[1]);
		mask_set(mask);
		command_exec(killer.command);
	}
	close(executed[1]);
	close(lives[1]);
	while (read(executed[0], &byte, 1) == -1 && errno == EINTR)
		;
	close(executed[0]);
	*life = lives[0];
	return pid;
}

/* The first child of a process, as soon as it has one. Returns 0 if it ends before. */
static pid_t child_of(pid_t pid)
{
	char path[64], text[32];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	for (;;) {
		siginfo_t info = {0};
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t length = fd == -1 ? -1 : read(fd, text, sizeof(text) - 1);

		if (fd == -1)
			return 0;
		close(fd);
		if (length > 0) {
			text[length] = '\0';
			return atoi(text);
		}
		waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
		if (info.si_pid)
			return 0;
	}
}

/* Stop a process, and wait until it is. */
static void stop(pid_t pid)
{
	char path[32], text[64] = "";

	kill(pid, SIGSTOP);
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	for (;;) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t length = fd == -1 ? -1 : read(fd, text, sizeof(text) - 1);
		const char *end = NULL;

		if (fd != -1)
			close(fd);
		if (length > 0) {
			text[length] = '\0';
			end = strrchr(text, ')');
		}
		if (!end || strchr("TZX", end[2]))
			return;
	}
}

/* Reap all there is, COMMAND's status among it, until nothing is left or the limit is reached. */
static bool all_gone(pid_t pid, int *status, bool *ended)
{
	int64_t limit = clock_ns() + killer.limit * INT64_C(1000000);
	uint64_t child = signal_bit(SIGCHLD);

	for (;;) {
		struct timespec wait = {0, 100000000};
		int one;
		pid_t reaped = waitpid(-1, &one, WNOHANG | __WALL);

		if (reaped == pid) {
			*ended = true;
			*status = one;
		}
		if (reaped == -1 && errno == ECHILD)
			return true;
		if (clock_ns() > limit)
			return false;
		if (reaped == 0)
			syscall(SYS_rt_sigtimedwait, &child, NULL, &wait, sizeof(child));
	}
}

/* Kill and reap all children: as a subreaper, this is everything. */
static void children_end(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%ld/children", (long)getpid());
	while (waitpid(-1, NULL, WNOHANG | __WALL) != -1) {
		FILE *file = fopen(path, "r");
		int pid;

		if (!file)
			fail(path);
		while (fscanf(file, "%d", &pid) == 1)
			kill(pid, SIGKILL);
		fclose(file);
	}
}

/* Whether the pipe comes to its end. */
static bool pipe_ended(int life)
{
	struct pollfd polled = {.fd = life, .events = POLLIN};
	char bytes[512];

	while (poll(&polled, 1, killer.limit) == 1)
		if (read(life, bytes, sizeof(bytes)) <= 0)
			return true;
	return false;
}

static void once(int64_t delay, uint64_t mask)
{
	struct pollfd life = {.events = POLLIN};
	pid_t pid = command_start(&life.fd, mask), child = 0;
	bool ended = false, left;
	int64_t start;
	int status = 0;

	if (killer.wait && poll(&life, 1, 10000) != 1)
		misused("it never writes", killer.command[0]);
	if (killer.inner || killer.stop)
		child = child_of(pid);
	if (killer.stop && child > 0)
		child_of(child);
	spin(delay);
	/* Both, since the outer process would continue the inner one. */
	if (killer.stop && child > 0) {
		stop(pid);
		stop(child);
	}
	start = clock_ns();
	if (!killer.inner)
		kill(pid, SIGKILL);
	else if (child > 0)
		kill(child, SIGKILL);
	left = !all_gone(pid, &status, &ended);
	if (count.times < MOST)
		count.took[count.times++] = clock_ns() - start;
	if (!ended)
		count.alive++;
	else if (left || !pipe_ended(life.fd))
		count.leaked++;
	else if (status == SIGKILL)
		count.gone++;
	else
		count.status[status & UINT16_MAX]++;
	close(life.fd);
	children_end();
}

static void disregard(void)
{
	for (int sig = 1; sig <= SIGNALS; sig++)
		if (sig != SIGCHLD)
			disposition_set(sig, SIG_IGN);
}

static void live(void)
{
	alarm(SAFEGUARD);
	disposition_set(SIGALRM, SIG_DFL);
	for (;;)
		pause();
}

static void *live_on(void *nothing)
{
	live();
	return nothing;
}

/* Each link forks the next and exits. */
static void chain(void)
{
	time_t end = time(NULL) + SAFEGUARD;

	while (time(NULL) < end)
		if (fork() > 0)
			_exit(0);
	_exit(0);
}

static void tree(void)
{
	pthread_t thread;

	disregard();
	if (fork() == 0)
		live();
	if (fork() == 0) {
		setpgid(0, 0);
		live();
	}
	if (fork() == 0) {
		setsid();
		live();
	}
	if (fork() == 0) {
		setsid();
		if (fork() == 0)
			live();
		_exit(0);
	}
	if (fork() == 0) {
		raise(SIGSTOP);
		live();
	}
	if (fork() == 0) {
		pthread_create(&thread, NULL, live_on, NULL);
		syscall(SYS_exit, 0);
	}
	if (fork() == 0)
		chain();
	(void)!write(STDOUT_FILENO, "ready\n", 6);
	live();
}

static int by_time(const void *one, const void *other)
{
	int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;

	return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
	uint64_t mask = mask_set(signal_bit(SIGCHLD));
	int option;

	while ((option = getopt(argc, argv, "+n:d:l:iswtT")) != -1) {
		switch (option) {
		case 'n':
			killer.loops = number_parse(optarg, MOST);
			break;
		case 'd':
			killer.delay = number_parse(optarg, 1000000);
			break;
		case 'l':
			killer.limit = number_parse(optarg, 60000);
			break;
		case 'i':
			killer.inner = true;
			break;
		case 's':
			killer.stop = true;
			break;
		case 'w':
			killer.wait = true;
			break;
		case 't':
			killer.time = true;
			break;
		case 'T':
			tree();
			break;
		default:
			return 2;
		}
	}
	killer.command = argv + optind;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (int i = 0; i < killer.loops && count.leaked + count.alive < 3; i++)
		once(i % STEPS * (killer.delay * INT64_C(1000) / STEPS), mask);

	if (count.gone)
		printf("%d gone\n", count.gone);
	if (count.leaked)
		printf("%d leaked\n", count.leaked);
	if (count.alive)
		printf("%d alive\n", count.alive);
	for (int status = 0; status <= UINT16_MAX; status++)
		if (count.status[status])
			printf("%d status %d\n", count.status[status], status);
	qsort(count.took, (size_t)count.times, sizeof(*count.took), by_time);
	if (killer.time && count.times) {
		printf("slowest %lld\n", (long long)count.took[count.times - 1] / 1000);
		printf("median %lld\n", (long long)count.took[count.times / 2] / 1000);
	}
	return 0;
}
