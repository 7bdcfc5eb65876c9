/*
 * tree.c - the processes below fry-run, found and signalled
 *
 * Data from /proc may be stale when it is used. Therefore:
 *
 * - The pid of a child is not reused before the child is reaped, and nothing is reaped during a walk:
 *   kill(2) is safe for it, and for a group that it is in. A child made with CLONE_AUTOREAP (Linux 7.1) frees
 *   its pid by itself: it would have to be reused between waitid(2) and kill(2).
 * - Any other descendant is opened as a pidfd, read again, and only then signalled: its pid may have been
 *   reused since the first read.
 * - A pid of 1 or less is never signalled: a torn read of /proc can give 0, and kill(0) signals the own
 *   group.
 */
/* SPDX-License-Identifier: MIT */
#include "tree.h"

#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fry.h"
#include "listing.h"
#include "process.h"
#include "sys.h"
#include "text.h"

enum {
	MANY_PASSES = 32, /* of a walk that kills; one that needs more has met a fork bomb */
	SOME_PASSES = 4,  /* of any other walk: finds all processes, unless some fork meanwhile */
	SMALL_PID_MAX = 32768,
	LARGE_PID_MAX = 4194304
};

/* One walk over the tree, in as many passes as it takes until a pass finds no new process. */
struct walk {
	struct fry *fry;
	struct broadcast *broadcast;
	bool proc;      /* /proc belongs to this pid namespace */
	bool hidden;    /* but hides processes of other users: hidepid in proc(5) */
	bool again;     /* an earlier walk was not enough: kill whole groups */
	bool thorough;  /* read all of /proc instead of the children files */
	unsigned fresh; /* processes that this pass found first */
	int64_t began;
	pid_t killed_group; /* so that a large group is not killed once for each member */
	pid_t group;        /* see tree_group() */
};

/* Whether a process is never signalled: see above, and COMMAND's zombie is no process any more. */
static bool is_spared(const struct fry *fry, pid_t pid)
{
	return pid <= 1 || pid == fry->zombie || is_own_process(fry, pid);
}

static bool is_in_group(const struct walk *walk, pid_t group)
{
	return walk->group > 1 && group == walk->group;
}

/*
 * Kill the group of a child in one call, since a fork bomb in it forks faster than /proc can be read. Every
 * member has to be a descendant: the child leads the group, or the group is in a session made by a
 * descendant. An inherited child may share its group with processes that do not descend from fry-run.
 */
static void kill_group(struct walk *walk, const struct process *process)
{
	const struct fry *fry = walk->fry;
	bool below = process->session != getsid(0);

	if (fry->inherited || process->parent != fry->self || process->group <= 1 ||
	    process->group == fry->pgid || process->group == walk->killed_group)
		return;
	if (process->group != process->pid && !below)
		return;
	/* The group id is not reused while the unreaped child is a member, so ask for its group now. */
	if (getpgid(process->pid) == process->group && kill(-process->group, SIGKILL) == 0)
		walk->killed_group = process->group;
}

static void walk_deliver(struct walk *walk, struct process *process)
{
	struct broadcast *broadcast = walk->broadcast;

	if (process_is_dead(process) && !(broadcast->zombies && process->parent == walk->fry->self))
		return;
	if (broadcast_deliver(walk->fry, broadcast, process) && broadcast->signal == SIGKILL &&
	    walk->again)
		kill_group(walk, process);
}

/* Add a process to the table, with what earlier walks recorded about it, and deliver the broadcast. */
static void walk_visit(struct walk *walk, struct process *process)
{
	struct process *known = known_add(walk->fry, process);

	walk->fresh += known != NULL;
	walk_deliver(walk, known != NULL ? known : process);
}

static void set_cpu_policy(int policy, int priority)
{
	struct sched_param parameter = {.sched_priority = priority};

	syscall(SYS_sched_setscheduler, 0, policy | SCHED_RESET_ON_FORK, &parameter);
}

void boost_priority(struct fry *fry, int64_t began)
{
	long policy;

	if (fry->tree.boosted || clock_now() < began + 50 * MILLISECOND)
		return;
	/* A policy that the caller chose stays: sched(7). */
	policy = syscall(SYS_sched_getscheduler, 0);
	if (policy == -1 || (policy & ~SCHED_RESET_ON_FORK) != SCHED_OTHER)
		return;
	fry->tree.boosted = true;
	set_cpu_policy(SCHED_FIFO, 1);
}

/* Visit a process if it is a descendant that this walk has not visited. */
static void walk_consider(struct walk *walk, pid_t pid)
{
	const struct fry *fry = walk->fry;
	const struct process *visited;
	struct process process;

	inner_beat(walk->fry);
	boost_priority(walk->fry, walk->began);
	if (is_spared(fry, pid))
		return;
	/* Nothing is reaped during a walk, so the pid of a visited child was not reused: skip the read. */
	visited = table_find(&fry->tree.current, pid);
	if (visited != NULL && visited->parent == fry->self && !visited->recheck)
		return;
	if (process_read(pid, &process) == -1)
		return;
	if (visited != NULL && visited->start == process.start && !visited->recheck)
		return;
	if (process.parent != fry->self && fry->self != 1 && !is_in_group(walk, process.group) &&
	    !(fry->guard.outer_has_children && process.parent == fry->outer &&
	      is_own_process(fry, fry->outer))) {
		/* It descends from fry-run if its parent does, and still did after the child was read. */
		visited = table_find(&fry->tree.current, process.parent);
		/* A child of fry-run's is not reaped during a walk, so it needs no second look. */
		if (visited == NULL || (visited->parent != fry->self && !process_same(visited)))
			return;
	}
	walk_visit(walk, &process);
}

/* Consider the children of one thread. Returns -1 if the file is missing or too long for the buffer. */
static int walk_thread(struct walk *walk, pid_t pid, pid_t thread)
{
	char path[CHILDREN_PATH], text[8 * SMALL_TREE];
	const char *at = text;
	ssize_t length;

	process_children_path(pid, thread, path);
	length = proc_read(path, text, sizeof(text));
	if (length == -1 || length == sizeof(text) - 1)
		return -1;
	for (; *at >= '0' && *at <= '9'; at += *at == ' ')
		walk_consider(walk, (pid_t)scan_number(&at));
	return 0;
}

/* Consider the children of all threads: the file lists those that its own thread forked. */
static void walk_threads(struct walk *walk, pid_t pid)
{
	struct listing threads;
	char path[32];
	long thread;

	text_format(path, sizeof(path), "/proc/%d/task", (int)pid);
	if (!listing_open(&threads, path))
		return;
	while ((thread = listing_number(&threads)) != -1)
		walk_thread(walk, pid, (pid_t)thread);
}

/* A pass for small trees, by the children files. Returns -1 if walk_proc() has to do it. */
static int walk_children(struct walk *walk)
{
	const struct table *tree = &walk->fry->tree.current;

	if (walk_thread(walk, walk->fry->self, walk->fry->self) == -1)
		return -1;
	/* Twice: a child that the outer process reaps during the read makes the kernel skip the next one. */
	for (int i = 0; walk->fry->guard.outer_has_children && i < 2; i++)
		if (walk_thread(walk, walk->fry->outer, walk->fry->outer) == -1)
			return -1;
	for (size_t i = 0; i < tree->count; i++) {
		pid_t pid = tree->process[i].pid;

		if (tree->count > SMALL_TREE)
			return -1;
		if (process_is_dead(&tree->process[i]))
			continue;
		if (tree->process[i].threads > 1)
			walk_threads(walk, pid);
		else
			walk_thread(walk, pid, pid);
	}
	return 0;
}

/* A pass over all of /proc. The order is ascending, so a process forked meanwhile mostly comes later. */
static int walk_proc(struct walk *walk)
{
	struct listing pids;
	long pid;

	if (!listing_open(&pids, "/proc"))
		return -1;
	while ((pid = listing_number(&pids)) != -1)
		walk_consider(walk, (pid_t)pid);
	return 0;
}

/* Whether a pid is that of a child, or of a process in COMMAND's group without a subreaper. */
static bool is_below(const struct walk *walk, pid_t pid)
{
	const struct fry *fry = walk->fry;

	if (walk->group != 0 && is_in_group(walk, getpgid(pid)))
		return true;
	return (fry->zombie == 0 || fry->inherited) && is_child(pid);
}

/* A pass without /proc: ask waitid(2) and getpgid(2) about each pid. */
static void walk_probe(struct walk *walk)
{
	struct fry *fry = walk->fry;

	for (pid_t pid = 2; pid <= LARGE_PID_MAX; pid++) {
		struct process process = {.pid = pid, .parent = fry->self, .name = "?"};

		/* Few systems use larger pids, and asking for all of them takes a second. */
		if (pid > SMALL_PID_MAX && fry->tree.max_pid_seen <= SMALL_PID_MAX &&
		    (walk->proc || fry->tree.current.count != 0 || fry->zombie != 0))
			break;
		inner_beat(fry);
		if (is_spared(fry, pid) || !is_below(walk, pid) ||
		    table_find(&fry->tree.current, pid) != NULL)
			continue;
		process.group = getpgid(pid);
		process.session = getsid(pid);
		walk_visit(walk, &process);
	}
}

/* A pass over the cgroup, each member of which is treated as a descendant. */
static void walk_cgroup(struct walk *walk)
{
	const struct fry *fry = walk->fry;
	char *text = fry->cgroup == NULL ? NULL : page_alloc(CGROUP_FILE_SIZE);
	const char *at = text;

	if (text != NULL && cgroup_members(fry, text, CGROUP_FILE_SIZE) > 0) {
		for (; *at >= '0' && *at <= '9'; at += *at == '\n') {
			pid_t pid = (pid_t)scan_number(&at);
			struct process process;

			if (pid > 1 && !is_own_process(fry, pid) &&
			    table_find(&fry->tree.current, pid) == NULL &&
			    process_read(pid, &process) == 0 && cgroup_holds(fry, pid))
				walk_visit(walk, &process);
		}
	}
	page_free(text, CGROUP_FILE_SIZE);
}

/* A pass over the processes in a table that still run, whatever their parents are now. */
static void walk_table(struct walk *walk, const struct table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		struct process now;

		if (table_find(&walk->fry->tree.current, table->process[i].pid) == NULL &&
		    process_alive(&table->process[i], &now))
			walk_visit(walk, &now);
	}
}

static void walk_pass(struct walk *walk)
{
	siginfo_t info;
	bool read = false;

	if (walk->proc && !walk->thorough)
		read = walk_children(walk) == 0;
	if (walk->proc && !read) {
		walk->thorough = true;
		read = walk_proc(walk) == 0;
	}
	walk_cgroup(walk);
	/* It takes milliseconds, so do it only while there is a child to find. */
	if ((!read || walk->hidden ||
	     (walk->fry->tree.current.count == 0 && walk->fry->zombie == 0)) &&
	    child_peek(P_ALL, 0, &info) == 0)
		walk_probe(walk);
}

void tree_walk(struct fry *fry, struct broadcast *broadcast, bool again)
{
	struct walk walk = {
		.fry = fry,
		.broadcast = broadcast,
		.proc = proc_is_ours(fry),
		.again = again,
		.group = tree_group(fry),
		.began = clock_now(),
	};
	int passes = broadcast->signal == SIGKILL ? MANY_PASSES : SOME_PASSES;
	bool quick = broadcast->record_only && !broadcast->log;
	struct process first;
	siginfo_t info;

	/* The children files do not lead to orphans that are another's children. */
	walk.thorough = again || fry->self == 1 || walk.group != 0;
	/* One pass: a process missed here may get the signal twice. */
	if (quick)
		passes = 1;
	/* hidepid hides PID 1 from other users, and a setuid child, too: proc(5). */
	walk.hidden = walk.proc && !broadcast->record_only && process_read(1, &first) == -1;
	table_turn(fry);
	if (walk.proc && kills_outer_children(fry))
		walk_table(&walk, &fry->tree.outer_children);
	if (walk.proc && orphans_escape(fry))
		walk_table(&walk, &fry->tree.previous);
	do {
		walk.fresh = 0;
		walk_pass(&walk);
		/* Give up after a second; KILL gets the rest. */
		if (broadcast->signal != SIGKILL && clock_now() > walk.began + SECOND)
			break;
	} while (walk.fresh != 0 && --passes > 0);
	/* COMMAND has ended, and may have been asked for its children when they were this process's already. */
	if (quick && child_peek(P_ALL, 0, &info) == 0 && info.si_pid != 0)
		walk_pass(&walk);
	if (fry->tree.boosted && fry->schedule.at == -1) {
		fry->tree.boosted = false;
		set_cpu_policy(SCHED_OTHER, 0);
	}
}

/* Kill pid if it is a child, and return whether it was. The pid of an unreaped child is not reused. */
static bool kill_child(pid_t pid)
{
	return pid > 1 && is_child(pid) && kill(pid, SIGKILL) == 0;
}

size_t tree_kill_children(struct fry *fry)
{
	char path[CHILDREN_PATH], text[4096];
	size_t killed = 0;
	ssize_t length;
	unsigned pid = 0;
	int fd;

	if (!proc_is_ours(fry))
		return 0;
	process_children_path(fry->self, fry->self, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd != -1 && (length = read(fd, text, sizeof(text))) > 0) {
		inner_beat(fry);
		/* Each number is followed by a space. The end of the buffer may cut one in two. */
		for (ssize_t i = 0; i < length; i++) {
			if (text[i] != ' ') {
				pid = 10 * pid + (unsigned)(text[i] - '0');
				continue;
			}
			killed += kill_child((pid_t)pid);
			pid = 0;
		}
	}
	close(fd);
	return killed;
}

pid_t tree_group(const struct fry *fry)
{
	if (fry->subreaper || !fry->command_leads_group)
		return 0;
	/* The outer process asks after the inner one, which kept the number from reuse, has died. */
	if (fry->role == OUTER)
		return fry->shared->channel.command_pgid;
	return fry->command != 0 || fry->zombie != 0 ? fry->command_pgid : 0;
}

/* Most often a process that the latest walk has found is alive, and no other walk is needed. */
bool tree_left(struct fry *fry)
{
	struct broadcast record = {.record_only = true};
	const struct table *known = &fry->tree.current;
	struct process now;

	for (size_t i = 0; i < known->count; i++) {
		const struct process *process = &known->process[i];

		if (process->state == 0 && process->pid != fry->zombie &&
		    getpgid(process->pid) == process->group)
			return true; /* without /proc */
		if (process_alive(process, &now))
			return true;
	}
	tree_signal(fry, &record);
	return record.found != 0;
}

bool tree_outer_children(struct fry *fry)
{
	struct broadcast record = {.record_only = true};

	if (fry->guard.outer_has_children) {
		tree_signal(fry, &record);
		/* Once none is left, none can come: other orphans become the inner process's children. */
		fry->guard.outer_has_children = record.found != 0;
	}
	return fry->guard.outer_has_children;
}

void tree_save_inherited(struct fry *fry)
{
	tree_signal(fry, &(struct broadcast){.record_only = true});
	fry->tree.outer_children = fry->tree.current;
	if (known_init(fry) == -1)
		die_memory();
}
