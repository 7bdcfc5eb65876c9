/* proc.c - fuzz what is read from /proc: status, the link, children and stat are parts of the input */
/* SPDX-License-Identifier: MIT */
/*
 * The parts end in the byte 0xff. The first byte says what fry-run takes itself for, so that
 * children are its own, others', or it is process 1. No process is signalled: the walk only takes notes.
 */
#include "fuzz.h"

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
#include <reap.c>

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
	struct errand errand = {.signal = SIGTERM, .noting = true};
	struct walk walk = {.fry = fry, .errand = &errand, .proc = true};

	fry->hurried = true; /* and wants no more of the processor */
	for (int pass = 0; pass < 2; pass++) {
		table_turn(fry);
		walk_thread(&walk, fry->self, fry->self);
	}
	for (size_t i = 0; i < fry->tree.count; i++) {
		const struct process *process = &fry->tree.process[i];

		expect(process->pid > 1 && process->pid != fry->self);
		expect(table_find(&fry->tree, process->pid) == process);
	}
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
	fry.outcome = calloc(1, sizeof(*fry.outcome));
	expect(fry.outcome != NULL);
	proc_is_ours(&fry);
	check_process(2);
	check_walk(&fry);
	memory_free(fry.tree.slot, fry.tree.slots * sizeof(*fry.tree.slot));
	memory_free(fry.tree.process, fry.tree.slots / 2 * sizeof(*fry.tree.process));
	memory_free(fry.before.slot, fry.before.slots * sizeof(*fry.before.slot));
	memory_free(fry.before.process, fry.before.slots / 2 * sizeof(*fry.before.process));
	free(fry.outcome);
	return 0;
}
