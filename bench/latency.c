/* latency: how long a signal takes through a supervisor, for several of them in turns.
 *
 * usage: latency [-n SIGNALS] [-b BLOCK] [-p PAUSE] NAME COMMAND [ARG...]
 *                [--- NAME COMMAND [ARG...]]...
 *
 * Each COMMAND is a supervisor that runs bench/receiver. It gets SIGNALS signals (default 2000) in
 * blocks of BLOCK (default 20), each block in a new start, in turns with the others. CLOCK_MONOTONIC
 * is read right before kill(2) and when the receiver's wait returns; the next signal is sent PAUSE
 * microseconds (default 0) after the one before has arrived. Prints the table of entries.h.
 */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "supervised.h"

struct settings {
	size_t signals, block;
	long pause_us;
};

enum { WARM_UPS = 2 };

static void sleep_us(long us)
{
	const struct timespec pause = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};

	if (us > 0)
		nanosleep(&pause, NULL);
}

/* Nanoseconds; -1 if it did not arrive. */
static int64_t send_one(struct entry *entry)
{
	struct stamps stamps;
	int64_t sent = now_ns();

	kill(entry->pid, SIGUSR1);
	return supervised_stamps(entry, &stamps) ? stamps.last_ns - sent : -1;
}

/* With a new start each time: on which processors its processes meet is luck, and stays with them. */
static void run_block(struct entry *entry, const struct settings *settings)
{
	supervised_start(entry);
	for (size_t i = 0; i < settings->block + WARM_UPS && !entry->skipped; i++) {
		int64_t ns = send_one(entry);

		if (i >= WARM_UPS && ns >= 0 && entry->taken < settings->signals)
			entry_add(entry, ns);
		sleep_us(settings->pause_us);
	}
	supervised_end(entry);
}

static void run(struct entries *entries, const struct settings *settings)
{
	size_t rounds = (settings->signals + settings->block - 1) / settings->block;

	for (size_t round = 0; round < rounds; round++)
		for (size_t i = 0; i < entries->count; i++)
			run_block(entries_turn(entries, round, i), settings);
}

static int parse(struct settings *settings, struct entries *entries, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+n:b:p:")) != -1) {
		switch (option) {
		case 'n':
			settings->signals = strtoul(optarg, NULL, 10);
			break;
		case 'b':
			settings->block = strtoul(optarg, NULL, 10);
			break;
		case 'p':
			settings->pause_us = strtol(optarg, NULL, 10);
			break;
		default:
			return -1;
		}
	}
	if (settings->signals == 0 || settings->block == 0)
		return -1;
	return entries_split(entries, argv + optind, settings->signals);
}

int main(int argc, char **argv)
{
	struct settings settings = {.signals = 2000, .block = 20};
	struct entries entries = {0};

	if (parse(&settings, &entries, argc, argv) == -1) {
		fprintf(stderr, "usage: latency [-n SIGNALS] [-b BLOCK] [-p PAUSE] "
				"NAME COMMAND [ARG...] [--- NAME COMMAND [ARG...]]...\n");
		return 2;
	}
	run(&entries, &settings);
	entries_print(&entries, "us", 1e3, 0);
	entries_free(&entries);
	return 0;
}
