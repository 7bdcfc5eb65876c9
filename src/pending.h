/* pending.h - every signal stays blocked, and is received as data */
/* SPDX-License-Identifier: MIT */
#ifndef PENDING_H
#define PENDING_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* Block every signal; old, if it is not NULL, receives the previous mask. */
void pending_block_all(sigset_t *old);
/* Wait until a deadline for any signal but except (0: none). Returns it, or 0 at the deadline. */
int pending_receive(siginfo_t *info, int64_t deadline, int except);
/* Wait until a deadline for sig alone. Returns it, or 0 at the deadline. */
int pending_wait(siginfo_t *info, int64_t deadline, int sig);
/* Consume a pending signal. Returns whether it was pending. */
bool pending_consume(int sig, siginfo_t *info);
bool pending_has(int sig);
/* Whether any signal but SIGCHLD is pending. */
bool pending_has_any(void);
/* Consume whatever is pending, except for this signal. */
void pending_discard(int except);
/* Unblock sig for a moment, so that a pending instance is delivered. */
void pending_deliver(int sig);
/* Whether the kernel is the sender, as it is of a signal typed at the terminal. */
bool sent_by_kernel(const siginfo_t *info);

#endif
