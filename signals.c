/*
 * signals.c - names, receiving, forwarding, and the stop schedule
 *
 * Every signal is blocked from main's first line to its last and received as data, so a signal
 * that comes at any moment, before COMMAND exists included, waits in the kernel until the loop
 * asks for it. There are no handlers, and no disposition is changed but that of SIGCHLD.
 *
 * The schedule only moves forward. Entering a step by receipt of a signal forwards that signal;
 * entering it by time sends the step's signal to everything that is left.
 */
/* SPDX-License-Identifier: MIT */
#include "fry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

/* What a shell or `kill -l` says: on Linux glibc's count, under musl too, whose SIGRTMIN is 35. */
#if defined(__linux__) || !defined(SIGRTMIN)
enum { RTMIN = 34, RTMAX = SIGNALS - 1 };
#else
#define RTMIN SIGRTMIN
#define RTMAX SIGRTMAX
#endif

/* With aliases after the name that is printed. */
static const struct {
	const char *name;
	int number;
} signal_names[] = {
	{"HUP", SIGHUP},       {"INT", SIGINT},   {"QUIT", SIGQUIT},     {"ILL", SIGILL},
	{"TRAP", SIGTRAP},     {"ABRT", SIGABRT}, {"IOT", SIGABRT},      {"BUS", SIGBUS},
	{"FPE", SIGFPE},       {"KILL", SIGKILL}, {"USR1", SIGUSR1},     {"SEGV", SIGSEGV},
	{"USR2", SIGUSR2},     {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},     {"TERM", SIGTERM},
#ifdef SIGSTKFLT
	{"STKFLT", SIGSTKFLT},
#endif
#ifdef SIGEMT
	{"EMT", SIGEMT},
#endif
	{"CHLD", SIGCHLD},     {"CLD", SIGCHLD},  {"CONT", SIGCONT},     {"STOP", SIGSTOP},
	{"TSTP", SIGTSTP},     {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},     {"URG", SIGURG},
	{"XCPU", SIGXCPU},     {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF},
	{"SYS", SIGSYS},
#ifdef SIGWINCH
	{"WINCH", SIGWINCH},
#endif
#ifdef SIGIO
	{"IO", SIGIO},         {"POLL", SIGIO},
#endif
#ifdef SIGPWR
	{"PWR", SIGPWR},
#endif
#ifdef SIGINFO
	{"INFO", SIGINFO},
#endif
};

enum { NAMES = sizeof(signal_names) / sizeof(signal_names[0]) };

int parse_number(const char *word, int max)
{
	int number = 0;

	if (*word == '\0')
		return -1;
	for (; *word != '\0'; word++) {
		if (*word < '0' || *word > '9')
			return -1;
		if (number > (max - (*word - '0')) / 10)
			return -1;
		number = number * 10 + (*word - '0');
	}
	return number;
}

/* RTMIN, RTMIN+n, RTMAX, RTMAX-n. Returns the signal, or -1. */
static int parse_realtime(const char *word)
{
	int offset = 0;

	if (strncasecmp(word, "RTMIN", 5) == 0) {
		if (word[5] != '\0')
			offset = word[5] == '+' ? parse_number(word + 6, RTMAX - RTMIN) : -1;
		return offset == -1 ? -1 : RTMIN + offset;
	}
	if (strncasecmp(word, "RTMAX", 5) == 0) {
		if (word[5] != '\0')
			offset = word[5] == '-' ? parse_number(word + 6, RTMAX - RTMIN) : -1;
		return offset == -1 ? -1 : RTMAX - offset;
	}
	return -1;
}

int signals_parse(const char *word)
{
	int sig = parse_number(word, RTMAX);

	if (sig == -1) {
		if (strncasecmp(word, "SIG", 3) == 0)
			word += 3;
		sig = parse_realtime(word);
		for (size_t i = 0; i < NAMES && sig == -1; i++)
			if (strcasecmp(word, signal_names[i].name) == 0)
				sig = signal_names[i].number;
	}
	if (sig > 0)
		return sig;
	errno = EINVAL;
	return -1;
}

const char *signals_name(int sig, struct signal_name *name)
{
	for (size_t i = 0; i < NAMES; i++)
		if (signal_names[i].number == sig)
			return signal_names[i].name;
	if (sig < RTMIN)
		text_format(name->text, sizeof(name->text), "%d", sig);
	else if (sig == RTMIN)
		return "RTMIN";
	else
		text_format(name->text, sizeof(name->text), "RTMIN+%d", sig - RTMIN);
	return name->text;
}

/* The unit that a duration ends in, in nanoseconds, or -1. */
static int64_t parse_unit(const char *word)
{
	static const struct {
		const char *name;
		int64_t span;
	} units[] = {{"", SECOND},       {"s", SECOND},        {"ms", MILLISECOND},
		     {"m", 60 * SECOND}, {"h", 3600 * SECOND}, {"d", 86400 * SECOND}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(word, units[i].name) == 0)
			return units[i].span;
	return -1;
}

int64_t signals_parse_duration(const char *word)
{
	size_t whole = strspn(word, "0123456789");
	size_t fraction = word[whole] == '.' ? strspn(word + whole + 1, "0123456789") : 0;
	const char *digits = word + whole + 1;
	int64_t unit = parse_unit(word[whole] == '.' ? digits + fraction : word + whole);
	int64_t span = 0;

	if (whole + fraction == 0 || unit == -1) {
		errno = EINVAL;
		return -1;
	}
	for (size_t i = 0; i < whole; i++)
		if (__builtin_mul_overflow(span, 10, &span) ||
		    __builtin_add_overflow(span, (word[i] - '0') * unit, &span))
			return NEVER;
	for (size_t i = 0; i < fraction; i++) {
		int64_t part = (digits[i] - '0') * unit;

		/* Round up: what is not nothing must not become `never`. */
		span = clock_add(span, part / 10 + (part % 10 != 0));
		unit = unit / 10 + (unit % 10 != 0);
	}
	return span;
}

bool signals_stop(int sig)
{
	return sig == SIGINT || sig == SIGTERM || sig == SIGQUIT;
}

int64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

int64_t clock_add(int64_t time, int64_t span)
{
	return time > NEVER - span ? NEVER : time + span;
}

void signals_hold(sigset_t *old)
{
	sigset_t all;

	mask_fill(&all);
	mask_set(&all, old);
}

void signals_block(struct fry *fry)
{
	static const int stopping[] = {SIGINT, SIGTERM, SIGQUIT};
	struct sigaction action;

	signals_hold(&fry->mask);
	/*
	 * Ignored, a SIGCHLD would make the kernel reap by itself, and COMMAND's status would be
	 * lost. (A blocked signal is queued even where it is ignored; the others stay as they are.)
	 */
	signal_heed(&fry->child_action);
	for (size_t i = 0; i < sizeof(stopping) / sizeof(stopping[0]); i++)
		if (sigaction(stopping[i], NULL, &action) == 0)
			fry->ignored[stopping[i]] = action.sa_handler == SIG_IGN;
}

void signals_restore(const struct fry *fry)
{
	if (fry->child_action.sa_handler == SIG_IGN)
		sigaction(SIGCHLD, &fry->child_action, NULL);
	mask_set(&fry->mask, NULL);
}

/* Returns the signal, or 0 when the deadline has come. */
static int receive_from(const sigset_t *set, siginfo_t *info, int64_t deadline)
{
	int sig;

	do {
		int64_t left = deadline == NEVER ? NEVER : deadline - clock_now();
		struct timespec wait = {0};

		if (left > INT32_MAX * SECOND)
			left = INT32_MAX * SECOND; /* time_t may have no more */
		if (left > 0)
			wait = (struct timespec){.tv_sec = (time_t)(left / SECOND),
						 .tv_nsec = (long)(left % SECOND)};

		sig = sigtimedwait(set, info, deadline == NEVER ? NULL : &wait);
	} while (sig == -1 && errno == EINTR); /* after SIGSTOP and SIGCONT */
	return sig == -1 ? 0 : sig;
}

int signals_receive(siginfo_t *info, int64_t deadline, int except)
{
	sigset_t set;

	mask_fill(&set);
	if (except != 0)
		mask_cut(&set, except);
	return receive_from(&set, info, deadline);
}

int signals_wait(siginfo_t *info, int64_t deadline, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	mask_add(&set, sig);
	return receive_from(&set, info, deadline);
}

/* COMMAND alone, with the value that sigqueue(3) gave and the sender as it was. */
static int signal_command(const struct fry *fry, int sig, siginfo_t *info)
{
	if (info->si_code == SI_QUEUE) {
		info->si_signo = sig;
		if (signal_queue(fry->child, info) == 0)
			return 0;
	}
	return kill(fry->child, sig);
}

/*
 * Signal COMMAND, or its whole group in one call, against which no fork can race. COMMAND is not
 * reaped yet, so neither number can be another's. Who gets it is noted before it is sent (a child
 * forked in between may get it from the schedule once more, which beats not getting it at all),
 * but only where the schedule may come to send it: otherwise the signal is on its way first.
 */
static unsigned forward_at_once(struct fry *fry, int sig, siginfo_t *info, bool group,
				bool stopping)
{
	struct errand note = {.signal = sig, .instead_of = info->si_signo, .noting = true};
	bool first = stop_sends(&fry->stop, info->si_signo) || stop_sends(&fry->stop, sig);

	if (group)
		note.group = fry->group;
	else
		note.pid = fry->child;
	if (stopping && first)
		tree_signal(fry, &note);
	/* COMMAND may have left the group that it led, or has still to lead a session. */
	if (!group || (kill(-fry->group, sig) == -1 && errno == ESRCH))
		signal_command(fry, sig, info);
	if (stopping && !first)
		tree_signal(fry, &note);
	if (note.stopped != 0)
		kill(group ? -fry->group : fry->child, SIGCONT);
	return note.found;
}

/* Whether the kernel sent this by itself: what is typed at a terminal, for one. */
static bool is_kernels(const siginfo_t *info)
{
#ifdef SI_KERNEL
	return info->si_code == SI_KERNEL;
#else
	return info->si_code != SI_USER && info->si_code != SI_QUEUE;
#endif
}

/* Whether this says that a window has another size. */
static bool is_resize(int sig)
{
#ifdef SIGWINCH
	return sig == SIGWINCH;
#else
	return sig == 0;
#endif
}

/* Whether the terminal sent this to fry-run, and COMMAND is in another session. */
static bool is_typed_elsewhere(const struct fry *fry, const siginfo_t *info)
{
	return is_kernels(info) && fry->options.placement == PLACE_SESSION;
}

pid_t signals_group(const struct fry *fry)
{
	pid_t group = fry->child == 0 ? -1 : getpgid(fry->child);

	return group > 1 ? group : fry->group;
}

/* Whether COMMAND, now in this group, has left the one that it led, and others are there still. */
static bool has_left(const struct fry *fry, pid_t group)
{
	return group != fry->group && (kill(-fry->group, 0) == 0 || errno != ESRCH);
}

/* Whether a signal is for all of COMMAND's group, where the options leave that open. */
static bool is_for_group(const struct fry *fry, int sig, const siginfo_t *info, bool stopping)
{
	/* What a shell does to a job, it does to all of it. */
	if (sig == SIGCONT && fry->outcome->stopped != 0)
		return signals_group(fry) != fry->job;
	/* What is typed is for all of a foreground job, whose group may be fry-run's by now. */
	if (is_kernels(info) && (sig == SIGTSTP || is_resize(sig)))
		return true;
	/* Or what a schedule begins with, unless --rewrite has made it another. */
	return signals_stop(sig) || (stopping && sig == info->si_signo);
}

/* Send sig, for which info may hold a value, to those whom the scope names. */
static void signals_forward(struct fry *fry, int sig, siginfo_t *info, bool stopping)
{
	struct errand errand = {
		.signal = sig, .instead_of = info->si_signo, .stopping = stopping};
	enum scope scope = fry->options.scope;
	pid_t group = signals_group(fry);
	int64_t now = clock_now();
	struct signal_name name;
	const char *whom;

	if (sig == SIGCONT)
		tty_give(fry, fry->group);
	/* In a session without a shell a Ctrl-Z stops nobody, unless it is made to: as dumb-init. */
	if (sig == SIGTSTP && is_typed_elsewhere(fry, info)) {
		sig = SIGSTOP;
		scope = SCOPE_GROUP;
	}
	if (scope == SCOPE_AUTO)
		scope = is_for_group(fry, sig, info, stopping) ? SCOPE_GROUP : SCOPE_COMMAND;
	if (fry->child == 0 || scope == SCOPE_TREE) {
		/* While COMMAND is gone and others remain, signals go to those others. */
		whom = "everything left";
		tree_signal(fry, &errand);
	} else if (scope == SCOPE_GROUP && (!fry->owns_group || has_left(fry, group))) {
		/* Others are in this group, too: the caller, the other end of its pipe. */
		whom = "descendants in COMMAND's group";
		errand.group = group;
		errand.pid = fry->child; /* it may be on its way to another one */
		tree_signal(fry, &errand);
	} else {
		whom = scope == SCOPE_GROUP ? "COMMAND's group" : "COMMAND";
		errand.found = forward_at_once(fry, sig, info, scope == SCOPE_GROUP, stopping);
	}
	fry->outcome->forwarded[sig]++;
	if (stopping)
		report_step(fry, sig, now, errand.found);
	say_verbose(fry, 1, "sent %s to %s", signals_name(sig, &name), whom);
}

/* Whether a signal is about fry-run itself rather than for COMMAND. */
static bool is_own(const struct fry *fry, const siginfo_t *info)
{
	switch (info->si_signo) {
	case SIGCHLD:
		return true;
	case SIGPIPE:
	case SIGXFSZ: /* of a write to stderr: the kernel names the writer as the sender */
		return info->si_code == SI_USER && info->si_pid == fry->self;
	case SIGCONT: /* of the inner process: COMMAND goes on, or it has died */
		return (info->si_code >= CLD_EXITED && info->si_code <= CLD_CONTINUED) ||
		       (info->si_code == SI_USER && fry->inner != 0 && info->si_pid == fry->inner);
	case SIGXCPU: /* of fry-run's own RLIMIT_CPU; COMMAND has its own count */
		return is_kernels(info);
	default:
		return false;
	}
}

void signals_before(struct fry *fry)
{
	sigemptyset(&fry->early);
	sigpending(&fry->early);
	fry->early_copy = fry->early;
}

void signals_resend(const struct fry *fry)
{
	sigset_t now, early = fry->early;

	if (sigpending(&now) == -1)
		return;
	for (int sig = 1; sig < STANDARD_SIGNALS; sig++) /* others would queue rather than merge */
		if (mask_cut(&now, sig) && !mask_cut(&early, sig) && sig != SIGCHLD &&
		    sig != SIGCONT)
			kill(fry->child, sig);
}

bool signals_early(struct fry *fry, int sig)
{
	return mask_cut(&fry->early, sig);
}

bool signals_pending(int sig)
{
	sigset_t set;

	return sigpending(&set) == 0 && mask_cut(&set, sig);
}

bool signals_stop_pending(const struct fry *fry)
{
	return (signals_pending(SIGINT) && !fry->ignored[SIGINT]) ||
	       (signals_pending(SIGTERM) && !fry->ignored[SIGTERM]) ||
	       (signals_pending(SIGQUIT) && !fry->ignored[SIGQUIT]);
}

bool signals_take(int sig, siginfo_t *info)
{
	return signals_wait(info, 0, sig) == sig;
}

/* Whether the terminal sent this, and so to COMMAND, in the same group, as well. */
static bool is_typed(const struct fry *fry, const siginfo_t *info)
{
	if (!is_kernels(info) || fry->options.placement != PLACE_INHERIT)
		return false;
	switch (info->si_signo) {
	case SIGHUP: /* a session leader is the only one to get the hang-up, and CONT with it */
	case SIGCONT:
		return fry->own_session != fry->known;
	case SIGINT:
	case SIGQUIT:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		return true;
	default:
		return is_resize(info->si_signo);
	}
}

/* Forward a signal, as this one, unless the KILL step takes everything anyway. */
static void signals_pass(struct fry *fry, int as, siginfo_t *info, bool stopping)
{
	if (stopping)
		stop_request(&fry->stop, info->si_signo, clock_now());
	fry->outcome->asked |= stopping;
	if (as != 0 && stop_signal(&fry->stop) != SIGKILL)
		signals_forward(fry, as, info, stopping);
}

void signals_request(struct fry *fry, siginfo_t *info, bool stopping)
{
	if (fry->pausing) /* nobody is there to be signalled */
		fry->pausing = !stopping && info->si_signo != SIGKILL;
	else if (info->si_signo == SIGKILL)
		stop_kill(&fry->stop); /* the parent's death may mean that */
	else
		signals_pass(fry, fry->options.as[info->si_signo], info, stopping);
}

void signals_pretend(struct fry *fry, int sig)
{
	siginfo_t info = {.si_signo = sig, .si_code = SI_USER};

	if (fry->role == OUTER)
		guard_relay(fry, &info, signals_stop(sig));
	else
		signals_request(fry, &info, signals_stop(sig));
}

void signals_begin_stop(struct fry *fry)
{
	siginfo_t info = {.si_signo = fry->stop.step[0].signal, .si_code = SI_USER};

	if (fry->pausing || info.si_signo == SIGKILL)
		signals_request(fry, &info, true);
	else
		signals_pass(fry, info.si_signo, &info, true);
}

void signals_witnessed(struct fry *fry, int sig, pid_t group)
{
	struct errand note = {.signal = sig, .group = group, .noting = true};
	struct errand wake = {.signal = SIGCONT, .group = group};

	stop_request(&fry->stop, sig, clock_now());
	fry->outcome->asked = true;
	tree_signal(fry, &note);
	report_step(fry, sig, clock_now(), note.found);
	if (note.stopped != 0)
		tree_signal(fry, &wake);
}

void signals_discard(int except)
{
	siginfo_t info;
	sigset_t set;

	mask_fill(&set);
	mask_cut(&set, except);
	while (sigtimedwait(&set, &info, &(struct timespec){0}) > 0)
		;
}

/*
 * A fry-run further up has sent this to everything below as well, and goes on with its schedule. Whoever
 * may signal fry-run can forge the mark, so it does not lead to KILL here.
 */
static void signals_note_step(struct fry *fry, int sig)
{
	struct errand note = {.signal = sig, .noting = true};

	fry->outcome->asked = true;
	tree_signal(fry, &note);
}

void signals_handle(struct fry *fry, siginfo_t *info, bool stopping)
{
	if (info->si_code != STEP_CODE || fry->pausing)
		signals_request(fry, info, stopping);
	else if (stopping)
		signals_note_step(fry, info->si_signo);
}

void signals_act(struct fry *fry, siginfo_t *info)
{
	int sig = info->si_signo;
	struct signal_name name;
	bool stopping;

	if (is_own(fry, info) || (is_typed(fry, info) && !signals_early(fry, sig) && !fry->pausing))
		return;
	if (is_kernels(info))
		say_verbose(fry, 1, "received %s from the kernel", signals_name(sig, &name));
	else
		say_verbose(fry, 1, "received %s from process %d", signals_name(sig, &name),
			    (int)info->si_pid);
	/* What was typed at the terminal is no stop request, wherever COMMAND runs. */
	stopping = signals_stop(sig) && (!is_kernels(info) || fry->pausing) && !fry->ignored[sig] &&
		   fry->options.as[sig] != 0;
	if (fry->role == OUTER)
		guard_relay(fry, info, stopping);
	else
		signals_handle(fry, info, stopping);
}

void signals_let(int sig)
{
	sigset_t mask;

	mask_fill(&mask);
	mask_cut(&mask, sig);
	mask_set(&mask, NULL);
	signals_hold(NULL);
}

void signals_die(const struct fry *fry, int sig)
{
	core_forbid(); /* COMMAND has dumped its own if it should */
	signal_default(sig);
	kill(fry->self, sig);
	signals_let(sig);
}

const char *stop_parse(struct stop *stop, const char *word)
{
	bool waits = true; /* nothing to wait for yet */
	struct step *last = NULL;

	*stop = (struct stop){.at = -1};
	for (;;) {
		size_t length = strcspn(word, "/");
		char part[32];

		if (length == 0 || length >= sizeof(part))
			return "SCHEDULE is SIGNAL[/DURATION/SIGNAL]...";
		memcpy(part, word, length);
		part[length] = '\0';
		if (strchr("0123456789.", part[0]) != NULL) {
			if (waits)
				return "a duration comes after a signal in SCHEDULE";
			last->wait = signals_parse_duration(part);
			if (last->wait == -1)
				return "a DURATION is a decimal number with ms, s, m, h or d";
			waits = true;
		} else {
			if (last != NULL && last->signal == SIGKILL)
				return "nothing comes after KILL in SCHEDULE";
			if (stop->steps == MAX_STEPS)
				return "SCHEDULE has at most 16 signals";
			last = &stop->step[stop->steps++];
			last->signal = signals_parse(part[0] == '-' ? part + 1 : part);
			if (last->signal == -1)
				return "SCHEDULE names an unknown signal";
			if (last->signal == SIGSTOP || last->signal == SIGCHLD)
				return "SCHEDULE names a signal that ends nothing";
			waits = false;
		}
		if (word[length] == '\0')
			break;
		word += length + 1;
	}
	/* Without a wait the last step has for ever, but after KILL nobody can do anything. */
	if (!waits)
		last->wait = last->signal == SIGKILL ? KILL_WAIT : NEVER;
	return NULL;
}

void stop_default(struct stop *stop, int64_t wait)
{
	*stop = (struct stop){
		.step = {{SIGINT, wait}, {SIGTERM, wait}, {SIGKILL, KILL_WAIT}},
		.steps = 3,
		.at = -1,
	};
	if (wait == 0) {
		stop->step[0].wait = STEP_WAIT;
		stop->step[1].wait = NEVER;
		stop->steps = 2;
	}
}

/* Go to a step. By receipt its signal is for COMMAND's group: the rest gets it before KILL does. */
static void stop_enter(struct stop *stop, int at, int64_t now, bool received)
{
	int64_t wait = at < stop->steps ? stop->step[at].wait : NEVER;
	bool kill_next = at + 1 < stop->steps && stop->step[at + 1].signal == SIGKILL;

	stop->at = at;
	stop->deadline = clock_add(now, wait);
	stop->spread = NEVER;
	if (received && kill_next)
		stop->spread = clock_add(now, wait < 10 * SECOND ? wait / 2 : wait - 5 * SECOND);
}

/* Go to the step of a signal if it lies ahead. */
static void stop_advance(struct stop *stop, int sig, int64_t now, bool received)
{
	int own = 0;

	while (own < stop->steps && stop->step[own].signal != sig)
		own++;
	if (own == stop->steps)
		own = 0;
	if (own > stop->at)
		stop_enter(stop, own, now, received);
}

void stop_request(struct stop *stop, int sig, int64_t now)
{
	stop_advance(stop, sig, now, true);
}

void stop_leftover(struct stop *stop, int64_t now)
{
	stop_advance(stop, SIGTERM, now, false);
}

bool stop_expire(struct stop *stop, int64_t now)
{
	if (stop->at == -1 || stop->at == stop->steps || now < stop->deadline)
		return false;
	stop_enter(stop, stop->at + 1, now, false);
	return true;
}

bool stop_spread(struct stop *stop, int64_t now)
{
	if (stop->at == -1 || now < stop->spread)
		return false;
	stop->spread = NEVER;
	return true;
}

int64_t stop_next(const struct stop *stop)
{
	return stop->spread < stop->deadline ? stop->spread : stop->deadline;
}

int64_t stop_until_kill(const struct stop *stop)
{
	int64_t total = 0;

	for (int i = 0; i < stop->steps && stop->step[i].signal != SIGKILL; i++)
		total = clock_add(total, stop->step[i].wait);
	return total;
}

int stop_signal(const struct stop *stop)
{
	return stop->at == -1 || stop->at == stop->steps ? 0 : stop->step[stop->at].signal;
}

void stop_kill(struct stop *stop)
{
	int64_t wait = KILL_WAIT;

	if (stop->step[stop->steps - 1].signal == SIGKILL)
		wait = stop->step[stop->steps - 1].wait;
	*stop = (struct stop){
		.step = {{SIGKILL, wait}}, .steps = 1, .deadline = NEVER, .spread = NEVER};
}

bool stop_sends(const struct stop *stop, int sig)
{
	if (sig == SIGTERM) /* to those who outlive COMMAND */
		return true;
	if (stop->at != -1 && stop->spread != NEVER && stop_signal(stop) == sig)
		return true;
	for (int i = stop->at + 1; i < stop->steps; i++)
		if (stop->step[i].signal == sig)
			return true;
	return false;
}
