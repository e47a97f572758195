#include <config.h>

#include "outbox.h"

#include <errno.h>
#include <inttypes.h>

#include "common/clock.h"

enum {
	OLD_MS = 100,        /* a line waits no longer, while events go on to come */
	FIRST_RETRY_MS = 50, /* doubling to */
	LAST_RETRY_MS = 2000,
	END_STEP_MS = 10,     /* between attempts at the end */
	END_MS = 250,         /* altogether; */
	END_LOOKUP_MS = 1000, /* of a name that was never found yet */
};

/* ---- losses ---- */

static void note_loss(struct pm_statsd_outbox *outbox, struct pm_statsd_share share,
		      const char *why)
{
	uint64_t metrics = share.metrics;

	outbox->untold += metrics + share.told;
	if (metrics == 0)
		return;
	outbox->lost += metrics;
	if (outbox->losing)
		return;
	outbox->losing = true;
	panicmon_log(outbox->host, PANICMON_WARNING,
		     "cannot send to %.300s: %s; metrics are lost until it can be", outbox->where,
		     why);
}

static void note_errno(struct pm_statsd_outbox *outbox, struct pm_statsd_share share, int error)
{
	note_loss(outbox, share, pm_statsd_link_reason(&outbox->link, error));
}

/* Of the datagram before. */
static void note_refusal(struct pm_statsd_outbox *outbox, int error)
{
	if (error == 0)
		return;
	note_errno(outbox, outbox->last, error);
	outbox->last = (struct pm_statsd_share){0};
}

static int look_for_refusal(struct pm_statsd_outbox *outbox)
{
	int error = pm_statsd_link_refused(&outbox->link);

	note_refusal(outbox, error);
	return error;
}

static void tell_total(struct pm_statsd_outbox *outbox, bool again)
{
	if (outbox->losing)
		panicmon_log(outbox->host, PANICMON_WARNING,
			     "%s%" PRIu64 " metrics to %.300s were lost",
			     again ? "sending again; " : "", outbox->lost, outbox->where);
	outbox->losing = false;
	outbox->lost = 0;
}

/* A refusal is told after the next datagram at the earliest, so one that was taken proves nothing
 * but that the one before it has not been refused. */
static void note_success(struct pm_statsd_outbox *outbox, int refused, struct pm_statsd_share share)
{
	if (refused == 0 && outbox->last.lines > 0)
		tell_total(outbox, true);
	outbox->last = share;
}

/* ---- lines ---- */

static void add(struct pm_statsd_outbox *outbox, enum pm_statsd_kind kind, size_t head,
		int64_t value)
{
	if (outbox->batch.count == 0)
		outbox->since_ns = pm_common_monotonic_ns();
	struct pm_statsd_share gone =
		pm_statsd_batch_add(&outbox->batch, kind, &outbox->line, head, value);
	if (gone.lines > 0)
		note_loss(outbox, gone,
			  outbox->line.failed ? "out of memory" : "more waits than can be kept");
}

static void add_metric(struct pm_statsd_outbox *outbox, enum pm_statsd_kind kind,
		       const struct pm_statsd_metric *metric, int64_t value)
{
	pm_common_buffer_reset(&outbox->line);
	add(outbox, kind, pm_statsd_line(&outbox->line, &outbox->style, metric), value);
}

void pm_statsd_outbox_add(struct pm_statsd_outbox *outbox, const struct pm_statsd_metric *metric,
			  int64_t value)
{
	add_metric(outbox, metric->type == PM_STATSD_COUNT ? PM_STATSD_COUNTER : PM_STATSD_VALUE,
		   metric, value);
}

void pm_statsd_outbox_add_text(struct pm_statsd_outbox *outbox)
{
	add(outbox, PM_STATSD_TEXT, outbox->line.length, 0);
}

static void add_dropped(struct pm_statsd_outbox *outbox)
{
	const struct pm_statsd_metric metric = {
		.name = "dropped", .time_s = pm_common_realtime_ns() / PM_COMMON_NS_PER_S};
	uint64_t untold = outbox->untold;
	outbox->untold = 0;
	add_metric(outbox, PM_STATSD_DROPPED, &metric, (int64_t)untold);
}

/* ---- sending ---- */

/* One datagram. 0, or errno. */
static int send_datagram(struct pm_statsd_outbox *outbox)
{
	struct pm_common_buffer *out = &outbox->datagram;
	int refused = look_for_refusal(outbox);

	if (outbox->untold > 0)
		add_dropped(outbox);
	pm_common_buffer_reset(out);
	struct pm_statsd_share share = pm_statsd_batch_pack(&outbox->batch, outbox->limit, out);
	if (out->failed)
		return ENOMEM;
	if (out->length > outbox->limit) {
		note_loss(outbox, pm_statsd_batch_remove(&outbox->batch, share.lines),
			  "a line is longer than max_datagram");
		return 0;
	}
	int late = 0;
	int result = pm_statsd_link_send(&outbox->link, out->data, out->length, &late);
	int error = errno;
	note_refusal(outbox, late);
	if (result == 0) {
		note_success(outbox, refused != 0 || late != 0, share);
		pm_statsd_batch_remove(&outbox->batch, share.lines);
		return 0;
	}
	if (error != EMSGSIZE)
		return error;
	note_errno(outbox, pm_statsd_batch_remove(&outbox->batch, share.lines), error);
	return 0;
}

static int send_all(struct pm_statsd_outbox *outbox)
{
	while (outbox->batch.count > 0) {
		int error = send_datagram(outbox);

		if (error != 0)
			return error;
	}
	return 0;
}

static uint32_t retry_ms(unsigned failures)
{
	uint32_t wait = FIRST_RETRY_MS;

	while (failures-- > 1 && wait < LAST_RETRY_MS)
		wait *= 2;
	return wait < LAST_RETRY_MS ? wait : LAST_RETRY_MS;
}

bool pm_statsd_outbox_is_empty(const struct pm_statsd_outbox *outbox)
{
	return outbox->batch.count == 0;
}

bool pm_statsd_outbox_send(struct pm_statsd_outbox *outbox, uint32_t *wait_ms)
{
	if (send_all(outbox) == 0) {
		outbox->failures = 0;
		return true;
	}
	*wait_ms = retry_ms(++outbox->failures);
	outbox->since_ns = pm_common_monotonic_ns();
	return false;
}

void pm_statsd_outbox_send_if_due(struct pm_statsd_outbox *outbox)
{
	bool old = pm_common_monotonic_ns() - outbox->since_ns >= OLD_MS * PM_COMMON_NS_PER_MS;
	uint32_t wait_ms;

	/* One that does not take what it gets is not asked for every event. */
	if (outbox->batch.count > 0 &&
	    (old || (outbox->failures == 0 && outbox->batch.bytes >= outbox->limit)))
		pm_statsd_outbox_send(outbox, &wait_ms);
}

void pm_statsd_outbox_finish(struct pm_statsd_outbox *outbox, uint32_t budget_ms)
{
	int64_t begun_ns = pm_common_monotonic_ns();
	int error;

	while ((error = send_all(outbox)) != 0) {
		int64_t patience_ms = error == EDESTADDRREQ ? END_LOOKUP_MS : END_MS;

		if (patience_ms > budget_ms / 2)
			patience_ms = budget_ms / 2;
		if (pm_common_monotonic_ns() - begun_ns >= patience_ms * PM_COMMON_NS_PER_MS)
			break;
		pm_statsd_link_wait(&outbox->link, error, END_STEP_MS);
	}
	if (outbox->batch.count > 0)
		note_errno(outbox, pm_statsd_batch_remove(&outbox->batch, PM_STATSD_BATCH_MAX),
			   error);
}

void pm_statsd_outbox_close(struct pm_statsd_outbox *outbox)
{
	look_for_refusal(outbox);
	tell_total(outbox, false);
	pm_statsd_batch_remove(&outbox->batch, PM_STATSD_BATCH_MAX);
	pm_statsd_link_close(&outbox->link);
	pm_statsd_style_free(&outbox->style);
	pm_common_buffer_free(&outbox->line);
	pm_common_buffer_free(&outbox->datagram);
}
