/* record.h: what one line of a log tells, and its members, whatever the format. */
#ifndef PM_LOG_RECORD_H
#define PM_LOG_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <panicmon/event.h>

#include "common/buffer.h"

struct pm_log_record {
	const struct panicmon_event *event; /* of a gap: whence time and origin are taken */
	uint64_t dropped; /* not 0: a gap, "log.dropped"; so many events were lost here */
	int error;        /* of a gap: errno(3) of the last of those */
	size_t budget;    /* about so many bytes of the strings are kept; SIZE_MAX: all */
	bool colour;      /* of text only */
};

/* The event's name, or that of the gap. */
const char *pm_log_record_name(const struct pm_log_record *record);
uint32_t pm_log_record_severity(const struct pm_log_record *record);

/* A UUID of 32 hexadecimal digits that stands for what such records tell, for ever: journald's
 * MESSAGE_ID. panicmon.ini(5) lists them. */
const char *pm_log_record_id(const struct pm_log_record *record);

/* The members that panicmon.ini(5) names for format = json, in their order. The caller's; NULL: out of
 * memory. Of *flags see common/json.h. */
json_t *pm_log_record_members(const struct pm_log_record *record, size_t *flags);

/* Appends a member's value as text: numbers in decimal, true or false, an array as words of a shell. */
void pm_log_record_value(struct pm_common_buffer *out, const json_t *value);

/* Appends "EVENT: what happened", as the text format has it, cut after a few hundred bytes: who wants
 * all of it has the members. Valid UTF-8 without any control character. */
void pm_log_record_message(struct pm_common_buffer *out, const struct pm_log_record *record);

/* The same as a string of JSON; NULL: out of memory. */
json_t *pm_log_record_json_message(const struct pm_log_record *record);

#endif
