/* words.c - fuzz what words mean: the first byte says what the rest is to be */
/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "fry.h"
#include "text.h"

#include <stdio.h>

static void check_duration(const char *word)
{
	int64_t span = clock_parse_duration(word);

	expect(span >= -1);
	/* A digit and a zero more never is a shorter time. */
	if (span >= 0 && word[0] >= '0' && word[0] <= '9') {
		char *longer = malloc(strlen(word) + 2);

		expect(longer != NULL);
		longer[0] = '1';
		strcpy(longer + 1, word);
		expect(clock_parse_duration(longer) >= span);
		free(longer);
	}
}

static void check_schedule(const char *word)
{
	struct schedule stop;
	int64_t now = 0;

	if (schedule_parse(&stop, word) != NULL)
		return;
	expect(stop.steps >= 1 && stop.steps <= 1 + MAX_STEPS && stop.at == -1);
	for (int i = 0; i < stop.steps; i++) {
		int sig = stop.step[i].signal;

		/* Without a signal the first step is the drain. */
		expect((sig > 0 || (i == 0 && stop.steps > 1)) && sig < SIGNALS && sig != SIGSTOP &&
		       sig != SIGCHLD);
		expect(stop.step[i].wait >= 0 && (sig != SIGKILL || i == stop.steps - 1));
	}
	schedule_request(&stop, SIGTERM, now);
	for (int i = 0; i <= 1 + MAX_STEPS && stop.deadline != NEVER; i++) {
		int at = stop.at;

		now = stop.deadline;
		expect(schedule_expire(&stop, now) && stop.at == at + 1);
	}
}

static void check_signal(const char *word)
{
	struct signal_name name;
	int sig = signame_parse(word);

	expect(sig == -1 || (sig > 0 && sig < SIGNALS));
	if (sig != -1)
		expect(signame_parse(signame_format(sig, &name)) == sig);
}

static void check_number(const char *word)
{
	const char *end = word;
	long long number = scan_number(&end);

	expect(end >= word && end <= word + strlen(word));
	expect(number == 0 || end > word);
}

/* As libc does it, whatever room there is. */
static void check_text(const char *word, size_t size)
{
	char *ours = malloc(size + 1), *theirs = malloc(size + 1);
	long long number = (long long)strlen(word) * -1234567891011;
	int length;

	expect(ours != NULL && theirs != NULL);
	memset(ours, 'x', size + 1);
	memset(theirs, 'x', size + 1);
	length = snprintf(theirs, size, "%.20s, %d: %s %lld%.*s.", word, (int)number, word, number,
			  (int)(size % 8), word);
	expect(text_format(ours, size, "%.20s, %d: %s %lld%.*s.", word, (int)number, word, number,
			   (int)(size % 8), word) == (size_t)length);
	expect(size == 0 || strcmp(ours, theirs) == 0);
	expect(ours[size] == 'x');
	free(ours);
	free(theirs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	unsigned char kind = byte_cut(&input);
	char *word = word_cut(&input, '\0');

	switch (kind) {
	case 'd':
		check_duration(word);
		break;
	case 's':
		check_schedule(word);
		break;
	case 'n':
		check_signal(word);
		break;
	case '0':
		check_number(word);
		break;
	default:
		check_text(word, kind);
	}
	free(word);
	return 0;
}
