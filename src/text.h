/* text.h - put text together, and take numbers from it */
/* SPDX-License-Identifier: MIT */
#ifndef TEXT_H
#define TEXT_H

#include <stdarg.h>
#include <stddef.h>

/* A buffer that is being filled. */
struct text {
	char *to;
	size_t size, length; /* length counts in full even when the text is truncated */
};

/* Append as printf(3) does. Conversions are s, c, d and lld, with an optional precision; others trap. */
void text_vadd(struct text *text, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* As snprintf(3), with the same conversions. */
size_t text_format(char *to, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Replace what a terminal may obey by ?: control characters, and U+0080 to U+009F in UTF-8. */
void text_mask_controls(char *text);
/* Parse a word of decimal digits alone. Returns the number, or -1 if it is out of bounds. */
int text_parse_number(const char *word, int low, int high);
/* Scan a decimal number after blanks, and move *text behind it. Returns 0 without digits. */
long long scan_number(const char **text);
/* Move *text behind so many words, each of which follows a space. */
void scan_skip(const char **text, int words);

#endif
