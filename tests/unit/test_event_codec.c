/* The event room: an event to a record and back. */
#include <config.h>

#include "test_event.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "event/codec.h"
#include "event/event.h"

#define FIELD(number_, member_, kind_)                                                             \
	{#member_, PANICMON_HAS_##number_, kind_, offsetof(struct panicmon_event, member_)}

const struct field fields[] = {
	FIELD(ERROR, error, FIELD_I32),
	FIELD(CODE, code, FIELD_I32),
	FIELD(SIGNAL, signal, FIELD_I32),
	FIELD(CORE, core, FIELD_I32),
	FIELD(STATUS, status, FIELD_I32),
	FIELD(REASON, reason, FIELD_I32),
	FIELD(RUNTIME_MS, runtime_ms, FIELD_I64),
	FIELD(CPU_USER_US, cpu_user_us, FIELD_I64),
	FIELD(CPU_SYSTEM_US, cpu_system_us, FIELD_I64),
	FIELD(MAX_RSS_KB, max_rss_kb, FIELD_I64),
	FIELD(STOP_REQUESTED, stop_requested, FIELD_I32),
	FIELD(STOP_SIGNAL, stop_signal, FIELD_I32),
	FIELD(STOP_PID, stop_pid, FIELD_I32),
	FIELD(STOP_UID, stop_uid, FIELD_I32),
	FIELD(SENDER_PID, sender_pid, FIELD_I32),
	FIELD(SENDER_UID, sender_uid, FIELD_I32),
	FIELD(SENDER_COMMAND, sender_command, FIELD_TEXT),
	FIELD(SI_CODE, si_code, FIELD_I32),
	FIELD(VALUE, value, FIELD_I32),
	FIELD(TARGET_PID, target_pid, FIELD_I32),
	FIELD(STDERR_TAIL, stderr_tail, FIELD_TEXT),
	FIELD(INSTANCE, instance, FIELD_I32),
	FIELD(HANDLER, handler, FIELD_TEXT),
	FIELD(LOST, lost, FIELD_I64),
	FIELD(DROPPED, dropped, FIELD_I64),
	FIELD(TEST, test, FIELD_I32),
};
const size_t field_count = sizeof(fields) / sizeof(fields[0]);
_Static_assert(sizeof(fields) / sizeof(fields[0]) == PANICMON_HAS_TEST + 1,
	       "every field is tested, but for those that are in no journal");

struct panicmon_event bare_event(void)
{
	return (struct panicmon_event){
		.size = sizeof(struct panicmon_event),
		.type = PANICMON_PROCESS_EXITED,
		.severity = PANICMON_ERROR,
		.pid = 4711,
		.time_ns = INT64_C(1700000000123456789),
	};
}

/* A host adds them as it delivers; they are in no journal. */
START_TEST(what_alerts_add_is_not_written)
{
	struct panicmon_event event = bare_event(), back;
	uint8_t with[256], without[256];
	size_t length = pm_event_encode(&event, without, sizeof(without));

	PM_EVENT_SET(&event, INCIDENT, incident, "api@host");
	PM_EVENT_SET(&event, CRASHES, crashes, 3);
	ck_assert_uint_eq(pm_event_encode(&event, with, sizeof(with)), length);
	ck_assert_mem_eq(with, without, length);
	/* Nor taken from one: a text, and a number, of these fields. */
	static const uint8_t text[] = {PANICMON_HAS_INCIDENT | 0x80, 2, 0, 0, 0, 'x', 0};
	static const uint8_t number[] = {PANICMON_HAS_CRASHES, 1, 0, 0, 0, 0, 0, 0, 0};
	memcpy(with + length, text, sizeof(text));
	memcpy(with + length + sizeof(text), number, sizeof(number));
	length += sizeof(text) + sizeof(number);
	ck_assert_int_eq(pm_event_decode(with, length, &back), 0);
	ck_assert_uint_eq(back.present, 0);
	ck_assert_ptr_null(back.incident);
}
END_TEST

enum { VARIANTS = 6 };

void set_field(struct panicmon_event *event, const struct field *field, unsigned variant)
{
	static const int64_t wide[VARIANTS] = {0, -1, INT64_MIN, INT64_MAX, INT64_C(1) << 33, 5};
	static const int32_t narrow[VARIANTS] = {0, -1, INT32_MIN, INT32_MAX, 1 << 17, 5};
	static const char *const texts[VARIANTS] = {"", "x", "two words", "a\nb\t\x01\xff", "12345678",
						    "the end"};
	const unsigned which = (variant + (unsigned)field->number) % VARIANTS;
	char *member = (char *)event + field->offset;

	event->present |= UINT64_C(1) << field->number;
	if (field->kind == FIELD_I64)
		memcpy(member, &wide[which], sizeof(wide[which]));
	else if (field->kind == FIELD_I32)
		memcpy(member, &narrow[which], sizeof(narrow[which]));
	else
		memcpy(member, &texts[which], sizeof(texts[which]));
}

struct panicmon_event full_event(void)
{
	struct panicmon_event event = bare_event();

	for (size_t i = 0; i < field_count; i++)
		set_field(&event, &fields[i], 5);
	return event;
}

static void assert_same_field(const struct panicmon_event *got, const struct panicmon_event *wanted,
			      const struct field *field)
{
	const char *a = (const char *)got + field->offset;
	const char *b = (const char *)wanted + field->offset;
	const size_t size = field->kind == FIELD_I32 ? sizeof(int32_t) : sizeof(int64_t);
	const char *texts[2];

	if (field->kind != FIELD_TEXT) {
		ck_assert_msg(memcmp(a, b, size) == 0, "%s differs", field->name);
		return;
	}
	memcpy(&texts[0], a, sizeof(texts[0]));
	memcpy(&texts[1], b, sizeof(texts[1]));
	if (texts[1] == NULL)
		ck_assert_ptr_null(texts[0]);
	else
		ck_assert_str_eq(texts[0], texts[1]);
}

void assert_same_event(const struct panicmon_event *got, const struct panicmon_event *wanted)
{
	ck_assert_uint_eq(got->size, sizeof(*got));
	ck_assert_uint_eq(got->type, wanted->type);
	ck_assert_uint_eq(got->present, wanted->present);
	ck_assert_int_eq(got->time_ns, wanted->time_ns);
	ck_assert_uint_eq(got->severity, wanted->severity);
	ck_assert_int_eq(got->pid, wanted->pid);
	/* What is absent is 0 in both. */
	for (size_t i = 0; i < field_count; i++)
		assert_same_field(got, wanted, &fields[i]);
}

uint8_t *memory_before_the_edge(size_t size)
{
	static uint8_t *edge;
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t pages = (RECORD_SIZE + page - 1) / page;

	ck_assert_uint_le(size, RECORD_SIZE);
	if (edge == NULL) {
		uint8_t *map = mmap(NULL, (pages + 1) * page, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ck_assert_ptr_ne(map, MAP_FAILED);
		edge = map + pages * page;
		ck_assert_int_eq(mprotect(edge, page, PROT_NONE), 0);
	}
	return edge - size;
}

/* ---- round trips ---- */

static void assert_round_trip(const struct panicmon_event *event)
{
	uint8_t scratch[RECORD_SIZE];
	struct panicmon_event got;
	const size_t length = pm_event_encode(event, scratch, sizeof(scratch));

	ck_assert_uint_gt(length, 0);
	uint8_t *record = memcpy(memory_before_the_edge(length), scratch, length);
	memset(&got, 0x5a, sizeof(got));
	ck_assert_int_eq(pm_event_decode(record, length, &got), 0);
	assert_same_event(&got, event);
}

START_TEST(nothing_but_the_head)
{
	struct panicmon_event event = bare_event();

	assert_round_trip(&event);
	event.type = PANICMON_SIGNAL_FAILED;
	event.severity = UINT32_MAX;
	event.pid = INT32_MIN;
	event.time_ns = INT64_MIN;
	assert_round_trip(&event);
	event.time_ns = INT64_MAX;
	event.pid = INT32_MAX;
	assert_round_trip(&event);
}
END_TEST

START_TEST(each_field_alone)
{
	for (unsigned variant = 0; variant < VARIANTS; variant++) {
		struct panicmon_event event = bare_event();

		set_field(&event, &fields[_i], variant);
		assert_round_trip(&event);
	}
}
END_TEST

START_TEST(all_fields_but_one)
{
	for (unsigned variant = 0; variant < VARIANTS; variant++) {
		struct panicmon_event event = bare_event();

		for (int i = 0; i < (int)field_count; i++)
			if (i != _i)
				set_field(&event, &fields[i], variant);
		assert_round_trip(&event);
	}
}
END_TEST

START_TEST(all_fields_together)
{
	for (unsigned variant = 0; variant < VARIANTS; variant++) {
		struct panicmon_event event = bare_event();

		for (size_t i = 0; i < field_count; i++)
			set_field(&event, &fields[i], variant);
		assert_round_trip(&event);
	}
}
END_TEST

/* A member that is set but not marked as present does not travel. */
START_TEST(absent_ones_stay_absent)
{
	struct panicmon_event event = full_event();
	const struct panicmon_event wanted = bare_event();
	struct panicmon_event got;
	uint8_t record[RECORD_SIZE];

	event.present = 0;
	size_t length = pm_event_encode(&event, record, sizeof(record));
	ck_assert_int_eq(pm_event_decode(record, length, &got), 0);
	assert_same_event(&got, &wanted);
	for (size_t i = 0; i < field_count; i++)
		ck_assert(!panicmon_event_has(&got, fields[i].number));
}
END_TEST

START_TEST(long_texts)
{
	struct panicmon_event event = bare_event();
	struct panicmon_event got;
	const size_t size = 300000;
	char *text = malloc(size);
	uint8_t *record = malloc(size + RECORD_SIZE);

	memset(text, 'x', size - 1);
	text[size - 1] = '\0';
	PM_EVENT_SET(&event, STDERR_TAIL, stderr_tail, text);
	PM_EVENT_SET(&event, SENDER_COMMAND, sender_command, text + size - 256);
	size_t length = pm_event_encode(&event, record, size + RECORD_SIZE);
	ck_assert_uint_gt(length, size);
	ck_assert_int_eq(pm_event_decode(record, length, &got), 0);
	assert_same_event(&got, &event);
	free(record);
	free(text);
}
END_TEST

/* Records outlive a panicmon in its spool, so these bytes are for ever. */
START_TEST(the_bytes_of_a_record)
{
	static const uint8_t wanted[] = {
		1,                                           /* version */
		3, 0, 0, 0,                                  /* process.exited */
		3, 0, 0, 0,                                  /* error */
		0x67, 0x12, 0, 0,                            /* pid */
		0x15, 0xcd, 0x85, 0x3d, 0xfe, 0x9c, 0x97, 0x17, /* time */
		1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* code -1 */
		2, 9, 0, 0, 0, 0, 0, 0, 0,                   /* signal 9 */
		0x90, 3, 0, 0, 0, 's', 'h', '\0',            /* sender_command */
	};
	struct panicmon_event event = bare_event();
	uint8_t record[RECORD_SIZE];

	PM_EVENT_SET(&event, CODE, code, -1);
	PM_EVENT_SET(&event, SIGNAL, signal, 9);
	PM_EVENT_SET(&event, SENDER_COMMAND, sender_command, "sh");
	ck_assert_uint_eq(pm_event_encode(&event, record, sizeof(record)), sizeof(wanted));
	ck_assert_mem_eq(record, wanted, sizeof(wanted));
}
END_TEST

START_TEST(buffer_too_small)
{
	const struct panicmon_event event = full_event();
	uint8_t whole[RECORD_SIZE];
	const size_t length = pm_event_encode(&event, whole, sizeof(whole));

	for (size_t size = 0; size < length; size++)
		ck_assert_uint_eq(pm_event_encode(&event, memory_before_the_edge(size), size), 0);
	ck_assert_uint_eq(pm_event_encode(&event, memory_before_the_edge(length), length), length);
	ck_assert_mem_eq(memory_before_the_edge(length), whole, length);
}
END_TEST

void add_codec_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "codec", NULL, NULL);

	tcase_add_test(tests, what_alerts_add_is_not_written);
	tcase_add_test(tests, nothing_but_the_head);
	tcase_add_loop_test(tests, each_field_alone, 0, (int)field_count);
	tcase_add_loop_test(tests, all_fields_but_one, 0, (int)field_count);
	tcase_add_test(tests, all_fields_together);
	tcase_add_test(tests, absent_ones_stay_absent);
	tcase_add_test(tests, long_texts);
	tcase_add_test(tests, the_bytes_of_a_record);
	tcase_add_test(tests, buffer_too_small);
}
