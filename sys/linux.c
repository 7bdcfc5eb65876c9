/*
 * linux.c - signal masks, descriptors and memory on Linux
 *
 * libc reserves a few real-time signals and refuses them in sigfillset(3) and sigaction(2): nptl(7).
 * fry-run forwards every signal, so it makes the system calls itself. posix.c does the same by POSIX.
 */
/* SPDX-License-Identifier: MIT */
#include "sys.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "listing.h"
#include "options.h"
#include "signame.h"
#include "text.h"

static void *page_map(size_t size, int kind)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void *page_alloc(size_t size)
{
	return page_map(size, MAP_PRIVATE);
}

void *page_map_shared(size_t size)
{
	return page_map(size, MAP_SHARED);
}

void page_free(void *memory, size_t size)
{
	if (memory != NULL)
		munmap(memory, size);
}

const char system_usage[] = "";

void system_defaults(struct options *options)
{
	options->guard = true;
}

const char *system_lacks(const struct options *options, const char **why)
{
	(void)options;
	(void)why;
	return NULL;
}

enum { LONG_BITS = 8 * sizeof(long) };

/* The word of a set that holds a signal's bit, in the kernel's layout. */
static unsigned long *mask_word(sigset_t *set, int sig)
{
	return &((unsigned long *)set)[(sig - 1) / LONG_BITS];
}

static unsigned long mask_bit(int sig)
{
	return 1UL << (sig - 1) % LONG_BITS;
}

void mask_fill(sigset_t *set)
{
	memset(set, 0xff, sizeof(*set));
}

void mask_add(sigset_t *set, int sig)
{
	*mask_word(set, sig) |= mask_bit(sig);
}

bool mask_test_clear(sigset_t *set, int sig)
{
	unsigned long *word = mask_word(set, sig);
	bool was = (*word & mask_bit(sig)) != 0;

	*word &= ~mask_bit(sig);
	return was;
}

void mask_set(const sigset_t *set, sigset_t *old)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, set, old, SIGNALS / 8);
}

void signal_heed(struct sigaction *old)
{
	sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, old);
}

/* libc refuses its reserved signals: sigaction(2). The kernel's struct with all zeros is SIG_DFL. */
void signal_default(int sig)
{
	static const uint64_t action[8] = {0};

	if (sigaction(sig, &(struct sigaction){.sa_handler = SIG_DFL}, NULL) == -1)
		syscall(SYS_rt_sigaction, sig, action, NULL, SIGNALS / 8);
}

/* Opening /proc/PID/fd/N makes a new open file description: proc_pid_fd(5). Regular files never block. */
int descriptor_reopen(int fd)
{
	char path[32];

	if (fcntl(fd, F_GETPIPE_SZ) == -1 && !isatty(fd))
		return -1;
	text_format(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

int pending_open(void)
{
	sigset_t all;

	mask_fill(&all);
	return signalfd(-1, &all, SFD_CLOEXEC);
}

/* musl's sigtimedwait(3) starts the whole wait again after EINTR, and so the caller's deadline would move. */
int signal_wait(const sigset_t *set, siginfo_t *info, const struct timespec *wait)
{
	long left[2] = {0};

	if (wait == NULL)
		return (int)syscall(SYS_rt_sigtimedwait, set, info, NULL, SIGNALS / 8);
	left[0] = (long)wait->tv_sec;
	left[1] = wait->tv_nsec;
	return (int)syscall(SYS_rt_sigtimedwait, set, info, left, SIGNALS / 8);
}

int signal_queue(pid_t pid, siginfo_t *info)
{
	return (int)syscall(SYS_rt_sigqueueinfo, pid, info->si_signo, info);
}

/* SIGCHLD, since it is never forwarded. */
void parent_watch(void)
{
	prctl(PR_SET_PDEATHSIG, SIGCHLD);
}

int subreaper_acquire(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* libc's fork(3) makes seven more calls, for threads and locks, which fry-run does not have. */
pid_t process_fork(int death_signal)
{
#ifdef __sparc__
	(void)death_signal;
	return fork(); /* clone(2) returns the parent's pid in the child */
#elif defined(__s390__)
	return (pid_t)syscall(SYS_clone, 0, death_signal, 0, 0, 0);
#else
	return (pid_t)syscall(SYS_clone, death_signal, 0, 0, 0, 0);
#endif
}

/* A core_pattern that is a pipe heeds no limit. */
void core_forbid(void)
{
	prctl(PR_SET_DUMPABLE, 0);
	prlimit(0, RLIMIT_CORE, &(struct rlimit){.rlim_cur = 0, .rlim_max = 0}, NULL);
}

/* Before Linux 5.9, which has close_range(2). */
static void close_listed(int first, int keep)
{
	struct listing open_fds;
	long fd;

	if (!listing_open(&open_fds, "/proc/self/fd")) {
		for (fd = first; fd < 65536; fd++)
			if (fd != STDERR_FILENO && fd != keep)
				close((int)fd);
		return;
	}
	while ((fd = listing_number(&open_fds)) != -1)
		if (fd >= first && fd != STDERR_FILENO && fd != keep && fd != open_fds.fd)
			close((int)fd);
}

/* Close descriptors from first to last. Returns whether that was possible. */
static bool range_close(unsigned first, unsigned last)
{
	return first > last || syscall(SYS_close_range, first, last, 0) == 0;
}

void descriptors_close(int first, int keep)
{
	unsigned kept = (unsigned)keep;

	if (!range_close((unsigned)first, STDERR_FILENO - 1) ||
	    !range_close(STDERR_FILENO + 1, kept - 1) || !range_close(kept + 1, ~0U))
		close_listed(first, keep);
}
