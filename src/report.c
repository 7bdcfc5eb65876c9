/*
 * report.c - how the run went, as one line of JSON
 *
 * The outer and the inner process record events in struct log, which they share. The outer or the only
 * process writes the line at its end, to a file with a single write(2), so that lines of several runs do not
 * mix. A report never changes the exit status.
 */
/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fry.h"
#include "sys.h"
#include "text.h"

__attribute__((noreturn)) static void die_report(const struct fry *fry, const char *rule)
{
	options_refuse(fry, "report", fry->options.report, rule);
	exit(EXIT_FRY);
}

/* Move a descriptor above stderr, since COMMAND may expect 0, 1 or 2 closed. Returns it, or -1. */
static int descriptor_raise(int fd)
{
	int raised;

	if (fd == -1 || fd > STDERR_FILENO)
		return fd;
	raised = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(fd);
	return raised;
}

/* Milliseconds after which fry-run gives up on a pipe that is not read. */
enum { WRITE_WAIT = 1000 };

/* Take the descriptor that fd:N names, so that COMMAND does not inherit it. Returns -1 with errno. */
static int descriptor_take(const struct fry *fry, const char *number)
{
	int fd = text_parse_number(number, 0, INT_MAX), flags, own;

	if (fd == -1)
		die_report(fry, "a descriptor is fd:N, where N is a number");
	flags = fcntl(fd, F_GETFL);
	if (flags == -1)
		return -1;
	if ((flags & O_ACCMODE) == O_RDONLY) {
		errno = EBADF;
		return -1;
	}
	/* A standard descriptor stays open for COMMAND. */
	if (fd > STDERR_FILENO)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	own = descriptor_reopen(fd);
	return own != -1 ? descriptor_raise(own) : fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

/* Open a file to append to. O_NONBLOCK makes a FIFO without a reader fail. Returns -1 with errno. */
static int file_open(const char *name)
{
	return descriptor_raise(open(
		name, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0666));
}

void report_open(struct fry *fry)
{
	const char *name = fry->options.report;

	fry->report = -1;
	if (name == NULL)
		return;
	fry->report =
		strncmp(name, "fd:", 3) == 0 ? descriptor_take(fry, name + 3) : file_open(name);
	if (fry->report == -1)
		die_report(fry, strerror(errno));
}

/* Bound a count from the shared log: a tracer of the other process can write any number there. */
static unsigned noted_count(unsigned count)
{
	return count < MAX_NOTED ? count : MAX_NOTED;
}

void report_step(struct fry *fry, int sig, int64_t when, unsigned found)
{
	struct shared *shared = fry->shared;

	if (shared->log.steps >= MAX_NOTED)
		return;
	if (shared->log.steps == 0)
		shared->log.first = when;
	shared->log.step[shared->log.steps++] =
		(struct noted_step){sig, found, when - shared->log.first};
}

void report_leftover(struct fry *fry, pid_t pid, const char *name, const char *line)
{
	struct shared *shared = fry->shared;
	struct noted_leftover *noted;

	for (unsigned i = 0; i < noted_count(shared->log.leftovers); i++)
		if (shared->log.leftover[i].pid == pid && shared->log.leftover[i].signal == 0)
			return; /* noted at COMMAND's end */
	if (shared->log.leftovers >= MAX_NOTED)
		return;
	noted = &shared->log.leftover[shared->log.leftovers];
	noted->pid = pid;
	text_format(noted->name, sizeof(noted->name), "%s", name);
	text_format(noted->line, sizeof(noted->line), "%s", line);
	shared->log.leftovers++;
}

void report_reaped(struct fry *fry, pid_t pid, int status)
{
	struct shared *shared = fry->shared;

	shared->log.reaped++;
	for (unsigned i = 0; i < noted_count(shared->log.leftovers); i++)
		if (shared->log.leftover[i].pid == pid && shared->log.leftover[i].signal == 0)
			/* A process that caught TERM and exited counts as ended by TERM. */
			shared->log.leftover[i].signal = WIFSIGNALED(status)
								 ? WTERMSIG(status)
								 : schedule_signal(&fry->schedule);
}

/* Returns the length of the valid UTF-8 sequence that begins here, or 0: RFC 3629. */
static size_t utf8_length(const unsigned char *from)
{
	static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = *from < 0xe0 ? 2 : *from < 0xf0 ? 3 : 4;
	unsigned code = *from & (0x7fU >> length);

	if (*from < 0x80)
		return 1;
	if (*from < 0xc0 || *from > 0xf7)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((from[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (from[i] & 0x3f);
	}
	if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return length;
}

/* Add a JSON string: RFC 8259. A byte that is not UTF-8 becomes U+FFFD. */
static void add_string(struct text *text, const char *string)
{
	const unsigned char *at = (const unsigned char *)string;
	size_t length;

	text_add(text, "\"");
	for (; *at != '\0'; at += length == 0 ? 1 : length) {
		length = utf8_length(at);
		if (*at == '"' || *at == '\\')
			text_add(text, "\\%c", *at);
		else if (*at < ' ')
			text_add(text, "\\u00%c%c", '0' + *at / 16, "0123456789abcdef"[*at % 16]);
		else if (length == 0)
			text_add(text, "\\ufffd");
		else
			text_add(text, "%.*s", (int)length, (const char *)at);
	}
	text_add(text, "\"");
}

static void add_seconds(struct text *text, const char *name, int64_t span)
{
	text_add(text, ",\"%s\":%lld.%.6d", name, (long long)(span / SECOND),
		 (int)(span % SECOND / 1000));
}

static int64_t span_of(struct timeval time)
{
	return time.tv_sec * SECOND + time.tv_usec * (SECOND / 1000000);
}

static void add_usage(struct text *text, const struct fry *fry)
{
	struct timespec start = fry->start;
	struct rusage usage = {0};
	struct tm date;

	gmtime_r(&start.tv_sec, &date);
	text_add(text, ",\"start\":\"%.4d-%.2d-%.2dT%.2d:%.2d:%.2d.%.3dZ\"", date.tm_year + 1900,
		 date.tm_mon + 1, date.tm_mday, date.tm_hour, date.tm_min, date.tm_sec,
		 (int)(start.tv_nsec / MILLISECOND));
	add_seconds(text, "wall_s", clock_now() - fry->began);
	/* RUSAGE_CHILDREN includes descendants that other processes reaped: getrusage(2). */
	getrusage(RUSAGE_CHILDREN, &usage);
	add_seconds(text, "user_s", span_of(usage.ru_utime));
	add_seconds(text, "sys_s", span_of(usage.ru_stime));
	text_add(text, ",\"max_rss_kib\":%lld", (long long)usage.ru_maxrss);
}

static const char *cause(const struct fry *fry)
{
	const struct shared *shared = fry->shared;

	if (shared->result.exec_errno != 0)
		return "exec-failed";
	if (shared->result.timed_out)
		return "timeout";
	if (shared->result.orphaned)
		return "parent-death";
	if (shared->result.hung_up)
		return "hangup";
	if (shared->result.asked)
		return "stopped";
	return shared->result.ended && WIFSIGNALED(shared->result.status) ? "signal" : "exited";
}

static void add_exit(struct text *text, const struct fry *fry, int status)
{
	const struct shared *shared = fry->shared;
	struct signal_name name;

	if (!shared->result.ended)
		text_add(text, ",\"exit\":null");
	else if (WIFSIGNALED(shared->result.status))
		text_add(text, ",\"exit\":{\"signal\":\"%s\"}",
			 signame_format(WTERMSIG(shared->result.status), &name));
	else
		text_add(text, ",\"exit\":{\"code\":%d}", WEXITSTATUS(shared->result.status));
	text_add(text, ",\"status\":%d,\"cause\":\"%s\"", status, cause(fry));
}

/* Add the name of a signal, or null for 0. */
static void add_signal(struct text *text, int sig)
{
	struct signal_name name;
	const char *quote = sig == 0 ? "" : "\"";

	text_add(text, "%s%s%s", quote, sig == 0 ? "null" : signame_format(sig, &name), quote);
}

static void add_signals(struct text *text, const struct shared *shared)
{
	struct signal_name name;
	const char *comma = "";

	text_add(text, ",\"stop\":[");
	for (unsigned i = 0; i < noted_count(shared->log.steps); i++) {
		const struct noted_step *step = &shared->log.step[i];

		text_add(text, "%s{\"signal\":", comma);
		add_signal(text, step->signal);
		add_seconds(text, "after_s", step->after);
		text_add(text, ",\"processes\":%d}", (int)step->found);
		comma = ",";
	}
	text_add(text, "],\"forwarded\":[");
	comma = "";
	for (int sig = 1; sig < SIGNALS; sig++) {
		if (shared->log.forwarded[sig] == 0)
			continue;
		text_add(text, "%s{\"signal\":\"%s\",\"count\":%d}", comma,
			 signame_format(sig, &name), (int)shared->log.forwarded[sig]);
		comma = ",";
	}
	text_add(text, "]");
}

/* Whether a leftover has ended though this process did not reap it: its own parent did. */
static bool has_gone(const struct noted_leftover *noted)
{
	return kill(noted->pid, 0) == -1 && errno == ESRCH;
}

static void add_leftovers(struct text *text, const struct fry *fry)
{
	const struct shared *shared = fry->shared;
	bool leave = fry->options.leftover == LEFTOVER_LEAVE;

	text_add(text, ",\"leftovers\":[");
	for (unsigned i = 0; i < noted_count(shared->log.leftovers); i++) {
		/* A copy, since a tracer of the other process can write to the log. */
		struct noted_leftover noted = shared->log.leftover[i];

		noted.name[NAME_SIZE - 1] = noted.line[COMMAND_LINE_SIZE - 1] = '\0';
		text_add(text, "%s{\"pid\":%d,\"name\":", i == 0 ? "" : ",", (int)noted.pid);
		add_string(text, noted.name);
		text_add(text, ",\"command_line\":");
		add_string(text, noted.line);
		/* When process 1 ends, the kernel kills the processes that are left. */
		if (noted.signal == 0 && leave && fry->self == 1)
			noted.signal = SIGKILL;
		text_add(text, ",\"signal\":");
		add_signal(text, noted.signal);
		text_add(text, ",\"state\":\"%s\"}",
			 noted.signal != 0  ? "ended"
			 : leave            ? "left"
			 : has_gone(&noted) ? "ended"
					    : "running");
	}
	text_add(text, "],\"reaped\":%d", (int)shared->log.reaped);
}

static void add_cgroup(struct text *text, const struct shared *shared)
{
	static const char *const names[] = {"memory_peak", "cpu_usec", "oom_kills"};

	for (int i = 0; i < CGROUP_FIGURES; i++)
		if (shared->log.figure[i] != -1)
			text_add(text, ",\"%s\":%lld", names[i], (long long)shared->log.figure[i]);
}

static void compose(struct text *text, const struct fry *fry, int status)
{
	text_add(text, "{\"version\":\"" FRY_VERSION "\",\"argv\":[");
	for (int i = 0; fry->argv[i] != NULL; i++) {
		text_add(text, i == 0 ? "" : ",");
		add_string(text, fry->argv[i]);
	}
	text_add(text, "],\"pid\":%d", (int)fry->public_pid);
	add_usage(text, fry);
	add_exit(text, fry, status);
	add_signals(text, fry->shared);
	add_leftovers(text, fry);
	if (fry->cgroup != NULL)
		add_cgroup(text, fry->shared);
	text_add(text, "}\n");
}

/*
 * Write the line. A file gets it in one write(2), so that lines of several runs do not mix. A pipe or socket
 * gets PIPE_BUF at a time, until WRITE_WAIT is over. Returns -1 with errno if a part is not written.
 */
static int write_all(int fd, const char *from, size_t length)
{
	int64_t limit = clock_now() + WRITE_WAIT * MILLISECOND;
	struct pollfd polled = {.fd = fd, .events = POLLOUT};
	size_t part = lseek(fd, 0, SEEK_CUR) == -1 ? PIPE_BUF : SIZE_MAX;

	while (length != 0) {
		int64_t left = limit - clock_now();
		ssize_t written;

		errno = EAGAIN;
		if (left < 0 || poll(&polled, 1, (int)(left / MILLISECOND)) == 0)
			return -1;
		written = write(fd, from, length < part ? length : part);
		if (written == -1)
			return -1;
		errno = ENOSPC;
		if ((size_t)written < length && part == SIZE_MAX)
			return -1;
		from += written;
		length -= (size_t)written;
	}
	return 0;
}

void report_write(const struct fry *fry, int status)
{
	struct text text = {NULL, 0, 0};

	if (fry->report == -1)
		return;
	compose(&text, fry, status);
	/* The first pass counts the length. The second one needs some spare room: the times may be longer. */
	text.size = text.length + 64;
	text.length = 0;
	text.to = page_alloc(text.size);
	if (text.to != NULL)
		compose(&text, fry, status);
	if (text.length >= text.size)
		text.length = text.size - 1;
	if (text.to == NULL || write_all(fry->report, text.to, text.length) == -1)
		warn("--report=%.400s: cannot be written: %s", fry->options.report,
		     strerror(errno));
}
