/* sys.h - what differs between systems: linux.c and posix.c */
/* SPDX-License-Identifier: MIT */
#ifndef SYS_H
#define SYS_H

#include <sys/types.h>

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct options;

/* Lines that --help adds on this system. */
extern const char system_usage[];
/* Set the options to their defaults on this system. */
void system_defaults(struct options *options);
/* Returns an option that is set and that this system does not support, and why not; or NULL. */
const char *system_lacks(const struct options *options, const char **why);

/* As sigfillset(3), sigaddset(3) and sigprocmask(2), with the signals that libc reserves for itself. */
void mask_fill(sigset_t *set);
void mask_add(sigset_t *set, int sig);
/* Remove a signal from a set. Returns whether the set had it. */
bool mask_test_clear(sigset_t *set, int sig);
/* Set the signal mask. The previous one goes to old unless that is NULL. */
void mask_set(const sigset_t *set, sigset_t *old);

/*
 * Set dispositions so that SIGCHLD, and other signals that are ignored by default, stay pending while they
 * are blocked. The previous disposition of SIGCHLD goes to old.
 */
void signal_heed(struct sigaction *old);
/* Set a signal's disposition to SIG_DFL. */
void signal_default(int sig);
/* Send a signal with the value in info, and with its sender where possible. Returns -1 with errno. */
int signal_queue(pid_t pid, siginfo_t *info);
/* sigtimedwait(2). It fails with EINTR each time that the process goes on after a tracer or a freezer held it. */
int signal_wait(const sigset_t *set, siginfo_t *info, const struct timespec *wait);
/* Returns a descriptor that is readable while a signal is pending: signalfd(2). Returns -1 with errno. */
int pending_open(void);
/* Ask the kernel for SIGCHLD at the parent's death. */
void parent_watch(void);
/* Become the process that orphans below are reparented to. Returns -1 with errno. */
int subreaper_acquire(void);
/* fork(2), with a signal for the child's death. Linux alone has others than SIGCHLD. Returns -1 with errno. */
pid_t process_fork(int death_signal);
/* Dump no core. */
void core_forbid(void);

/* Close every descriptor from first on, which is 0 or 1, but stderr and keep. */
void descriptors_close(int first, int keep);
/*
 * Open the pipe or terminal of a descriptor once more, to write without blocking. O_NONBLOCK on the
 * descriptor itself would change COMMAND's, too, since both share the flags: open(2). Returns -1 with errno.
 */
int descriptor_reopen(int fd);

/* Allocate zeroed pages, since libc's malloc would double the binary. Returns NULL with errno ENOMEM. */
void *page_alloc(size_t size);
void page_free(void *memory, size_t size);
/* Allocate zeroed pages that stay shared after fork(2). Returns NULL with errno ENOMEM. */
void *page_map_shared(size_t size);

#endif
