/* listing.h - the names in a directory, without libc's buffers: getdents64(2) */
/* SPDX-License-Identifier: MIT */
#ifndef LISTING_H
#define LISTING_H

#include <stdbool.h>
#include <stdint.h>

struct listing {
	int fd;
	bool keep; /* open after the last name */
	long at, end;
	uint64_t entries[512]; /* as getdents64(2) fills it */
};

/* Begin to read. Returns false with errno from open(2). */
bool listing_open(struct listing *list, const char *path);
/* Returns the next name, or NULL after the last, when the directory was closed. */
const char *listing_next(struct listing *list, bool *directory);
/* Returns the next name that is a number: a pid, a thread, a descriptor; -1 after the last. */
long listing_number(struct listing *list);

#endif
