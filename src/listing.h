/* listing.h - the names in a directory, without libc's buffers: getdents64(2) */
/* SPDX-License-Identifier: MIT */
#ifndef LISTING_H
#define LISTING_H

#include <stdbool.h>
#include <stdint.h>

struct listing {
	int fd;
	bool keep; /* do not close fd after the last name */
	long at, end;
	uint64_t entries[512]; /* as getdents64(2) fills it */
};

/* Open a directory. Returns false with errno from open(2). */
bool listing_open(struct listing *list, const char *path);
/* Returns the next name, or NULL after the last, and then closes the directory unless keep is set. */
const char *listing_next(struct listing *list, bool *directory);
/* Returns the next name that is a number, or -1 after the last. */
long listing_number(struct listing *list);

#endif
