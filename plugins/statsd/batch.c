#include <config.h>

#include "batch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_ABOUT = 5 }; /* digits of a usual value, and the newline */

static struct pm_statsd_entry *entry_at(struct pm_statsd_batch *batch, size_t index)
{
	return &batch->entries[(batch->first + index) % PM_STATSD_BATCH_MAX];
}

static void count_entry(struct pm_statsd_share *share, const struct pm_statsd_entry *entry)
{
	share->lines++;
	if (entry->kind == PM_STATSD_DROPPED)
		share->told += (uint64_t)entry->value;
	else
		share->metrics += entry->metrics;
}

static bool is_sum(enum pm_statsd_kind kind)
{
	return kind == PM_STATSD_COUNTER || kind == PM_STATSD_DROPPED;
}

/* From the newest: a storm repeats what came just before. */
static struct pm_statsd_entry *find_sum(struct pm_statsd_batch *batch, enum pm_statsd_kind kind,
					const struct pm_common_buffer *text, size_t head)
{
	for (size_t i = batch->count; is_sum(kind) && i > 0; i--) {
		struct pm_statsd_entry *entry = entry_at(batch, i - 1);

		if (entry->kind == kind && entry->head == head && entry->length == text->length &&
		    memcmp(entry->text, text->data, text->length) == 0)
			return entry;
	}
	return NULL;
}

struct pm_statsd_share pm_statsd_batch_add(struct pm_statsd_batch *batch, enum pm_statsd_kind kind,
					   const struct pm_common_buffer *text, size_t head,
					   int64_t value)
{
	struct pm_statsd_share gone = {0};
	struct pm_statsd_entry *same = find_sum(batch, kind, text, head);
	int64_t sum;

	if (same != NULL && !__builtin_add_overflow(same->value, value, &sum)) {
		same->value = sum;
		same->metrics++;
		return gone;
	}
	struct pm_statsd_entry made = {
		.head = head, .length = text->length, .value = value, .metrics = 1, .kind = kind};
	made.text = text->failed ? NULL : malloc(text->length);
	if (made.text == NULL) {
		count_entry(&gone, &made);
		return gone;
	}
	memcpy(made.text, text->data, text->length);
	if (batch->count == PM_STATSD_BATCH_MAX)
		gone = pm_statsd_batch_remove(batch, 1);
	*entry_at(batch, batch->count++) = made;
	batch->bytes += made.length + VALUE_ABOUT;
	return gone;
}

static void put_entry(struct pm_common_buffer *out, const struct pm_statsd_entry *entry)
{
	pm_common_put(out, entry->text, entry->head);
	if (entry->kind != PM_STATSD_TEXT)
		pm_common_printf(out, "%" PRId64, entry->value);
	pm_common_put(out, entry->text + entry->head, entry->length - entry->head);
}

struct pm_statsd_share pm_statsd_batch_pack(struct pm_statsd_batch *batch, size_t limit,
					    struct pm_common_buffer *out)
{
	struct pm_statsd_share share = {0};

	for (size_t i = 0; i < batch->count; i++) {
		size_t before = out->length;

		if (i > 0)
			pm_common_puts(out, "\n");
		put_entry(out, entry_at(batch, i));
		if (i > 0 && out->length > limit) {
			out->length = before;
			break;
		}
		count_entry(&share, entry_at(batch, i));
	}
	return share;
}

struct pm_statsd_share pm_statsd_batch_remove(struct pm_statsd_batch *batch, size_t lines)
{
	struct pm_statsd_share share = {0};

	for (; lines > 0 && batch->count > 0; lines--) {
		struct pm_statsd_entry *entry = entry_at(batch, 0);

		count_entry(&share, entry);
		batch->bytes -= entry->length + VALUE_ABOUT;
		free(entry->text);
		*entry = (struct pm_statsd_entry){0};
		batch->first = (batch->first + 1) % PM_STATSD_BATCH_MAX;
		batch->count--;
	}
	return share;
}
