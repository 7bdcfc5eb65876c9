/* fuzz.h - what the fuzzing targets share: cutting the input into words, and files made of it */
/* SPDX-License-Identifier: MIT */
/*
 * Each target includes the files of fry-run that it is about, so that it reaches what is static
 * there, with some of libc's functions replaced: nothing is read from the system, no process is
 * signalled, and exit(3) returns to the target. The other files are linked.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *at;
	size_t left;
};

/* Assert a condition that holds for every input. */
static inline void expect(bool holds)
{
	if (!holds)
		abort();
}

static inline unsigned char byte_cut(struct input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->at++;
}

/* The length of what comes before a byte, or of all that is left; the byte is cut off as well. */
static inline const uint8_t *part_cut(struct input *input, uint8_t end, size_t *length)
{
	const uint8_t *part = input->at, *found = NULL;

	if (input->left != 0)
		found = memchr(part, end, input->left);
	*length = found == NULL ? input->left : (size_t)(found - part);
	input->at += *length + (found != NULL);
	input->left -= *length + (found != NULL);
	return part;
}

/* The same as a string in memory of exactly its size: reading on from there is found. */
static inline char *word_cut(struct input *input, uint8_t end)
{
	size_t length;
	const uint8_t *part = part_cut(input, end, &length);
	char *word = malloc(length + 1);

	expect(word != NULL);
	if (length != 0)
		memcpy(word, part, length);
	word[length] = '\0';
	return word;
}

/* Files by the ends of their paths. */
static struct fake {
	const char *path;
	const uint8_t *bytes;
	size_t length, at;
} fakes[8];

enum { FAKES = sizeof(fakes) / sizeof(fakes[0]), FAKE_FD = 1000 };

static inline void fake_set(int i, const char *path, struct input *input, uint8_t end)
{
	size_t length;
	const uint8_t *bytes = part_cut(input, end, &length);

	fakes[i] = (struct fake){path, bytes, length, 0};
}

static inline struct fake *fake_find(const char *path)
{
	for (int i = 0; i < FAKES; i++) {
		size_t length = fakes[i].path == NULL ? 0 : strlen(fakes[i].path);

		if (length != 0 && strlen(path) >= length &&
		    strcmp(path + strlen(path) - length, fakes[i].path) == 0)
			return &fakes[i];
	}
	return NULL;
}

static inline int fake_open(const char *path)
{
	struct fake *fake = fake_find(path);

	if (fake == NULL) {
		errno = ENOENT;
		return -1;
	}
	fake->at = 0;
	return FAKE_FD + (int)(fake - fakes);
}

static inline ssize_t fake_read(int fd, void *to, size_t size)
{
	struct fake *fake = &fakes[fd - FAKE_FD];

	if (size > fake->length - fake->at)
		size = fake->length - fake->at;
	if (size != 0)
		memcpy(to, fake->bytes + fake->at, size);
	fake->at += size;
	return (ssize_t)size;
}

static inline int fake_close(int fd)
{
	(void)fd;
	return 0;
}

/* Where exit(3) leads to, and with what. */
static jmp_buf refused;
static int refused_with;

__attribute__((noreturn)) static inline void fuzz_exit(int status)
{
	refused_with = status;
	longjmp(refused, 1);
}

#endif
