/*
 * hint.c - hints for likely mistakes on the command line
 *
 * Most mistakes are habits from timeout(1), tini, dumb-init, docker and start-stop-daemon(8), or from a shell.
 */
/* SPDX-License-Identifier: MIT */
#include "hint.h"

#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "signame.h"
#include "text.h"

const char *hint_option(const char *name, size_t length)
{
	static const struct {
		const char *name, *hint;
	} known[] = {
		/* timeout */
		{"signal", "to begin with a signal, use --stop=SIGNAL/DURATION/KILL"},
		{"preserve-status", "it is always 124 then; --report tells COMMAND's"},
		{"foreground", "COMMAND is in the foreground without it"},
		/* tini, dumb-init */
		{"subreaper", "fry-run is always one"},
		{"setsid", "use --pgroup=session"},
		{"debug", "use -v"},
		/* docker, systemd, start-stop-daemon */
		{"stop-signal", "use --rewrite=TERM:SIGNAL"},
		{"stop-timeout", "use -k"},
		{"kill-mode", "use --scope"},
		{"retry", "use --stop"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].name) == length && memcmp(known[i].name, name, length) == 0)
			return known[i].hint;
	return NULL;
}

bool hint_near(const char *word, size_t length, const char *name)
{
	size_t rest = strlen(name);

	while (length != 0 && rest != 0 && *word == *name) {
		word++, length--;
		name++, rest--;
	}
	while (length != 0 && rest != 0 && word[length - 1] == name[rest - 1]) {
		length--;
		rest--;
	}
	return (length <= 1 && rest <= 1) ||
	       (length == 2 && rest == 2 && word[0] == name[1] && word[1] == name[0]);
}

/* Whether only a shell has this command. Some systems have files for a few others, such as cd. */
static bool is_shell_word(const char *word)
{
	static const char words[] =
		":|alias|cd|eval|exec|exit|export|if|set|source|trap|ulimit|umask|"
		"unset|wait|while|";
	size_t length = strlen(word);

	/* strstr(3) would add more than a kilobyte. */
	for (const char *at = words; *at != '\0'; at += strcspn(at, "|") + 1)
		if (strncmp(at, word, length) == 0 && at[length] == '|')
			return true;
	return false;
}

/* Returns the hint. One that ends in a blank or a slash needs the word behind it. */
static const char *hint_on(const char *word)
{
	if (*word == '\0')
		return "";
	if (strchr(word, ' ') != NULL)
		return "; each argument is a word of its own, and sh -c takes a line";
	if (strchr(word, '/') != NULL)
		return access(word, F_OK) == 0 ? "; it exists, but its interpreter does not" : "";
	if (word[0] == '-' && word[1] != '\0')
		return "; options stand before -- and COMMAND";
	if (clock_parse_duration(word) != -1)
		return "; for a time limit, use -t ";
	if (signame_parse(word) != -1)
		return "; -s takes no signal, --stop does";
	if (strchr(word, '=') != NULL)
		return "; to set a variable, use env ";
	if (is_shell_word(word))
		return "; only a shell has it: use sh -c";
	return access(word, F_OK) == 0 ? "; to run the file in this directory, use ./" : "";
}

void hint_command(char *to, size_t size, const char *word)
{
	const char *hint = hint_on(word);
	bool named = *hint != '\0' && strchr(" /", hint[strlen(hint) - 1]) != NULL;

	text_format(to, size, "%s%s", hint, named ? word : "");
}
