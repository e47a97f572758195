/* bench/supervised.h: command lines that end in bench/receiver, and what that says. */
#ifndef PM_BENCH_SUPERVISED_H
#define PM_BENCH_SUPERVISED_H

#include "entries.h"

/* What the receiver writes to descriptor 3: once as it is ready (both 0), then each time that it has
 * taken its number of signals. CLOCK_MONOTONIC. */
struct stamps {
	int64_t first_ns, last_ns;
};

/* Starts the entry and waits until its command takes signals. One that can't be started is
 * skipped. */
void supervised_start(struct entry *entry);

/* Waits for the next stamps. false: they don't come; the entry is ended and skipped. */
bool supervised_stamps(struct entry *entry, struct stamps *stamps);

/* SIGTERM, and waits until it is gone. */
void supervised_end(struct entry *entry);

#endif
