/*
 * fry.c - fry-run: run a command and leave nothing behind
 *
 * main reads as the story of a run: block signals, read the options, become a subreaper, start
 * COMMAND, let go of all that is COMMAND's, then receive one signal after the other until nothing
 * is left, and end as COMMAND did. struct fry is all there is to know about it.
 *
 * Until COMMAND lives, a failure is one line on stderr and exit status 125. From then on nothing
 * ends fry-run before COMMAND: what fails is said, and the work goes on.
 */
/* SPDX-License-Identifier: MIT */
#include "fry.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

extern char **environ; /* NOLINT(readability-redundant-declaration): by POSIX it is ours to do */

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

/*
 * Never block on a reader of stderr that has stalled. A terminal has room for a byte at least where
 * poll(2) says so, and a pipe for a line, if nobody else writes to it at that moment.
 */
static void stderr_put(const char *from, size_t length)
{
	struct pollfd polled = {.fd = STDERR_FILENO, .events = POLLOUT};
	size_t part = isatty(STDERR_FILENO) ? 1 : length;

	for (; length >= part && length != 0; from += part, length -= part) {
		ssize_t written = send(STDERR_FILENO, from, length, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (written != -1 || errno != ENOTSOCK)
			return;
		if (poll(&polled, 1, 0) == 0 || write(STDERR_FILENO, from, part) == -1)
			return;
	}
}

/* Write a line that was put together; one byte of room is left for its end. */
static void line_write(struct text *line)
{
	size_t length = strlen(line->to);
	int fd;

	/* One line whatever a name holds, and nothing that a terminal would obey. */
	for (size_t i = 0; i < length; i++)
		if (iscntrl((unsigned char)line->to[i]))
			line->to[i] = '?';
	line->to[length++] = '\n';
	/* SIGPIPE is blocked, and dropped later. */
	fd = descriptor_reopen(STDERR_FILENO);
	if (fd == -1)
		stderr_put(line->to, length);
	else if (write(fd, line->to, length) == -1)
		errno = 0;
	close(fd);
}

void say(const char *format, ...)
{
	char to[1024];
	struct text line = {to, sizeof(to) - 1, 0};
	va_list arguments;

	va_start(arguments, format);
	text_add(&line, "fry-run: ");
	text_vadd(&line, format, arguments);
	va_end(arguments);
	line_write(&line);
}

void say_verbose(const struct fry *fry, int level, const char *format, ...)
{
	int64_t since = clock_now() - fry->began;
	char to[1024];
	struct text line = {to, sizeof(to) - 1, 0};
	va_list arguments;

	if (fry->options.verbose < level)
		return;
	va_start(arguments, format);
	text_add(&line, "fry-run: %lld.%.3d ", (long long)(since / SECOND),
		 (int)(since % SECOND / MILLISECOND));
	text_vadd(&line, format, arguments);
	va_end(arguments);
	line_write(&line);
}

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
__attribute__((noreturn)) static void refuse(const char *word, const char *rule)
{
	say("%.400s: %s", word, rule);
	exit(EXIT_FRY);
}

/* The same for the argument of an option, which is named as it is documented. */
__attribute__((noreturn)) static void refuse_argument(int option, const char *rule)
{
	const struct option *name = option_names;

	while (name->name != NULL && name->val != option)
		name++;
	say("--%s=%.400s: %s", name->name, optarg, rule);
	exit(EXIT_FRY);
}

/* The option that getopt_long(3) stopped at: a word, or one letter of it. */
__attribute__((noreturn)) static void refuse_option(const char *word, const char *rule)
{
	char letter[] = {'-', (char)optopt, '\0'};

	refuse(strncmp(word, "--", 2) == 0 ? word : letter, rule);
}

static void put(const char *text)
{
	while (*text != '\0') {
		ssize_t written = write(STDOUT_FILENO, text, strlen(text));

		if (written == -1)
			refuse("stdout", strerror(errno));
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
	int sig = signals_parse(optarg);

	if (sig == -1)
		refuse_argument(option, "SIGNAL is a name such as TERM or RTMIN+1, or a number");
	return sig;
}

static int64_t parse_duration(int option)
{
	int64_t span = signals_parse_duration(optarg);

	if (span == -1)
		refuse_argument(option, "DURATION is a decimal number with ms, s, m, h or d");
	return span;
}

/* A decimal number between bounds. Returns it, or -1. */
static long parse_decimal(const char *word, long low, long high)
{
	const char *end = word;
	long long number = number_cut(&end);

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
		refuse_argument('r', "a rewrite is FROM:TO, two signals, where TO may be 0");
	memcpy(from, optarg, (size_t)(colon - optarg));
	from[colon - optarg] = '\0';
	sig = signals_parse(from);
	as = strcmp(colon + 1, "0") == 0 ? 0 : signals_parse(colon + 1);
	if (sig == -1 || as == -1)
		refuse_argument('r', "FROM and TO are names such as TERM, or numbers");
	if (sig == SIGKILL || sig == SIGSTOP || sig == SIGCHLD)
		refuse_argument('r', "FROM is a signal that never reaches fry-run to be forwarded");
	options->as[sig] = (unsigned char)as;
}

static void parse_pgroup(struct options *options)
{
	static const char *const choices[] = {"auto", "inherit", "new", "session", NULL};
	int choice = parse_choice(optarg, choices);
	long group = parse_decimal(optarg, 2, INT_MAX);

	if (choice == -1 && group == -1)
		refuse_argument(PGROUP,
				"PGROUP is auto, inherit, new, session or a group's number");
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
		stop_default(&fry->stop, parse_duration(option));
		break;
	case STOP:
		options->stop_given = true;
		rule = stop_parse(&fry->stop, optarg);
		if (rule != NULL)
			refuse_argument(option, rule);
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
			refuse_argument(option, "LEFTOVER is stop, wait, leave or fail");
		options->leftover = (enum leftover)choice;
		break;
	case SCOPE:
		choice = parse_choice(optarg, scopes);
		if (choice == -1)
			refuse_argument(option, "SCOPE is auto, command, group or tree");
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
			refuse_argument(option, "STATUS is mirror or code");
		options->code = choice == 1;
		break;
	case 'e':
		choice = (int)parse_decimal(optarg, 0, UINT8_MAX);
		if (choice == -1)
			refuse_argument(option, "CODE is a number from 0 to 255");
		options->expected[choice] = true;
		break;
	case CGROUP:
		choice = parse_choice(optarg, cgroups);
		if (choice == -1)
			refuse_argument(option, "CGROUP is new or own");
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
			refuse_option(argv[at], "the option needs an argument");
		case '?':
			refuse_option(argv[at], "no such option, or one that takes no argument");
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
	argv = memory_get(size);
	if (argv == NULL)
		refuse("FRY_RUN_OPTS", strerror(errno));
	copy = memcpy(argv + length / 2 + 2, value, length);
	argv[0] = name;
	for (word = strtok_r(copy, space, &rest); word != NULL; word = strtok_r(NULL, space, &rest))
		argv[argc++] = word;
	if (parse_words(fry, argc, argv) < argc)
		refuse(argv[optind], "FRY_RUN_OPTS holds options only");
	/* The words stay: an option may point to one. */
}

static void parse_options(struct fry *fry, int argc, char **argv)
{
	struct options *options = &fry->options;
	int first;

	for (int sig = 0; sig < SIGNALS; sig++)
		options->as[sig] = (unsigned char)sig;
	system_defaults(options);
	stop_default(&fry->stop, STEP_WAIT);
	parse_environment(fry, argv[0]);
	first = parse_words(fry, argc, argv);
	if (options->stop_given && options->wait_given)
		refuse("--stop", "cannot be combined with -k, it holds the waits itself");
	if (first >= argc && !options->pause)
		refuse("COMMAND", "no command to run was given (see --help)");
	if (first < argc && options->pause)
		refuse(argv[first], "--pause runs no command");
	system_check(options);
	fry->command = argv + first;
	fry->pausing = options->pause;
}

/* Decide where COMMAND runs. */
static void place(struct fry *fry)
{
	struct options *options = &fry->options;

	if (options->placement == PLACE_AUTO)
		options->placement = fry->tty.there ? PLACE_INHERIT : PLACE_NEW;
	if (options->placement == PLACE_JOIN && options->group == fry->own_group)
		options->placement = PLACE_INHERIT;
	fry->group = options->placement == PLACE_JOIN ? options->group : fry->own_group;
	fry->owns_group = options->placement == PLACE_NEW || options->placement == PLACE_SESSION;
	fry->tty.mirrors = fry->tty.there && fry->self != 1;
}

/* What becomes of COMMAND, the child and the inner process write, and others read. */
static void share(struct fry *fry)
{
	fry->outcome = memory_share(sizeof(*fry->outcome));
	if (fry->outcome == NULL) {
		say("cannot get memory: %s", strerror(errno));
		exit(EXIT_FRY);
	}
}

/* In the child: a variable that names fry-run's pid as the one it is meant for names COMMAND's. */
static bool environ_readdress(const struct fry *fry, const char *name, char *text, size_t size)
{
	size_t length = strlen(name);

	for (char **variable = environ; *variable != NULL; variable++) {
		if (strncmp(*variable, name, length) != 0 || (*variable)[length] != '=')
			continue;
		if (parse_decimal(*variable + length + 1, 1, INT_MAX) != fry->known)
			return false;
		text_format(text, size, "%s=%d", name, (int)getpid());
		*variable = text;
		return true;
	}
	return false;
}

static void environ_remove(const char *name)
{
	size_t length = strlen(name);
	char **to = environ;

	for (char **from = environ; *from != NULL; from++)
		if (strncmp(*from, name, length) != 0 || (*from)[length] != '=')
			*to++ = *from;
	*to = NULL;
}

/* execve(2), or what execvp(3) does for a file without `#!`: let a shell run it. */
static void execute_file(char **command, char *path)
{
	char *name = command[0];

	execve(path, command, environ);
	if (errno != ENOEXEC)
		return;
	command[-1] = (char[]){"sh"}; /* there is always fry-run's own name or option before it */
	command[0] = path;
	execve("/bin/sh", command - 1, environ);
	command[0] = name;
}

/*
 * Execute COMMAND, looked for along PATH. Returns with errno if that is impossible. A function of its
 * own, since the room for a path is a page of the stack, which costs as much as ten system calls.
 */
__attribute__((noinline)) static void execute_search(char **command)
{
	const char *path = getenv("PATH");
	char file[PATH_MAX];
	int error = ENOENT;

	if (path == NULL)
		path = "/usr/local/bin:/bin:/usr/bin";
	for (bool last = command[0][0] == '\0'; !last;) {
		int length = (int)strcspn(path, ":");

		if (text_format(file, sizeof(file), "%.*s%s%s", length, path,
				length == 0 ? "" : "/", command[0]) < sizeof(file)) {
			execute_file(command, file);
			if (errno == EACCES)
				error = EACCES; /* found, but perhaps there is a better one */
			else if (errno != ENOENT && errno != ENOTDIR)
				return;
		}
		last = path[length] == '\0';
		path += length + !last;
	}
	errno = error;
}

/* Execute COMMAND. Returns with errno if that is impossible. */
static void execute(char **command)
{
	if (strchr(command[0], '/') != NULL)
		execute_file(command, command[0]);
	else
		execute_search(command);
}

/*
 * In the child. Everything is blocked until the mask is given back: what is sent to the new group
 * from then on, COMMAND gets.
 */
__attribute__((noreturn)) static void child_run(struct fry *fry)
{
	static const char *const names[] = {"LISTEN_PID", "WATCHDOG_PID", "SYSTEMD_EXEC_PID"};
	enum { NAMES = sizeof(names) / sizeof(names[0]) };
	char texts[NAMES][32];

	if (fry->options.placement == PLACE_SESSION) {
		setsid();
		tty_attach(fry);
	} else if (fry->options.placement == PLACE_NEW) {
		setpgid(0, 0);
		tty_give(fry, getpid());
	} else if (fry->options.placement == PLACE_JOIN && setpgid(0, fry->group) == -1) {
		fry->outcome->exec_errno = errno;
		say("--pgroup=%d: %s", (int)fry->group, strerror(errno));
		_exit(EXIT_FRY);
	}
	if (cgroup_enter(fry) == -1) {
		fry->outcome->exec_errno = errno;
		say("cannot enter %s: %s", fry->cgroup->path, strerror(errno));
		_exit(EXIT_FRY);
	}
	for (int i = 0; i < NAMES; i++)
		if (environ_readdress(fry, names[i], texts[i], sizeof(texts[i])) && i == 0)
			environ_remove("LISTEN_PIDFDID"); /* the same by another number */
	signals_restore(fry);
	execute(fry->command);
	fry->outcome->exec_errno = errno;
	/* Before a word is said: a broken stderr must not change the status. */
	signals_hold(NULL);
	say("cannot execute %.400s: %s", fry->command[0], strerror(fry->outcome->exec_errno));
	_exit(fry->outcome->exec_errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

void refuse_fork(const struct fry *fry)
{
	say("cannot fork: %s%s", strerror(errno),
	    errno == EAGAIN ? " (the limit on processes is reached)" : "");
	cgroup_end(fry);
	exit(EXIT_FRY);
}

static void spawn(struct fry *fry)
{
	pid_t child;

	signals_before(fry);
	/*
	 * Not vfork(2), though it would be faster: what stops the child just before it executes
	 * COMMAND, a Ctrl-Z for one, would hold fry-run as well.
	 */
	child = fork();
	if (child == 0)
		child_run(fry);
	if (child == -1)
		refuse_fork(fry);
	fry->child = child;
	fry->highest = fry->child > fry->self ? fry->child : fry->self;
	if (fry->owns_group)
		fry->group = fry->child;
	fry->outcome->group = fry->group;
	if (fry->options.placement == PLACE_INHERIT)
		signals_resend(fry);
	/* Whoever of the two comes first: the group must exist from here on. */
	if (fry->options.placement == PLACE_NEW)
		setpgid(fry->child, fry->child);
	say_verbose(fry, 1, "started %s as process %d in group %d", fry->command[0],
		    (int)fry->child, (int)fry->group);
}

/* Let go of what is COMMAND's: its pipes come to their end when it closes them, no mount is busy. */
static void let_go(struct fry *fry)
{
	/* The report is written by the process that the caller knows. */
	int keep = fry->role == INNER || fry->report == -1 ? STDERR_FILENO : fry->report;

	descriptors_close(keep);
	if (fry->role == OUTER)
		guard_open(fry); /* above the standard descriptors, which are still open */
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	if (chdir("/") == -1)
		return; /* there is nowhere better */
}

/* Send the signal of a step to everything left that has not had it. */
static void step(struct fry *fry)
{
	const struct stop *stop = &fry->stop;
	struct errand errand = {.signal = stop_signal(stop), .stopping = true, .once = true};
	int64_t now = clock_now();
	struct signal_name name;

	if (errand.signal == 0)
		return;
	say_verbose(fry, 1, "time for %s", signals_name(errand.signal, &name));
	for (int i = 0; i < stop->at; i++)
		if (stop->step[i].signal == errand.signal)
			errand.once = false; /* the schedule says it twice, and means it */
	if (errand.signal == SIGKILL)
		return; /* by reap_kill */
	tree_signal(fry, &errand);
	if (errand.sent == 0)
		return;
	report_step(fry, errand.signal, now, errand.found);
	say_verbose(fry, 1, "sent %s to %d remaining processes", signals_name(errand.signal, &name),
		    (int)errand.sent);
}

/* COMMAND has ended. Those who remain get TERM, unless they have had it. */
static void outlived(struct fry *fry)
{
	struct errand errand = {.signal = SIGTERM, .stopping = true, .once = true, .listing = true};
	enum leftover leftover = fry->options.leftover;
	int64_t now = clock_now();

	fry->timeout_at = NEVER;
	if (leftover == LEFTOVER_WAIT || leftover == LEFTOVER_LEAVE)
		return;
	stop_leftover(&fry->stop, now);
	errand.noting = stop_signal(&fry->stop) == SIGKILL;
	errand.naming = leftover == LEFTOVER_FAIL || fry->options.verbose > 0;
	errand.why = errand.noting ? "left behind by COMMAND, to be killed"
				   : "left behind by COMMAND, sent TERM";
	tree_signal(fry, &errand);
	fry->outcome->leaked |= leftover == LEFTOVER_FAIL && errand.found != 0;
	if (!errand.noting)
		report_step(fry, SIGTERM, now, errand.found);
}

void check_parent(struct fry *fry, const siginfo_t *last)
{
	int sig = fry->options.parent_death;
	bool died = sig != 0 && getppid() != fry->parent;

	/* A parent in another pid namespace has no number; its death has no sender either. */
	if (sig != 0 && fry->parent == 0 && last->si_signo == SIGCHLD && last->si_code == SI_USER)
		died = last->si_pid == 0;
	if (!died || fry->outcome->orphaned)
		return;
	fry->outcome->orphaned = true;
	say_verbose(fry, 1, "the parent has died");
	signals_pretend(fry, sig);
}

static void check_timeout(struct fry *fry)
{
	if (fry->timeout_at == NEVER || fry->stop.at != -1 || fry->timeout_at > clock_now())
		return;
	fry->outcome->timed_out = true;
	fry->timeout_at = NEVER;
	say_verbose(fry, 1, "timed out");
	signals_begin_stop(fry);
}

/* Whether there are others than descendants to wait for: in the cgroup, or below the outer process. */
static bool others_left(struct fry *fry)
{
	return cgroup_populated(fry) || reap_outer_children(fry);
}

/* Keep the schedule. Returns whether it is over. */
static bool keep_schedule(struct fry *fry)
{
	struct stop *stop = &fry->stop;

	if (stop_spread(stop, clock_now()) || stop_expire(stop, clock_now()))
		step(fry);
	if (stop_signal(stop) == SIGKILL) {
		reap_kill(fry);
		return true;
	}
	if (stop->at == stop->steps)
		tree_name(fry, "still there when the schedule is over");
	return stop->at == stop->steps;
}

/* Until when there is nothing to do. */
static int64_t next_deadline(const struct fry *fry, int64_t witness)
{
	int64_t deadline = fry->stop.at == -1 ? fry->timeout_at : stop_next(&fry->stop);

	return witness < deadline ? witness : deadline;
}

void run(struct fry *fry)
{
	bool left, ended = false;
	siginfo_t info = {0};

	for (;;) {
		unsigned reaped = reap_drain(fry, &left);
		bool childless = !left && !fry->pausing;
		int64_t deadline, witness;
		int except;

		tty_look(fry);
		if (childless)
			left = others_left(fry);
		if (fry->child == 0 && !ended && !fry->pausing) {
			ended = true;
			if (!left || fry->options.leftover == LEFTOVER_LEAVE)
				return;
			outlived(fry);
		}
		if (!left && !fry->pausing)
			return;
		if (guard_outer_died(fry)) {
			stop_kill(&fry->stop);
			reap_kill(fry);
			return;
		}
		tty_follow(fry);
		if (fry->role == ALONE)
			check_parent(fry, &info);
		check_timeout(fry);
		guard_take(fry);
		witness = guard_expire(fry);
		if (keep_schedule(fry))
			return;
		deadline = next_deadline(fry, witness);
		childless = childless && fry->cgroup != NULL;
		if (childless)
			cgroup_wait(fry, deadline);
		/* As the kernel gives a low number first, the others come in between two SIGCHLD. */
		except = info.si_signo == SIGCHLD ? SIGCHLD : 0;
		/* Orphans may come faster than they are reaped: then do not sleep. */
		if (reaped != 0 || childless || except != 0)
			deadline = 0;
		info.si_signo = 0;
		if (signals_receive(&info, deadline, except) != 0 && !guard_receive(fry, &info))
			signals_act(fry, &info);
	}
}

/* The status to exit with, and the signal to die of, 0 for none. */
static int status_of(const struct fry *fry, int *sig)
{
	const struct outcome *outcome = fry->outcome;
	int status;

	*sig = 0;
	if (outcome->timed_out)
		return EXIT_TIMED_OUT;
	if (!outcome->ended && !fry->options.pause)
		return EXIT_FRY; /* it may not be signalled, or does not die */
	if (WIFEXITED(outcome->status))
		status = WEXITSTATUS(outcome->status);
	else
		status = 128 + WTERMSIG(outcome->status);
	if (fry->options.expected[status & UINT8_MAX] && outcome->exec_errno == 0)
		status = 0;
	else if (WIFSIGNALED(outcome->status) && !fry->options.code && fry->self != 1)
		*sig = WTERMSIG(outcome->status);
	return outcome->leaked && status == 0 ? EXIT_FRY : status;
}

/* End as COMMAND did. */
static int finish(const struct fry *fry)
{
	int sig, status = status_of(fry, &sig);
	struct signal_name name;

	report_write(fry, status);
	if (sig == 0)
		say_verbose(fry, 1, "exiting with %d", status);
	else
		say_verbose(fry, 1, "dying of %s, as COMMAND did", signals_name(sig, &name));
	if (sig != 0)
		signals_die(fry, sig);
	return status;
}

int main(int argc, char **argv)
{
	static struct fry fry; /* fewer pages to copy than on the stack, and none in the file */

	fry.timeout_at = NEVER;
	fry.outer.deadline = NEVER;
	fry.parent = getppid(); /* first of all: from here on its death shows */
	signals_block(&fry);    /* from here on no signal is lost, and none ends fry-run */
	fry.began = clock_now();
	clock_gettime(CLOCK_REALTIME, &fry.start);
	fry.self = fry.known = getpid();
	fry.words = argv[0];
	if (argc > 0)
		fry.words_size = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) - argv[0]);
	fry.own_group = fry.job = getpgrp();
	fry.own_session = getsid(0);
	parse_options(&fry, argc, argv);
	tty_start(&fry);
	place(&fry);
	share(&fry);
	report_open(&fry);
	/* It may come when the thread that forked us ends, too; so the loop looks at getppid(2). */
	if (fry.options.parent_death != 0)
		parent_watch();
	reap_start(&fry);   /* before COMMAND can leave an orphan */
	cgroup_start(&fry); /* before the guard: either process has to know the leaf */
	tty_detach(&fry);   /* after all that may refuse, but by the leader of the session */
	guard_start(&fry);  /* before there is anything to be left behind */
	if (fry.role != OUTER && !fry.pausing) {
		cgroup_make(&fry);
		spawn(&fry);
	}
	if (fry.role != OUTER && fry.options.timeout != 0)
		fry.timeout_at = clock_add(clock_now(), fry.options.timeout);
	let_go(&fry); /* after COMMAND has it all */
	if (fry.role == INNER)
		guard_rename(&fry);
	if (fry.role == OUTER)
		guard_run(&fry);
	else
		run(&fry);
	if (fry.role == INNER && !guard_outer_died(&fry)) {
		fry.outcome->told = true; /* the outer process does the rest */
		return EXIT_SUCCESS;
	}
	cgroup_end(&fry); /* nothing is left in it */
	tty_end(&fry);    /* and no process to use it */
	return fry.role == INNER ? EXIT_FRY : finish(&fry);
}
