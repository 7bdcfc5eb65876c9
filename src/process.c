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

/* It may be missing: before Linux 3.5, without CONFIG_PROC_CHILDREN, in gVisor. Tests override the name. */
#ifndef CHILDREN_FILE
#define CHILDREN_FILE "children"
#endif

/* For proc_pid_status(5), in which a thousand supplementary groups may come before the fields that are read. */
enum { STATUS_SIZE = 16384 };

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
	char text[STATUS_SIZE];
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

void process_children_path(pid_t pid, pid_t thread, char path[CHILDREN_PATH])
{
	text_format(path, CHILDREN_PATH, "/proc/%d/task/%d/" CHILDREN_FILE, (int)pid, (int)thread);
}

int process_read(pid_t pid, struct process *process)
{
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
	process->parent = (pid_t)scan_number(&rest);
	process->group = (pid_t)scan_number(&rest);
	process->session = (pid_t)scan_number(&rest);
	scan_skip(&rest, 13); /* tty_nr to nice */
	process->threads = (unsigned long)scan_number(&rest);
	scan_skip(&rest, 1);
	process->start = (unsigned long long)scan_number(&rest);
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

pid_t child_wait(const struct fry *fry, pid_t pid, int *status)
{
	int flags = WNOHANG | __WALL | (fry->inner != 0 ? WUNTRACED : 0);

	return pid == 0 ? 0 : waitpid(pid, status, flags);
}

bool is_child(pid_t pid)
{
	siginfo_t info;

	return child_peek(P_PID, pid, &info) == 0;
}

/* Whether the queue of signals of a process's user is full: proc_pid_status(5). */
static bool process_queue_is_full(pid_t pid)
{
	char path[32], text[STATUS_SIZE];
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

/* /proc/PID/schedstat: time on a processor, time waiting for one, number of turns. */
int64_t process_ran(pid_t pid)
{
	char path[32], text[96];
	const char *at = text;

	text_format(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
	return pid <= 0 || proc_read(path, text, sizeof(text)) <= 0 ? -1 : scan_number(&at);
}

bool process_died(pid_t pid)
{
	struct process process;

	return process_read(pid, &process) == -1 || process_is_dead(&process);
}

bool outer_lives(const struct fry *fry)
{
	return getppid() == fry->outer;
}

bool outer_died(struct fry *fry)
{
	if (fry->role == INNER && !outer_lives(fry)) {
		fry->guard.outer_died = true;
		fry->guard.outer_has_children = false; /* the number may be another's from now on */
	}
	return fry->guard.outer_died;
}

bool is_own_process(const struct fry *fry, pid_t pid)
{
	/* 0 stands for a process of another pid namespace, and must not match a pid of ours that is unset. */
	return pid != 0 &&
	       (pid == fry->self || pid == fry->inner || (pid == fry->outer && outer_lives(fry)));
}

void inner_beat(struct fry *fry)
{
	fry->shared->channel.loops++;
}

/* Open, compare, signal: if the outer process is the parent after pidfd_open(2), the pidfd is its own. */
void signal_outer(const struct fry *fry, int sig)
{
	int fd;

	if (fry->outer == 0) /* kill(0) would signal the own group */
		return;
	fd = (int)syscall(SYS_pidfd_open, fry->outer, 0);
	if (outer_lives(fry) &&
	    (fd == -1 ||
	     (syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) == -1 && errno == ENOSYS)))
		kill(fry->outer, sig); /* before Linux 5.3 */
	if (fd != -1)
		close(fd);
}

/* Send a signal by pid, or by pidfd if fd is not -1; step: with the mark for a nested fry-run. */
static int signal_send(const struct fry *fry, pid_t pid, int fd, int sig, bool step)
{
	siginfo_t info = {.si_signo = sig, .si_code = STEP_CODE};

	info.si_pid = fry->self;
	if (fd != -1 && step && syscall(SYS_pidfd_send_signal, fd, sig, &info, 0) == 0)
		return 0;
	if (fd != -1)
		return (int)syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
	if (step && syscall(SYS_rt_sigqueueinfo, pid, sig, &info) == 0)
		return 0;
	return kill(pid, sig);
}

/*
 * Whether a process has the name of a fry-run, or of a release's file such as fry-run-1.0.0-amd64. Any
 * process may choose that name: its signals have another si_code then, and no other effect.
 */
static bool is_fry(const struct process *process)
{
	return strncmp(process->name, "fry-run", 7) == 0;
}

/*
 * Whether a process is the inner one of a nested fry-run, which hears of a step from its outer one. A fry-run
 * that has another name hears of none: its inner process gets a copy, as of any signal to the whole tree.
 */
static bool is_nested_inner(const struct process *process)
{
	struct process outer;

	return strcmp(process->name, "fry-inner") == 0 &&
	       process_read(process->parent, &outer) == 0 && is_fry(&outer);
}

int process_signal(const struct fry *fry, const struct process *process, int sig, bool step)
{
	int fd, result = -1;
	bool same;

	if (step && is_nested_inner(process))
		return 0;
	step = step && is_fry(process);
	/* The kernel would drop the mark, and the nested fry-run would forward what its COMMAND has had. */
	if (step && process_queue_is_full(process->pid))
		return 0;
	if (process->parent == fry->self) {
		pid_t target = process->pid;

		/* Found without /proc: through a child its whole group can be reached. */
		if (process->state == 0 && process->group == process->pid && !fry->inherited)
			target = -target;
		else if (process->state == 0 && process->group != fry->pgid && !fry->inherited &&
			 process->group != fry->zombie && is_child(process->group))
			return 1; /* as a member of that group */
		return signal_send(fry, target, -1, sig, step) == -1 && errno != ESRCH ? -1 : 1;
	}
	/* Open, compare, signal: if the process is the same after pidfd_open(2), the pidfd is its own. */
	fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	if (fd == -1 && errno == ESRCH)
		return 1;
	same = process_same(process);
	if (!same && fd != -1) {
		/* The pidfd may have taken the last descriptor, which a read of /proc needs. */
		close(fd);
		fd = -1;
		same = process_same(process);
	}
	if (!same) {
		errno = ESTALE;
		return -1;
	}
	if (fd != -1) {
		int error;

		result = signal_send(fry, process->pid, fd, sig, step);
		error = errno;
		close(fd);
		errno = error;
	}
	if (fd == -1 || (result == -1 && errno == ENOSYS)) /* before Linux 5.3 and 5.1, or EMFILE */
		result = signal_send(fry, process->pid, -1, sig, step);
	return result == -1 && errno != ESRCH ? -1 : 1;
}
