/* message.h - one line on stderr that never blocks fry-run */
/* SPDX-License-Identifier: MIT */
#ifndef MESSAGE_H
#define MESSAGE_H

struct fry;

/* Print one line, `fry-run: ` and the message, with `?` in place of control characters. */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Report that fork(2) failed with this errno, and exit with 125. */
__attribute__((noreturn)) void die_fork(int error);
/* As warn(), with the seconds since the start, if -v was given at least level times. */
void log_verbose(const struct fry *fry, int level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
