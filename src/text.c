/*
 * text.c - put text together, and take numbers from it
 *
 * These replace printf(3) and strtol(3), since libc's stdio would be a sixth of the binary.
 */
/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Append text. Count the full length even when truncated. */
static void text_put(struct text *text, const char *from, size_t length)
{
	size_t room = text->size > text->length ? text->size - text->length - 1 : 0;

	if (length < room)
		room = length;
	if (room != 0) {
		memcpy(text->to + text->length, from, room);
		text->to[text->length + room] = '\0';
	}
	text->length += length;
}

/* Append a number, with leading zeros up to the least number of digits. */
static void text_put_number(struct text *text, long long number, size_t least)
{
	unsigned long long left = (unsigned long long)number;
	char digits[32], *end = digits + sizeof(digits), *first = end;

	if (number < 0)
		left = 0 - left;
	for (; left != 0 || first == end || (size_t)(end - first) < least; left /= 10)
		*--first = (char)('0' + left % 10);
	if (number < 0)
		*--first = '-';
	text_put(text, first, (size_t)(end - first));
}

/* Cut the precision off a conversion: %.400s, or %.*s with an argument. Returns SIZE_MAX for none. */
static size_t precision_cut(const char **conversion, va_list *arguments)
{
	if (**conversion != '.')
		return SIZE_MAX;
	++*conversion;
	if (**conversion != '*')
		return (size_t)scan_number(conversion);
	++*conversion;
	return (size_t)va_arg(*arguments, int);
}

static void text_put_conversion(struct text *text, const char **format, va_list *arguments)
{
	size_t precision = precision_cut(format, arguments);
	size_t digits = precision == SIZE_MAX ? 1 : precision;
	const char *string;
	char character;

	switch (*(*format)++) {
	case 's':
		string = va_arg(*arguments, const char *);
		text_put(text, string, strnlen(string, precision));
		break;
	case 'c':
		character = (char)va_arg(*arguments, int);
		text_put(text, &character, 1);
		break;
	case 'd':
		text_put_number(text, va_arg(*arguments, int), digits);
		break;
	case 'l': /* lld */
		*format += 2;
		text_put_number(text, va_arg(*arguments, long long), digits);
		break;
	default: /* -Wformat accepts conversions that are missing here */
		__builtin_trap();
	}
}

void text_vadd(struct text *text, const char *format, va_list arguments)
{
	va_list rest; /* where va_list is an array, &arguments has another type than &rest */

	va_copy(rest, arguments);
	for (;;) {
		size_t plain = strcspn(format, "%");

		text_put(text, format, plain);
		format += plain;
		if (*format++ == '\0')
			break;
		text_put_conversion(text, &format, &rest);
	}
	va_end(rest);
}

void text_add(struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_vadd(text, format, arguments);
	va_end(arguments);
}

size_t text_format(char *to, size_t size, const char *format, ...)
{
	struct text text = {to, size, 0};
	va_list arguments;

	if (size != 0)
		*to = '\0';
	va_start(arguments, format);
	text_vadd(&text, format, arguments);
	va_end(arguments);
	return text.length;
}

long long scan_number(const char **text)
{
	const char *at = *text + strspn(*text, " \t");
	bool negative = *at == '-';
	unsigned long long number = 0;

	for (at += negative; *at >= '0' && *at <= '9'; at++)
		if (number < LLONG_MAX / 10)
			number = number * 10 + (unsigned long long)(*at - '0');
	*text = at;
	return negative ? -(long long)number : (long long)number;
}

void scan_skip(const char **text, int words)
{
	while (words-- > 0) {
		*text += strspn(*text, " ");
		*text += strcspn(*text, " ");
	}
}

void text_mask_controls(char *text)
{
	unsigned char before = 0;

	for (; *text != '\0'; before = (unsigned char)*text++)
		if (iscntrl((unsigned char)*text) ||
		    (before == 0xc2 && (unsigned char)(*text - '\200') < 0x20))
			*text = '?';
}

int text_parse_number(const char *word, int low, int high)
{
	const char *end = word;
	long long number = scan_number(&end);

	if (*word < '0' || *word > '9' || *end != '\0' || number < low || number > high)
		return -1;
	return (int)number;
}
