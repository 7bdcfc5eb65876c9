/*
 * clock.c - times and spans in nanoseconds
 */
/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

/* Parse the unit at the end of a duration. Returns nanoseconds, or -1. */
static int64_t parse_unit(const char *word)
{
	static const struct {
		const char *name;
		int64_t span;
	} units[] = {{"", SECOND},       {"s", SECOND},        {"ms", MILLISECOND},
		     {"m", 60 * SECOND}, {"h", 3600 * SECOND}, {"d", 86400 * SECOND}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(word, units[i].name) == 0)
			return units[i].span;
	return -1;
}

int64_t clock_parse_duration(const char *word)
{
	size_t whole = strspn(word, "0123456789");
	size_t fraction = word[whole] == '.' ? strspn(word + whole + 1, "0123456789") : 0;
	const char *digits = word + whole + 1;
	int64_t unit = parse_unit(word[whole] == '.' ? digits + fraction : word + whole);
	int64_t span = 0;

	if (whole + fraction == 0 || unit == -1) {
		errno = EINVAL;
		return -1;
	}
	for (size_t i = 0; i < whole; i++)
		if (__builtin_mul_overflow(span, 10, &span) ||
		    __builtin_add_overflow(span, (word[i] - '0') * unit, &span))
			return NEVER;
	for (size_t i = 0; i < fraction; i++) {
		int64_t part = (digits[i] - '0') * unit;

		/* Round up: a small duration must not become 0, which means never. */
		span = clock_add(span, part / 10 + (part % 10 != 0));
		unit = unit / 10 + (unit % 10 != 0);
	}
	return span;
}

int64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

int64_t clock_add(int64_t time, int64_t span)
{
	return time > NEVER - span ? NEVER : time + span;
}
