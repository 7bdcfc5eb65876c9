/* forge.c - send signals with a siginfo that is made up */
/* SPDX-License-Identifier: MIT */
/*
 * forge
 *
 * Prints `ready PID`, then reads one request a line from stdin until its end:
 *
 *	CALL PID SIG CODE [ERRNO [VALUE [SENDER]]]
 *
 * CALL is queue (rt_sigqueueinfo(2)), thread (rt_tgsigqueueinfo(2), to the main thread) or pidfd
 * (pidfd_send_signal(2)). The other words are numbers, 0 where they are left out, and SIG may be a
 * name. Each request is answered by a line, once it was made: `sent SIG`, or `refused` and the reason.
 * It ignores all signals but TERM.
 */
#include "fixture.h"

#define NR_PIDFD_SEND_SIGNAL 424
#define NR_PIDFD_OPEN        434

static long forge(const char *call, pid_t pid, siginfo_t *info)
{
	long result;
	int fd;

	if (strcmp(call, "queue") == 0)
		return syscall(SYS_rt_sigqueueinfo, pid, info->si_signo, info);
	if (strcmp(call, "thread") == 0)
		return syscall(SYS_rt_tgsigqueueinfo, pid, pid, info->si_signo, info);
	if (strcmp(call, "pidfd") != 0)
		misused("no such call", call);
	fd = (int)syscall(NR_PIDFD_OPEN, pid, 0);
	if (fd == -1)
		return -1;
	result = syscall(NR_PIDFD_SEND_SIGNAL, fd, info->si_signo, info, 0);
	close(fd);
	return result;
}

int main(void)
{
	char line[256], call[16], sig[16];

	/* What the others of its group get must not end it. */
	for (int number = 1; number <= SIGNALS; number++)
		if (number != SIGTERM)
			disposition_set(number, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready %ld\n", (long)getpid());
	while (fgets(line, sizeof(line), stdin)) {
		int pid, code, error = 0, value = 0, sender = 0;
		siginfo_t info = {0};

		if (sscanf(line, "%15s %d %15s %d %d %d %d", call, &pid, sig, &code, &error, &value,
			   &sender) < 4)
			misused("no request", line);
		info.si_signo = signal_parse(sig);
		info.si_code = code;
		info.si_errno = error;
		info.si_pid = sender;
		info.si_uid = getuid();
		info.si_value.sival_int = value;
		if (forge(call, pid, &info) == 0)
			printf("sent %s\n", sig);
		else
			printf("refused %s\n", strerror(errno));
	}
	return 0;
}
