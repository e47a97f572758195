/* otel: a LogsData of the OpenTelemetry protocol (OTLP/JSON, one a line, as its file exporter writes
 * them), with the names of the semantic conventions. What those have no name for is below "panicmon.". */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/names.h"
#include "format.h"

/* Whose attribute it is. */
enum owner { NOBODY, RESOURCE, RECORD };

/* Of the members of format = json; those that are not here are the record's, below "panicmon.". */
static const struct {
	const char *member, *name;
	enum owner owner;
} names[] = {
	{"time", NULL, NOBODY},
	{"severity", NULL, NOBODY},
	{"code", NULL, NOBODY},
	{"event", NULL, NOBODY},
	{"name", "service.name", RESOURCE},
	{"run", "service.instance.id", RESOURCE},
	{"host", "host.name", RESOURCE},
	{"pid", "process.pid", RESOURCE},
	{"args", "process.command_args", RESOURCE},
	{"errno", "error.type", RECORD},
	{"error", "error.message", RECORD},
};
enum { NAME_COUNT = sizeof(names) / sizeof(names[0]) };

/* SeverityNumber of the data model. */
static const int severity_numbers[] = {
	[PANICMON_FATAL] = 21,  [PANICMON_ERROR] = 17, [PANICMON_WARNING] = 13,
	[PANICMON_NOTICE] = 10, [PANICMON_INFO] = 9,   [PANICMON_DEBUG] = 5,
};
_Static_assert(sizeof(severity_numbers) / sizeof(severity_numbers[0]) == PANICMON_DEBUG + 1,
	       "each severity has its number");

struct line {
	json_t *resource, *record; /* arrays of attributes */
	bool failed;
};

/* A member as an AnyValue. A 64-bit number is a string in the JSON of protocol buffers. */
static json_t *any_value(json_t *value)
{
	char digits[24];

	switch (json_typeof(value)) {
	case JSON_STRING:
		return json_pack("{s:O}", "stringValue", value);
	case JSON_INTEGER:
		snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value));
		return json_pack("{s:s}", "intValue", digits);
	default:
		return json_pack("{s:O}", "boolValue", value);
	}
}

static json_t *array_value(json_t *array)
{
	json_t *values = json_array(), *value;
	size_t i;

	json_array_foreach(array, i, value) json_array_append_new(values, any_value(value));
	return json_pack("{s:{s:o}}", "arrayValue", "values", values);
}

static void add(struct line *line, json_t *attributes, const char *name, json_t *value)
{
	json_t *any = json_is_array(value) ? array_value(value) : any_value(value);

	if (json_array_append_new(attributes, json_pack("{s:s, s:o}", "key", name, "value", any)) <
	    0)
		line->failed = true;
}

static void add_member(struct line *line, const struct panicmon_event *event, const char *member,
		       json_t *value)
{
	enum owner owner = RECORD;
	char own[64];
	const char *name = own;

	snprintf(own, sizeof(own), "panicmon.%s", member);
	for (size_t i = 0; i < NAME_COUNT; i++) {
		if (strcmp(names[i].member, member) != 0)
			continue;
		owner = names[i].owner;
		name = names[i].name;
	}
	if (event->type == PANICMON_PROCESS_EXITED && strcmp(member, "status") == 0)
		name = "process.exit.code";
	if (owner != NOBODY)
		add(line, owner == RESOURCE ? line->resource : line->record, name, value);
}

/* The base name of what was run. */
static void add_executable(struct line *line, json_t *members)
{
	json_t *first = json_array_get(json_object_get(members, "args"), 0);
	const char *text = json_string_value(first);
	const char *slash = text != NULL ? strrchr(text, '/') : NULL;

	if (text == NULL)
		return;
	json_t *name = json_string_nocheck(slash != NULL ? slash + 1 : text);
	if (name == NULL) {
		line->failed = true;
		return;
	}
	add(line, line->resource, "process.executable.name", name);
	json_decref(name);
}

static void add_all(struct line *line, const struct pm_log_record *record, json_t *members)
{
	const char *member;
	json_t *value;

	json_object_foreach(members, member, value) add_member(line, record->event, member, value);
	add_executable(line, members);
}

/* Takes the attributes. */
static json_t *logs_data(const struct line *line, const struct pm_log_record *record)
{
	uint32_t severity = pm_log_record_severity(record);
	int64_t time_ns = record->event->time_ns;
	char time[24], name[64];

	snprintf(time, sizeof(time), "%" PRId64, time_ns > 0 ? time_ns : 0);
	snprintf(name, sizeof(name), "panicmon.%s", pm_log_record_name(record));
	return json_pack(
		"{s:[{s:{s:o}, s:[{s:{s:s, s:s}, s:[{s:s, s:s, s:i, s:s, s:{s:o}, s:s, s:o}]}]}]}",
		"resourceLogs", "resource", "attributes", line->resource, "scopeLogs", "scope",
		"name", "panicmon", "version", PACKAGE_VERSION, "logRecords", "timeUnixNano", time,
		"observedTimeUnixNano", time, "severityNumber", severity_numbers[severity],
		"severityText", pm_common_severity_name(severity), "body", "stringValue",
		pm_log_record_json_message(record), "eventName", name, "attributes", line->record);
}

void pm_log_otel(struct pm_common_buffer *out, const struct pm_log_record *record)
{
	size_t flags = PM_COMMON_JSON_FLAGS;
	json_t *members = pm_log_record_members(record, &flags);
	struct line line = {.resource = json_array(), .record = json_array()};

	add_all(&line, record, members);
	out->failed |= members == NULL || line.failed;
	json_decref(members);
	pm_common_json_dump(out, logs_data(&line, record), flags);
}
