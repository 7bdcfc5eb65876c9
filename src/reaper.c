/*
 * reaper.c - processes elsewhere than on Linux: POSIX alone, and procctl(2) of FreeBSD and DragonFly
 *
 * This file takes the place of process.c. By procctl(2) fry-run becomes the reaper of everything below, and
 * looks after all of it as on Linux. There is no pidfd: the pid of a descendant that is no child of fry-run
 * may be reused between list and signal.
 */
/* SPDX-License-Identifier: MIT */
#include "reaper.h"

#include <sys/wait.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fry.h"
#include "process.h"
#include "sys.h"

#if defined(__FreeBSD__) || defined(__DragonFly__) || defined(FRY_PROCCTL)
#include <sys/procctl.h>
#endif

enum { SOME_MORE = 64 }; /* room for processes that are forked after the count */

/* reaper_left() returns whether a child that has not ended is a descendant of COMMAND, or was one. */
#if defined(PROC_REAP_GETPIDS) /* FreeBSD since 10.2 */

static unsigned reaper_count(void)
{
	struct procctl_reaper_status status;

	memset(&status, 0, sizeof(status));
	procctl(P_PID, (id_t)getpid(), PROC_REAP_STATUS, &status);
	return status.rs_descendants;
}

/* Children that fry-run inherited by exec are not counted: they have another reaper. */
static bool reaper_left(const struct fry *fry)
{
	(void)fry;
	return reaper_count() != 0;
}

/* An unknown state counts as stopped. A running process gets a CONT then, which it seldom has a handler for. */
static char reaper_state(unsigned flags)
{
#ifdef REAPER_PIDINFO_ZOMBIE /* FreeBSD 13.1 has added all three */
	if ((flags & (REAPER_PIDINFO_ZOMBIE | REAPER_PIDINFO_EXITING)) != 0)
		return 'Z';
	return (flags & REAPER_PIDINFO_STOPPED) != 0 ? 'T' : 'R';
#else
	(void)flags;
	return 'T';
#endif
}

bool reaper_list(struct fry *fry, reaper_found *found)
{
	struct procctl_reaper_pids pids;
	size_t size;

	memset(&pids, 0, sizeof(pids));
	pids.rp_count = reaper_count() + SOME_MORE;
	size = pids.rp_count * sizeof(*pids.rp_pids);
	pids.rp_pids = page_alloc(size);
	if (pids.rp_pids == NULL)
		return false;
	if (procctl(P_PID, (id_t)getpid(), PROC_REAP_GETPIDS, &pids) == -1)
		pids.rp_count = 0;
	for (unsigned i = 0; i < pids.rp_count; i++) {
		const struct procctl_reaper_pidinfo *info = &pids.rp_pids[i];
		char state = reaper_state(info->pi_flags);

		if ((info->pi_flags & REAPER_PIDINFO_VALID) != 0 && info->pi_pid > 1 &&
		    state != 'Z')
			found(fry, info->pi_pid, state);
	}
	page_free(pids.rp_pids, size);
	return true;
}

/* One call kills all, so that none can escape by a fork. rk_fpid names a process that may not be signalled. */
bool reaper_kill(void)
{
	struct procctl_reaper_kill all;

	memset(&all, 0, sizeof(all));
	all.rk_sig = SIGKILL;
	return procctl(P_PID, (id_t)getpid(), PROC_REAP_KILL, &all) == 0 && all.rk_fpid == -1;
}

#elif defined(PROC_REAP_ACQUIRE) /* DragonFly since 4.0 */

static bool reaper_left(const struct fry *fry)
{
	(void)fry;
	return true; /* every child counts */
}

/* Its pid cannot be reused, since it is a child of fry-run. */
static pid_t reaper_first(void)
{
	struct reaper_status status;

	memset(&status, 0, sizeof(status));
	status.pid_head = -1;
	procctl(P_PID, (id_t)getpid(), PROC_REAP_STATUS, &status);
	return status.pid_head;
}

bool reaper_list(struct fry *fry, reaper_found *found)
{
	pid_t pid = reaper_first();

	if (pid > 1 && pid != fry->command)
		found(fry, pid, 'T'); /* or running: see reaper_state() above */
	return false;
}

/* One child at a time: once it is reaped, its children are fry-run's, and the kernel names the next one. */
bool reaper_kill(void)
{
	pid_t pid = reaper_first();

	return pid > 1 && kill(pid, SIGKILL) == 0;
}

#else /* POSIX alone */

static bool reaper_left(const struct fry *fry)
{
	return fry->command != 0;
}

bool reaper_list(struct fry *fry, reaper_found *found)
{
	(void)fry;
	(void)found;
	return false;
}

bool reaper_kill(void)
{
	return false;
}

#endif

int child_peek(idtype_t type, pid_t pid, siginfo_t *info)
{
	return waitid(type, (id_t)pid, info, WEXITED | WNOHANG | WNOWAIT);
}

/* Children that fry-run neither stops nor signals count as none, since they may never end. */
pid_t child_wait(const struct fry *fry, pid_t pid, int *status)
{
	pid_t reaped = pid == 0 ? 0 : waitpid(pid, status, WNOHANG);

	if (reaped != 0 || (fry->subreaper ? reaper_left(fry) : fry->command != 0))
		return reaped;
	errno = ECHILD;
	return -1;
}

int process_signal(const struct fry *fry, const struct process *process, int sig, bool step)
{
	(void)fry;
	(void)step; /* POSIX lets no sender choose the si_code */
	return kill(process->pid, sig) == 0 || errno == ESRCH ? 1 : -1;
}
