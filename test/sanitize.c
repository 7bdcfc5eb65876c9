/* sanitize.c - linked into the sanitizers' build: nothing is on the heap that could leak */
/* SPDX-License-Identifier: MIT */
/*
 * The search for leaks uses signals, and here all are blocked. Handlers of the faults would be seen
 * by COMMAND, which inherits no ignored ones then; and it may dump core.
 */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0:disable_coredump=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:"
	       "handle_sigill=0:handle_abort=0";
}
