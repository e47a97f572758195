/* journal/layout.h: where things are in the journal's memory; for writer.c and reader.c only.
 *
 * Page 0 is the header, then follow the lanes. Positions in a lane are monotonic 64-bit byte
 * counts, reduced to an offset only at access. A record is contiguous and starts at a multiple of
 * 8; what is left at a lane's end is covered by a record with the sequence number 0.
 *
 *   u32  size of the record with this head, in bytes, without the padding to 8
 *   u32  CRC-32C of the rest
 *   u64  sequence number
 *        bytes
 */
#ifndef PM_JOURNAL_LAYOUT_H
#define PM_JOURNAL_LAYOUT_H

#include <stdatomic.h>

#include "journal/journal.h"

enum {
	PM_LAYOUT_HEADER = 4096,
	PM_LAYOUT_RECORD_HEAD = 16,
	PM_LAYOUT_KEPT_SIZE = 512 * 1024,
	PM_LAYOUT_FLOOD_SIZE = 8 * 1024 * 1024 - PM_LAYOUT_KEPT_SIZE - PM_LAYOUT_HEADER,
	PM_LAYOUT_SIZE = 8 * 1024 * 1024,
};

#define PM_LAYOUT_MAGIC UINT32_C(0x4a4d4350) /* "PCMJ" */
#define PM_LAYOUT_VERSION UINT32_C(1)

/* Read and written by both sides of a fork of the same program, so a struct will do. */
struct pm_layout_header {
	uint32_t magic, version;
	_Atomic uint64_t published; /* all records up to this sequence number are in their lanes */
	_Atomic uint32_t ended;
	struct {
		_Atomic uint64_t oldest; /* position of the first record that is not overwritten */
		_Atomic uint64_t head;   /* position after the last record */
	} lanes[PM_JOURNAL_LANES];
};
_Static_assert(sizeof(struct pm_layout_header) <= PM_LAYOUT_HEADER, "the header fits its page");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "shared between processes");

struct pm_layout_lane {
	size_t offset, size;
};

static const struct pm_layout_lane pm_layout_lanes[PM_JOURNAL_LANES] = {
	[PM_JOURNAL_KEPT] = {PM_LAYOUT_HEADER, PM_LAYOUT_KEPT_SIZE},
	[PM_JOURNAL_FLOOD] = {PM_LAYOUT_HEADER + PM_LAYOUT_KEPT_SIZE, PM_LAYOUT_FLOOD_SIZE},
};

/* Where in the journal's memory a position of a lane is. */
static inline size_t pm_layout_offset(enum pm_journal_lane lane, uint64_t position)
{
	return pm_layout_lanes[lane].offset + position % pm_layout_lanes[lane].size;
}

/* Bytes that a record of this size takes in its lane. */
static inline uint64_t pm_layout_span(uint64_t size)
{
	return (size + 7) & ~UINT64_C(7);
}

#endif
