/*
 * known.c - the processes that were found below fry-run, and what each of them was sent
 */
/* SPDX-License-Identifier: MIT */
#include "known.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cmdline.h"
#include "fry.h"
#include "process.h"
#include "sys.h"
#include "text.h"

struct process *table_find(const struct table *table, pid_t pid)
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

/* Double the table. Returns -1 with errno ENOMEM, and leaves the table unchanged. */
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
	if (!table->fixed) {
		page_free(table->slot, old * sizeof(*slot));
		page_free(table->process, old / 2 * sizeof(*process));
	}
	*table = (struct table){process, slot, table->count, slots, false};
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

void table_turn(struct fry *fry)
{
	struct table turned = fry->tree.previous;

	fry->tree.previous = fry->tree.current;
	fry->tree.current = turned;
	fry->tree.current.count = 0;
	if (fry->tree.current.slots != 0)
		memset(fry->tree.current.slot, 0,
		       fry->tree.current.slots * sizeof(*fry->tree.current.slot));
}

int known_init(struct fry *fry)
{
	/* One system call for two tables; in .bss they would move libc's variables to one more page. */
	struct small_table {
		struct process process[SMALL_TREE / 2];
		uint32_t slot[SMALL_TREE];
	} *small = page_alloc(2 * sizeof(*small));

	if (small == NULL)
		return -1;
	fry->tree.current = (struct table){small[0].process, small[0].slot, 0, SMALL_TREE, true};
	fry->tree.previous = (struct table){small[1].process, small[1].slot, 0, SMALL_TREE, true};
	return 0;
}

void known_note_reaped(struct fry *fry, pid_t pid)
{
	struct process *known = table_find(&fry->tree.current, pid);

	if (known != NULL)
		known->reaped = true;
	if (pid > fry->tree.max_pid_seen)
		fry->tree.max_pid_seen = pid;
}

bool kills_outer_children(const struct fry *fry)
{
	return fry->guard.outer_died && fry->tree.outer_children.count != 0;
}

bool orphans_escape(const struct fry *fry)
{
	return !fry->subreaper || kills_outer_children(fry);
}

struct process *known_add(struct fry *fry, struct process *process)
{
	struct process *known = table_find(&fry->tree.current, process->pid);

	if (known == NULL)
		known = table_find(&fry->tree.previous, process->pid);
	if (known != NULL && known->start == process->start && !known->reaped) {
		process->delivered = known->delivered;
		process->forbidden = known->forbidden;
	}
	known = table_find(&fry->tree.current, process->pid);
	if (known == NULL)
		return table_add(&fry->tree.current, process);
	*known = *process; /* the pid was recycled within the walk */
	return known;
}

/* Returns false if the process has changed, so that the walk has to consider it again. */
static bool broadcast_send(const struct fry *fry, struct broadcast *broadcast,
			   struct process *process, int sig)
{
	/* A mark is of no use to a process that gets KILL. */
	bool step = broadcast->group == 0 && sig == broadcast->signal && sig != SIGKILL;
	int sent;

	if (broadcast->record_only)
		return true;
	sent = process_signal(fry, process, sig, step);
	if (sent != -1) {
		if (sig == broadcast->signal)
			broadcast->sent += (unsigned)sent;
		return true;
	}
	process->recheck = errno == ESTALE;
	if (process->recheck)
		return false;
	broadcast->forbidden += sig == broadcast->signal;
	if (!process->forbidden)
		warn("cannot signal process %d (%s): %s", abs(process->pid), process->name,
		     strerror(errno));
	process->forbidden = true;
	return true;
}

/* Whether this is COMMAND's group, as tree_posix.c lists it, and the broadcast is for COMMAND alone. */
static bool holds_recipient(const struct broadcast *broadcast, const struct process *process)
{
	return broadcast->group == 0 && broadcast->pid != 0 && process->pid == -broadcast->pid;
}

static bool is_recipient(const struct fry *fry, const struct broadcast *broadcast,
			 const struct process *process)
{
	if (broadcast->group == 0 && broadcast->pid == 0)
		return true;
	/*
	 * A group of another pid namespace reads as 0. It is the caller's group if this is PID 1 after
	 * `unshare --pid`, or the group of a process that was put into this namespace from outside.
	 */
	return (broadcast->group != 0 &&
		(process->group == broadcast->group || (process->group == 0 && fry->self == 1))) ||
	       process->pid == broadcast->pid || holds_recipient(broadcast, process);
}

static uint64_t signal_bit(int sig)
{
	return sig == 0 ? 0 : UINT64_C(1) << (sig - 1) % 64;
}

bool broadcast_deliver(struct fry *fry, struct broadcast *broadcast, struct process *process)
{
	uint64_t bit = signal_bit(broadcast->signal);
	char line[COMMAND_LINE_SIZE];

	if (!is_recipient(fry, broadcast, process))
		return false;
	/* Read it before the signal, which may end the process. */
	if (broadcast->log || broadcast->report)
		cmdline_read(process, line, sizeof(line));
	if (!(broadcast->once && (process->delivered & bit) != 0) &&
	    !broadcast_send(fry, broadcast, process, broadcast->signal))
		return false;
	broadcast->found++;
	broadcast->stopped += process->state == 'T';
	if (broadcast->log)
		warn("%s: process %d (%s)",
		     broadcast->record_only || !process->forbidden
			     ? broadcast->why
			     : "left behind by COMMAND, and not signalled",
		     abs(process->pid), line);
	if (broadcast->report)
		report_leftover(fry, process->pid, process->name, line);
	/* If only COMMAND was sent the signal, other members of its group have not had it. */
	if ((broadcast->terminating || broadcast->record_only) &&
	    !holds_recipient(broadcast, process))
		process->delivered |= bit | signal_bit(broadcast->instead_of);
	/* A stopped process may not have acted on a signal that it has had: continue it, too. */
	if (broadcast->terminating && (process->state == 'T' || process->state == 0))
		broadcast_send(fry, broadcast, process, SIGCONT);
	return true;
}
