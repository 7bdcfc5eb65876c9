/* message.h - one line on stderr that never blocks fry-run */
/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_H
#define MESSAGE_H

struct fry;

/* Print one line, `fry-run: ` and the message, with `?` in place of control characters. */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Report that fork(2) failed with this errno, and exit with 125. */
__attribute__((noreturn)) void die_fork(int error);
/* Report that there is no memory, and exit with 125. */
__attribute__((noreturn)) void die_memory(void);
/* As warn(), with the seconds since the start. */
void log_line(const struct fry *fry, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, if -v was given at least level times. A macro: the call would take a page of the stack. */
#define log_verbose(fry, level, ...)                                                               \
	((fry)->options.verbose < (level) ? (void)0 : log_line(fry, __VA_ARGS__))

#endif
