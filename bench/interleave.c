/* interleave: times command lines against each other, in turns.
 *
 * usage: interleave [-b BATCH] [-n ROUNDS] [-w WARM-UPS] NAME COMMAND [ARG...]
 *                   [--- NAME COMMAND [ARG...]]...
 *
 * Prints the table of entries.h, from spawn to reap; with -b, and how many a second that makes, if each
 * COMMAND does so many. A command that is not installed is left out
 * with a remark.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "entries.h"

struct bench {
	struct entries entries;
	size_t rounds, warmups, batch;
	posix_spawn_file_actions_t quiet; /* stdin, stdout and stderr are /dev/null */
};

/* Nanoseconds from spawn to reap; -1 if it could not be run or did not end with status 0. */
static int64_t run_once(struct bench *bench, struct entry *entry)
{
	pid_t pid;
	int status;

	int64_t start = now_ns();
	int error = posix_spawnp(&pid, entry->argv[0], &bench->quiet, NULL, entry->argv, environ);
	if (error != 0) {
		entry_skip(entry, error == ENOENT ? "not installed" : strerror(error));
		return -1;
	}
	while (waitpid(pid, &status, 0) == -1) {
		if (errno != EINTR)
			return -1;
	}
	int64_t end = now_ns();
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		entry_skip(entry, "it does not end with status 0");
		return -1;
	}
	return end - start;
}

static void run_round(struct bench *bench, size_t round, bool keep)
{
	for (size_t i = 0; i < bench->entries.count; i++) {
		struct entry *entry = entries_turn(&bench->entries, round, i);

		if (entry->skipped)
			continue;
		int64_t ns = run_once(bench, entry);
		if (keep && ns >= 0)
			entry_add(entry, ns);
	}
}

static int parse(struct bench *bench, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+b:n:w:")) != -1) {
		switch (option) {
		case 'b':
			bench->batch = strtoul(optarg, NULL, 10);
			break;
		case 'n':
			bench->rounds = strtoul(optarg, NULL, 10);
			break;
		case 'w':
			bench->warmups = strtoul(optarg, NULL, 10);
			break;
		default:
			return -1;
		}
	}
	return bench->rounds > 0 ? entries_split(&bench->entries, argv + optind, bench->rounds)
				 : -1;
}

int main(int argc, char **argv)
{
	struct bench bench = {.rounds = 300, .warmups = 20};

	if (parse(&bench, argc, argv) == -1) {
		fprintf(stderr, "usage: interleave [-b BATCH] [-n ROUNDS] [-w WARM-UPS] "
				"NAME COMMAND [ARG...] [--- NAME COMMAND [ARG...]]...\n");
		return 2;
	}
	posix_spawn_file_actions_init(&bench.quiet);
	posix_spawn_file_actions_addopen(&bench.quiet, STDIN_FILENO, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&bench.quiet, STDIN_FILENO, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&bench.quiet, STDIN_FILENO, STDERR_FILENO);
	for (size_t round = 0; round < bench.warmups; round++)
		run_round(&bench, round, false);
	for (size_t round = 0; round < bench.rounds; round++)
		run_round(&bench, round, true);
	entries_print(&bench.entries, "ms", 1e6, bench.batch);
	entries_free(&bench.entries);
	posix_spawn_file_actions_destroy(&bench.quiet);
	return 0;
}
