/* The event room: records that are damaged, cut, or from another version. */
#include <config.h>

#include "test_event.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/pack.h"
#include "event/codec.h"
#include "event/event.h"

enum { HEAD_SIZE = 21, UNKNOWN_NUMBER = 100, TEXT_MARK = 0x80 };

static size_t full_record(uint8_t *record)
{
	const struct panicmon_event event = full_event();

	return pm_event_encode(&event, record, RECORD_SIZE);
}

static size_t add_number(uint8_t *to, uint8_t number, uint64_t value)
{
	to[0] = number;
	pm_pack_u64(to + 1, value);
	return 9;
}

static size_t add_text(uint8_t *to, uint8_t number, const char *text)
{
	const size_t length = strlen(text) + 1;

	to[0] = number | TEXT_MARK;
	pm_pack_u32(to + 1, (uint32_t)length);
	memcpy(to + 5, text, length);
	return 5 + length;
}

/* Decodes at the edge of memory, and reads every text to its end. */
static int decode_and_touch(const uint8_t *bytes, size_t length, struct panicmon_event *event)
{
	uint8_t *record = memory_before_the_edge(length);

	memcpy(record, bytes, length);
	if (pm_event_decode(record, length, event) < 0)
		return -1;
	const char *const texts[] = {event->sender_command, event->stderr_tail};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i] == NULL)
			continue;
		const uint8_t *text = (const uint8_t *)texts[i];
		ck_assert(text >= record && text < record + length);
		ck_assert_uint_lt(strlen(texts[i]), length);
	}
	ck_assert_uint_eq(event->present >> field_count, 0);
	return 0;
}

/* From a panicmon that knows more: between, before and after what is known. */
START_TEST(unknown_items_are_skipped)
{
	struct panicmon_event wanted = bare_event();
	struct panicmon_event got;
	uint8_t record[RECORD_SIZE];
	size_t length = pm_event_encode(&wanted, record, sizeof(record));

	length += add_number(record + length, UNKNOWN_NUMBER, UINT64_MAX);
	length += add_number(record + length, PANICMON_HAS_CODE, 7);
	length += add_text(record + length, UNKNOWN_NUMBER, "from the future");
	length += add_text(record + length, TEXT_MARK - 1, "");
	length += add_text(record + length, PANICMON_HAS_SENDER_COMMAND, "sh");
	length += add_number(record + length, (uint8_t)field_count, 1);
	PM_EVENT_SET(&wanted, CODE, code, 7);
	PM_EVENT_SET(&wanted, SENDER_COMMAND, sender_command, "sh");
	ck_assert_int_eq(decode_and_touch(record, length, &got), 0);
	assert_same_event(&got, &wanted);
}
END_TEST

/* A text where a number belongs must not be taken for a pointer, nor the other way round. */
START_TEST(items_of_the_wrong_kind_are_skipped)
{
	const struct panicmon_event wanted = bare_event();

	for (size_t i = 0; i < field_count; i++) {
		struct panicmon_event got;
		uint8_t record[RECORD_SIZE];
		size_t length = pm_event_encode(&wanted, record, sizeof(record));

		if (fields[i].kind == FIELD_TEXT)
			length += add_number(record + length, (uint8_t)fields[i].number,
					     UINT64_C(0x4141414141414141));
		else
			length += add_text(record + length, (uint8_t)fields[i].number, "text");
		ck_assert_int_eq(decode_and_touch(record, length, &got), 0);
		assert_same_event(&got, &wanted);
	}
}
END_TEST

START_TEST(other_versions_are_refused)
{
	struct panicmon_event got;
	uint8_t record[RECORD_SIZE];
	const size_t length = full_record(record);

	for (int version = 0; version < 256; version++) {
		record[0] = (uint8_t)version;
		ck_assert_int_eq(decode_and_touch(record, length, &got), version == 1 ? 0 : -1);
	}
}
END_TEST

static bool is_text_sound(size_t room, uint32_t length, char last)
{
	struct panicmon_event event = bare_event();
	uint8_t record[RECORD_SIZE];
	size_t at = pm_event_encode(&event, record, sizeof(record));

	memset(record + at, 'x', room + 5);
	record[at] = PANICMON_HAS_STDERR_TAIL | TEXT_MARK;
	pm_pack_u32(record + at + 1, length);
	record[at + 5 + room - 1] = (uint8_t)last;
	return decode_and_touch(record, at + 5 + room, &event) == 0;
}

START_TEST(lengths_of_texts)
{
	ck_assert(is_text_sound(4, 4, '\0'));
	ck_assert(!is_text_sound(4, 4, 'x')); /* no NUL at its end */
	ck_assert(!is_text_sound(4, 0, '\0'));
	ck_assert(!is_text_sound(0, 0, '\0')); /* not even its NUL */
	ck_assert(!is_text_sound(4, 5, '\0'));
	ck_assert(!is_text_sound(4, 3, '\0'));
	ck_assert(!is_text_sound(4, INT32_MAX, '\0'));
	ck_assert(!is_text_sound(4, UINT32_MAX, '\0'));
	ck_assert(!is_text_sound(4, UINT32_MAX - 4, '\0'));
}
END_TEST

/* A cut record is refused, unless it was cut between two items: the journal's checksum tells. */
START_TEST(every_truncation)
{
	struct panicmon_event event = bare_event();
	struct panicmon_event got;
	uint8_t record[RECORD_SIZE], scratch[RECORD_SIZE];
	bool between_items[RECORD_SIZE] = {false};

	between_items[HEAD_SIZE] = true;
	for (size_t i = 0; i < field_count; i++) {
		set_field(&event, &fields[i], 5);
		between_items[pm_event_encode(&event, scratch, sizeof(scratch))] = true;
	}
	const size_t length = full_record(record);
	for (size_t cut = 0; cut <= length; cut++)
		ck_assert_int_eq(decode_and_touch(record, cut, &got), between_items[cut] ? 0 : -1);
}
END_TEST

/* A seed of its own, so that a failure comes again. */
static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

START_TEST(random_bytes_flipped)
{
	uint8_t whole[RECORD_SIZE], record[RECORD_SIZE];
	const size_t length = full_record(whole);
	uint32_t random = 4711;
	size_t refused = 0, rounds = 50000;

	for (size_t round = 0; round < rounds; round++) {
		struct panicmon_event got;

		memcpy(record, whole, length);
		for (uint32_t flips = 1 + next_random(&random) % 4; flips > 0; flips--)
			record[next_random(&random) % length] ^=
				(uint8_t)(1u << next_random(&random) % 8);
		refused += decode_and_touch(record, length, &got) < 0;
	}
	/* Both happen: lengths that don't fit, and values that nobody can know to be wrong. */
	ck_assert_uint_gt(refused, rounds / 100);
	ck_assert_uint_lt(refused, rounds);
}
END_TEST

START_TEST(every_byte_replaced)
{
	uint8_t record[RECORD_SIZE];
	const size_t length = full_record(record);

	for (size_t at = 0; at < length; at++) {
		const uint8_t before = record[at];

		for (unsigned value = 0; value < 256; value++) {
			struct panicmon_event got;

			record[at] = (uint8_t)value;
			decode_and_touch(record, length, &got);
		}
		record[at] = before;
	}
}
END_TEST

START_TEST(random_bytes)
{
	uint32_t random = 815;

	for (int round = 0; round < 50000; round++) {
		struct panicmon_event got;
		uint8_t record[128];
		const size_t length = next_random(&random) % sizeof(record);

		for (size_t i = 0; i < length; i++)
			record[i] = (uint8_t)next_random(&random);
		if (length > 0)
			record[0] = 1;
		decode_and_touch(record, length, &got);
	}
}
END_TEST

void add_damage_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "damage", NULL, NULL);

	tcase_add_test(tests, unknown_items_are_skipped);
	tcase_add_test(tests, items_of_the_wrong_kind_are_skipped);
	tcase_add_test(tests, other_versions_are_refused);
	tcase_add_test(tests, lengths_of_texts);
	tcase_add_test(tests, every_truncation);
	tcase_add_test(tests, random_bytes_flipped);
	tcase_add_test(tests, every_byte_replaced);
	tcase_add_test(tests, random_bytes);
}
