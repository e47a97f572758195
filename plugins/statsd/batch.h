/* batch.h: lines that wait to be sent.
 *
 * Equal counters become one line with their sum: a storm of signals must not overrun the server, which
 * has no way to say stop. All else keeps its place. What waits is limited: the oldest goes.
 */
#ifndef PM_STATSD_BATCH_H
#define PM_STATSD_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"

enum { PM_STATSD_BATCH_MAX = 1024 }; /* lines */

enum pm_statsd_kind {
	PM_STATSD_COUNTER,
	PM_STATSD_VALUE,  /* of its own: a gauge, a time */
	PM_STATSD_TEXT,   /* without a value */
	PM_STATSD_DROPPED /* the counter of what was not sent */
};

/* What so many lines stand for. */
struct pm_statsd_share {
	size_t lines;
	uint64_t metrics; /* as they came, not as they were summed up */
	uint64_t told;    /* the sum of PM_STATSD_DROPPED among them, which is not in `metrics` */
};

struct pm_statsd_entry {
	char *text; /* what comes before the value, and what after it */
	size_t head, length;
	int64_t value;
	uint64_t metrics;
	enum pm_statsd_kind kind;
};

struct pm_statsd_batch {
	struct pm_statsd_entry entries[PM_STATSD_BATCH_MAX]; /* a ring */
	size_t first, count;
	size_t bytes; /* about what all of them take */
};

/* Copies text. Returns what had to go for it: nothing, the oldest line, or without memory this one. */
struct pm_statsd_share pm_statsd_batch_add(struct pm_statsd_batch *batch, enum pm_statsd_kind kind,
					   const struct pm_common_buffer *text, size_t head,
					   int64_t value);

/* Puts the first lines into `out`, as many as fit into `limit` bytes, one at least even if it does
 * not. */
struct pm_statsd_share pm_statsd_batch_pack(struct pm_statsd_batch *batch, size_t limit,
					    struct pm_common_buffer *out);

/* Removes the first lines. */
struct pm_statsd_share pm_statsd_batch_remove(struct pm_statsd_batch *batch, size_t lines);

#endif
