/* procctl.c - procctl(2) as FreeBSD's and DragonFly's manual pages tell it, played on Linux */
/* SPDX-License-Identifier: MIT */
/*
 * Linked with portable.c this runs what portable.c does with a reaper. It says nothing about those
 * kernels, on which nothing was run: it only does what their manual pages promise. Below a reaper is
 * what descends from it in /proc, without what was there before it became one.
 */
#include "sys/procctl.h"

#include <sys/prctl.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MANY = 4096 };

/* The state, the parent and the number of threads, proc_pid_stat(5). */
#define THREADS ") %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d"

static struct process {
	pid_t pid, parent, subtree;
	char state;
} all[MANY];
static size_t count;

static pid_t before[MANY]; /* children that had another reaper */
static size_t befores;
static bool acquired;

static void read_all(void)
{
	DIR *directory = opendir("/proc");
	const struct dirent *entry;

	count = 0;
	while (directory != NULL && count < MANY && (entry = readdir(directory)) != NULL) {
		char path[300], text[512];
		const char *end;
		FILE *file;
		size_t length;
		char state;
		int parent, threads;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		file = fopen(path, "r");
		if (file == NULL)
			continue;
		length = fread(text, 1, sizeof(text) - 1, file);
		fclose(file);
		text[length] = '\0';
		end = strrchr(text, ')');
		if (end == NULL || sscanf(end, THREADS, &state, &parent, &threads) != 3)
			continue;
		if (state == 'Z' && threads > 1)
			state = 'S'; /* only its first thread has ended */
		all[count++] = (struct process){atoi(entry->d_name), parent, 0, state};
	}
	if (directory != NULL)
		closedir(directory);
}

static int acquire(void)
{
	if (acquired) {
		errno = EBUSY;
		return -1;
	}
	acquired = true;
	read_all();
	for (size_t i = 0; i < count; i++)
		if (all[i].parent == getpid())
			before[befores++] = all[i].pid;
	return prctl(PR_SET_CHILD_SUBREAPER, 1);
}

#ifdef DRAGONFLY

static int reap(int request, void *data)
{
	struct reaper_status *status = data;

	if (request != PROC_REAP_STATUS) {
		errno = EINVAL;
		return -1;
	}
	read_all();
	status->refs = 0;
	status->pid_head = -1;
	for (size_t i = 0; i < count; i++)
		if (all[i].parent == getpid())
			status->pid_head = all[i].pid;
	return 0;
}

#else

static bool was_before(pid_t pid)
{
	for (size_t i = 0; i < befores; i++)
		if (before[i] == pid)
			return true;
	return false;
}

/* Set subtree in each one below, to the child that it is below. */
static void find_below(void)
{
	bool more = true;

	read_all();
	for (size_t i = 0; i < count; i++)
		if (all[i].parent == getpid() && !was_before(all[i].pid))
			all[i].subtree = all[i].pid;
	while (more) {
		more = false;
		for (size_t i = 0; i < count; i++)
			for (size_t j = 0; all[i].subtree == 0 && j < count; j++)
				if (all[j].subtree != 0 && all[j].pid == all[i].parent) {
					all[i].subtree = all[j].subtree;
					more = true;
				}
	}
}

static int status_get(struct procctl_reaper_status *status)
{
	find_below();
	for (size_t i = 0; i < count; i++)
		if (all[i].subtree != 0) {
			status->rs_descendants++;
			status->rs_pid = all[i].pid;
		}
	return 0;
}

static int pids_get(struct procctl_reaper_pids *pids)
{
	unsigned at = 0;

	find_below();
	for (size_t i = 0; i < count && at < pids->rp_count; i++) {
		struct procctl_reaper_pidinfo info = {.pi_flags = REAPER_PIDINFO_VALID};

		if (all[i].subtree == 0)
			continue;
		info.pi_pid = all[i].pid;
		info.pi_subtree = all[i].subtree;
		if (all[i].parent == getpid())
			info.pi_flags |= REAPER_PIDINFO_CHILD;
		if (all[i].state == 'T')
			info.pi_flags |= REAPER_PIDINFO_STOPPED;
		if (all[i].state == 'Z')
			info.pi_flags |= REAPER_PIDINFO_ZOMBIE;
		pids->rp_pids[at++] = info;
	}
	return 0;
}

static int kill_all(struct procctl_reaper_kill *order)
{
	order->rk_killed = 0;
	order->rk_fpid = -1;
	find_below();
	errno = ESRCH;
	for (size_t i = 0; i < count; i++) {
		if (all[i].subtree == 0 || all[i].state == 'Z')
			continue;
		if (kill(all[i].pid, order->rk_sig) == 0)
			order->rk_killed++;
		else if (errno != ESRCH && order->rk_fpid == -1)
			order->rk_fpid = all[i].pid;
	}
	return order->rk_killed == 0 ? -1 : 0;
}

static int reap(int request, void *data)
{
	switch (request) {
	case PROC_REAP_STATUS:
		return status_get(data);
	case PROC_REAP_GETPIDS:
		return pids_get(data);
	case PROC_REAP_KILL:
		return kill_all(data);
	case PROC_PDEATHSIG_CTL:
		return prctl(PR_SET_PDEATHSIG, *(const int *)data);
	default:
		errno = EINVAL;
		return -1;
	}
}

#endif

int procctl(idtype_t type, id_t id, int request, void *data)
{
	if (type != P_PID || id != (id_t)getpid()) {
		errno = EPERM;
		return -1;
	}
	return request == PROC_REAP_ACQUIRE ? acquire() : reap(request, data);
}
