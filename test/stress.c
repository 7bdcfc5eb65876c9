/* stress.c - run fry-run on random trees under random events, and see that it kept its promises */
/* SPDX-License-Identifier: MIT */
/*
 * stress [OPTION]... FRY-RUN
 *
 * Again and again, execute FRY-RUN in a random setting with random options, over a random tree of
 * processes, let random events happen at random moments, and check what is left. Prints a line
 * `FAILED SEED ...` for each run that broke a promise, with its plan, and a table of what was
 * tried; exits 1 if there was one. Needs root, for namespaces.
 *
 *	-n RUNS		so many (0: as time allows)
 *	-s SEED		of the first one; the seeds of the others follow it
 *	-j JOBS		so many at a time (2)
 *	-t SECONDS	begin no further run after this (150)
 *	-v		print each run, with its status
 *
 * `stress -n 1 -s SEED FRY-RUN` repeats a run: its plan follows from the seed, its timing does not.
 *
 * Each job is process 1 of a pid namespace with so few pids that numbers are used again all the
 * time, and reaps what nobody else does. In there, a run consists of
 *
 *	P	a process that starts fry-run, like a shell or a runner
 *	canaries	in fry-run's group, in a group and in a session of their own, and, short-lived, under
 *		the numbers of those who have just died. Nobody but the run may signal them, nor P
 *	the tree	this program again, as `stress tree SEED EXE FRY-RUN`
 *
 * What is checked after each:
 *
 *	time	fry-run ended within the schedule of its stop and SLACK
 *	status	is what COMMAND or an event could cause; where only one can be, that one
 *	left	nobody is alive, or a zombie, or has a descriptor, that descended from fry-run
 *	canary	nobody else was signalled
 *	leaf	the cgroup of --cgroup=new is removed
 *	tty	the foreground group, and the modes if COMMAND did not end by itself, are as before
 *
 * Left out is what no process can do (CAVEATS in the manual page): both processes of fry-run are
 * never killed in the same run, KILL never goes to a group on a terminal, nor to a fry-run without
 * guard or with children from before, and whoever sends STOP to fry-run's own pid, or to the inner
 * process when fry-run has been killed, sends CONT later. Nor is it stopped before it is fry-run, or
 * traced by a descendant.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <termios.h>
#include <time.h>

#include "fixture.h"

enum {
	SLACK = 5000, /* ms beyond the schedule; on a machine that others use as well */
	PIDS = 450,   /* numbers of a namespace: 300 to here are used again and again */
	NODES = 10,
	EVENTS = 6,
	CANARIES = 4,
	JOBS = 16,
	COUNTED = 50, /* the signal that a counting COMMAND counts */
	COUNTER_END = 64,
	NOBODY = 65534
};

#define MS INT64_C(1000000)

/* --- the plan of a run */

#define NAMED(enumeration, ...) enum { __VA_ARGS__, enumeration }

NAMED(SETTINGS, PLAIN, GROUP, LEADER, JOB, INIT, INIT_BARE);
static const char *const setting_names[SETTINGS] = {
	"in the caller's group", "in a group of its own",    "leads the terminal's session",
	"job of a shell",        "process 1, its own /proc", "process 1, another's /proc"};

NAMED(STATES, SLEEPS, ENDS, DIES, COUNTS, STOPPED, THREAD, TRACED, TRACER, VFORKS, CHAIN, ODD,
      NEWPID, THREAD_FORKS, ZOMBIES, NESTED, RAW, NO_COMMAND);
static const char *const state_names[STATES] = {"sleeps",
						"exits",
						"dies of a signal",
						"counts signals",
						"stops itself",
						"main thread gone",
						"traced",
						"traces its parent",
						"vforks",
						"chain of forks",
						"odd clones",
						"pid namespace",
						"thread that forks",
						"holds zombies",
						"fry-run in fry-run",
						"changes the terminal",
						"cannot be executed"};

NAMED(PLACES, SAME, OWN_GROUP, OWN_SESSION, DAEMON);
static const char *const place_names[PLACES] = {"in the same group", "own group", "own session",
						"daemon"};

NAMED(MANNERS, DEFAULTS, IGNORES, SLOW, REFORKS);
static const char *const manner_names[MANNERS] = {"defaults", "ignores all", "cleans up on TERM",
						  "forks on TERM"};

NAMED(LIMITS, NO_LIMIT, NOFILE, NPROC, FSIZE, USER);
static const char *const limit_names[LIMITS] = {"none", "RLIMIT_NOFILE", "RLIMIT_NPROC",
						"RLIMIT_FSIZE", "not root"};

NAMED(KINDS, SIGNAL_OUTER, KILL_OUTER, STOP_OUTER, SIGNAL_INNER, KILL_INNER, STOP_INNER,
      SIGNAL_COMMAND, KILL_COMMAND, STOP_COMMAND, SIGNAL_GROUP, PARENT_DIES, TTY_CLOSES, TTY_KEY,
      TTY_WINDOW, COUNT_ONE, COUNT_END, FINISH);
static const char *const kind_names[KINDS] = {"signal to fry-run",
					      "KILL to fry-run",
					      "STOP, CONT to fry-run",
					      "signal to the inner process",
					      "KILL to the inner process",
					      "STOP to the inner process",
					      "signal to COMMAND",
					      "KILL to COMMAND",
					      "STOP to COMMAND",
					      "signal to fry-run's group",
					      "the parent dies",
					      "the terminal closes",
					      "a key is typed",
					      "the window changes",
					      "a signal to be counted",
					      "end of counting",
					      "TERM at the end"};

static const struct {
	const char *word;
	int total; /* ms */
	uint64_t sends;
} schedules[] = {
	{"--stop=TERM/20ms/KILL", 20, 1 << 14 | 1 << 8},
	{"--stop=INT/15ms/TERM/15ms/KILL", 30, 1 << 1 | 1 << 14 | 1 << 8},
	{"--stop=KILL", 0, 1 << 8},
	{"--stop=HUP/5ms/QUIT/5ms/KILL", 10, 1 << 0 | 1 << 2 | 1 << 8},
	{"--kill-after=25ms", 50, 1 << 1 | 1 << 14 | 1 << 8},
};
enum { SCHEDULES = sizeof(schedules) / sizeof(schedules[0]) };

struct plan {
	uint64_t seed;
	int setting, limit, limit_value, schedule;
	int inherited; /* children that fry-run has before it is executed */
	int parent_death, timeout;
	bool guard, cgroup, code, wait, leave, fail, churn;
	const char *option[12];
	int options;

	struct node {
		int parent, state, place, manner, code, delay;
	} node[NODES];
	int nodes;

	struct event {
		int kind, sig;
		int64_t at;
		int then; /* us until CONT; 0: never */
	} event[EVENTS + 24];
	int events, counts;
};

static uint64_t rng_next(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int below(uint64_t *state, int limit)
{
	return (int)(rng_next(state) % (uint64_t)limit);
}

static bool chance(uint64_t *state, int percent)
{
	return below(state, 100) < percent;
}

/* Mostly in the first moments, where fry-run changes most. In us. */
static int moment(uint64_t *rng)
{
	static const int ranges[] = {1000, 3000, 3000, 15000, 60000};

	return below(rng, ranges[below(rng, 5)]);
}

/* The tree has numbers of its own, so that the program in it knows them from the seed alone. */
static void plan_tree(struct plan *plan)
{
	static const int commands[] = {SLEEPS, SLEEPS, SLEEPS, SLEEPS,       ENDS,
				       ENDS,   DIES,   COUNTS, STOPPED,      THREAD,
				       VFORKS, CHAIN,  RAW,    THREAD_FORKS, NESTED,
				       ODD,    TRACED, COUNTS, NO_COMMAND};
	uint64_t rng = plan->seed * 2 + 1;

	plan->nodes = chance(&rng, 15) ? 1 : 1 + below(&rng, NODES);
	for (int i = 0; i < plan->nodes; i++) {
		struct node *node = &plan->node[i];

		node->parent = i == 0 ? -1 : below(&rng, i);
		node->place = below(&rng, PLACES);
		node->state = SLEEPS + below(&rng, NO_COMMAND);
		node->manner = chance(&rng, 30) ? DEFAULTS : below(&rng, MANNERS);
		node->code = below(&rng, 3) == 0 ? 0 : below(&rng, 100);
		node->delay = moment(&rng);
		if (i == 0) {
			node->state = commands[below(&rng, sizeof(commands) / sizeof(commands[0]))];
			node->place = chance(&rng, 80) ? SAME : below(&rng, DAEMON);
		} else if (node->state == COUNTS || node->state == RAW) {
			node->state = SLEEPS;
		}
		if (node->state == COUNTS)
			node->manner = DEFAULTS; /* to ignore discards what is pending */
		if (node->state == DIES)
			node->code = (int[]){SIGTERM, SIGSEGV, SIGKILL, SIGPIPE,
					     COUNTED}[below(&rng, 5)];
	}
	if (plan->node[0].state == NO_COMMAND)
		plan->nodes = 1;
}

static bool on_terminal(const struct plan *plan)
{
	return plan->setting == LEADER || plan->setting == JOB;
}

static bool is_init(const struct plan *plan)
{
	return plan->setting == INIT || plan->setting == INIT_BARE;
}

static void plan_events(struct plan *plan, uint64_t *rng)
{
	static const int tame[] = {STOP_OUTER, STOP_INNER, TTY_WINDOW};
	bool counting = plan->node[0].state == COUNTS, killing = false;
	int count = chance(rng, 12) ? 0 : 1 + below(rng, EVENTS - 1);

	for (int i = 0; i < count; i++) {
		struct event *event = &plan->event[plan->events];
		int kind = counting ? tame[below(rng, 3)] : below(rng, COUNT_ONE);
		bool kills = kind == KILL_OUTER || kind == KILL_INNER;

		*event = (struct event){.kind = kind, .at = moment(rng)};
		event->sig = 1 + below(rng, SIGNALS);
		if (chance(rng, 40))
			event->sig =
				(int[]){SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP}[below(rng, 5)];
		event->then = 1 + moment(rng);
		if (event->sig == SIGKILL || event->sig == SIGSTOP)
			event->sig = SIGCONT;
		if (kills && killing)
			continue;
		if ((kind >= TTY_CLOSES && kind <= TTY_WINDOW) && !on_terminal(plan))
			continue;
		if (kind >= SIGNAL_INNER && kind <= STOP_INNER && is_init(plan))
			continue;
		if (kind == STOP_INNER && !counting && chance(rng, 50))
			event->then = 0;
		killing |= kills;
		plan->events++;
	}
	/* Its own end must not be the cause of another's: none kills without the guard. */
	plan->guard = killing || chance(rng, 85);
	if (!plan->guard)
		for (int i = 0; i < plan->events; i++)
			if (plan->event[i].kind == STOP_INNER ||
			    plan->event[i].kind == SIGNAL_INNER)
				plan->event[i].kind = SIGNAL_OUTER;
	if (counting) {
		int64_t at = 0;

		plan->counts = below(rng, 20);
		for (int i = 0; i <= plan->counts; i++) {
			at += chance(rng, 30) ? 0 : moment(rng) / 10;
			plan->event[plan->events++] = (struct event){
				i == plan->counts ? COUNT_END : COUNT_ONE, COUNTED, at, 0};
		}
	}
}

static void plan_option(struct plan *plan, const char *word)
{
	plan->option[plan->options++] = word;
}

static void plan_options(struct plan *plan, uint64_t *rng)
{
	static const char *const leftovers[] = {"--leftover=wait", "--leftover=fail",
						"--leftover=leave"};
	static const char *const scopes[] = {"--scope=command", "--scope=group", "--scope=tree"};
	static const char *const pgroups[] = {"--pgroup=new", "--pgroup=inherit",
					      "--pgroup=session"};
	static const struct {
		const char *word;
		int sig;
	} deaths[] = {{"-pTERM", SIGTERM}, {"-pKILL", SIGKILL}, {"-pUSR1", SIGUSR1}};
	static const struct {
		const char *word;
		int ms;
	} timeouts[] = {{"-t1ms", 1}, {"-t10ms", 10}, {"-t40ms", 40}};
	bool counting = plan->node[0].state == COUNTS, killing_outer = false;
	int choice;

	for (int i = 0; i < plan->events; i++)
		killing_outer |= plan->event[i].kind == KILL_OUTER;

	plan->schedule = below(rng, SCHEDULES);
	plan_option(plan, schedules[plan->schedule].word);
	if (!plan->guard)
		plan_option(plan, "--no-guard");
	if (chance(rng, 40)) {
		choice = below(rng, 3);
		plan->wait = choice == 0;
		plan->fail = choice == 1;
		plan->leave = choice == 2;
		plan_option(plan, leftovers[choice]);
	}
	if (chance(rng, 45))
		plan_option(plan, scopes[below(rng, 3)]);
	if (chance(rng, 50))
		plan_option(plan, pgroups[below(rng, 3)]);
	plan->code = chance(rng, 20);
	if (plan->code)
		plan_option(plan, "--status=code");
	if (chance(rng, 30)) {
		choice = below(rng, 3);
		plan->parent_death = deaths[choice].sig;
		plan_option(plan, deaths[choice].word);
	}
	if (chance(rng, 15) && !counting) {
		choice = below(rng, 3);
		plan->timeout = timeouts[choice].ms;
		plan_option(plan, timeouts[choice].word);
	}
	if (chance(rng, 10))
		plan_option(plan, "-w");
	if (chance(rng, 10))
		plan_option(plan, "-vv");
	plan->limit = chance(rng, 70) ? NO_LIMIT : below(rng, LIMITS);
	if (counting && plan->limit == NPROC)
		plan->limit = USER;
	if (is_init(plan) && plan->limit == NPROC)
		plan->limit = NOFILE;
	plan->limit_value = plan->limit == NOFILE ? 3 + below(rng, 6) : 1 + below(rng, 12);
	plan->cgroup = chance(rng, 20) && (plan->limit == NO_LIMIT || plan->limit == FSIZE);
	if (plan->cgroup)
		plan_option(plan, "--cgroup=new");
	/* They are no descendants of the inner process, which cannot save them from a KILL. */
	plan->inherited = chance(rng, 12) && !killing_outer ? 1 + below(rng, 3) : 0;
	plan->churn = chance(rng, 40);
}

static void plan_make(struct plan *plan, uint64_t seed)
{
	uint64_t rng = seed * 2;

	*plan = (struct plan){.seed = seed};
	plan_tree(plan);
	plan->setting = below(&rng, SETTINGS);
	plan_events(plan, &rng);
	plan_options(plan, &rng);
}

/* --- the tree, in a process of its own: COMMAND */

static struct {
	struct plan plan;
	char *exe, *fry_run;
	const struct node *node; /* whose manner a handler is to have */
	pid_t parent;            /* in the tree; orphaned, it would be fry-run */
} tree;

static void sleep_us(int64_t us)
{
	struct timespec left = {us / 1000000, us % 1000000 * 1000};

	while (nanosleep(&left, &left) == -1 && errno == EINTR)
		;
}

__attribute__((noreturn)) static void sleep_on(void)
{
	for (;;)
		pause();
}

static void *sleep_thread(void *nothing)
{
	(void)nothing;
	sleep_on();
}

static void on_stop(int sig)
{
	(void)sig;
	if (tree.node->manner == SLOW)
		sleep_us(tree.node->delay);
	else if (fork() == 0)
		sleep_on(); /* with this handler still, while this signal is blocked */
	_exit(tree.node->code);
}

static void manner_set(const struct node *node)
{
	tree.node = node;
	switch (node->manner) {
	case IGNORES:
		for (int sig = 1; sig <= SIGNALS; sig++)
			if (sig != SIGCHLD)
				disposition_set(sig, SIG_IGN);
		break;
	case SLOW:
	case REFORKS:
		signal(SIGTERM, on_stop);
		signal(SIGINT, on_stop);
		break;
	default:
		break;
	}
}

static void place_set(const struct node *node)
{
	switch (node->place) {
	case OWN_GROUP:
		setpgid(0, 0);
		break;
	case OWN_SESSION:
		setsid();
		break;
	case DAEMON:
		setsid();
		if (fork() != 0)
			_exit(0);
		break;
	default:
		break;
	}
}

/* Each link forks the next and exits, in a new session now and then. */
static void chain(const struct node *node)
{
	if (fork() != 0)
		return;
	for (int link = 0; link < 300; link++) {
		sleep_us(node->delay / 20);
		if (link % 7 == 0 && node->code % 2 == 0)
			setsid();
		if (fork() > 0)
			_exit(0);
	}
	sleep_on();
}

static void traced(void)
{
	if (fork() == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		sleep_on();
	}
}

static void odd(void)
{
	if (syscall(SYS_clone, 0, 0, 0, 0, 0) == 0) /* a child that only __WALL sees */
		sleep_on();
	if (syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) == 0)
		sleep_on();
}

static void namespace(void)
{
	if (syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0) == 0) {
		if (fork() == 0)
			setsid();
		sleep_on();
	}
}

static void *fork_thread(void *nothing)
{
	for (int i = 0; i < 3; i++)
		if (fork() == 0)
			sleep_on();
	return sleep_thread(nothing);
}

static void zombies(void)
{
	for (int i = 0; i < 5; i++)
		if (fork() == 0)
			_exit(i);
}

/* Count until it is said to be the end; all of it waits meanwhile, blocked. */
static void counts(void)
{
	uint64_t all = EVERY_SIGNAL;
	int count = 0;

	for (;;) {
		long sig = syscall(SYS_rt_sigtimedwait, &all, NULL, NULL, sizeof(all));

		count += sig == COUNTED;
		if (sig == COUNTER_END)
			_exit(100 + count);
	}
}

static void die(int sig)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	disposition_set(sig, SIG_DFL);
	mask_set(EVERY_SIGNAL & ~signal_bit(sig));
	kill(getpid(), sig);
	sleep_on();
}

static void terminal_raw(void)
{
	struct termios modes;

	if (tcgetattr(STDIN_FILENO, &modes) == -1)
		return;
	modes.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
	signal(SIGTTOU, SIG_IGN);
	tcsetattr(STDIN_FILENO, TCSANOW, &modes);
}

__attribute__((noreturn)) static void node_live(const struct node *node)
{
	pthread_t thread;

	switch (node->state) {
	case ENDS:
		sleep_us(node->delay);
		_exit(node->code);
	case DIES:
		sleep_us(node->delay);
		die(node->code);
		break;
	case COUNTS:
		counts();
		break;
	case STOPPED:
		raise(SIGSTOP);
		break;
	case THREAD:
		pthread_create(&thread, NULL, sleep_thread, NULL);
		syscall(SYS_exit, 0);
		break;
	case TRACED:
		traced();
		break;
	case TRACER:
		if (tree.parent != 0)
			ptrace(PTRACE_SEIZE, tree.parent, NULL, NULL);
		break;
	case VFORKS:
		if (vfork() == 0) /* NOLINT */
			sleep_on();
		break;
	case CHAIN:
		chain(node);
		break;
	case ODD:
		odd();
		break;
	case NEWPID:
		namespace
		();
		break;
	case THREAD_FORKS:
		pthread_create(&thread, NULL, fork_thread, NULL);
		break;
	case ZOMBIES:
		zombies();
		break;
	case NESTED:
		execl(tree.fry_run, tree.fry_run, "-k10ms", tree.exe, "sleep", (char *)NULL);
		break;
	case RAW:
		terminal_raw();
		break;
	default:
		break;
	}
	sleep_on();
}

__attribute__((noreturn)) static void node_run(int self)
{
	const struct node *node = &tree.plan.node[self];
	pid_t above;

	place_set(node);
	manner_set(node);
	if (node->state == COUNTS)
		mask_set(EVERY_SIGNAL);
	above = tree.parent;
	tree.parent = getpid();
	for (int i = self + 1; i < tree.plan.nodes; i++)
		if (tree.plan.node[i].parent == self && fork() == 0) {
			mask_set(0);
			node_run(i);
		}
	tree.parent = above;
	node_live(node);
}

/* --- what the processes of a run have in common */

struct shared {
	atomic_int outer; /* its pid, once there is one */
	atomic_int ended; /* status is there */
	atomic_int status;
	atomic_int p;
	struct canary {
		atomic_int pid, sig, code, sender;
	} canary[CANARIES + 1];              /* the last one is P */
	atomic_int hit, hit_sig, hit_sender; /* a short-lived canary */
	atomic_int laps, short_lived;
};

struct job {
	int number;
	bool cgroups;
	char cgroup[PATH_MAX];
	struct shared *shared;
	int log, last_life;

	struct plan plan;
	pid_t self, p, churner, apart;
	int master, slave, life;
	int outer_fd; /* a pidfd */
	struct termios modes;
	int64_t start, asked; /* when the last thing happened that is to end it */
	uint64_t sent;        /* signals that anybody may have died of */
	bool killed_outer, killed_inner, killed_command, closed, orphaned, stop_asked;
	pid_t orphan;
	int failures;
};

static struct totals {
	atomic_int runs, failed, cgroups, no_guard, churned, inherited, exact, laps, short_lived,
		timeouts;
	atomic_int setting[SETTINGS], state[STATES], place[PLACES], manner[MANNERS], limit[LIMITS];
	atomic_int planned[KINDS], done[KINDS];
	atomic_int exited, died, slowest;
	atomic_int modes_checked, leaves_checked;
	atomic_int next;
} * totals;

static struct {
	uint64_t seed;
	int runs, jobs, seconds;
	bool verbose;
	char *exe, *fry_run;
	int64_t end;
} stress = {.jobs = 2, .seconds = 150};

static int64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void *share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		fail("mmap");
	return memory;
}

/* --- canaries, and P */

/* Signals that the run sent to a group are its own business; fry-run is not to send any. */
static void canary_note(struct shared *shared, struct canary *canary, const siginfo_t *info)
{
	bool kernel = info->si_code > 0;

	/* To a group with members in other namespaces the kernel names 0 as the sender. */
	if (kernel || info->si_pid == 0 || info->si_pid == 1 ||
	    info->si_pid == atomic_load(&shared->p))
		return;
	atomic_store(&canary->sender, info->si_pid);
	atomic_store(&canary->code, info->si_code);
	atomic_store(&canary->sig, info->si_signo);
}

__attribute__((noreturn)) static void canary_live(struct shared *shared, int place)
{
	struct canary *canary = &shared->canary[place];
	uint64_t all = EVERY_SIGNAL;
	siginfo_t info;

	for (;;)
		if (syscall(SYS_rt_sigtimedwait, &all, &info, NULL, sizeof(all)) > 0)
			canary_note(shared, canary, &info);
}

static pid_t canary_start(struct job *job, int place, pid_t group)
{
	pid_t pid = fork();

	if (pid == -1)
		fail("fork");
	atomic_store(&job->shared->canary[place].pid, pid == 0 ? getpid() : pid);
	if (pid == 0) {
		close(job->life);
		if (group == -1)
			setsid();
		else
			setpgid(0, group);
		canary_live(job->shared, place);
	}
	return pid;
}

/* One that has the next free number for a moment. */
__attribute__((noreturn)) static void churn_live(struct shared *shared, bool leads)
{
	struct timespec while_alive = {0, 600000};
	uint64_t all = EVERY_SIGNAL;
	siginfo_t info;

	if (leads)
		setpgid(0, 0);
	if (syscall(SYS_rt_sigtimedwait, &all, &info, &while_alive, sizeof(all)) > 0) {
		atomic_store(&shared->hit_sender, info.si_pid);
		atomic_store(&shared->hit_sig, info.si_signo);
		atomic_fetch_add(&shared->hit, 1);
	}
	_exit(0);
}

/* Always three of them: what is free in this namespace is soon theirs. */
__attribute__((noreturn)) static void churn(struct shared *shared)
{
	int alive = 0, status;
	pid_t last = 0, pid;

	for (unsigned i = 0;; i++) {
		pid = fork();
		if (pid == 0)
			churn_live(shared, i % 2 == 0);
		if (pid > 0) {
			alive++;
			atomic_fetch_add(&shared->short_lived, 1);
			if (pid < last)
				atomic_fetch_add(&shared->laps, 1);
			last = pid;
		}
		while (alive > 0 &&
		       (pid = waitpid(-1, &status, alive >= 3 ? WUNTRACED : WUNTRACED | WNOHANG)) >
			       0) {
			alive -= !WIFSTOPPED(status);
			if (WIFEXITED(status))
				continue;
			atomic_store(&shared->hit_sig,
				     WIFSTOPPED(status) ? WSTOPSIG(status) : WTERMSIG(status));
			atomic_fetch_add(&shared->hit, 1);
		}
	}
}

static void limits_set(const struct plan *plan, int number)
{
	rlim_t value = (rlim_t)plan->limit_value;
	uid_t user = (uid_t)(NOBODY - 100 - number);

	switch (plan->limit) {
	case NOFILE:
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){value, value});
		break;
	case FSIZE:
		setrlimit(RLIMIT_FSIZE, &(struct rlimit){0, 0});
		break;
	case NPROC:
	case USER:
		if (setresgid(NOBODY, NOBODY, NOBODY) == -1 || setresuid(user, user, user) == -1)
			fail("setresuid");
		if (plan->limit == NPROC)
			setrlimit(RLIMIT_NPROC, &(struct rlimit){value, value});
		break;
	default:
		break;
	}
}

/* In the process that becomes fry-run. */
__attribute__((noreturn)) static void outer_exec(const struct job *job)
{
	const struct plan *plan = &job->plan;
	const char *argument[24];
	char seed[32];
	int count = 0;

	dup2(job->slave == -1 ? open("/dev/null", O_RDWR | O_CLOEXEC) : job->slave, STDIN_FILENO);
	dup2(job->life, STDOUT_FILENO);
	dup2(job->log, STDERR_FILENO);
	descriptors_close(NULL);
	limits_set(plan, job->number);
	for (int i = 0; i < plan->inherited; i++)
		if (fork() == 0) {
			mask_set(i == 0 ? EVERY_SIGNAL : 0);
			sleep_on();
		}
	argument[count++] = stress.fry_run;
	for (int i = 0; i < plan->options; i++)
		argument[count++] = plan->option[i];
	argument[count++] = "--";
	if (plan->node[0].state == NO_COMMAND) {
		argument[count++] = plan->node[0].code % 2 == 0 ? "/nonexistent" : "/etc/passwd";
	} else {
		snprintf(seed, sizeof(seed), "%llu", (unsigned long long)plan->seed);
		argument[count++] = stress.exe;
		argument[count++] = "tree";
		argument[count++] = seed;
		argument[count++] = stress.exe;
		argument[count++] = stress.fry_run;
	}
	argument[count] = NULL;
	/* What is to be counted must not end anybody before COMMAND waits for it. */
	mask_set(plan->node[0].state == COUNTS ? EVERY_SIGNAL : 0);
	command_exec((char **)(uintptr_t)argument);
	_exit(1);
}

static void outer_start(struct job *job)
{
	struct plan *plan = &job->plan;
	long flags = SIGCHLD | (is_init(plan) ? CLONE_NEWPID : 0);
	pid_t pid = (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);

	if (pid == -1)
		fail("clone");
	if (pid != 0) {
		if (plan->setting == JOB) {
			setpgid(pid, pid);
			tcsetpgrp(job->slave, pid);
			canary_start(job, 3, pid);
		}
		atomic_store(&job->shared->outer, pid);
		return;
	}
	switch (plan->setting) {
	case GROUP:
		setpgid(0, 0);
		break;
	case LEADER:
		setsid();
		ioctl(job->slave, TIOCSCTTY, 0);
		break;
	case JOB:
		setpgid(0, 0);
		tcsetpgrp(job->slave, getpid());
		break;
	case INIT:
		if (unshare(CLONE_NEWNS) == -1 || mount("proc", "/proc", "proc", 0, NULL) == -1)
			fail("proc");
		break;
	default:
		break;
	}
	outer_exec(job);
}

/* What a shell does when it sees its job stop: put it into the foreground again. */
static void job_continue(const struct job *job, pid_t pid)
{
	tcsetpgrp(job->slave, pid);
	kill(-pid, SIGCONT);
}

/*
 * See whether fry-run has changed its state. It is not reaped before its status is written down: P
 * may be killed at any time, and then somebody else does both.
 */
static bool outer_look(const struct job *job, pid_t outer)
{
	siginfo_t info = {0};

	if (waitid(P_PID, (id_t)outer, &info, WEXITED | WNOWAIT | WNOHANG) == 0 && info.si_pid) {
		atomic_store(&job->shared->status,
			     info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status);
		atomic_store(&job->shared->ended, 1);
		return true;
	}
	info.si_pid = 0;
	if (waitid(P_PID, (id_t)outer, &info, WSTOPPED | WNOHANG) == -1 || info.si_pid == 0)
		return false;
	if (job->plan.setting == JOB)
		job_continue(job, outer);
	return true;
}

/* P: start fry-run, and see how it ends. */
__attribute__((noreturn)) static void p_live(struct job *job)
{
	struct shared *shared = job->shared;
	struct canary *self = &shared->canary[CANARIES];
	uint64_t all = EVERY_SIGNAL;
	siginfo_t info;
	int status;
	pid_t outer;

	atomic_store(&shared->p, getpid());
	setsid();
	if (job->plan.setting == JOB)
		ioctl(job->slave, TIOCSCTTY, 0);
	canary_start(job, 0, getpgrp());
	canary_start(job, 1, 0);
	outer_start(job);
	close(job->life);
	outer = atomic_load(&shared->outer);
	atomic_store(&self->pid, getpid());
	for (;;) {
		long sig = syscall(SYS_rt_sigtimedwait, &all, &info, NULL, sizeof(all));

		if (sig > 0 && sig != SIGCHLD)
			canary_note(shared, self, &info);
		while (outer != 0 && outer_look(job, outer))
			if (atomic_load(&shared->ended)) {
				waitpid(outer, &status, 0);
				outer = 0;
			}
	}
}

/* --- events */

static int pid_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static bool pid_signal(int fd, int sig)
{
	return fd != -1 && syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) == 0;
}

/* The first child of a process with a name that begins so; 0 if there is none. */
static pid_t child_of(pid_t pid, const char *name)
{
	char path[64], text[1024], comm[32];
	pid_t child = 0;
	FILE *file, *named;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fgets(text, sizeof(text), file)) {
		char *rest = text;

		while (child == 0 && *rest >= '0' && *rest <= '9') {
			pid_t one = (pid_t)strtol(rest, &rest, 10);

			rest += *rest == ' ';
			snprintf(path, sizeof(path), "/proc/%d/comm", (int)one);
			named = fopen(path, "re");
			if (named && fgets(comm, sizeof(comm), named) &&
			    strncmp(comm, name, strlen(name)) == 0)
				child = one;
			if (named)
				fclose(named);
		}
	}
	fclose(file);
	return child;
}

/* Open it, and see that it is the child still: from then on it cannot be another. */
static int child_open(pid_t parent, const char *name, pid_t *child)
{
	int fd;

	*child = child_of(parent, name);
	fd = *child == 0 ? -1 : pid_open(*child);
	if (fd != -1 && child_of(parent, name) != *child) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool has_inner(const struct plan *plan)
{
	return plan->guard && !is_init(plan);
}

static int inner_open(const struct job *job, pid_t *inner)
{
	return child_open(atomic_load(&job->shared->outer), "fry-", inner);
}

static int command_open(const struct job *job)
{
	pid_t above = atomic_load(&job->shared->outer), command;
	int fd, inner = -1;

	if (has_inner(&job->plan)) {
		inner = inner_open(job, &above);
		if (inner == -1)
			return -1;
	}
	/* Its first child, whatever it is called; but those that it inherited come before. */
	fd = job->plan.inherited != 0 && inner == -1 ? -1 : child_open(above, "", &command);
	if (inner != -1)
		close(inner);
	return fd;
}

static bool is_started(const struct job *job)
{
	int fd = command_open(job);

	if (fd != -1)
		close(fd);
	return fd != -1;
}

/* These stop one who is not fry-run yet, and then nobody is there to see. */
static bool stops_early(const struct job *job, int sig)
{
	return (sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU) && !is_started(job);
}

static bool signal_closing(int fd, int sig)
{
	bool sent = pid_signal(fd, sig);

	if (fd != -1)
		close(fd);
	return sent;
}

/* Whether it is fry-run already, and has blocked every signal. While it waits, none shows. */
static bool is_blocking(pid_t pid)
{
	char path[64], line[256];
	unsigned long long blocked = 0;
	bool executed = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return true;
	while (fgets(line, sizeof(line), file)) {
		executed |= strcmp(line, "Name:\tfry-run\n") == 0;
		if (sscanf(line, "SigBlk: %llx", &blocked) == 1)
			break;
	}
	fclose(file);
	return executed && blocked > UINT64_MAX / 2;
}

static void wait_for(int64_t until)
{
	int64_t left = until - clock_ns();

	if (left > 300000)
		sleep_us((left - 100000) / 1000);
	while (clock_ns() < until)
		;
}

static void note_sent(struct job *job, int sig)
{
	job->sent |= signal_bit(sig);
	if (sig == SIGINT || sig == SIGTERM || sig == SIGQUIT)
		job->stop_asked = true;
}

/* Returns whether there was anybody to whom it could happen. */
static bool event_do(struct job *job, const struct event *event)
{
	struct winsize window = {.ws_row = 24, .ws_col = (unsigned short)(80 + event->then % 40)};
	pid_t outer = atomic_load(&job->shared->outer), inner;
	int sig = event->sig, fd;
	bool done = false;

	if (event->kind <= SIGNAL_GROUP && stops_early(job, sig))
		return false;
	switch (event->kind) {
	case SIGNAL_OUTER:
		note_sent(job, sig);
		return pid_signal(job->outer_fd, sig);
	case KILL_OUTER:
		done = pid_signal(job->outer_fd, SIGKILL);
		job->killed_outer |= done;
		return done;
	case STOP_OUTER:
		/* Process 1 cannot be stopped but from outside; here, this is outside. */
		done = pid_signal(job->outer_fd, SIGSTOP);
		wait_for(clock_ns() + event->then * 1000);
		pid_signal(job->outer_fd, SIGCONT);
		return done;
	case SIGNAL_INNER:
		note_sent(job, sig);
		return signal_closing(inner_open(job, &inner), sig);
	case KILL_INNER:
		done = signal_closing(inner_open(job, &inner), SIGKILL);
		job->killed_inner |= done;
		return done;
	case STOP_INNER:
		if (event->then == 0 && job->killed_outer)
			return false;
		fd = child_open(outer, "fry-inner", &inner);
		done = pid_signal(fd, SIGSTOP);
		if (event->then) {
			wait_for(clock_ns() + event->then * 1000);
			pid_signal(fd, SIGCONT);
		}
		if (fd != -1)
			close(fd);
		return done;
	case SIGNAL_COMMAND:
		job->sent |= signal_bit(sig);
		return signal_closing(command_open(job), sig);
	case KILL_COMMAND:
		done = signal_closing(command_open(job), SIGKILL);
		job->killed_command |= done;
		return done;
	case STOP_COMMAND:
		return signal_closing(command_open(job), SIGSTOP);
	case SIGNAL_GROUP:
		note_sent(job, sig);
		if (job->plan.setting == PLAIN)
			return kill(-job->p, sig) == 0;
		/* Who was not reaped, or a canary, keeps the number. */
		return job->plan.setting != INIT && job->plan.setting != INIT_BARE &&
		       !atomic_load(&job->shared->ended) && kill(-outer, sig) == 0;
	case PARENT_DIES:
		job->orphaned = true;
		if (job->plan.parent_death)
			note_sent(job, job->plan.parent_death);
		/* Of its terminal, or because its groups are orphaned: setpgid(2). */
		job->sent |= signal_bit(SIGHUP);
		return kill(job->p, SIGKILL) == 0;
	case TTY_CLOSES:
		if (job->master == -1)
			return false;
		job->sent |= signal_bit(SIGHUP);
		job->closed = true;
		close(job->master);
		job->master = -1;
		return true;
	case TTY_KEY:
		if (job->master == -1 || (sig % 3 == 2 && !is_started(job)))
			return false;
		job->sent |= signal_bit(SIGINT) | signal_bit(SIGQUIT) | signal_bit(SIGTSTP);
		return write(job->master, &"\003\034\032"[sig % 3], 1) == 1;
	case TTY_WINDOW:
		return job->master != -1 && ioctl(job->master, TIOCSWINSZ, &window) == 0;
	case COUNT_ONE:
		return pid_signal(job->outer_fd, COUNTED);
	case COUNT_END:
		return pid_signal(job->outer_fd, COUNTER_END);
	case FINISH:
		note_sent(job, SIGTERM);
		done = pid_signal(job->outer_fd, SIGTERM);
		if (on_terminal(&job->plan))
			pid_signal(job->outer_fd, SIGCONT);
		return done;
	default:
		return false;
	}
}

/* --- what was found */

__attribute__((format(printf, 2, 3))) static void broken(struct job *job, const char *format, ...)
{
	va_list arguments;

	printf("FAILED %llu ", (unsigned long long)job->plan.seed);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	job->failures++;
}

static bool is_known(const struct job *job, pid_t pid)
{
	const struct shared *shared = job->shared;

	if (pid == job->p || pid == job->churner || pid == job->self || pid == job->apart)
		return true;
	for (int i = 0; i <= CANARIES; i++)
		if (atomic_load(&shared->canary[i].pid) == pid)
			return true;
	return false;
}

/* Reap what has fallen to us; a stranger has descended from fry-run. */
static void orphans_reap(struct job *job)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
		if (pid == atomic_load(&job->shared->outer)) {
			if (atomic_load(&job->shared->ended))
				continue;
			atomic_store(&job->shared->status, status);
			atomic_store(&job->shared->ended, 1);
		} else if (pid == job->p) {
			continue;
		} else if (is_known(job, pid)) {
			broken(job, "canary: process %d ended with wait status %d", (int)pid,
			       status);
		} else {
			job->orphan = pid;
		}
	}
}

/* Look for strangers in /proc. Returns how many; prints them, too. */
static int strangers(struct job *job, bool printing)
{
	DIR *directory = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	if (!directory)
		fail("/proc");
	while ((entry = readdir(directory))) {
		char path[300], text[512] = "", *end;
		int pid = atoi(entry->d_name), parent = 0;
		FILE *file;

		if (pid <= 1 || is_known(job, pid))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(text, sizeof(text), file) && (end = strrchr(text, ')')))
			parent = atoi(end + 4);
		fclose(file);
		if (parent == 0 || parent == job->churner)
			continue;
		/* P has written down how fry-run ended, and reaps it next. */
		if (pid == atomic_load(&job->shared->outer) && parent == job->p)
			continue;
		count++;
		text[60] = '\0';
		if (printing)
			printf("  left: %s\n", text);
	}
	closedir(directory);
	return count;
}

static bool pipe_ended(int fd, int wait)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	char bytes[256];

	while (poll(&polled, 1, wait) == 1)
		if (read(fd, bytes, sizeof(bytes)) <= 0)
			return true;
	return false;
}

static void check_left(struct job *job)
{
	int64_t limit = clock_ns() + 3000 * MS;
	bool killed = job->killed_outer;

	/* What was there before is nobody's business where fry-run refused to start. */
	if (job->plan.leave ||
	    (job->plan.inherited && atomic_load(&job->shared->status) == 125 << 8))
		return;
	orphans_reap(job);
	if (killed) /* the inner process is about it */
		while (strangers(job, false) != 0 && clock_ns() < limit) {
			sleep_us(500);
			orphans_reap(job);
		}
	if (!killed && job->orphan != 0)
		broken(job, "left: process %d outlived fry-run", (int)job->orphan);
	if (strangers(job, false) != 0) {
		broken(job, "left: processes");
		strangers(job, true);
	}
	/* Somebody of ours may not have closed it yet; who is fry-run's was found above. */
	if (!pipe_ended(job->last_life, 200))
		broken(job, "left: the pipe is open");
}

static void check_canaries(struct job *job)
{
	struct shared *shared = job->shared;
	static const char *const names[CANARIES + 1] = {"in the group of the caller",
							"in the session of the caller", "apart",
							"in the group of the job", "the parent"};

	for (int i = 0; i <= CANARIES; i++) {
		struct canary *canary = &shared->canary[i];
		int sig = atomic_load(&canary->sig), pid = atomic_load(&canary->pid);
		char path[32], text[512] = "", *end;
		FILE *file;

		if (sig != 0)
			broken(job, "canary %s: got signal %d, code %d from process %d", names[i],
			       sig, atomic_load(&canary->code), atomic_load(&canary->sender));
		if (pid == 0 || (i == CANARIES && job->orphaned))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		file = fopen(path, "re");
		if (!file || !fgets(text, sizeof(text), file) || !(end = strrchr(text, ')')) ||
		    strchr("TZX", end[2]))
			broken(job, "canary %s: %d is %s", names[i], pid, text[0] ? text : "gone");
		if (file)
			fclose(file);
	}
	if (atomic_load(&shared->hit))
		broken(job, "canary: a short-lived one got signal %d from process %d",
		       atomic_load(&shared->hit_sig), atomic_load(&shared->hit_sender));
}

/* Remove what is below the job's cgroup. Returns how much that was. */
static int leaves_remove(struct job *job, bool looking)
{
	DIR *directory = opendir(job->cgroup);
	struct dirent *entry;
	int count = 0;

	while (directory && (entry = readdir(directory)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
			count++;
			if (!looking)
				unlinkat(dirfd(directory), entry->d_name, AT_REMOVEDIR);
		}
	if (directory)
		closedir(directory);
	return count;
}

static void check_leaf(struct job *job)
{
	int64_t limit = clock_ns() + 1000 * MS;

	if (!job->plan.cgroup || job->plan.leave)
		return;
	/* Whoever kills process 1 of a container leaves nobody to remove it. */
	if (job->killed_outer && is_init(&job->plan))
		return;
	while (job->killed_outer && leaves_remove(job, true) != 0 && clock_ns() < limit)
		sleep_us(500);
	atomic_fetch_add(&totals->leaves_checked, 1);
	if (leaves_remove(job, true) != 0)
		broken(job, "leaf: there still is a cgroup");
}

static void check_terminal(struct job *job)
{
	int status = atomic_load(&job->shared->status);
	pid_t outer = atomic_load(&job->shared->outer), group;
	bool by_itself = WIFEXITED(status) && !job->plan.code && WEXITSTATUS(status) != 124;
	struct termios modes;

	if (job->plan.setting != JOB || job->master == -1 || job->orphaned)
		return;
	/* A killed outer process leaves this to the inner one. */
	group = tcgetpgrp(job->master);
	for (int i = 0; i < 200 && job->killed_outer && group != outer; i++) {
		sleep_us(1000);
		group = tcgetpgrp(job->master);
	}
	if (group != outer)
		broken(job, "tty: the foreground group is %d, not %d", (int)group, (int)outer);
	if (by_itself || job->plan.leave || tcgetattr(job->master, &modes) == -1)
		return;
	atomic_fetch_add(&totals->modes_checked, 1);
	if (modes.c_lflag != job->modes.c_lflag)
		broken(job, "tty: the modes are %x, not %x", modes.c_lflag, job->modes.c_lflag);
}

/* Whether COMMAND is one that dies of TERM at once, and nothing happened but that. */
static int status_exact(const struct job *job)
{
	const struct plan *plan = &job->plan;
	const struct node *command = &plan->node[0];
	bool disturbed = false;

	if (plan->limit == NPROC)
		return -1;
	for (int i = 0; i < plan->events; i++)
		disturbed |= plan->event[i].kind < COUNT_ONE && plan->event[i].kind != STOP_OUTER &&
			     plan->event[i].kind != TTY_WINDOW &&
			     !(plan->event[i].kind == STOP_INNER && plan->event[i].then != 0);
	for (int i = 1; i < plan->nodes; i++)
		disturbed |= plan->node[i].state == TRACER && plan->node[i].parent == 0;
	if (disturbed || plan->timeout != 0)
		return -1;
	if (command->state == COUNTS)
		return (100 + plan->counts) << 8;
	if (command->state == NO_COMMAND)
		return (command->code % 2 == 0 ? 127 : 126) << 8;
	if (command->state == ENDS && !(plan->fail && command->code == 0))
		return command->code << 8;
	if (command->state == DIES)
		return plan->code || is_init(plan) ? (128 + command->code) << 8 : command->code;
	return -1;
}

static bool status_possible(const struct job *job, int status)
{
	const struct plan *plan = &job->plan;
	const struct node *command = &plan->node[0];
	uint64_t deaths = job->sent | schedules[plan->schedule].sends;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1, sig = WTERMSIG(status);

	if (job->killed_outer && status == SIGKILL)
		return true;
	if (code == 124)
		return plan->timeout != 0;
	if (code == 125) /* a nested one may find no pid that is free */
		return plan->fail || plan->limit == NPROC || plan->limit == NOFILE ||
		       command->state == NESTED;
	if (code > 128 && (plan->code || is_init(plan)))
		sig = code - 128;
	else if (code != -1)
		return command->state == NO_COMMAND ? code == 126 || code == 127
		       : command->state == COUNTS   ? code >= 100 && code < 128
		       : command->state == NESTED
			       ? true
			       : (code == command->code &&
				  (command->state == ENDS || command->manner == SLOW ||
				   command->manner == REFORKS)) ||
					 code == 0; /* ends as its thread does */
	if (command->state == DIES && sig == command->code)
		return true;
	if (job->killed_command || job->killed_inner)
		deaths |= signal_bit(SIGKILL);
	return sig > 0 && (deaths & signal_bit(sig)) != 0;
}

static void check_status(struct job *job)
{
	int status = atomic_load(&job->shared->status), exact = status_exact(job);

	atomic_fetch_add(WIFEXITED(status) ? &totals->exited : &totals->died, 1);
	atomic_fetch_add(&totals->timeouts, WIFEXITED(status) && WEXITSTATUS(status) == 124);
	if (exact != -1) {
		atomic_fetch_add(&totals->exact, 1);
		if (status != exact)
			broken(job, "status: %x, not %x", status, exact);
	} else if (!status_possible(job, status)) {
		broken(job, "status: %x", status);
	}
}

/* --- a run */

static void terminal_open(struct job *job)
{
	job->master = job->slave = -1;
	if (!on_terminal(&job->plan))
		return;
	job->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (job->master == -1 || grantpt(job->master) == -1 || unlockpt(job->master) == -1)
		fail("posix_openpt");
	job->slave = ioctl(job->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (job->slave == -1)
		fail("TIOCGPTPEER");
	fcntl(job->master, F_SETFL, O_NONBLOCK);
	tcgetattr(job->master, &job->modes);
}

static void run_start(struct job *job)
{
	struct shared *shared = job->shared;
	int64_t ready;
	int lives[2];

	memset(shared, 0, sizeof(*shared));
	if (pipe2(lives, O_CLOEXEC) == -1)
		fail("pipe");
	job->last_life = lives[0];
	job->life = lives[1];
	if (ftruncate(job->log, 0) == -1)
		fail("ftruncate");
	lseek(job->log, 0, SEEK_SET);
	terminal_open(job);
	job->sent = 0;
	job->killed_outer = job->killed_inner = job->killed_command = false;
	job->closed = job->orphaned = job->stop_asked = false;
	job->orphan = job->churner = 0;
	job->failures = 0;
	job->apart = canary_start(job, 2, -1);
	if (job->plan.churn) {
		job->churner = fork();
		if (job->churner == 0) {
			close(job->life);
			setsid();
			churn(shared);
		}
	}
	job->p = fork();
	if (job->p == -1)
		fail("fork");
	if (job->p == 0) {
		if (job->master != -1)
			close(job->master);
		p_live(job);
	}
	close(job->life);
	if (job->slave != -1)
		close(job->slave);
	while (atomic_load(&shared->outer) == 0)
		sched_yield();
	/* A signal before that ends the one who is to be fry-run, and what it has left is not ours. */
	ready = clock_ns() + 30 * MS;
	while (job->plan.inherited && !is_blocking(atomic_load(&shared->outer)) &&
	       clock_ns() < ready)
		sched_yield();
	job->start = clock_ns();
	job->outer_fd = pid_open(atomic_load(&shared->outer));
}

/* Kill all there is in this namespace but ourselves. */
static void run_clear(struct job *job)
{
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, __WALL) != -1 || errno == EINTR)
		;
	if (job->plan.cgroup)
		leaves_remove(job, false);
	if (job->master != -1)
		close(job->master);
	close(job->last_life);
	if (job->outer_fd != -1)
		close(job->outer_fd);
}

static int by_moment(const void *one, const void *other)
{
	const struct event *a = one, *b = other;

	if (a->at != b->at)
		return (a->at > b->at) - (a->at < b->at);
	return (a->kind > b->kind) - (a->kind < b->kind); /* the end of counting comes last */
}

static void output_drop(const struct job *job)
{
	char bytes[512];

	while (job->master != -1 && read(job->master, bytes, sizeof(bytes)) > 0)
		;
}

static bool run_ended(struct job *job)
{
	orphans_reap(job);
	output_drop(job);
	return atomic_load(&job->shared->ended) != 0;
}

/* Returns false if it takes too long. */
static bool run_wait(struct job *job, int64_t limit)
{
	int64_t prompted = clock_ns();

	while (!run_ended(job)) {
		int64_t now = clock_ns();

		if (now > limit)
			return false;
		/* Who sits at the terminal lets a job go on that was stopped. */
		if (on_terminal(&job->plan) && now > prompted + 100 * MS) {
			pid_signal(job->outer_fd, SIGCONT);
			prompted = now;
		}
		sleep_us(300);
	}
	return true;
}

static void plan_print(const struct plan *plan)
{
	printf("  %s;", setting_names[plan->setting]);
	for (int i = 0; i < plan->options; i++)
		printf(" %s", plan->option[i]);
	printf("; limit %s %d; inherited %d%s\n", limit_names[plan->limit], plan->limit_value,
	       plan->inherited, plan->churn ? "; churn" : "");
	for (int i = 0; i < plan->nodes; i++) {
		const struct node *node = &plan->node[i];

		printf("  node %d below %d: %s, %s, %s, code %d, delay %d us\n", i, node->parent,
		       state_names[node->state], place_names[node->place],
		       manner_names[node->manner], node->code, node->delay);
	}
	for (int i = 0; i < plan->events; i++)
		printf("  at %lld us: %s %d, then %d\n", (long long)plan->event[i].at,
		       kind_names[plan->event[i].kind], plan->event[i].sig, plan->event[i].then);
}

static void log_print(struct job *job)
{
	char text[4096];
	ssize_t length = pread(job->log, text, sizeof(text) - 1, 0);

	if (length > 0) {
		text[length] = '\0';
		printf("  stderr:\n%s", text);
	}
}

static void totals_add(const struct job *job)
{
	const struct plan *plan = &job->plan;

	atomic_fetch_add(&totals->runs, 1);
	atomic_fetch_add(&totals->failed, job->failures != 0);
	atomic_fetch_add(&totals->cgroups, plan->cgroup);
	atomic_fetch_add(&totals->no_guard, !plan->guard);
	atomic_fetch_add(&totals->churned, plan->churn);
	atomic_fetch_add(&totals->inherited, plan->inherited != 0);
	atomic_fetch_add(&totals->laps, atomic_load(&job->shared->laps));
	atomic_fetch_add(&totals->short_lived, atomic_load(&job->shared->short_lived));
	atomic_fetch_add(&totals->setting[plan->setting], 1);
	atomic_fetch_add(&totals->limit[plan->limit], 1);
	for (int i = 0; i < plan->nodes; i++) {
		atomic_fetch_add(&totals->state[plan->node[i].state], 1);
		atomic_fetch_add(&totals->place[plan->node[i].place], 1);
		atomic_fetch_add(&totals->manner[plan->node[i].manner], 1);
	}
}

/* Let the events happen, those at the same moment in the order of the plan. */
static void run_events(struct job *job)
{
	struct plan *plan = &job->plan;

	for (int i = 0; i < plan->events; i++) {
		const struct event *event = &plan->event[i];

		atomic_fetch_add(&totals->planned[event->kind], 1);
		wait_for(job->start + event->at * 1000);
		orphans_reap(job);
		if (event_do(job, event))
			atomic_fetch_add(&totals->done[event->kind], 1);
	}
}

static void run_once(struct job *job, uint64_t seed)
{
	struct plan *plan = &job->plan;
	int64_t wait, took;
	bool exact, in_time;

	plan_make(plan, seed);
	plan->cgroup = plan->cgroup && job->cgroups;
	if (!job->cgroups)
		for (int i = 0; i < plan->options; i++)
			if (strcmp(plan->option[i], "--cgroup=new") == 0)
				plan->option[i] = "-s";
	qsort(plan->event, (size_t)plan->events, sizeof(plan->event[0]), by_moment);
	run_start(job);
	run_events(job);
	/* What ends by itself is given the time to do so; the rest is asked to. */
	exact = status_exact(job) != -1;
	wait = schedules[plan->schedule].total * MS;
	if (!run_wait(job, clock_ns() + (!exact ? 10 * MS : plan->wait ? 3000 * MS : SLACK * MS))) {
		atomic_fetch_add(&totals->planned[FINISH], 1);
		/* Before it has blocked it, process 1 does not get it. */
		for (int i = 0; i < 2000 && is_init(plan) && !is_started(job); i++)
			if (run_wait(job, clock_ns() + MS))
				break;
		if (event_do(job, &(struct event){.kind = FINISH}))
			atomic_fetch_add(&totals->done[FINISH], 1);
		if (exact && !plan->wait)
			broken(job, "time: it did not end by itself");
	}
	job->asked = clock_ns();
	in_time = run_wait(job, job->asked + wait + SLACK * MS);
	took = (clock_ns() - job->asked - wait) / MS;
	while (took > atomic_load(&totals->slowest))
		atomic_store(&totals->slowest, (int)took);
	if (!in_time) {
		broken(job, "time: it does not end");
		strangers(job, true);
	} else {
		check_left(job);
		check_status(job);
		check_leaf(job);
		check_terminal(job);
	}
	check_canaries(job);
	totals_add(job);
	if (stress.verbose)
		printf("%llu: status %x\n", (unsigned long long)seed,
		       atomic_load(&job->shared->status));
	if (job->failures != 0 || stress.verbose)
		plan_print(plan);
	if (job->failures != 0)
		log_print(job);
	fflush(stdout);
	run_clear(job);
}

/* --- jobs */

static void file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd == -1 || write(fd, text, strlen(text)) == -1)
		fail(path);
	close(fd);
}

/* The directory of our own cgroup v2. */
static bool cgroup_own(char *path)
{
	char line[PATH_MAX], mount[PATH_MAX] = "", own[PATH_MAX] = "";
	FILE *file = fopen("/proc/self/mountinfo", "re");

	while (file && fgets(line, sizeof(line), file))
		if (strstr(line, " - cgroup2 "))
			sscanf(line, "%*s %*s %*s %*s %s", mount);
	if (file)
		fclose(file);
	file = fopen("/proc/self/cgroup", "re");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "0::%s", own);
	if (file)
		fclose(file);
	return mount[0] && own[0] &&
	       snprintf(path, PATH_MAX, "%s%s", mount, strcmp(own, "/") == 0 ? "" : own) < PATH_MAX;
}

/* Whether a namespace has a limit of its own. */
static bool pid_max_is_own(void)
{
	struct utsname name;
	int major = 0, minor = 0;

	return uname(&name) == 0 && sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 14));
}

/* Show a program where who is not root may execute it, too: nobody else may enter the build's path. */
static char *show(const char *program, char *where)
{
	int fd = open(where, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);

	if (fd == -1 || close(fd) == -1 || mount(program, where, NULL, MS_BIND, NULL) == -1)
		fail(where);
	return where;
}

static void job_run(struct job *job)
{
	static char exe[] = "/mnt/stress", fry_run[] = "/mnt/fry-run";
	char number[16];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	mask_set(EVERY_SIGNAL);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("proc", "/proc", "proc", 0, NULL) == -1 ||
	    mount("stress", "/mnt", "tmpfs", 0, "mode=755") == -1)
		fail("mount");
	stress.exe = show(stress.exe, exe);
	stress.fry_run = show(stress.fry_run, fry_run);
	snprintf(number, sizeof(number), "%d", PIDS);
	/* Before Linux 6.14 it is everybody's, and numbers come round rarely. */
	if (pid_max_is_own())
		file_write("/proc/sys/kernel/pid_max", number);
	if (job->cgroups) {
		char procs[PATH_MAX + 16];

		snprintf(procs, sizeof(procs), "%s/cgroup.procs", job->cgroup);
		file_write(procs, "0");
	}
	setsid();
	job->self = getpid();
	job->log = memfd_create("log", MFD_CLOEXEC);
	job->shared = share(sizeof(*job->shared));
	fcntl(job->log, F_SETFL, O_APPEND);
	for (;;) {
		int i = atomic_fetch_add(&totals->next, 1);

		if ((stress.runs != 0 && i >= stress.runs) || clock_ns() > stress.end)
			break;
		run_once(job, stress.seed + (uint64_t)i);
	}
	exit(0);
}

static pid_t job_start(int number)
{
	struct job *job = calloc(1, sizeof(*job));
	size_t length;
	pid_t pid;

	if (!job)
		fail("calloc");
	job->number = number;
	job->cgroups = cgroup_own(job->cgroup);
	length = strlen(job->cgroup);
	snprintf(job->cgroup + length, PATH_MAX - length, "/stress-%d-%d", (int)getpid(), number);
	job->cgroups = job->cgroups && mkdir(job->cgroup, 0755) == 0;
	pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);
	if (pid == -1)
		fail("clone (who is not root cannot have namespaces)");
	if (pid == 0)
		job_run(job);
	return pid;
}

static void job_end(int number)
{
	char path[PATH_MAX];
	size_t length;

	if (!cgroup_own(path))
		return;
	length = strlen(path);
	snprintf(path + length, PATH_MAX - length, "/stress-%d-%d", (int)getpid(), number);
	for (int i = 0; i < 100 && rmdir(path) == -1 && errno != ENOENT; i++)
		sleep_us(10000);
}

static void table_print(const char *title, const char *const *names, const atomic_int *counts_of,
			const atomic_int *of, int count)
{
	printf("%s\n", title);
	for (int i = 0; i < count; i++) {
		printf("  %6d", atomic_load(&counts_of[i]));
		if (of)
			printf(" of %6d", atomic_load(&of[i]));
		printf("  %s\n", names[i]);
	}
}

static void totals_print(void)
{
	table_print("runs, by setting", setting_names, totals->setting, NULL, SETTINGS);
	table_print("limits", limit_names, totals->limit, NULL, LIMITS);
	table_print("processes of trees", state_names, totals->state, NULL, STATES);
	table_print("", place_names, totals->place, NULL, PLACES);
	table_print("", manner_names, totals->manner, NULL, MANNERS);
	table_print("events that had somebody to happen to", kind_names, totals->done,
		    totals->planned, KINDS);
	printf("%6d with a cgroup, %d without guard, %d with children before\n",
	       atomic_load(&totals->cgroups), atomic_load(&totals->no_guard),
	       atomic_load(&totals->inherited));
	printf("%6d ended by a signal, %d by exit, %d of these timed out; %d could have one status only\n",
	       atomic_load(&totals->died), atomic_load(&totals->exited),
	       atomic_load(&totals->timeouts), atomic_load(&totals->exact));
	printf("%6d short-lived canaries in %d runs, pids came round %d times\n",
	       atomic_load(&totals->short_lived), atomic_load(&totals->churned),
	       atomic_load(&totals->laps));
	printf("%6d leaves and %d terminals' modes were looked at\n",
	       atomic_load(&totals->leaves_checked), atomic_load(&totals->modes_checked));
	printf("%6d ms beyond the schedule at most\n", atomic_load(&totals->slowest));
	printf("%6d runs, %d failed\n", atomic_load(&totals->runs), atomic_load(&totals->failed));
}

static void options_parse(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "n:s:j:t:v")) != -1) {
		switch (option) {
		case 'n':
			stress.runs = number_parse(optarg, INT_MAX);
			break;
		case 's':
			stress.seed = strtoull(optarg, NULL, 10);
			break;
		case 'j':
			stress.jobs = number_parse(optarg, JOBS);
			break;
		case 't':
			stress.seconds = number_parse(optarg, 86400);
			break;
		case 'v':
			stress.verbose = true;
			break;
		default:
			exit(2);
		}
	}
	stress.fry_run = optind < argc ? realpath(argv[optind], NULL) : NULL;
	stress.exe = realpath("/proc/self/exe", NULL);
	if (!stress.fry_run || !stress.exe)
		misused("no such program", optind < argc ? argv[optind] : "FRY-RUN");
}

int main(int argc, char **argv)
{
	pid_t pid[JOBS];
	int failed = 0, status;

	if (argc > 1 && strcmp(argv[1], "sleep") == 0)
		sleep_on();
	if (argc > 4 && strcmp(argv[1], "tree") == 0) {
		tree.exe = argv[3];
		tree.fry_run = argv[4];
		tree.plan.seed = strtoull(argv[2], NULL, 10);
		plan_tree(&tree.plan);
		node_run(0);
	}
	stress.seed = (uint64_t)time(NULL) % 1000000 * 100000;
	options_parse(argc, argv);
	unsetenv("FRY_RUN_OPTS");
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	printf("seeds from %llu\n", (unsigned long long)stress.seed);
	fflush(stdout);
	stress.end = clock_ns() + stress.seconds * 1000 * MS;
	totals = share(sizeof(*totals));
	for (int i = 0; i < stress.jobs; i++)
		pid[i] = job_start(i);
	for (int i = 0; i < stress.jobs; i++) {
		if (waitpid(pid[i], &status, 0) == -1 || status != 0)
			failed++;
		job_end(i);
	}
	if (failed)
		printf("%d jobs ended before their time\n", failed);
	totals_print();
	return failed || atomic_load(&totals->failed) ? 1 : 0;
}
