/* runner.c - process 1 of a virtual machine: check the main promises, and power off */
/* SPDX-License-Identifier: MIT */
/*
 * The root holds /fry-run, /probe, /orphans, busybox, and this program as /init; `run` makes it. Each check
 * is made as root and as an ordinary user, in a process of its own, and printed as `ok N - text` or
 * `not ok N - text`; lines that start with # say why. The last line is `N passed, N failed`.
 *
 * The process of a check leads a session without a terminal and is a subreaper. So what fry-run leaves
 * behind becomes its child, and wait(2) tells exactly whether there is any. Every wait lasts LIMIT
 * seconds, and is reported when it is over.
 *
 * As COMMAND this program makes an orphan of a special kind: see orphan_main.
 */
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <fnmatch.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <time.h>

#include "../fixtures/fixture.h"

#define LIMIT      60  /* seconds that a wait lasts */
#define LIMIT_ALL  300 /* and a check */
#define USER       65534
#define CGROUP     "/sys/fs/cgroup"
#define NEVER      "1h" /* of a stop schedule: later than any wait of a check */
#define SHELL(...) "/bin/sh", "-c", __VA_ARGS__

/* Linux 7.1; older headers lack it. */
#define AUTOREAP (UINT64_C(1) << 34)

/* fry-run, or what was started in its place, and all that is written by it and below it. */
struct job {
	pid_t pid;
	int out, terminal; /* terminal: the side of the keyboard, or -1 */
	char text[32768];
	size_t length;
};

/* Where a check is made. */
enum place {
	PLAIN,
	AS_ROOT,      /* as root only */
	NO_PROC,      /* /proc is empty */
	HIDEPID,      /* /proc shows no process that the reader may not trace */
	BELOW_PID1,   /* as a child of process 1 of a pid namespace */
	FOREIGN_PROC, /* the same, and /proc is that of the outer namespace */
	IN_CGROUP,    /* in a cgroup of its own, which belongs to the user */
	NEW_KERNEL,   /* where there is CLONE_AUTOREAP */
};

/* --- reporting and waiting */

/* The check has failed: say why. */
__attribute__((format(printf, 1, 2), noreturn)) static void fails(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fflush(stdout);
	dprintf(STDOUT_FILENO, "# ");
	vdprintf(STDOUT_FILENO, format, arguments);
	dprintf(STDOUT_FILENO, "\n");
	va_end(arguments);
	_exit(1);
}

/* Put the output on one line. */
static const char *flat(const char *text)
{
	static char line[2048];
	size_t length = 0;

	for (; *text && length < sizeof(line) - 1; text++)
		if (*text != '\r')
			line[length++] = *text == '\n' ? '|' : *text;
	line[length] = '\0';
	return line;
}

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

/* Sleep for a moment; false if the wait that began then is over. */
static bool still_time(long long began)
{
	poll(NULL, 0, 2);
	return now() - began < LIMIT * 1000;
}

static void at_least(long long began, long long milliseconds)
{
	if (now() - began < milliseconds)
		fails("took %lld ms, and should take %lld at least", now() - began, milliseconds);
}

/* --- files */

/* Read what fits, as a string. Returns whether there is anything to read. */
static bool file_read(const char *name, char *text, size_t size)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd == -1 ? -1 : read(fd, text, size - 1);

	close(fd);
	text[length > 0 ? length : 0] = '\0';
	return length > 0;
}

static void file_write(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC);

	if (fd == -1 || write(fd, text, strlen(text)) == -1)
		fails("%s: %s", name, strerror(errno));
	close(fd);
}

/* --- jobs */

/* Read what there is to read, for `timeout` milliseconds. False at the end of file. */
static bool job_read(struct job *job, int timeout)
{
	struct pollfd ready = {.fd = job->out, .events = POLLIN};
	size_t room = sizeof(job->text) - 1 - job->length;
	ssize_t n;

	if (poll(&ready, 1, timeout) <= 0)
		return true;
	n = read(job->out, job->text + job->length, room);
	if (n <= 0) /* EIO, of a terminal that no process has open */
		return false;
	job->length += (size_t)n;
	job->text[job->length] = '\0';
	return true;
}

/* Read all that has been written so far. */
static void job_drain(struct job *job)
{
	struct pollfd ready = {.fd = job->out, .events = POLLIN};

	while (poll(&ready, 1, 0) > 0 && job->length < sizeof(job->text) - 1 && job_read(job, 0))
		;
}

/* Copy line number `number` to a buffer, without what ends it. False if it is not complete yet. */
static bool job_line(const struct job *job, int number, char line[256])
{
	const char *start = job->text, *end;

	for (; (end = strchr(start, '\n')); start = end + 1) {
		if (number-- > 0)
			continue;
		snprintf(line, 256, "%.*s", (int)(end - start), start);
		line[strcspn(line, "\r")] = '\0';
		return true;
	}
	return false;
}

/* Count the lines that match. */
static int job_count(const struct job *job, const char *glob)
{
	char line[256];
	int count = 0;

	for (int i = 0; job_line(job, i, line); i++)
		count += fnmatch(glob, line, 0) == 0;
	return count;
}

/* Wait for that many lines that match. */
static void job_await(struct job *job, const char *glob, int count)
{
	long long began = now();

	while (job_count(job, glob) < count) {
		if (!job_read(job, 10) && job_count(job, glob) < count)
			fails("ended without %d of '%s': %s", count, glob, flat(job->text));
		if (now() - began > LIMIT * 1000)
			fails("waited %d s for %d of '%s': %s", LIMIT, count, glob,
			      flat(job->text));
	}
}

/* The number in the line `ready N`, after it has come; the first one is 0. */
static pid_t job_ready(struct job *job, int which)
{
	char line[256];

	job_await(job, "ready *", which + 1);
	for (int i = 0; job_line(job, i, line); i++)
		if (strncmp(line, "ready ", 6) == 0 && which-- == 0)
			return (pid_t)atoi(line + 6);
	return -1;
}

/* Compare the names of signals that were printed with a list of them that blanks separate. */
static void job_heard(struct job *job, const char *expected)
{
	char line[256], heard[2048] = "";

	job_drain(job);
	for (int i = 0; job_line(job, i, line); i++) {
		if (strchr(line, ' ') || (line[0] != 'R' && strlen(line) > 6))
			continue;
		if (strlen(heard) + strlen(line) + 2 > sizeof(heard))
			fails("heard too much: %s", heard);
		if (*heard)
			strcat(heard, " ");
		strcat(heard, line);
	}
	if (strcmp(heard, expected) != 0)
		fails("heard '%s' instead of '%s'", heard, expected);
}

static void signal_send(pid_t pid, int sig)
{
	if (syscall(SYS_kill, pid, sig) == -1)
		fails("kill %d, %d: %s", (int)pid, sig, strerror(errno));
}

__attribute__((noreturn)) static void program_execute(const char *const *command)
{
	char *words[24];
	size_t i = 0;

	while (command[i] && i < 23) {
		words[i] = strdup(command[i]);
		i++;
	}
	words[i] = NULL;
	execv(words[0], words);
	_exit(127);
}

/* Start a program whose output goes to a pipe, and whose stdin is empty. */
static void job_start(struct job *job, const char *const *command)
{
	int out[2];

	memset(job, 0, sizeof(*job));
	job->terminal = -1;
	if (pipe2(out, O_CLOEXEC) == -1)
		fails("pipe: %s", strerror(errno));
	job->pid = fork();
	if (job->pid == 0) {
		setpgid(0, 0);
		dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		dup2(out[1], STDERR_FILENO);
		program_execute(command);
	}
	close(out[1]);
	job->out = out[0];
}

/* Start a program as the leader of a session with a terminal. */
static void job_start_tty(struct job *job, const char *const *command)
{
	char name[64];
	int terminal, master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

	memset(job, 0, sizeof(*job));
	if (master == -1 || unlockpt(master) == -1 || ptsname_r(master, name, sizeof(name)) != 0)
		fails("pseudo-terminal: %s", strerror(errno));
	/* Held open, so that the terminal is not hung up before the program opens it. */
	terminal = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	job->pid = fork();
	if (job->pid == 0) {
		setsid();
		if (terminal == -1 || ioctl(terminal, TIOCSCTTY, 0) == -1)
			_exit(126);
		for (int fd = 0; fd < 3; fd++)
			dup2(terminal, fd);
		program_execute(command);
	}
	job->out = job->terminal = master;
}

#define WORDS(...)               ((const char *const[]){__VA_ARGS__, NULL})
#define START(job, ...)          job_start(job, WORDS("/fry-run", __VA_ARGS__))
#define START_TTY(job, ...)      job_start_tty(job, WORDS(__VA_ARGS__))
#define RUN(...)                 job_run(WORDS("/fry-run", __VA_ARGS__))
#define EXPECT(expected, actual) status_compare(expected, actual)

static void job_type(const struct job *job, const char *keys)
{
	if (write(job->terminal, keys, strlen(keys)) == -1)
		fails("typing: %s", strerror(errno));
}

/* Wait until the program has ended; return its status, or 1000 + N where it died of signal N. */
static int job_end(struct job *job)
{
	long long began = now();
	int status;
	pid_t pid;

	while ((pid = waitpid(job->pid, &status, WNOHANG)) != job->pid) {
		if (pid == -1)
			fails("waitpid: %s", strerror(errno));
		job_read(job, 0);
		if (!still_time(began))
			fails("waited %d s for the end of process %d: %s", LIMIT, (int)job->pid,
			      flat(job->text));
	}
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Fail if any process that is left has become a child of this one, unless it goes in time. */
static void nothing_left(bool in_time)
{
	long long began = now();
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG | __WALL)) != -1)
		if (pid == 0 && !(in_time && still_time(began)))
			fails(in_time ? "waited %d s for what was left behind"
				      : "a process is left behind",
			      LIMIT);
}

static int job_finish(struct job *job)
{
	int status = job_end(job);

	nothing_left(false);
	job_drain(job);
	return status;
}

static int job_run(const char *const *command)
{
	static struct job job;
	int status;

	job_start(&job, command);
	status = job_finish(&job);
	close(job.out);
	return status;
}

static void status_compare(int expected, int actual)
{
	if (expected != actual)
		fails("the status is %d instead of %d", actual, expected);
}

/* --- exit status */

static void status_passed_on(void)
{
	EXPECT(0, RUN("--", "/bin/true"));
	EXPECT(3, RUN("--", SHELL("exit 3")));
	EXPECT(255, RUN("--", SHELL("exit 255")));
}

static void status_timeout(void)
{
	EXPECT(124, RUN("-t", "100ms", "--", "/bin/sleep", "1000"));
}

static void status_misuse(void)
{
	EXPECT(125, RUN("--no-such-option", "--", "/bin/true"));
	EXPECT(125, RUN("--stop=KILL/1s/TERM", "--", "/bin/true"));
}

static void status_not_executable(void)
{
	EXPECT(126, RUN("--", "/tmp"));
}

static void status_not_found(void)
{
	EXPECT(127, RUN("--", "/missing"));
	EXPECT(127, RUN("--", "missing"));
}

/* CHLD, CONT, URG and WINCH kill nothing, and the stop signals stop. */
static bool is_fatal(int sig)
{
	return sig != SIGCHLD && sig != SIGCONT && sig != SIGURG && sig != SIGWINCH &&
	       !(sig >= SIGSTOP && sig <= SIGTTOU);
}

static void status_death(void)
{
	for (int sig = 1; sig <= SIGNALS; sig++) {
		char number[16];

		if (!is_fatal(sig))
			continue;
		snprintf(number, sizeof(number), "%d", sig);
		EXPECT(1000 + sig, RUN("--", "/probe", "-k", number));
	}
}

static void status_code(void)
{
	EXPECT(128 + SIGTERM, RUN("--status=code", "--", "/probe", "-k", "TERM"));
	EXPECT(0, RUN("-e", "143", "--", "/probe", "-k", "TERM"));
}

static void status_without_guard(void)
{
	EXPECT(3, RUN("--no-guard", "--", SHELL("/probe -d; exit 3")));
	EXPECT(1000 + SIGUSR1, RUN("--no-guard", "--", "/probe", "-k", "USR1"));
}

/* --- what COMMAND inherits */

static void inherits_signals(void)
{
	static struct job job;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	disposition_set(SIGHUP, SIG_IGN);
	disposition_set(SIGPIPE, SIG_IGN);
	START(&job, "--", "/probe", "-D");
	EXPECT(0, job_finish(&job));
	job_await(&job, "ignored: 1 13", 1);
	job_await(&job, "blocked: 10", 1);
}

static void inherits_rest(void)
{
	static struct job job;

	umask(027);
	setenv("WORD", "of environment", 1);
	dup2(STDOUT_FILENO, 9);
	START(&job, "--", SHELL("pwd; umask; echo \"$WORD, $1\"; exec /probe -F", "-", "a  b"));
	EXPECT(0, job_finish(&job));
	job_await(&job, "/tmp/check", 1);
	job_await(&job, "0027", 1);
	job_await(&job, "of environment, a  b", 1);
	job_await(&job, "open: 0 1 2 9", 1);
}

/* --- forwarding */

/* Every signal that can be caught but CHLD, in the order of numbers. */
static void forwards_each(void)
{
	static struct job job;
	char names[1024] = "", name[24];

	START(&job, "--stop=INT/" NEVER "/KILL", "--", "/probe", "-n", "-x", "RTMIN+30=0");
	job_ready(&job, 0);
	for (int sig = 1; sig <= SIGNALS; sig++) {
		const char *word = signal_name(sig, name);

		if (sig == SIGKILL || sig == SIGSTOP || sig == SIGCHLD)
			continue;
		signal_send(job.pid, sig);
		job_await(&job, word, 1);
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
			 *names ? " " : "", word);
	}
	EXPECT(0, job_finish(&job));
	job_heard(&job, names);
}

static void forwards_queue(void)
{
	static struct job job;
	char line[32];

	START(&job, "--", "/probe", "-q", "-n", "-x", "USR2=0");
	job_ready(&job, 0);
	for (int i = 0; i < 50; i++) {
		siginfo_t info = {.si_code = SI_QUEUE};

		info.si_value.sival_int = i;
		info.si_pid = getpid();
		info.si_uid = getuid();
		if (syscall(SYS_rt_sigqueueinfo, job.pid, RTMIN + 3, &info) == -1)
			fails("sigqueue: %s", strerror(errno));
	}
	for (int i = 0; i < 50; i++) {
		snprintf(line, sizeof(line), "RTMIN+3 value %d", i);
		job_await(&job, line, 1);
		if (job_count(&job, "RTMIN+3 *") == 50)
			break;
	}
	signal_send(job.pid, SIGUSR2);
	EXPECT(0, job_finish(&job));
	if (job_count(&job, "RTMIN+3 *") != 50)
		fails("heard %d of 50", job_count(&job, "RTMIN+3 *"));
}

static void forwards_group(void)
{
	static struct job job;

	START(&job, "--stop=INT/" NEVER "/KILL", "--", "/probe", "-f", "2", "-n", "-x", "QUIT=0");
	job_ready(&job, 2);
	signal_send(job.pid, SIGINT);
	job_await(&job, "INT", 3);
	signal_send(job.pid, SIGTERM);
	job_await(&job, "TERM", 3);
	signal_send(job.pid, SIGQUIT);
	EXPECT(0, job_finish(&job));
	if (job_count(&job, "INT") != 3 || job_count(&job, "TERM") != 3 ||
	    job_count(&job, "QUIT") != 3)
		fails("not each three times: %s", flat(job.text));
}

static void forwards_alone(void)
{
	static struct job job;

	START(&job, "--", "/probe", "-f", "2", "-n", "-x", "TERM=0");
	job_ready(&job, 2);
	signal_send(job.pid, SIGHUP);
	job_await(&job, "HUP", 1);
	signal_send(job.pid, SIGUSR1);
	job_await(&job, "USR1", 1);
	signal_send(job.pid, SIGTERM);
	EXPECT(0, job_finish(&job));
	if (job_count(&job, "HUP") != 1 || job_count(&job, "USR1") != 1)
		fails("not each once: %s", flat(job.text));
}

static void forwards_tree(void)
{
	static struct job job;

	START(&job, "--scope=tree", "--",
	      SHELL("/probe -d -n -x TERM=0; exec /probe -n -x TERM=0"));
	job_ready(&job, 1);
	signal_send(job.pid, SIGUSR1);
	job_await(&job, "USR1", 2);
	signal_send(job.pid, SIGTERM);
	EXPECT(0, job_finish(&job));
	if (job_count(&job, "USR1") != 2)
		fails("not once each: %s", flat(job.text));
}

/* Blocked, the signal waits for fry-run, which is not executed yet. */
static void forwards_early(void)
{
	static struct job job;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 20; i++) {
		START(&job, "--", "/probe", "-x", "HUP=7");
		signal_send(job.pid, SIGHUP);
		EXPECT(7, job_finish(&job));
		close(job.out);
	}
}

static void forwards_rewritten(void)
{
	static struct job job;

	START(&job, "-r", "TERM:QUIT", "-r", "HUP:0", "--", "/probe", "-x", "QUIT=6", "-n");
	job_ready(&job, 0);
	signal_send(job.pid, SIGHUP);
	signal_send(job.pid, SIGTERM);
	EXPECT(6, job_finish(&job));
	job_heard(&job, "QUIT");
}

static void forwards_to_others(void)
{
	static struct job job;
	pid_t command;

	START(&job, "--leftover=wait", "--", SHELL("echo ready $$; /probe -d -x USR1=0; exit 4"));
	command = job_ready(&job, 0);
	job_ready(&job, 1);
	for (long long began = now(); kill(command, 0) == 0;)
		if (!still_time(began))
			fails("waited %d s for the end of COMMAND", LIMIT);
	signal_send(job.pid, SIGUSR1);
	EXPECT(4, job_finish(&job));
	job_heard(&job, "USR1");
}

/* --- other recipients of a signal */

/* The inner process, which the outer one is the only parent of. */
static pid_t inner_of(pid_t outer)
{
	char name[64], children[64];

	snprintf(name, sizeof(name), "/proc/%d/task/%d/children", (int)outer, (int)outer);
	if (!file_read(name, children, sizeof(children)))
		fails("%s: %s", name, strerror(errno));
	return (pid_t)atoi(children);
}

/* Signal each of the three processes, in this order, and see what COMMAND gets. */
static void broadcast(int first, int second, int third, int sig)
{
	static struct job job;
	pid_t pids[3];
	char heard[64], name[24];

	START(&job, "--stop=INT/" NEVER "/KILL", "--", "/probe", "-n", "-x", "RTMIN+5=0");
	pids[2] = job_ready(&job, 0);
	pids[0] = job.pid;
	pids[1] = inner_of(job.pid);
	signal_send(pids[first], sig);
	signal_send(pids[second], sig);
	signal_send(pids[third], sig);
	job_await(&job, signal_name(sig, name), 1);
	/* Whatever else comes has come before the answer to this. */
	signal_send(job.pid, SIGUSR2);
	job_await(&job, "USR2", 1);
	signal_send(job.pid, RTMIN + 5);
	EXPECT(0, job_finish(&job));
	snprintf(heard, sizeof(heard), "%s USR2 RTMIN+5", signal_name(sig, name));
	job_heard(&job, heard);
	close(job.out);
}

static void broadcast_once(void)
{
	static const int orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2},
					{0, 2, 1}, {1, 2, 0}, {2, 0, 1}};

	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		broadcast(orders[i][0], orders[i][1], orders[i][2], SIGTERM);
		broadcast(orders[i][0], orders[i][1], orders[i][2], SIGHUP);
	}
}

/* A signal to the process group that fry-run is in. */
static void group_once(const char *placement)
{
	static struct job job;

	START(&job, placement, "--stop=INT/" NEVER "/KILL", "--", "/probe", "-n", "-x",
	      "RTMIN+5=0");
	job_ready(&job, 0);
	for (int i = 0; i < 10; i++) {
		signal_send(-job.pid, SIGINT);
		job_await(&job, "INT", i + 1);
	}
	signal_send(job.pid, RTMIN + 5);
	EXPECT(0, job_finish(&job));
	job_heard(&job, "INT INT INT INT INT INT INT INT INT INT RTMIN+5");
}

static void group_once_inherit(void)
{
	group_once("--pgroup=inherit");
}

static void group_once_new(void)
{
	group_once("--pgroup=new");
}

/* --- stopping */

static void stop_schedule(void)
{
	static struct job job;
	long long began;

	START(&job, "--stop=INT/300ms/TERM/300ms/KILL", "--", "/probe", "-n");
	job_ready(&job, 0);
	began = now();
	signal_send(job.pid, SIGINT);
	EXPECT(1000 + SIGKILL, job_finish(&job));
	at_least(began, 600);
	job_heard(&job, "INT TERM");
}

static void stop_kill_after(void)
{
	static struct job job;
	long long began;

	START(&job, "-k", "300ms", "--", "/probe", "-n");
	job_ready(&job, 0);
	began = now();
	signal_send(job.pid, SIGTERM);
	EXPECT(1000 + SIGKILL, job_finish(&job));
	at_least(began, 300);
	job_heard(&job, "TERM");
}

static void stop_forwards_again(void)
{
	static struct job job;

	START(&job, "--stop=INT/" NEVER "/KILL", "--", "/probe", "-n", "-x", "QUIT=9");
	job_ready(&job, 0);
	for (int i = 1; i <= 3; i++) {
		signal_send(job.pid, SIGINT);
		job_await(&job, "INT", i);
	}
	signal_send(job.pid, SIGQUIT);
	EXPECT(9, job_finish(&job));
	job_heard(&job, "INT INT INT QUIT");
}

static void stop_time_limit(void)
{
	static struct job job;
	long long began = now();

	START(&job, "-t", "500ms", "--stop=INT/200ms/TERM/200ms/KILL", "--",
	      SHELL("/probe -d -n; /probe -d -n -T; exec /probe -n"));
	EXPECT(124, job_finish(&job));
	at_least(began, 900);
}

static void stop_daemon(void)
{
	static struct job job;

	START(&job, "--stop=TERM/" NEVER "/KILL", "--", SHELL("/probe -d; exit 4"));
	EXPECT(4, job_finish(&job));
	job_heard(&job, "TERM");
}

static void stop_deaf_daemon(void)
{
	static struct job job;
	long long began = now();

	START(&job, "-k", "200ms", "--", SHELL("/probe -d -n; exit 4"));
	EXPECT(4, job_finish(&job));
	at_least(began, 200);
	/* Where the state of a process cannot be read, it gets CONT as well. */
	if (job_count(&job, "TERM") != 1)
		fails("TERM not once: %s", flat(job.text));
}

/* The state of a process, as in ps(1), or 0. */
static char state_of(pid_t pid)
{
	char name[64], stat[256], *end;

	snprintf(name, sizeof(name), "/proc/%d/stat", (int)pid);
	file_read(name, stat, sizeof(stat));
	end = strrchr(stat, ')');
	return end ? end[2] : '\0';
}

static void state_await(pid_t pid, char state)
{
	for (long long began = now(); state_of(pid) != state;)
		if (!still_time(began))
			fails("waited %d s for state %c of process %d", LIMIT, state, (int)pid);
}

static void stop_stopped_daemon(void)
{
	static struct job job;

	START(&job, "--stop=TERM/" NEVER "/KILL", "--",
	      SHELL("/probe -d -T; exec /probe -x HUP=4"));
	state_await(job_ready(&job, 0), 'T');
	job_ready(&job, 1);
	signal_send(job.pid, SIGHUP);
	EXPECT(4, job_finish(&job));
	job_heard(&job, "HUP TERM");
}

static void stop_stopped_command(void)
{
	static struct job job;

	START(&job, "--stop=TERM/" NEVER "/KILL", "--", "/probe", "-T", "-x", "TERM=5");
	state_await(job_ready(&job, 0), 'T');
	signal_send(job.pid, SIGTERM);
	EXPECT(5, job_finish(&job));
}

static void stop_threads(void)
{
	static struct job job;

	START(&job, "--stop=TERM/" NEVER "/KILL", "--", SHELL("/probe -d -t; exit 4"));
	EXPECT(4, job_finish(&job));
	job_heard(&job, "TERM");
}

static void stop_many(void)
{
	static struct job job;

	START(&job, "--stop=TERM/" NEVER "/KILL", "--",
	      SHELL("/probe -d -f 30; exec /probe -x HUP=4"));
	job_ready(&job, 31);
	signal_send(job.pid, SIGHUP);
	EXPECT(4, job_finish(&job));
	if (job_count(&job, "TERM") != 31)
		fails("%d of 31 got TERM", job_count(&job, "TERM"));
}

static void stop_bomb(void)
{
	EXPECT(4, RUN("-k", "200ms", "--", SHELL("/bomb -s -x fork 30; exit 4")));
}

static void stop_chain(void)
{
	EXPECT(4, RUN("-k", "200ms", "--", SHELL("/bomb -s -x chain 2; exit 4")));
}

static void stop_hangup(void)
{
	static struct job job;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1 || dup2(ends[0], 8) == -1)
		fails("pipe: %s", strerror(errno));
	START(&job, "--hangup=8", "--", "/probe", "-x", "TERM=6");
	job_ready(&job, 0);
	close(ends[1]);
	EXPECT(6, job_finish(&job));
}

/* A schedule that begins with a wait: the first TERM is held back, and the second ends the wait. */
static void stop_drain(void)
{
	static struct job job;
	long long began = now();

	START(&job, "--stop=400ms/TERM/" NEVER "/KILL", "--", "/probe", "-x", "TERM=6");
	job_ready(&job, 0);
	signal_send(job.pid, SIGTERM);
	EXPECT(6, job_finish(&job));
	at_least(began, 400);
	job_heard(&job, "TERM");
	START(&job, "-v", "--stop=" NEVER "/TERM/" NEVER "/KILL", "--", "/probe", "-x", "TERM=6");
	job_ready(&job, 0);
	signal_send(job.pid, SIGTERM);
	job_await(&job, "fry-run: * holding TERM back*", 1);
	signal_send(job.pid, SIGTERM);
	EXPECT(6, job_finish(&job));
}

static void stop_pause(void)
{
	static struct job job;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	START(&job, "--pause");
	signal_send(job.pid, SIGTERM);
	EXPECT(0, job_finish(&job));
}

/* --- death of fry-run, and of its parent */

static void killed_outer(void)
{
	static struct job job;

	START(&job, "--", SHELL("/probe -d -n; /probe -d -n -T; exec /probe -n"));
	job_ready(&job, 2);
	signal_send(job.pid, SIGKILL);
	EXPECT(1000 + SIGKILL, job_end(&job));
	nothing_left(true);
}

static void killed_inner(void)
{
	static struct job job;

	START(&job, "--", SHELL("/probe -d -n; /probe -d -n -T; exec /probe -n"));
	job_ready(&job, 2);
	signal_send(inner_of(job.pid), SIGKILL);
	EXPECT(1000 + SIGKILL, job_finish(&job));
	job_await(&job, "fry-run: the inner process was killed*", 1);
}

static void killed_at_random(void)
{
	for (int i = 0; i < 20; i++) {
		static struct job job;

		START(&job, "--", SHELL("/probe -d -n; exec /probe -n"));
		poll(NULL, 0, i);
		signal_send(job.pid, SIGKILL);
		EXPECT(1000 + SIGKILL, job_end(&job));
		nothing_left(true);
		close(job.out);
	}
}

static void killed_parent(void)
{
	static struct job job;

	job_start(&job, WORDS(SHELL("/fry-run -p TERM -- /probe & wait")));
	job_ready(&job, 0);
	signal_send(job.pid, SIGKILL);
	EXPECT(1000 + SIGKILL, job_end(&job));
	nothing_left(true);
	job_heard(&job, "TERM");
}

/* --- reaping and leftovers */

static void reaps_orphans(void)
{
	static struct job job;

	START(&job, "-w", "--", SHELL("/orphans 50; exec /probe -x HUP=4"));
	job_await(&job, "fry-run: reaped orphan: process *", 50);
	job_ready(&job, 0);
	signal_send(job.pid, SIGHUP);
	EXPECT(4, job_finish(&job));
}

static void leftover_wait(void)
{
	static struct job job;

	START(&job, "--leftover=wait", "--", SHELL("/probe -d -n -x USR1=0; exit 4"));
	signal_send(job_ready(&job, 0), SIGUSR1);
	EXPECT(4, job_finish(&job));
	job_heard(&job, "USR1");
}

static void leftover_leave(void)
{
	static struct job job;
	pid_t daemon;

	START(&job, "--leftover=leave", "--", SHELL("/probe -d -x TERM=0; exit 4"));
	daemon = job_ready(&job, 0);
	EXPECT(4, job_end(&job));
	job_heard(&job, "");
	signal_send(daemon, SIGTERM);
	nothing_left(true);
	job_heard(&job, "TERM");
}

static void leftover_fail(void)
{
	static struct job job;

	START(&job, "--leftover=fail", "--", SHELL("/probe -d"));
	EXPECT(125, job_finish(&job));
	job_await(&job, "fry-run: left behind by COMMAND, sent TERM: process * (/probe -d)", 1);
}

static void reports(void)
{
	static const char *const parts[] = {
		"\"argv\":[\"/bin/sh\",\"-c\",\"/probe -d; exit 4\"]",
		"\"exit\":{\"code\":4}",
		"\"status\":4",
		"\"cause\":\"exited\"",
		"\"leftovers\":[{\"pid\":",
		"\"name\":\"probe\"",
	};
	char text[4096];

	EXPECT(4, RUN("--report=report", "--", SHELL("/probe -d; exit 4")));
	if (!file_read("report", text, sizeof(text)))
		fails("no report: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (!strstr(text, parts[i]))
			fails("%s is missing in %s", parts[i], text);
	if (text[0] != '{' || strchr(text, '\n') != text + strlen(text) - 1)
		fails("not one line: %s", text);
}

/* How often a process has gone to sleep. */
static long switches_of(pid_t pid)
{
	static const char word[] = "voluntary_ctxt_switches:";
	char name[64], text[4096], *found;

	snprintf(name, sizeof(name), "/proc/%d/status", (int)pid);
	if (!file_read(name, text, sizeof(text)))
		fails("%s: %s", name, strerror(errno));
	found = strstr(text, word);
	return found ? atol(found + sizeof(word) - 1) : -1;
}

static void sleeps(void)
{
	static struct job job;
	long outer, inner;
	pid_t below;

	START(&job, "--", SHELL("/probe -d; exec /probe -x HUP=4"));
	job_ready(&job, 1);
	below = inner_of(job.pid);
	state_await(job.pid, 'S');
	state_await(below, 'S');
	outer = switches_of(job.pid);
	inner = switches_of(below);
	poll(NULL, 0, 2000);
	if (switches_of(job.pid) != outer || switches_of(below) != inner)
		fails("woke up %ld and %ld times", switches_of(job.pid) - outer,
		      switches_of(below) - inner);
	signal_send(job.pid, SIGHUP);
	EXPECT(4, job_finish(&job));
}

/* --- orphans of a special kind, as COMMAND */

/* Say ready, and name TERM; end upon it unless deaf. Blocked by main. */
__attribute__((noreturn)) static void orphan_live(bool deaf)
{
	uint64_t term = signal_bit(SIGTERM);

	setsid();
	dprintf(STDOUT_FILENO, "ready %d\n", (int)getpid());
	do {
		if (syscall(SYS_rt_sigtimedwait, &term, NULL, NULL, sizeof(term)) == SIGTERM)
			dprintf(STDOUT_FILENO, "TERM\n");
	} while (deaf);
	_exit(0);
}

/* fork, where the child ends without SIGCHLD and leaves no zombie. */
static pid_t fork_autoreap(void)
{
	uint64_t arguments[11] = {AUTOREAP};

	return (pid_t)syscall(SYS_clone3, arguments, sizeof(arguments));
}

/*
 * init autoreap|hidden [deaf]
 *
 * Leave an orphan in a session of its own, and exit with 4. It was made with CLONE_AUTOREAP, or hides in
 * /proc from its own user, where that has hidepid=2.
 */
static int orphan_main(int argc, char **argv)
{
	bool autoreap = strcmp(argv[1], "autoreap") == 0;
	pid_t pid;

	mask_set(signal_bit(SIGTERM));
	pid = autoreap ? fork_autoreap() : fork();
	if (pid == -1)
		fail("fork");
	if (pid == 0) {
		prctl(PR_SET_DUMPABLE, autoreap);
		orphan_live(argc > 2);
	}
	return 4;
}

static void hidden_daemon(void)
{
	static struct job job;

	START(&job, "--stop=TERM/" NEVER "/KILL", "--", "/init", "hidden");
	EXPECT(4, job_finish(&job));
}

static void hidden_deaf_daemon(void)
{
	EXPECT(4, RUN("-k", "200ms", "--", "/init", "hidden", "deaf"));
}

static void autoreap_wait(void)
{
	static struct job job;
	pid_t orphan;

	START(&job, "--leftover=wait", "--", "/init", "autoreap");
	orphan = job_ready(&job, 0);
	/* By now fry-run sleeps, and only the orphan is left. */
	poll(NULL, 0, 500);
	signal_send(orphan, SIGTERM);
	EXPECT(4, job_finish(&job));
	job_heard(&job, "TERM");
}

static void autoreap_stop(void)
{
	static struct job job;

	START(&job, "--stop=TERM/" NEVER "/KILL", "--", "/init", "autoreap");
	EXPECT(4, job_finish(&job));
	job_heard(&job, "TERM");
}

static void autoreap_kill(void)
{
	EXPECT(4, RUN("--stop=TERM/200ms/KILL/" NEVER, "--", "/init", "autoreap", "deaf"));
}

static void autoreap_before(void)
{
	static struct job job;
	pid_t orphan;

	START(&job, "--stop=TERM/" NEVER "/KILL", "--",
	      SHELL("/init autoreap; exec /probe -x HUP=5"));
	orphan = job_ready(&job, 0);
	job_ready(&job, 1);
	signal_send(orphan, SIGKILL);
	signal_send(job.pid, SIGHUP);
	EXPECT(5, job_finish(&job));
}

static void autoreap_killed_outer(void)
{
	static struct job job;

	START(&job, "--", SHELL("/init autoreap deaf; exec /probe -n"));
	job_ready(&job, 1);
	signal_send(job.pid, SIGKILL);
	EXPECT(1000 + SIGKILL, job_end(&job));
	nothing_left(true);
}

static void autoreap_killed_inner(void)
{
	static struct job job;

	START(&job, "--", SHELL("/init autoreap deaf; exec /probe -n"));
	job_ready(&job, 1);
	signal_send(inner_of(job.pid), SIGKILL);
	EXPECT(1000 + SIGKILL, job_finish(&job));
}

/* --- process 1 of a namespace */

/* Fork into new namespaces for processes and mounts. As a user, that takes one for users. */
static pid_t fork_namespace(bool mounts_proc)
{
	unsigned long flags = CLONE_NEWPID | CLONE_NEWNS | (geteuid() ? CLONE_NEWUSER : 0);
	char map[64];
	pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (pid == -1)
		fails("no namespace: %s", strerror(errno));
	if (pid > 0)
		return pid;
	if (flags & CLONE_NEWUSER) {
		file_write("/proc/self/setgroups", "deny");
		snprintf(map, sizeof(map), "%d %d 1", USER, USER);
		file_write("/proc/self/uid_map", map);
		file_write("/proc/self/gid_map", map);
	}
	if (mounts_proc && mount("proc", "/proc", "proc", 0, NULL) == -1)
		fails("mounting /proc: %s", strerror(errno));
	return 0;
}

static void job_start_pid1(struct job *job, bool mounts_proc, const char *const *command)
{
	int out[2];

	memset(job, 0, sizeof(*job));
	job->terminal = -1;
	if (pipe2(out, O_CLOEXEC) == -1)
		fails("pipe: %s", strerror(errno));
	job->pid = fork_namespace(mounts_proc);
	if (job->pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(out[1], STDERR_FILENO);
		program_execute(command);
	}
	close(out[1]);
	job->out = out[0];
}

#define START_PID1(job, ...) job_start_pid1(job, true, WORDS("/fry-run", __VA_ARGS__))

static void pid1_status(void)
{
	static struct job job;

	START_PID1(&job, "--", SHELL("exit 3"));
	EXPECT(3, job_finish(&job));
	START_PID1(&job, "--", "/probe", "-k", "TERM");
	EXPECT(128 + SIGTERM, job_finish(&job));
	START_PID1(&job, "--", "/missing");
	EXPECT(127, job_finish(&job));
}

static void pid1_forwards(void)
{
	static struct job job;

	START_PID1(&job, "--stop=INT/" NEVER "/KILL", "--", "/probe", "-n", "-x", "QUIT=6");
	job_ready(&job, 0);
	signal_send(job.pid, SIGHUP);
	job_await(&job, "HUP", 1);
	signal_send(job.pid, RTMIN + 2);
	job_await(&job, "RTMIN+2", 1);
	signal_send(job.pid, SIGTERM);
	job_await(&job, "TERM", 1);
	signal_send(job.pid, SIGTERM);
	job_await(&job, "TERM", 2);
	signal_send(job.pid, SIGQUIT);
	EXPECT(6, job_finish(&job));
	job_heard(&job, "HUP RTMIN+2 TERM TERM QUIT");
}

static void pid1_daemon(void)
{
	static struct job job;

	START_PID1(&job, "--stop=TERM/" NEVER "/KILL", "--", SHELL("/probe -d; exit 4"));
	EXPECT(4, job_finish(&job));
	job_heard(&job, "TERM");
}

static void pid1_deaf(void)
{
	static struct job job;
	long long began = now();

	START_PID1(&job, "-t", "200ms", "--stop=TERM/200ms/KILL", "--",
		   SHELL("/probe -d -n; exec /probe -n"));
	EXPECT(124, job_finish(&job));
	at_least(began, 400);
}

static void pid1_from_inside(void)
{
	static struct job job;

	START_PID1(&job, "--", SHELL("kill -TERM 1; exec /bin/sleep 1000"));
	EXPECT(128 + SIGTERM, job_finish(&job));
}

static void pid1_reaps(void)
{
	static struct job job;

	START_PID1(&job, "-w", "--", SHELL("/orphans 50; exec /probe -x HUP=4"));
	job_await(&job, "fry-run: reaped orphan: process *", 50);
	job_ready(&job, 0);
	signal_send(job.pid, SIGHUP);
	EXPECT(4, job_finish(&job));
}

static void pid1_foreign_proc(void)
{
	static struct job job;

	job_start_pid1(
		&job, false,
		WORDS("/fry-run", "--stop=TERM/" NEVER "/KILL", "--", SHELL("/probe -d; exit 4")));
	EXPECT(4, job_finish(&job));
	job_heard(&job, "TERM");
}

static void pid1_autoreap(void)
{
	static struct job job;

	START_PID1(&job, "--stop=TERM/" NEVER "/KILL", "--", "/init", "autoreap");
	EXPECT(4, job_finish(&job));
	job_heard(&job, "TERM");
}

/* --- cgroup v2 */

static void cgroup_new(void)
{
	static struct job job;

	START(&job, "--cgroup=new", "--stop=TERM/" NEVER "/KILL", "--",
	      SHELL("cat /proc/self/cgroup; /probe -d; exit 4"));
	EXPECT(4, job_finish(&job));
	job_await(&job, "0::/check/?*", 1);
	job_heard(&job, "TERM");
}

static void cgroup_new_kill(void)
{
	EXPECT(4, RUN("--cgroup=new", "-k", "200ms", "--",
		      SHELL("/probe -d -n; /probe -d -n -T; exit 4")));
}

static void cgroup_new_bomb(void)
{
	EXPECT(4, RUN("--cgroup=new", "-k", "200ms", "--", SHELL("/bomb -s -x fork 30; exit 4")));
}

static void cgroup_new_killed(void)
{
	static struct job job;

	START(&job, "--cgroup=new", "--", SHELL("/probe -d -n; exec /probe -n"));
	job_ready(&job, 1);
	signal_send(job.pid, SIGKILL);
	EXPECT(1000 + SIGKILL, job_end(&job));
	nothing_left(true);
}

static void cgroup_own_refused(void)
{
	EXPECT(125, RUN("--cgroup=own", "--", "/bin/true"));
}

/* In a cgroup of its own, into which another process, not a descendant, is moved. */
static void cgroup_own(void)
{
	static struct job job, other;
	char pid[16];

	if (mkdir(CGROUP "/check/own", 0755) == -1)
		fails("mkdir: %s", strerror(errno));
	job_start(&other, WORDS("/probe", "-x", "TERM=9"));
	snprintf(pid, sizeof(pid), "%d", (int)job_ready(&other, 0));
	job_start(&job, WORDS(SHELL("echo $$ >" CGROUP "/check/own/cgroup.procs &&"
				    "exec /fry-run --cgroup=own --stop=TERM/" NEVER
				    "/KILL -- /probe -x HUP=4")));
	job_ready(&job, 0);
	file_write(CGROUP "/check/own/cgroup.procs", pid);
	signal_send(job.pid, SIGHUP);
	EXPECT(4, job_end(&job));
	EXPECT(9, job_finish(&other));
	if (rmdir(CGROUP "/check/own") == -1)
		fails("rmdir: %s", strerror(errno));
}

/*
 * The processes that a freezer of cgroup v1 holds die of KILL only when they are thawed: cgroups(7). The
 * inner process and COMMAND are held.
 */
static void frozen_inner(void)
{
	static struct job job;
	char pid[16], state[16] = "";

	mkdir("/tmp/freezer", 0755);
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount("freezer", "/tmp/freezer", "cgroup", 0, "freezer") == -1 ||
	    mkdir("/tmp/freezer/job", 0755) == -1)
		fails("the freezer: %s", strerror(errno));
	START(&job, "--stop=TERM/200ms/KILL", "--", "/probe", "-n");
	snprintf(pid, sizeof(pid), "%d", (int)job_ready(&job, 0));
	file_write("/tmp/freezer/job/cgroup.procs", pid);
	snprintf(pid, sizeof(pid), "%d", (int)inner_of(job.pid));
	file_write("/tmp/freezer/job/cgroup.procs", pid);
	file_write("/tmp/freezer/job/freezer.state", "FROZEN");
	for (long long began = now(); strncmp(state, "FROZEN", 6) != 0;) {
		file_read("/tmp/freezer/job/freezer.state", state, sizeof(state));
		if (!still_time(began))
			fails("waited %d s for the freezer: %s", LIMIT, state);
	}
	signal_send(job.pid, SIGTERM);
	EXPECT(1000 + SIGKILL, job_end(&job));
	file_write("/tmp/freezer/job/freezer.state", "THAWED");
	nothing_left(true);
	job_await(&job, "fry-run: the inner process does not respond*", 1);
}

/* --- terminals */

static void tty_interrupt(void)
{
	static struct job job;

	START_TTY(&job, "/fry-run", "--", "/probe", "-s", "-n", "-x", "USR2=4");
	job_ready(&job, 0);
	job_type(&job, "\003");
	job_await(&job, "*INT from kernel", 1);
	job_type(&job, "\034");
	job_await(&job, "*QUIT from kernel", 1);
	signal_send(job.pid, SIGUSR2);
	EXPECT(4, job_finish(&job));
	if (job_count(&job, "*INT from *") != 1 || job_count(&job, "*QUIT from *") != 1)
		fails("not each once: %s", flat(job.text));
}

static void tty_from_process(void)
{
	static struct job job;

	START_TTY(&job, "/fry-run", "--", "/probe", "-n", "-x", "USR2=4");
	job_ready(&job, 0);
	for (int i = 1; i <= 5; i++) {
		signal_send(job.pid, SIGHUP);
		job_await(&job, "HUP", i);
		signal_send(-job.pid, SIGUSR1);
		job_await(&job, "USR1", i);
	}
	signal_send(job.pid, SIGUSR2);
	EXPECT(4, job_finish(&job));
	if (job_count(&job, "HUP") != 5 || job_count(&job, "USR1") != 5)
		fails("not each five times: %s", flat(job.text));
}

static void tty_window(void)
{
	static struct job job;
	struct winsize size = {.ws_row = 30, .ws_col = 100};

	START_TTY(&job, "/fry-run", "--", "/probe", "-n", "-x", "USR2=4");
	job_ready(&job, 0);
	ioctl(job.terminal, TIOCSWINSZ, &size);
	job_await(&job, "WINCH", 1);
	signal_send(job.pid, SIGUSR2);
	EXPECT(4, job_finish(&job));
	if (job_count(&job, "WINCH") != 1)
		fails("not once: %s", flat(job.text));
}

static void tty_hangup(void)
{
	static struct job job;
	char text[256] = "";
	int fd;

	START_TTY(&job, "/fry-run", "--", SHELL("echo ready 1; exec /probe -o heard -n -x HUP=5"));
	for (long long began = now(); !strstr(text, "ready");) {
		fd = open("heard", O_RDONLY | O_CLOEXEC);
		if (fd != -1 && read(fd, text, sizeof(text) - 1) == -1)
			fails("heard: %s", strerror(errno));
		close(fd);
		if (!still_time(began))
			fails("waited %d s for COMMAND", LIMIT);
	}
	close(job.terminal);
	job.out = open("/dev/null", O_RDONLY | O_CLOEXEC);
	EXPECT(5, job_finish(&job));
}

/* Wait until this process group is in the foreground of the terminal. */
static void foreground_await(const struct job *job, pid_t group)
{
	for (long long began = now(); tcgetpgrp(job->terminal) != group;)
		if (!still_time(began))
			fails("waited %d s for process group %d in the foreground: %s", LIMIT,
			      (int)group, flat(job->text));
}

static void tty_stop(const char *placement)
{
	static struct job job;
	char line[128];
	pid_t group;

	START_TTY(&job, "/bin/sh", "-i");
	snprintf(line, sizeof(line), "/fry-run %s -- /probe -z -n -x QUIT=4; echo status $?\n",
		 placement);
	job_type(&job, line);
	job_await(&job, "*ready [0-9]*", 1);
	group = tcgetpgrp(job.terminal);
	for (int i = 1; i <= 3; i++) {
		job_type(&job, "\003");
		job_await(&job, "*INT*", i);
		job_type(&job, "\032");
		job_await(&job, "*Stopped*", i);
		job_type(&job, "fg\n");
		foreground_await(&job, group);
	}
	job_type(&job, "\034");
	job_await(&job, "*QUIT*", 1);
	job_type(&job, "exit 5\n");
	EXPECT(5, job_finish(&job));
	if (job_count(&job, "*INT*") != 3)
		fails("INT not three times: %s", flat(job.text));
}

static void tty_stop_inherit(void)
{
	tty_stop("--pgroup=inherit");
}

static void tty_stop_new(void)
{
	tty_stop("--pgroup=new");
}

static void tty_session(void)
{
	static struct job job;

	START_TTY(&job, "/fry-run", "--pgroup=session", "--", "/probe", "-s", "-n", "-x", "QUIT=4");
	job_ready(&job, 0);
	job_type(&job, "\003");
	job_await(&job, "*INT from kernel", 1);
	job_type(&job, "\034");
	EXPECT(4, job_finish(&job));
	if (job_count(&job, "*HUP from *") + job_count(&job, "*CONT from *") != 0)
		fails("heard of the hand-over: %s", flat(job.text));
}

/* --- the checks */

static const struct check {
	const char *text;
	void (*run)(void);
	enum place place;
} checks[] = {
	{"the exit status is that of COMMAND", status_passed_on, PLAIN},
	{"a time limit that is over exits 124", status_timeout, PLAIN},
	{"a malformed command line exits 125", status_misuse, PLAIN},
	{"a COMMAND that is a directory exits 126", status_not_executable, PLAIN},
	{"a missing COMMAND exits 127", status_not_found, PLAIN},
	{"fry-run dies of each fatal signal that COMMAND dies of", status_death, PLAIN},
	{"--status=code exits 128+N, and --expect makes it 0", status_code, PLAIN},
	{"--no-guard ends as COMMAND does, and stops a daemon", status_without_guard, PLAIN},
	{"COMMAND inherits ignored signals and the signal mask", inherits_signals, PLAIN},
	{"COMMAND inherits arguments, environment, directory, umask and descriptors", inherits_rest,
	 PLAIN},
	{"each signal that can be caught reaches COMMAND exactly once", forwards_each, PLAIN},
	{"fifty real-time signals reach COMMAND with their values", forwards_queue, PLAIN},
	{"INT, TERM and QUIT reach COMMAND's process group once", forwards_group, PLAIN},
	{"HUP and USR1 reach COMMAND alone", forwards_alone, PLAIN},
	{"--scope=tree reaches a descendant in a session of its own", forwards_tree, PLAIN},
	{"a signal from before COMMAND was executed is not lost", forwards_early, PLAIN},
	{"--rewrite forwards another signal, or none", forwards_rewritten, PLAIN},
	{"after COMMAND has ended, signals reach what is left", forwards_to_others, PLAIN},
	{"a signal to each process one by one reaches COMMAND once", broadcast_once, PLAIN},
	{"a signal to fry-run's group reaches COMMAND in it once", group_once_inherit, PLAIN},
	{"a signal to fry-run's group reaches COMMAND in another group once", group_once_new,
	 PLAIN},
	{"the stop schedule sends INT, TERM and KILL, with its waits between", stop_schedule,
	 PLAIN},
	{"-k sends KILL after TERM and its wait", stop_kill_after, PLAIN},
	{"INT is forwarded each time, also during a stop", stop_forwards_again, PLAIN},
	{"a time limit stops COMMAND, daemons and stopped processes", stop_time_limit, PLAIN},
	{"a daemon gets TERM when COMMAND has ended", stop_daemon, PLAIN},
	{"a daemon that ignores TERM is killed", stop_deaf_daemon, PLAIN},
	{"a stopped daemon can act on TERM", stop_stopped_daemon, PLAIN},
	{"a stopped COMMAND can act on TERM", stop_stopped_command, PLAIN},
	{"a daemon whose main thread has ended gets TERM", stop_threads, PLAIN},
	{"31 daemons get TERM once each", stop_many, PLAIN},
	{"a fork bomb in sessions of its own is killed", stop_bomb, PLAIN},
	{"chains of processes that fork and exit are killed", stop_chain, PLAIN},
	{"--hangup stops COMMAND when the pipe is closed", stop_hangup, PLAIN},
	{"a first wait of the stop schedule holds TERM back, until the second TERM", stop_drain,
	 PLAIN},
	{"--pause ends upon TERM", stop_pause, PLAIN},
	{"kill -9 of the outer process leaves nothing behind", killed_outer, PLAIN},
	{"kill -9 of the inner process leaves nothing behind", killed_inner, PLAIN},
	{"a stop ends though a freezer holds the inner process and COMMAND", frozen_inner, AS_ROOT},
	{"kill -9 of fry-run at any time leaves nothing behind", killed_at_random, PLAIN},
	{"--parent-death stops COMMAND when the parent is killed", killed_parent, PLAIN},
	{"fifty orphans are reaped while COMMAND runs", reaps_orphans, PLAIN},
	{"--leftover=wait waits for a daemon", leftover_wait, PLAIN},
	{"--leftover=leave leaves a daemon running", leftover_leave, PLAIN},
	{"--leftover=fail names a daemon and exits 125", leftover_fail, PLAIN},
	{"--report writes one line of JSON", reports, PLAIN},
	{"fry-run does not wake up while COMMAND runs", sleeps, PLAIN},
	{"without /proc a daemon gets TERM", stop_daemon, NO_PROC},
	{"without /proc a daemon that ignores TERM is killed", stop_deaf_daemon, NO_PROC},
	{"without /proc 31 daemons get TERM once each", stop_many, NO_PROC},
	{"without /proc kill -9 of fry-run leaves nothing behind", killed_outer, NO_PROC},
	{"with hidepid=2 a daemon gets TERM", stop_daemon, HIDEPID},
	{"with hidepid=2 a daemon that /proc hides is stopped", hidden_daemon, HIDEPID},
	{"with hidepid=2 a daemon that /proc hides and that ignores TERM is killed",
	 hidden_deaf_daemon, HIDEPID},
	{"as a child of process 1 fry-run gives a daemon TERM", stop_daemon, BELOW_PID1},
	{"as a child of process 1 fry-run kills a daemon that ignores TERM", stop_deaf_daemon,
	 BELOW_PID1},
	{"as a child of process 1 fry-run leaves nothing behind upon kill -9", killed_outer,
	 BELOW_PID1},
	{"as a child of process 1 a signal to each process reaches COMMAND once", broadcast_once,
	 BELOW_PID1},
	{"with the /proc of another pid namespace a daemon gets TERM", stop_daemon, FOREIGN_PROC},
	{"with the /proc of another pid namespace kill -9 leaves nothing behind", killed_outer,
	 FOREIGN_PROC},
	{"as process 1 fry-run exits with COMMAND's status or 128+N", pid1_status, PLAIN},
	{"as process 1 fry-run forwards each signal each time", pid1_forwards, PLAIN},
	{"as process 1 fry-run gives a daemon TERM", pid1_daemon, PLAIN},
	{"as process 1 fry-run kills what ignores TERM", pid1_deaf, PLAIN},
	{"as process 1 fry-run forwards a signal from inside", pid1_from_inside, PLAIN},
	{"as process 1 fry-run reaps fifty orphans while COMMAND runs", pid1_reaps, PLAIN},
	{"as process 1 with the /proc of another pid namespace fry-run gives a daemon TERM",
	 pid1_foreign_proc, PLAIN},
	{"--cgroup=new gives a daemon TERM, and removes the cgroup", cgroup_new, IN_CGROUP},
	{"--cgroup=new kills what ignores TERM or is stopped", cgroup_new_kill, IN_CGROUP},
	{"--cgroup=new kills a fork bomb", cgroup_new_bomb, IN_CGROUP},
	{"--cgroup=new leaves no process behind upon kill -9", cgroup_new_killed, IN_CGROUP},
	{"--cgroup=own is refused in a cgroup with other processes", cgroup_own_refused, IN_CGROUP},
	{"--cgroup=own gives a process TERM that was moved into the cgroup", cgroup_own, IN_CGROUP},
	{"on a terminal Ctrl-C and Ctrl-\\ reach COMMAND once", tty_interrupt, PLAIN},
	{"on a terminal a signal to fry-run or to its group reaches COMMAND once", tty_from_process,
	 PLAIN},
	{"on a terminal a change of the window reaches COMMAND once", tty_window, PLAIN},
	{"on a terminal the hang-up reaches COMMAND", tty_hangup, PLAIN},
	{"in a shell Ctrl-Z stops the job and fg continues it", tty_stop_inherit, PLAIN},
	{"in a shell --pgroup=new hands over the foreground, and Ctrl-Z and fg work", tty_stop_new,
	 PLAIN},
	{"--pgroup=session moves the terminal along without a hang-up", tty_session, PLAIN},
	{"--leftover=wait returns after an orphan has ended without SIGCHLD", autoreap_wait,
	 NEW_KERNEL},
	{"a stop returns after an orphan has ended without SIGCHLD", autoreap_stop, NEW_KERNEL},
	{"KILL returns after an orphan has ended without SIGCHLD", autoreap_kill, NEW_KERNEL},
	{"an orphan that ended without SIGCHLD before COMMAND is not waited for", autoreap_before,
	 NEW_KERNEL},
	{"kill -9 of the outer process kills an orphan that ends without SIGCHLD",
	 autoreap_killed_outer, NEW_KERNEL},
	{"kill -9 of the inner process kills an orphan that ends without SIGCHLD",
	 autoreap_killed_inner, NEW_KERNEL},
	{"as process 1 fry-run returns after an orphan has ended without SIGCHLD", pid1_autoreap,
	 NEW_KERNEL},
};

/* CLONE_AUTOREAP came with Linux 7.1. */
static bool is_new_kernel(void)
{
	struct utsname system;
	int major, minor;

	uname(&system);
	return sscanf(system.release, "%d.%d", &major, &minor) == 2 &&
	       (major > 7 || (major == 7 && minor >= 1));
}

static void mounts(const char *type, const char *where, const char *options)
{
	if (mount(type, where, type, 0, options) == -1)
		fails("mounting %s: %s", where, strerror(errno));
}

/* As root: put this process into the cgroup `check`, and give that to the user. */
static void cgroup_enter(uid_t user)
{
	static const char *const files[] = {"", "/cgroup.procs", "/cgroup.subtree_control",
					    "/cgroup.threads"};
	char name[128];

	if (mkdir(CGROUP "/check", 0755) == -1)
		fails("mkdir: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(name, sizeof(name), CGROUP "/check%s", files[i]);
		if (chown(name, user, user) == -1)
			fails("%s: %s", name, strerror(errno));
	}
	file_write(CGROUP "/check/cgroup.procs", "0");
}

/* As root: what has to be done before this process becomes one of the user. */
static void place_enter(enum place place, uid_t user)
{
	if (mkdir("/tmp/check", 0700) == -1 || chown("/tmp/check", user, user) == -1 ||
	    chdir("/tmp/check") == -1)
		fails("/tmp/check: %s", strerror(errno));
	if ((place == NO_PROC || place == HIDEPID) && unshare(CLONE_NEWNS) == -1)
		fails("unshare: %s", strerror(errno));
	if (place == NO_PROC)
		mounts("tmpfs", "/proc", NULL);
	if (place == HIDEPID)
		mounts("proc", "/proc", "hidepid=2");
	if (place == IN_CGROUP)
		cgroup_enter(user);
}

static void user_become(uid_t user)
{
	if (user == 0)
		return;
	if (setgroups(0, NULL) == -1 || setresgid(user, user, user) == -1 ||
	    setresuid(user, user, user) == -1)
		fails("user: %s", strerror(errno));
	/* Else this process, and what it forks, may not write to its own uid_map. */
	prctl(PR_SET_DUMPABLE, 1);
}

/* Make the check in a process of its own. */
__attribute__((noreturn)) static void check_run(const struct check *check, uid_t user)
{
	int status;
	pid_t pid;

	setsid();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	place_enter(check->place, user);
	user_become(user);
	if (check->place == BELOW_PID1 || check->place == FOREIGN_PROC) {
		pid = fork_namespace(check->place == BELOW_PID1);
		if (pid > 0)
			_exit(waitpid(pid, &status, 0) == pid && WIFEXITED(status)
				      ? WEXITSTATUS(status)
				      : 1);
	}
	check->run();
	_exit(0);
}

/* Kill what is left, all of which is below this process. True if there was anything alive. */
static bool everything_end(void)
{
	bool any = false;
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG | __WALL)) != -1) {
		if (pid > 0)
			continue;
		any = true;
		kill(-1, SIGKILL);
		poll(NULL, 0, 1);
	}
	return any;
}

/* Wait for the process of a check. Returns whether it has succeeded. */
static bool check_wait(pid_t check)
{
	long long began = now();
	int status;

	for (;;) {
		pid_t pid = waitpid(-1, &status, WNOHANG | __WALL);

		if (pid == check)
			return WIFEXITED(status) && WEXITSTATUS(status) == 0;
		if (pid == 0 && now() - began > LIMIT_ALL * 1000) {
			printf("# not over after %d s\n", LIMIT_ALL);
			return false;
		}
		if (pid == 0)
			poll(NULL, 0, 2);
	}
}

/* Remove what a check leaves in the file system. */
static bool places_remove(void)
{
	unlink("/tmp/check/bomb.lock");
	unlink("/tmp/check/heard");
	unlink("/tmp/check/report");
	rmdir("/tmp/check");
	if (rmdir(CGROUP "/check") == 0 || errno == ENOENT)
		return true;
	printf("# the cgroup of the check is not empty: %s\n", strerror(errno));
	return false;
}

static bool check_make(const struct check *check, uid_t user)
{
	bool good;
	pid_t pid = fork();

	if (pid == 0)
		check_run(check, user);
	good = check_wait(pid);
	if (everything_end()) {
		printf("# a process was left behind\n");
		good = false;
	}
	return places_remove() && good;
}

/* Print every check as root, then as a user. Returns how many have failed. */
static void checks_make(void)
{
	static const uid_t users[] = {0, USER};
	bool new_kernel = is_new_kernel();
	int number = 0, failed = 0;

	for (size_t i = 0; i < 2 * sizeof(checks) / sizeof(*checks); i++) {
		const struct check *check = &checks[i % (sizeof(checks) / sizeof(*checks))];
		uid_t user = users[i / (sizeof(checks) / sizeof(*checks))];
		bool good;

		if ((user == 0 && check->place == HIDEPID) ||
		    (user != 0 && check->place == AS_ROOT) ||
		    (check->place == NEW_KERNEL && !new_kernel))
			continue;
		good = check_make(check, user);
		failed += !good;
		printf("%sok %d - as %s: %s\n", good ? "" : "not ", ++number,
		       user ? "a user" : "root", check->text);
	}
	printf("%d passed, %d failed\n", number - failed, failed);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && getpid() != 1)
		return orphan_main(argc, argv);
	mounts("proc", "/proc", NULL);
	mounts("devtmpfs", "/dev", NULL);
	mkdir("/dev/pts", 0755);
	mounts("devpts", "/dev/pts", "ptmxmode=0666,mode=0620");
	mounts("sysfs", "/sys", NULL);
	mounts("cgroup2", CGROUP, NULL);
	mounts("tmpfs", "/tmp", "mode=1777");
	setenv("PATH", "/bin", 1);
	setenv("TERM", "dumb", 1);
	setenv("PS1", "$ ", 1);
	checks_make();
	sync();
	reboot(RB_POWER_OFF);
}
