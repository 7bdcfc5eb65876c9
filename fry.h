/* fry.h - what the files of fry-run share, in the order in which they are read */
/* SPDX-License-Identifier: MIT */
#ifndef FRY_H
#define FRY_H

#include <sys/types.h>

#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>
#include <time.h>

#define FRY_VERSION "0.9.0"

enum {
	EXIT_TIMED_OUT = 124,      /* as timeout(1) */
	EXIT_FRY = 125,            /* fry-run itself failed or was misused */
	EXIT_NOT_EXECUTABLE = 126, /* as a shell: found, not executable */
	EXIT_NOT_FOUND = 127       /* as a shell: not found */
};

/* Times are nanoseconds of CLOCK_MONOTONIC, spans are nanoseconds; both saturate. */
#define NEVER       INT64_MAX
#define MILLISECOND INT64_C(1000000)
#define SECOND      (1000 * MILLISECOND)

#define STEP_WAIT (10 * SECOND) /* between the steps of a stop, if nothing else was said */
#define KILL_WAIT (10 * SECOND) /* after KILL, while nothing dies any more */

enum placement { PLACE_AUTO, PLACE_INHERIT, PLACE_NEW, PLACE_SESSION, PLACE_JOIN };
enum scope { SCOPE_AUTO, SCOPE_COMMAND, SCOPE_GROUP, SCOPE_TREE };
enum cgroup_option { CGROUP_NONE, CGROUP_NEW, CGROUP_OWN };
enum leftover { LEFTOVER_STOP, LEFTOVER_WAIT, LEFTOVER_LEAVE, LEFTOVER_FAIL };

enum {
#ifdef _NSIG
	SIGNALS = _NSIG, /* one more than the last signal */
#else
	SIGNALS = 129, /* as FreeBSD, which has the most */
#endif
	MAX_STEPS = 16,
	MAX_NOTED = 256, /* steps, and leftovers, in a report */
	STANDARD_SIGNALS = 32, /* from here on they are real-time ones, which queue */
	MAX_RELAYS = 64, /* signals on their way between the two processes; a power of two */
	CGROUP_FIGURES = 3
};

/*
 * si_code of a step that was sent to the whole tree, so that a nested fry-run does not forward it again.
 * The kernel lets any sender choose a negative code: one that is forged may cost a forward, no more.
 */
#define STEP_CODE (-71)

/* Whether fry-run is one process, or which of two (guard.c). */
enum role { ALONE, OUTER, INNER };

/* The stop schedule: send a signal, wait, go on to the next step. */
struct stop {
	struct step {
		int signal;
		int64_t wait;
	} step[MAX_STEPS];
	int steps;
	int at;           /* the step that is under way; -1: no stop was asked for */
	int64_t deadline; /* when its wait is over */
	int64_t spread;   /* when its signal, so far for COMMAND's group, goes to everything left */
};

/*
 * The channel from the outer process to the inner one, in memory that only these two share. SIGCHLD wakes
 * the reader and carries nothing, so no siginfo from outside can be taken for a relayed signal.
 */
struct channel {
	struct relay {
		int signal, code;
		pid_t sender;
		uid_t user;
		union sigval value;
		bool stopping; /* the outer process found it to be a stop request */
	} relay[MAX_RELAYS];
	/* How many were written and read. An entry is complete before it is counted: either may be killed. */
	_Atomic unsigned sent, taken;
	_Atomic unsigned loops; /* of the inner process: a sign of life */
};

/* State shared by the outer process, the inner process and the child. */
struct outcome {
	bool told;      /* by the inner process, at its end: what it holds is final */
	bool lost;      /* the inner process was killed, and the outer one does the rest */
	pid_t group;    /* that COMMAND was started in */
	int exec_errno; /* set by the child where COMMAND could not be executed */
	bool ended;     /* status holds its wait status */
	int status;
	bool asked, timed_out, orphaned; /* why it was stopped */
	bool leaked;                     /* something outlived COMMAND */
	/* Written in this order, for a reader in the other process: the signal, then the number. */
	_Atomic int stopped;    /* COMMAND is, by this signal; 0: it goes on */
	_Atomic unsigned stops; /* how often it was, where somebody is to see that */
	unsigned continued;     /* the last CONT to fry-run came after so many stops */
	struct channel channel;

	/* for the report */
	_Atomic unsigned reaped; /* by both processes */
	unsigned steps, leftovers;
	unsigned forwarded[SIGNALS];
	int64_t first; /* when the first of the steps was */
	struct noted_step {
		int signal;
		unsigned found; /* processes that were left */
		int64_t after;
	} step[MAX_NOTED];
	struct noted_leftover {
		pid_t pid;
		int signal; /* that ended it */
		char name[16];
	} leftover[MAX_NOTED];
	int64_t figure[CGROUP_FIGURES]; /* memory.peak and the like; -1: not known */
};

/* The controlling terminal. */
struct tty {
	bool there;
	bool mirrors; /* a shell is to see COMMAND stop: fry-run stops with it */
	bool watched; /* there is a shell above, in the same session */
	bool known;   /* modes were read: fry-run was in the foreground */
	struct termios modes;
	int moving;     /* the terminal's descriptor, on its way to COMMAND's session; or -1 */
	unsigned stops; /* those that were mirrored */
};

/* One process below fry-run, as it was when it was last seen. */
struct process {
	pid_t pid, parent, group, session;
	unsigned long long start; /* in clock ticks since boot: with pid, it names one process */
	unsigned long threads;
	uint64_t had;   /* bit N-1: has been sent signal N of a stop */
	char state;     /* as in proc_pid_stat(5); 0 where /proc does not tell */
	bool forbidden; /* may not be signalled, and was named for it */
	bool reaped;    /* its pid may be another's by now */
	bool stale;     /* was another's child when it was to be signalled */
	char name[16];
};

/* A growing array of processes, with an index by pid. */
struct table {
	struct process *process;
	uint32_t *slot; /* 0: empty; otherwise 1 + the place in the array */
	size_t count, slots;
};

struct options {
	enum placement placement;
	enum scope scope;
	enum leftover leftover;
	enum cgroup_option cgroup;
	pid_t group; /* to join, with PLACE_JOIN */
	int64_t timeout;
	int parent_death;             /* 0: not asked for */
	unsigned char as[SIGNALS];    /* what a received signal is forwarded as; 0: dropped */
	bool expected[UINT8_MAX + 1]; /* statuses that count as 0 */
	bool code;                    /* exit 128+N rather than die of N */
	bool warn_reaped;
	bool guard;
	bool pause;                  /* there is no COMMAND */
	const char *report;          /* where to */
	bool stop_given, wait_given; /* --stop and -k exclude each other */
	int verbose;
};

struct fry {
	struct options options;
	char **command; /* COMMAND and its arguments; the word before it may be overwritten */

	/* how fry-run was started */
	struct timespec start; /* by the calendar */
	int64_t began;
	enum role role;
	pid_t self, parent, own_group, own_session;
	char *words; /* its arguments, as ps(1) shows them: argv the child may change */
	size_t words_size;
	pid_t known;                   /* the pid that the caller knows: of the outer process */
	sigset_t mask;                 /* inherited, and COMMAND's */
	sigset_t early;                /* pending before COMMAND was there */
	sigset_t early_copy;           /* the same, and it stays so */
	struct sigaction child_action; /* of SIGCHLD, likewise */
	bool ignored[SIGNALS];         /* of INT, TERM and QUIT: those that start no stop */
	bool inherited;                /* it had children already */
	bool subreaper; /* orphans come to us; not where the system knows no such thing */
	pid_t job; /* the group of the process that the caller knows: a shell's foreground job */
	struct tty tty;
	int report; /* the descriptor of the report; -1: none */

	/* COMMAND */
	bool pausing; /* there is none, and no stop was asked for yet */
	pid_t child;     /* 0 in the outer process, and once it was reaped: never used again */
	pid_t group;     /* the group it was started in */
	bool owns_group; /* it leads that group, and nobody else is in it */

	/* the guard */
	pid_t inner;         /* in the outer process; 0 once it was reaped */
	int inner_status;    /* its wait status */
	bool outer_children; /* in the inner process: the outer one may have others */
	bool outer_died;     /* likewise */
	struct outer {
		int signal_fd, inner_fd; /* readable: a signal is pending, the inner process has died */
		int64_t deadline;        /* by then the inner process must have ended */
		bool asked;              /* since then for a sign of life, */
		unsigned loops;          /* which is any other number */
		bool overdue;            /* and was killed, as there was none */
	} outer;

	/* what becomes of it */
	struct stop stop;
	int64_t timeout_at;
	bool orphaned; /* the parent's death was acted upon */
	struct outcome *outcome;

	bool proc_ours; /* /proc was found to be of this pid namespace */
	pid_t highest;  /* pid that was seen: says how far to look without /proc */
	bool hurried;   /* it has asked for more of the processor */
	/* in the inner process, signals of which another copy may yet come */
	struct witness {
		int64_t until; /* 0: none */
		pid_t sender;
		int own; /* how many more own copies came than relayed ones */
		bool stopping;
	} witness[SIGNALS];

	struct cgroup {
		char path[PATH_MAX]; /* of its directory */
		char name[PATH_MAX]; /* as /proc/PID/cgroup has it */
		bool frozen;         /* by us, and to be let go */
	} * cgroup;                  /* NULL: without */

	struct table tree, before; /* as this walk found it, and the one before */
	struct table beside; /* to the inner process: what only the outer one is a parent of */
};

/* fry.c */

/* Print one line, `fry-run: ` and the message, with one write(2); control characters become `?`. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, with the seconds since the start, where -v was given at least level times. */
void say_verbose(const struct fry *fry, int level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Say why there is no further process, and exit. */
__attribute__((noreturn)) void refuse_fork(const struct fry *fry);
/* If the parent has died, act as --parent-death says, once; last is what was received last. */
void check_parent(struct fry *fry, const siginfo_t *last);
/* The loop of the inner process, or of the only one: until nothing is left, or nothing can be done. */
void run(struct fry *fry);

/* signals.c */

/* Parse a decimal number of digits alone, at most max. Returns it, or -1. */
int parse_number(const char *word, int max);
/* Parse a signal's name or number. Returns it, or -1 with errno EINVAL. */
int signals_parse(const char *word);
/* Write a signal's name, without SIG, to a buffer; returns the buffer. */
struct signal_name {
	char text[24];
};
const char *signals_name(int sig, struct signal_name *name);
/* Parse timeout(1)'s DURATION, rounding up. Returns nanoseconds, or -1 with errno EINVAL. */
int64_t signals_parse_duration(const char *word);
/* Whether a signal asks COMMAND to end: INT, TERM and QUIT. */
bool signals_stop(int sig);
/* Block every signal, and keep the mask and the dispositions that were inherited. */
void signals_block(struct fry *fry);
/* Block every signal; old, if it is not NULL, receives the mask that was. */
void signals_hold(sigset_t *old);
/* In the child: give COMMAND the mask and the disposition of SIGCHLD that were inherited. */
void signals_restore(const struct fry *fry);
/* Wait for a signal, but for one (0: for any), until a deadline. Returns it, or 0 when that has come. */
int signals_receive(siginfo_t *info, int64_t deadline, int except);
/* Wait for this one alone. */
int signals_wait(siginfo_t *info, int64_t deadline, int sig);
/* A descriptor that is readable while a signal is pending: signalfd(2). Returns -1 with errno. */
int signals_open(void);
/* Whether a request to end is pending. */
bool signals_stop_pending(const struct fry *fry);
/* Note what is pending before there is anybody else who could have had it. */
void signals_before(struct fry *fry);
/*
 * Send COMMAND, which still has everything blocked, what has become pending since then: where a signal to
 * the group came before the fork COMMAND has no copy, and where it came after, the two merge.
 */
void signals_resend(const struct fry *fry);
/* Whether a signal was among that; it is asked once. */
bool signals_early(struct fry *fry, int sig);
/* A stop request that has reached COMMAND's group already. */
void signals_witnessed(struct fry *fry, int sig, pid_t group);
/* Do what a signal asks for: signals_request(), or what is left of it where a fry-run further up sent it. */
void signals_handle(struct fry *fry, siginfo_t *info, bool stopping);
/* Act as if sig had been received from a process. */
void signals_pretend(struct fry *fry, int sig);
/* The timeout: the first step of the schedule, as it is, whatever --rewrite says. */
void signals_begin_stop(struct fry *fry);
/* Forget what is pending, except for this signal. */
void signals_discard(int except);
/* Forward a received signal as the options say, and let it start or advance the stop. */
void signals_act(struct fry *fry, siginfo_t *info);
/* The same for what is no longer to be questioned: a stop request, or not. */
void signals_request(struct fry *fry, siginfo_t *info, bool stopping);
/* The group that COMMAND is in now: a shell makes one of its own. */
pid_t signals_group(const struct fry *fry);
/* Take a signal that is pending. Returns whether it was. */
bool signals_take(int sig, siginfo_t *info);
bool signals_pending(int sig);
/* Let sig, and no other that is pending, do it. */
void signals_let(int sig);
/* Die of sig, without dumping core. Returns where that is impossible: as PID 1. */
void signals_die(const struct fry *fry, int sig);
/* CLOCK_MONOTONIC now, and a time plus a span. */
int64_t clock_now(void);
int64_t clock_add(int64_t time, int64_t span);

/* The stop schedule: pure functions of its state and the time. */

/* Parse start-stop-daemon(8)'s schedule. Returns NULL, or the rule that word breaks. */
const char *stop_parse(struct stop *stop, const char *word);
/* Set the default schedule with this wait between the steps; 0: without KILL. */
void stop_default(struct stop *stop, int64_t wait);
/* A stop was asked for by sig: go to its step if that lies ahead. */
void stop_request(struct stop *stop, int sig, int64_t now);
/* COMMAND has ended before others: go to the TERM step if that lies ahead. */
void stop_leftover(struct stop *stop, int64_t now);
/* If the wait of this step is over, go to the next and return true; at == steps: it was the last. */
bool stop_expire(struct stop *stop, int64_t now);
/* If the signal of this step is now to go to everything left, return true, once. */
bool stop_spread(struct stop *stop, int64_t now);
/* When the next of both is due. */
int64_t stop_next(const struct stop *stop);
/* How long a stop takes at most until KILL is due, or the last wait is over. */
int64_t stop_until_kill(const struct stop *stop);
/* The signal of the step that is under way; 0 if none is. */
int stop_signal(const struct stop *stop);
/* There is but one step left, and it is KILL. */
void stop_kill(struct stop *stop);
/* Whether sig may yet be sent by this schedule to those who have not had it. */
bool stop_sends(const struct stop *stop, int sig);

/* reap.c */

/* Become a subreaper, and see whether there are children already. */
void reap_start(struct fry *fry);
/* Reap what has ended. Returns how many, with *left saying whether children remain. */
unsigned reap_drain(struct fry *fry, bool *left);
/* Kill until nothing is left, or nothing but what cannot be killed. */
void reap_kill(struct fry *fry);
/* Whether the outer process has children yet, beside the inner one that asks. */
bool reap_outer_children(struct fry *fry);
/* Whether a process has ended, as far as /proc tells: true where it does not. */
bool process_died(pid_t pid);

/* Zeroed pages of memory. Returns NULL with errno ENOMEM. libc's malloc would double the binary. */
void *memory_get(size_t size);
void memory_free(void *memory, size_t size);
/* The same, kept in common after fork(2). */
void *memory_share(size_t size);

/* The names in a directory. */
struct listing {
	int fd;
	bool keep; /* open after the last */
	long at, end;
	uint64_t entries[512]; /* as getdents64(2) fills it */
};
/* Begin to read. Returns false with errno from open(2). */
bool listing_open(struct listing *list, const char *path);
/* Returns the next name, or NULL after the last, when the directory was closed. */
const char *listing_next(struct listing *list, bool *directory);
/* The next that is a number: a pid, a thread, a descriptor. Returns -1 after the last. */
long listing_number(struct listing *list);

/* A signal, whom it goes to, and what came of it. */
struct errand {
	int signal;
	int instead_of; /* not 0: by --rewrite; who has had it, needs that one no more */
	pid_t group;   /* not 0: only to those in this group, and to `pid` */
	pid_t pid;     /* not 0: only to this process, and to those in `group` */
	bool once;     /* not to those who have had it */
	bool stopping; /* part of a stop: note that they have had it, with CONT for the stopped */
	bool noting;   /* send nothing: it reaches them another way */
	bool naming;   /* say who they are, after why */
	bool listing;  /* put them into the report as left behind */
	bool dead;     /* even those of our children whom a tracer does not let us reap */
	const char *why;
	unsigned found, sent, stopped, forbidden;
};
/* Before there are two processes: keep what hangs below this one, for the inner one to kill. */
void tree_keep(struct fry *fry);
/* Run an errand to everything below fry-run. */
void tree_signal(struct fry *fry, struct errand *errand);
/* Say who is left. */
void tree_name(struct fry *fry, const char *why);

/* text.c */

/* Text that is being put together. */
struct text {
	char *to;
	size_t size, length; /* length goes on where there is no room any more */
};
/* Add to it, as printf(3) does for s, c, d and lld, with or without a precision. */
void text_vadd(struct text *text, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* As snprintf(3). */
size_t text_format(char *to, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Cut the next decimal number, after blanks, off a text that the kernel wrote. */
long long number_cut(const char **text);

/* report.c */

/* Open what --report names. Exits where it cannot be written to. */
void report_open(struct fry *fry);
/* Note a step of a stop, when it was, and how many got its signal. */
void report_step(struct fry *fry, int sig, int64_t when, unsigned found);
/* Note a process that outlived COMMAND. */
void report_leftover(struct fry *fry, const struct process *process);
/* Note one that was reaped. */
void report_reaped(struct fry *fry, pid_t pid, int status);
/* At the end, with the status that fry-run exits with: write it all. */
void report_write(const struct fry *fry, int status);

/* tty.c */

/* See whether there is a controlling terminal, and what it is like. */
void tty_start(struct fry *fry);
/* Give it up where COMMAND is to lead a session, and have it. Exits where no process can be made. */
void tty_detach(struct fry *fry);
/* In the child, which leads that session: take it. */
void tty_attach(const struct fry *fry);
/* If fry-run is in the foreground, put COMMAND's own group there. Returns whether that was done. */
bool tty_give(const struct fry *fry, pid_t group);
/* See whether COMMAND was stopped, or goes on. */
void tty_look(struct fry *fry);
/* COMMAND goes on, or is not there any more. */
void tty_continued(struct fry *fry);
/* If COMMAND was stopped, stop as well. Returns when fry-run is continued. */
void tty_follow(struct fry *fry);
/* Note that CONT came to fry-run: after which stop? */
void tty_woken(struct fry *fry);
/* At the end: take the foreground back, and restore the modes where COMMAND could not. */
void tty_end(struct fry *fry);

/* cgroup.c */

enum { CGROUP_FILE_SIZE = 1 << 18 }; /* no file that is read is longer */

/* Find our own cgroup, and choose a leaf or claim it. Exits where that cannot be had. */
void cgroup_start(struct fry *fry);
/* Make the leaf. Exits where that cannot be had. */
void cgroup_make(const struct fry *fry);
/* In the child: enter the leaf. Returns -1 with errno. */
int cgroup_enter(const struct fry *fry);
/* Read cgroup.procs into text. Returns its length, or -1. */
ssize_t cgroup_members(const struct fry *fry, char *text, size_t size);
/* Whether a process is in the cgroup, now. */
bool cgroup_holds(const struct fry *fry, pid_t pid);
/* Whether there is anybody else in it. */
bool cgroup_populated(const struct fry *fry);
/* Wait for that to change, for a signal, or until a deadline. */
void cgroup_wait(const struct fry *fry, int64_t deadline);
/* Kill all in the leaf and return true; or freeze it, for each of them to be killed. */
bool cgroup_kill(const struct fry *fry);
/* Let what was frozen die. */
void cgroup_thaw(const struct fry *fry);
/* Remove the leaf. */
void cgroup_end(const struct fry *fry);

/* guard.c */

/* Become two processes, if asked to: in the outer one COMMAND is the inner one from now on. */
void guard_start(struct fry *fry);
/* In the outer process: open what its loop waits for. */
void guard_open(struct fry *fry);
/* The loop of the outer process, until the inner one and everything below have ended. */
void guard_run(struct fry *fry);
/* Whether this is one of fry-run's own processes, and no part of what it looks after. */
bool guard_owns(const struct fry *fry, pid_t pid);
/* In the inner process: put a name of its own in place of the arguments, for `pkill -f`. */
void guard_rename(const struct fry *fry);
/* Hand a signal to the inner process, with what the outer one knows and decided about it. */
void guard_relay(struct fry *fry, const siginfo_t *info, bool stopping);
/* In the inner process: whether the outer one has died. */
bool guard_outer_died(struct fry *fry);
/* Give a sign of life, and act on what was relayed. */
void guard_beat(struct fry *fry);
void guard_take(struct fry *fry);
/* Take a signal of which a copy may be relayed. Returns false for any other. */
bool guard_receive(struct fry *fry, siginfo_t *info);
/* From the inner process signal the outer one. */
void guard_poke(const struct fry *fry, int sig);
/* Act on what has waited for its copy long enough. Returns until when the next waits. */
int64_t guard_expire(struct fry *fry);

/* linux.c, or portable.c, which also has what there is elsewhere of reap.c, cgroup.c and guard.c */

/* What is added to --help. */
extern const char system_usage[];
/* Set the options to what they are on this system if nothing is said. */
void system_defaults(struct options *options);
/* Exits where they ask for what this system does not have. */
void system_check(const struct options *options);
/* Sets of signals, those included that libc uses itself: all of them; with one more; */
void mask_fill(sigset_t *set);
void mask_add(sigset_t *set, int sig);
/* without one. Returns whether it was there. */
bool mask_cut(sigset_t *set, int sig);
/* Block those in a set and no others; old, if it is not NULL, receives what was blocked. */
void mask_set(const sigset_t *set, sigset_t *old);
/* Have SIGCHLD, and what else nobody minds by default, wait while blocked; old receives its action. */
void signal_heed(struct sigaction *old);
/* Make a signal do what it does by default. */
void signal_default(int sig);
/* Send a signal with its value, and its sender where that can be. Returns -1 with errno. */
int signal_queue(pid_t pid, siginfo_t *info);
/* Ask for the parent's death to be told. */
void parent_watch(void);
/* Dump no core. */
void core_forbid(void);
/* Close every descriptor above stderr, but one. */
void descriptors_close(int keep);
/*
 * Open once more, for writing without ever blocking, what a descriptor is open for: a pipe or a terminal,
 * whose flags are shared with other processes. Returns -1 with errno where that is impossible.
 */
int descriptor_reopen(int fd);
/* Move a descriptor above stderr: a standard one is COMMAND's, if only as a closed one. -1 stays. */
int descriptor_raise(int fd);

#endif
