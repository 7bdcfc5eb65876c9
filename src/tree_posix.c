/*
 * tree_posix.c - find what is left elsewhere than on Linux
 *
 * This file takes the place of tree.c. By POSIX a process can wait for its children only, so fry-run looks
 * after COMMAND's process group and leaves what outlives COMMAND. COMMAND leads the group, and its pid is not
 * reused before it is reaped, so until then the number of the group is safe to signal.
 */
/* SPDX-License-Identifier: MIT */
#include "tree.h"

#include <sys/wait.h>

#include <unistd.h>

#include "fry.h"
#include "process.h"
#include "reaper.h"

/* Add a process, or by a pid below 0 its group, to the list. A process without room there is left to KILL. */
static void list_add(struct fry *fry, pid_t pid, char state)
{
	struct process process = {.pid = pid, .state = state, .name = "?"};

	process.group = pid < 0 ? -pid : getpgid(pid);
	known_add(fry, &process);
}

/* Whether COMMAND is stopped. tty.c consumes that wait status where it follows COMMAND, and notes it. */
static bool is_stopped(const struct fry *fry)
{
	siginfo_t info = {.si_pid = 0};

	return fry->shared->channel.stopped != 0 ||
	       (waitid(P_PID, (id_t)fry->command, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
		info.si_pid != 0);
}

/* List everything that is left; by POSIX alone this is COMMAND's group, and COMMAND if it has left it. */
static void list_make(struct fry *fry)
{
	pid_t group;
	char state;

	table_turn(fry);
	if ((fry->subreaper && reaper_list(fry, list_add)) || fry->command == 0)
		return;
	group = getpgid(fry->command);
	/* POSIX shows only COMMAND's state, but a stop most often reaches the whole group. */
	state = is_stopped(fry) ? 'T' : 'R';
	if (fry->command_leads_group)
		list_add(fry, -fry->command_pgid, state);
	if (!fry->command_leads_group || (group > 1 && group != fry->command_pgid))
		list_add(fry, fry->command, state);
}

void tree_walk(struct fry *fry, struct broadcast *broadcast, bool again)
{
	(void)again;
	if (broadcast->signal == SIGKILL && !broadcast->record_only)
		broadcast->record_only = fry->subreaper && reaper_kill();
	list_make(fry);
	for (size_t i = 0; i < fry->tree.current.count; i++)
		broadcast_deliver(fry, broadcast, &fry->tree.current.process[i]);
}
