/*
 * signame.c - signals by name and number
 */
/* SPDX-License-Identifier: MIT */
#include "signame.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "text.h"

/* Names as `kill -l` prints them. On Linux that is glibc's RTMIN, 34, though SIGRTMIN is 35 under musl. */
#if defined(__linux__) || !defined(SIGRTMIN)
enum { RTMIN = 34, RTMAX = SIGNALS - 1 };
#else
#define RTMIN SIGRTMIN
#define RTMAX SIGRTMAX
#endif

/* An alias follows the name that is printed. */
static const struct {
	const char *name;
	int number;
} signal_names[] = {
	{"HUP", SIGHUP},       {"INT", SIGINT},   {"QUIT", SIGQUIT},     {"ILL", SIGILL},
	{"TRAP", SIGTRAP},     {"ABRT", SIGABRT}, {"IOT", SIGABRT},      {"BUS", SIGBUS},
	{"FPE", SIGFPE},       {"KILL", SIGKILL}, {"USR1", SIGUSR1},     {"SEGV", SIGSEGV},
	{"USR2", SIGUSR2},     {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},     {"TERM", SIGTERM},
#ifdef SIGSTKFLT
	{"STKFLT", SIGSTKFLT},
#endif
#ifdef SIGEMT
	{"EMT", SIGEMT},
#endif
	{"CHLD", SIGCHLD},     {"CLD", SIGCHLD},  {"CONT", SIGCONT},     {"STOP", SIGSTOP},
	{"TSTP", SIGTSTP},     {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},     {"URG", SIGURG},
	{"XCPU", SIGXCPU},     {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF},
	{"SYS", SIGSYS},
#ifdef SIGWINCH
	{"WINCH", SIGWINCH},
#endif
#ifdef SIGIO
	{"IO", SIGIO},         {"POLL", SIGIO},
#endif
#ifdef SIGPWR
	{"PWR", SIGPWR},
#endif
#ifdef SIGINFO
	{"INFO", SIGINFO},
#endif
};

enum { NAMES = sizeof(signal_names) / sizeof(signal_names[0]) };

/* Parse RTMIN, RTMIN+n, RTMAX, RTMAX-n. Returns the signal, or -1. */
static int parse_realtime(const char *word)
{
	bool up = strncasecmp(word, "RTMIN", 5) == 0;
	int offset = 0;

	if (!up && strncasecmp(word, "RTMAX", 5) != 0)
		return -1;
	if (word[5] == (up ? '+' : '-'))
		offset = text_parse_number(word + 6, 0, RTMAX - RTMIN);
	else if (word[5] != '\0')
		return -1;
	if (offset == -1)
		return -1;
	return up ? RTMIN + offset : RTMAX - offset;
}

int signame_parse(const char *word)
{
	int sig = text_parse_number(word, 0, RTMAX);

	if (sig == -1) {
		if (strncasecmp(word, "SIG", 3) == 0)
			word += 3;
		sig = parse_realtime(word);
		for (size_t i = 0; i < NAMES && sig == -1; i++)
			if (strcasecmp(word, signal_names[i].name) == 0)
				sig = signal_names[i].number;
	}
	if (sig > 0)
		return sig;
	errno = EINVAL;
	return -1;
}

const char *signame_format(int sig, struct signal_name *name)
{
	for (size_t i = 0; i < NAMES; i++)
		if (signal_names[i].number == sig)
			return signal_names[i].name;
	if (sig < RTMIN)
		text_format(name->text, sizeof(name->text), "%d", sig);
	else if (sig == RTMIN)
		return "RTMIN";
	else
		text_format(name->text, sizeof(name->text), "RTMIN+%d", sig - RTMIN);
	return name->text;
}

bool is_termination_signal(int sig)
{
	return sig == SIGINT || sig == SIGTERM || sig == SIGQUIT;
}

bool is_resize_signal(int sig)
{
#ifdef SIGWINCH
	return sig == SIGWINCH;
#else
	return sig == 0;
#endif
}
