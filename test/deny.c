/* deny.c - execute a command for which system calls fail, or are short of something */
/* SPDX-License-Identifier: MIT */
/*
 * deny [-e ERRNO] [-n N] [-u N] [SYSCALL | -e ERRNO]... -- COMMAND [ARG]...
 *
 * Each SYSCALL, by a name of the table below or by number, fails with ENOSYS, or with the ERRNO (a
 * name of the table below, or a number) that the last -e before it gave. `fork` denies every way
 * to make a process (fork, vfork, clone, clone3), `open` every way to open a file, `pipe`, `dup`,
 * `poll` and `pidfd` likewise, since which call is made depends on libc and architecture.
 *
 *	-n N	leave room for N descriptors (RLIMIT_NOFILE), with those above 2 closed
 *	-u N	leave room for N processes of the user (RLIMIT_NPROC); root is exempt, so let
 *		COMMAND be `setpriv --reuid ...`
 */
#include <sys/prctl.h>
#include <sys/resource.h>

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

#define LOAD_WORD       0x20
#define JUMP_IF_EQUAL   0x15
#define RETURN          0x06
#define RETURN_ALLOW    0x7fff0000U
#define RETURN_ERRNO    0x00050000U
#define SET_MODE_FILTER 1

/* Newer than some libc's headers, and the same on every architecture. */
#define NR_PIDFD_SEND_SIGNAL 424
#define NR_PIDFD_OPEN        434
#define NR_CLONE3            435
#define NR_CLOSE_RANGE       436
#define NR_OPENAT2           437

static const struct {
	const char *name;
	long number;
} calls[] = {
	{"pidfd_send_signal", NR_PIDFD_SEND_SIGNAL},
	{"pidfd_open", NR_PIDFD_OPEN},
	{"pidfd", NR_PIDFD_SEND_SIGNAL},
	{"pidfd", NR_PIDFD_OPEN},
	{"close_range", NR_CLOSE_RANGE},
	{"fork", SYS_clone},
	{"fork", NR_CLONE3},
#ifdef SYS_fork
	{"fork", SYS_fork},
#endif
#ifdef SYS_vfork
	{"fork", SYS_vfork},
	{"vfork", SYS_vfork},
#endif
	{"clone", SYS_clone},
	{"clone3", NR_CLONE3},
	{"open", SYS_openat},
	{"open", NR_OPENAT2},
#ifdef SYS_open
	{"open", SYS_open},
#endif
	{"openat", SYS_openat},
	{"pipe", SYS_pipe2},
#ifdef SYS_pipe
	{"pipe", SYS_pipe},
#endif
	{"pipe2", SYS_pipe2},
	{"dup", SYS_dup},
	{"dup", SYS_dup3},
#ifdef SYS_dup2
	{"dup", SYS_dup2},
#endif
#ifdef SYS_poll
	{"poll", SYS_poll},
#endif
	{"poll", SYS_ppoll},
	{"ppoll", SYS_ppoll},
	{"setpgid", SYS_setpgid},
	{"setsid", SYS_setsid},
	{"getsid", SYS_getsid},
	{"getpgid", SYS_getpgid},
	{"kill", SYS_kill},
	{"tgkill", SYS_tgkill},
	{"rt_sigqueueinfo", SYS_rt_sigqueueinfo},
	{"rt_sigtimedwait", SYS_rt_sigtimedwait},
	{"rt_sigprocmask", SYS_rt_sigprocmask},
	{"rt_sigaction", SYS_rt_sigaction},
	{"signalfd4", SYS_signalfd4},
	{"waitid", SYS_waitid},
	{"wait4", SYS_wait4},
	{"prctl", SYS_prctl},
	{"chdir", SYS_chdir},
	{"ioctl", SYS_ioctl},
	{"fcntl", SYS_fcntl},
	{"mmap", SYS_mmap},
	{"brk", SYS_brk},
	{"read", SYS_read},
	{"write", SYS_write},
	{"getdents64", SYS_getdents64},
	{"unshare", SYS_unshare},
	{"prlimit64", SYS_prlimit64},
	{"sched_setscheduler", SYS_sched_setscheduler},
	{"memfd_create", SYS_memfd_create},
	{"execve", SYS_execve},
};

static const struct {
	const char *name;
	int number;
} errors[] = {
	{"ENOSYS", ENOSYS}, {"EPERM", EPERM},   {"EACCES", EACCES}, {"EAGAIN", EAGAIN},
	{"ENOMEM", ENOMEM}, {"EMFILE", EMFILE}, {"ENFILE", ENFILE}, {"EINVAL", EINVAL},
	{"ENOENT", ENOENT}, {"EIO", EIO},       {"ESRCH", ESRCH},   {"EINTR", EINTR},
	{"ECHILD", ECHILD}, {"ENOTTY", ENOTTY}, {"ENOSPC", ENOSPC},
};

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* Room for a load, two per denied call, and the last word. */
static struct filter filter[256] = {{LOAD_WORD, 0, 0, 0}};
static unsigned short length = 1;

static int error_parse(const char *word)
{
	for (size_t i = 0; i < LENGTH(errors); i++)
		if (strcmp(word, errors[i].name) == 0)
			return errors[i].number;
	return number_parse(word, 4095);
}

static void number_deny(long number, int error)
{
	if (length > LENGTH(filter) - 3)
		misused("too many system calls", "SYSCALL");
	filter[length++] = (struct filter){JUMP_IF_EQUAL, 0, 1, (uint32_t)number};
	filter[length++] = (struct filter){RETURN, 0, 0, RETURN_ERRNO | (uint32_t)error};
}

static void call_deny(const char *word, int error)
{
	bool found = false;

	for (size_t i = 0; i < LENGTH(calls); i++) {
		if (strcmp(word, calls[i].name) == 0) {
			number_deny(calls[i].number, error);
			found = true;
		}
	}
	if (!found)
		number_deny(number_parse(word, INT_MAX), error);
}

/* Other architectures' calls (32-bit programs) are not told apart. */
static void filter_install(void)
{
	struct program program = {0, filter};

	filter[length++] = (struct filter){RETURN, 0, 0, RETURN_ALLOW};
	program.length = length;
	if (syscall(SYS_seccomp, SET_MODE_FILTER, 0, &program) == 0)
		return;
	/* Who is not root has to give up gaining privileges first. */
	if (errno != EACCES || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    syscall(SYS_seccomp, SET_MODE_FILTER, 0, &program) == -1)
		fail("seccomp");
}

int main(int argc, char **argv)
{
	int i = 1, error = ENOSYS, descriptors = -1, processes = -1;
	struct rlimit room;

	for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const char *word = argv[i];

		if (*word != '-')
			call_deny(word, error);
		else if (++i == argc)
			misused("missing word after", word);
		else if (strcmp(word, "-e") == 0)
			error = error_parse(argv[i]);
		else if (strcmp(word, "-n") == 0)
			descriptors = number_parse(argv[i], INT_MAX);
		else if (strcmp(word, "-u") == 0)
			processes = number_parse(argv[i], INT_MAX);
		else
			misused("no such option", word);
	}
	if (i >= argc)
		misused("missing word", "--");
	if (descriptors >= 0) {
		descriptors_close(NULL);
		room.rlim_cur = room.rlim_max = (rlim_t)descriptors;
		if (setrlimit(RLIMIT_NOFILE, &room) == -1)
			fail("RLIMIT_NOFILE");
	}
	if (processes >= 0) {
		room.rlim_cur = room.rlim_max = (rlim_t)processes;
		if (setrlimit(RLIMIT_NPROC, &room) == -1)
			fail("RLIMIT_NPROC");
	}
	if (length > 1)
		filter_install();
	command_exec(argv + i + 1);
}
