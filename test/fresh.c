/* fresh.c - execute a command in the state in which a login shell would start it */
/* SPDX-License-Identifier: MIT */
/*
 * fresh [OPTION]... [--] COMMAND [ARG]...
 *
 * A shell without job control starts background jobs with INT and QUIT ignored, and a test runner
 * leaks descriptors. This resets the dispositions and the mask of all 64 signals, closes every
 * descriptor above 2, and executes COMMAND in place (same pid).
 *
 *	-i SIG,...	ignore these
 *	-b SIG,...	block these
 *	-c FD,...	close these as well (0, 1, 2)
 *	-k FD,...	keep these open (3 to 255)
 */
#include "fixture.h"

/* Mark the descriptors of `0,1,2` in a table. */
static void descriptors_mark(char *list, char mark[256])
{
	char *rest = NULL;

	for (char *word = strtok_r(list, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
		mark[number_parse(word, 255)] = 1;
}

int main(int argc, char **argv)
{
	char keep[256] = {0}, drop[256] = {0};
	uint64_t ignored = 0, blocked = 0;
	int option;

	while ((option = getopt(argc, argv, "+i:b:c:k:")) != -1) {
		switch (option) {
		case 'i':
			ignored = signal_list(optarg);
			break;
		case 'b':
			blocked = signal_list(optarg);
			break;
		case 'c':
			descriptors_mark(optarg, drop);
			break;
		case 'k':
			descriptors_mark(optarg, keep);
			break;
		default:
			return 2;
		}
	}
	for (int sig = 1; sig <= SIGNALS; sig++)
		disposition_set(sig, ignored & signal_bit(sig) ? SIG_IGN : SIG_DFL);
	mask_set(blocked);
	descriptors_close(keep);
	for (int fd = 0; fd < 256; fd++)
		if (drop[fd])
			close(fd);
	command_exec(argv + optind);
}
