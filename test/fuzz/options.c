/* options.c - fuzz the options: FRY_RUN_OPTS is the first line of the input, each further one a word */
/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "fry.h"
#include "sys.h"

#include <sys/socket.h>

#include <ctype.h>
#include <getopt.h>
#include <stdarg.h>

static ssize_t fuzz_write(int fd, const void *bytes, size_t size);
static void *fuzz_page_alloc(size_t size);

/* There is always room. */
static int fuzz_poll(const struct pollfd *polled, nfds_t count, int wait)
{
	expect(polled != NULL && wait == 0);
	return (int)count;
}

/* Stderr is a pipe, and cannot be opened again: message.c has to write to this descriptor. */
#define descriptor_reopen(fd) (-1)
#define isatty(fd)            false
#define send(...)             (errno = ENOTSOCK, -1)
#define close                 fake_close
#define exit                  fuzz_exit
#define write                 fuzz_write
#define poll                  fuzz_poll
#define page_alloc            fuzz_page_alloc
#include <message.c>
#include <options.c>

/* A message is one line of at most 1024 bytes, without a character that a terminal would obey. */
static ssize_t fuzz_write(int fd, const void *bytes, size_t size)
{
	const unsigned char *text = bytes;

	expect(fd == STDOUT_FILENO || (fd == STDERR_FILENO && size <= 1024));
	if (fd == STDERR_FILENO)
		for (size_t i = 0; i < size; i++)
			expect(i == size - 1 ? text[i] == '\n' : !iscntrl(text[i]));
	return (ssize_t)size;
}

static void *memory;

static void *fuzz_page_alloc(size_t size)
{
	expect(memory == NULL);
	memory = calloc(1, size);
	return memory;
}

static void check(const struct fry *fry, char *const *argv, int argc)
{
	const struct options *options = &fry->options;
	bool found = false;

	for (int i = 1; i < argc; i++)
		found |= fry->argv == argv + i;
	expect(options->pause ? *fry->argv == NULL : found);
	expect(fry->schedule.steps >= 1 && fry->schedule.steps <= 1 + MAX_STEPS &&
	       fry->schedule.at == -1);
	for (int i = 0; i < fry->schedule.steps; i++)
		expect(fry->schedule.step[i].signal >= (i == 0 ? 0 : 1) &&
		       fry->schedule.step[i].signal < SIGNALS && fry->schedule.step[i].wait >= 0);
	for (int sig = 0; sig < SIGNALS; sig++)
		expect(options->as[sig] < SIGNALS);
	expect(options->timeout >= 0 && options->parent_death >= 0 &&
	       options->parent_death < SIGNALS);
	expect(options->placement <= PLACE_JOIN && options->scope <= SCOPE_TREE &&
	       options->leftover <= LEFTOVER_FAIL && options->cgroup <= CGROUP_OWN);
	expect((options->placement == PLACE_JOIN) == (options->group > 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	static struct fry fry;
	static char *argv[64], *copy[64];
	char *variable = word_cut(&input, '\n');
	int argc = 1;

	argv[0] = (char[]){"fry-run"};
	while (input.left != 0 && argc < 63) {
		argv[argc] = copy[argc] = word_cut(&input, '\n');
		argc++;
	}
	argv[argc] = NULL;
	memset(&fry, 0, sizeof(fry));
	setenv("FRY_RUN_OPTS", variable, 1);
	if (setjmp(refused) == 0) {
		options_parse(&fry, argc, argv);
		check(&fry, argv, argc);
	} else {
		expect(refused_with == EXIT_SUCCESS || refused_with == EXIT_FRY);
	}
	free(memory);
	memory = NULL;
	free(variable);
	while (--argc > 0)
		free(copy[argc]);
	return 0;
}
