/* storm.c - feed fry-run with made-up siginfos of every kind, and see that it is not moved by them */
/* SPDX-License-Identifier: MIT */
/*
 * storm [-t SECONDS] [-l MSEC] [-s SEED] [-u UID] FRY_RUN
 *
 * Runs FRY_RUN again and again, each time in a pid namespace of its own, and for as long as -l says
 * (500) four processes send both processes of fry-run signals: of every number, code, errno, value and
 * sender, by kill(2), rt_sigqueueinfo(2), rt_tgsigqueueinfo(2) and pidfd_send_signal(2). Two of them are
 * beside fry-run in its session and two below it, and of each two one is of fry-run's user, root, and
 * one of UID (65534). Only fry-run's own user does not send KILL and STOP, which it may.
 *
 * COMMAND ignores all, and a descendant of it leads a session and dies of TERM only; the schedule has
 * no KILL for hours. So nothing may have died after a run, both of fry-run's processes included. What is
 * beside fry-run, in its group and in a session of its own, may have got no signal. A signal that is
 * sent plainly then reaches COMMAND once. At last the parent, whose death is to mean KILL, the outer
 * or the inner process is killed, and nothing may be left.
 *
 * Prints `N runs`, and before it a line for each thing that was found, which names the SEED of its run,
 * and exits with 1 if there is one. Takes a capability for namespaces; ends after SECONDS (5).
 */
#include <sys/mount.h>
#include <sys/wait.h>

#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <time.h>

#include "fixture.h"

#define NR_PIDFD_SEND_SIGNAL 424
#define NR_PIDFD_OPEN        434

enum {
	LIMIT = 60000,      /* milliseconds, for what has to happen */
	MARKER = 63,        /* the signal that no forger names */
	FRY_FORWARDS = 3,   /* markers that are sent plainly */
	BELOW = 3,          /* the descriptor by which COMMAND tells: one byte for each event */
	SIGINFO_SIZE = 128, /* as the kernel takes it */
	ANSWERS = 256
};

static struct {
	int seconds, length, seed, user;
	const char *fry;
	const char *self;
} storm = {.seconds = 5, .length = 500, .seed = 1, .user = 65534};

static uint64_t state;

/* splitmix64 */
static uint32_t random_number(uint32_t below)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return (uint32_t)(z >> 16) % below;
}

static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void ignore_all(void)
{
	for (int sig = 1; sig <= SIGNALS; sig++)
		disposition_set(sig, sig == SIGCHLD ? SIG_DFL : SIG_IGN);
}

/* --- the forgers */

static int number_choose(void)
{
	static const int chosen[] = {0,   1,   2,   3,   9,   15,  17,      18,      19,
				     20,  21,  40,  64,  65,  66,  67,      68,      128,
				     200, 255, 265, 271, 456, 511, INT_MAX, INT_MIN, -1};

	switch (random_number(4)) {
	case 0:
		return (int)random_number(SIGNALS + 1);
	case 1:
		return (int)(random_number(SIGNALS + 1) | random_number(2) << 8 |
			     (random_number(256) << 9));
	case 2:
		return chosen[random_number(sizeof(chosen) / sizeof(*chosen))];
	default:
		return (int)((uint64_t)random_number(UINT32_MAX) * 2 + random_number(2));
	}
}

static int code_choose(void)
{
	static const int chosen[] = {-70, -71, -70, -71, SI_USER, SI_QUEUE,   SI_TIMER, SI_TKILL,
				     -7,  -60, -72, -69, 128,     CLD_EXITED, INT_MIN,  -128};

	if (random_number(4) == 0)
		return -(int)random_number(INT_MAX);
	return chosen[random_number(sizeof(chosen) / sizeof(*chosen))];
}

/* The signals that fry-run treats apart are sent more often. */
static int signal_choose(bool own)
{
	static const int chosen[] = {SIGCHLD, SIGCONT, SIGCONT, RTMIN + 6, SIGTERM, SIGINT,
				     SIGTSTP, SIGPIPE, SIGXCPU, SIGHUP,    SIGQUIT, SIGTTIN};
	int sig;

	do
		sig = random_number(2) == 0
			      ? chosen[random_number(sizeof(chosen) / sizeof(*chosen))]
			      : 1 + (int)random_number(SIGNALS);
	while (sig == MARKER || (own && (sig == SIGKILL || sig == SIGSTOP)));
	return sig;
}

static void forge_one(const pid_t victim[2], bool own)
{
	pid_t pid = victim[random_number(2)];
	const pid_t senders[] = {0, 1, getpid(), victim[0], victim[1], getppid(), number_choose()};
	int fd, sig = signal_choose(own);
	union {
		siginfo_t info;
		uint32_t word[SIGINFO_SIZE / 4];
	} made;

	/* The kernel refuses what it does not know, beyond the values that each code has. */
	for (size_t i = 0; i < SIGINFO_SIZE / 4; i++)
		made.word[i] = i < 8 || random_number(1000) == 0 ? (uint32_t)number_choose() : 0;
	made.info.si_signo = sig;
	made.info.si_errno = number_choose();
	made.info.si_code = code_choose();
	made.info.si_pid = senders[random_number(sizeof(senders) / sizeof(*senders))];
	made.info.si_uid = random_number(2) == 0 ? 0 : getuid();
	made.info.si_value.sival_int = number_choose();
	switch (random_number(4)) {
	case 0:
		kill(pid, sig);
		break;
	case 1:
		syscall(SYS_rt_sigqueueinfo, pid, sig, &made);
		break;
	case 2:
		syscall(SYS_rt_tgsigqueueinfo, pid, pid, sig, &made);
		break;
	default:
		fd = (int)syscall(NR_PIDFD_OPEN, pid, 0);
		syscall(NR_PIDFD_SEND_SIGNAL, fd, sig, &made, 0);
		close(fd);
	}
}

/* In a process of its own. */
__attribute__((noreturn)) static void forge(const pid_t victim[2], int user, uint64_t seed)
{
	int64_t end = clock_ms() + storm.length;

	ignore_all();
	mask_set(0);
	state = seed;
	if (user != 0 && (setgid((gid_t)user) == -1 || setuid((uid_t)user) == -1))
		fail("setuid");
	/* At a pace at which the queue of the user, which others share, does not fill. */
	while (clock_ms() < end) {
		for (uint32_t i = random_number(32); i > 0; i--)
			forge_one(victim, user == 0);
		usleep(random_number(2000));
	}
	_exit(0);
}

/* Two forgers, of either user. */
static void forgers_start(const pid_t victim[2], pid_t forger[2], uint64_t seed)
{
	for (int i = 0; i < 2; i++) {
		forger[i] = fork();
		if (forger[i] == -1)
			fail("fork");
		if (forger[i] == 0)
			forge(victim, i == 0 ? 0 : storm.user, seed + (uint64_t)i);
	}
}

/* --- below fry-run */

static void tell(char event)
{
	(void)!write(BELOW, &event, 1);
}

/* Leads a session, and dies of TERM, which it tells, and KILL only. */
static void daemon_run(void)
{
	uint64_t set = EVERY_SIGNAL;

	setsid();
	mask_set(EVERY_SIGNAL);
	tell('d');
	while (syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, sizeof(set)) != SIGTERM)
		;
	tell('t');
	_exit(0);
}

static pid_t parent_of(pid_t pid)
{
	char path[32], text[512] = "", *end;
	FILE *file;
	long parent = 0;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	end = strrchr(text, ')');
	if (end)
		sscanf(end + 2, "%*c %ld", &parent);
	return (pid_t)parent;
}

/* COMMAND: start what is below, then take every signal there is, and tell of the marker. */
__attribute__((noreturn)) static void command_run(bool guard, uint64_t seed)
{
	pid_t forger[2], victim[2] = {getppid(), getppid()};
	uint64_t set = EVERY_SIGNAL;

	mask_set(EVERY_SIGNAL);
	if (guard)
		victim[0] = parent_of(victim[1]);
	if (fork() == 0)
		daemon_run();
	forgers_start(victim, forger, seed);
	tell('c');
	for (int running = 2;;) {
		struct timespec moment = {0, 10000000};
		long sig = syscall(SYS_rt_sigtimedwait, &set, NULL, running ? &moment : NULL,
				   sizeof(set));

		if (sig == MARKER)
			tell('m');
		for (int i = 0; running != 0 && i < 2; i++)
			if (forger[i] != 0 && waitpid(forger[i], NULL, WNOHANG) == forger[i]) {
				forger[i] = 0;
				if (--running == 0)
					tell('f');
			}
	}
}

/* --- beside fry-run: init of the namespace */

static uint64_t run_seed;
static bool found;

__attribute__((format(printf, 1, 2))) static void finding(const char *format, ...)
{
	va_list arguments;

	found = true;
	printf("seed %llu: ", (unsigned long long)run_seed);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
}

static int events[ANSWERS];

/* Read what is told from below until an event was told so often. Returns false at the end or the limit. */
static bool event_await(int fd, char event, int times, int limit)
{
	int64_t end = clock_ms() + limit;

	while (events[(unsigned char)event] < times) {
		struct pollfd polled = {.fd = fd, .events = POLLIN};
		char byte;

		if (clock_ms() >= end || poll(&polled, 1, 100) == -1)
			return false;
		if (polled.revents == 0)
			continue;
		if (read(fd, &byte, 1) != 1)
			return false;
		events[(unsigned char)byte]++;
	}
	return true;
}

/* A process that takes no signal, in fry-run's group or in a session of its own. */
static pid_t canary_start(bool session)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	mask_set(EVERY_SIGNAL);
	if (session)
		setsid();
	for (;;)
		pause();
}

/* Whether a process is alive, and if unsignalled is asked for, has no signal pending. */
static bool is_well(pid_t pid, bool unsignalled)
{
	char path[32], line[256], letter = 'Z';
	unsigned long long pending = 0, own = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "State: %c", &letter);
		sscanf(line, "ShdPnd: %llx", &pending);
		sscanf(line, "SigPnd: %llx", &own);
	}
	fclose(file);
	return letter != 'Z' && letter != 'X' && (!unsignalled || (pending | own) == 0);
}

/* The child of a process, by its number, 0 for none. */
static pid_t child_of(pid_t parent)
{
	char path[64];
	int pid = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", (long)parent, (long)parent);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%d", &pid) != 1)
		pid = 0;
	if (file)
		fclose(file);
	return pid;
}

/* Start fry-run, below a process that is killed for it to end. */
static pid_t fry_start(int told, bool guard, const char *placement, pid_t *parent)
{
	char seed[32], user[32], length[32];
	int null;

	*parent = fork();
	if (*parent != 0) {
		pid_t child;

		close(told);
		while ((child = child_of(*parent)) == 0)
			usleep(1000);
		return child;
	}
	/* One that only is its parent, so that it can be killed. */
	if (fork() != 0) {
		close(told);
		for (;;)
			pause();
	}
	snprintf(seed, sizeof(seed), "%llu", (unsigned long long)run_seed + 1000);
	snprintf(user, sizeof(user), "%d", storm.user);
	snprintf(length, sizeof(length), "%d", storm.length);
	if (told != BELOW)
		dup2(told, BELOW);
	null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	mask_set(0);
	execl(storm.fry, "fry-run", "-v", "-v", "--stop=INT/9h/TERM/9h/KILL", "-p", "KILL",
	      placement, guard ? "--guard" : "--no-guard", "--", storm.self, "-u", user, "-l",
	      length, "-s", seed, guard ? "command" : "unguarded", NULL);
	_exit(127);
}

/* Kill one of the three, and see that nothing is left. */
static void end_by(int kind, int told, pid_t outer, pid_t inner, pid_t parent)
{
	static const char *const names[] = {"the parent", "the outer process", "the inner process"};
	int status = 0;
	int64_t end = clock_ms() + LIMIT;

	kill(kind == 0 ? parent : kind == 1 ? outer : inner, SIGKILL);
	while (is_well(outer, false)) {
		if (clock_ms() > end) {
			finding("fry-run does not end after KILL to %s", names[kind]);
			return;
		}
		usleep(1000);
	}
	/* What has no parent any more is a child of ours. */
	kill(parent, SIGKILL);
	while (waitpid(outer, &status, 0) == -1)
		usleep(1000);
	if (status != SIGKILL)
		finding("wait status %d, after KILL to %s", status, names[kind]);
	if (event_await(told, 'e', 1, LIMIT) || clock_ms() > end)
		finding("something is left after KILL to %s", names[kind]);
	if (events['m'] != FRY_FORWARDS)
		finding("%d of %d signals that were sent reached COMMAND", events['m'],
			FRY_FORWARDS);
}

static void watch(int told, pid_t outer, pid_t parent, bool guard)
{
	pid_t inner = guard ? child_of(outer) : outer, command = child_of(inner);
	pid_t canary[2] = {canary_start(false), canary_start(true)};
	const pid_t victim[2] = {outer, inner};
	pid_t forger[2];

	forgers_start(victim, forger, run_seed);
	for (int i = 0; i < 2; i++)
		waitpid(forger[i], NULL, 0);
	if (!event_await(told, 'f', 1, LIMIT))
		finding("the forgers below fry-run did not end");
	for (int i = 0; i < 2; i++)
		if (!is_well(canary[i], true))
			finding("a process beside fry-run got a signal");
	if (!is_well(outer, false))
		finding("the outer process has died");
	else if (!is_well(inner, false))
		finding("the inner process has died");
	else if (!is_well(command, false))
		finding("COMMAND has died");
	if (events['t'] != 0)
		finding("a daemon below COMMAND got TERM");
	for (int i = 1; i <= FRY_FORWARDS && !found; i++) {
		kill(outer, MARKER);
		if (!event_await(told, 'm', i, LIMIT))
			finding("a signal sent after the storm does not reach COMMAND");
	}
	if (!found)
		end_by((int)random_number(guard ? 3 : 1), told, outer, inner, parent);
	for (int i = 0; i < 2; i++)
		if (!is_well(canary[i], true))
			finding("a process beside fry-run got a signal at the end");
}

/* One run, as PID 1 of a namespace. */
__attribute__((noreturn)) static void once(void)
{
	static const char *const placements[] = {"--pgroup=new", "--pgroup=inherit",
						 "--pgroup=session"};
	bool guard;
	pid_t outer, parent;
	int told[2];

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("proc", "/proc", "proc", 0, NULL) == -1)
		fail("/proc");
	mask_set(EVERY_SIGNAL);
	setsid();
	state = run_seed;
	guard = random_number(6) != 0;
	if (pipe(told) == -1)
		fail("pipe");
	fcntl(told[0], F_SETFD, FD_CLOEXEC);
	outer = fry_start(told[1], guard, placements[random_number(3)], &parent);
	if (event_await(told[0], 'c', 1, LIMIT) && event_await(told[0], 'd', 1, LIMIT))
		watch(told[0], outer, parent, guard);
	else
		finding("COMMAND was not started");
	_exit(found);
}

/* Start a run in a namespace of its own. Returns whether nothing was found. */
static bool run(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == -1)
		fail("fork");
	if (pid == 0) {
		if (unshare(CLONE_NEWPID | CLONE_NEWNS) == -1)
			fail("unshare");
		pid = fork();
		if (pid == 0)
			once();
		waitpid(pid, &status, 0);
		if (WIFSIGNALED(status)) {
			finding("everything was killed");
			_exit(1);
		}
		_exit(WEXITSTATUS(status));
	}
	waitpid(pid, &status, 0);
	return status == 0;
}

int main(int argc, char **argv)
{
	int64_t end;
	int option, runs = 0, bad = 0;

	storm.self = "/proc/self/exe";
	while ((option = getopt(argc, argv, "+t:l:s:u:")) != -1) {
		switch (option) {
		case 't':
			storm.seconds = number_parse(optarg, INT_MAX / 1000);
			break;
		case 'l':
			storm.length = number_parse(optarg, INT_MAX);
			break;
		case 's':
			storm.seed = number_parse(optarg, INT_MAX);
			break;
		case 'u':
			storm.user = number_parse(optarg, INT_MAX);
			break;
		default:
			return 2;
		}
	}
	if (optind + 1 != argc)
		misused("missing word", "FRY_RUN");
	if (strcmp(argv[optind], "command") == 0 || strcmp(argv[optind], "unguarded") == 0)
		command_run(argv[optind][0] == 'c', (uint64_t)storm.seed);
	storm.fry = argv[optind];
	storm.self = realpath(argv[0], NULL);
	if (!storm.self)
		fail(argv[0]);
	end = clock_ms() + storm.seconds * INT64_C(1000);
	for (run_seed = (uint64_t)storm.seed; runs == 0 || (clock_ms() < end && bad < 3);
	     run_seed++, runs++)
		bad += !run();
	printf("%d runs\n", runs);
	return bad != 0;
}
