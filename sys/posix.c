/*
 * posix.c - systems other than Linux: POSIX alone, and procctl(2) of FreeBSD and DragonFly
 *
 * Experimental: compiled, and run against a player of procctl(2) on Linux (test/fixtures/procctl); never run
 * on FreeBSD or DragonFly.
 *
 * This file takes the place of linux.c, and of process.c and tree.c in src/.
 *
 * - By POSIX a process can wait for its children only, so fry-run looks after COMMAND's process group and
 *   leaves what outlives COMMAND. COMMAND leads the group, and its pid is not reused before it is reaped, so
 *   until then the number of the group is safe to signal.
 * - By procctl(2) fry-run becomes the reaper of everything below, and looks after all of it as on Linux. There
 *   is no pidfd: the pid of a descendant that is no child of fry-run may be reused between list and signal.
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
#include "signals.h"

#if defined(__FreeBSD__) || defined(__DragonFly__) || defined(FRY_PROCCTL)
#include <sys/procctl.h>
#endif

enum {
	MANY_DESCRIPTORS = 1 << 20, /* descriptors above this number are not closed */
	SOME_MORE = 64              /* room for processes that are forked after the count */
};

/* Add a process, or by a pid below 0 its group, to the list. A process without room there is left to KILL. */
static void list_add(struct fry *fry, pid_t pid, char state)
{
	struct process process = {.pid = pid, .state = state, .name = "?"};

	process.group = pid < 0 ? -pid : getpgid(pid);
	known_add(fry, &process);
}

/*
 * Each system has four functions:
 *
 * - reaper_acquire() becomes the reaper, and returns -1 with errno if it cannot.
 * - reaper_left() tells whether a child that has not ended is below COMMAND, or was.
 * - reaper_list() lists the descendants, and returns whether the list is complete.
 * - reaper_kill() kills as many descendants as one call can, and returns whether that was all it should be.
 */
#if defined(PROC_REAP_GETPIDS) /* FreeBSD since 10.2 */

enum { REAPER = true };

static int reaper_acquire(void)
{
	int result = procctl(P_PID, (id_t)getpid(), PROC_REAP_ACQUIRE, NULL);

	/* The program that executed fry-run may have become the reaper already. */
	return result == -1 && errno == EBUSY ? 0 : result;
}

static unsigned reaper_count(void)
{
	struct procctl_reaper_status status;

	memset(&status, 0, sizeof(status));
	procctl(P_PID, (id_t)getpid(), PROC_REAP_STATUS, &status);
	return status.rs_descendants;
}

/* Children that fry-run inherited by exec are not counted: they have another reaper. */
static bool reaper_left(const struct fry *fry)
{
	(void)fry;
	return reaper_count() != 0;
}

/* An unknown state counts as stopped. A running process gets a CONT then, which it seldom has a handler for. */
static char reaper_state(unsigned flags)
{
#ifdef REAPER_PIDINFO_ZOMBIE /* FreeBSD 13.1 has added all three */
	if ((flags & (REAPER_PIDINFO_ZOMBIE | REAPER_PIDINFO_EXITING)) != 0)
		return 'Z';
	return (flags & REAPER_PIDINFO_STOPPED) != 0 ? 'T' : 'R';
#else
	(void)flags;
	return 'T';
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

/* One call kills all, so that none can escape by a fork. rk_fpid names a process that may not be signalled. */
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

	/* The program that executed fry-run may have become the reaper already. */
	return result == -1 && errno == EALREADY ? 0 : result;
}

static bool reaper_left(const struct fry *fry)
{
	(void)fry;
	return true; /* every child counts */
}

/* Its pid cannot be reused, since it is a child of fry-run. */
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
		list_add(fry, pid, 'T'); /* or running: see reaper_state() above */
	return false;
}

/* One child at a time: once it is reaped, its children are fry-run's, and the kernel names the next one. */
static bool reaper_kill(void)
{
	pid_t pid = reaper_first();

	return pid > 1 && kill(pid, SIGKILL) == 0;
}

#else /* POSIX alone */

enum { REAPER = false };

static int reaper_acquire(void)
{
	errno = ENOTSUP;
	return -1;
}

static bool reaper_left(const struct fry *fry)
{
	return fry->command != 0;
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
 * By POSIX a system may discard a signal that is ignored, by default too, even while it is blocked. A signal
 * with a handler stays pending. exec(2) gives COMMAND the default action again.
 */
void signal_heed(struct sigaction *old)
{
	static const int heeded[] = {
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
	for (size_t i = 0; i < sizeof(heeded) / sizeof(heeded[0]); i++)
		if (sigaction(heeded[i], NULL, &action) == 0 &&
		    (heeded[i] == SIGCHLD || action.sa_handler == SIG_DFL))
			sigaction(heeded[i], &handler, NULL);
}

void signal_default(int sig)
{
	sigaction(sig, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
}

/* COMMAND sees fry-run as the sender: POSIX has no call that names another. */
int signal_queue(pid_t pid, siginfo_t *info)
{
	return sigqueue(pid, info->si_signo, info->si_value);
}

/* Elsewhere than on Linux opening /dev/fd/N is like dup(2), and the flags stay shared: fd(4). */
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

/* poll(2) tells which of many descriptors are open, so that not each number costs a close(2). */
void descriptors_close(int keep)
{
	long limit = sysconf(_SC_OPEN_MAX);
	int all = limit < 0 || limit > MANY_DESCRIPTORS ? MANY_DESCRIPTORS : (int)limit;

	for (int fd = STDERR_FILENO + 1; fd < all;) {
		struct pollfd some[256] = {{0}};
		int count = 0;

		for (; count < 256 && fd < all; count++)
			some[count].fd = fd++;
		poll(some, (nfds_t)count, 0); /* if it fails, each of them is closed */
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
	/* No name in a directory is left behind: the kernel removes it with the last process that has it. */
	int id = shmget(IPC_PRIVATE, size, S_IRUSR | S_IWUSR);
	void *memory = shmat(id, NULL, 0);

	if (id != -1)
		shmctl(id, IPC_RMID, NULL);
	return (intptr_t)memory == -1 ? NULL : memory;
#endif
}

int subreaper_acquire(void)
{
	if (reaper_acquire() == 0)
		return 0;
	if (REAPER)
		die_system("procctl", strerror(errno));
	return -1;
}

int child_peek(idtype_t type, pid_t pid, siginfo_t *info)
{
	return waitid(type, (id_t)pid, info, WEXITED | WNOHANG | WNOWAIT);
}

/* Children that fry-run does not look after count as none: to wait for them would have no end. */
pid_t child_wait(const struct fry *fry, pid_t pid, int *status)
{
	pid_t reaped = pid == 0 ? 0 : waitpid(pid, status, WNOHANG);

	if (reaped != 0 || reaper_left(fry))
		return reaped;
	errno = ECHILD;
	return -1;
}

int process_signal(const struct fry *fry, const struct process *process, int sig, bool step)
{
	(void)fry;
	(void)step; /* POSIX lets no sender choose the si_code */
	return kill(process->pid, sig) == 0 || errno == ESRCH ? 1 : -1;
}

/* Whether COMMAND is stopped. tty.c consumes that wait status where it follows COMMAND, and notes it. */
static bool is_stopped(const struct fry *fry)
{
	siginfo_t info = {.si_pid = 0};

	return fry->shared->channel.stopped != 0 ||
	       (waitid(P_PID, (id_t)fry->command, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
		info.si_pid != 0);
}

/* List everything that is left; by POSIX alone this is COMMAND's group, and COMMAND if it has left it. */
static void list_make(struct fry *fry)
{
	char state;

	table_turn(fry);
	if (reaper_list(fry) || fry->command == 0)
		return;
	/* POSIX tells nothing about the others in the group, but a stop most often reaches all of it. */
	state = is_stopped(fry) ? 'T' : 'R';
	if (fry->command_leads_group)
		list_add(fry, -fry->command_pgid, state);
	if (!fry->command_leads_group || signals_command_pgid(fry) != fry->command_pgid)
		list_add(fry, fry->command, state);
}

void tree_walk(struct fry *fry, struct broadcast *broadcast, bool again)
{
	(void)again;
	if (broadcast->signal == SIGKILL && !broadcast->record_only)
		broadcast->record_only = reaper_kill();
	list_make(fry);
	for (size_t i = 0; i < fry->tree.current.count; i++)
		broadcast_deliver(fry, broadcast, &fry->tree.current.process[i]);
}
