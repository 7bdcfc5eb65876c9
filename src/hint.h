/* hint.h - hints for likely mistakes on the command line */
/* SPDX-License-Identifier: MIT */
#ifndef HINT_H
#define HINT_H

#include <stdbool.h>
#include <stddef.h>

/* Returns a hint on an option of another tool, given its name without the dashes, or NULL. */
const char *hint_option(const char *name, size_t length);
/* Whether a word becomes a name if one letter is added, removed or changed, or two are swapped. */
bool hint_near(const char *word, size_t length, const char *name);
/* Put together a hint on why there is no such COMMAND, to append to the message. It is empty if there is none. */
void hint_command(char *to, size_t size, const char *word);

#endif
