/*
 * message.c - one line on stderr that never blocks fry-run
 */
/* SPDX-License-Identifier: MIT */
#include "message.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fry.h"
#include "sys.h"
#include "text.h"

/*
 * For a stderr that cannot be reopened: never block on a stalled reader, and change no flag that COMMAND
 * shares. After poll(2) a terminal has room for at least one byte, and a pipe for PIPE_BUF, unless another
 * process writes to it in between.
 */
static void stderr_put(const char *from, size_t length)
{
	struct pollfd polled = {.fd = STDERR_FILENO, .events = POLLOUT};
	size_t part = isatty(STDERR_FILENO) ? 1 : length;

	for (; length >= part && length != 0; from += part, length -= part) {
		ssize_t written = send(STDERR_FILENO, from, length, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (written != -1 || errno != ENOTSOCK)
			return;
		if (poll(&polled, 1, 0) == 0 || write(STDERR_FILENO, from, part) == -1)
			return;
	}
}

/* Write a line. Its buffer has one more byte, for the newline. */
static void line_write(struct text *line)
{
	size_t length = strlen(line->to);
	int fd;

	/* A process's name may contain newlines and escape sequences of the terminal. */
	text_mask_controls(line->to);
	line->to[length++] = '\n';
	/* EPIPE raises SIGPIPE, which is blocked; signals_accept() drops it. */
	fd = descriptor_reopen(STDERR_FILENO);
	if (fd == -1)
		stderr_put(line->to, length);
	else if (write(fd, line->to, length) == -1)
		errno = 0;
	close(fd);
}

void warn(const char *format, ...)
{
	char to[1024];
	struct text line = {to, sizeof(to) - 1, 0};
	va_list arguments;

	va_start(arguments, format);
	text_add(&line, "fry-run: ");
	text_vadd(&line, format, arguments);
	va_end(arguments);
	line_write(&line);
}

void log_line(const struct fry *fry, const char *format, ...)
{
	int64_t since = clock_now() - fry->began;
	char to[1024];
	struct text line = {to, sizeof(to) - 1, 0};
	va_list arguments;

	va_start(arguments, format);
	text_add(&line, "fry-run: %lld.%.3d ", (long long)(since / SECOND),
		 (int)(since % SECOND / MILLISECOND));
	text_vadd(&line, format, arguments);
	va_end(arguments);
	line_write(&line);
}

void die_memory(void)
{
	warn("cannot get memory: %s", strerror(errno));
	exit(EXIT_FRY);
}

void die_fork(int error)
{
	warn("cannot fork: %s%s", strerror(error),
	     error == EAGAIN ? " (the limit on processes is reached)" : "");
	exit(EXIT_FRY);
}
