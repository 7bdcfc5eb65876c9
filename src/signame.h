/* signame.h - signals by name and number */
/* SPDX-License-Identifier: MIT */
#ifndef SIGNAME_H
#define SIGNAME_H

#include <signal.h>
#include <stdbool.h>

enum {
#ifdef _NSIG
	SIGNALS = _NSIG, /* one more than the last signal */
#else
	SIGNALS = 129, /* FreeBSD has 128, more than the other systems */
#endif
	STANDARD_SIGNALS = 32 /* higher numbers are real-time signals, which queue */
};

struct signal_name {
	char text[24];
};

/* Parse a signal's name or number. Returns its number, or -1 with errno EINVAL. */
int signame_parse(const char *word);
/* Returns a signal's name without SIG, or a number, perhaps in the buffer. */
const char *signame_format(int sig, struct signal_name *name);
/* Whether a signal asks a program to end: INT, TERM and QUIT. */
bool is_termination_signal(int sig);
/* Whether a signal reports a new window size. POSIX before 2024 has no SIGWINCH. */
bool is_resize_signal(int sig);

#endif
