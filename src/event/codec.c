#include <config.h>

#include "event/codec.h"

#include <string.h>

#include "base/pack.h"

enum {
	RECORD_VERSION = 1,
	HEADER_SIZE = 1 + 3 * 4 + 8, /* version, type, severity, pid, time */
	NUMBER_SIZE = 1 + 8,
	TEXT_BIT = 0x80, /* of an item's number: a length and bytes follow */
	TEXT_HEAD_SIZE = 1 + 4,
};

enum kind { I32, I64, TEXT };

#define ITEM(FIELD, member_, kind_)                                                                \
	[PANICMON_HAS_##FIELD] = {offsetof(struct panicmon_event, member_), kind_}

static const struct {
	size_t offset;
	enum kind kind;
} items[] = {
	ITEM(ERROR, error, I32),
	ITEM(CODE, code, I32),
	ITEM(SIGNAL, signal, I32),
	ITEM(CORE, core, I32),
	ITEM(STATUS, status, I32),
	ITEM(REASON, reason, I32),
	ITEM(RUNTIME_MS, runtime_ms, I64),
	ITEM(CPU_USER_US, cpu_user_us, I64),
	ITEM(CPU_SYSTEM_US, cpu_system_us, I64),
	ITEM(MAX_RSS_KB, max_rss_kb, I64),
	ITEM(STOP_REQUESTED, stop_requested, I32),
	ITEM(STOP_SIGNAL, stop_signal, I32),
	ITEM(STOP_PID, stop_pid, I32),
	ITEM(STOP_UID, stop_uid, I32),
	ITEM(SENDER_PID, sender_pid, I32),
	ITEM(SENDER_UID, sender_uid, I32),
	ITEM(SENDER_COMMAND, sender_command, TEXT),
	ITEM(SI_CODE, si_code, I32),
	ITEM(VALUE, value, I32),
	ITEM(TARGET_PID, target_pid, I32),
	ITEM(STDERR_TAIL, stderr_tail, TEXT),
	ITEM(INSTANCE, instance, I32),
	ITEM(HANDLER, handler, TEXT),
	ITEM(LOST, lost, I64),
	ITEM(DROPPED, dropped, I64),
	ITEM(TEST, test, I32),
};
enum { ITEM_COUNT = sizeof(items) / sizeof(items[0]) };
_Static_assert(ITEM_COUNT == PANICMON_HAS_TEST + 1, "every field has its item");
_Static_assert((int)ITEM_COUNT < (int)TEXT_BIT && ITEM_COUNT <= 64,
	       "numbers fit in 7 bits, presence in 64");

static int64_t load_number(const void *member, enum kind kind)
{
	int32_t narrow;
	int64_t wide;

	if (kind == I64) {
		memcpy(&wide, member, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, member, sizeof(narrow));
	return narrow;
}

static void store_number(void *member, enum kind kind, int64_t wide)
{
	int32_t narrow = (int32_t)wide;

	if (kind == I64)
		memcpy(member, &wide, sizeof(wide));
	else
		memcpy(member, &narrow, sizeof(narrow));
}

static size_t encode_text(uint8_t *to, size_t room, uint8_t number, const void *member)
{
	const char *text;

	memcpy(&text, member, sizeof(text));
	size_t length = strlen(text) + 1;
	if (length > UINT32_MAX || room < TEXT_HEAD_SIZE || room - TEXT_HEAD_SIZE < length)
		return 0;
	to[0] = number | TEXT_BIT;
	pm_pack_u32(to + 1, (uint32_t)length);
	memcpy(to + TEXT_HEAD_SIZE, text, length);
	return TEXT_HEAD_SIZE + length;
}

static size_t encode_number(uint8_t *to, size_t room, uint8_t number, int64_t value)
{
	if (room < NUMBER_SIZE)
		return 0;
	to[0] = number;
	pm_pack_u64(to + 1, (uint64_t)value);
	return NUMBER_SIZE;
}

size_t pm_event_encode(const struct panicmon_event *event, uint8_t *to, size_t size)
{
	if (size < HEADER_SIZE)
		return 0;
	to[0] = RECORD_VERSION;
	pm_pack_u32(to + 1, event->type);
	pm_pack_u32(to + 5, event->severity);
	pm_pack_u32(to + 9, (uint32_t)event->pid);
	pm_pack_u64(to + 13, (uint64_t)event->time_ns);

	size_t used = HEADER_SIZE;
	for (uint8_t i = 0; i < ITEM_COUNT; i++) {
		const uint8_t *member = (const uint8_t *)event + items[i].offset;
		size_t added;

		if (!panicmon_event_has(event, i))
			continue;
		if (items[i].kind == TEXT)
			added = encode_text(to + used, size - used, i, member);
		else
			added = encode_number(to + used, size - used, i,
					      load_number(member, items[i].kind));
		if (added == 0)
			return 0;
		used += added;
	}
	return used;
}

/* The length of the item at `from`, or 0 if it does not fit in room or is not sound. */
static size_t decode_item(const uint8_t *from, size_t room, struct panicmon_event *event)
{
	uint8_t number = from[0] & (uint8_t)~TEXT_BIT;
	bool is_text = (from[0] & TEXT_BIT) != 0;
	bool known = number < ITEM_COUNT && (items[number].kind == TEXT) == is_text;
	size_t length;

	if (!is_text) {
		if (room < NUMBER_SIZE)
			return 0;
		if (known)
			store_number((uint8_t *)event + items[number].offset, items[number].kind,
				     (int64_t)pm_unpack_u64(from + 1));
		length = NUMBER_SIZE;
	} else {
		if (room < TEXT_HEAD_SIZE)
			return 0;
		size_t bytes = pm_unpack_u32(from + 1);
		if (bytes == 0 || room - TEXT_HEAD_SIZE < bytes ||
		    from[TEXT_HEAD_SIZE + bytes - 1] != '\0')
			return 0;
		const char *text = (const char *)from + TEXT_HEAD_SIZE;
		if (known)
			memcpy((uint8_t *)event + items[number].offset, &text, sizeof(text));
		length = TEXT_HEAD_SIZE + bytes;
	}
	if (known)
		event->present |= UINT64_C(1) << number;
	return length;
}

int pm_event_decode(const uint8_t *from, size_t length, struct panicmon_event *event)
{
	*event = (struct panicmon_event){.size = sizeof(*event)};
	if (length < HEADER_SIZE || from[0] != RECORD_VERSION)
		return -1;
	event->type = pm_unpack_u32(from + 1);
	event->severity = pm_unpack_u32(from + 5);
	event->pid = (int32_t)pm_unpack_u32(from + 9);
	event->time_ns = (int64_t)pm_unpack_u64(from + 13);

	for (size_t at = HEADER_SIZE; at < length;) {
		size_t item = decode_item(from + at, length - at, event);

		if (item == 0)
			return -1;
		at += item;
	}
	return 0;
}
