/* hold.c - hold a process just before it forks */
/* SPDX-License-Identifier: MIT */
/*
 * hold [-n N] NAME COMMAND [ARG]...
 *
 * Runs COMMAND. The first time that a process of it that goes by NAME, as in /proc/PID/comm, is
 * about to make another (with -n the Nth time), prints `held PID` and holds it until USR1, then prints
 * `let go PID`. All the others are let pass. It blocks every other signal, which COMMAND does not, and
 * exits with COMMAND's status, 128+N where it died of signal N.
 */
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <poll.h>
#include <stdbool.h>

#include "fixture.h"

/* linux/seccomp.h and linux/filter.h are not where musl's compiler looks. */
struct filter {
	uint16_t code;
	uint8_t jump_true, jump_false;
	uint32_t k;
};

struct program {
	unsigned short length;
	struct filter *filter;
};

struct notification {
	uint64_t id;
	uint32_t pid, flags;
	int32_t number;
	uint32_t architecture;
	uint64_t pointer, arguments[6];
};

struct answer {
	uint64_t id;
	int64_t value;
	int32_t error;
	uint32_t flags;
};

#define LOAD_WORD       0x20
#define JUMP_IF_EQUAL   0x15
#define RETURN          0x06
#define RETURN_ALLOW    0x7fff0000U
#define RETURN_NOTIFY   0x7fc00000U
#define SET_MODE_FILTER 1
#define NEW_LISTENER    8
#define RECEIVE         _IOWR('!', 0, struct notification)
#define SEND            _IOWR('!', 1, struct answer)
#define CONTINUE        1

#define NR_PIDFD_OPEN  434
#define NR_CLONE3      435
#define NR_PIDFD_GETFD 438

/* Returns the listener. */
static int filter_install(void)
{
	struct filter filter[] = {
		{LOAD_WORD, 0, 0, 0},
		{JUMP_IF_EQUAL, 0, 1, SYS_clone},
		{RETURN, 0, 0, RETURN_NOTIFY},
		{JUMP_IF_EQUAL, 0, 1, NR_CLONE3},
		{RETURN, 0, 0, RETURN_NOTIFY},
#ifdef SYS_fork
		{JUMP_IF_EQUAL, 0, 1, SYS_fork},
		{RETURN, 0, 0, RETURN_NOTIFY},
#endif
#ifdef SYS_vfork
		{JUMP_IF_EQUAL, 0, 1, SYS_vfork},
		{RETURN, 0, 0, RETURN_NOTIFY},
#endif
		{RETURN, 0, 0, RETURN_ALLOW},
	};
	struct program program = {sizeof(filter) / sizeof(*filter), filter};
	long fd = syscall(SYS_seccomp, SET_MODE_FILTER, NEW_LISTENER, &program);

	if (fd == -1 && errno == EACCES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		fd = syscall(SYS_seccomp, SET_MODE_FILTER, NEW_LISTENER, &program);
	if (fd == -1)
		fail("seccomp");
	return (int)fd;
}

static bool is_named(pid_t pid, const char *name)
{
	char path[32], text[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
	file = fopen(path, "r");
	if (!file || !fgets(text, sizeof(text), file))
		text[0] = '\0';
	if (file)
		fclose(file);
	text[strcspn(text, "\n")] = '\0';
	return strcmp(text, name) == 0;
}

/* Start COMMAND. Returns its pid, and the listener that it left to us. */
static pid_t command_start(char **command, uint64_t mask, int *listener)
{
	int told[2], taken[2], fd;
	char byte;
	pid_t pid;

	if (pipe2(told, O_CLOEXEC) == -1 || pipe2(taken, O_CLOEXEC) == -1)
		fail("pipe");
	pid = fork();
	if (pid == -1)
		fail("fork");
	if (pid == 0) {
		mask_set(mask);
		fd = filter_install();
		(void)!write(told[1], &fd, sizeof(fd));
		(void)!read(taken[0], &byte, 1);
		close(fd);
		command_exec(command);
	}
	if (read(told[0], &fd, sizeof(fd)) != sizeof(fd))
		misused("not started", command[0]);
	*listener = (int)syscall(NR_PIDFD_GETFD, syscall(NR_PIDFD_OPEN, pid, 0), fd, 0);
	if (*listener == -1)
		fail("pidfd_getfd");
	(void)!write(taken[1], "", 1);
	return pid;
}

/* Wait for USR1. */
static void hold(pid_t pid)
{
	uint64_t set = signal_bit(SIGUSR1);

	printf("held %ld\n", (long)pid);
	while (syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, sizeof(set)) == -1)
		;
	printf("let go %ld\n", (long)pid);
}

int main(int argc, char **argv)
{
	uint64_t mask = mask_set(EVERY_SIGNAL);
	int option, nth = 1, listener, status;
	pid_t pid;

	while ((option = getopt(argc, argv, "+n:")) != -1) {
		if (option != 'n')
			return 2;
		nth = number_parse(optarg, INT_MAX);
	}
	if (argc - optind < 2)
		misused("missing word", "NAME COMMAND");
	setvbuf(stdout, NULL, _IOLBF, 0);
	pid = command_start(argv + optind + 1, mask, &listener);
	while (waitpid(pid, &status, WNOHANG) != pid) {
		struct pollfd polled = {.fd = listener, .events = POLLIN};
		struct notification asked;
		struct answer answer = {0};

		if (poll(&polled, 1, 10) != 1)
			continue;
		memset(&asked, 0, sizeof(asked));
		if (syscall(SYS_ioctl, listener, RECEIVE, &asked) == -1)
			continue;
		if (is_named((pid_t)asked.pid, argv[optind]) && --nth == 0)
			hold((pid_t)asked.pid);
		answer.id = asked.id;
		answer.flags = CONTINUE;
		syscall(SYS_ioctl, listener, SEND, &answer);
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
