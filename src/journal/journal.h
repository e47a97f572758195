/* journal/journal.h: one writer, many readers, in memory that readers can only read.
 *
 * The journal holds opaque records, each with a sequence number (1, 2, 3...) and a checksum. It has
 * two lanes, each a ring of bytes: a flood in one never pushes records out of the other. Readers
 * see the records of both in the order of their sequence. A reader that is overtaken notices:
 * what it missed is counted, never silent.
 *
 * The memory is a memfd sealed with F_SEAL_FUTURE_WRITE (Linux 5.1): the writer keeps the one
 * writable mapping there is, and a reader's mapping can't be made writable, nor the file be cut
 * (which would end the writer by SIGBUS). Pages are taken only as they are first written, and a
 * lane starts again at its first page whenever pm_journal_rewind() finds it consumed.
 *
 * The writer's functions are for one thread of one process. A reader belongs to one thread; any
 * number of readers run in any processes at the same time.
 */
#ifndef PM_JOURNAL_JOURNAL_H
#define PM_JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum pm_journal_lane {
	PM_JOURNAL_KEPT,  /* few, and never to be pushed out by the others */
	PM_JOURNAL_FLOOD, /* may come in thousands */
	PM_JOURNAL_LANES
};

/* The longest record, in bytes. */
enum { PM_JOURNAL_RECORD_MAX = 64 * 1024 - 16 };

struct pm_journal {
	int fd; /* for pm_journal_reader_open(); close-on-exec; -1 if the journal is not open */
	uint8_t *map;
	uint64_t published; /* sequence number of the last record */
};

/* Writer. -1: no memory, or a kernel without memfd seals. */
int pm_journal_open(struct pm_journal *journal, struct pm_error *error);
void pm_journal_close(struct pm_journal *journal);

/* Appends a record (of length <= PM_JOURNAL_RECORD_MAX, longer ones are not taken) and makes it
 * visible. Returns its sequence number; 0 if it was too long. Makes no system call. */
uint64_t pm_journal_append(struct pm_journal *journal, enum pm_journal_lane lane, const void *bytes,
			   size_t length);

/* Call when every reader has read `journal->published`: the next record begins at the first page
 * of its lane, unless little has been used of it. */
void pm_journal_rewind(struct pm_journal *journal);

/* No record will follow: readers get PM_JOURNAL_END after the last one. */
void pm_journal_end(struct pm_journal *journal);

enum pm_journal_next {
	PM_JOURNAL_EMPTY, /* nothing more for now */
	PM_JOURNAL_RECORD,
	PM_JOURNAL_END,
};

struct pm_journal_reader {
	const uint8_t *map;
	uint64_t last; /* sequence number of the last record read, or passed over */
	uint64_t lost; /* records that were overwritten before they could be read */
	uint64_t at[PM_JOURNAL_LANES];
	uint8_t *record; /* the bytes of the last record */
	size_t length;
};

/* Reads on after sequence number `after` (0: from the oldest record there is). Does not keep fd. */
int pm_journal_reader_open(struct pm_journal_reader *reader, int fd, uint64_t after,
			   struct pm_error *error);
void pm_journal_reader_close(struct pm_journal_reader *reader);

/* Whether the writer has called pm_journal_end(). */
bool pm_journal_has_ended(const struct pm_journal_reader *reader);

/* On PM_JOURNAL_RECORD: reader->last, ->record, ->length, valid until the next call. */
enum pm_journal_next pm_journal_next(struct pm_journal_reader *reader);

#endif
