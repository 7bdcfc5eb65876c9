/* report.c - fuzz the report: whatever bytes names and arguments hold, it is JSON in UTF-8 */
/* SPDX-License-Identifier: MIT */
/* The first line of the input is the name of a leftover, each further one an argument. */
#include "fuzz.h"

#include <report.c>

/* Enough of RFC 8259 to refuse what is not JSON. Each returns what comes after, or NULL. */
static const char *skip_value(const char *at);

static const char *skip_text(const char *at, const char *text)
{
	return strncmp(at, text, strlen(text)) == 0 ? at + strlen(text) : NULL;
}

static const char *skip_string(const char *at)
{
	if (*at++ != '"')
		return NULL;
	while (*at != '"') {
		unsigned char byte = (unsigned char)*at;
		size_t length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;

		if (byte < ' ' || (byte >= 0x80 && byte < 0xc2) || byte > 0xf4)
			return NULL;
		for (size_t i = 1; i < length; i++)
			if (((unsigned char)at[i] & 0xc0) != 0x80)
				return NULL;
		if (byte == '\\') {
			if (at[1] == 'u' && strspn(at + 2, "0123456789abcdef") >= 4)
				length = 6;
			else if (at[1] != '\0' && strchr("\"\\/bfnrt", at[1]) != NULL)
				length = 2;
			else
				return NULL;
		}
		at += length;
	}
	return at + 1;
}

static const char *skip_members(const char *at, char end, bool named)
{
	if (*++at == end)
		return at + 1;
	for (;; at++) {
		if (named) {
			at = skip_string(at);
			if (at == NULL || *at++ != ':')
				return NULL;
		}
		at = skip_value(at);
		if (at == NULL || (*at != ',' && *at != end))
			return NULL;
		if (*at == end)
			return at + 1;
	}
}

static const char *skip_value(const char *at)
{
	const char *digits = at + (*at == '-');
	size_t length = strspn(digits, "0123456789");

	if (*at == '{')
		return skip_members(at, '}', true);
	if (*at == '[')
		return skip_members(at, ']', false);
	if (*at == '"')
		return skip_string(at);
	if (length == 0)
		return skip_text(at, "null");
	if (digits[0] == '0' && length > 1)
		return NULL;
	at = digits + length;
	return *at == '.' ? at + 1 + strspn(at + 1, "0123456789") : at;
}

/* The process that fills the log may be killed at any instruction, and be traced before. */
static void compose_damaged(struct fry *fry, unsigned count)
{
	struct log *log = &fry->shared->log;
	struct text text = {NULL, 0, 0};

	memset(log->step, 0x7f, sizeof(log->step));
	memset(log->leftover, 'x', sizeof(log->leftover));
	memset(log->figure, 'x', sizeof(log->figure));
	log->steps = log->leftovers = count;
	report_step(fry, SIGTERM, 0, 1);
	report_leftover(fry, 3, "late", "late");
	report_reaped(fry, 3, 0);
	compose(&text, fry, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct shared shared;
	struct input input = {data, size};
	struct fry fry = {.shared = &shared, .public_pid = 2};
	struct text text = {NULL, 0, 0};
	char *command[64], *name = word_cut(&input, '\n');
	const char *end;
	int count = 0;

	memset(&shared, 0, sizeof(shared));
	report_leftover(&fry, 3, name, name);
	report_reaped(&fry, 3, (int)size % 0x10000);
	report_step(&fry, SIGTERM, 0, (unsigned)size);
	shared.result.ended = size % 2 != 0;
	shared.result.status = (int)(size % 127);
	shared.log.forwarded[1 + size % 64] = (unsigned)size;
	do
		command[count++] = word_cut(&input, '\n');
	while (input.left != 0 && count < 63);
	command[count] = NULL;
	fry.argv = command;
	compose(&text, &fry, (int)(size % 256));
	text.size = text.length + 64;
	text.to = malloc(text.size);
	expect(text.to != NULL);
	text.length = 0;
	compose(&text, &fry, (int)(size % 256));
	end = skip_value(text.to);
	expect(end != NULL && strcmp(end, "\n") == 0);
	free(text.to);
	compose_damaged(&fry, MAX_NOTED + (unsigned)size * 0x1000);
	free(name);
	while (count > 0)
		free(command[--count]);
	return 0;
}
