/*
 * reap.c - reaping, the tree below, and killing until nothing is left
 *
 * As a subreaper fry-run becomes the parent of every orphan below it, so "everything left" is
 * what hangs below it, and nothing is left exactly when wait(2) says ECHILD. What is there in
 * between is read from /proc, and all of it may be old news by the time it is read. Therefore:
 *
 * - A child of fry-run's own cannot disappear before it is reaped, and nothing is reaped during
 *   a walk: kill(2) by number is safe for it, and for a group that it is in.
 * - Anything further down is opened as a pidfd, looked at again, and only then signalled.
 * - A pid of 1 or less is never signalled, except by PID 1, to whom everything belongs.
 */
/* SPDX-License-Identifier: MIT */
#include "fry.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SMALL_TREE = 256,  /* up to here following the children beats reading all of /proc */
	MANY_PASSES = 32,  /* of a sweep: what goes on finding more has met a bomb */
	SOME_PASSES = 4,   /* of any other walk: enough for all who did not fork meanwhile */
	REAP_BATCH = 1000, /* then the clock is looked at */
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
	struct errand *errand;
	bool proc;     /* /proc tells of the pids that fry-run knows */
	bool hidden;   /* but not of everybody */
	bool again;    /* one walk was not enough: whole groups are killed */
	bool thorough; /* all of it is read, rather than the children of the children */
	unsigned fresh;
	int64_t began;
	pid_t killed_group; /* the last one, so as not to kill a large one for each member */
};

static void *memory_map(size_t size, int kind)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void *memory_get(size_t size)
{
	return memory_map(size, MAP_PRIVATE);
}

void *memory_share(size_t size)
{
	return memory_map(size, MAP_SHARED);
}

void memory_free(void *memory, size_t size)
{
	if (memory != NULL)
		munmap(memory, size);
}

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
	uint32_t *slot = memory_get(slots * sizeof(*slot));
	struct process *process = memory_get(slots / 2 * sizeof(*process));

	if (slot == NULL || process == NULL) {
		memory_free(slot, slots * sizeof(*slot));
		memory_free(process, slots / 2 * sizeof(*process));
		return -1;
	}
	if (old != 0)
		memcpy(process, table->process, table->count * sizeof(*process));
	memory_free(table->slot, old * sizeof(*slot));
	memory_free(table->process, old / 2 * sizeof(*process));
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
	struct table turned = fry->before;

	fry->before = fry->tree;
	fry->tree = turned;
	fry->tree.count = 0;
	if (fry->tree.slots != 0)
		memset(fry->tree.slot, 0, fry->tree.slots * sizeof(*fry->tree.slot));
}

/* Read a file of /proc into text. Returns its length, or -1 with errno from open(2) or read(2). */
static ssize_t proc_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd == -1)
		return -1;
	length = read(fd, text, size - 1);
	close(fd);
	text[length > 0 ? length : 0] = '\0';
	return length;
}

bool listing_open(struct listing *list, const char *path)
{
	list->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	list->keep = false;
	list->at = list->end = 0;
	return list->fd != -1;
}

const char *listing_next(struct listing *list, bool *directory)
{
	const struct entry {
		uint64_t inode;
		int64_t offset;
		unsigned short length;
		unsigned char type;
		char name[];
	} * entry;

	if (list->at == list->end) {
		list->at = 0;
		list->end = syscall(SYS_getdents64, list->fd, list->entries, sizeof(list->entries));
	}
	if (list->end <= 0) {
		if (!list->keep)
			close(list->fd);
		return NULL;
	}
	entry = (const void *)((const char *)list->entries + list->at);
	list->at += entry->length;
	*directory = entry->type == DT_DIR;
	return entry->name;
}

long listing_number(struct listing *list)
{
	const char *name;
	bool directory;

	while ((name = listing_next(list, &directory)) != NULL)
		if (name[0] >= '0' && name[0] <= '9')
			return (long)number_cut(&name);
	return -1;
}

/* What follows a name at the start of a line. Returns NULL if there is none: proc_pid_status(5). */
static const char *find_field(const char *text, const char *name)
{
	size_t length = strlen(name);

	while (strncmp(text, name, length) != 0) {
		text = strchr(text, '\n');
		if (text == NULL)
			return NULL;
		text++;
	}
	return text + length;
}

/*
 * Whether /proc belongs to this pid namespace: /proc/self names us by the pid that we know. One of
 * an outer namespace could do so by chance, but then lists a pid for each namespace under NSpid.
 */
static bool proc_is_ours(struct fry *fry)
{
	char text[2048];
	const char *line = text;
	ssize_t length = readlink("/proc/self", text, sizeof(text) - 1);

	if (length <= 0)
		return false;
	text[length] = '\0';
	if (number_cut(&line) != fry->self)
		return false;
	if (fry->proc_ours) /* it takes the kernel long to write all of that */
		return true;
	if (proc_read("/proc/self/status", text, sizeof(text)) <= 0)
		return false;
	line = find_field(text, "NSpid:");
	if (line == NULL)
		return true; /* before Linux 4.1 */
	number_cut(&line);
	fry->proc_ours = *line == '\n';
	return fry->proc_ours;
}

/* Fill in a process from /proc/PID/stat. Returns -1 if there is none. */
static int process_read(pid_t pid, struct process *process)
{
	enum { PARENT = 1, GROUP, SESSION, THREADS = 17, START = 19, FIELDS };
	long long field[FIELDS] = {0};
	char path[32], text[1024], *name, *end;
	const char *rest;

	text_format(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (proc_read(path, text, sizeof(text)) <= 0)
		return -1;
	name = strchr(text, '(');
	end = strrchr(text, ')'); /* a name may hold anything */
	if (name == NULL || end == NULL || end < name || end[1] != ' ' || end[2] == '\0')
		return -1;
	*end = '\0';
	*process = (struct process){.pid = pid, .state = end[2]};
	text_format(process->name, sizeof(process->name), "%s", name + 1);
	rest = end + 3;
	for (int i = PARENT; i < FIELDS; i++)
		field[i] = number_cut(&rest);
	process->parent = (pid_t)field[PARENT];
	process->group = (pid_t)field[GROUP];
	process->session = (pid_t)field[SESSION];
	process->threads = (unsigned long)field[THREADS];
	process->start = (unsigned long long)field[START];
	return 0;
}

/* Whether a pid still names the process that it did. */
static bool process_same(const struct process *process)
{
	struct process now;

	return process_read(process->pid, &now) == 0 && now.start == process->start &&
	       now.parent == process->parent;
}

/* Whether only the wait status is left. (A thread may outlive the first one, which is shown.) */
static bool process_is_dead(const struct process *process)
{
	return process->state == 'X' || (process->state == 'Z' && process->threads <= 1);
}

/* Whether it lives, as the same process, whoever its parent is; it is read once more into now. */
static bool process_alive(const struct process *process, struct process *now)
{
	return process_read(process->pid, now) == 0 && now->start == process->start &&
	       !process_is_dead(now);
}

/* See whether a child has ended, without reaping it. Returns -1 with ECHILD if there is none. */
static int child_peek(idtype_t type, pid_t pid, siginfo_t *info)
{
	int flags = WEXITED | WNOHANG | WNOWAIT;
	int result = waitid(type, (id_t)pid, info, flags | __WALL);

	/* waitid(2) takes __WALL since Linux 4.7. */
	return result == -1 && errno == EINVAL ? waitid(type, (id_t)pid, info, flags) : result;
}

/* Whether this is an unreaped child of ours, whatever /proc says. */
static bool is_child(pid_t pid)
{
	siginfo_t info;

	return child_peek(P_PID, pid, &info) == 0;
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
		else if (process->state == 0 && process->group != fry->own_group &&
			 !fry->inherited && is_child(process->group))
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
	bool below = process->session != fry->own_session;

	if (fry->inherited || process->parent != fry->self || process->group <= 1 ||
	    process->group == fry->own_group || process->group == walk->killed_group)
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

/* Whether the queue of signals of a process's user is full: proc_pid_status(5). */
static bool queue_is_full(pid_t pid)
{
	char path[32], text[2048];
	const char *line;
	long long queued;

	text_format(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (proc_read(path, text, sizeof(text)) <= 0)
		return false;
	line = find_field(text, "SigQ:");
	if (line == NULL)
		return false;
	queued = number_cut(&line);
	line += *line == '/';
	return queued >= number_cut(&line);
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
	return queue_is_full(process->pid);
}

/* Returns false if it is to be met once more. */
static bool errand_signal(struct walk *walk, struct process *process, int sig)
{
	const struct errand *errand = walk->errand;
	bool step = errand->group == 0 && sig == errand->signal && is_fry(process);

	if (errand->noting || (step && is_untold(walk->fry, process)))
		return true;
	if (process_signal(walk->fry, process, sig, step) == 0) {
		walk->errand->sent += sig == errand->signal;
		return true;
	}
	process->stale = errno == ESTALE;
	if (process->stale)
		return false;
	walk->errand->forbidden += sig == errand->signal;
	if (!process->forbidden)
		say("cannot signal process %d (%s): %s", (int)process->pid, process->name,
		    strerror(errno));
	process->forbidden = true;
	return true;
}

static bool is_meant(const struct fry *fry, const struct errand *errand, const struct process *process)
{
	if (errand->group == 0 && errand->pid == 0)
		return true;
	/*
	 * 0 is a group of another pid namespace: the caller's, where this is PID 1 of the new one after
	 * `unshare --pid`, or one's that was put into this namespace from outside.
	 */
	return (errand->group != 0 && (process->group == errand->group ||
				       (process->group == 0 && fry->self == 1))) ||
	       process->pid == errand->pid;
}

static uint64_t signal_bit(int sig)
{
	return sig == 0 ? 0 : UINT64_C(1) << (sig - 1) % 64;
}

static void errand_run(struct walk *walk, struct process *process)
{
	struct errand *errand = walk->errand;
	uint64_t bit = signal_bit(errand->signal);

	if (process_is_dead(process) && !(errand->dead && process->parent == walk->fry->self))
		return;
	if (!is_meant(walk->fry, errand, process))
		return;
	if (!(errand->once && (process->had & bit) != 0) &&
	    !errand_signal(walk, process, errand->signal))
		return;
	errand->found++;
	errand->stopped += process->state == 'T';
	if (errand->naming)
		say("%s: process %d (%s)", errand->why, (int)process->pid, process->name);
	if (errand->listing)
		report_leftover(walk->fry, process);
	if (errand->stopping || errand->noting)
		process->had |= bit | signal_bit(errand->instead_of);
	/* Also for one that has had the signal: it may not have acted on it. */
	if (errand->stopping && (process->state == 'T' || process->state == 0))
		errand_signal(walk, process, SIGCONT);
	if (errand->signal == SIGKILL && walk->again)
		kill_group(walk, process);
}

/* A process of this walk is visited once, and known by what was noted about it before. */
static void walk_visit(struct walk *walk, struct process *process)
{
	struct process *known = table_find(&walk->fry->tree, process->pid);

	if (known == NULL)
		known = table_find(&walk->fry->before, process->pid);
	if (known != NULL && known->start == process->start && !known->reaped) {
		process->had = known->had;
		process->forbidden = known->forbidden;
	}
	known = table_find(&walk->fry->tree, process->pid);
	if (known != NULL)
		*known = *process; /* the pid was recycled within the walk */
	else
		known = table_add(&walk->fry->tree, process);
	walk->fresh += known != NULL;
	errand_run(walk, known != NULL ? known : process);
}

static void schedule(int policy, int priority)
{
	struct sched_param parameter = {.sched_priority = priority};

	syscall(SYS_sched_setscheduler, 0, policy | SCHED_RESET_ON_FORK, &parameter);
}

/*
 * Ask for more of the processor once something takes long that began then: under a bomb it is the
 * share of it that decides. In a stop it is kept to the end, as each step there would wait its turn
 * among hundreds. It does no harm to be refused, and who was given another policy keeps it.
 */
static void hurry(struct fry *fry, int64_t began)
{
	long policy;

	if (fry->hurried || clock_now() < began + 50 * MILLISECOND)
		return;
	policy = syscall(SYS_sched_getscheduler, 0);
	if (policy == -1 || (policy & ~SCHED_RESET_ON_FORK) != SCHED_OTHER)
		return;
	fry->hurried = true;
	schedule(SCHED_FIFO, 1);
}

/* See whether a pid is a descendant that this walk has not met. */
static void walk_consider(struct walk *walk, pid_t pid)
{
	const struct fry *fry = walk->fry;
	const struct process *known;
	struct process process;

	hurry(walk->fry, walk->began);
	if (pid <= 1 || guard_owns(fry, pid))
		return;
	/* Nothing is reaped during a walk, so a child that was met is still the one: most often dead. */
	known = table_find(&fry->tree, pid);
	if (known != NULL && known->parent == fry->self && !known->stale)
		return;
	if (process_read(pid, &process) == -1)
		return;
	if (known != NULL && known->start == process.start && !known->stale)
		return;
	if (process.parent != fry->self && fry->self != 1 &&
	    !(fry->outer_children && process.parent == fry->parent && guard_owns(fry, fry->parent))) {
		/* Below a descendant: one that is still the same, now that its child was read. */
		known = table_find(&fry->tree, process.parent);
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
		walk_consider(walk, (pid_t)number_cut(&at));
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
	const struct table *tree = &walk->fry->tree;

	if (walk_thread(walk, walk->fry->self, walk->fry->self) == -1)
		return -1;
	if (walk->fry->outer_children &&
	    walk_thread(walk, walk->fry->parent, walk->fry->parent) == -1)
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
		if (pid > SMALL_PID_MAX && fry->highest <= SMALL_PID_MAX &&
		    (walk->proc || fry->tree.count != 0))
			break;
		if (guard_owns(fry, pid) || !is_child(pid) || table_find(&fry->tree, pid) != NULL)
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
	char *text = fry->cgroup == NULL ? NULL : memory_get(CGROUP_FILE_SIZE);
	const char *at = text;

	if (text != NULL && cgroup_members(fry, text, CGROUP_FILE_SIZE) > 0) {
		for (; *at >= '0' && *at <= '9'; at += *at == '\n') {
			pid_t pid = (pid_t)number_cut(&at);
			struct process process;

			if (pid > 1 && !guard_owns(fry, pid) &&
			    table_find(&fry->tree, pid) == NULL &&
			    process_read(pid, &process) == 0 && cgroup_holds(fry, pid))
				walk_visit(walk, &process);
		}
	}
	memory_free(text, CGROUP_FILE_SIZE);
}

/* Those who were known, and are what they were, whoever is their parent by now. */
static void walk_known(struct walk *walk, const struct table *known)
{
	for (size_t i = 0; i < known->count; i++) {
		struct process now;

		if (table_find(&walk->fry->tree, known->process[i].pid) == NULL &&
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
	if ((!read || walk->hidden || walk->fry->tree.count == 0) &&
	    child_peek(P_ALL, 0, &info) == 0)
		walk_probe(walk);
}

/* Whether what only the outer process was a parent of is ours to kill now. */
static bool is_heir(const struct fry *fry)
{
	return fry->outer_died && fry->beside.count != 0;
}

/* Whether there may be some to stop whose orphans do not come to us: they are noted before. */
static bool is_loose(const struct fry *fry)
{
	return !fry->subreaper || is_heir(fry);
}

static void tree_walk(struct fry *fry, struct errand *errand, bool again)
{
	struct walk walk = {
		.fry = fry,
		.errand = errand,
		.proc = proc_is_ours(fry),
		.again = again,
		.thorough = again || fry->self == 1,
		.began = clock_now(),
	};
	int passes = errand->signal == SIGKILL ? MANY_PASSES : SOME_PASSES;
	struct process first;

	/* Who is missed in a note may get the signal once more. */
	if (errand->noting && !errand->naming)
		passes = 1;
	/* With hidepid, a setuid child of ours may be among those that are not shown. */
	walk.hidden = walk.proc && !errand->noting && process_read(1, &first) == -1;
	table_turn(fry);
	if (walk.proc && is_heir(fry))
		walk_known(&walk, &fry->beside);
	if (walk.proc && is_loose(fry))
		walk_known(&walk, &fry->before);
	do {
		walk.fresh = 0;
		walk_pass(&walk);
		/* Where it takes that long, KILL will have to do, in its time. */
		if (errand->signal != SIGKILL && clock_now() > walk.began + SECOND)
			break;
	} while (walk.fresh != 0 && --passes > 0);
	if (fry->hurried && fry->stop.at == -1) {
		fry->hurried = false;
		schedule(SCHED_OTHER, 0);
	}
}

void tree_signal(struct fry *fry, struct errand *errand)
{
	tree_walk(fry, errand, false);
}

bool reap_outer_children(struct fry *fry)
{
	struct errand note = {.noting = true};

	if (fry->outer_children) {
		tree_walk(fry, &note, false);
		fry->outer_children = note.found != 0; /* if not, there never are any again */
	}
	return fry->outer_children;
}

bool process_died(pid_t pid)
{
	struct process process;

	return process_read(pid, &process) == -1 || process_is_dead(&process);
}

void tree_keep(struct fry *fry)
{
	tree_walk(fry, &(struct errand){.noting = true}, false);
	fry->beside = fry->tree;
	fry->tree = (struct table){0};
}

void tree_name(struct fry *fry, const char *why)
{
	tree_signal(fry,
		    &(struct errand){.noting = true, .naming = true, .dead = true, .why = why});
}

void reap_start(struct fry *fry)
{
	bool left;

	/* For a tree that is not large, before COMMAND may use up all memory. */
	if ((fry->tree.slots == 0 && table_grow(&fry->tree) == -1) ||
	    (fry->before.slots == 0 && table_grow(&fry->before) == -1)) {
		say("cannot get memory: %s", strerror(errno));
		exit(EXIT_FRY);
	}
	fry->subreaper = fry->self == 1 || prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
	if (!fry->subreaper)
		say_verbose(fry, 1, "no subreaper: %s; orphans are lost", strerror(errno));
	/* A shell's background jobs, if it executed fry-run in its place. */
	while (reap_drain(fry, &left) != 0)
		;
	fry->inherited = left;
}

/*
 * Say which orphan is about to be reaped, while there still is something to read. Returns the
 * process that is to be reaped, which may be COMMAND, 0 if there is none, or -1 with ECHILD.
 */
static pid_t reap_warn(const struct fry *fry)
{
	struct process process;
	siginfo_t info = {0};

	if (child_peek(P_ALL, 0, &info) == -1)
		return -1;
	if (info.si_pid == 0 || info.si_pid == fry->child || info.si_pid == fry->inner)
		return info.si_pid;
	if (process_read(info.si_pid, &process) == -1)
		say("reaped orphan: process %d", (int)info.si_pid);
	else
		say("reaped orphan: process %d (%s)", (int)info.si_pid, process.name);
	return info.si_pid;
}

static void reap_note(struct fry *fry, pid_t pid, int status)
{
	struct process *known = table_find(&fry->tree, pid);

	if (known != NULL)
		known->reaped = true;
	if (pid > fry->highest)
		fry->highest = pid;
	if (pid == fry->inner) {
		fry->inner = 0;
		fry->inner_status = status;
	} else if (pid == fry->child) {
		fry->child = 0;
		fry->outcome->status = status;
		fry->outcome->ended = true; /* in this order: the outer process may have to go on */
	} else {
		report_reaped(fry, pid, status);
	}
}

unsigned reap_drain(struct fry *fry, bool *left)
{
	unsigned reaped = 0;

	*left = true;
	while (reaped < REAP_BATCH) {
		pid_t pid = -1;
		int status;

		if (fry->options.warn_reaped)
			pid = reap_warn(fry);
		if (pid == 0)
			pid = fry->inner;
		if (pid != 0)
			pid = waitpid(pid, &status, WNOHANG | __WALL | (fry->inner != 0 ? WUNTRACED : 0));
		if (pid == -1 && errno == EINTR)
			continue;
		if (pid == -1)
			*left = false;
		if (pid <= 0)
			break;
		if (WIFSTOPPED(status)) {
			if (pid == fry->inner)
				kill(pid, SIGCONT); /* it keeps the schedule */
			continue;
		}
		reap_note(fry, pid, status);
		reaped++;
	}
	return reaped;
}

/*
 * Reap those who were just killed: so many that were seen, or all in a group, if it is not 0. Returns
 * how many, once it is time to look for others.
 */
static size_t reap_killed(struct fry *fry, size_t seen, pid_t group, int64_t wait, bool *left)
{
	/* A chain that was missed dies and lives on for ever, and a bomb multiplies: not in a group. */
	int64_t limit = clock_add(clock_now(), group != 0 ? SECOND / 10 : SECOND / 50);
	size_t total = 0;
	siginfo_t info;

	do {
		unsigned reaped = reap_drain(fry, left);

		guard_beat(fry);
		total += reaped;
		/* Who dies leaves its children to us first, so none of the group is missed. */
		if (!*left || (group != 0 && child_peek(P_PGID, group, &info) == -1))
			break;
		if (reaped == 0 && signals_receive(&info, clock_add(clock_now(), wait), 0) == 0)
			break;
	} while (total < seen && clock_now() < limit);
	return total;
}

/* What can be killed at one blow, against which no fork can race: what is elsewhere is looked for. */
enum blow { NOBODY, GROUP, EVERYBODY };

static enum blow kill_at_once(const struct fry *fry)
{
	bool all = fry->self == 1 && kill(-1, SIGKILL) == 0;
	bool group = fry->self != 1 && fry->child != 0 && fry->owns_group &&
		     kill(-fry->group, SIGKILL) == 0;

	if (cgroup_kill(fry) || all)
		return EVERYBODY;
	return group ? GROUP : NOBODY;
}

/* Whether there are some whose death nobody tells us of. If so, some of it was waited for. */
static bool others_left(struct fry *fry, const struct errand *errand)
{
	siginfo_t info;

	if (cgroup_populated(fry)) { /* by who was put into it */
		cgroup_wait(fry, clock_now() + 10 * MILLISECOND);
		return true;
	}
	if (!guard_outer_died(fry) && reap_outer_children(fry)) {
		signals_receive(&info, clock_now() + 10 * MILLISECOND, 0);
		return true;
	}
	if (!is_loose(fry) || errand->found == errand->forbidden)
		return false;
	signals_receive(&info, clock_now() + MILLISECOND, 0);
	return true;
}

/* Whether wait(2) only waits for zombies that their tracer keeps: a chain or a bomb would be reaped. */
static bool is_waste(const struct fry *fry, const struct errand *errand)
{
	return errand->found == 0 && fry->cgroup == NULL;
}

void reap_kill(struct fry *fry)
{
	const struct stop *stop = &fry->stop;
	int64_t patience = stop->step[stop->steps - 1].wait;
	int64_t began = clock_now(), quiet = began; /* since when nobody has died */
	unsigned total = 0, walks = 0;
	bool left = true;

	if (is_loose(fry)) /* now that their parents live */
		tree_walk(fry, &(struct errand){.noting = true}, false);
	for (int sweep = 0; left; sweep++) {
		struct errand errand = {.signal = SIGKILL};
		int64_t start = clock_now(), wait = 2 * MILLISECOND;
		enum blow blow = kill_at_once(fry);
		size_t reaped, seen = SIZE_MAX; /* no number is known: until nobody dies */
		pid_t group = 0;

		hurry(fry, began);
		/* To look at those who are dying takes longer than to wait for them. */
		if (blow == NOBODY || sweep > 0 || is_loose(fry)) {
			tree_walk(fry, &errand, walks++ > 0);
			if (blow != EVERYBODY)
				seen = fry->tree.count;
			/* No more than half of the time for looking, the rest for dying. */
			if (clock_now() - start > wait)
				wait = clock_now() - start;
		} else if (blow == GROUP) {
			group = fry->group;
		}
		cgroup_thaw(fry);
		reaped = reap_killed(fry, seen, group, wait, &left);
		if (!left)
			left = others_left(fry, &errand);
		total += (unsigned)reaped;
		if (reaped != 0)
			quiet = clock_now();
		else if (errand.found != 0 && errand.found == errand.forbidden && blow != EVERYBODY)
			break; /* those were named, and are not waited for */
		else if (left && clock_now() - quiet >= (is_waste(fry, &errand) ? SECOND : patience)) {
			tree_name(fry, "does not die");
			break;
		}
	}
	report_step(fry, SIGKILL, began, total);
}
