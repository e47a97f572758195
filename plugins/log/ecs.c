/* ecs: the Elastic Common Schema, one flat object with dotted names, which Elasticsearch takes for the
 * nested ones. The first four members and their order are those of the ECS logging specification. What
 * ECS has no name for is below "panicmon.". */
#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "common/names.h"
#include "format.h"

#define ECS_VERSION "8.11.0"

/* Of the members of format = json; "" leaves one out, for it is said otherwise. */
static const struct {
	const char *member, *name;
} names[] = {
	{"time", ""},
	{"severity", ""},
	{"event", "event.action"},
	{"seq", "event.sequence"},
	{"reason", "event.reason"},
	{"runtime_ms", ""},
	{"code", ""},
	{"name", "service.name"},
	{"host", "host.name"},
	{"pid", "process.pid"},
	{"args", "process.args"},
	{"errno", "error.code"},
	{"error", "error.message"},
};
enum { NAME_COUNT = sizeof(names) / sizeof(names[0]) };

/* event.type of the category "process", and of event.outcome those that do not depend on more. */
static const struct {
	const char *type, *outcome;
} kinds[] = {
	[PANICMON_PROCESS_STARTED] = {"start", "success"},
	[PANICMON_PROCESS_FAILED] = {"start", "failure"},
	[PANICMON_PROCESS_EXITED] = {"end", NULL},
	[PANICMON_SIGNAL_RECEIVED] = {"info", NULL},
	[PANICMON_SIGNAL_PASSED] = {"change", "success"},
	[PANICMON_SIGNAL_FAILED] = {"change", "failure"},
};
enum { KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]) };

struct line {
	json_t *object;
	bool failed;
};

static void set(struct line *line, const char *name, json_t *value)
{
	if (json_object_set_new_nocheck(line->object, name, value) < 0)
		line->failed = true;
}

static void set_word(struct line *line, const char *name, const char *word)
{
	if (word != NULL)
		set(line, name, json_string_nocheck(word));
}

static const char *outcome_of(const struct panicmon_event *event)
{
	if (event->type == PANICMON_PROCESS_EXITED)
		return event->severity <= PANICMON_ERROR ? "failure" : "success";
	return event->type < KIND_COUNT ? kinds[event->type].outcome : NULL;
}

static void set_event(struct line *line, const struct pm_log_record *record)
{
	const struct panicmon_event *event = record->event;
	bool known = record->dropped == 0 && event->type < KIND_COUNT;
	const char *type =
		known && kinds[event->type].type != NULL ? kinds[event->type].type : "info";

	set_word(line, "event.kind", "event");
	set(line, "event.category", json_pack("[s]", "process"));
	set(line, "event.type", json_pack("[s]", type));
	set_word(line, "event.outcome", known ? outcome_of(event) : NULL);
	set_word(line, "event.code", pm_log_record_id(record));
	set_word(line, "event.provider", "panicmon");
	if (known && panicmon_event_has(event, PANICMON_HAS_RUNTIME_MS) &&
	    event->runtime_ms <= INT64_MAX / 1000000)
		set(line, "event.duration", json_integer(event->runtime_ms * 1000000));
}

/* The base name of what was run. */
static void set_process_name(struct line *line, const json_t *members)
{
	const char *first = json_string_value(json_array_get(json_object_get(members, "args"), 0));
	const char *slash = first != NULL ? strrchr(first, '/') : NULL;

	set_word(line, "process.name", slash != NULL ? slash + 1 : first);
}

static const char *find_name(const char *member)
{
	for (size_t i = 0; i < NAME_COUNT; i++)
		if (strcmp(names[i].member, member) == 0)
			return names[i].name;
	return NULL;
}

static void set_member(struct line *line, const struct panicmon_event *event, const char *member,
		       json_t *value)
{
	const char *name = find_name(member);
	char own[64] = "panicmon.";

	if (event->type == PANICMON_PROCESS_EXITED && strcmp(member, "status") == 0)
		name = "process.exit_code";
	if (name == NULL)
		name = strncat(own, member, sizeof(own) - strlen(own) - 1);
	if (name[0] != '\0')
		set(line, name, json_incref(value));
}

static void set_all(struct line *line, const struct pm_log_record *record, json_t *members)
{
	const char *member;
	json_t *value;

	set(line, "@timestamp", json_incref(json_object_get(members, "time")));
	set(line, "log.level", json_incref(json_object_get(members, "severity")));
	set(line, "message", pm_log_record_json_message(record));
	set_word(line, "ecs.version", ECS_VERSION);
	set_event(line, record);
	set_process_name(line, members);
	json_object_foreach(members, member, value) set_member(line, record->event, member, value);
}

void pm_log_ecs(struct pm_common_buffer *out, const struct pm_log_record *record)
{
	size_t flags = PM_COMMON_JSON_FLAGS;
	json_t *members = pm_log_record_members(record, &flags);
	struct line line = {.object = json_object()};

	set_all(&line, record, members);
	out->failed |= members == NULL || line.failed;
	json_decref(members);
	pm_common_json_dump(out, line.object, flags);
}
