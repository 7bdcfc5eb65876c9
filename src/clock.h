/* clock.h - times and spans in nanoseconds; both saturate */
/* SPDX-License-Identifier: MIT */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

#define NEVER       INT64_MAX
#define MILLISECOND INT64_C(1000000)
#define SECOND      (1000 * MILLISECOND)

/* Returns CLOCK_MONOTONIC. */
int64_t clock_now(void);
/* Returns a time plus a span, or NEVER if it is too large. */
int64_t clock_add(int64_t time, int64_t span);
/* Parse a DURATION of timeout(1), and round up. Returns nanoseconds, or -1 with errno EINVAL. */
int64_t clock_parse_duration(const char *word);

#endif
