/* sys.h - what a system is asked for: linux.c and posix.c */
/* SPDX-License-Identifier: MIT */
#ifndef SYS_H
#define SYS_H

#include <sys/types.h>

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

struct options;

/* What is added to --help. */
extern const char system_usage[];
/* Set the options to their defaults on this system. */
void system_defaults(struct options *options);
/* Exits with 125 if the options ask for what this system does not have. */
void system_check(const struct options *options);

/* Sets of signals, including those that libc uses itself. */
void mask_fill(sigset_t *set);
void mask_add(sigset_t *set, int sig);
/* Remove a signal. Returns whether the set had it. */
bool mask_test_clear(sigset_t *set, int sig);
/* Block the signals of a set and no others; old, if it is not NULL, receives the previous mask. */
void mask_set(const sigset_t *set, sigset_t *old);

/* Have SIGCHLD, and other signals that are ignored by default, stay pending; old receives its action. */
void signal_heed(struct sigaction *old);
/* Give a signal its default disposition. */
void signal_default(int sig);
/* Send a signal with its value, and its sender where possible. Returns -1 with errno. */
int signal_queue(pid_t pid, siginfo_t *info);
/* Returns a descriptor that is readable while a signal is pending, signalfd(2), or -1 with errno. */
int pending_open(void);
/* Ask for SIGCHLD at the parent's death. */
void parent_watch(void);
/* Dump no core. */
void core_forbid(void);

/* Close every descriptor above stderr, but one. */
void descriptors_close(int keep);
/*
 * Open once more, for writing without ever blocking, what a descriptor is open for: a pipe or a terminal,
 * whose flags are shared with other processes. Returns -1 with errno where that is impossible.
 */
int descriptor_reopen(int fd);

/* Zeroed pages. Returns NULL with errno ENOMEM. libc's malloc would double the binary. */
void *page_alloc(size_t size);
void page_free(void *memory, size_t size);
/* The same, shared after fork(2). */
void *page_map_shared(size_t size);

#endif
