/* fixture.h - what the fixtures share: signals as the kernel counts them, and small helpers */
/* SPDX-License-Identifier: MIT */
/*
 * libc keeps signals 32 and 33 (musl: 34 as well) to itself and edits them out of every set it is
 * given. A test that asks for every signal must not be lied to, hence raw system calls. Sets are
 * uint64_t with bit N-1 for signal N, and RTMIN is 34 with every libc.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <sys/syscall.h>
#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define SIGNALS      64
#define RTMIN        34
#define EVERY_SIGNAL UINT64_MAX

static const struct {
	const char *name;
	int number;
} signal_names[] = {
	{"HUP", SIGHUP},   {"INT", SIGINT},       {"QUIT", SIGQUIT}, {"ILL", SIGILL},
	{"TRAP", SIGTRAP}, {"ABRT", SIGABRT},     {"BUS", SIGBUS},   {"FPE", SIGFPE},
	{"KILL", SIGKILL}, {"USR1", SIGUSR1},     {"SEGV", SIGSEGV}, {"USR2", SIGUSR2},
	{"PIPE", SIGPIPE}, {"ALRM", SIGALRM},     {"TERM", SIGTERM}, {"STKFLT", SIGSTKFLT},
	{"CHLD", SIGCHLD}, {"CONT", SIGCONT},     {"STOP", SIGSTOP}, {"TSTP", SIGTSTP},
	{"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},     {"URG", SIGURG},   {"XCPU", SIGXCPU},
	{"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"WINCH", SIGWINCH},
	{"IO", SIGIO},     {"PWR", SIGPWR},       {"SYS", SIGSYS},
};

/* Say what failed and exit with 1. */
static inline void fail(const char *what)
{
	fprintf(stderr, "fixture: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Say what is wrong with the command line and exit with 2. */
static inline void misused(const char *what, const char *word)
{
	fprintf(stderr, "fixture: %s: %s\n", what, word);
	exit(2);
}

/* Parse a number from 0 to max. */
static inline int number_parse(const char *word, int max)
{
	char *end;
	long value = strtol(word, &end, 10);

	if (*word == '\0' || *end != '\0' || value < 0 || value > max)
		misused("no such number", word);
	return (int)value;
}

/* Parse TERM, SIGTERM, 15, RTMIN+3. */
static inline int signal_parse(const char *word)
{
	const char *name = strncasecmp(word, "SIG", 3) == 0 ? word + 3 : word;

	for (size_t i = 0; i < sizeof(signal_names) / sizeof(*signal_names); i++)
		if (strcasecmp(name, signal_names[i].name) == 0)
			return signal_names[i].number;
	if (strcasecmp(name, "RTMIN") == 0)
		return RTMIN;
	if (strncasecmp(name, "RTMIN+", 6) == 0)
		return RTMIN + number_parse(name + 6, SIGNALS - RTMIN);
	return number_parse(name, SIGNALS);
}

/* Write the name of a signal: TERM, RTMIN, RTMIN+3; 32 and 33 have none and are numbers. */
static inline const char *signal_name(int sig, char name[24])
{
	for (size_t i = 0; i < sizeof(signal_names) / sizeof(*signal_names); i++)
		if (sig == signal_names[i].number)
			return signal_names[i].name;
	if (sig == RTMIN)
		return "RTMIN";
	if (sig > RTMIN)
		snprintf(name, 24, "RTMIN+%d", sig - RTMIN);
	else
		snprintf(name, 24, "%d", sig);
	return name;
}

static inline uint64_t signal_bit(int sig)
{
	return UINT64_C(1) << (sig - 1);
}

/* Parse `TERM,INT,...` to a set. */
static inline uint64_t signal_list(char *list)
{
	uint64_t set = 0;
	char *rest = NULL;

	for (char *word = strtok_r(list, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		int sig = signal_parse(word);

		if (sig > 0)
			set |= signal_bit(sig);
	}
	return set;
}

/* Set the signal mask; returns the one there was. */
static inline uint64_t mask_set(uint64_t set)
{
	uint64_t old = 0;

	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, &old, sizeof(set)) == -1)
		fail("rt_sigprocmask");
	return old;
}

/* As the kernel lays it out where the handler comes first: everywhere but on MIPS. */
struct kernel_action {
	void (*handler)(int);
	unsigned long rest[7];
};

/* Give a signal the disposition SIG_DFL or SIG_IGN. KILL and STOP stay as they are. */
static inline void disposition_set(int sig, void (*handler)(int))
{
	struct kernel_action action = {.handler = handler};

	(void)syscall(SYS_rt_sigaction, sig, &action, NULL, sizeof(uint64_t));
}

static inline int disposition_ignored(int sig)
{
	struct kernel_action action = {.handler = SIG_DFL};

	if (syscall(SYS_rt_sigaction, sig, NULL, &action, sizeof(uint64_t)) == -1)
		return 0;
	return action.handler == SIG_IGN;
}

/* Close every descriptor above 2 that is not marked in keep[256]; 256 and above are all closed. */
static inline void descriptors_close(const char *keep)
{
	for (int fd = 3; fd < 256; fd++)
		if (!keep || !keep[fd])
			close(fd);
#ifdef SYS_close_range
	if (syscall(SYS_close_range, 256, ~0U, 0) == 0)
		return;
#endif
	for (int fd = 256; fd < 65536; fd++)
		close(fd);
}

/* Execute a command, or exit as a shell would: 127 not found, 126 not executable. */
static inline void command_exec(char **command)
{
	if (!command[0])
		misused("missing word", "COMMAND");
	execvp(command[0], command);
	fprintf(stderr, "fixture: %s: %s\n", command[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

#endif
