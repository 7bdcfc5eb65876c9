/*
 * listing.c - the names in a directory
 */
/* SPDX-License-Identifier: MIT */
#include "listing.h"

#include <sys/syscall.h>

#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "text.h"

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
			return (long)scan_number(&name);
	return -1;
}
