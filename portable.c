/*
 * portable.c - what there is beyond Linux: POSIX alone, and procctl(2) on FreeBSD and DragonFly
 *
 * This takes the place of linux.c, reap.c, cgroup.c and guard.c. POSIX tells of children only, and
 * of nobody below them. So what fry-run looks after is COMMAND's process group, for which COMMAND,
 * its leader, keeps the number until it is reaped; what outlives COMMAND is left.
 *
 * Where procctl(2) makes fry-run the reaper of everything below, it is all looked after as on
 * Linux. A pid of one that is no child of ours is as old as the list that it is from.
 */
/* SPDX-License-Identifier: MIT */
#include "fry.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__FreeBSD__) || defined(__DragonFly__) || defined(FRY_PROCCTL)
#include <sys/procctl.h>
#endif

enum {
	MANY_DESCRIPTORS = 1 << 20, /* more than this are not looked at */
	REAP_BATCH = 1000,          /* then the clock is looked at */
	SOME_MORE = 64              /* processes that may have come since they were counted */
};

/* Add one to the list of those who are left, with what was noted about it before. */
static void list_add(struct fry *fry, pid_t pid, char state)
{
	const struct table *before = &fry->before;
	struct table *list = &fry->tree;

	if (list->count == list->slots) {
		size_t slots = list->slots == 0 ? SOME_MORE : 2 * list->slots;
		struct process *more = memory_get(slots * sizeof(*more));

		if (more == NULL)
			return; /* KILL does without a list */
		if (list->count != 0)
			memcpy(more, list->process, list->count * sizeof(*more));
		memory_free(list->process, list->slots * sizeof(*more));
		list->process = more;
		list->slots = slots;
	}
	list->process[list->count] = (struct process){.pid = pid, .state = state, .name = "?"};
	for (size_t i = 0; i < before->count; i++)
		if (before->process[i].pid == pid && !before->process[i].reaped) {
			list->process[list->count].had = before->process[i].had;
			list->process[list->count].forbidden = before->process[i].forbidden;
		}
	list->count++;
}

/*
 * The reaper: reaper_acquire becomes it; reaper_left tells whether somebody is below whom it is the
 * reaper of; reaper_list adds everybody it knows to the list, and returns false if those may not
 * be all; reaper_kill kills everybody, or those whom it can, and returns false if it can do nothing.
 */
#if defined(PROC_REAP_GETPIDS) /* FreeBSD since 10.2 */

enum { REAPER = true };

static int reaper_acquire(void)
{
	int result = procctl(P_PID, (id_t)getpid(), PROC_REAP_ACQUIRE, NULL);

	return result == -1 && errno == EBUSY ? 0 : result; /* by who executed fry-run */
}

static unsigned reaper_count(void)
{
	struct procctl_reaper_status status;

	memset(&status, 0, sizeof(status));
	procctl(P_PID, (id_t)getpid(), PROC_REAP_STATUS, &status);
	return status.rs_descendants;
}

/* Children that were there before, inherited by exec, have another reaper. */
static bool reaper_left(void)
{
	return reaper_count() != 0;
}

static char reaper_state(unsigned flags)
{
#ifdef REAPER_PIDINFO_ZOMBIE /* since 13.1, and so are these */
	if ((flags & (REAPER_PIDINFO_ZOMBIE | REAPER_PIDINFO_EXITING)) != 0)
		return 'Z';
	return (flags & REAPER_PIDINFO_STOPPED) != 0 ? 'T' : 'R';
#else
	(void)flags;
	return 0;
#endif
}

static bool reaper_list(struct fry *fry)
{
	struct procctl_reaper_pids pids;
	size_t size;

	memset(&pids, 0, sizeof(pids));
	pids.rp_count = reaper_count() + SOME_MORE;
	size = pids.rp_count * sizeof(*pids.rp_pids);
	pids.rp_pids = memory_get(size);
	if (pids.rp_pids == NULL)
		return false;
	if (procctl(P_PID, (id_t)getpid(), PROC_REAP_GETPIDS, &pids) == -1)
		pids.rp_count = 0;
	for (unsigned i = 0; i < pids.rp_count; i++) {
		const struct procctl_reaper_pidinfo *info = &pids.rp_pids[i];
		char state = reaper_state(info->pi_flags);

		if ((info->pi_flags & REAPER_PIDINFO_VALID) != 0 && info->pi_pid > 1 &&
		    state != 'Z')
			list_add(fry, info->pi_pid, state);
	}
	memory_free(pids.rp_pids, size);
	return true;
}

/* In one call, which reaches them whatever they fork meanwhile. */
static bool reaper_kill(void)
{
	struct procctl_reaper_kill all;

	memset(&all, 0, sizeof(all));
	all.rk_sig = SIGKILL;
	return procctl(P_PID, (id_t)getpid(), PROC_REAP_KILL, &all) == 0 && all.rk_fpid == -1;
}

#elif defined(PROC_REAP_ACQUIRE) /* DragonFly since 4.0 */

enum { REAPER = true };

static int reaper_acquire(void)
{
	int result = procctl(P_PID, (id_t)getpid(), PROC_REAP_ACQUIRE, NULL);

	return result == -1 && errno == EALREADY ? 0 : result; /* by who executed fry-run */
}

static bool reaper_left(void)
{
	return true; /* as wait(2) says */
}

/* The one that it names is a child, so its number cannot be another's. */
static pid_t reaper_first(void)
{
	struct reaper_status status;

	memset(&status, 0, sizeof(status));
	status.pid_head = -1;
	procctl(P_PID, (id_t)getpid(), PROC_REAP_STATUS, &status);
	return status.pid_head;
}

static bool reaper_list(struct fry *fry)
{
	pid_t pid = reaper_first();

	if (pid > 1 && pid != fry->child)
		list_add(fry, pid, 0);
	return false;
}

/* One after the other: when it is reaped, its children are ours, and the next one is named. */
static bool reaper_kill(void)
{
	pid_t pid = reaper_first();

	return pid > 1 && kill(pid, SIGKILL) == 0;
}

#else

enum { REAPER = false };

static int reaper_acquire(void)
{
	return 0;
}

static bool reaper_left(void)
{
	return true;
}

static bool reaper_list(struct fry *fry)
{
	(void)fry;
	return false;
}

static bool reaper_kill(void)
{
	return false;
}

#endif

const char system_usage[] =
#ifdef PROC_REAP_ACQUIRE
	"There is no --cgroup and no --guard on this system.\n";
#else
	"There is no --cgroup, no --guard and no -p on this system. --leftover=leave is the\n"
	"default and the only choice; the steps of a stop go to the process group of COMMAND.\n";
#endif

void system_defaults(struct options *options)
{
	options->leftover = REAPER ? LEFTOVER_STOP : LEFTOVER_LEAVE;
}

__attribute__((noreturn)) static void refuse_system(const char *option, const char *rule)
{
	say("%s: %s", option, rule);
	exit(EXIT_FRY);
}

void system_check(const struct options *options)
{
	if (options->guard)
		refuse_system("--guard", "there is no guard but on Linux");
	if (options->cgroup != CGROUP_NONE)
		refuse_system("--cgroup", "there are no cgroups but on Linux");
	if (!REAPER && options->leftover != LEFTOVER_LEAVE)
		refuse_system("--leftover",
			      "only leave is possible where the system does not tell who is left");
#ifndef PROC_PDEATHSIG_CTL
	if (options->parent_death != 0)
		refuse_system("--parent-death", "this system does not tell of a parent's death");
#endif
}

void parent_watch(void)
{
#ifdef PROC_PDEATHSIG_CTL
	int sig = SIGCHLD; /* which is never forwarded */

	procctl(P_PID, (id_t)getpid(), PROC_PDEATHSIG_CTL, &sig);
#endif
}

void mask_fill(sigset_t *set)
{
	sigfillset(set);
}

void mask_add(sigset_t *set, int sig)
{
	sigaddset(set, sig);
}

bool mask_cut(sigset_t *set, int sig)
{
	bool was = sigismember(set, sig) == 1;

	sigdelset(set, sig);
	return was;
}

void mask_set(const sigset_t *set, sigset_t *old)
{
	sigprocmask(SIG_SETMASK, set, old);
}

static void heed(int sig)
{
	(void)sig;
}

/*
 * POSIX lets a system drop what is ignored, if only by default, even while it is blocked.
 * What has a handler waits; COMMAND has the default again, since exec takes handlers away.
 */
void signal_heed(struct sigaction *old)
{
	static const int minded[] = {
		SIGCHLD,  SIGCONT, SIGURG,
#ifdef SIGWINCH
		SIGWINCH,
#endif
#ifdef SIGINFO
		SIGINFO,
#endif
	};
	struct sigaction action, handler = {.sa_handler = heed};

	sigaction(SIGCHLD, NULL, old);
	for (size_t i = 0; i < sizeof(minded) / sizeof(minded[0]); i++)
		if (sigaction(minded[i], NULL, &action) == 0 &&
		    (minded[i] == SIGCHLD || action.sa_handler == SIG_DFL))
			sigaction(minded[i], &handler, NULL);
}

void signal_default(int sig)
{
	sigaction(sig, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
}

/* The sender is fry-run now; POSIX knows no way to hand on another. */
int signal_queue(pid_t pid, siginfo_t *info)
{
	return sigqueue(pid, info->si_signo, info->si_value);
}

/* What /dev/fd opens shares its flags elsewhere. */
int descriptor_reopen(int fd)
{
	(void)fd;
	errno = ENOTSUP;
	return -1;
}

void core_forbid(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){.rlim_cur = 0, .rlim_max = 0});
}

/* poll(2) tells which are open, many at a time. */
void descriptors_close(int keep)
{
	long limit = sysconf(_SC_OPEN_MAX);
	int all = limit < 0 || limit > MANY_DESCRIPTORS ? MANY_DESCRIPTORS : (int)limit;

	for (int fd = STDERR_FILENO + 1; fd < all;) {
		struct pollfd some[256] = {{0}};
		int count = 0;

		for (; count < 256 && fd < all; count++)
			some[count].fd = fd++;
		poll(some, (nfds_t)count, 0); /* where it fails, each of them is tried */
		for (int i = 0; i < count; i++)
			if ((some[i].revents & POLLNVAL) == 0 && some[i].fd != keep)
				close(some[i].fd);
	}
}

void *memory_get(size_t size)
{
	return calloc(1, size);
}

void memory_free(void *memory, size_t size)
{
	(void)size;
	free(memory);
}

void *memory_share(size_t size)
{
#ifdef MAP_ANON
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
#else
	/* Without a name in any directory, and gone with the last process that has it. */
	int id = shmget(IPC_PRIVATE, size, S_IRUSR | S_IWUSR);
	void *memory = shmat(id, NULL, 0);

	if (id != -1)
		shmctl(id, IPC_RMID, NULL);
	return (intptr_t)memory == -1 ? NULL : memory;
#endif
}

void reap_start(struct fry *fry)
{
	bool left;

	if (reaper_acquire() == -1)
		refuse_system("procctl", strerror(errno));
	fry->subreaper = REAPER;
	while (reap_drain(fry, &left) != 0)
		;
	fry->inherited = left;
}

static void reap_note(struct fry *fry, pid_t pid, int status)
{
	for (size_t i = 0; i < fry->tree.count; i++)
		if (fry->tree.process[i].pid == pid || fry->tree.process[i].pid == -pid)
			fry->tree.process[i].reaped = true; /* it may be another's by now */
	if (pid == fry->child) {
		fry->child = 0;
		fry->outcome->ended = true;
		fry->outcome->status = status;
		return;
	}
	if (fry->options.warn_reaped)
		say("reaped orphan: process %d", (int)pid);
	report_reaped(fry, pid, status);
}

unsigned reap_drain(struct fry *fry, bool *left)
{
	unsigned reaped = 0;
	int status;

	*left = true;
	while (reaped < REAP_BATCH) {
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid == -1 && errno == EINTR)
			continue;
		if (pid == -1 || (pid == 0 && fry->inherited && !reaper_left()))
			*left = false;
		if (pid <= 0)
			break;
		reap_note(fry, pid, status);
		reaped++;
	}
	return reaped;
}

/* Whether COMMAND is stopped; who waits for that without WNOWAIT has noted it (tty.c). */
static bool is_stopped(const struct fry *fry)
{
	siginfo_t info = {.si_pid = 0};

	return fry->outcome->stopped != 0 ||
	       (waitid(P_PID, (id_t)fry->child, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
		info.si_pid != 0);
}

/* List those who are left: everybody, or COMMAND and its group, whose number is below zero. */
static void list_make(struct fry *fry)
{
	struct table turned = fry->before;
	char state;

	fry->before = fry->tree;
	fry->tree = turned;
	fry->tree.count = 0;
	if (reaper_list(fry) || fry->child == 0)
		return;
	/* Of its group nobody tells, but most often all of it was stopped. */
	state = is_stopped(fry) ? 'T' : 'R';
	if (fry->owns_group)
		list_add(fry, -fry->group, state);
	if (!fry->owns_group || signals_group(fry) != fry->group)
		list_add(fry, fry->child, state);
}

static void errand_signal(struct errand *errand, struct process *process, int sig)
{
	if (errand->noting)
		return;
	if (kill(process->pid, sig) == 0 || errno == ESRCH) {
		errand->sent += sig == errand->signal;
		return;
	}
	errand->forbidden += sig == errand->signal;
	if (!process->forbidden)
		say("cannot signal process %d: %s", abs((int)process->pid), strerror(errno));
	process->forbidden = true;
}

static bool is_meant(const struct errand *errand, const struct process *process)
{
	pid_t group = process->pid < 0 ? -process->pid : getpgid(process->pid);

	if (errand->group == 0) /* COMMAND's group stands for COMMAND, too */
		return errand->pid == 0 || abs((int)process->pid) == errand->pid;
	return group == errand->group || process->pid == errand->pid;
}

static uint64_t signal_bit(int sig)
{
	return sig == 0 ? 0 : UINT64_C(1) << (sig - 1) % 64;
}

static void errand_run(struct fry *fry, struct errand *errand, struct process *process)
{
	uint64_t bit = signal_bit(errand->signal);

	if (!is_meant(errand, process))
		return;
	if (!(errand->once && (process->had & bit) != 0))
		errand_signal(errand, process, errand->signal);
	errand->found++;
	errand->stopped += process->state != 'R'; /* or nobody knows */
	if (errand->naming)
		say("%s: process %d", errand->why, abs((int)process->pid));
	if (errand->listing)
		report_leftover(fry, process);
	/* Where COMMAND alone has had it, its group has not. */
	if ((errand->stopping || errand->noting) &&
	    (errand->pid == 0 || errand->group != 0 || process->pid > 0))
		process->had |= bit | signal_bit(errand->instead_of);
	if (errand->stopping && process->state != 'R')
		errand_signal(errand, process, SIGCONT);
}

void tree_signal(struct fry *fry, struct errand *errand)
{
	list_make(fry);
	for (size_t i = 0; i < fry->tree.count; i++)
		errand_run(fry, errand, &fry->tree.process[i]);
}

void tree_name(struct fry *fry, const char *why)
{
	tree_signal(fry, &(struct errand){.noting = true, .naming = true, .why = why});
}

void reap_kill(struct fry *fry)
{
	const struct stop *stop = &fry->stop;
	int64_t patience = stop->step[stop->steps - 1].wait;
	int64_t began = clock_now(), quiet = began; /* since when nobody has died */
	unsigned total = 0;

	for (;;) {
		struct errand errand = {.signal = SIGKILL};
		unsigned reaped;
		siginfo_t info;
		bool left;

		if (!reaper_kill())
			tree_signal(fry, &errand);
		reaped = reap_drain(fry, &left);
		total += reaped;
		if (!left || (!REAPER && fry->child == 0))
			break;
		if (reaped != 0)
			quiet = clock_now();
		else if (errand.found != 0 && errand.found == errand.forbidden)
			break; /* those were named, and are not waited for */
		else if (clock_now() - quiet >= patience) {
			tree_name(fry, "does not die");
			break;
		} else
			signals_receive(&info, clock_add(clock_now(), 10 * MILLISECOND), 0);
	}
	report_step(fry, SIGKILL, began, total);
}

/* There is no cgroup, and no second process: what is asked about them has one answer. */

void cgroup_start(struct fry *fry)
{
	fry->cgroup = NULL;
}

void cgroup_make(const struct fry *fry)
{
	(void)fry;
}

int cgroup_enter(const struct fry *fry)
{
	(void)fry;
	return 0;
}

bool cgroup_populated(const struct fry *fry)
{
	(void)fry;
	return false;
}

void cgroup_wait(const struct fry *fry, int64_t deadline)
{
	(void)fry;
	(void)deadline;
}

void cgroup_end(const struct fry *fry)
{
	(void)fry;
}

void guard_start(struct fry *fry)
{
	fry->role = ALONE;
}

void guard_open(struct fry *fry)
{
	(void)fry;
}

void guard_run(struct fry *fry)
{
	(void)fry;
}

bool guard_outer_died(struct fry *fry)
{
	(void)fry;
	return false;
}

void guard_take(struct fry *fry)
{
	(void)fry;
}

bool reap_outer_children(struct fry *fry)
{
	(void)fry;
	return false;
}

void guard_rename(const struct fry *fry)
{
	(void)fry;
}

void guard_relay(struct fry *fry, const siginfo_t *info, bool stopping)
{
	(void)fry;
	(void)info;
	(void)stopping;
}

bool guard_receive(struct fry *fry, siginfo_t *info)
{
	(void)fry;
	(void)info;
	return false;
}

void guard_poke(const struct fry *fry, int sig)
{
	(void)fry;
	(void)sig;
}

int64_t guard_expire(struct fry *fry)
{
	(void)fry;
	return NEVER;
}
