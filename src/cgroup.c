/*
 * cgroup.c - contain COMMAND in a cgroup v2
 *
 * `new` is a leaf below fry-run's own cgroup. It is made before COMMAND is started, and removed after its
 * last process. `own` is the cgroup that fry-run was placed in, which must hold no other process. Every
 * process in the cgroup is treated as a descendant. src/tree.c finds a descendant that leaves the cgroup.
 */
/* SPDX-License-Identifier: MIT */
#include "cgroup.h"

#include <sys/signalfd.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fry.h"
#include "listing.h"
#include "process.h"
#include "sys.h"
#include "text.h"

/* The limit for the removal of cgroups that COMMAND made. */
#define REMOVE_LIMIT (5 * SECOND)

/* It may be missing: before Linux 5.14. Tests override the name. */
#ifndef CGROUP_KILL
#define CGROUP_KILL "cgroup.kill"
#endif

__attribute__((noreturn)) static void die_cgroup(const struct fry *fry, const char *rule)
{
	warn("--cgroup=%s: %s", fry->options.cgroup == CGROUP_OWN ? "own" : "new", rule);
	exit(EXIT_FRY);
}

/* Read a whole file into text. Returns its length, or -1 with errno. */
static ssize_t file_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t more = 0;

	if (fd == -1)
		return -1;
	while (length < size - 1 && (more = read(fd, text + length, size - 1 - length)) > 0)
		length += (size_t)more;
	close(fd);
	text[length] = '\0';
	return more == -1 ? -1 : (ssize_t)length;
}

/* Put the path of one of the cgroup's files together. Returns false with errno ENAMETOOLONG. */
static bool member_path(const struct fry *fry, const char *name, char *path, size_t size)
{
	if (text_format(path, size, "%s/%s", fry->cgroup->path, name) < size)
		return true;
	errno = ENAMETOOLONG;
	return false;
}

/* Read one of the cgroup's files. Returns its length, or -1 with errno. */
static ssize_t member_read(const struct fry *fry, const char *name, char *text, size_t size)
{
	char path[PATH_MAX];

	return member_path(fry, name, path, sizeof(path)) ? file_read(path, text, size) : -1;
}

static int file_write(const struct fry *fry, const char *name, const char *word)
{
	char path[PATH_MAX];
	ssize_t written;
	int fd, error;

	if (!member_path(fry, name, path, sizeof(path)))
		return -1;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	written = write(fd, word, strlen(word));
	error = errno;
	close(fd);
	errno = error;
	return written == -1 ? -1 : 0;
}

/* Cut the next line off a text. Returns NULL after the last. */
static char *cut_line(char **text)
{
	char *line = *text, *end = strchr(line, '\n');

	if (*line == '\0')
		return NULL;
	*text = end == NULL ? line + strlen(line) : end + 1;
	if (end != NULL)
		*end = '\0';
	return line;
}

/* Decode the octal escapes in mountinfo, as \040 for a blank: proc_pid_mountinfo(5). */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] != '\0' &&
		    from[3] != '\0') {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + from[3] - '0');
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/*
 * Put the directory of fry-run's cgroup together, from a line of mountinfo and the cgroup's path in the
 * hierarchy: proc_pid_mountinfo(5), cgroups(7). Returns false if the line is not a mount that holds it.
 */
static bool find_mount(struct fry *fry, char *line, const char *own)
{
	char *separator = strchr(line, ' '), *root = line, *point;
	size_t length;

	while (separator != NULL && strncmp(separator, " - ", 3) != 0)
		separator = strchr(separator + 1, ' ');
	if (separator == NULL || strncmp(separator, " - cgroup2 ", 11) != 0)
		return false;
	for (int blanks = 0; blanks < 3 && root < separator; blanks++)
		root = strchr(root, ' ') + 1;
	if (root >= separator || strchr(root, ' ') == separator)
		return false;
	point = strchr(root, ' ');
	*point++ = '\0';
	*strchr(point, ' ') = '\0';
	unescape(root);
	unescape(point);
	/* A mount may show a part of the hierarchy only, from root on, as in a container. */
	length = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (strncmp(own, root, length) != 0 || (own[length] != '/' && own[length] != '\0'))
		return false;
	if (text_format(fry->cgroup->path, PATH_MAX, "%s%s", point,
			strcmp(own + length, "/") == 0 ? "" : own + length) >= PATH_MAX)
		die_cgroup(fry, "the path of the cgroup is too long");
	return access(fry->cgroup->path, F_OK) == 0;
}

/* Find fry-run's own cgroup. Exits with 125 if there is none. */
static void find_own(struct fry *fry, char *text)
{
	char *rest = text, *line, *own = fry->cgroup->name;

	if (file_read("/proc/self/cgroup", text, CGROUP_FILE_SIZE) == -1)
		die_cgroup(fry, "/proc/self/cgroup cannot be read");
	while ((line = cut_line(&rest)) != NULL)
		if (strncmp(line, "0::/", 4) == 0)
			text_format(own, PATH_MAX, "%s", line + 3);
	if (own[0] == '\0')
		die_cgroup(fry, "there is no cgroup v2, only v1");
	if (strncmp(own, "/..", 3) == 0)
		die_cgroup(fry, "the cgroup is outside this cgroup namespace");
	rest = text;
	if (file_read("/proc/self/mountinfo", text, CGROUP_FILE_SIZE) == -1)
		die_cgroup(fry, "/proc/self/mountinfo cannot be read");
	while ((line = cut_line(&rest)) != NULL)
		if (find_mount(fry, line, own))
			return;
	die_cgroup(fry, "no cgroup v2 is mounted that holds this process");
}

/* Append the leaf to the path in the hierarchy. */
static void name_leaf(struct fry *fry, const char *leaf)
{
	char *name = fry->cgroup->name;
	size_t length = strcmp(name, "/") == 0 ? 0 : strlen(name);

	if (text_format(name + length, PATH_MAX - length, "%s", leaf) >= PATH_MAX - length)
		die_cgroup(fry, "the path of the cgroup is too long");
}

/* Name the leaf by fry-run's pid, and by the time, since a pid may be reused. */
static void choose_leaf(struct fry *fry)
{
	size_t length = strlen(fry->cgroup->path);

	if (text_format(fry->cgroup->path + length, PATH_MAX - length, "/fry-run-%d.%lld",
			(int)fry->public_pid,
			(long long)clock_now()) >= PATH_MAX - length - sizeof("/cgroup.events"))
		die_cgroup(fry, "the path of the cgroup is too long");
	name_leaf(fry, fry->cgroup->path + length);
}

void cgroup_make(const struct fry *fry)
{
	if (fry->options.cgroup != CGROUP_NEW || mkdir(fry->cgroup->path, 0755) == 0)
		return;
	switch (errno) {
	case EACCES:
	case EPERM:
		die_cgroup(fry, "no permission to make a cgroup here: it is not delegated");
	case EROFS:
		die_cgroup(fry, "the cgroup file system is mounted read-only");
	default:
		die_cgroup(fry, strerror(errno));
	}
}

/* Whether cgroup.procs lists a process other than fry-run's own. The text is cut into lines. */
static bool lists_others(const struct fry *fry, char *text)
{
	const char *line;

	while ((line = cut_line(&text)) != NULL)
		if (!is_own_process(fry, (pid_t)scan_number(&line)))
			return true;
	return false;
}

/* Check that the cgroup that fry-run was placed in holds no other process and no child cgroup. */
static void claim_own(struct fry *fry, char *text)
{
	char path[PATH_MAX];

	/* Only the root has no cgroup.events: cgroups(7). */
	if (!member_path(fry, "cgroup.events", path, sizeof(path)) || access(path, F_OK) == -1)
		die_cgroup(fry, "fry-run is in the root cgroup, which is not limited to one job");
	if (member_read(fry, "cgroup.stat", text, CGROUP_FILE_SIZE) == -1)
		die_cgroup(fry, strerror(errno));
	if (strncmp(text, "nr_descendants 0\n", 17) != 0)
		die_cgroup(fry, "the cgroup has other cgroups below it");
	if (cgroup_members(fry, text, CGROUP_FILE_SIZE) == -1)
		die_cgroup(fry, strerror(errno));
	if (lists_others(fry, text))
		die_cgroup(fry, "there are other processes in the cgroup");
}

void cgroup_start(struct fry *fry)
{
	char *text;

	if (fry->options.cgroup == CGROUP_NONE)
		return;
	text = page_alloc(CGROUP_FILE_SIZE);
	fry->cgroup = page_alloc(sizeof(*fry->cgroup));
	if (text == NULL || fry->cgroup == NULL)
		die_cgroup(fry, strerror(errno));
	find_own(fry, text);
	if (fry->options.cgroup == CGROUP_NEW)
		choose_leaf(fry);
	else
		claim_own(fry, text);
	page_free(text, CGROUP_FILE_SIZE);
	log_verbose(fry, 1, "the cgroup is %s", fry->cgroup->path);
}

int cgroup_enter(const struct fry *fry)
{
	return fry->options.cgroup == CGROUP_NEW ? file_write(fry, "cgroup.procs", "0") : 0;
}

ssize_t cgroup_members(const struct fry *fry, char *text, size_t size)
{
	return fry->cgroup == NULL ? -1 : member_read(fry, "cgroup.procs", text, size);
}

bool cgroup_holds(const struct fry *fry, pid_t pid)
{
	char path[32], text[PATH_MAX + 256], *rest = text, *line;

	text_format(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	if (file_read(path, text, sizeof(text)) == -1)
		return false;
	while ((line = cut_line(&rest)) != NULL)
		if (strncmp(line, "0::", 3) == 0)
			return strcmp(line + 3, fry->cgroup->name) == 0;
	return false;
}

/* Whether cgroup.events has this line. */
static bool has_event(const struct fry *fry, const char *event)
{
	char text[256], *rest = text, *line;

	if (member_read(fry, "cgroup.events", text, sizeof(text)) == -1)
		return false;
	while ((line = cut_line(&rest)) != NULL)
		if (strcmp(line, event) == 0)
			return true;
	return false;
}

bool cgroup_populated(const struct fry *fry)
{
	char *text;
	bool others;

	if (fry->options.cgroup == CGROUP_NONE)
		return false;
	if (fry->options.cgroup == CGROUP_NEW)
		return has_event(fry, "populated 1");
	text = page_alloc(CGROUP_FILE_SIZE);
	if (text == NULL)
		return false;
	others = cgroup_members(fry, text, CGROUP_FILE_SIZE) > 0 && lists_others(fry, text);
	page_free(text, CGROUP_FILE_SIZE);
	return others;
}

void cgroup_wait(const struct fry *fry, int64_t deadline)
{
	struct pollfd polled[2] = {{.fd = -1, .events = POLLPRI}, {.events = POLLIN}};
	int64_t left = deadline == NEVER ? NEVER : deadline - clock_now();
	char path[PATH_MAX], text[256];
	sigset_t all;

	memset(&all, 0xff, sizeof(all));
	polled[1].fd = signalfd(-1, &all, SFD_CLOEXEC);
	/* POLLPRI reports a change of cgroup.events since the last read. cgroup.procs is polled every 10 ms. */
	if (fry->options.cgroup == CGROUP_NEW &&
	    member_path(fry, "cgroup.events", path, sizeof(path)))
		polled[0].fd = open(path, O_RDONLY | O_CLOEXEC);
	if (polled[0].fd != -1 && read(polled[0].fd, text, sizeof(text)) == -1)
		left = 0;
	if (polled[0].fd == -1 && left > 10 * MILLISECOND)
		left = 10 * MILLISECOND;
	if (has_event(fry, "populated 1"))
		poll(polled, 2, left == NEVER ? -1 : left < 0 ? 0 : (int)(left / MILLISECOND) + 1);
	close(polled[0].fd);
	close(polled[1].fd);
}

bool cgroup_kill(const struct fry *fry)
{
	int64_t limit = clock_now() + SECOND / 10;

	if (fry->options.cgroup != CGROUP_NEW)
		return false;
	if (file_write(fry, CGROUP_KILL, "1") == 0)
		return true;
	/* Frozen processes cannot fork but still die of SIGKILL. */
	fry->cgroup->frozen = true;
	file_write(fry, "cgroup.freeze", "1");
	while (has_event(fry, "frozen 0") && clock_now() < limit)
		cgroup_wait(fry, limit);
	return false;
}

void cgroup_thaw(const struct fry *fry)
{
	if (fry->cgroup == NULL || !fry->cgroup->frozen)
		return;
	fry->cgroup->frozen = false;
	file_write(fry, "cgroup.freeze", "0");
}

/* Find a child cgroup in an open directory. Returns whether there is one. */
static bool find_below(int fd, char *found, size_t size)
{
	struct listing list = {.fd = fd, .keep = true};
	const char *name;
	bool directory;

	lseek(fd, 0, SEEK_SET);
	while ((name = listing_next(&list, &directory)) != NULL)
		if (directory && name[0] != '.')
			return text_format(found, size, "%s", name) < size;
	return false;
}

/*
 * Remove a cgroup and, before it, those that COMMAND made below it. One descriptor goes down and up, so
 * neither their depth nor the length of their paths is limited. Returns -1 with errno.
 */
static int remove_tree(const char *path)
{
	int64_t limit = clock_now() + REMOVE_LIMIT;
	int fd, next, depth = 0;
	char name[NAME_MAX + 1];
	bool up = false;

	if (rmdir(path) == 0)
		return 0;
	fd = errno == EBUSY ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	while (fd != -1 && clock_now() < limit) {
		bool found = find_below(fd, name, sizeof(name));

		if (!found && depth == 0)
			break;
		if (found && unlinkat(fd, name, AT_REMOVEDIR) == 0) {
			up = false;
			continue;
		}
		if (found && up) /* there is nothing below it, so there is a process in it */
			break;
		next = openat(fd, found ? name : "..",
			      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(fd);
		fd = next;
		depth += found ? 1 : -1;
		up = !found;
	}
	close(fd);
	return rmdir(path);
}

/* Read the number that follows a word in one of the cgroup's files. Returns -1 if there is none. */
static int64_t figure_read(const struct fry *fry, const char *name, const char *word)
{
	char text[4096], *rest = text, *line;
	const char *number;

	if (member_read(fry, name, text, sizeof(text)) == -1)
		return -1;
	while ((line = cut_line(&rest)) != NULL) {
		if (strncmp(line, word, strlen(word)) != 0)
			continue;
		number = line + strlen(word);
		return scan_number(&number);
	}
	return -1;
}

/*
 * Record the figures of the leaf, which is gone if the inner process was killed right after it removed it. A
 * figure is -1 if its controller is not enabled.
 */
static void figures_record(const struct fry *fry)
{
	static const struct {
		const char *file, *word;
	} figures[CGROUP_FIGURES] = {
		{"memory.peak", ""}, {"cpu.stat", "usage_usec "}, {"memory.events", "oom_kill "}};

	if (fry->options.cgroup == CGROUP_NONE || fry->options.report == NULL ||
	    access(fry->cgroup->path, F_OK) == -1)
		return;
	for (int i = 0; i < CGROUP_FIGURES; i++)
		fry->shared->log.figure[i] = figure_read(fry, figures[i].file, figures[i].word);
}

void cgroup_end(const struct fry *fry)
{
	figures_record(fry);
	if (fry->options.cgroup != CGROUP_NEW)
		return;
	if (fry->options.leftover == LEFTOVER_LEAVE && cgroup_populated(fry))
		return;
	if (access(fry->cgroup->path, F_OK) == -1)
		return;
	if (remove_tree(fry->cgroup->path) == -1 && errno != ENOENT)
		warn("cannot remove %s: %s", fry->cgroup->path, strerror(errno));
}
