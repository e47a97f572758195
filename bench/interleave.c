/* interleave: times command lines against each other, in turns.
 *
 * usage: interleave [-n ROUNDS] [-w WARM-UPS] NAME COMMAND [ARG...] [--- NAME COMMAND [ARG...]]...
 *
 * Each round runs every command line once, and each begins one further, so that a slow moment of
 * the machine meets all of them alike. Prints a table: median, 90th percentile, and the median as a
 * ratio to that of the first. A command that is not installed is left out with a remark.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ENTRY_MAX = 16 };

struct entry {
	const char *name;
	char **argv;
	int64_t *samples; /* ns, one a round */
	bool skipped;
};

struct bench {
	struct entry entries[ENTRY_MAX];
	size_t count;
	size_t rounds, warmups;
	posix_spawn_file_actions_t quiet; /* stdin, stdout and stderr are /dev/null */
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void skip(struct entry *entry, const char *why)
{
	entry->skipped = true;
	printf("%s: left out: %s\n", entry->name, why);
}

/* Nanoseconds from spawn to reap; -1 if it could not be run or did not end with status 0. */
static int64_t run_once(struct bench *bench, struct entry *entry)
{
	pid_t pid;
	int status;

	int64_t start = now_ns();
	int error = posix_spawnp(&pid, entry->argv[0], &bench->quiet, NULL, entry->argv, environ);
	if (error != 0) {
		skip(entry, error == ENOENT ? "not installed" : strerror(error));
		return -1;
	}
	while (waitpid(pid, &status, 0) == -1) {
		if (errno != EINTR)
			return -1;
	}
	int64_t end = now_ns();
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		skip(entry, "it does not end with status 0");
		return -1;
	}
	return end - start;
}

static void run_round(struct bench *bench, size_t round, bool keep)
{
	for (size_t i = 0; i < bench->count; i++) {
		struct entry *entry = &bench->entries[(round + i) % bench->count];

		if (entry->skipped)
			continue;
		int64_t ns = run_once(bench, entry);
		if (keep)
			entry->samples[round] = ns;
	}
}

static int compare(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static void print_table(struct bench *bench)
{
	double first = 0;

	printf("%-32s %10s %10s %8s\n", "", "median ms", "p90 ms", "ratio");
	for (size_t i = 0; i < bench->count; i++) {
		struct entry *entry = &bench->entries[i];

		if (entry->skipped)
			continue;
		qsort(entry->samples, bench->rounds, sizeof(*entry->samples), compare);
		double median = (double)entry->samples[bench->rounds / 2] / 1e6;
		double p90 = (double)entry->samples[bench->rounds * 9 / 10] / 1e6;
		if (first == 0)
			first = median;
		printf("%-32s %10.3f %10.3f %7.2fx\n", entry->name, median, p90, median / first);
	}
}

/* Splits `NAME COMMAND... --- NAME COMMAND...` in place. */
static int split(struct bench *bench, char **argv)
{
	while (*argv != NULL) {
		if (argv[0] == NULL || argv[1] == NULL || bench->count == ENTRY_MAX)
			return -1;
		struct entry *entry = &bench->entries[bench->count++];
		*entry = (struct entry){.name = argv[0], .argv = argv + 1};
		while (*argv != NULL && strcmp(*argv, "---") != 0)
			argv++;
		if (*argv != NULL)
			*argv++ = NULL;
	}
	return bench->count > 0 ? 0 : -1;
}

static int parse(struct bench *bench, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+n:w:")) != -1) {
		switch (option) {
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
	return bench->rounds > 0 ? split(bench, argv + optind) : -1;
}

int main(int argc, char **argv)
{
	struct bench bench = {.rounds = 300, .warmups = 20};

	if (parse(&bench, argc, argv) == -1) {
		fprintf(stderr, "usage: interleave [-n ROUNDS] [-w WARM-UPS] "
				"NAME COMMAND [ARG...] [--- NAME COMMAND [ARG...]]...\n");
		return 2;
	}
	posix_spawn_file_actions_init(&bench.quiet);
	posix_spawn_file_actions_addopen(&bench.quiet, STDIN_FILENO, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&bench.quiet, STDIN_FILENO, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&bench.quiet, STDIN_FILENO, STDERR_FILENO);
	for (size_t i = 0; i < bench.count; i++) {
		bench.entries[i].samples = calloc(bench.rounds, sizeof(int64_t));
		if (bench.entries[i].samples == NULL) {
			perror("interleave");
			return 2;
		}
	}
	for (size_t round = 0; round < bench.warmups; round++)
		run_round(&bench, round, false);
	for (size_t round = 0; round < bench.rounds; round++)
		run_round(&bench, round, true);
	print_table(&bench);
	for (size_t i = 0; i < bench.count; i++)
		free(bench.entries[i].samples);
	posix_spawn_file_actions_destroy(&bench.quiet);
	return 0;
}
