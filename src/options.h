/* options.h - the command line */
/* SPDX-License-Identifier: MIT */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "signame.h"

struct fry;

enum placement { PLACE_AUTO, PLACE_INHERIT, PLACE_NEW, PLACE_SESSION, PLACE_JOIN };
enum scope { SCOPE_AUTO, SCOPE_COMMAND, SCOPE_GROUP, SCOPE_TREE };
enum cgroup_option { CGROUP_NONE, CGROUP_NEW, CGROUP_OWN };
enum leftover { LEFTOVER_STOP, LEFTOVER_WAIT, LEFTOVER_LEAVE, LEFTOVER_FAIL };

struct options {
	enum placement placement;
	enum scope scope;
	enum leftover leftover;
	enum cgroup_option cgroup;
	pid_t group; /* to join, with PLACE_JOIN */
	int64_t timeout;
	int parent_death;             /* 0: not asked for */
	int hangup;                   /* descriptor; -1: not asked for */
	unsigned char as[SIGNALS];    /* what a received signal is forwarded as; 0: dropped */
	bool expected[UINT8_MAX + 1]; /* statuses that count as 0 */
	int code;                     /* exit 128+N rather than die of N */
	int warn_reaped;
	int guard;
	int pause;                   /* there is no COMMAND */
	const char *report;          /* FILE or fd:N; NULL: not asked for */
	bool stop_given, wait_given; /* --stop and -k exclude each other */
	const char
		*origin; /* of the words that are parsed: what a message about them begins with */
	uint32_t from_environment; /* bit N: the last option of row N is from FRY_RUN_OPTS */
	int verbose;
};

/* Read FRY_RUN_OPTS and the command line. Exits with 125 if a rule is broken, 0 after --help. */
void options_parse(struct fry *fry, int argc, char **argv);
/*
 * Report that an option cannot be used. name is without --, argument NULL if it has none. The message names
 * FRY_RUN_OPTS if the option is from there.
 */
void options_refuse(const struct fry *fry, const char *name, const char *argument,
		    const char *rule);
/* Whether the options let this signal be a stop request: INT, TERM or QUIT, unless --rewrite drops it. */
bool options_let_stop(const struct options *options, int sig);

#endif
