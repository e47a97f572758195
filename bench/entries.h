/* bench/entries.h: command lines that are measured in turns, and the table of what they took. */
#ifndef PM_BENCH_ENTRIES_H
#define PM_BENCH_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { ENTRY_MAX = 16 };

struct entry {
	const char *name;
	char **argv;
	int64_t *samples; /* ns */
	size_t taken;     /* how many there are */
	bool skipped;
	pid_t pid;  /* supervised.h: while it runs, else 0 */
	int report; /* supervised.h: what its command says */
};

struct entries {
	struct entry all[ENTRY_MAX];
	size_t count;
};

int64_t now_ns(void);

/* Splits `NAME COMMAND [ARG...] [--- NAME COMMAND [ARG...]]...` in place, with room for so many
 * samples of each. -1: there is none, one is cut short, or there are too many. */
int entries_split(struct entries *entries, char **argv, size_t samples);
void entries_free(struct entries *entries);

/* Leaves it out from here on, and says so. */
void entry_skip(struct entry *entry, const char *why);
void entry_add(struct entry *entry, int64_t ns);

/* The entry whose turn it is in a round: each round begins one further, so that a slow moment of
 * the machine meets all of them alike. */
struct entry *entries_turn(struct entries *entries, size_t round, size_t turn);

/* Median, 90th percentile, and the median as a ratio to that of the first, in a unit of so many ns.
 * With a batch other than 0, a sample is the time of so many, and their rate is shown too. */
void entries_print(struct entries *entries, const char *unit, double unit_ns, size_t batch);

#endif
