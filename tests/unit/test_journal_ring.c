/* The journal room: going round the ring, being overtaken, and starting it again. */
#include <config.h>

#include "test_journal.h"

#include <sys/stat.h>

#include "journal/layout.h"

/* ---- round and round ---- */

enum { HEAD = PM_LAYOUT_RECORD_HEAD };

/* Fills a lane with records of `span` bytes until `left` remain at its end, then goes on a little.
 * Read as it is written, so nothing may be lost. */
static void go_round(enum pm_journal_lane lane, size_t span, size_t left)
{
	struct pm_journal_reader reader;
	const size_t size = pm_layout_lanes[lane].size;
	const size_t first = (size - left) % span;

	open_reader(&reader, journal.published);
	/* One that is not `span` bytes long, so that the rest comes out as wanted. */
	append(lane, (first < HEAD ? first + span : first) - HEAD);
	for (size_t used = 0; used < size + 3 * span; used += span) {
		ck_assert_int_eq(pm_journal_next(&reader), PM_JOURNAL_RECORD);
		ck_assert_uint_eq(reader.last, journal.published);
		ck_assert(is_sound(&reader));
		ck_assert_int_eq(pm_journal_next(&reader), PM_JOURNAL_EMPTY);
		append(lane, span - HEAD);
	}
	ck_assert_uint_eq(read_all(&reader), 1);
	ck_assert_uint_eq(reader.lost, 0);
	ck_assert_uint_eq(reader.last, journal.published);
	pm_journal_reader_close(&reader);
}

/* Every rest that a lane's end can have: records begin at multiples of 8. */
START_TEST(wrap_of_kept_at_every_alignment)
{
	enum { SPAN = 256 };

	go_round(PM_JOURNAL_KEPT, SPAN, (size_t)_i * 8);
}
END_TEST

START_TEST(wrap_of_flood)
{
	enum { SPAN = 32 * 1024 };

	go_round(PM_JOURNAL_FLOOD, SPAN, (size_t)_i * 8);
}
END_TEST

/* The longest record finds the lane's end with any rest, and has to begin anew. */
START_TEST(wrap_of_the_longest)
{
	struct pm_journal_reader reader;

	open_reader(&reader, 0);
	for (int round = 0; round < 40; round++) {
		append(PM_JOURNAL_KEPT, PM_JOURNAL_RECORD_MAX);
		append(PM_JOURNAL_KEPT, (size_t)round * 8);
		ck_assert_uint_eq(read_all(&reader), 2);
	}
	ck_assert_uint_eq(reader.lost, 0);
	pm_journal_reader_close(&reader);
}
END_TEST

/* A reader that starts in a lane which has wrapped passes over what covers the end. */
START_TEST(opened_after_a_wrap)
{
	const size_t size = pm_layout_lanes[PM_JOURNAL_KEPT].size;

	append_many(PM_JOURNAL_KEPT, 1000, size / 1000 + size / 4000);
	for (uint64_t back = 0; back < size / 2000; back += 3) {
		struct pm_journal_reader reader;

		open_reader(&reader, journal.published - back);
		ck_assert_uint_eq(read_all(&reader), back);
		ck_assert_uint_eq(reader.lost, 0);
		pm_journal_reader_close(&reader);
	}
}
END_TEST

/* ---- overtaken ---- */

static void assert_accounts(struct pm_journal_reader *reader, uint64_t delivered, uint64_t after)
{
	ck_assert_uint_eq(reader->last, journal.published);
	ck_assert_uint_eq(after + delivered + reader->lost, journal.published);
}

/* The newest that fit in the lane arrive, the rest is counted. */
START_TEST(lapped_in_one_lane)
{
	enum { SPAN = 1024 };
	const enum pm_journal_lane lane = (enum pm_journal_lane)_i;
	const uint64_t fit = pm_layout_lanes[lane].size / SPAN;
	struct pm_journal_reader reader;

	open_reader(&reader, 0);
	append_many(lane, SPAN - HEAD, fit + 10);
	const uint64_t delivered = read_all(&reader);
	ck_assert_uint_ge(delivered, fit - 1);
	ck_assert_uint_ge(reader.lost, 10);
	assert_accounts(&reader, delivered, 0);

	append_many(lane, SPAN - HEAD, 3 * fit);
	assert_accounts(&reader, delivered + read_all(&reader), 0);
	pm_journal_reader_close(&reader);
}
END_TEST

START_TEST(not_lapped_while_it_fits)
{
	enum { SPAN = 1024 };
	const enum pm_journal_lane lane = (enum pm_journal_lane)_i;
	const uint64_t fit = pm_layout_lanes[lane].size / SPAN;
	struct pm_journal_reader reader;

	open_reader(&reader, 0);
	append_many(lane, SPAN - HEAD, fit);
	ck_assert_uint_eq(read_all(&reader), fit);
	ck_assert_uint_eq(reader.lost, 0);
	pm_journal_reader_close(&reader);
}
END_TEST

static size_t any_length(uint32_t *random)
{
	const uint32_t kind = next_random(random) % 64;

	if (kind == 0)
		return next_random(random) % (PM_JOURNAL_RECORD_MAX + 1);
	return next_random(random) % (kind < 16 ? 4000 : 300);
}

/* Any lengths, both lanes, readers at any pace: what was not delivered was counted, once. */
START_TEST(lapped_at_random)
{
	struct pm_journal_reader slow, fast;
	uint64_t delivered = 0, delivered_fast = 0;
	uint32_t random = (uint32_t)_i + 1;

	open_reader(&slow, 0);
	open_reader(&fast, 0);
	for (int round = 0; round < 15; round++) {
		for (uint32_t i = next_random(&random) % 3000; i > 0; i--) {
			append(next_random(&random) % 4 == 0 ? PM_JOURNAL_KEPT : PM_JOURNAL_FLOOD,
			       any_length(&random));
			if (i % 64 == 0)
				delivered_fast += read_all(&fast);
		}
		for (uint32_t i = next_random(&random) % 2000; i > 0; i--) {
			if (pm_journal_next(&slow) != PM_JOURNAL_RECORD)
				break;
			ck_assert(is_sound(&slow));
			delivered++;
			ck_assert_uint_eq(delivered + slow.lost, slow.last);
		}
	}
	delivered += read_all(&slow);
	delivered_fast += read_all(&fast);
	assert_accounts(&slow, delivered, 0);
	ck_assert_uint_gt(slow.lost, 0);
	assert_accounts(&fast, delivered_fast, 0);
	ck_assert_uint_eq(fast.lost, 0);
	pm_journal_reader_close(&slow);
	pm_journal_reader_close(&fast);
}
END_TEST

/* What was overwritten is given up, and no more than that: the rest comes without a gap. */
START_TEST(lapped_once)
{
	const size_t size = pm_layout_lanes[PM_JOURNAL_KEPT].size;
	uint32_t random = (uint32_t)_i + 1;
	struct pm_journal_reader reader;
	size_t bytes = 0;

	for (size_t i = 0; i < 3000; i++)
		append(PM_JOURNAL_KEPT, any_length(&random) % 3000);
	open_reader(&reader, 0);
	ck_assert_int_eq(pm_journal_next(&reader), PM_JOURNAL_RECORD);
	const uint64_t first = reader.last;
	ck_assert_uint_gt(first, 1);
	do
		bytes += HEAD + reader.length;
	while (pm_journal_next(&reader) == PM_JOURNAL_RECORD);
	ck_assert_uint_eq(reader.last, journal.published);
	ck_assert_uint_eq(reader.lost, first - 1);
	/* Less one at each end, and what rounds up to multiples of 8. */
	ck_assert_uint_ge(bytes + 2 * 3000 + 8 * (journal.published - first), size);
	pm_journal_reader_close(&reader);
}
END_TEST

/* A storm of signals leaves the lifecycle as it is, for one who reads late. */
START_TEST(flood_keeps_kept)
{
	enum { KEPT = 100 };
	struct pm_journal_reader reader;
	uint64_t kept[KEPT];
	size_t found = 0;
	uint64_t delivered = 0;

	for (size_t i = 0; i < KEPT; i++) {
		append(PM_JOURNAL_KEPT, 300 + i);
		kept[i] = journal.published;
		append_many(PM_JOURNAL_FLOOD, 900, 300);
	}
	open_reader(&reader, 0);
	while (pm_journal_next(&reader) == PM_JOURNAL_RECORD) {
		delivered++;
		ck_assert(is_sound(&reader));
		if (found < KEPT && reader.last == kept[found])
			found++;
	}
	ck_assert_uint_eq(found, KEPT);
	ck_assert_uint_gt(reader.lost, 0);
	assert_accounts(&reader, delivered, 0);
	pm_journal_reader_close(&reader);
}
END_TEST

START_TEST(end_for_the_lapped)
{
	struct pm_journal_reader reader;
	uint64_t delivered = 0;

	open_reader(&reader, 0);
	append_many(PM_JOURNAL_FLOOD, 60000, 200);
	pm_journal_end(&journal);
	delivered = read_all(&reader);
	ck_assert_int_eq(pm_journal_next(&reader), PM_JOURNAL_END);
	ck_assert_uint_gt(delivered, 0);
	assert_accounts(&reader, delivered, 0);
	pm_journal_reader_close(&reader);
}
END_TEST

/* ---- rewind ---- */

/* Bytes of memory that the journal has taken. */
static size_t memory_taken(void)
{
	struct stat status;

	ck_assert_int_eq(fstat(journal.fd, &status), 0);
	return (size_t)status.st_blocks * 512;
}

/* A service that is quiet, but lives long: its journal must not grow. */
START_TEST(rewind_saves_memory)
{
	struct pm_journal_reader reader;

	open_reader(&reader, 0);
	for (int i = 0; i < 20000; i++) {
		append(i % 2 == 0 ? PM_JOURNAL_KEPT : PM_JOURNAL_FLOOD, 200);
		ck_assert_int_eq(pm_journal_next(&reader), PM_JOURNAL_RECORD);
		ck_assert(is_sound(&reader));
		ck_assert_uint_eq(reader.last, journal.published);
		pm_journal_rewind(&journal);
		ck_assert_int_eq(pm_journal_next(&reader), PM_JOURNAL_EMPTY);
	}
	ck_assert_uint_eq(reader.lost, 0);
	/* Header, two lanes of little use, and a page more in each for the last record. */
	ck_assert_uint_le(memory_taken(), 64 * 1024);
	pm_journal_reader_close(&reader);
}
END_TEST

/* Two readers caught up, one at each pace; one opened after the rewind; and after it, again. */
static void assert_rewind(size_t before, size_t length, size_t count)
{
	struct pm_journal_reader reader, restarted, from_start;

	open_reader(&reader, journal.published);
	for (size_t i = 0; i < before; i++) {
		append(i % 2 == 0 ? PM_JOURNAL_KEPT : PM_JOURNAL_FLOOD, length);
		read_all(&reader);
	}
	pm_journal_rewind(&journal);
	const uint64_t rewound_at = journal.published;
	open_reader(&restarted, rewound_at);
	ck_assert_int_eq(pm_journal_next(&restarted), PM_JOURNAL_EMPTY);
	for (size_t i = 0; i < count; i++)
		append(i % 2 == 0 ? PM_JOURNAL_KEPT : PM_JOURNAL_FLOOD, length + i);

	ck_assert_uint_eq(read_all(&reader), count);
	ck_assert_uint_eq(read_all(&restarted), count);
	for (uint64_t skip = 0; skip <= count; skip++) {
		struct pm_journal_reader later;

		open_reader(&later, rewound_at + skip);
		ck_assert_uint_eq(read_all(&later), count - skip);
		ck_assert_uint_eq(later.lost, 0);
		pm_journal_reader_close(&later);
	}
	open_reader(&from_start, 0);
	assert_accounts(&from_start, read_all(&from_start), 0);
	ck_assert_uint_eq(reader.lost + restarted.lost, 0);
	pm_journal_reader_close(&from_start);
	pm_journal_reader_close(&restarted);
	pm_journal_reader_close(&reader);
}

START_TEST(rewind_then_go_on)
{
	assert_rewind(100, 1000 + (size_t)_i, 20);
	assert_rewind(300, 504 + (size_t)_i, 9);
	assert_rewind(1, 10, 3);
	assert_rewind(0, 16, 2);
}
END_TEST

/* Nothing to win, or nothing to rewind. */
START_TEST(rewind_of_little)
{
	struct pm_journal_reader reader;

	pm_journal_rewind(&journal);
	append(PM_JOURNAL_KEPT, 8);
	pm_journal_rewind(&journal);
	pm_journal_rewind(&journal);
	append(PM_JOURNAL_FLOOD, 8);
	open_reader(&reader, 0);
	ck_assert_uint_eq(read_all(&reader), 2);
	ck_assert_uint_eq(reader.lost, 0);
	pm_journal_reader_close(&reader);
}
END_TEST

/* One lane rewound after the other was, at any point, in any state of the ring. */
START_TEST(rewind_at_random)
{
	struct pm_journal_reader reader;
	uint64_t delivered = 0;
	uint32_t random = (uint32_t)_i + 100;

	open_reader(&reader, 0);
	for (int round = 0; round < 500; round++) {
		for (uint32_t i = next_random(&random) % 40; i > 0; i--)
			append(next_random(&random) % 2, any_length(&random));
		/* At most 40 long ones are unread: more than KEPT can hold, so some get lost. */
		delivered += read_all(&reader);
		assert_accounts(&reader, delivered, 0);
		if (next_random(&random) % 3 != 0)
			pm_journal_rewind(&journal);
	}
	pm_journal_reader_close(&reader);
}
END_TEST

void add_ring_tests(Suite *suite)
{
	TCase *tests = add_case(suite, "ring");

	tcase_add_loop_test(tests, wrap_of_kept_at_every_alignment, 0, 256 / 8);
	tcase_add_loop_test(tests, wrap_of_flood, 0, 6);
	tcase_add_test(tests, wrap_of_the_longest);
	tcase_add_test(tests, opened_after_a_wrap);
	tcase_add_loop_test(tests, lapped_in_one_lane, 0, PM_JOURNAL_LANES);
	tcase_add_loop_test(tests, not_lapped_while_it_fits, 0, PM_JOURNAL_LANES);
	tcase_add_loop_test(tests, lapped_at_random, 0, 3);
	tcase_add_loop_test(tests, lapped_once, 0, 20);
	tcase_add_test(tests, flood_keeps_kept);
	tcase_add_test(tests, end_for_the_lapped);
}

void add_rewind_tests(Suite *suite)
{
	TCase *tests = add_case(suite, "rewind");

	tcase_add_test(tests, rewind_saves_memory);
	tcase_add_loop_test(tests, rewind_then_go_on, 0, 9);
	tcase_add_test(tests, rewind_of_little);
	tcase_add_loop_test(tests, rewind_at_random, 0, 3);
}
