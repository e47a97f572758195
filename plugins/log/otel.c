/* otel: a LogsData of the OpenTelemetry protocol (OTLP/JSON, one a line, as its file exporter writes
 * them), with the names of the semantic conventions. What those have no name for is below "panicmon.". */
#include <config.h>

#include <inttypes.h>
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
	struct pm_common_buffer *out;
	const struct pm_log_record *record;
	json_t *members;
	size_t flags;
};

static void put(const struct line *line, const char *text)
{
	pm_common_puts(line->out, text);
}

static void put_json(const struct line *line, json_t *value)
{
	pm_common_json_dump(line->out, json_incref(value), line->flags | JSON_ENCODE_ANY);
}

/* A member as an AnyValue. A 64-bit number is a string in the JSON of protocol buffers. */
static void put_value(const struct line *line, json_t *value)
{
	json_t *element;
	size_t i;

	switch (json_typeof(value)) {
	case JSON_STRING:
		put(line, "{\"stringValue\":");
		put_json(line, value);
		put(line, "}");
		break;
	case JSON_INTEGER:
		pm_common_printf(line->out, "{\"intValue\":\"%" JSON_INTEGER_FORMAT "\"}",
				 json_integer_value(value));
		break;
	case JSON_ARRAY:
		put(line, "{\"arrayValue\":{\"values\":[");
		json_array_foreach(value, i, element)
		{
			put(line, i > 0 ? "," : "");
			put_value(line, element);
		}
		put(line, "]}}");
		break;
	default:
		put(line, json_is_true(value) ? "{\"boolValue\":true}" : "{\"boolValue\":false}");
		break;
	}
}

/* One of a list, each of which ends with a comma. */
static void put_attribute(const struct line *line, const char *prefix, const char *name,
			  json_t *value)
{
	put(line, "{\"key\":\"");
	put(line, prefix);
	put(line, name);
	put(line, "\",\"value\":");
	put_value(line, value);
	put(line, "},");
}

static void put_member(const struct line *line, enum owner wanted, const char *member,
		       json_t *value)
{
	enum owner owner = RECORD;
	const char *name = NULL;

	for (size_t i = 0; i < NAME_COUNT; i++) {
		if (strcmp(names[i].member, member) != 0)
			continue;
		owner = names[i].owner;
		name = names[i].name;
	}
	if (owner != wanted)
		return;
	if (line->record->event->type == PANICMON_PROCESS_EXITED && strcmp(member, "status") == 0)
		name = "process.exit.code";
	put_attribute(line, name != NULL ? "" : "panicmon.", name != NULL ? name : member, value);
}

/* The base name of what was run. */
static void put_executable(const struct line *line)
{
	json_t *first = json_array_get(json_object_get(line->members, "args"), 0);
	const char *text = json_string_value(first);
	const char *slash = text != NULL ? strrchr(text, '/') : NULL;

	if (text == NULL)
		return;
	json_t *name = json_string_nocheck(slash != NULL ? slash + 1 : text);
	line->out->failed |= name == NULL;
	if (name != NULL)
		put_attribute(line, "", "process.executable.name", name);
	json_decref(name);
}

static void put_attributes(const struct line *line, enum owner owner)
{
	struct pm_common_buffer *out = line->out;
	const char *member;
	json_t *value;

	put(line, "\"attributes\":[");
	size_t begin = out->length;
	json_object_foreach(line->members, member, value) put_member(line, owner, member, value);
	if (owner == RESOURCE)
		put_executable(line);
	if (out->length > begin)
		out->length--;
	put(line, "]");
}

static void put_record(const struct line *line)
{
	const struct pm_log_record *record = line->record;
	uint32_t severity = pm_log_record_severity(record);
	int64_t time_ns = record->event->time_ns > 0 ? record->event->time_ns : 0;
	json_t *message = pm_log_record_json_message(record);

	pm_common_printf(line->out,
			 "{\"timeUnixNano\":\"%" PRId64 "\",\"observedTimeUnixNano\":\"%" PRId64
			 "\",",
			 time_ns, time_ns);
	pm_common_printf(line->out, "\"severityNumber\":%d,\"severityText\":\"%s\",",
			 severity_numbers[severity], pm_common_severity_name(severity));
	put(line, "\"body\":{\"stringValue\":");
	put_json(line, message);
	json_decref(message);
	pm_common_printf(line->out, "},\"eventName\":\"panicmon.%s\",", pm_log_record_name(record));
	put_attributes(line, RECORD);
	put(line, "}");
}

/* What has no string from outside in it is written as it is: as an object of jansson's, each attribute
 * would be five of them, and a line take three times as long. */
void pm_log_otel(struct pm_common_buffer *out, const struct pm_log_record *record)
{
	struct line line = {.out = out, .record = record, .flags = PM_COMMON_JSON_FLAGS};

	line.members = pm_log_record_members(record, &line.flags);
	out->failed |= line.members == NULL;
	put(&line, "{\"resourceLogs\":[{\"resource\":{");
	put_attributes(&line, RESOURCE);
	put(&line,
	    "},\"scopeLogs\":[{\"scope\":{\"name\":\"panicmon\",\"version\":\"" PACKAGE_VERSION
	    "\"},\"logRecords\":[");
	put_record(&line);
	put(&line, "]}]}]}");
	json_decref(line.members);
}
