#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/pack.h"
#include "journal/crc32c.h"
#include "journal/journal.h"
#include "journal/layout.h"

/* Below this, a rewind saves no memory that matters. */
enum { REWIND_FROM = 16 * 1024 };

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

static struct pm_layout_header *header_of(const struct pm_journal *journal)
{
	return (struct pm_layout_header *)(void *)journal->map;
}

int pm_journal_open(struct pm_journal *journal, struct pm_error *error)
{
	*journal = (struct pm_journal){.fd = -1};
	journal->map = pm_memory_share_sealed("panicmon-journal", PM_LAYOUT_SIZE, F_SEAL_FUTURE_WRITE,
				       &journal->fd, error);
	if (journal->map == NULL)
		return -1;
	header_of(journal)->magic = PM_LAYOUT_MAGIC;
	header_of(journal)->version = PM_LAYOUT_VERSION;
	return 0;
}

void pm_journal_close(struct pm_journal *journal)
{
	if (journal->map != NULL)
		munmap(journal->map, PM_LAYOUT_SIZE);
	journal->map = NULL;
	pm_close(&journal->fd);
}

static uint8_t *at_position(const struct pm_journal *journal, enum pm_journal_lane lane,
			    uint64_t position)
{
	return journal->map + pm_layout_offset(lane, position);
}

/* Gives up the oldest records until `span` bytes can be written at the lane's head. */
static void make_room(struct pm_journal *journal, enum pm_journal_lane lane, uint64_t span)
{
	struct pm_layout_header *header = header_of(journal);
	uint64_t head = atomic_load_explicit(&header->lanes[lane].head, memory_order_relaxed);
	uint64_t oldest = atomic_load_explicit(&header->lanes[lane].oldest, memory_order_relaxed);

	if (head + span - oldest <= pm_layout_lanes[lane].size)
		return;
	while (head + span - oldest > pm_layout_lanes[lane].size)
		oldest += pm_layout_span(pm_unpack_u32(at_position(journal, lane, oldest)));
	atomic_store_explicit(&header->lanes[lane].oldest, oldest, memory_order_relaxed);
	/* Readers must see the new `oldest` before they can see any byte of what overwrites it. */
	atomic_thread_fence(memory_order_release);
}

static void write_record(struct pm_journal *journal, enum pm_journal_lane lane, uint64_t sequence,
			 const void *bytes, uint64_t size)
{
	struct pm_layout_header *header = header_of(journal);
	uint64_t head = atomic_load_explicit(&header->lanes[lane].head, memory_order_relaxed);
	uint8_t *record = at_position(journal, lane, head);

	pm_pack_u32(record, (uint32_t)size);
	if (sequence != 0) {
		pm_pack_u64(record + 8, sequence);
		memcpy(record + PM_LAYOUT_RECORD_HEAD, bytes, size - PM_LAYOUT_RECORD_HEAD);
		pm_pack_u32(record + 4, pm_crc32c(record + 8, size - 8));
	} else if (size >= PM_LAYOUT_RECORD_HEAD) {
		pm_pack_u64(record + 8, 0);
	}
	atomic_store_explicit(&header->lanes[lane].head, head + pm_layout_span(size),
			      memory_order_release);
}

/* Covers what is left of the lane with a record that readers skip. */
static void skip_to_start(struct pm_journal *journal, enum pm_journal_lane lane, uint64_t left)
{
	make_room(journal, lane, left);
	write_record(journal, lane, 0, NULL, left);
}

static uint64_t left_in_lane(const struct pm_journal *journal, enum pm_journal_lane lane)
{
	uint64_t head =
		atomic_load_explicit(&header_of(journal)->lanes[lane].head, memory_order_relaxed);
	size_t size = pm_layout_lanes[lane].size;

	return size - head % size;
}

uint64_t pm_journal_append(struct pm_journal *journal, enum pm_journal_lane lane, const void *bytes,
			   size_t length)
{
	uint64_t size = PM_LAYOUT_RECORD_HEAD + length;
	uint64_t left = left_in_lane(journal, lane);

	if (length > PM_JOURNAL_RECORD_MAX)
		return 0;
	if (left < pm_layout_span(size))
		skip_to_start(journal, lane, left);
	make_room(journal, lane, pm_layout_span(size));
	write_record(journal, lane, ++journal->published, bytes, size);
	/* Sequentially consistent, and so is a host's going to sleep: either it sees this record,
	 * or we see that it sleeps. */
	atomic_store(&header_of(journal)->published, journal->published);
	return journal->published;
}

void pm_journal_rewind(struct pm_journal *journal)
{
	struct pm_layout_header *header = header_of(journal);

	for (enum pm_journal_lane lane = 0; lane < PM_JOURNAL_LANES; lane++) {
		uint64_t left = left_in_lane(journal, lane);

		if (pm_layout_lanes[lane].size - left < REWIND_FROM)
			continue;
		skip_to_start(journal, lane, left);
		/* All was read: a reader that starts now need not look at it again. */
		atomic_store(&header->lanes[lane].oldest, atomic_load(&header->lanes[lane].head));
	}
}

void pm_journal_end(struct pm_journal *journal)
{
	atomic_store(&header_of(journal)->ended, 1);
}
