/*
 * tree.c - the processes below fry-run, found and signalled
 *
 * What /proc tells may be stale by the time it is read. Therefore:
 *
 * - A child of fry-run's own cannot disappear before it is reaped, and nothing is reaped during a walk:
 *   kill(2) by number is safe for it, and for a group that it is in.
 * - Any other descendant is opened as a pidfd, looked at again, and only then signalled.
 * - A pid of 1 or less is never signalled, except by PID 1, to which everything belongs.
 */
/* SPDX-License-Identifier: MIT */
#include "tree.h"

#include <sys/syscall.h>

#include <errno.h>
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
	SMALL_TREE = 256, /* up to here following the children beats reading all of /proc */
	MANY_PASSES = 32, /* of a sweep: what goes on finding more has met a bomb */
	SOME_PASSES = 4,  /* of any other walk: enough for all who did not fork meanwhile */
	SMALL_PID_MAX = 32768,
	LARGE_PID_MAX = 4194304
};

/* Without CONFIG_PROC_CHILDREN, before Linux 3.5 and in gVisor there is none: as this lets try. */
#ifndef CHILDREN_FILE
#define CHILDREN_FILE "children"
#endif

/* One walk over the tree, in as many passes as it takes to find nothing fresh. */
struct walk {
	struct fry *fry;
	struct broadcast *broadcast;
	bool proc;     /* /proc tells of the pids that fry-run knows */
	bool hidden;   /* but not of everybody */
	bool again;    /* one walk was not enough: whole groups are killed */
	bool thorough; /* all of it is read, rather than the children of the children */
	unsigned fresh;
	int64_t began;
	pid_t killed_group; /* the last one, so as not to kill a large one for each member */
};

static struct process *table_find(const struct table *table, pid_t pid)
{
	size_t mask = table->slots - 1;

	if (table->count == 0) /* a page that was never used is not touched */
		return NULL;
	for (size_t i = (size_t)pid & mask; table->slot[i] != 0; i = (i + 1) & mask)
		if (table->process[table->slot[i] - 1].pid == pid)
			return &table->process[table->slot[i] - 1];
	return NULL;
}

static void table_index(struct table *table, size_t place)
{
	size_t mask = table->slots - 1, i = (size_t)table->process[place].pid & mask;

	while (table->slot[i] != 0)
		i = (i + 1) & mask;
	table->slot[i] = (uint32_t)place + 1;
}

/* Twice the room. Returns -1 with errno ENOMEM, and the table as it was. */
static int table_grow(struct table *table)
{
	size_t old = table->slots, slots = old == 0 ? SMALL_TREE : 2 * old;
	uint32_t *slot = page_alloc(slots * sizeof(*slot));
	struct process *process = page_alloc(slots / 2 * sizeof(*process));

	if (slot == NULL || process == NULL) {
		page_free(slot, slots * sizeof(*slot));
		page_free(process, slots / 2 * sizeof(*process));
		return -1;
	}
	if (old != 0)
		memcpy(process, table->process, table->count * sizeof(*process));
	page_free(table->slot, old * sizeof(*slot));
	page_free(table->process, old / 2 * sizeof(*process));
	*table = (struct table){process, slot, table->count, slots};
	for (size_t i = 0; i < table->count; i++)
		table_index(table, i);
	return 0;
}

/* Add a copy. Returns it, or NULL with errno ENOMEM. */
static struct process *table_add(struct table *table, const struct process *process)
{
	if (table->count == table->slots / 2 && table_grow(table) == -1)
		return NULL;
	table->process[table->count] = *process;
	table_index(table, table->count);
	return &table->process[table->count++];
}

/* What is known becomes what was known before. */
static void table_turn(struct fry *fry)
{
	struct table turned = fry->tree.previous;

	fry->tree.previous = fry->tree.current;
	fry->tree.current = turned;
	fry->tree.current.count = 0;
	if (fry->tree.current.slots != 0)
		memset(fry->tree.current.slot, 0,
		       fry->tree.current.slots * sizeof(*fry->tree.current.slot));
}

/* By pid, or by pidfd if it is not -1. As a step, if it is one of which a fry-run is to be told. */
static int signal_send(const struct fry *fry, pid_t pid, int fd, int sig, bool step)
{
	siginfo_t info = {.si_signo = sig, .si_code = STEP_CODE};

	info.si_pid = fry->self;
	if (fd != -1 && step && syscall(SYS_pidfd_send_signal, fd, sig, &info, 0) == 0)
		return 0;
	if (fd != -1)
		return (int)syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
	if (step && syscall(SYS_rt_sigqueueinfo, pid, sig, &info) == 0)
		return 0;
	return kill(pid, sig);
}

/*
 * Signal a process that was found below. ESRCH is success: it has gone by itself. ESTALE: it is not
 * what it was when it was found, and is to be looked at again; most often its parent has died.
 */
static int process_signal(const struct fry *fry, const struct process *process, int sig, bool step)
{
	int fd, result = -1;
	bool same;

	if (process->parent == fry->self) {
		pid_t target = process->pid;

		/* Found without /proc: through a child its whole group can be reached. */
		if (process->state == 0 && process->group == process->pid && !fry->inherited)
			target = -target;
		else if (process->state == 0 && process->group != fry->pgid && !fry->inherited &&
			 is_child(process->group))
			return 0; /* as a member of that group */
		return signal_send(fry, target, -1, sig, step) == -1 && errno != ESRCH ? -1 : 0;
	}
	/* Opened first, and then found to be what it was: so this is what is signalled. */
	fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	if (fd == -1 && errno == ESRCH)
		return 0;
	same = process_same(process);
	if (!same && fd != -1) {
		/* It may have been the last descriptor. */
		close(fd);
		fd = -1;
		same = process_same(process);
	}
	if (!same) {
		errno = ESTALE;
		return -1;
	}
	if (fd != -1) {
		int error;

		result = signal_send(fry, process->pid, fd, sig, step);
		error = errno;
		close(fd);
		errno = error;
	}
	if (fd == -1 || (result == -1 && errno == ENOSYS)) /* before Linux 5.3 and 5.1 */
		result = signal_send(fry, process->pid, -1, sig, step);
	return result == -1 && errno != ESRCH ? -1 : 0;
}

/*
 * Kill the group of a child, in which a bomb forks faster than it can be read. Only where all of
 * it descends from here: the child leads it, or it belongs to a session that was made below. Who
 * was here before fry-run may have company there that is none of ours.
 */
static void kill_group(struct walk *walk, const struct process *process)
{
	const struct fry *fry = walk->fry;
	bool below = process->session != fry->sid;

	if (fry->inherited || process->parent != fry->self || process->group <= 1 ||
	    process->group == fry->pgid || process->group == walk->killed_group)
		return;
	if (process->group != process->pid && !below)
		return;
	/* As an unreaped member the child keeps the number from being another's: ask it now. */
	if (getpgid(process->pid) == process->group && kill(-process->group, SIGKILL) == 0)
		walk->killed_group = process->group;
}

/*
 * Whether it goes by the name of a fry-run, that of a release's file (fry-run-0.9.0-amd64) included;
 * whoever else does gets its signals with another code.
 */
static bool is_fry(const struct process *process)
{
	return strncmp(process->name, "fry-run", 7) == 0 || strcmp(process->name, "fry-inner") == 0;
}

/*
 * Whether a nested fry-run is better not told of a step. Its inner process hears of it from the outer one.
 * Where the queue is full the kernel drops the mark, and it would forward what its COMMAND has had.
 */
static bool is_untold(const struct fry *fry, const struct process *process)
{
	/* COMMAND has our own name until it is executed. */
	if (strcmp(process->name, "fry-inner") == 0)
		return process->parent != fry->self;
	return process_queue_is_full(process->pid);
}

/* Returns false if it is to be met once more. */
static bool broadcast_send(struct walk *walk, struct process *process, int sig)
{
	const struct broadcast *broadcast = walk->broadcast;
	bool step = broadcast->group == 0 && sig == broadcast->signal && is_fry(process);

	if (broadcast->record_only || (step && is_untold(walk->fry, process)))
		return true;
	if (process_signal(walk->fry, process, sig, step) == 0) {
		walk->broadcast->sent += sig == broadcast->signal;
		return true;
	}
	process->recheck = errno == ESTALE;
	if (process->recheck)
		return false;
	walk->broadcast->forbidden += sig == broadcast->signal;
	if (!process->forbidden)
		warn("cannot signal process %d (%s): %s", (int)process->pid, process->name,
		     strerror(errno));
	process->forbidden = true;
	return true;
}

static bool is_recipient(const struct fry *fry, const struct broadcast *broadcast,
			 const struct process *process)
{
	if (broadcast->group == 0 && broadcast->pid == 0)
		return true;
	/*
	 * 0 is a group of another pid namespace: the caller's, where this is PID 1 of the new one after
	 * `unshare --pid`, or one's that was put into this namespace from outside.
	 */
	return (broadcast->group != 0 &&
		(process->group == broadcast->group || (process->group == 0 && fry->self == 1))) ||
	       process->pid == broadcast->pid;
}

static uint64_t signal_bit(int sig)
{
	return sig == 0 ? 0 : UINT64_C(1) << (sig - 1) % 64;
}

static void broadcast_deliver(struct walk *walk, struct process *process)
{
	struct broadcast *broadcast = walk->broadcast;
	uint64_t bit = signal_bit(broadcast->signal);

	if (process_is_dead(process) && !(broadcast->zombies && process->parent == walk->fry->self))
		return;
	if (!is_recipient(walk->fry, broadcast, process))
		return;
	if (!(broadcast->once && (process->delivered & bit) != 0) &&
	    !broadcast_send(walk, process, broadcast->signal))
		return;
	broadcast->found++;
	broadcast->stopped += process->state == 'T';
	if (broadcast->log)
		warn("%s: process %d (%s)", broadcast->why, (int)process->pid, process->name);
	if (broadcast->report)
		report_leftover(walk->fry, process->pid, process->name);
	if (broadcast->terminating || broadcast->record_only)
		process->delivered |= bit | signal_bit(broadcast->instead_of);
	/* Also for one that has had the signal: it may not have acted on it. */
	if (broadcast->terminating && (process->state == 'T' || process->state == 0))
		broadcast_send(walk, process, SIGCONT);
	if (broadcast->signal == SIGKILL && walk->again)
		kill_group(walk, process);
}

/* A process of this walk is visited once, and known by what was noted about it before. */
static void walk_visit(struct walk *walk, struct process *process)
{
	struct process *known = table_find(&walk->fry->tree.current, process->pid);

	if (known == NULL)
		known = table_find(&walk->fry->tree.previous, process->pid);
	if (known != NULL && known->start == process->start && !known->reaped) {
		process->delivered = known->delivered;
		process->forbidden = known->forbidden;
	}
	known = table_find(&walk->fry->tree.current, process->pid);
	if (known != NULL)
		*known = *process; /* the pid was recycled within the walk */
	else
		known = table_add(&walk->fry->tree.current, process);
	walk->fresh += known != NULL;
	broadcast_deliver(walk, known != NULL ? known : process);
}

static void set_cpu_policy(int policy, int priority)
{
	struct sched_param parameter = {.sched_priority = priority};

	syscall(SYS_sched_setscheduler, 0, policy | SCHED_RESET_ON_FORK, &parameter);
}

/*
 * Ask for more of the processor once something takes long that began then: under a bomb it is the
 * share of it that decides. In a stop it is kept to the end, as each step there would wait its turn
 * among hundreds. It does no harm to be refused, and who was given another policy keeps it.
 */
void boost_priority(struct fry *fry, int64_t began)
{
	long policy;

	if (fry->tree.boosted || clock_now() < began + 50 * MILLISECOND)
		return;
	policy = syscall(SYS_sched_getscheduler, 0);
	if (policy == -1 || (policy & ~SCHED_RESET_ON_FORK) != SCHED_OTHER)
		return;
	fry->tree.boosted = true;
	set_cpu_policy(SCHED_FIFO, 1);
}

/* See whether a pid is a descendant that this walk has not met. */
static void walk_consider(struct walk *walk, pid_t pid)
{
	const struct fry *fry = walk->fry;
	const struct process *known;
	struct process process;

	boost_priority(walk->fry, walk->began);
	if (pid <= 1 || is_own_process(fry, pid))
		return;
	/* Nothing is reaped during a walk, so a child that was met is still the one: most often dead. */
	known = table_find(&fry->tree.current, pid);
	if (known != NULL && known->parent == fry->self && !known->recheck)
		return;
	if (process_read(pid, &process) == -1)
		return;
	if (known != NULL && known->start == process.start && !known->recheck)
		return;
	if (process.parent != fry->self && fry->self != 1 &&
	    !(fry->guard.outer_has_children && process.parent == fry->outer &&
	      is_own_process(fry, fry->outer))) {
		/* Below a descendant: one that is still the same, now that its child was read. */
		known = table_find(&fry->tree.current, process.parent);
		/* A child of our own is not reaped meanwhile, so there is nothing to look at again. */
		if (known == NULL || (known->parent != fry->self && !process_same(known)))
			return;
	}
	walk_visit(walk, &process);
}

/* Consider the children of one thread. Returns -1 if there is no such file, or it is too long. */
static int walk_thread(struct walk *walk, pid_t pid, pid_t thread)
{
	char path[64], text[8 * SMALL_TREE];
	const char *at = text;
	ssize_t length;

	text_format(path, sizeof(path), "/proc/%d/task/%d/" CHILDREN_FILE, (int)pid, (int)thread);
	length = proc_read(path, text, sizeof(text));
	if (length == -1 || length == sizeof(text) - 1)
		return -1;
	for (; *at >= '0' && *at <= '9'; at += *at == ' ')
		walk_consider(walk, (pid_t)scan_number(&at));
	return 0;
}

/* Consider the children of all threads; a process that has gone has none. */
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

/* A pass for small trees: the children, their children and so on. Returns -1 if that is no way. */
static int walk_children(struct walk *walk)
{
	const struct table *tree = &walk->fry->tree.current;

	if (walk_thread(walk, walk->fry->self, walk->fry->self) == -1)
		return -1;
	if (walk->fry->guard.outer_has_children &&
	    walk_thread(walk, walk->fry->outer, walk->fry->outer) == -1)
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

/* A pass over all of /proc. It is in ascending order, so what forks is mostly met further on. */
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

/* A pass without /proc: wait(2) knows our children, by every number that they could have. */
static void walk_probe(struct walk *walk)
{
	struct fry *fry = walk->fry;

	for (pid_t pid = 2; pid <= LARGE_PID_MAX; pid++) {
		struct process process = {.pid = pid, .parent = fry->self, .name = "?"};

		/* Few systems have more, and it takes a second to look. */
		if (pid > SMALL_PID_MAX && fry->tree.max_pid_seen <= SMALL_PID_MAX &&
		    (walk->proc || fry->tree.current.count != 0))
			break;
		if (is_own_process(fry, pid) || !is_child(pid) ||
		    table_find(&fry->tree.current, pid) != NULL)
			continue;
		process.group = getpgid(pid);
		process.session = getsid(pid);
		walk_visit(walk, &process);
	}
}

/* A pass over the cgroup: its members are ours whoever started them. */
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

/* Those who were known, and are what they were, whoever is their parent by now. */
static void walk_known(struct walk *walk, const struct table *known)
{
	for (size_t i = 0; i < known->count; i++) {
		struct process now;

		if (table_find(&walk->fry->tree.current, known->process[i].pid) == NULL &&
		    process_alive(&known->process[i], &now))
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
	/* It takes milliseconds, so only if there is a child to be found. */
	if ((!read || walk->hidden || walk->fry->tree.current.count == 0) &&
	    child_peek(P_ALL, 0, &info) == 0)
		walk_probe(walk);
}

/* Whether what only the outer process was a parent of is ours to kill now. */
static bool kills_outer_children(const struct fry *fry)
{
	return fry->guard.outer_died && fry->tree.outer_children.count != 0;
}

/* Whether there may be some to stop whose orphans do not come to us: they are noted before. */
bool orphans_escape(const struct fry *fry)
{
	return !fry->subreaper || kills_outer_children(fry);
}

void tree_walk(struct fry *fry, struct broadcast *broadcast, bool again)
{
	struct walk walk = {
		.fry = fry,
		.broadcast = broadcast,
		.proc = proc_is_ours(fry),
		.again = again,
		.thorough = again || fry->self == 1,
		.began = clock_now(),
	};
	int passes = broadcast->signal == SIGKILL ? MANY_PASSES : SOME_PASSES;
	struct process first;

	/* Who is missed in a note may get the signal once more. */
	if (broadcast->record_only && !broadcast->log)
		passes = 1;
	/* With hidepid, a setuid child of ours may be among those that are not shown. */
	walk.hidden = walk.proc && !broadcast->record_only && process_read(1, &first) == -1;
	table_turn(fry);
	if (walk.proc && kills_outer_children(fry))
		walk_known(&walk, &fry->tree.outer_children);
	if (walk.proc && orphans_escape(fry))
		walk_known(&walk, &fry->tree.previous);
	do {
		walk.fresh = 0;
		walk_pass(&walk);
		/* Where it takes that long, KILL will have to do, in its time. */
		if (broadcast->signal != SIGKILL && clock_now() > walk.began + SECOND)
			break;
	} while (walk.fresh != 0 && --passes > 0);
	if (fry->tree.boosted && fry->schedule.at == -1) {
		fry->tree.boosted = false;
		set_cpu_policy(SCHED_OTHER, 0);
	}
}

void tree_signal(struct fry *fry, struct broadcast *broadcast)
{
	tree_walk(fry, broadcast, false);
}

int tree_init(struct fry *fry)
{
	struct tree *tree = &fry->tree;

	if ((tree->current.slots == 0 && table_grow(&tree->current) == -1) ||
	    (tree->previous.slots == 0 && table_grow(&tree->previous) == -1))
		return -1;
	return 0;
}

void tree_note_reaped(struct fry *fry, pid_t pid)
{
	struct process *known = table_find(&fry->tree.current, pid);

	if (known != NULL)
		known->reaped = true;
	if (pid > fry->tree.max_pid_seen)
		fry->tree.max_pid_seen = pid;
}

bool tree_outer_children(struct fry *fry)
{
	struct broadcast note = {.record_only = true};

	if (fry->guard.outer_has_children) {
		tree_walk(fry, &note, false);
		fry->guard.outer_has_children =
			note.found != 0; /* if not, there never are any again */
	}
	return fry->guard.outer_has_children;
}

void tree_save_inherited(struct fry *fry)
{
	tree_walk(fry, &(struct broadcast){.record_only = true}, false);
	fry->tree.outer_children = fry->tree.current;
	fry->tree.current = (struct table){0};
}

void tree_name(struct fry *fry, const char *why)
{
	tree_signal(fry, &(struct broadcast){
				 .record_only = true, .log = true, .zombies = true, .why = why});
}
