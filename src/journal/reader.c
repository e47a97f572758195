#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/pack.h"
#include "journal/crc32c.h"
#include "journal/journal.h"
#include "journal/layout.h"

static const struct pm_layout_header *header_of(const struct pm_journal_reader *reader)
{
	return (const struct pm_layout_header *)(const void *)reader->map;
}

int pm_journal_reader_open(struct pm_journal_reader *reader, int fd, uint64_t after,
			   struct pm_error *error)
{
	*reader = (struct pm_journal_reader){.last = after};
	void *map = mmap(NULL, PM_LAYOUT_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return pm_error_set(error, errno, "cannot map the journal");
	reader->map = map;
	reader->record = malloc(PM_JOURNAL_RECORD_MAX + PM_LAYOUT_RECORD_HEAD);
	if (reader->record == NULL || header_of(reader)->magic != PM_LAYOUT_MAGIC ||
	    header_of(reader)->version != PM_LAYOUT_VERSION) {
		pm_journal_reader_close(reader);
		return pm_error_set(error, EINVAL, "cannot read the journal");
	}
	return 0;
}

void pm_journal_reader_close(struct pm_journal_reader *reader)
{
	if (reader->map != NULL)
		munmap((void *)(uintptr_t)reader->map, PM_LAYOUT_SIZE);
	free(reader->record);
	reader->map = NULL;
	reader->record = NULL;
}

static const uint8_t *at_position(const struct pm_journal_reader *reader, enum pm_journal_lane lane,
				  uint64_t position)
{
	return reader->map + pm_layout_offset(lane, position);
}

/* After reading what is at a position: whether the writer may have overwritten it meanwhile. */
static bool was_lapped(const struct pm_journal_reader *reader, enum pm_journal_lane lane,
		       uint64_t position)
{
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&header_of(reader)->lanes[lane].oldest, memory_order_relaxed) >
	       position;
}

struct glimpse {
	uint64_t sequence; /* 0: none; what covers a lane's end has none */
	uint64_t size;     /* at least 8, and within the lane whatever the memory holds */
};

static struct glimpse look(const struct pm_journal_reader *reader, enum pm_journal_lane lane,
			   uint64_t position)
{
	const uint8_t *record = at_position(reader, lane, position);
	uint64_t left = pm_layout_lanes[lane].size - position % pm_layout_lanes[lane].size;
	struct glimpse glimpse = {.size = pm_unpack_u32(record)};

	if (glimpse.size < 8)
		glimpse.size = 8;
	if (glimpse.size > left)
		glimpse.size = left;
	if (glimpse.size >= PM_LAYOUT_RECORD_HEAD)
		glimpse.sequence = pm_unpack_u64(record + 8);
	return glimpse;
}

/* The head of the lane's next record that is new to this reader; none: sequence 0. */
static struct glimpse peek(struct pm_journal_reader *reader, enum pm_journal_lane lane)
{
	const struct pm_layout_header *header = header_of(reader);
	uint64_t oldest = atomic_load_explicit(&header->lanes[lane].oldest, memory_order_acquire);

	if (reader->at[lane] < oldest)
		reader->at[lane] = oldest;
	while (reader->at[lane] <
	       atomic_load_explicit(&header->lanes[lane].head, memory_order_acquire)) {
		struct glimpse glimpse = look(reader, lane, reader->at[lane]);

		if (was_lapped(reader, lane, reader->at[lane])) {
			reader->at[lane] = atomic_load(&header->lanes[lane].oldest);
			continue;
		}
		if (glimpse.sequence > reader->last)
			return glimpse;
		reader->at[lane] += pm_layout_span(glimpse.size);
	}
	return (struct glimpse){0};
}

/* Copies the record before it is checked: it may be overwritten at any moment. */
static bool take(struct pm_journal_reader *reader, enum pm_journal_lane lane,
		 struct glimpse glimpse)
{
	uint64_t position = reader->at[lane];
	bool fits = glimpse.size <= PM_LAYOUT_RECORD_HEAD + PM_JOURNAL_RECORD_MAX;

	if (fits)
		memcpy(reader->record, at_position(reader, lane, position), glimpse.size);
	if (was_lapped(reader, lane, position))
		return false;
	/* A record that is not sound is passed over; the gap that it leaves is counted. */
	reader->at[lane] = position + pm_layout_span(glimpse.size);
	if (!fits ||
	    pm_unpack_u32(reader->record + 4) != pm_crc32c(reader->record + 8, glimpse.size - 8))
		return false;
	reader->lost += glimpse.sequence - reader->last - 1;
	reader->last = glimpse.sequence;
	reader->length = glimpse.size - PM_LAYOUT_RECORD_HEAD;
	memmove(reader->record, reader->record + PM_LAYOUT_RECORD_HEAD, reader->length);
	return true;
}

bool pm_journal_has_ended(const struct pm_journal_reader *reader)
{
	return atomic_load(&header_of(reader)->ended) != 0;
}

enum pm_journal_next pm_journal_next(struct pm_journal_reader *reader)
{
	const struct pm_layout_header *header = header_of(reader);
	/* `ended` first: once it is set, `published` moves no more. Then `published` before the
	 * lanes: all up to it is in them, and what is beyond it may still lack a predecessor in the
	 * other lane. */
	bool ended = pm_journal_has_ended(reader);
	uint64_t published = atomic_load(&header->published);

	while (reader->last < published) {
		enum pm_journal_lane lane = PM_JOURNAL_LANES;
		struct glimpse next = {.sequence = published + 1};

		for (enum pm_journal_lane i = 0; i < PM_JOURNAL_LANES; i++) {
			struct glimpse glimpse = peek(reader, i);

			if (glimpse.sequence != 0 && glimpse.sequence < next.sequence) {
				next = glimpse;
				lane = i;
			}
		}
		if (lane == PM_JOURNAL_LANES) {
			/* All up to `published` was overwritten while we looked; newer ones are there. */
			reader->lost += published - reader->last;
			reader->last = published;
			published = atomic_load(&header->published);
		} else if (take(reader, lane, next)) {
			return PM_JOURNAL_RECORD;
		}
	}
	return ended ? PM_JOURNAL_END : PM_JOURNAL_EMPTY;
}
