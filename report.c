/*
 * report.c - how the run went, as one line of JSON
 *
 * Whoever does or sees something notes it in struct outcome, which both processes have in common.
 * The process that the caller knows writes the line, at its end and with a single write(2), so
 * that the lines of several runs in one file do not mix. A report never changes the status.
 */
/* SPDX-License-Identifier: MIT */
#include "fry.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

__attribute__((noreturn)) static void refuse_report(const struct fry *fry, const char *rule)
{
	say("--report=%.400s: %s", fry->options.report, rule);
	exit(EXIT_FRY);
}

/* A pipe that nobody reads must not hold fry-run for ever. */
enum { WRITE_WAIT = 1000 };

/* The descriptor that fd:N names, which then is fry-run's. Returns -1 with errno. */
static int descriptor_take(const struct fry *fry, const char *number)
{
	int fd = parse_number(number, INT_MAX), flags, own;

	if (fd == -1)
		refuse_report(fry, "a descriptor is fd:N, where N is a number");
	flags = fcntl(fd, F_GETFL);
	if (flags == -1)
		return -1;
	if ((flags & O_ACCMODE) == O_RDONLY) {
		errno = EBADF;
		return -1;
	}
	/* Unless it is a standard descriptor of COMMAND's as well. */
	if (fd > STDERR_FILENO)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	own = descriptor_reopen(fd);
	return own != -1 ? descriptor_raise(own) : fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

/* A FIFO without a reader is refused, by O_NONBLOCK. Returns -1 with errno. */
static int file_open(const char *name)
{
	return descriptor_raise(
		open(name, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0666));
}

int descriptor_raise(int fd)
{
	int raised;

	if (fd == -1 || fd > STDERR_FILENO)
		return fd;
	raised = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(fd);
	return raised;
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
		refuse_report(fry, strerror(errno));
}

/* The other process may have been killed, or traced, while it wrote the number. */
static unsigned noted_count(unsigned count)
{
	return count < MAX_NOTED ? count : MAX_NOTED;
}

void report_step(struct fry *fry, int sig, int64_t when, unsigned found)
{
	struct outcome *outcome = fry->outcome;

	if ((fry->role == OUTER && !outcome->lost) || outcome->steps >= MAX_NOTED)
		return; /* the inner process notes the same */
	if (outcome->steps == 0)
		outcome->first = when;
	outcome->step[outcome->steps++] = (struct noted_step){sig, found, when - outcome->first};
}

void report_leftover(struct fry *fry, const struct process *process)
{
	struct outcome *outcome = fry->outcome;
	struct noted_leftover *noted;

	if (outcome->leftovers >= MAX_NOTED)
		return;
	noted = &outcome->leftover[outcome->leftovers];
	noted->pid = process->pid;
	memcpy(noted->name, process->name, sizeof(noted->name));
	outcome->leftovers++;
}

void report_reaped(struct fry *fry, pid_t pid, int status)
{
	struct outcome *outcome = fry->outcome;

	outcome->reaped++;
	for (unsigned i = 0; i < noted_count(outcome->leftovers); i++)
		if (outcome->leftover[i].pid == pid && outcome->leftover[i].signal == 0)
			/* One that caught TERM and exited ended by it all the same. */
			outcome->leftover[i].signal =
				WIFSIGNALED(status) ? WTERMSIG(status) : stop_signal(&fry->stop);
}

/* Whether what is at from begins a valid UTF-8 sequence of length bytes: RFC 3629. */
static bool is_utf8(const unsigned char *from, size_t length)
{
	static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned code = from[0] & (0x7fU >> length);

	for (size_t i = 1; i < length; i++) {
		if ((from[i] & 0xc0) != 0x80)
			return false;
		code = code << 6 | (from[i] & 0x3f);
	}
	return code >= least[length] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

/* Add a string as JSON has it, RFC 8259; what is not UTF-8 becomes U+FFFD. */
static void add_string(struct text *text, const char *string)
{
	const unsigned char *at = (const unsigned char *)string;

	text_add(text, "\"");
	while (*at != '\0') {
		size_t length = *at < 0x80   ? 1
				: *at < 0xc0 ? 0
				: *at < 0xe0 ? 2
				: *at < 0xf0 ? 3
				: *at < 0xf8 ? 4
					     : 0;

		if (*at == '"' || *at == '\\')
			text_add(text, "\\%c", *at);
		else if (*at < ' ')
			text_add(text, "\\u00%c%c", '0' + *at / 16, "0123456789abcdef"[*at % 16]);
		else if (length == 1 || (length != 0 && is_utf8(at, length)))
			text_add(text, "%.*s", (int)length, (const char *)at);
		else
			text_add(text, "\\ufffd");
		at += length > 1 && is_utf8(at, length) ? length : 1;
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
	/* Of all that was reaped below, by whomever: getrusage(2). */
	getrusage(RUSAGE_CHILDREN, &usage);
	add_seconds(text, "user_s", span_of(usage.ru_utime));
	add_seconds(text, "sys_s", span_of(usage.ru_stime));
	text_add(text, ",\"max_rss_kib\":%lld", (long long)usage.ru_maxrss);
}

static const char *cause(const struct fry *fry)
{
	const struct outcome *outcome = fry->outcome;

	if (outcome->exec_errno != 0)
		return "exec-failed";
	if (outcome->timed_out)
		return "timeout";
	if (outcome->orphaned)
		return "parent-death";
	if (outcome->asked)
		return "stopped";
	return outcome->ended && WIFSIGNALED(outcome->status) ? "signal" : "exited";
}

static void add_exit(struct text *text, const struct fry *fry, int status)
{
	const struct outcome *outcome = fry->outcome;
	struct signal_name name;

	if (!outcome->ended)
		text_add(text, ",\"exit\":null");
	else if (WIFSIGNALED(outcome->status))
		text_add(text, ",\"exit\":{\"signal\":\"%s\"}",
			 signals_name(WTERMSIG(outcome->status), &name));
	else
		text_add(text, ",\"exit\":{\"code\":%d}", WEXITSTATUS(outcome->status));
	text_add(text, ",\"status\":%d,\"cause\":\"%s\"", status, cause(fry));
}

static void add_signals(struct text *text, const struct outcome *outcome)
{
	struct signal_name name;
	const char *comma = "";

	text_add(text, ",\"stop\":[");
	for (unsigned i = 0; i < noted_count(outcome->steps); i++) {
		const struct noted_step *step = &outcome->step[i];

		text_add(text, "%s{\"signal\":\"%s\"", comma, signals_name(step->signal, &name));
		add_seconds(text, "after_s", step->after);
		text_add(text, ",\"processes\":%d}", (int)step->found);
		comma = ",";
	}
	text_add(text, "],\"forwarded\":[");
	comma = "";
	for (int sig = 1; sig < SIGNALS; sig++) {
		if (outcome->forwarded[sig] == 0)
			continue;
		text_add(text, "%s{\"signal\":\"%s\",\"count\":%d}", comma,
			 signals_name(sig, &name), (int)outcome->forwarded[sig]);
		comma = ",";
	}
	text_add(text, "]");
}

static void add_leftovers(struct text *text, const struct outcome *outcome)
{
	char name_ended[sizeof(outcome->leftover[0].name) + 1] = "";
	struct signal_name name;

	text_add(text, ",\"leftovers\":[");
	for (unsigned i = 0; i < noted_count(outcome->leftovers); i++) {
		const struct noted_leftover *noted = &outcome->leftover[i];

		text_add(text, "%s{\"pid\":%d,\"name\":", i == 0 ? "" : ",", (int)noted->pid);
		memcpy(name_ended, noted->name, sizeof(noted->name));
		add_string(text, name_ended);
		if (noted->signal == 0)
			text_add(text, ",\"signal\":null}");
		else
			text_add(text, ",\"signal\":\"%s\"}", signals_name(noted->signal, &name));
	}
	text_add(text, "],\"reaped\":%d", (int)outcome->reaped);
}

static void add_cgroup(struct text *text, const struct outcome *outcome)
{
	static const char *const names[] = {"memory_peak", "cpu_usec", "oom_kills"};

	for (int i = 0; i < CGROUP_FIGURES; i++)
		if (outcome->figure[i] != -1)
			text_add(text, ",\"%s\":%lld", names[i], (long long)outcome->figure[i]);
}

static void compose(struct text *text, const struct fry *fry, int status)
{
	text_add(text, "{\"version\":\"" FRY_VERSION "\",\"argv\":[");
	for (int i = 0; fry->command[i] != NULL; i++) {
		text_add(text, i == 0 ? "" : ",");
		add_string(text, fry->command[i]);
	}
	text_add(text, "],\"pid\":%d", (int)fry->known);
	add_usage(text, fry);
	add_exit(text, fry, status);
	add_signals(text, fry->outcome);
	add_leftovers(text, fry->outcome);
	if (fry->cgroup != NULL)
		add_cgroup(text, fry->outcome);
	text_add(text, "}\n");
}

/*
 * Write the line: to a file at once, so that the lines of several runs do not mix; to a reader what it
 * takes in WRITE_WAIT. Returns -1 with errno if that is not all.
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
	/* Times may have grown by a digit when it is composed once more. */
	text.size = text.length + 64;
	text.length = 0;
	text.to = memory_get(text.size);
	if (text.to != NULL)
		compose(&text, fry, status);
	if (text.to == NULL || write_all(fry->report, text.to, text.length) == -1)
		say("--report=%.400s: cannot be written: %s", fry->options.report, strerror(errno));
}
