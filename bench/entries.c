#include "config.h"

#include "entries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int entries_split(struct entries *entries, char **argv, size_t samples)
{
	while (*argv != NULL) {
		if (argv[1] == NULL || entries->count == ENTRY_MAX)
			return -1;
		struct entry *entry = &entries->all[entries->count++];
		*entry = (struct entry){.name = argv[0], .argv = argv + 1, .report = -1};
		entry->samples = calloc(samples, sizeof(*entry->samples));
		if (entry->samples == NULL) {
			perror("calloc");
			exit(2);
		}
		while (*argv != NULL && strcmp(*argv, "---") != 0)
			argv++;
		if (*argv != NULL)
			*argv++ = NULL;
	}
	return entries->count > 0 ? 0 : -1;
}

void entries_free(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		free(entries->all[i].samples);
}

void entry_skip(struct entry *entry, const char *why)
{
	entry->skipped = true;
	printf("%s: left out: %s\n", entry->name, why);
}

void entry_add(struct entry *entry, int64_t ns)
{
	entry->samples[entry->taken++] = ns;
}

struct entry *entries_turn(struct entries *entries, size_t round, size_t turn)
{
	return &entries->all[(round + turn) % entries->count];
}

static int compare(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

void entries_print(struct entries *entries, const char *unit, double unit_ns, size_t batch)
{
	double first = 0;

	printf("%-32s %7s %2s %7s %2s %8s%s\n", "", "median", unit, "p90", unit, "ratio",
	       batch != 0 ? "    per second" : "");
	for (size_t i = 0; i < entries->count; i++) {
		struct entry *entry = &entries->all[i];

		if (entry->skipped || entry->taken == 0)
			continue;
		qsort(entry->samples, entry->taken, sizeof(*entry->samples), compare);
		double median = (double)entry->samples[entry->taken / 2];
		double p90 = (double)entry->samples[entry->taken * 9 / 10];
		if (first == 0)
			first = median;
		printf("%-32s %10.3f %10.3f %7.2fx", entry->name, median / unit_ns, p90 / unit_ns,
		       median / first);
		if (batch != 0)
			printf(" %13.0f", (double)batch / median * 1e9);
		printf("\n");
	}
}
