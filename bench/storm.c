/* storm: how fast a supervisor passes queued signals on, for several of them in turns.
 *
 * usage: storm [-n ROUNDS] [-s SIGNALS] [-r PATTERN] NAME COMMAND [ARG...]
 *              [--- NAME COMMAND [ARG...]]...
 *
 * Each COMMAND is a supervisor that runs bench/receiver with the argument SIGNALS (default 20000).
 * It is stopped while so many real-time signals with values are queued for it, and continued: the
 * sender's speed is no part of the time, and nor is its share of the processors. The time is that
 * from the first signal to the last, read in the command. After each start, files whose names match
 * PATTERN (glob(7)) are removed. Prints the table of entries.h.
 */
#include "config.h"

#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervised.h"

struct settings {
	size_t rounds;
	unsigned long signals;
	const char *files;
};

/* All are in the queue at once, and count together with those in the command's. */
static bool queue(struct entry *entry, unsigned long signals)
{
	for (unsigned long i = 0; i < signals; i++) {
		if (sigqueue(entry->pid, SIGRTMIN, (union sigval){.sival_int = (int)i}) == -1) {
			entry_skip(entry, errno == EAGAIN ? "RLIMIT_SIGPENDING is too low"
							  : strerror(errno));
			return false;
		}
	}
	return true;
}

static void stop(const struct entry *entry)
{
	siginfo_t info;

	kill(entry->pid, SIGSTOP);
	waitid(P_PID, (id_t)entry->pid, &info, WSTOPPED);
}

/* What handlers have written would come to gigabytes. */
static void remove_files(const char *pattern)
{
	glob_t found;

	if (pattern == NULL || glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		unlink(found.gl_pathv[i]);
	globfree(&found);
}

static void run_once(struct entry *entry, const struct settings *settings, bool keep)
{
	struct stamps stamps;

	supervised_start(entry);
	if (entry->skipped)
		return;
	stop(entry);
	bool queued = queue(entry, settings->signals);
	kill(entry->pid, SIGCONT);
	if (queued && supervised_stamps(entry, &stamps) && keep)
		entry_add(entry, stamps.last_ns - stamps.first_ns);
	supervised_end(entry);
	remove_files(settings->files);
}

static void run(struct entries *entries, const struct settings *settings)
{
	enum { WARM_UPS = 1 };

	for (size_t round = 0; round < settings->rounds + WARM_UPS; round++)
		for (size_t i = 0; i < entries->count; i++)
			run_once(entries_turn(entries, round, i), settings, round >= WARM_UPS);
}

static int parse(struct settings *settings, struct entries *entries, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+n:s:r:")) != -1) {
		switch (option) {
		case 'n':
			settings->rounds = strtoul(optarg, NULL, 10);
			break;
		case 's':
			settings->signals = strtoul(optarg, NULL, 10);
			break;
		case 'r':
			settings->files = optarg;
			break;
		default:
			return -1;
		}
	}
	return settings->rounds > 0 ? entries_split(entries, argv + optind, settings->rounds) : -1;
}

int main(int argc, char **argv)
{
	struct settings settings = {.rounds = 15, .signals = 20000};
	struct entries entries = {0};

	if (parse(&settings, &entries, argc, argv) == -1) {
		fprintf(stderr, "usage: storm [-n ROUNDS] [-s SIGNALS] [-r PATTERN] "
				"NAME COMMAND [ARG...] [--- NAME COMMAND [ARG...]]...\n");
		return 2;
	}
	run(&entries, &settings);
	entries_print(&entries, "ms", 1e6, settings.signals);
	entries_free(&entries);
	return 0;
}
