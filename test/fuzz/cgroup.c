/* cgroup.c - fuzz finding our cgroup: /proc/self/cgroup, mountinfo and the cgroup's files */
/* SPDX-License-Identifier: MIT */
/* The parts end in the byte 0xff. The first byte says whether the directory is there. */
#include "fuzz.h"

#include "fry.h"

#include <sys/signalfd.h>
#include <sys/stat.h>

static int fuzz_access(const char *path);

__attribute__((format(printf, 1, 2))) static void fuzz_warn(const char *format, ...)
{
	expect(format != NULL);
}

#define exit              fuzz_exit
#define open(path, ...)   fake_open(path)
#define read              fake_read
#define close             fake_close
#define access(path, how) fuzz_access(path)
#define warn              fuzz_warn
#include <cgroup.c>

static bool there;

static int fuzz_access(const char *path)
{
	expect(strlen(path) < PATH_MAX);
	return there ? 0 : -1;
}

static void check(struct fry *fry, char *text)
{
	find_own(fry, text);
	expect(strlen(fry->cgroup->path) < PATH_MAX && fry->cgroup->name[0] == '/');
	choose_leaf(fry);
	expect(strlen(fry->cgroup->path) < PATH_MAX && strlen(fry->cgroup->name) < PATH_MAX);
	cgroup_holds(fry, 2);
	has_event(fry, "populated 1");
	if (cgroup_members(fry, text, CGROUP_FILE_SIZE) > 0)
		lists_others(fry, text);
	claim_own(fry, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cgroup cgroup;
	static char *text;
	struct input input = {data, size};
	struct fry fry = {.self = 2, .cgroup = &cgroup};

	if (text == NULL)
		text = malloc(CGROUP_FILE_SIZE);
	expect(text != NULL);
	memset(&cgroup, 0, sizeof(cgroup));
	there = byte_cut(&input) % 2 == 0;
	fake_set(0, "/cgroup", &input, 0xff);
	fake_set(1, "/mountinfo", &input, 0xff);
	fake_set(2, "/cgroup.events", &input, 0xff);
	fake_set(3, "/cgroup.procs", &input, 0xff);
	fake_set(4, "/cgroup.stat", &input, 0xff);
	if (setjmp(refused) == 0)
		check(&fry, text);
	else
		expect(refused_with == EXIT_FRY);
	return 0;
}
