/* The journal room: order, content, lengths, the end; the ring and its memory in files of their own. */
#include <config.h>

#include "test_journal.h"

#include <stdlib.h>
#include <string.h>

#include "journal/crc32c.h"

struct pm_journal journal;
struct pm_error error;

/* Records are windows on these bytes: cheap to make and to compare, even under valgrind. */
enum { WINDOWS = 4099 };
static uint8_t bytes[PM_JOURNAL_RECORD_MAX + 1 + WINDOWS];

static void set_up(void)
{
	uint32_t random = 42;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)next_random(&random);
	ck_assert_msg(pm_journal_open(&journal, &error) == 0, "%s", error.text);
}

static void tear_down(void)
{
	pm_journal_close(&journal);
}

TCase *add_case(Suite *suite, const char *name)
{
	TCase *tests = make_case(suite, name, set_up, tear_down);

	tcase_set_timeout(tests, 240); /* valgrind */
	return tests;
}

uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* Neighbours have other bytes, and so has a record of the same number but of another length. */
static const uint8_t *window(uint64_t sequence, size_t length)
{
	return bytes + (sequence * 31 + length * 7) % WINDOWS;
}

void append(enum pm_journal_lane lane, size_t length)
{
	const uint64_t sequence = journal.published + 1;

	ck_assert_uint_eq(pm_journal_append(&journal, lane, window(sequence, length), length),
			  sequence);
	ck_assert_uint_eq(journal.published, sequence);
}

void append_many(enum pm_journal_lane lane, size_t length, size_t count)
{
	while (count-- > 0)
		append(lane, length);
}

bool is_sound(const struct pm_journal_reader *reader)
{
	return memcmp(reader->record, window(reader->last, reader->length), reader->length) == 0;
}

void open_reader(struct pm_journal_reader *reader, uint64_t after)
{
	ck_assert_msg(pm_journal_reader_open(reader, journal.fd, after, &error) == 0, "%s",
		      error.text);
}

uint64_t read_all(struct pm_journal_reader *reader)
{
	uint64_t count = 0, last = reader->last;

	while (pm_journal_next(reader) == PM_JOURNAL_RECORD) {
		ck_assert_uint_gt(reader->last, last);
		ck_assert_msg(is_sound(reader), "record %llu is not what was written",
			      (unsigned long long)reader->last);
		last = reader->last;
		count++;
	}
	return count;
}

/* ---- checksum ---- */

START_TEST(crc32c)
{
	uint8_t block[32];

	/* The check value of the catalogues, and RFC 3720 B.4. */
	ck_assert_uint_eq(pm_crc32c("123456789", 9), 0xE3069283u);
	ck_assert_uint_eq(pm_crc32c("", 0), 0);
	memset(block, 0, sizeof(block));
	ck_assert_uint_eq(pm_crc32c(block, sizeof(block)), 0x8A9136AAu);
	memset(block, 0xff, sizeof(block));
	ck_assert_uint_eq(pm_crc32c(block, sizeof(block)), 0x62A8AB43u);
	for (uint8_t i = 0; i < sizeof(block); i++)
		block[i] = i;
	ck_assert_uint_eq(pm_crc32c(block, sizeof(block)), 0x46DD794Eu);
	for (uint8_t i = 0; i < sizeof(block); i++)
		block[i] = (uint8_t)(31 - i);
	ck_assert_uint_eq(pm_crc32c(block, sizeof(block)), 0x113FDB5Cu);
}
END_TEST

/* Every length and alignment of the words that an instruction takes. */
START_TEST(crc32c_of_any_processor)
{
	ck_assert_uint_eq(pm_crc32c_by_table("123456789", 9), 0xE3069283u);
	for (size_t from = 0; from < 16; from++)
		for (size_t length = 0; length < 64; length++)
			ck_assert_uint_eq(pm_crc32c(bytes + from, length),
					  pm_crc32c_by_table(bytes + from, length));
}
END_TEST

/* ---- order and content ---- */

START_TEST(empty)
{
	struct pm_journal_reader reader;

	open_reader(&reader, 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pm_journal_next(&reader), PM_JOURNAL_EMPTY);
	ck_assert_uint_eq(reader.last, 0);
	ck_assert_uint_eq(reader.lost, 0);
	pm_journal_reader_close(&reader);
}
END_TEST

START_TEST(order_over_both_lanes)
{
	struct pm_journal_reader early, late;
	uint32_t random = 1;

	open_reader(&early, 0);
	for (uint64_t i = 1; i <= 2000; i++) {
		append(next_random(&random) % 3 == 0 ? PM_JOURNAL_KEPT : PM_JOURNAL_FLOOD,
		       next_random(&random) % 100);
		if (next_random(&random) % 2 == 0)
			continue;
		while (early.last < i) {
			const uint64_t before = early.last;

			ck_assert_int_eq(pm_journal_next(&early), PM_JOURNAL_RECORD);
			ck_assert_uint_eq(early.last, before + 1);
			ck_assert(is_sound(&early));
		}
		ck_assert_int_eq(pm_journal_next(&early), PM_JOURNAL_EMPTY);
	}
	open_reader(&late, 0);
	ck_assert_uint_eq(read_all(&late), 2000);
	ck_assert_uint_eq(late.lost + early.lost, 0);
	pm_journal_reader_close(&early);
	pm_journal_reader_close(&late);
}
END_TEST

START_TEST(all_lengths)
{
	static const size_t lengths[] = {
		0, 1, 7, 8, 9, 15, 16, 17, 4079, 4080, 4081,
		PM_JOURNAL_RECORD_MAX - 8, PM_JOURNAL_RECORD_MAX - 1, PM_JOURNAL_RECORD_MAX,
	};
	struct pm_journal_reader reader;

	open_reader(&reader, 0);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		for (enum pm_journal_lane lane = 0; lane < PM_JOURNAL_LANES; lane++) {
			append(lane, lengths[i]);
			ck_assert_int_eq(pm_journal_next(&reader), PM_JOURNAL_RECORD);
			ck_assert_uint_eq(reader.length, lengths[i]);
			ck_assert(is_sound(&reader));
			ck_assert_int_eq(pm_journal_next(&reader), PM_JOURNAL_EMPTY);
		}
	}
	pm_journal_reader_close(&reader);
}
END_TEST

START_TEST(too_long)
{
	struct pm_journal_reader reader;

	append(PM_JOURNAL_KEPT, 3);
	for (enum pm_journal_lane lane = 0; lane < PM_JOURNAL_LANES; lane++) {
		ck_assert_uint_eq(
			pm_journal_append(&journal, lane, bytes, PM_JOURNAL_RECORD_MAX + 1), 0);
		ck_assert_uint_eq(pm_journal_append(&journal, lane, bytes, SIZE_MAX), 0);
		ck_assert_uint_eq(pm_journal_append(&journal, lane, bytes, SIZE_MAX - 15), 0);
	}
	ck_assert_uint_eq(journal.published, 1);
	append(PM_JOURNAL_KEPT, 4);
	open_reader(&reader, 0);
	ck_assert_uint_eq(read_all(&reader), 2);
	ck_assert_uint_eq(reader.lost, 0);
	pm_journal_reader_close(&reader);
}
END_TEST

/* As a host that was started again: whatever the lengths of the records that it passes over. */
START_TEST(opened_after)
{
	enum { COUNT = 60 };
	uint32_t random = 7;

	for (size_t i = 0; i < COUNT; i++)
		append(next_random(&random) % 2, i);
	for (uint64_t after = 0; after <= COUNT; after++) {
		struct pm_journal_reader reader;

		open_reader(&reader, after);
		ck_assert_uint_eq(reader.last, after);
		ck_assert_uint_eq(read_all(&reader), COUNT - after);
		ck_assert_uint_eq(reader.lost, 0);
		ck_assert_uint_eq(reader.last, COUNT);
		pm_journal_reader_close(&reader);
	}
}
END_TEST

/* ---- the end ---- */

START_TEST(end_comes_after_the_last)
{
	struct pm_journal_reader reader, late;

	open_reader(&reader, 0);
	append(PM_JOURNAL_FLOOD, 10);
	append(PM_JOURNAL_KEPT, 10);
	ck_assert_int_eq(pm_journal_next(&reader), PM_JOURNAL_RECORD);
	pm_journal_end(&journal);
	ck_assert_int_eq(pm_journal_next(&reader), PM_JOURNAL_RECORD);
	ck_assert_uint_eq(reader.last, 2);
	open_reader(&late, 2);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(pm_journal_next(&reader), PM_JOURNAL_END);
		ck_assert_int_eq(pm_journal_next(&late), PM_JOURNAL_END);
	}
	ck_assert_uint_eq(reader.lost + late.lost, 0);
	pm_journal_reader_close(&reader);
	pm_journal_reader_close(&late);
}
END_TEST

START_TEST(end_of_nothing)
{
	struct pm_journal_reader reader;

	pm_journal_end(&journal);
	open_reader(&reader, 0);
	ck_assert_int_eq(pm_journal_next(&reader), PM_JOURNAL_END);
	pm_journal_reader_close(&reader);
}
END_TEST

START_TEST(closed_twice)
{
	struct pm_journal_reader reader;

	open_reader(&reader, 0);
	pm_journal_reader_close(&reader);
	pm_journal_reader_close(&reader);
	pm_journal_close(&journal);
	ck_assert_int_eq(journal.fd, -1);
	pm_journal_close(&journal);
}
END_TEST

static void add_journal_tests(Suite *suite)
{
	TCase *tests = add_case(suite, "journal");

	tcase_add_test(tests, crc32c);
	tcase_add_test(tests, crc32c_of_any_processor);
	tcase_add_test(tests, empty);
	tcase_add_test(tests, order_over_both_lanes);
	tcase_add_test(tests, all_lengths);
	tcase_add_test(tests, too_long);
	tcase_add_test(tests, opened_after);
	tcase_add_test(tests, end_comes_after_the_last);
	tcase_add_test(tests, end_of_nothing);
	tcase_add_test(tests, closed_twice);
}

int main(void)
{
	return RUN_SUITE("journal", add_journal_tests, add_ring_tests, add_rewind_tests,
			 add_memory_tests);
}
