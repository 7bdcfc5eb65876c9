/*
 * posix.c - signal masks, descriptors and memory elsewhere than on Linux: POSIX alone, FreeBSD, DragonFly
 *
 * Experimental: compiled, and run with an imitation of procctl(2) on Linux (test/fixtures/procctl); never run
 * on FreeBSD or DragonFly. This file takes the place of linux.c. src/reaper.c takes that of process.c, and
 * src/tree_posix.c that of tree.c.
 */
/* SPDX-License-Identifier: MIT */
#include "sys.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "options.h"

#if defined(__FreeBSD__) || defined(__DragonFly__) || defined(FRY_PROCCTL)
#include <sys/procctl.h>
#endif

#ifdef PROC_REAP_ACQUIRE
enum { REAPER = true };
#else
enum { REAPER = false };
#endif

enum { MANY_DESCRIPTORS = 1 << 20 }; /* descriptors above this number are not closed */

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

const char *system_lacks(const struct options *options, const char **why)
{
	*why = "there is no guard but on Linux";
	if (options->guard)
		return "--guard";
	*why = "there are no cgroups but on Linux";
	if (options->cgroup != CGROUP_NONE)
		return "--cgroup";
	*why = "only leave is possible where the system does not list descendants";
	if (!REAPER && options->leftover != LEFTOVER_LEAVE)
		return "--leftover";
#ifndef PROC_PDEATHSIG_CTL
	*why = "this system does not tell of a parent's death";
	if (options->parent_death != 0)
		return "--parent-death";
#endif
	return NULL;
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

int signal_wait(const sigset_t *set, siginfo_t *info, const struct timespec *wait)
{
	return sigtimedwait(set, info, wait);
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

pid_t process_fork(int death_signal)
{
	(void)death_signal;
	return fork();
}

void core_forbid(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){.rlim_cur = 0, .rlim_max = 0});
}

/* poll(2) shows which of many descriptors are open, so that a closed one costs no close(2). */
void descriptors_close(int first, int keep)
{
	long limit = sysconf(_SC_OPEN_MAX);
	int all = limit < 0 || limit > MANY_DESCRIPTORS ? MANY_DESCRIPTORS : (int)limit;

	for (int fd = first; fd < all;) {
		struct pollfd some[256] = {{0}};
		int count = 0;

		for (; count < 256 && fd < all; count++)
			some[count].fd = fd++;
		poll(some, (nfds_t)count, 0); /* if it fails, each of them is closed */
		for (int i = 0; i < count; i++)
			if ((some[i].revents & POLLNVAL) == 0 && some[i].fd != keep &&
			    some[i].fd != STDERR_FILENO)
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
	/* The segment has no name in a directory. The kernel removes it when the last process detaches it. */
	int id = shmget(IPC_PRIVATE, size, S_IRUSR | S_IWUSR);
	void *memory = shmat(id, NULL, 0);

	if (id != -1)
		shmctl(id, IPC_RMID, NULL);
	return (intptr_t)memory == -1 ? NULL : memory;
#endif
}

int subreaper_acquire(void)
{
#ifdef PROC_REAP_ACQUIRE
	/* The program that executed fry-run may be the reaper already: EBUSY on FreeBSD, EALREADY on DragonFly. */
	int result = procctl(P_PID, (id_t)getpid(), PROC_REAP_ACQUIRE, NULL);

	return result == -1 && (errno == EBUSY || errno == EALREADY) ? 0 : result;
#else
	errno = ENOTSUP;
	return -1;
#endif
}
