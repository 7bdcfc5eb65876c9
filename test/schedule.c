/* schedule.c - check the pure functions of fry.h: names, durations and the stop schedule */
/* SPDX-License-Identifier: MIT */
/*
 * schedule
 *	Print one line for each check that fails; exit 1 if there was one. Linked with fry-run's own
 *	objects, whose main is fry_main here. Times are small numbers: nothing is waited for.
 */
#include "fry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned failures;

#define CHECK(...) check(__VA_ARGS__, #__VA_ARGS__, __LINE__)

static void check(bool holds, const char *what, int line)
{
	if (holds)
		return;
	printf("schedule.c:%d: %s\n", line, what);
	failures++;
}

/* The same for an equality of numbers, said with the word that was parsed. */
static void check_number(const char *word, int64_t actual, int64_t expected)
{
	if (actual == expected)
		return;
	printf("'%s': %lld, not %lld\n", word, (long long)actual, (long long)expected);
	failures++;
}

static void check_names(void)
{
	static const struct {
		const char *word;
		int sig;
	} words[] = {
		{"TERM", SIGTERM},
		{"term", SIGTERM},
		{"SIGTERM", SIGTERM},
		{"sigTerm", SIGTERM},
		{"15", 15},
		{"1", 1},
		{"64", 64},
		{"32", 32},
		{"IOT", SIGABRT},
		{"CLD", SIGCHLD},
		{"POLL", SIGIO},
		{"KILL", SIGKILL},
		{"RTMIN", 34},
		{"RTMIN+0", 34},
		{"rtmin+3", 37},
		{"SIGRTMIN+30", 64},
		{"RTMAX", 64},
		{"RTMAX-30", 34},
		{"sigrtmax-1", 63},
		{"015", 15},
		{"", -1},
		{"0", -1},
		{"65", -1},
		{"-1", -1},
		{"+1", -1},
		{" 1", -1},
		{"1 ", -1},
		{"15x", -1},
		{"SIG", -1},
		{"SIG15", -1},
		{"SIGSIGTERM", -1},
		{"TERMINATE", -1},
		{"TER", -1},
		{"EXIT", -1},
		{"RTMIN+31", -1},
		{"RTMIN-1", -1},
		{"RTMIN+", -1},
		{"RTMIN+-1", -1},
		{"RTMIN+1x", -1},
		{"RTMAX+1", -1},
		{"RTMAX-31", -1},
		{"RTMINUS", -1},
		{"4294967311", -1},
		{"99999999999999999999", -1},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		errno = 0;
		check_number(words[i].word, signals_parse(words[i].word), words[i].sig);
		if (words[i].sig == -1)
			check_number(words[i].word, errno, EINVAL);
	}
}

/* Each signal has one name, without SIG, which means that signal. */
static void check_round_trip(void)
{
	struct signal_name name;
	char with_prefix[32];

	for (int sig = 1; sig < SIGNALS; sig++) {
		const char *word = signals_name(sig, &name);

		check_number(word, signals_parse(word), sig);
		CHECK(strncmp(word, "SIG", 3) != 0);
		if (word[0] >= '0' && word[0] <= '9')
			continue; /* 32 and 33, which belong to libc */
		snprintf(with_prefix, sizeof(with_prefix), "SIG%s", word);
		check_number(with_prefix, signals_parse(with_prefix), sig);
	}
	CHECK(strcmp(signals_name(SIGTERM, &name), "TERM") == 0);
	CHECK(strcmp(signals_name(SIGABRT, &name), "ABRT") == 0);
	CHECK(strcmp(signals_name(33, &name), "33") == 0);
	CHECK(strcmp(signals_name(34, &name), "RTMIN") == 0);
	CHECK(strcmp(signals_name(64, &name), "RTMIN+30") == 0);
}

static void check_durations(void)
{
	static const struct {
		const char *word;
		int64_t span;
	} words[] = {
		{"0", 0},
		{"0.0", 0},
		{"1", SECOND},
		{"10s", 10 * SECOND},
		{"250ms", 250 * MILLISECOND},
		{"2m", 120 * SECOND},
		{"3h", 3 * 3600 * SECOND},
		{"1d", 86400 * SECOND},
		{"0.5", SECOND / 2},
		{".5", SECOND / 2},
		{"5.", 5 * SECOND},
		{"1.25m", 75 * SECOND},
		{"1.5ms", 1500000},
		{"0.000001ms", 1},
		{"0.001", MILLISECOND},
		{"007", 7 * SECOND},
		{"1000000000000", NEVER}, /* seconds, more nanoseconds than there are */
		{"99999999999999999999d", NEVER},
		{"106751d", INT64_C(106751) * 86400 * SECOND},
		{"106752d", NEVER},
		{"9223372036.9", NEVER},
		{"", -1},
		{".", -1},
		{"s", -1},
		{"ms", -1},
		{".s", -1},
		{"-1", -1},
		{"+1", -1},
		{" 1", -1},
		{"1 s", -1},
		{"1 ", -1},
		{"1S", -1},
		{"1sec", -1},
		{"1ss", -1},
		{"1us", -1},
		{"1e3", -1},
		{"0x10", -1},
		{"1.2.3", -1},
		{"1,5", -1},
		{"inf", -1},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		errno = 0;
		check_number(words[i].word, signals_parse_duration(words[i].word), words[i].span);
		if (words[i].span == -1)
			check_number(words[i].word, errno, EINVAL);
	}
	/* However little it is, it is not 0, which would mean never. */
	CHECK(signals_parse_duration("0.0000000000001") > 0);
	CHECK(signals_parse_duration("0.0000000000001") < MILLISECOND);
	CHECK(signals_parse_duration(".1") == SECOND / 10);
	CHECK(clock_add(5, 6) == 11);
	CHECK(clock_add(NEVER - 5, 6) == NEVER);
	CHECK(clock_add(NEVER, NEVER) == NEVER);
	CHECK(clock_add(0, NEVER) == NEVER);
}

static void check_step(const struct stop *stop, int i, int sig, int64_t wait)
{
	if (i < stop->steps && stop->step[i].signal == sig && stop->step[i].wait == wait)
		return;
	printf("step %d is not signal %d with wait %lld\n", i, sig, (long long)wait);
	failures++;
}

static void check_parsed(void)
{
	struct stop stop;

	CHECK(stop_parse(&stop, "INT/7s/TERM/2s/KILL") == NULL);
	CHECK(stop.steps == 3 && stop.at == -1 && stop_signal(&stop) == 0);
	check_step(&stop, 0, SIGINT, 7 * SECOND);
	check_step(&stop, 1, SIGTERM, 2 * SECOND);
	check_step(&stop, 2, SIGKILL, KILL_WAIT);

	/* The spelling of start-stop-daemon, and numbers. */
	CHECK(stop_parse(&stop, "-TERM/30/-9/5") == NULL);
	CHECK(stop.steps == 2);
	check_step(&stop, 0, SIGTERM, 30 * SECOND);
	check_step(&stop, 1, SIGKILL, 5 * SECOND);
	CHECK(stop_parse(&stop, "-15/0.5/sigkill") == NULL);
	check_step(&stop, 0, SIGTERM, SECOND / 2);

	/* Without a wait the last step has for ever, one in the middle none. */
	CHECK(stop_parse(&stop, "TERM") == NULL);
	CHECK(stop.steps == 1);
	check_step(&stop, 0, SIGTERM, NEVER);
	CHECK(stop_parse(&stop, "INT/TERM/1s/KILL") == NULL);
	check_step(&stop, 0, SIGINT, 0);
	CHECK(stop_parse(&stop, "INT/7s/TERM/2s") == NULL);
	CHECK(stop.steps == 2);
	check_step(&stop, 1, SIGTERM, 2 * SECOND);
	CHECK(stop_parse(&stop, "RTMIN+3/1/RTMAX") == NULL);
	check_step(&stop, 0, 37, SECOND);
	check_step(&stop, 1, 64, NEVER);
	CHECK(stop_parse(&stop, "1/1/1/1/1/1/1/1/1/1/1/1") != NULL);
}

static void check_refused(void)
{
	static const char *const words[] = {
		"",
		"/",
		"/TERM",
		"TERM/",
		"TERM//KILL",
		"10s",
		"10s/TERM",
		"TERM/1s/2s/KILL",
		"FOO/1/KILL",
		"TERM/1x/KILL",
		"TERM/1e3/KILL",
		"TERM 1 KILL",
		"KILL/1/TERM",
		"KILL/KILL",
		"STOP/1/KILL",
		"CHLD/1/KILL",
		"TERM/1/STOP",
		"TERM/forever",
		"--TERM",
		"TERM/1/0/KILL",
		"TERM/1s/KILL/",
		"TERM/00000000000000000000000000000000000000000000001/KILL",
		"I/I/I",
		"INT/INT/INT/INT/INT/INT/INT/INT/INT/INT/INT/INT/INT/INT/INT/INT/INT",
	};
	struct stop stop;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (stop_parse(&stop, words[i]) == NULL) {
			printf("'%s' is accepted as a schedule\n", words[i]);
			failures++;
		}
	/* As many as there is room for. */
	CHECK(stop_parse(&stop,
			 "INT/INT/INT/INT/INT/INT/INT/INT/INT/INT/INT/INT/INT/INT/INT/INT") ==
	      NULL);
	CHECK(stop.steps == MAX_STEPS);
}

static void check_default(void)
{
	struct stop stop;

	stop_default(&stop, 3 * SECOND);
	CHECK(stop.steps == 3 && stop.at == -1 && stop_signal(&stop) == 0);
	check_step(&stop, 0, SIGINT, 3 * SECOND);
	check_step(&stop, 1, SIGTERM, 3 * SECOND);
	check_step(&stop, 2, SIGKILL, KILL_WAIT);

	stop_default(&stop, 0);
	CHECK(stop.steps == 2);
	check_step(&stop, 0, SIGINT, STEP_WAIT);
	check_step(&stop, 1, SIGTERM, NEVER);
	CHECK(STEP_WAIT == 10 * SECOND);
}

static void check_requests(void)
{
	struct stop stop;

	/* Nothing happens before a request, however late it is. */
	stop_default(&stop, 100);
	CHECK(!stop_expire(&stop, NEVER - 1) && stop.at == -1);

	/* A signal that is named: its own step. */
	stop_request(&stop, SIGTERM, 1000);
	CHECK(stop.at == 1 && stop_signal(&stop) == SIGTERM && stop.deadline == 1100);

	/* Never back, and no timer is restarted: not by the same signal, nor by another. */
	stop_request(&stop, SIGTERM, 1050);
	stop_request(&stop, SIGINT, 1051);
	stop_request(&stop, SIGQUIT, 1052);
	stop_leftover(&stop, 1053);
	CHECK(stop.at == 1 && stop.deadline == 1100);

	/* A signal that is not named: the first step. */
	stop_default(&stop, 100);
	stop_request(&stop, SIGQUIT, 1000);
	CHECK(stop.at == 0 && stop_signal(&stop) == SIGINT && stop.deadline == 1100);

	/* INT, later TERM: counted from when TERM's step is entered. */
	stop_request(&stop, SIGTERM, 1060);
	CHECK(stop.at == 1 && stop.deadline == 1160);

	/* One that is named twice means the step that comes first. */
	CHECK(stop_parse(&stop, "TERM/1/INT/1/TERM/1/KILL") == NULL);
	stop_request(&stop, SIGTERM, 0);
	CHECK(stop.at == 0);
}

static void check_leftover(void)
{
	struct stop stop;

	stop_default(&stop, 100);
	stop_leftover(&stop, 1000);
	CHECK(stop.at == 1 && stop_signal(&stop) == SIGTERM && stop.deadline == 1100);
	stop_default(&stop, 100);
	stop_request(&stop, SIGINT, 1000);
	stop_leftover(&stop, 1090);
	CHECK(stop.at == 1 && stop.deadline == 1190);
	CHECK(stop_parse(&stop, "HUP/1/INT/1/KILL") == NULL);
	stop_leftover(&stop, 1000);
	CHECK(stop.at == 0 && stop.deadline == 1000 + SECOND);
	CHECK(stop_parse(&stop, "KILL") == NULL);
	stop_leftover(&stop, 1000);
	CHECK(stop.at == 0 && stop_signal(&stop) == SIGKILL);
}

static void check_expiry(void)
{
	struct stop stop;

	stop_default(&stop, 100);
	stop_request(&stop, SIGINT, 1000);
	CHECK(!stop_expire(&stop, 1099) && stop.at == 0);
	CHECK(stop_expire(&stop, 1100) && stop.at == 1 && stop_signal(&stop) == SIGTERM);
	/* From when it was entered, be it late: fry-run may have been stopped. */
	CHECK(stop.deadline == 1200);
	CHECK(!stop_expire(&stop, 1199));
	CHECK(stop_expire(&stop, 5000) && stop_signal(&stop) == SIGKILL);
	CHECK(stop.deadline == 5000 + KILL_WAIT);
	CHECK(stop_expire(&stop, 5000 + KILL_WAIT) && stop.at == stop.steps);
	CHECK(stop_signal(&stop) == 0);
	CHECK(!stop_expire(&stop, NEVER) && stop.at == stop.steps);
	stop_request(&stop, SIGINT, 1);
	stop_request(&stop, SIGTERM, 1);
	stop_leftover(&stop, 1);
	CHECK(stop.at == stop.steps);

	/* A wait for ever is for ever. */
	CHECK(stop_parse(&stop, "TERM") == NULL);
	stop_request(&stop, SIGTERM, 1000);
	CHECK(stop.deadline == NEVER && !stop_expire(&stop, NEVER - 1));
	stop_default(&stop, 0);
	stop_request(&stop, SIGTERM, 1000);
	CHECK(!stop_expire(&stop, NEVER - 1) && stop_signal(&stop) == SIGTERM);

	/* Two signals in a row: the second is due at once. */
	CHECK(stop_parse(&stop, "INT/TERM/1/KILL") == NULL);
	stop_request(&stop, SIGINT, 1000);
	CHECK(stop_expire(&stop, 1000) && stop_signal(&stop) == SIGTERM);
	CHECK(!stop_expire(&stop, 1000));
}

static void check_sends(void)
{
	struct stop stop;

	CHECK(stop_parse(&stop, "HUP/1/INT/1/QUIT/1/KILL") == NULL);
	CHECK(stop_sends(&stop, SIGHUP) && stop_sends(&stop, SIGINT) && stop_sends(&stop, SIGKILL));
	CHECK(stop_sends(&stop, SIGTERM)); /* to those who outlive COMMAND */
	CHECK(!stop_sends(&stop, SIGUSR1));
	stop_request(&stop, SIGINT, 0);
	CHECK(!stop_sends(&stop, SIGHUP) && !stop_sends(&stop, SIGINT));
	CHECK(stop_sends(&stop, SIGQUIT) && stop_sends(&stop, SIGKILL));
	CHECK(stop_parse(&stop, "INT/1/QUIT/1/INT/1/KILL") == NULL);
	stop_request(&stop, SIGINT, 0);
	CHECK(stop_sends(&stop, SIGINT));
}

#define CHECK_TEXT(...)                                                                            \
	do {                                                                                       \
		for (volatile size_t size = 0; size < 40; size++) {                                \
			char ours[40] = "", theirs[40] = "";                                       \
                                                                                                   \
			CHECK((size_t)snprintf(theirs, size, __VA_ARGS__) ==                       \
			      text_format(ours, size, __VA_ARGS__));                               \
			CHECK(strcmp(ours, theirs) == 0);                                          \
		}                                                                                  \
	} while (0)

/* As libc does it, whatever room there is. */
static void check_text(void)
{
	const char *nothing = "";

	CHECK_TEXT("plain");
	CHECK_TEXT("%s", nothing);
	CHECK_TEXT("a %s, %s.", "word", "and another");
	CHECK_TEXT("%.3s|%.0s|%.9s", "abcd", "abcd", "abcd");
	CHECK_TEXT("%.*s/%s", 2, "abcd", "ef");
	CHECK_TEXT("%d %d %d", 0, INT_MAX, INT_MIN);
	CHECK_TEXT("%lld %lld", LLONG_MIN, LLONG_MAX);
	CHECK_TEXT("%lld%s%d", 1LL, "x", -2);
}

/* Whatever comes in whatever order: only forward, and a deadline moves with its step alone. */
static void check_history(unsigned seed)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP};
	struct stop stop, before;
	int64_t now = 1000;

	srand(seed);
	stop_default(&stop, 100);
	for (int i = 0; i < 50; i++) {
		int choice = rand() % 6;
		bool held = true;

		now += rand() % 50;
		before = stop;
		if (choice < 4)
			stop_request(&stop, signals[choice], now);
		else if (choice == 4)
			stop_leftover(&stop, now);
		else if (stop_expire(&stop, now))
			held = stop.at == before.at + 1 && before.deadline <= now;
		else
			held = stop.at == before.at && (stop.at == -1 || now < stop.deadline);
		if (stop.at == before.at)
			held = held && stop.deadline == before.deadline;
		else
			held = held && stop.at > before.at && stop.deadline > now;
		if (choice < 5)
			held = held && stop.at >= 0 && stop.at < 3 &&
			       (stop.at != 2 || before.at == 2);
		if (held || stop.at == stop.steps)
			continue;
		printf("history %u goes wrong at %d\n", seed, i);
		failures++;
		return;
	}
}

int main(void)
{
	check_names();
	check_round_trip();
	check_durations();
	check_parsed();
	check_refused();
	check_default();
	check_requests();
	check_leftover();
	check_expiry();
	check_sends();
	check_text();
	for (unsigned seed = 0; seed < 1000; seed++)
		check_history(seed);
	return failures != 0;
}
