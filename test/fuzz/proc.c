/* proc.c - fuzz what is read from /proc: status, the link, children and stat are parts of the input */
/* SPDX-License-Identifier: MIT */
/*
 * The parts end in the byte 0xff. The first byte says what fry-run takes itself for, so that
 * children are its own, others', or it is process 1. No process is signalled: the walk only takes notes.
 */
#include "fuzz.h"

#include "fry.h"
#include "listing.h"
#include "sys.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <dirent.h>
#include <sched.h>

#define open(path, ...)          fake_open(path)
#define read                     fake_read
#define close                    fake_close
#define readlink(path, to, size) fake_read(FAKE_FD + 1, to, size)
#include <process.c>
#include <tree.c>

static void check_process(pid_t pid)
{
	struct process process;

	if (process_read(pid, &process) == -1)
		return;
	expect(process.pid == pid && memchr(process.name, '\0', sizeof(process.name)) != NULL);
	process_is_dead(&process);
	expect(process_read(pid, &process) == 0);
}

/* A walk that meets what the file of children says, each of them as stat says. */
static void check_walk(struct fry *fry)
{
	struct broadcast broadcast = {.signal = SIGTERM, .record_only = true};
	struct walk walk = {.fry = fry, .broadcast = &broadcast, .proc = true};

	fry->tree.boosted = true; /* so that the walk leaves the scheduling policy alone */
	for (int pass = 0; pass < 2; pass++) {
		table_turn(fry);
		walk_thread(&walk, fry->self, fry->self);
	}
	for (size_t i = 0; i < fry->tree.current.count; i++) {
		const struct process *process = &fry->tree.current.process[i];

		expect(process->pid > 1 && process->pid != fry->self);
		expect(table_find(&fry->tree.current, process->pid) == process);
	}
}

static void table_free(struct table *table)
{
	page_free(table->slot, table->slots * sizeof(*table->slot));
	page_free(table->process, table->slots / 2 * sizeof(*table->process));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct fry fry = {.self = 1 + byte_cut(&input) % 4};

	fake_set(0, "/status", &input, 0xff);
	fake_set(1, "link", &input, 0xff);
	fake_set(2, "/children", &input, 0xff);
	fake_set(3, "/stat", &input, 0xff);
	fakes[1].at = 0;
	fry.shared = calloc(1, sizeof(*fry.shared));
	expect(fry.shared != NULL);
	proc_is_ours(&fry);
	check_process(2);
	check_walk(&fry);
	table_free(&fry.tree.current);
	table_free(&fry.tree.previous);
	free(fry.shared);
	return 0;
}
