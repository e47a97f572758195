/* outbox.h: lines on their way: gathered, sent, and counted where they could not be. */
#ifndef PM_STATSD_OUTBOX_H
#define PM_STATSD_OUTBOX_H

#include <panicmon/handler.h>

#include "batch.h"
#include "lines.h"
#include "link.h"

struct pm_statsd_outbox {
	const struct panicmon_host *host;
	const char *where; /* `address`, for people */
	struct pm_statsd_style style;
	size_t limit; /* of a datagram */
	struct pm_statsd_link link;
	struct pm_statsd_batch batch;
	struct pm_common_buffer line, datagram; /* kept for their memory */
	int64_t since_ns;                       /* CLOCK_MONOTONIC: when the oldest line came */
	unsigned failures;                      /* in a row, of sending */
	struct pm_statsd_share last;            /* what the last datagram stood for */
	uint64_t untold; /* metrics lost, not yet in a "dropped" counter that has arrived */
	uint64_t lost;   /* in the row of losses that people have been told the begin of */
	bool losing;
};

/* A line of its own or, of a counter, one more in a line that waits. */
void pm_statsd_outbox_add(struct pm_statsd_outbox *outbox, const struct pm_statsd_metric *metric,
			  int64_t value);
/* outbox->line as it is. */
void pm_statsd_outbox_add_text(struct pm_statsd_outbox *outbox);

bool pm_statsd_outbox_is_empty(const struct pm_statsd_outbox *outbox);

/* Sends what waits if there is much of it, or if it has waited for some time. */
void pm_statsd_outbox_send_if_due(struct pm_statsd_outbox *outbox);

/* Sends what waits. False: not all of it could be, and *wait_ms says when to try again. */
bool pm_statsd_outbox_send(struct pm_statsd_outbox *outbox, uint32_t *wait_ms);

/* The last chance: waits a moment if that may help, and gives up what is left. */
void pm_statsd_outbox_finish(struct pm_statsd_outbox *outbox, uint32_t budget_ms);

/* Says what was lost in the end. */
void pm_statsd_outbox_close(struct pm_statsd_outbox *outbox);

#endif
