/*
 * options.c - the command line and FRY_RUN_OPTS
 *
 * An invalid argument is rejected before anything is started, with the argument and the rule that it
 * breaks.
 */
/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fry.h"
#include "sys.h"
#include "text.h"

/* In brackets, where it is built from a checkout. */
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

static const char usage_text[] =
	"Usage: fry-run [OPTION]... [--] COMMAND [ARG]...\n"
	"Run COMMAND, forward signals to it, and leave nothing behind when it ends.\n"
	"  -k, --kill-after=DURATION  wait between INT, TERM and KILL (10s; 0: no KILL)\n"
	"      --stop=SCHEDULE        the steps themselves, such as INT/7s/TERM/2s/KILL\n"
	"  -t, --timeout=DURATION     stop COMMAND after this time, and exit 124\n"
	"  -p, --parent-death=SIGNAL  act as if SIGNAL came when the parent dies\n"
	"      --leftover=stop|wait|leave|fail  for processes that outlive COMMAND (stop)\n"
	"      --scope=auto|command|group|tree  who gets forwarded signals (auto)\n"
	"  -g, --group, -c, --single-child   --scope=group, --scope=command\n"
	"  -r, --rewrite=FROM:TO      forward TO where FROM is received; 0 drops it\n"
	"      --pgroup=auto|inherit|new|session|PGID  the group of COMMAND (auto)\n"
	"      --cgroup=new|own       contain COMMAND in a cgroup v2 as well\n"
	"      --guard, --no-guard    survive kill -9 of fry-run (on, but as PID 1)\n"
	"      --status=mirror|code   die of COMMAND's signal N, or exit 128+N (mirror)\n"
	"  -e, --expect=CODE          exit 0 where COMMAND's status is CODE\n"
	"  -w, --warn-reaped          name each orphan as it is reaped\n"
	"  -v, --verbose              say what is done and why; repeat for more\n"
	"      --report=FILE|fd:N     append one line of JSON on how the run went\n"
	"  -P, --pause                run no COMMAND: reap until INT, TERM or QUIT\n"
	"  -s                         no effect: fry-run is always a subreaper\n"
	"  -l, -L, --license   -h, --help   -V, --version   print it and exit\n"
	"Exit status: COMMAND's; 124 timed out; 125 fry-run failed; 126 COMMAND cannot be\n"
	"executed; 127 COMMAND not found. FRY_RUN_OPTS in the environment is read first.\n";

/* Options that have no letter. */
enum { STOP = UCHAR_MAX + 1, LEFTOVER, SCOPE, PGROUP, CGROUP, GUARD, NO_GUARD, STATUS, REPORT };

static const char option_letters[] = "+:k:t:p:gcr:e:wvPslLhV";

static const struct option option_names[] = {
	{"kill-after", required_argument, NULL, 'k'},
	{"stop", required_argument, NULL, STOP},
	{"timeout", required_argument, NULL, 't'},
	{"parent-death", required_argument, NULL, 'p'},
	{"leftover", required_argument, NULL, LEFTOVER},
	{"scope", required_argument, NULL, SCOPE},
	{"group", no_argument, NULL, 'g'},
	{"single-child", no_argument, NULL, 'c'},
	{"rewrite", required_argument, NULL, 'r'},
	{"pgroup", required_argument, NULL, PGROUP},
	{"cgroup", required_argument, NULL, CGROUP},
	{"guard", no_argument, NULL, GUARD},
	{"no-guard", no_argument, NULL, NO_GUARD},
	{"status", required_argument, NULL, STATUS},
	{"expect", required_argument, NULL, 'e'},
	{"warn-reaped", no_argument, NULL, 'w'},
	{"verbose", no_argument, NULL, 'v'},
	{"report", required_argument, NULL, REPORT},
	{"pause", no_argument, NULL, 'P'},
	{"license", no_argument, NULL, 'l'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

/* Refuse a word for the rule that it breaks; a very long one must not hide the rule. */
__attribute__((noreturn)) static void die_usage(const char *word, const char *rule)
{
	warn("%.400s: %s", word, rule);
	exit(EXIT_FRY);
}

/* The same for the argument of an option, which is named as it is documented. */
__attribute__((noreturn)) static void die_argument(int option, const char *rule)
{
	const struct option *name = option_names;

	while (name->name != NULL && name->val != option)
		name++;
	warn("--%s=%.400s: %s", name->name, optarg, rule);
	exit(EXIT_FRY);
}

/* The option that getopt_long(3) stopped at: a word, or one letter of it. */
__attribute__((noreturn)) static void die_option(const char *word, const char *rule)
{
	char letter[] = {'-', (char)optopt, '\0'};

	die_usage(strncmp(word, "--", 2) == 0 ? word : letter, rule);
}

static void put(const char *text)
{
	while (*text != '\0') {
		ssize_t written = write(STDOUT_FILENO, text, strlen(text));

		if (written == -1)
			die_usage("stdout", strerror(errno));
		text += written;
	}
}

__attribute__((noreturn)) static void print(const char *text)
{
	put(text);
	exit(EXIT_SUCCESS);
}

/* The place of a word in a list of words, which an enum follows. Returns -1 if it is not there. */
static int parse_choice(const char *word, const char *const *choices)
{
	for (int i = 0; choices[i] != NULL; i++)
		if (strcmp(word, choices[i]) == 0)
			return i;
	return -1;
}

static int parse_signal(int option)
{
	int sig = signame_parse(optarg);

	if (sig == -1)
		die_argument(option, "SIGNAL is a name such as TERM or RTMIN+1, or a number");
	return sig;
}

static int64_t parse_duration(int option)
{
	int64_t span = clock_parse_duration(optarg);

	if (span == -1)
		die_argument(option, "DURATION is a decimal number with ms, s, m, h or d");
	return span;
}

/* A decimal number between bounds. Returns it, or -1. */
static long parse_decimal(const char *word, long low, long high)
{
	const char *end = word;
	long long number = scan_number(&end);

	return !isdigit((unsigned char)*word) || *end != '\0' || number < low || number > high
		       ? -1
		       : (long)number;
}

static void parse_rewrite(struct options *options)
{
	const char *colon = strchr(optarg, ':');
	char from[16];
	int sig, as;

	if (colon == NULL || colon == optarg || (size_t)(colon - optarg) >= sizeof(from))
		die_argument('r', "a rewrite is FROM:TO, two signals, where TO may be 0");
	memcpy(from, optarg, (size_t)(colon - optarg));
	from[colon - optarg] = '\0';
	sig = signame_parse(from);
	as = strcmp(colon + 1, "0") == 0 ? 0 : signame_parse(colon + 1);
	if (sig == -1 || as == -1)
		die_argument('r', "FROM and TO are names such as TERM, or numbers");
	if (sig == SIGKILL || sig == SIGSTOP || sig == SIGCHLD)
		die_argument('r', "FROM is a signal that never reaches fry-run to be forwarded");
	options->as[sig] = (unsigned char)as;
}

static void parse_pgroup(struct options *options)
{
	static const char *const choices[] = {"auto", "inherit", "new", "session", NULL};
	int choice = parse_choice(optarg, choices);
	long group = parse_decimal(optarg, 2, INT_MAX);

	if (choice == -1 && group == -1)
		die_argument(PGROUP, "PGROUP is auto, inherit, new, session or a group's number");
	options->placement = choice == -1 ? PLACE_JOIN : (enum placement)choice;
	options->group = choice == -1 ? (pid_t)group : 0;
}

static void parse_argument(struct fry *fry, int option)
{
	static const char *const leftovers[] = {"stop", "wait", "leave", "fail", NULL};
	static const char *const scopes[] = {"auto", "command", "group", "tree", NULL};
	static const char *const statuses[] = {"mirror", "code", NULL};
	static const char *const cgroups[] = {"new", "own", NULL};
	struct options *options = &fry->options;
	const char *rule;
	int choice;

	switch (option) {
	case 'k':
		options->wait_given = true;
		schedule_set_default(&fry->schedule, parse_duration(option));
		break;
	case STOP:
		options->stop_given = true;
		rule = schedule_parse(&fry->schedule, optarg);
		if (rule != NULL)
			die_argument(option, rule);
		break;
	case 't':
		options->timeout = parse_duration(option);
		break;
	case 'p':
		options->parent_death = parse_signal(option);
		break;
	case LEFTOVER:
		choice = parse_choice(optarg, leftovers);
		if (choice == -1)
			die_argument(option, "LEFTOVER is stop, wait, leave or fail");
		options->leftover = (enum leftover)choice;
		break;
	case SCOPE:
		choice = parse_choice(optarg, scopes);
		if (choice == -1)
			die_argument(option, "SCOPE is auto, command, group or tree");
		options->scope = (enum scope)choice;
		break;
	case 'r':
		parse_rewrite(options);
		break;
	case PGROUP:
		parse_pgroup(options);
		break;
	case STATUS:
		choice = parse_choice(optarg, statuses);
		if (choice == -1)
			die_argument(option, "STATUS is mirror or code");
		options->code = choice == 1;
		break;
	case 'e':
		choice = (int)parse_decimal(optarg, 0, UINT8_MAX);
		if (choice == -1)
			die_argument(option, "CODE is a number from 0 to 255");
		options->expected[choice] = true;
		break;
	case CGROUP:
		choice = parse_choice(optarg, cgroups);
		if (choice == -1)
			die_argument(option, "CGROUP is new or own");
		options->cgroup = choice == 0 ? CGROUP_NEW : CGROUP_OWN;
		break;
	case REPORT:
		options->report = optarg;
		break;
	}
}

/* Read options up to the first word that is none. Returns its place in argv. */
static int parse_words(struct fry *fry, int argc, char **argv)
{
	struct options *options = &fry->options;
	int at = 1;

	optind = 0; /* start afresh, with glibc and musl */
	opterr = 0;
	for (;; at = optind) {
		int option = getopt_long(argc, argv, option_letters, option_names, NULL);

		switch (option) {
		case 'g':
			options->scope = SCOPE_GROUP;
			break;
		case 'c':
			options->scope = SCOPE_COMMAND;
			break;
		case 'w':
			options->warn_reaped = true;
			break;
		case 'v':
			options->verbose++;
			break;
		case GUARD:
		case NO_GUARD:
			options->guard = option == GUARD;
			break;
		case 's':
			break;
		case 'P':
			options->pause = true;
			break;
		case 'l':
		case 'L':
			print(license_text);
		case 'h':
			put(usage_text);
			print(system_usage);
		case 'V':
			print("fry-run " FRY_VERSION FRY_REVISION "\n");
		case ':':
			die_option(argv[at], "the option needs an argument");
		case '?':
			die_option(argv[at], "no such option, or one that takes no argument");
		case -1:
			return optind;
		default:
			parse_argument(fry, option);
		}
	}
}

/* FRY_RUN_OPTS, for an image whose ENTRYPOINT cannot be edited. */
static void parse_environment(struct fry *fry, char *name)
{
	static const char space[] = " \t\n\v\f\r";
	const char *value = getenv("FRY_RUN_OPTS");
	char *copy, **argv, *rest, *word;
	size_t length, size;
	int argc = 1;

	if (value == NULL)
		return;
	length = strlen(value) + 1;
	size = (length / 2 + 2) * sizeof(*argv) + length;
	argv = page_alloc(size);
	if (argv == NULL)
		die_usage("FRY_RUN_OPTS", strerror(errno));
	copy = memcpy(argv + length / 2 + 2, value, length);
	argv[0] = name;
	for (word = strtok_r(copy, space, &rest); word != NULL; word = strtok_r(NULL, space, &rest))
		argv[argc++] = word;
	if (parse_words(fry, argc, argv) < argc)
		die_usage(argv[optind], "FRY_RUN_OPTS holds options only");
	/* The words stay: an option may point to one. */
}

void options_parse(struct fry *fry, int argc, char **argv)
{
	struct options *options = &fry->options;
	int first;

	for (int sig = 0; sig < SIGNALS; sig++)
		options->as[sig] = (unsigned char)sig;
	system_defaults(options);
	schedule_set_default(&fry->schedule, STEP_WAIT);
	parse_environment(fry, argv[0]);
	first = parse_words(fry, argc, argv);
	if (options->stop_given && options->wait_given)
		die_usage("--stop", "cannot be combined with -k, it holds the waits itself");
	if (first >= argc && !options->pause)
		die_usage("COMMAND", "no command to run was given (see --help)");
	if (first < argc && options->pause)
		die_usage(argv[first], "--pause runs no command");
	system_check(options);
	fry->argv = argv + first;
	fry->pausing = options->pause;
}
