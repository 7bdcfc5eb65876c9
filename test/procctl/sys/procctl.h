/* procctl.h - what portable.c needs of <sys/procctl.h>, to compile it where there is none */
/* SPDX-License-Identifier: MIT */
/*
 * Types, members and what the names stand for are those of procctl(2) of FreeBSD 14 and of DragonFly;
 * the numbers are of no matter here. procctl.c beside it plays FreeBSD's.
 */
#ifndef TEST_PROCCTL_H
#define TEST_PROCCTL_H

#include <sys/types.h>
#include <sys/wait.h>

#include <stdint.h>

int procctl(idtype_t type, id_t id, int request, void *data);

enum { REAP_ACQUIRE = 1, REAP_STATUS, REAP_GETPIDS, REAP_KILL, PDEATHSIG_CTL };

#define PROC_REAP_ACQUIRE REAP_ACQUIRE
#define PROC_REAP_STATUS  REAP_STATUS

#ifdef DRAGONFLY

struct reaper_status {
	uint32_t flags;
	uint32_t refs; /* how many it is the reaper of */
	long reserved1[15];
	pid_t pid_head; /* a child; -1: none */
	int reserved2[15];
};

#else

#define PROC_REAP_GETPIDS  REAP_GETPIDS
#define PROC_REAP_KILL     REAP_KILL
#define PROC_PDEATHSIG_CTL PDEATHSIG_CTL

struct procctl_reaper_status {
	unsigned rs_flags;
	unsigned rs_children;
	unsigned rs_descendants;
	pid_t rs_reaper;
	pid_t rs_pid;
	unsigned rs_pad0[15];
};

struct procctl_reaper_pidinfo {
	pid_t pi_pid;
	pid_t pi_subtree; /* the child that it is, or is below */
	unsigned pi_flags;
	unsigned pi_pad0[15];
};

#define REAPER_PIDINFO_VALID   1U
#define REAPER_PIDINFO_CHILD   2U
#define REAPER_PIDINFO_STOPPED 8U
#define REAPER_PIDINFO_ZOMBIE  16U
#define REAPER_PIDINFO_EXITING 32U

struct procctl_reaper_pids {
	unsigned rp_count; /* elements there is room for */
	unsigned rp_pad0[15];
	struct procctl_reaper_pidinfo *rp_pids;
};

struct procctl_reaper_kill {
	int rk_sig;
	unsigned rk_flags; /* 0: to everybody below */
	pid_t rk_subtree;
	unsigned rk_killed; /* how many got it */
	pid_t rk_fpid;      /* the first who could not be signalled; -1: none */
	unsigned rk_pad0[15];
};

#endif

#endif
