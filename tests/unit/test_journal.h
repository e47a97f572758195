/* What the test files of the journal room share. */
#ifndef PM_TESTS_UNIT_TEST_JOURNAL_H
#define PM_TESTS_UNIT_TEST_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal/journal.h"
#include "suite.h"

void add_ring_tests(Suite *suite);
void add_rewind_tests(Suite *suite);
void add_memory_tests(Suite *suite);

extern struct pm_journal journal;
extern struct pm_error error;

/* Each test case begins with an empty journal. */
TCase *add_case(Suite *suite, const char *name);

/* Appends a record whose bytes follow from its sequence number and length. */
void append(enum pm_journal_lane lane, size_t length);
void append_many(enum pm_journal_lane lane, size_t length, size_t count);

/* Whether the reader's record is what append() wrote. */
bool is_sound(const struct pm_journal_reader *reader);

void open_reader(struct pm_journal_reader *reader, uint64_t after);

/* Reads what there is; every record must be sound, and later than the one before. Returns how many
 * there were. */
uint64_t read_all(struct pm_journal_reader *reader);

/* A seed of its own, so that a failure comes again. */
uint32_t next_random(uint32_t *state);

#endif
