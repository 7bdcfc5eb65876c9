/*
 * text.c - putting text together, and taking it apart
 *
 * What fry-run needs of printf(3), and numbers as the kernel writes them. libc's stdio would be a
 * sixth of the binary.
 */
/* SPDX-License-Identifier: MIT */
#include "fry.h"

#include <string.h>

/* Text that is being put together: what there is no room for is counted all the same. */
struct text {
	char *to;
	size_t size, length;
};

static void text_add(struct text *text, const char *from, size_t length)
{
	size_t room = text->size > text->length ? text->size - text->length - 1 : 0;

	if (room != 0)
		memcpy(text->to + text->length, from, length < room ? length : room);
	text->length += length;
}

static void text_add_number(struct text *text, bool negative, unsigned long long number)
{
	char digits[24], *first = digits + sizeof(digits);

	do
		*--first = (char)('0' + number % 10);
	while ((number /= 10) != 0);
	if (negative)
		*--first = '-';
	text_add(text, first, (size_t)(digits + sizeof(digits) - first));
}

/* The number that the conversion asks for: d or lld. */
static void text_add_integer(struct text *text, char conversion, va_list *arguments)
{
	long long number =
		conversion == 'l' ? va_arg(*arguments, long long) : va_arg(*arguments, int);
	unsigned long long absolute = (unsigned long long)number;

	text_add_number(text, number < 0, number < 0 ? 0 - absolute : absolute);
}

/* Cut the limit off a conversion: %.400s, or %.*s and an argument. */
static size_t limit_cut(const char **conversion, va_list *arguments)
{
	if (**conversion != '.')
		return SIZE_MAX;
	++*conversion;
	if (**conversion != '*')
		return (size_t)number_cut(conversion);
	++*conversion;
	return (size_t)va_arg(*arguments, int);
}

size_t text_vformat(char *to, size_t size, const char *format, va_list arguments)
{
	struct text text = {to, size, 0};
	va_list rest; /* one that can be pointed to, whatever it is made of */

	va_copy(rest, arguments);
	while (*format != '\0') {
		size_t plain = strcspn(format, "%"), limit;

		text_add(&text, format, plain);
		format += plain;
		if (*format++ == '\0')
			break;
		limit = limit_cut(&format, &rest);
		if (*format == 's') {
			const char *string = va_arg(rest, const char *);

			text_add(&text, string, strnlen(string, limit));
		} else {
			text_add_integer(&text, *format, &rest);
			format += strspn(format, "l");
		}
		format++;
	}
	va_end(rest);
	if (size != 0)
		to[text.length < size ? text.length : size - 1] = '\0';
	return text.length;
}

size_t text_format(char *to, size_t size, const char *format, ...)
{
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	length = text_vformat(to, size, format, arguments);
	va_end(arguments);
	return length;
}

long long number_cut(const char **text)
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
