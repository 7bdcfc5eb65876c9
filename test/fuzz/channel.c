/* channel.c - fuzz what the inner process takes from the ring, and from a siginfo */
/* SPDX-License-Identifier: MIT */
/*
 * The input chooses where COMMAND is placed, then what the ring holds, its counts included, and which
 * siginfos come in between. The ring may hold anything, as after the outer process was traced, yet
 * only signals that exist are handed on, and no more entries are read at once than the ring has. A
 * siginfo is never a request to end, and never the death of an outer process of the same pid
 * namespace.
 */
#include "fuzz.h"

#include "fry.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { PARENT = 2, GROUP = 3, SELF = 4 };

static bool from_ring;
static unsigned handed;

static void fuzz_hand(const siginfo_t *info, bool terminating)
{
	expect(info->si_signo > 0 && info->si_signo < SIGNALS);
	expect(from_ring || !terminating);
	handed++;
}

static void fuzz_handle(struct fry *fry, siginfo_t *info, bool terminating)
{
	(void)fry;
	fuzz_hand(info, terminating);
}

/* Whether a signal is a request to end is decided in signals.c. */
static void fuzz_dispatch(struct fry *fry, siginfo_t *info)
{
	fuzz_handle(fry, info, false);
}

static void fuzz_note_delivered(struct fry *fry, int sig, pid_t group)
{
	(void)fry;
	(void)group;
	expect(sig > 0 && sig < SIGNALS);
	handed++;
}

/* To take a signal is not to send one. */
static int fuzz_kill(pid_t pid, int sig)
{
	(void)pid;
	(void)sig;
	abort();
}

static pid_t fuzz_parent(void)
{
	return PARENT;
}

static pid_t fuzz_command_pgid(const struct fry *fry)
{
	return fry->command_pgid;
}

#define kill                   fuzz_kill
#define getppid                fuzz_parent
#define signals_dispatch       fuzz_dispatch
#define signals_apply          fuzz_handle
#define signals_handle         fuzz_handle
#define signals_note_delivered fuzz_note_delivered
#define signals_command_pgid   fuzz_command_pgid
#include <copies.c>
#include <guard.c>

/* Fill an object with what is left of the input, and with zeros after it. */
static void object_cut(struct input *input, void *to, size_t size)
{
	size_t length = input->left < size ? input->left : size;

	memset(to, 0, size);
	if (length != 0)
		memcpy(to, input->at, length);
	input->at += length;
	input->left -= length;
}

/* A flag may hold any byte in such memory, but in C it is one of two. */
static void ring_cut(struct input *input, struct channel *channel)
{
	unsigned count;

	for (size_t i = 0; i < MAX_RELAYS; i++) {
		struct relay *relay = &channel->relay[i];

		object_cut(input, &relay->signal, sizeof(relay->signal));
		object_cut(input, &relay->code, sizeof(relay->code));
		relay->terminating = byte_cut(input) % 2 != 0;
	}
	object_cut(input, &count, sizeof(count));
	channel->sent = count;
	if (byte_cut(input) % 2 != 0)
		object_cut(input, &count, sizeof(count));
	channel->taken = count - byte_cut(input);
}

static void check_siginfo(struct fry *fry, struct input *input)
{
	siginfo_t info = {0};

	info.si_signo = 1 + byte_cut(input) % (SIGNALS - 1); /* the kernel sees to that */
	object_cut(input, &info.si_code, sizeof(info.si_code));
	object_cut(input, &info.si_errno, sizeof(info.si_errno));
	object_cut(input, &info.si_pid, sizeof(info.si_pid));
	object_cut(input, &info.si_value, sizeof(info.si_value));
	from_ring = false;
	handed = 0;
	guard_receive(fry, &info);
	expect(!fry->guard.outer_died);
	/* The ring may hold a stop request that pairs with this signal. */
	expect(handed <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct shared shared;
	struct input input = {data, size};
	struct fry fry = {
		.role = INNER,
		.shared = &shared,
		.self = SELF,
		.outer = PARENT,
		.pgid = GROUP,
	};
	static struct copy copies[SIGNALS];
	unsigned taken;

	memset(copies, 0, sizeof(copies));
	fry.guard.copies = (struct copies){.due = NEVER, .of = copies};
	memset(&shared, 0, sizeof(shared));
	fry.options.placement = byte_cut(&input) % 2 == 0 ? PLACE_INHERIT : PLACE_NEW;
	fry.command_pgid = GROUP + byte_cut(&input) % 2;
	ring_cut(&input, &shared.channel);
	while (input.left != 0) {
		check_siginfo(&fry, &input);
		from_ring = true;
		handed = 0;
		taken = shared.channel.taken;
		guard_take(&fry);
		expect(shared.channel.taken - taken <= MAX_RELAYS);
		/* As if time had passed: none is held for ever. */
		for (int sig = 1; sig < SIGNALS; sig++) {
			struct copy *copy = &fry.guard.copies.of[sig];

			copy->until = copy->until != 0;
			copy->answer_until = 1;
		}
		fry.guard.copies.due = 0;
		shared.channel.answered = shared.channel.asked;
		copies_expire(&fry);
		shared.channel.sent += byte_cut(&input) % 4;
	}
	return 0;
}
