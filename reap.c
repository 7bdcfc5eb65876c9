/*
 * reap.c - subreaper, reaping, and killing until nothing is left
 *
 * A subreaper becomes the parent of every orphan below it, so no descendant is left exactly when wait(2)
 * fails with ECHILD. While descendants are left, src/tree.c finds them.
 *
 * Without a subreaper an orphan becomes a child of process 1. If COMMAND leads a process group, orphans in
 * that group are found by its number. COMMAND's zombie is kept until the group is empty: the number is not
 * reused before.
 */
/* SPDX-License-Identifier: MIT */
#include "reap.h"

#include <sys/wait.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fry.h"
#include "src/pending.h"
#include "src/process.h"
#include "sys/sys.h"

enum {
	REAP_BATCH = 1000, /* then the caller checks its deadline */
	CHILD_SWEEPS = 4 /* sweeps that kill children alone, before those that walk over the tree */
};

/* Say once, before COMMAND is started, which descendants will be lost. A cgroup holds all of them. */
static void lack_subreaper(const struct fry *fry, const char *why)
{
	if (fry->options.cgroup != CGROUP_NONE || !ORPHANS_MATTER) {
		log_verbose(fry, 1, "no subreaper: %s", why);
		return;
	}
	if (fry->options.leftover == LEFTOVER_FAIL) {
		warn("--leftover=fail: no subreaper (%s), so that leftovers may stay unnoticed",
		     why);
		exit(EXIT_FRY);
	}
	warn("no subreaper: %s; orphans are lost%s", why,
	     fry->command_leads_group ? ", except in COMMAND's process group" : "");
}

void reap_start(struct fry *fry)
{
	bool left;

	if (known_init(fry) == -1)
		die_memory();
	fry->subreaper = fry->self == 1 || subreaper_acquire() == 0;
	if (!fry->subreaper)
		lack_subreaper(fry, strerror(errno));
	/* Children remain if fry-run was executed by a shell with background jobs. */
	while (reap_drain(fry, &left) != 0)
		;
	fry->inherited = left;
}

/* Record COMMAND's end, the status first: the outer process reads both if this one is killed in between. */
static void record_end(struct fry *fry, int status)
{
	fry->command = 0;
	fry->timeout_at = NEVER;
	fry->shared->result.status = status;
	fry->shared->result.ended = true;
}

/* COMMAND has ended, but keep its zombie: its pid is the number of the group that orphans are found by. */
static void reap_keep(struct fry *fry, const siginfo_t *info)
{
	int status = info->si_status; /* a wait status is made of these: wait(2) */

	if (info->si_code == CLD_EXITED)
		status = info->si_status << 8;
	else if (info->si_code == CLD_DUMPED)
		status |= 0x80;
	fry->zombie = fry->command;
	record_end(fry, status);
}

void reap_end(struct fry *fry)
{
	if (fry->zombie != 0)
		waitpid(fry->zombie, NULL, 0);
	fry->zombie = 0;
}

/*
 * See which child is reaped next. An orphan is named while its zombie still has a name in /proc. Returns the
 * pid to reap, which may be COMMAND's; 0 if there is none; or -1 with ECHILD.
 */
static pid_t reap_peek(struct fry *fry)
{
	struct process process;
	siginfo_t info = {0};

	if (child_peek(P_ALL, 0, &info) == -1)
		return -1;
	if (info.si_pid == fry->zombie) /* there is no other, or 0: none has ended */
		return 0;
	if (info.si_pid == fry->command && tree_group(fry) != 0) {
		reap_keep(fry, &info);
		return 0;
	}
	if (!fry->options.warn_reaped || info.si_pid == fry->command || info.si_pid == fry->inner)
		return info.si_pid;
	if (process_read(info.si_pid, &process) == -1)
		warn("reaped orphan: process %d", (int)info.si_pid);
	else
		warn("reaped orphan: process %d (%s)", (int)info.si_pid, process.name);
	return info.si_pid;
}

static void reap_record(struct fry *fry, pid_t pid, int status)
{
	known_note_reaped(fry, pid);
	if (pid == fry->inner) {
		fry->inner = 0;
		fry->guard.inner_status = status;
	} else if (pid == fry->command) {
		record_end(fry, status);
	} else {
		report_reaped(fry, pid, status);
	}
}

unsigned reap_drain(struct fry *fry, bool *left)
{
	unsigned reaped = 0;

	*left = true;
	for (int looks = 0; looks < REAP_BATCH; looks++) {
		pid_t pid = -1;
		int status;

		if (fry->options.warn_reaped || tree_group(fry) != 0)
			pid = reap_peek(fry);
		if (pid == 0)
			pid = fry->inner;
		pid = child_wait(fry, pid, &status);
		if (pid == -1 && errno == EINTR)
			continue;
		if (pid == -1)
			*left = false;
		if (pid <= 0)
			break;
		if (WIFSTOPPED(status)) {
			if (pid == fry->inner)
				kill(pid, SIGCONT); /* only the inner process keeps the schedule */
			continue;
		}
		reap_record(fry, pid, status);
		reaped++;
	}
	if (fry->zombie != 0 && !tree_left(fry)) {
		/* A chain of forks may have escaped the walks: end it while the number is the group's. */
		if (fry->options.leftover == LEFTOVER_STOP ||
		    fry->options.leftover == LEFTOVER_FAIL)
			kill(-fry->command_pgid, SIGKILL);
		reap_end(fry);
		reaped += reap_drain(fry, left);
	}
	return reaped;
}

/*
 * Reap the processes that were just killed: `seen` of them if that is not 0, or all of a group. Also return
 * when no process has died for `wait`, or at the limit. Returns how many were reaped.
 */
static size_t reap_killed(struct fry *fry, size_t seen, pid_t group, int64_t wait, int64_t limit,
			  bool *left)
{
	size_t total = 0;
	siginfo_t info;

	do {
		unsigned reaped = reap_drain(fry, left);

		inner_beat(fry);
		total += reaped;
		/* Children are reparented before their parent can be waited for: ECHILD means all of the group. */
		if (!*left || (group != 0 && child_peek(P_PGID, group, &info) == -1))
			break;
		if (reaped == 0 && pending_receive(&info, clock_add(clock_now(), wait), 0) == 0)
			break;
	} while ((seen == 0 || total < seen) && clock_now() < limit);
	return total;
}

/* How far one atomic kill reached, which no fork can escape. */
enum kill_reach { REACH_NONE, REACH_GROUP, REACH_ALL };

static enum kill_reach kill_atomically(const struct fry *fry)
{
	bool all = fry->self == 1 && kill(-1, SIGKILL) == 0;
	bool held = fry->command_leads_group && (fry->command != 0 || fry->zombie != 0);
	bool group = fry->self != 1 && held && kill(-fry->command_pgid, SIGKILL) == 0;

	if (cgroup_kill(fry) || all)
		return REACH_ALL;
	return group ? REACH_GROUP : REACH_NONE;
}

/*
 * Whether processes are left whose death sends no SIGCHLD here. If so, this function waits a moment, so that
 * the caller's next walk does not follow at once.
 */
static bool unseen_left(struct fry *fry, const struct broadcast *broadcast)
{
	siginfo_t info;

	if (cgroup_populated(fry)) { /* its members may have other parents */
		cgroup_wait(fry, clock_now() + 10 * MILLISECOND);
		return true;
	}
	if (!outer_died(fry) && tree_outer_children(fry)) {
		pending_receive(&info, clock_now() + 10 * MILLISECOND, 0);
		return true;
	}
	if (!orphans_escape(fry) || broadcast->found == broadcast->forbidden)
		return false;
	pending_receive(&info, clock_now() + MILLISECOND, 0);
	return true;
}

/*
 * Whether the last children are zombies that a tracer keeps from being reaped: ptrace(2). The walk finds no
 * living process, and a process that keeps forking would leave zombies that are reaped.
 */
static bool only_zombies_left(const struct fry *fry, const struct broadcast *broadcast)
{
	return broadcast->found == 0 && fry->cgroup == NULL;
}

void reap_kill(struct fry *fry)
{
	const struct schedule *schedule = &fry->schedule;
	int64_t kill_wait = schedule->step[schedule->steps - 1].wait;
	int64_t began = clock_now(), last_reaped = began;
	unsigned total = 0, walks = 0;
	bool left = true;

	if (orphans_escape(fry)) /* record them while their parents still lead to them */
		tree_signal(fry, &(struct broadcast){.record_only = true});
	for (int sweep = 0; left; sweep++) {
		struct broadcast broadcast = {.signal = SIGKILL};
		int64_t start = clock_now(), wait = 2 * MILLISECOND, limit = SECOND / 10;
		enum kill_reach reach = kill_atomically(fry);
		size_t reaped, seen = 0; /* 0: unknown, reap until no more die */
		bool walked = false;
		pid_t group = 0;

		boost_priority(fry, began);
		/* After an atomic kill, reap first: a walk over dying processes takes longer. */
		if (sweep == 0 && reach != REACH_NONE && !orphans_escape(fry)) {
			group = reach == REACH_GROUP ? fry->command_pgid : 0;
		} else if (sweep > CHILD_SWEEPS || orphans_escape(fry) ||
			   (seen = tree_kill_children(fry)) == 0) {
			tree_walk(fry, &broadcast, walks++ > 0);
			walked = true;
			if (reach != REACH_ALL)
				seen = fry->tree.current.count;
			/* Leave at least half of the processor to the exits of killed processes. */
			if (clock_now() - start > wait)
				wait = clock_now() - start;
			/* Wait only briefly: processes outside the group may keep forking. */
			limit = SECOND / 50;
		}
		cgroup_thaw(fry);
		reaped = reap_killed(fry, seen, group, wait, clock_add(clock_now(), limit), &left);
		if (!left)
			left = unseen_left(fry, &broadcast);
		total += (unsigned)reaped;
		if (reaped != 0)
			last_reaped = clock_now();
		else if (broadcast.found != 0 && broadcast.found == broadcast.forbidden &&
			 reach != REACH_ALL) {
			/* Of another user: each was named once, and is not waited for. */
			tree_signal(fry, &(struct broadcast){.record_only = true, .report = true});
			break;
		} else if (left && walked && /* without a walk it is unknown what is left */
			   clock_now() - last_reaped >=
				   (only_zombies_left(fry, &broadcast) ? SECOND : kill_wait)) {
			tree_name(fry, "does not die");
			break;
		}
	}
	report_step(fry, SIGKILL, began, total);
}
