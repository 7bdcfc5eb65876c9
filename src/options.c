/*
 * options.c - the command line and FRY_RUN_OPTS
 *
 * Each option is a row of the table in this file: the row parses the option, and --help is made from the
 * rows. An invalid argument ends fry-run before anything is started, with a message that names the option
 * and the rule that the argument breaks. getopt_long(3) would add 3 KiB to the static binary.
 */
/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fry.h"
#include "hint.h"
#include "sys.h"
#include "text.h"

static const char environment_origin[] = "FRY_RUN_OPTS: ";

/* The revision in brackets; empty outside a checkout. */
#ifndef FRY_REVISION
#define FRY_REVISION ""
#endif

/* The licence travels with the binary, into an image that holds nothing else. */
extern const char license_text[];

__asm__(".section .rodata\n"
	".globl license_text\n"
	"license_text:\n"
	".incbin \"LICENSE\"\n"
	".byte 0\n"
	".previous\n");

struct option_row {
	const char *name;    /* after --; NULL: the option has letters only */
	const char *letters; /* each of them is the option, after - */
	/* As --help shows it, or the choices; NULL: the option takes none. [=...]: parse() may get NULL. */
	const char *argument;
	void (*parse)(struct fry *fry, const struct option_row *row, const char *argument);
	/* Without parse(): the int or enum in struct options that becomes value, plus the number of the choice. */
	size_t field;
	int value;
	const char *help; /* NULL: --help shows the option on the line of the next row */
};

/* Report an invalid word and exit. The word is cut, so that the rule stays visible. */
__attribute__((noreturn)) static void die_usage(const struct fry *fry, const char *word,
						const char *rule)
{
	warn("%s%.400s: %s", fry->options.origin, word, rule);
	exit(EXIT_FRY);
}

/* Report an invalid argument and exit. The message has the option's name even if its letter was given. */
__attribute__((noreturn)) static void die_argument(const struct fry *fry,
						   const struct option_row *row,
						   const char *argument, const char *rule)
{
	warn("%s--%s=%.400s: %s", fry->options.origin, row->name, argument, rule);
	exit(EXIT_FRY);
}

/* Report an argument that is none of the row's choices, list them, and exit. */
__attribute__((noreturn)) static void die_choice(const struct fry *fry,
						 const struct option_row *row, const char *argument)
{
	char rule[80];
	struct text text = {rule, sizeof(rule), 0};

	for (const char *at = row->name; *at != '\0'; at++)
		text_add(&text, "%c", toupper(*at));
	text_add(&text, " is ");
	for (const char *at = row->argument; *at != '\0'; at++)
		if (*at != '|')
			text_add(&text, "%c", *at);
		else
			text_add(&text, strchr(at + 1, '|') != NULL ? ", " : " or ");
	die_argument(fry, row, argument, rule);
}

/* Returns the place of a word among the row's choices, which are in the order of an enum, or -1. */
static int find_choice(const struct option_row *row, const char *word)
{
	size_t length = strlen(word);
	const char *choice = row->argument;

	for (int i = 0;; i++) {
		size_t span = strcspn(choice, "|");

		if (span == length && memcmp(choice, word, span) == 0)
			return i;
		if (choice[span] == '\0')
			return -1;
		choice += span + 1;
	}
}

static int parse_choice(const struct fry *fry, const struct option_row *row, const char *argument)
{
	int choice = find_choice(row, argument);

	if (choice == -1)
		die_choice(fry, row, argument);
	return choice;
}

static int64_t parse_duration(const struct fry *fry, const struct option_row *row,
			      const char *argument)
{
	int64_t span = clock_parse_duration(argument);

	if (span == -1)
		die_argument(fry, row, argument,
			     "DURATION is a decimal number with ms, s, m, h or d");
	return span;
}

static void parse_kill_after(struct fry *fry, const struct option_row *row, const char *argument)
{
	fry->options.wait_given = true;
	schedule_set_default(&fry->schedule, parse_duration(fry, row, argument));
}

/* Put the first part of a schedule that is neither a signal nor a duration before the rule. */
static void name_part(char *to, size_t size, const char *schedule, const char *rule)
{
	text_format(to, size, "%s", rule);
	for (;;) {
		size_t length = strcspn(schedule, "/");
		char part[32];

		text_format(part, sizeof(part), "%.*s", (int)length, schedule);
		if (length != 0 && clock_parse_duration(part) == -1 &&
		    signame_parse(part + (part[0] == '-')) == -1) {
			text_format(to, size, "%s: %s", part, rule);
			return;
		}
		if (schedule[length] == '\0')
			return;
		schedule += length + 1;
	}
}

static void parse_stop(struct fry *fry, const struct option_row *row, const char *argument)
{
	const char *rule = schedule_parse(&fry->schedule, argument);

	if (rule != NULL) {
		char named[160];

		name_part(named, sizeof(named), argument, rule);
		die_argument(fry, row, argument, named);
	}
	fry->options.stop_given = true;
}

static void parse_timeout(struct fry *fry, const struct option_row *row, const char *argument)
{
	fry->options.timeout = parse_duration(fry, row, argument);
}

static void parse_parent_death(struct fry *fry, const struct option_row *row, const char *argument)
{
	int sig = signame_parse(argument);

	if (sig == -1)
		die_argument(fry, row, argument,
			     "SIGNAL is a name such as TERM or RTMIN+1, or a number");
	fry->options.parent_death = sig;
}

static void parse_hangup(struct fry *fry, const struct option_row *row, const char *argument)
{
	int fd = argument == NULL ? STDIN_FILENO : text_parse_number(argument, 0, INT_MAX);

	if (fd == -1)
		die_argument(fry, row, argument, "FD is the number of a descriptor");
	fry->options.hangup = fd;
}

static void parse_rewrite(struct fry *fry, const struct option_row *row, const char *argument)
{
	const char *colon = strchr(argument, ':');
	char from[16];
	int sig, as;

	if (colon == NULL || colon == argument || (size_t)(colon - argument) >= sizeof(from))
		die_argument(
			fry, row, argument,
			"a rewrite is FROM:TO, two signals, where TO may be 0; repeat -r for more");
	memcpy(from, argument, (size_t)(colon - argument));
	from[colon - argument] = '\0';
	sig = signame_parse(from);
	as = strcmp(colon + 1, "0") == 0 ? 0 : signame_parse(colon + 1);
	if (sig == -1 || as == -1)
		die_argument(fry, row, argument,
			     "FROM and TO are names such as TERM, or numbers; repeat -r for more");
	if (sig == SIGKILL || sig == SIGSTOP || sig == SIGCHLD)
		die_argument(fry, row, argument,
			     "FROM is a signal that never reaches fry-run to be forwarded");
	fry->options.as[sig] = (unsigned char)as;
}

/* PGID, the last choice of the row, stands for a number. */
static void parse_pgroup(struct fry *fry, const struct option_row *row, const char *argument)
{
	int choice = find_choice(row, argument);
	pid_t group = text_parse_number(argument, 2, INT_MAX);

	if (group != -1)
		choice = PLACE_JOIN;
	else if (choice == -1 || choice == PLACE_JOIN)
		die_argument(fry, row, argument,
			     "PGROUP is auto, inherit, new, session or a group's number");
	fry->options.placement = (enum placement)choice;
	fry->options.group = group == -1 ? 0 : group;
}

static void parse_expect(struct fry *fry, const struct option_row *row, const char *argument)
{
	int code = text_parse_number(argument, 0, UINT8_MAX);

	if (code == -1)
		die_argument(fry, row, argument,
			     "CODE is a number from 0 to 255; repeat -e for more");
	fry->options.expected[code] = true;
}

static void parse_verbose(struct fry *fry, const struct option_row *row, const char *argument)
{
	(void)row, (void)argument;
	fry->options.verbose++;
}

static void parse_nothing(struct fry *fry, const struct option_row *row, const char *argument)
{
	(void)fry, (void)row, (void)argument;
}

static void parse_report(struct fry *fry, const struct option_row *row, const char *argument)
{
	if (argument[0] == '-')
		die_argument(fry, row, argument,
			     "a FILE of this name is ./-..., and standard output is fd:1");
	fry->options.report = argument;
}

static void put(const char *text)
{
	while (*text != '\0') {
		ssize_t written = write(STDOUT_FILENO, text, strlen(text));

		if (written == -1) {
			warn("stdout: %s", strerror(errno));
			exit(EXIT_FRY);
		}
		text += written;
	}
}

static void print_license(struct fry *fry, const struct option_row *row, const char *argument)
{
	(void)fry, (void)row, (void)argument;
	put(license_text);
	exit(EXIT_SUCCESS);
}

static void print_version(struct fry *fry, const struct option_row *row, const char *argument)
{
	(void)fry, (void)row, (void)argument;
	put("fry-run " FRY_VERSION FRY_REVISION "\n");
	exit(EXIT_SUCCESS);
}

static void print_help(struct fry *fry, const struct option_row *of, const char *argument);

#define FIELD(name) offsetof(struct options, name)

/* In the order of --help and of the manual page. */
static const struct option_row option_table[] = {
	{"kill-after", "k", "DURATION", parse_kill_after, 0, 0,
	 "wait between INT, TERM and KILL (10s; 0: no KILL)"},
	{"stop", "", "SCHEDULE", parse_stop, 0, 0,
	 "the stop schedule, such as INT/7s/TERM/2s/KILL"},
	{"timeout", "t", "DURATION", parse_timeout, 0, 0,
	 "stop COMMAND after this time and exit 124"},
	{"parent-death", "p", "SIGNAL", parse_parent_death, 0, 0,
	 "when the parent dies, act as if SIGNAL came"},
	{"hangup", "", "[=FD]", parse_hangup, 0, 0,
	 "when the other end of FD (0) closes, act as on TERM"},
	{"leftover", "", "stop|wait|leave|fail", NULL, FIELD(leftover), 0,
	 "for processes that outlive COMMAND (stop)"},
	{"scope", "", "auto|command|group|tree", NULL, FIELD(scope), 0,
	 "recipients of forwarded signals (auto)"},
	{"group", "g", NULL, NULL, FIELD(scope), SCOPE_GROUP, NULL},
	{"single-child", "c", NULL, NULL, FIELD(scope), SCOPE_COMMAND,
	 "--scope=group, --scope=command"},
	{"rewrite", "r", "FROM:TO", parse_rewrite, 0, 0,
	 "forward TO when FROM is received; 0 drops it"},
	{"pgroup", "", "auto|inherit|new|session|PGID", parse_pgroup, 0, 0,
	 "the group of COMMAND (auto)"},
	{"cgroup", "", "new|own", NULL, FIELD(cgroup), CGROUP_NEW,
	 "also contain COMMAND in a cgroup v2"},
	{"guard", "", NULL, NULL, FIELD(guard), true, NULL},
	{"no-guard", "", NULL, NULL, FIELD(guard), false,
	 "kill all if fry-run dies (default, except as PID 1)"},
	{"status", "", "mirror|code", NULL, FIELD(code), 0,
	 "die of COMMAND's signal N, or exit 128+N (mirror)"},
	{"expect", "e", "CODE", parse_expect, 0, 0, "exit 0 if COMMAND's status is CODE"},
	{"warn-reaped", "w", NULL, NULL, FIELD(warn_reaped), true,
	 "name each orphan when it is reaped"},
	{"verbose", "v", NULL, parse_verbose, 0, 0, "report what is done and why; repeat for more"},
	{"report", "", "FILE|fd:N", parse_report, 0, 0, "append one line of JSON about the run"},
	{"pause", "P", NULL, NULL, FIELD(pause), true,
	 "run no COMMAND: reap until INT, TERM or QUIT"},
	{NULL, "s", NULL, parse_nothing, 0, 0, "no effect: fry-run is always a subreaper"},
	{"license", "lL", NULL, print_license, 0, 0, NULL},
	{"help", "h", NULL, print_help, 0, 0, NULL},
	{"version", "V", NULL, print_version, 0, 0, "print it and exit"},
};

static const struct option_row *const option_end =
	option_table + sizeof(option_table) / sizeof(*option_table);

/* Append an option's letters, name and argument to a line of --help. */
static void help_add(struct text *line, const struct option_row *row)
{
	for (const char *letter = row->letters; *letter != '\0'; letter++)
		text_add(line, "%s-%c", line->length == 0 ? "  " : ", ", *letter);
	if (row->name != NULL)
		text_add(line, "%s--%s", line->length == 0 ? "      " : ", ", row->name);
	if (row->argument != NULL)
		text_add(line, row->argument[0] == '[' ? "%s" : "=%s", row->argument);
}

static void print_help(struct fry *fry, const struct option_row *of, const char *argument)
{
	static const char blanks[] = "                             ";
	const size_t column = sizeof(blanks) - 1;
	char buffer[128];
	struct text line = {buffer, sizeof(buffer), 0};

	(void)fry, (void)of, (void)argument;
	put("Usage: fry-run [OPTION]... [--] COMMAND [ARG]...\n"
	    "Run COMMAND, forward signals to it, and leave nothing behind when it ends.\n");
	for (const struct option_row *row = option_table; row < option_end; row++) {
		help_add(&line, row);
		if (row->help == NULL)
			continue;
		text_add(&line, "%s%s\n",
			 blanks + (line.length + 2 < column ? line.length : column - 2), row->help);
		put(buffer);
		line.length = 0;
	}
	put("Exit status: COMMAND's; 124 timed out; 125 fry-run failed; 126 COMMAND cannot be\n"
	    "executed; 127 COMMAND not found. FRY_RUN_OPTS in the environment is read first.\n");
	put(system_usage);
	exit(EXIT_SUCCESS);
}

/* Report an option that does not exist, with the one that was most likely meant, and exit. */
__attribute__((noreturn)) static void die_unknown(const struct fry *fry, const char *word)
{
	size_t length = strcspn(word + 2, "=");
	const char *hint = hint_option(word + 2, length);
	char rule[128];

	text_format(rule, sizeof(rule), "no such option%s%s", hint == NULL ? "" : "; ",
		    hint == NULL ? "" : hint);
	for (const struct option_row *row = option_table; row < option_end && length > 2; row++)
		if (row->name != NULL && hint_near(word + 2, length, row->name))
			text_format(rule, sizeof(rule), "no such option; is it --%s?", row->name);
	die_usage(fry, word, rule);
}

/* Returns the argument that is the next word. It cannot be --, which ends the options. */
static const char *take_argument(const struct fry *fry, const struct option_row *row,
				 const char *option, const char *next)
{
	char rule[80];

	if (next != NULL && strcmp(next, "--") != 0)
		return next;
	text_format(rule, sizeof(rule), "the option needs an argument, %s", row->argument);
	die_usage(fry, option, rule);
}

/* Returns the option of this name, or the only option whose name begins so, or NULL. */
static const struct option_row *find_name(const char *name, size_t length)
{
	const struct option_row *found = NULL;
	int count = 0;

	for (const struct option_row *row = option_table; row < option_end; row++) {
		if (row->name == NULL || strncmp(row->name, name, length) != 0)
			continue;
		if (row->name[length] == '\0')
			return row;
		found = row;
		count++;
	}
	return count == 1 ? found : NULL;
}

static const struct option_row *find_letter(char letter)
{
	for (const struct option_row *row = option_table; row < option_end; row++)
		if (strchr(row->letters, letter) != NULL)
			return row;
	return NULL;
}

/* Take an option, and record whether it is from FRY_RUN_OPTS, since a later message names its origin. */
static void option_parse(struct fry *fry, const struct option_row *row, const char *argument)
{
	uint32_t bit = UINT32_C(1) << (row - option_table);

	if (row->parse != NULL)
		row->parse(fry, row, argument);
	else
		*(int *)((char *)&fry->options + row->field) =
			row->value + (argument == NULL ? 0 : parse_choice(fry, row, argument));
	if (fry->options.origin[0] == '\0')
		fry->options.from_environment &= ~bit;
	else
		fry->options.from_environment |= bit;
}

/* Returns the beginning of a message about an option: FRY_RUN_OPTS if the option is from there, or "". */
static const char *option_origin(const struct fry *fry, const char *name)
{
	long row = find_name(name, strlen(name)) - option_table;

	return (fry->options.from_environment >> row & 1) != 0 ? environment_origin : "";
}

void options_refuse(const struct fry *fry, const char *name, const char *argument, const char *rule)
{
	warn("%s--%s%s%.400s: %s", option_origin(fry, name), name, argument == NULL ? "" : "=",
	     argument == NULL ? "" : argument, rule);
}

/* Parse --name, --name=ARGUMENT, or --name and the next word. Returns how many words it was. */
static int parse_name(struct fry *fry, const char *word, const char *next)
{
	const char *name = word + 2;
	size_t length = strcspn(name, "=");
	const struct option_row *row = find_name(name, length);
	bool joined = name[length] == '=';

	if (row == NULL)
		die_unknown(fry, word);
	if (joined && row->argument == NULL)
		die_usage(fry, word, "the option takes no argument");
	if (row->argument == NULL) {
		option_parse(fry, row, NULL);
		return 1;
	}
	if (!joined && row->argument[0] == '[') {
		option_parse(fry, row, NULL);
		return 1;
	}
	option_parse(fry, row, joined ? name + length + 1 : take_argument(fry, row, word, next));
	return joined ? 1 : 2;
}

/* Parse -abc or -kARGUMENT, or -k and the next word. Returns how many words it was. */
static int parse_letters(struct fry *fry, const char *word, const char *next)
{
	while (*++word != '\0') {
		const struct option_row *row = find_letter(*word);
		char option[] = {'-', *word, '\0'};
		bool joined = word[1] != '\0';

		if (row == NULL)
			die_usage(fry, option, "no such option");
		if (row->argument == NULL) {
			option_parse(fry, row, NULL);
			continue;
		}
		option_parse(fry, row, joined ? word + 1 : take_argument(fry, row, option, next));
		return joined ? 1 : 2;
	}
	return 1;
}

/* Parse options up to -- or the first word that is not one. Returns the place in argv after them. */
static int parse_words(struct fry *fry, int argc, char **argv)
{
	int at = 1;

	while (at < argc && argv[at][0] == '-' && argv[at][1] != '\0') {
		const char *word = argv[at], *next = argv[at + 1];

		if (strcmp(word, "--") == 0)
			return at + 1;
		at += word[1] == '-' ? parse_name(fry, word, next) : parse_letters(fry, word, next);
	}
	return at;
}

/* Check the options of one origin. If FRY_RUN_OPTS contradicts the command line, the command line wins. */
static void options_agree(struct fry *fry)
{
	struct options *options = &fry->options;

	if (options->stop_given && options->wait_given)
		die_usage(fry, "--stop", "cannot be combined with -k, it holds the waits itself");
	options->stop_given = options->wait_given = false;
}

/* Parse FRY_RUN_OPTS, which is for an image whose ENTRYPOINT cannot be edited. */
static void parse_environment(struct fry *fry, char *name)
{
	static const char space[] = " \t\n\v\f\r";
	const char *value = getenv("FRY_RUN_OPTS");
	char *copy, **argv, *rest, *word;
	size_t length, size;
	int argc = 1, end;

	if (value == NULL)
		return;
	fry->options.origin = environment_origin;
	length = strlen(value) + 1;
	size = (length / 2 + 2) * sizeof(*argv) + length;
	argv = page_alloc(size);
	if (argv == NULL)
		die_usage(fry, "out of memory", strerror(errno));
	copy = memcpy(argv + length / 2 + 2, value, length);
	argv[0] = name;
	for (word = strtok_r(copy, space, &rest); word != NULL; word = strtok_r(NULL, space, &rest))
		argv[argc++] = word;
	end = parse_words(fry, argc, argv);
	if (end < argc)
		die_usage(fry, argv[end], "the variable holds options only");
	options_agree(fry);
	fry->options.origin = "";
	/* The words are not freed, since options.report may point to one. */
}

void options_parse(struct fry *fry, int argc, char **argv)
{
	struct options *options = &fry->options;
	const char *lacked, *why = NULL;
	int first;

	for (int sig = 0; sig < SIGNALS; sig++)
		options->as[sig] = (unsigned char)sig;
	options->hangup = -1;
	options->origin = "";
	system_defaults(options);
	schedule_set_default(&fry->schedule, STEP_WAIT);
	parse_environment(fry, argv[0]);
	first = parse_words(fry, argc, argv);
	options_agree(fry);
	if (first >= argc && !options->pause)
		die_usage(fry, "no COMMAND was given", "see fry-run --help");
	options->origin = option_origin(fry, "pause");
	if (first < argc && options->pause)
		die_usage(fry, argv[first], "--pause runs no command");
	if (options->hangup != -1 && fcntl(options->hangup, F_GETFD) == -1) {
		char number[16];

		text_format(number, sizeof(number), "%d", options->hangup);
		options_refuse(fry, "hangup", number, strerror(errno));
		exit(EXIT_FRY);
	}
	lacked = system_lacks(options, &why);
	if (lacked != NULL) {
		options_refuse(fry, lacked + 2, NULL, why);
		exit(EXIT_FRY);
	}
	fry->argv = argv + first;
	fry->pausing = options->pause;
}

bool options_let_stop(const struct options *options, int sig)
{
	return is_termination_signal(sig) && options->as[sig] != 0;
}
