/*
 * posix.c - what there is beyond Linux: POSIX alone, and procctl(2) on FreeBSD and DragonFly
 *
 * This takes the place of linux.c, reap.c, and of tree, process, cgroup and guard in src/. POSIX tells of
 * children only. So fry-run looks after COMMAND's process group, for which COMMAND, its leader, keeps the
 * number until it is reaped; what outlives COMMAND is left.
 *
 * Where procctl(2) makes fry-run the reaper of everything below, it is all looked after as on Linux. The
 * pid of a process that is no child of ours may have been reused since it was listed.
 */
/* SPDX-License-Identifier: MIT */
#include "sys.h"

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

#include "fry.h"
#include "pending.h"
#include "process.h"
#include "reap.h"
#include "signals.h"

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
	const struct table *before = &fry->tree.previous;
	struct table *list = &fry->tree.current;

	if (list->count == list->slots) {
		size_t slots = list->slots == 0 ? SOME_MORE : 2 * list->slots;
		struct process *more = page_alloc(slots * sizeof(*more));

		if (more == NULL)
			return; /* KILL does without a list */
		if (list->count != 0)
			memcpy(more, list->process, list->count * sizeof(*more));
		page_free(list->process, list->slots * sizeof(*more));
		list->process = more;
		list->slots = slots;
	}
	list->process[list->count] = (struct process){.pid = pid, .state = state, .name = "?"};
	for (size_t i = 0; i < before->count; i++)
		if (before->process[i].pid == pid && !before->process[i].reaped) {
			list->process[list->count].delivered = before->process[i].delivered;
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
	pids.rp_pids = page_alloc(size);
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
	page_free(pids.rp_pids, size);
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

	if (pid > 1 && pid != fry->command)
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

__attribute__((noreturn)) static void die_system(const char *option, const char *rule)
{
	warn("%s: %s", option, rule);
	exit(EXIT_FRY);
}

void system_check(const struct options *options)
{
	if (options->guard)
		die_system("--guard", "there is no guard but on Linux");
	if (options->cgroup != CGROUP_NONE)
		die_system("--cgroup", "there are no cgroups but on Linux");
	if (!REAPER && options->leftover != LEFTOVER_LEAVE)
		die_system("--leftover",
			   "only leave is possible where the system does not tell who is left");
#ifndef PROC_PDEATHSIG_CTL
	if (options->parent_death != 0)
		die_system("--parent-death", "this system does not tell of a parent's death");
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

bool mask_test_clear(sigset_t *set, int sig)
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

void *page_alloc(size_t size)
{
	return calloc(1, size);
}

void page_free(void *memory, size_t size)
{
	(void)size;
	free(memory);
}

void *page_map_shared(size_t size)
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
		die_system("procctl", strerror(errno));
	fry->subreaper = REAPER;
	while (reap_drain(fry, &left) != 0)
		;
	fry->inherited = left;
}

static void reap_note(struct fry *fry, pid_t pid, int status)
{
	for (size_t i = 0; i < fry->tree.current.count; i++)
		if (fry->tree.current.process[i].pid == pid ||
		    fry->tree.current.process[i].pid == -pid)
			fry->tree.current.process[i].reaped = true; /* it may be another's by now */
	if (pid == fry->command) {
		fry->command = 0;
		fry->shared->result.ended = true;
		fry->shared->result.status = status;
		return;
	}
	if (fry->options.warn_reaped)
		warn("reaped orphan: process %d", (int)pid);
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

	return fry->shared->channel.stopped != 0 ||
	       (waitid(P_PID, (id_t)fry->command, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
		info.si_pid != 0);
}

/* List those who are left: everybody, or COMMAND and its group, whose number is below zero. */
static void list_make(struct fry *fry)
{
	struct table turned = fry->tree.previous;
	char state;

	fry->tree.previous = fry->tree.current;
	fry->tree.current = turned;
	fry->tree.current.count = 0;
	if (reaper_list(fry) || fry->command == 0)
		return;
	/* Of its group nobody tells, but most often all of it was stopped. */
	state = is_stopped(fry) ? 'T' : 'R';
	if (fry->command_leads_group)
		list_add(fry, -fry->command_pgid, state);
	if (!fry->command_leads_group || signals_command_pgid(fry) != fry->command_pgid)
		list_add(fry, fry->command, state);
}

static void broadcast_send(struct broadcast *broadcast, struct process *process, int sig)
{
	if (broadcast->record_only)
		return;
	if (kill(process->pid, sig) == 0 || errno == ESRCH) {
		broadcast->sent += sig == broadcast->signal;
		return;
	}
	broadcast->forbidden += sig == broadcast->signal;
	if (!process->forbidden)
		warn("cannot signal process %d: %s", abs((int)process->pid), strerror(errno));
	process->forbidden = true;
}

static bool is_recipient(const struct broadcast *broadcast, const struct process *process)
{
	pid_t group = process->pid < 0 ? -process->pid : getpgid(process->pid);

	if (broadcast->group == 0) /* COMMAND's group stands for COMMAND, too */
		return broadcast->pid == 0 || abs((int)process->pid) == broadcast->pid;
	return group == broadcast->group || process->pid == broadcast->pid;
}

static uint64_t signal_bit(int sig)
{
	return sig == 0 ? 0 : UINT64_C(1) << (sig - 1) % 64;
}

static void list_deliver(struct fry *fry, struct broadcast *broadcast, struct process *process)
{
	uint64_t bit = signal_bit(broadcast->signal);

	if (!is_recipient(broadcast, process))
		return;
	if (!(broadcast->once && (process->delivered & bit) != 0))
		broadcast_send(broadcast, process, broadcast->signal);
	broadcast->found++;
	broadcast->stopped += process->state != 'R'; /* or nobody knows */
	if (broadcast->log)
		warn("%s: process %d", broadcast->why, abs((int)process->pid));
	if (broadcast->report)
		report_leftover(fry, process->pid, process->name);
	/* Where COMMAND alone has had it, its group has not. */
	if ((broadcast->terminating || broadcast->record_only) &&
	    (broadcast->pid == 0 || broadcast->group != 0 || process->pid > 0))
		process->delivered |= bit | signal_bit(broadcast->instead_of);
	if (broadcast->terminating && process->state != 'R')
		broadcast_send(broadcast, process, SIGCONT);
}

void tree_signal(struct fry *fry, struct broadcast *broadcast)
{
	list_make(fry);
	for (size_t i = 0; i < fry->tree.current.count; i++)
		list_deliver(fry, broadcast, &fry->tree.current.process[i]);
}

void tree_name(struct fry *fry, const char *why)
{
	tree_signal(fry, &(struct broadcast){.record_only = true, .log = true, .why = why});
}

void reap_kill(struct fry *fry)
{
	const struct schedule *schedule = &fry->schedule;
	int64_t patience = schedule->step[schedule->steps - 1].wait;
	int64_t began = clock_now(), quiet = began; /* since when nobody has died */
	unsigned total = 0;

	for (;;) {
		struct broadcast broadcast = {.signal = SIGKILL};
		unsigned reaped;
		siginfo_t info;
		bool left;

		if (!reaper_kill())
			tree_signal(fry, &broadcast);
		reaped = reap_drain(fry, &left);
		total += reaped;
		if (!left || (!REAPER && fry->command == 0))
			break;
		if (reaped != 0)
			quiet = clock_now();
		else if (broadcast.found != 0 && broadcast.found == broadcast.forbidden)
			break; /* those were named, and are not waited for */
		else if (clock_now() - quiet >= patience) {
			tree_name(fry, "does not die");
			break;
		} else
			pending_receive(&info, clock_add(clock_now(), 10 * MILLISECOND), 0);
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

bool tree_outer_children(struct fry *fry)
{
	(void)fry;
	return false;
}

void guard_rename(const struct fry *fry)
{
	(void)fry;
}

bool guard_receive(struct fry *fry, siginfo_t *info)
{
	(void)fry;
	(void)info;
	return false;
}

void signal_outer(const struct fry *fry, int sig)
{
	(void)fry;
	(void)sig;
}

int64_t copies_expire(struct fry *fry)
{
	(void)fry;
	return NEVER;
}
