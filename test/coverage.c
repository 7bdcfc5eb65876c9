/* coverage.c - linked into the build that measures coverage: writes down what ran before the end */
/* SPDX-License-Identifier: MIT */
/*
 * gcov does so in exit(3), but fry-run's processes also die of a signal that they send themselves,
 * and the child leaves by _exit(2). The linker puts these in place of the two: -Wl,--wrap.
 */
#include <sys/types.h>

#include <signal.h>
#include <unistd.h>

#define UNCOUNTED __attribute__((no_profile_instrument_function))

void __gcov_dump(void);
void __gcov_reset(void);
int __real_kill(pid_t pid, int sig);
int __wrap_kill(pid_t pid, int sig);
__attribute__((noreturn)) void __real__exit(int status);
__attribute__((noreturn)) void __wrap__exit(int status);

UNCOUNTED int __wrap_kill(pid_t pid, int sig)
{
	if (pid == getpid()) {
		__gcov_dump();
		__gcov_reset();
	}
	return __real_kill(pid, sig);
}

UNCOUNTED void __wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}
