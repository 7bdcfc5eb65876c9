/* measure.c - measure wrappers beside each other, in rounds */
/* SPDX-License-Identifier: MIT */
/*
 * measure WHAT [OPTION]... -c NAME=PREFIX [-c NAME=PREFIX]... [-- COMMAND [ARG]...]
 *
 * Each round measures every candidate once, in a new order, so that other work on the machine meets
 * all of them alike. A candidate is the words of PREFIX, split at blanks, followed by COMMAND. If the
 * first word is `@pid1`, the candidate is PID 1 of a namespace with a /proc of its own. The output is
 * CSV: a column for each candidate, a row for each round. An empty field is a value that could not be
 * measured.
 *
 *	-n N	the number of rounds (100)
 *	-p CPU	run on this processor only, with all candidates
 *	-s SIG	the signal to send (TERM)
 *	-N N	the number of candidates (scale), or of seconds (idle, load)
 *
 * A candidate has no terminal and leads no process group. Its stdin and stderr are /dev/null. COMMAND
 * is a mode of work.c, unless noted. WHAT is one of these, with its COMMAND and what is measured:
 *
 * start	any		µs from vfork(2) until the candidate was waited for
 * faults	any		minor page faults of the candidate and its descendants
 * memory	pause		KiB, proportional set size, of the candidate's own processes
 * private	pause		KiB of their private pages
 * idle		pause		context switches of the candidate's own processes in N seconds; one round
 * forward	meter		µs from kill(2) to COMMAND's handler
 * reap		orphans N TOP	orphans a second, and µs of CPU time of the candidate's own processes for
 *				each orphan; TOP is replaced by the pid at which work.c stops counting
 * takedown	prints `ready`	ms from sigqueue(3) to the candidate's end, when nothing may be left
 * stop		last, stray	µs from the last death to the candidate's end
 * stop-all	family N	the same, after a signal
 * scale	pause		N candidates at once, for each: KiB, µs to start, µs to stop; three columns
 * load				percent of all processors that was in use in N seconds
 */
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <sched.h>

#include "bench.h"

enum {
	CANDIDATES = 32,
	WORDS = 64,
	OWN = 8,      /* processes of one candidate, at most */
	FORWARDS = 20 /* signals before all candidates are started afresh */
};

struct candidate {
	const char *name;
	char *words[WORDS]; /* PREFIX and COMMAND */
	int count;
	int pid1;
	pid_t pid;     /* of its first process */
	pid_t command; /* of COMMAND, from its first message */
	pid_t own[OWN];
	int owns;    /* how many own[] holds */
	int channel; /* the pipe that COMMAND writes to */
	int64_t before;
	double value;
};

struct bench {
	struct candidate candidate[CANDIDATES];
	int candidates, rounds, many, sig;
	double spare[CANDIDATES][2]; /* further columns of scale and reap */
	FILE *results;
	int null;
};

/* --- starting and ending */

static uint64_t random_next(void)
{
	static uint64_t state;

	if (state == 0)
		state = (uint64_t)now() | 1;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void shuffle(int *order, int count)
{
	for (int i = count - 1; i > 0; i--) {
		int other = (int)(random_next() % (uint64_t)(i + 1)), kept = order[i];

		order[i] = order[other];
		order[other] = kept;
	}
}

static pid_t launch_namespace(char *const *words)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);

	if (pid == -1)
		fail("a pid namespace");
	if (pid != 0)
		return pid;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("proc", "/proc", "proc", 0, NULL) == -1)
		fail("mount");
	execv(words[0], words);
	fail(words[0]);
	return -1;
}

/* The candidate inherits the right descriptors, so vfork(2) and execv(3) are enough. */
static pid_t launch(const struct candidate *candidate)
{
	pid_t pid;

	if (candidate->pid1)
		return launch_namespace(candidate->words);
	pid = vfork();
	if (pid == 0) {
		execv(candidate->words[0], candidate->words);
		_exit(127);
	}
	if (pid == -1)
		fail("vfork");
	return pid;
}

/* Start it with a pipe as stdout, and keep the reading end as its channel. */
static void launch_heard(struct bench *bench, struct candidate *candidate)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1 || dup2(ends[1], STDOUT_FILENO) == -1)
		fail("pipe");
	close(ends[1]);
	candidate->channel = ends[0];
	candidate->pid = launch(candidate);
	dup2(bench->null, STDOUT_FILENO);
}

/* Read the next message. Returns 0 at end-of-file, when no writer is left. */
static int hear(const struct candidate *candidate, struct message *message)
{
	ssize_t length = read(candidate->channel, message, sizeof(*message));

	if (length == -1)
		fail("read");
	return length == sizeof(*message);
}

static int status_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			fail("waitpid");
	return status;
}

/* Start it, and find its own processes: those between this process and COMMAND. */
static void launch_known(struct bench *bench, struct candidate *candidate)
{
	struct message message;

	launch_heard(bench, candidate);
	if (!hear(candidate, &message))
		fail(candidate->name);
	candidate->command = (pid_t)message.pid;
	candidate->owns = 0;
	for (pid_t pid = parent_of(candidate->command);
	     pid > 1 && pid != getpid() && candidate->owns < OWN; pid = parent_of(pid))
		candidate->own[candidate->owns++] = pid;
}

static void end(struct candidate *candidate)
{
	kill(candidate->command, SIGKILL);
	status_wait(candidate->pid);
	close(candidate->channel);
}

static void nap(long microseconds)
{
	struct timespec time = {.tv_sec = microseconds / 1000000,
				.tv_nsec = microseconds % 1000000 * 1000};

	nanosleep(&time, NULL);
}

/* --- reading /proc */

/* Add the numbers in all lines that begin with a word. Returns -1 if there is no such file. */
static long file_sum(const char *path, const char *word)
{
	char line[512];
	long sum = 0;
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return -1;
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, word, strlen(word)) == 0)
			sum += atol(line + strlen(word));
	fclose(file);
	return sum;
}

static long own_sum(const struct candidate *candidate, const char *file, const char *word)
{
	char path[64];
	long sum = 0;

	for (int i = 0; i < candidate->owns; i++) {
		long one;

		snprintf(path, sizeof(path), "/proc/%d/%s", (int)candidate->own[i], file);
		one = file_sum(path, word);
		if (one == -1)
			fail(path);
		sum += one;
	}
	return sum;
}

static long switches(const struct candidate *candidate)
{
	return own_sum(candidate, "status", "voluntary_ctxt_switches:") +
	       own_sum(candidate, "status", "nonvoluntary_ctxt_switches:");
}

/* --- measurements */

static void one_start(struct bench *bench, struct candidate *candidate)
{
	int64_t start = now();

	(void)bench;
	status_wait(launch(candidate));
	candidate->value = (double)(now() - start) / 1e3;
}

static void one_faults(struct bench *bench, struct candidate *candidate)
{
	struct rusage usage;
	pid_t pid = launch(candidate);

	(void)bench;
	while (wait4(pid, NULL, 0, &usage) == -1)
		if (errno != EINTR)
			fail("wait4");
	candidate->value = (double)usage.ru_minflt;
}

/* The nap lets all processes fall asleep. */
static void one_memory(struct bench *bench, struct candidate *candidate)
{
	launch_known(bench, candidate);
	nap(20000);
	candidate->value = (double)own_sum(candidate, "smaps_rollup", "Pss:");
	end(candidate);
}

static void one_private(struct bench *bench, struct candidate *candidate)
{
	launch_known(bench, candidate);
	nap(20000);
	candidate->value = (double)(own_sum(candidate, "smaps_rollup", "Private_Clean:") +
				    own_sum(candidate, "smaps_rollup", "Private_Dirty:"));
	end(candidate);
}

static void one_reap_message(struct bench *bench, struct candidate *candidate,
			     struct message *message)
{
	char top[16];

	snprintf(top, sizeof(top), "%d", candidate->pid1 ? 0 : (int)getpid());
	candidate->words[candidate->count - 1] = top;
	launch_heard(bench, candidate);
	if (!hear(candidate, message))
		fail(candidate->name);
	status_wait(candidate->pid);
	close(candidate->channel);
}

static int64_t orphans_of(const struct candidate *candidate)
{
	return atol(candidate->words[candidate->count - 2]);
}

static void one_reap(struct bench *bench, struct candidate *candidate)
{
	struct message message;
	double orphans = (double)orphans_of(candidate);

	one_reap_message(bench, candidate, &message);
	candidate->value = orphans / ((double)message.value / 1e9);
	bench->spare[candidate - bench->candidate][0] = (double)message.more / 1e3 / orphans;
}

static void one_takedown(struct bench *bench, struct candidate *candidate)
{
	char text[8];
	int64_t start;

	launch_heard(bench, candidate);
	if (read(candidate->channel, text, sizeof(text)) != 6 || memcmp(text, "ready\n", 6) != 0)
		fail(candidate->name);
	nap(20000);
	start = now();
	/* fry-run holds a termination request from kill(2) for 4 ms, but not one from sigqueue(3). */
	sigqueue(candidate->pid, bench->sig, (union sigval){0});
	status_wait(candidate->pid);
	candidate->value = (double)(now() - start) / 1e6;
	/* A process that is left holds the pipe open. */
	fcntl(candidate->channel, F_SETFL, O_NONBLOCK);
	if (read(candidate->channel, text, sizeof(text)) != 0) {
		fprintf(stderr, "measure: %s left something behind\n", candidate->name);
		candidate->value = -1;
	}
	close(candidate->channel);
}

/* Find the last death. When the candidate has ended, all messages are in the pipe. */
static void stop_value(struct candidate *candidate)
{
	struct message message;
	int64_t gone, last = 0;

	status_wait(candidate->pid);
	gone = now();
	fcntl(candidate->channel, F_SETFL, O_NONBLOCK);
	while (hear(candidate, &message))
		if (message.time > last)
			last = message.time;
	close(candidate->channel);
	candidate->value = last == 0 ? -1 : (double)(gone - last) / 1e3;
}

static void one_stop(struct bench *bench, struct candidate *candidate)
{
	launch_heard(bench, candidate);
	stop_value(candidate);
}

static void one_stop_all(struct bench *bench, struct candidate *candidate)
{
	struct message message;

	launch_heard(bench, candidate);
	if (!hear(candidate, &message))
		fail(candidate->name);
	nap(2000);
	kill(candidate->pid, bench->sig);
	stop_value(candidate);
}

static void one_scale(struct bench *bench, struct candidate *candidate)
{
	struct candidate *all = calloc((size_t)bench->many, sizeof(*all));
	struct message message;
	double *spare = bench->spare[candidate - bench->candidate];
	int ends[2];
	int64_t start;
	long memory = 0;

	if (all == NULL || pipe2(ends, O_CLOEXEC) == -1 || dup2(ends[1], STDOUT_FILENO) == -1)
		fail("scale");
	close(ends[1]);
	start = now();
	for (int i = 0; i < bench->many; i++) {
		all[i].channel = ends[0];
		all[i].pid = launch(candidate);
	}
	dup2(bench->null, STDOUT_FILENO);
	for (int i = 0; i < bench->many; i++) {
		if (!hear(&all[i], &message))
			fail(candidate->name);
		all[i].command = (pid_t)message.pid;
	}
	spare[0] = (double)(now() - start) / 1e3 / bench->many;
	nap(100000);
	for (int i = 0; i < bench->many; i++) {
		for (pid_t pid = parent_of(all[i].command);
		     pid > 1 && pid != getpid() && all[i].owns < OWN; pid = parent_of(pid))
			all[i].own[all[i].owns++] = pid;
		memory += own_sum(&all[i], "smaps_rollup", "Pss:");
	}
	candidate->value = (double)memory / bench->many;
	start = now();
	for (int i = 0; i < bench->many; i++)
		kill(all[i].pid, bench->sig);
	for (int i = 0; i < bench->many; i++)
		status_wait(all[i].pid);
	spare[1] = (double)(now() - start) / 1e3 / bench->many;
	close(ends[0]);
	free(all);
}

/* --- rounds */

static void header_print(const struct bench *bench, const char *const *suffixes)
{
	fprintf(bench->results, "round");
	for (int i = 0; i < bench->candidates; i++)
		for (int j = 0; suffixes[j] != NULL; j++)
			fprintf(bench->results, ",%s%s", bench->candidate[i].name, suffixes[j]);
	fprintf(bench->results, "\n");
}

static void field_print(const struct bench *bench, double value)
{
	if (value < 0)
		fprintf(bench->results, ",");
	else
		fprintf(bench->results, value < 100 ? ",%.2f" : ",%.1f", value);
}

/* Print the value of each candidate, followed by its further values. */
static void row_print(const struct bench *bench, int round, int further)
{
	fprintf(bench->results, "%d", round);
	for (int i = 0; i < bench->candidates; i++) {
		field_print(bench, bench->candidate[i].value);
		for (int j = 0; j < further; j++)
			field_print(bench, bench->spare[i][j]);
	}
	fprintf(bench->results, "\n");
	fflush(bench->results);
}

static void rounds_run(struct bench *bench, int first, int last, int further,
		       void (*one)(struct bench *bench, struct candidate *candidate))
{
	int order[CANDIDATES];

	for (int i = 0; i < bench->candidates; i++)
		order[i] = i;
	for (int round = first; round <= last; round++) {
		shuffle(order, bench->candidates);
		for (int i = 0; i < bench->candidates; i++)
			one(bench, &bench->candidate[order[i]]);
		row_print(bench, round, further);
	}
}

/* All candidates run at once, and sleep except the one that is signalled. */
static void one_forward(struct bench *bench, struct candidate *candidate)
{
	struct message message;
	int64_t start;

	nap(500);
	/* A candidate that signals COMMAND twice may have left a message. */
	fcntl(candidate->channel, F_SETFL, O_NONBLOCK);
	while (read(candidate->channel, &message, sizeof(message)) > 0)
		;
	fcntl(candidate->channel, F_SETFL, 0);
	start = now();
	kill(candidate->pid, bench->sig);
	if (!hear(candidate, &message))
		fail(candidate->name);
	candidate->value = (double)(message.time - start) / 1e3;
}

/* The figures depend on which processors the candidates got, so start them afresh now and then. */
static void all_forward(struct bench *bench)
{
	for (int first = 1; first <= bench->rounds; first += FORWARDS) {
		int last = first + FORWARDS - 1;

		for (int i = 0; i < bench->candidates; i++)
			launch_known(bench, &bench->candidate[i]);
		nap(20000);
		rounds_run(bench, first, last < bench->rounds ? last : bench->rounds, 0,
			   one_forward);
		for (int i = 0; i < bench->candidates; i++)
			end(&bench->candidate[i]);
	}
}

static void all_idle(struct bench *bench)
{
	for (int i = 0; i < bench->candidates; i++)
		launch_known(bench, &bench->candidate[i]);
	nap(200000);
	for (int i = 0; i < bench->candidates; i++)
		bench->candidate[i].before = switches(&bench->candidate[i]);
	nap(bench->many * 1000000L);
	for (int i = 0; i < bench->candidates; i++)
		bench->candidate[i].value =
			(double)(switches(&bench->candidate[i]) - bench->candidate[i].before);
	row_print(bench, 1, 0);
	for (int i = 0; i < bench->candidates; i++)
		end(&bench->candidate[i]);
}

/* Add up the times in /proc/stat: all of them, and those in which a processor was busy. */
static void processor_times(double *busy, double *all)
{
	enum { IDLE = 3, IOWAIT = 4, TIMES = 8 };
	unsigned long long time[TIMES] = {0};
	char line[512];
	char *at = line + 3;
	FILE *file = fopen("/proc/stat", "re");

	if (file == NULL || fgets(line, sizeof(line), file) == NULL)
		fail("/proc/stat");
	fclose(file);
	*busy = *all = 0;
	for (int i = 0; i < TIMES; i++) {
		time[i] = strtoull(at, &at, 10);
		*all += (double)time[i];
		if (i != IDLE && i != IOWAIT)
			*busy += (double)time[i];
	}
}

static void load(const struct bench *bench)
{
	double busy[2], all[2];

	processor_times(&busy[0], &all[0]);
	nap(bench->many * 1000000L);
	processor_times(&busy[1], &all[1]);
	fprintf(bench->results, "%.0f\n", 100 * (busy[1] - busy[0]) / (all[1] - all[0]));
}

static void run(struct bench *bench, const char *what)
{
	static const char *const single[] = {"", NULL};
	static const char *const reaps[] = {"", ":cpu", NULL};
	static const char *const scales[] = {"", ":start", ":stop", NULL};
	static const struct {
		const char *what;
		void (*one)(struct bench *bench, struct candidate *candidate);
		const char *const *columns;
		int further;
	} kinds[] = {
		{"start", one_start, single, 0},   {"faults", one_faults, single, 0},
		{"memory", one_memory, single, 0}, {"private", one_private, single, 0},
		{"reap", one_reap, reaps, 1},      {"takedown", one_takedown, single, 0},
		{"stop", one_stop, single, 0},     {"stop-all", one_stop_all, single, 0},
		{"scale", one_scale, scales, 2},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(what, kinds[i].what) == 0) {
			header_print(bench, kinds[i].columns);
			rounds_run(bench, 1, bench->rounds, kinds[i].further, kinds[i].one);
			return;
		}
	if (strcmp(what, "load") == 0) {
		load(bench);
		return;
	}
	if (strcmp(what, "forward") != 0 && strcmp(what, "idle") != 0)
		misused("no such measurement", what);
	header_print(bench, single);
	if (strcmp(what, "forward") == 0)
		all_forward(bench);
	else
		all_idle(bench);
}

/* --- the command line */

static void candidate_parse(struct bench *bench, char *word)
{
	struct candidate *candidate = &bench->candidate[bench->candidates++];
	char *equals = strchr(word, '='), *rest = NULL;

	if (bench->candidates == CANDIDATES)
		misused("too many candidates", word);
	if (equals == NULL)
		misused("not NAME=PREFIX", word);
	*equals = '\0';
	candidate->name = word;
	for (char *one = strtok_r(equals + 1, " ", &rest); one; one = strtok_r(NULL, " ", &rest)) {
		if (strcmp(one, "@pid1") == 0)
			candidate->pid1 = 1;
		else if (candidate->count < WORDS - 1)
			candidate->words[candidate->count++] = one;
	}
}

static void processor_set(int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)processor, &set);
	if (sched_setaffinity(0, sizeof(set), &set) == -1)
		fail("sched_setaffinity");
}

static void options_parse(struct bench *bench, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+n:p:s:N:c:")) != -1) {
		switch (option) {
		case 'n':
			bench->rounds = number_parse(optarg, INT_MAX);
			break;
		case 'p':
			processor_set(number_parse(optarg, CPU_SETSIZE - 1));
			break;
		case 's':
			bench->sig = signal_parse(optarg);
			break;
		case 'N':
			bench->many = number_parse(optarg, INT_MAX);
			break;
		case 'c':
			candidate_parse(bench, optarg);
			break;
		default:
			misused("measure", "see its source");
		}
	}
	for (int i = 0; i < bench->candidates; i++) {
		struct candidate *candidate = &bench->candidate[i];

		for (int j = optind; j < argc && candidate->count < WORDS - 1; j++)
			candidate->words[candidate->count++] = argv[j];
		if (candidate->count == 0)
			misused("nothing to run", candidate->name);
	}
}

/* Set what candidates inherit: a session without a terminal, led by this process, and /dev/null. */
static void streams_set(struct bench *bench)
{
	int results = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 100);
	pid_t pid = fork();

	if (pid == -1)
		fail("fork");
	if (pid != 0)
		exit(WEXITSTATUS(status_wait(pid)));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	bench->results = fdopen(results, "w");
	bench->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (bench->results == NULL || bench->null == -1)
		fail("/dev/null");
	dup2(bench->null, STDIN_FILENO);
	dup2(bench->null, STDOUT_FILENO);
	for (int fd = 3; fd < 100; fd++)
		if (fd != bench->null)
			close(fd);
}

int main(int argc, char **argv)
{
	static struct bench bench = {.rounds = 100, .many = 1, .sig = SIGTERM};

	if (argc < 2)
		misused("measure", "see its source");
	options_parse(&bench, argc - 1, argv + 1);
	streams_set(&bench);
	run(&bench, argv[1]);
	return ferror(bench.results) != 0 || fclose(bench.results) != 0;
}
