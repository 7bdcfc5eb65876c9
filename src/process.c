/*
 * process.c - one process as /proc shows it, and its relation to fry-run
 *
 * Data from /proc may be stale when it is used, and /proc may belong to another pid namespace.
 */
/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fry.h"
#include "text.h"

ssize_t proc_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd == -1)
		return -1;
	length = read(fd, text, size - 1);
	close(fd);
	text[length > 0 ? length : 0] = '\0';
	return length;
}

/* Find a field of proc_pid_status(5). Returns the text after its name, or NULL. */
static const char *find_field(const char *text, const char *name)
{
	size_t length = strlen(name);

	while (strncmp(text, name, length) != 0) {
		text = strchr(text, '\n');
		if (text == NULL)
			return NULL;
		text++;
	}
	return text + length;
}

/*
 * /proc belongs to this pid namespace if /proc/self is fry-run's pid there. /proc of an enclosing namespace
 * may match by chance, but its NSpid has more than one number: proc_pid_status(5).
 */
bool proc_is_ours(struct fry *fry)
{
	char text[2048];
	const char *line = text;
	ssize_t length = readlink("/proc/self", text, sizeof(text) - 1);

	if (length <= 0)
		return false;
	text[length] = '\0';
	if (scan_number(&line) != fry->self)
		return false;
	if (fry->tree.proc_is_ours) /* reading status is slow, so do it once */
		return true;
	if (proc_read("/proc/self/status", text, sizeof(text)) <= 0)
		return false;
	line = find_field(text, "NSpid:");
	if (line == NULL)
		return true; /* there is no NSpid before Linux 4.1 */
	scan_number(&line);
	fry->tree.proc_is_ours = *line == '\n';
	return fry->tree.proc_is_ours;
}

int process_read(pid_t pid, struct process *process)
{
	enum { PARENT = 1, GROUP, SESSION, THREADS = 17, START = 19, FIELDS };
	long long field[FIELDS] = {0};
	char path[32], text[1024], *name, *end;
	const char *rest;

	text_format(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (proc_read(path, text, sizeof(text)) <= 0)
		return -1;
	name = strchr(text, '(');
	end = strrchr(text, ')'); /* the last one, since a name may contain any character */
	if (name == NULL || end == NULL || end < name || end[1] != ' ' || end[2] == '\0')
		return -1;
	*end = '\0';
	*process = (struct process){.pid = pid, .state = end[2]};
	text_format(process->name, sizeof(process->name), "%s", name + 1);
	rest = end + 3;
	for (int i = PARENT; i < FIELDS; i++)
		field[i] = scan_number(&rest);
	process->parent = (pid_t)field[PARENT];
	process->group = (pid_t)field[GROUP];
	process->session = (pid_t)field[SESSION];
	process->threads = (unsigned long)field[THREADS];
	process->start = (unsigned long long)field[START];
	return 0;
}

bool process_same(const struct process *process)
{
	struct process now;

	return process_read(process->pid, &now) == 0 && now.start == process->start &&
	       now.parent == process->parent;
}

/* The state is the first thread's, which is a zombie while other threads still run. */
bool process_is_dead(const struct process *process)
{
	return process->state == 'X' || (process->state == 'Z' && process->threads <= 1);
}

bool process_alive(const struct process *process, struct process *now)
{
	return process_read(process->pid, now) == 0 && now->start == process->start &&
	       !process_is_dead(now);
}

int child_peek(idtype_t type, pid_t pid, siginfo_t *info)
{
	int flags = WEXITED | WNOHANG | WNOWAIT;
	int result = waitid(type, (id_t)pid, info, flags | __WALL);

	/* Before Linux 4.7 waitid(2) refuses __WALL. */
	return result == -1 && errno == EINVAL ? waitid(type, (id_t)pid, info, flags) : result;
}

bool is_child(pid_t pid)
{
	siginfo_t info;

	return child_peek(P_PID, pid, &info) == 0;
}

bool process_queue_is_full(pid_t pid)
{
	char path[32], text[2048];
	const char *line;
	long long queued;

	text_format(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (proc_read(path, text, sizeof(text)) <= 0)
		return false;
	line = find_field(text, "SigQ:");
	if (line == NULL)
		return false;
	queued = scan_number(&line);
	line += *line == '/';
	return queued >= scan_number(&line);
}

bool process_died(pid_t pid)
{
	struct process process;

	return process_read(pid, &process) == -1 || process_is_dead(&process);
}

bool outer_lives(const struct fry *fry)
{
	return fry->role == INNER && getppid() == fry->outer;
}

bool is_own_process(const struct fry *fry, pid_t pid)
{
	return pid == fry->self || (pid == fry->inner && fry->role == OUTER) ||
	       (fry->role == INNER && pid == fry->outer && outer_lives(fry));
}

void signal_outer(const struct fry *fry, int sig)
{
	int fd;

	if (fry->role != INNER || fry->outer == 0) /* kill(0) would signal the own group */
		return;
	/* Open, compare, signal: once it is the parent still, the pidfd is the outer process. */
	fd = (int)syscall(SYS_pidfd_open, fry->outer, 0);
	if (outer_lives(fry) &&
	    (fd == -1 ||
	     (syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) == -1 && errno == ENOSYS)))
		kill(fry->outer, sig); /* before Linux 5.3 */
	if (fd != -1)
		close(fd);
}
