/* probe.c - say `ready PID`, then name every signal that arrives, one a line */
/* SPDX-License-Identifier: MIT */
/*
 * probe [OPTION]...
 *
 * Each line is out before the next signal is looked at, so reading a line is the synchronisation.
 * Names are TERM, INT, RTMIN, RTMIN+3; 32 and 33 are numbers. By default TERM, INT and QUIT are
 * named, and then the probe dies of them; all others are only named.
 *
 * Every signal is blocked and fetched with rt_sigtimedwait(2), so each delivery is named once:
 * real-time signals queue, and of the others the kernel keeps one pending at a time. A stop signal
 * (TSTP, TTIN, TTOU) is named and does not stop the probe; in the kernel it discards a CONT that
 * was not fetched yet, and CONT discards it.
 *
 *	-s		add ` from PID`, or ` from kernel`
 *	-q		add ` value N` to what was sent by sigqueue(3)
 *	-i SIG,...	go on after these
 *	-n		go on after all
 *	-x SIG=CODE	exit with CODE upon SIG; repeatable, wins over -i and -n
 *	-z		let TSTP, TTIN and TTOU stop the probe instead of naming them
 *	-e CODE		exit with CODE once ready
 *	-k SIG		die of SIG once ready
 *	-T		stop (SIGSTOP) once ready
 *	-o FILE		append to FILE instead of stdout; with -d, let go of stdin and stderr too
 *	-l FILE		create the lock FILE, and remove it upon INT only
 *	-f N		fork N children that do all the same; each says ready
 *	-d		daemonise (fork, setsid, fork); the starter exits 0 when the daemon is ready
 *	-g		lead a process group
 *	-S		lead a session; who leads a group already cannot, and stays
 *	-t		fetch in a second thread, the main thread being gone: state Z, yet alive
 *	-D		print `ignored: N N...` and `blocked: N N...` as inherited, and exit
 *	-F		print `open: FD FD...` of 0 to 255 as inherited, and exit
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <pthread.h>
#include <stdbool.h>

#include "fixture.h"

#define STOPS (signal_bit(SIGTSTP) | signal_bit(SIGTTIN) | signal_bit(SIGTTOU))

static struct {
	bool sender, value, endless, daemon, group, session, thread, stop, stoppable;
	bool dispositions, descriptors;
	int exits[SIGNALS + 1]; /* -1: not asked for */
	int code, death;        /* once ready; -1 and 0: not asked for */
	int children;
	uint64_t ignored;
	const char *output, *lock;
} probe;

/* Write one line at once. */
static void line_write(const char *line)
{
	size_t length = strlen(line);

	while (length > 0) {
		ssize_t n = write(STDOUT_FILENO, line, length);

		if (n == -1)
			_exit(1);
		line += n;
		length -= (size_t)n;
	}
}

/* Die of a signal as if it had never been caught, without a core. */
static void die(int sig)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	prctl(PR_SET_DUMPABLE, 0);
	disposition_set(sig, SIG_DFL);
	mask_set(EVERY_SIGNAL & ~signal_bit(sig));
	kill(getpid(), sig);
	_exit(128 + sig); /* as PID 1, or of a signal that does not kill */
}

static void signal_print(const siginfo_t *info)
{
	char line[128], name[24];
	int n;

	n = snprintf(line, sizeof(line), "%s", signal_name(info->si_signo, name));
	if (probe.sender && info->si_code == SI_KERNEL)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " from kernel");
	else if (probe.sender)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " from %ld", (long)info->si_pid);
	if (probe.value && info->si_code == SI_QUEUE)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " value %d",
			      info->si_value.sival_int);
	snprintf(line + n, sizeof(line) - (size_t)n, "\n");
	line_write(line);
}

/* Fetch signals, name them, and do as the options say. */
static void *signals_fetch(void *unused)
{
	for (;;) {
		uint64_t every = EVERY_SIGNAL & ~(probe.stoppable ? STOPS : 0);
		siginfo_t info = {0};
		long sig = syscall(SYS_rt_sigtimedwait, &every, &info, NULL, sizeof(every));

		if (sig == -1) {
			if (errno != EINTR) /* by a stop and CONT */
				fail("rt_sigtimedwait");
			continue;
		}
		/* A child is reaped before its CHLD is named: then it is gone for whoever reads. */
		if (sig == SIGCHLD)
			while (waitpid(-1, NULL, WNOHANG) > 0)
				;
		if (sig == SIGINT && probe.lock)
			unlink(probe.lock);
		signal_print(&info);
		if (probe.exits[sig] >= 0)
			_exit(probe.exits[sig]);
		if (probe.endless || probe.ignored & signal_bit((int)sig))
			continue;
		if (sig == SIGTERM || sig == SIGINT || sig == SIGQUIT)
			die((int)sig);
	}
	return unused;
}

/* Fork twice, with a new session between. Only the daemon returns; what it gets to close tells. */
static int daemonise(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready) == -1)
		fail("pipe");
	pid = fork();
	if (pid == -1)
		fail("fork");
	if (pid > 0) {
		close(ready[1]);
		waitpid(pid, NULL, 0);
		while (read(ready[0], &byte, 1) == -1 && errno == EINTR)
			;
		_exit(0);
	}
	close(ready[0]);
	setsid();
	pid = fork();
	if (pid == -1)
		fail("fork");
	if (pid > 0)
		_exit(0);
	return ready[1];
}

static void output_open(void)
{
	int null, fd = open(probe.output, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

	if (fd == -1 || dup2(fd, STDOUT_FILENO) == -1)
		fail(probe.output);
	close(fd);
	if (!probe.daemon)
		return;
	null = open("/dev/null", O_RDWR);
	dup2(null, STDIN_FILENO);
	dup2(null, STDERR_FILENO);
	if (null > STDERR_FILENO)
		close(null);
}

static void inherited_print(uint64_t blocked, const char open[256])
{
	if (probe.dispositions) {
		printf("ignored:");
		for (int sig = 1; sig <= SIGNALS; sig++)
			if (disposition_ignored(sig))
				printf(" %d", sig);
		printf("\nblocked:");
		for (int sig = 1; sig <= SIGNALS; sig++)
			if (blocked & signal_bit(sig))
				printf(" %d", sig);
		printf("\n");
	}
	if (probe.descriptors) {
		printf("open:");
		for (int fd = 0; fd < 256; fd++)
			if (open[fd])
				printf(" %d", fd);
		printf("\n");
	}
}

static void parse_exit(char *word)
{
	char *equals = strchr(word, '=');

	if (!equals)
		misused("not SIG=CODE", word);
	*equals = '\0';
	probe.exits[signal_parse(word)] = number_parse(equals + 1, 255);
}

static void parse_options(int argc, char **argv)
{
	int option;

	probe.code = -1;
	for (int sig = 0; sig <= SIGNALS; sig++)
		probe.exits[sig] = -1;
	while ((option = getopt(argc, argv, "+sqi:nx:ze:k:To:l:f:dgStDF")) != -1) {
		switch (option) {
		case 's':
			probe.sender = true;
			break;
		case 'q':
			probe.value = true;
			break;
		case 'i':
			probe.ignored |= signal_list(optarg);
			break;
		case 'n':
			probe.endless = true;
			break;
		case 'x':
			parse_exit(optarg);
			break;
		case 'z':
			probe.stoppable = true;
			break;
		case 'e':
			probe.code = number_parse(optarg, 255);
			break;
		case 'k':
			probe.death = signal_parse(optarg);
			break;
		case 'T':
			probe.stop = true;
			break;
		case 'o':
			probe.output = optarg;
			break;
		case 'l':
			probe.lock = optarg;
			break;
		case 'f':
			probe.children = number_parse(optarg, 10000);
			break;
		case 'd':
			probe.daemon = true;
			break;
		case 'g':
			probe.group = true;
			break;
		case 'S':
			probe.session = true;
			break;
		case 't':
			probe.thread = true;
			break;
		case 'D':
			probe.dispositions = true;
			break;
		case 'F':
			probe.descriptors = true;
			break;
		default:
			exit(2);
		}
	}
	if (argv[optind])
		misused("unexpected word", argv[optind]);
}

/* Fork the children; all of them go on as the parent does. */
static void children_fork(void)
{
	for (int i = 0; i < probe.children; i++) {
		pid_t pid = fork();

		if (pid == -1)
			fail("fork");
		if (pid == 0)
			return;
	}
}

/* Take the place in groups and sessions that was asked for. Returns what to close when ready. */
static int place(void)
{
	int starter = -1;

	if (probe.daemon)
		starter = daemonise();
	if (probe.group)
		setpgid(0, 0);
	if (probe.session)
		setsid();
	return starter;
}

int main(int argc, char **argv)
{
	uint64_t blocked = mask_set(EVERY_SIGNAL);
	char ready[32], open[256];
	pthread_t thread;
	int starter;

	for (int fd = 0; fd < 256; fd++)
		open[fd] = fcntl(fd, F_GETFD) != -1;
	parse_options(argc, argv);
	if (probe.output)
		output_open();
	if (probe.dispositions || probe.descriptors) {
		inherited_print(blocked, open);
		return 0;
	}
	children_fork();
	starter = place();
	if (probe.stoppable)
		mask_set(EVERY_SIGNAL & ~STOPS);
	if (probe.lock) {
		int lock = creat(probe.lock, 0644);

		if (lock == -1)
			fail(probe.lock);
		close(lock);
	}
	if (probe.thread && (errno = pthread_create(&thread, NULL, signals_fetch, NULL)) != 0)
		fail("pthread_create");

	snprintf(ready, sizeof(ready), "ready %ld\n", (long)getpid());
	line_write(ready);
	if (starter != -1)
		close(starter);
	if (probe.stop)
		kill(getpid(), SIGSTOP);
	if (probe.death)
		die(probe.death);
	if (probe.code >= 0)
		_exit(probe.code);
	if (probe.thread)
		pthread_exit(NULL);
	signals_fetch(NULL);
}
