#include <config.h>

#include "template.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/names.h"
#include "format.h"
#include "summary.h"
#include "text.h"

#define FIELD_CHARACTERS "abcdefghijklmnopqrstuvwxyz_"

/* What a template may name: the members of the event's JSON object, and what we add. */
static const char *const fields[] = {
	"id",
	"summary",
	"command",
	"data",
	"time",
	"event",
	"severity",
	"seq",
	"run",
	"name",
	"host",
	"pid",
	"errno",
	"error",
	"code",
	"signal",
	"signo",
	"status",
	"reason",
	"core",
	"runtime_ms",
	"cpu_user_us",
	"cpu_system_us",
	"max_rss_kb",
	"stop_requested",
	"stop_signal",
	"stop_pid",
	"stop_uid",
	"sender_pid",
	"sender_uid",
	"sender_command",
	"si_code",
	"value",
	"target_pid",
	"instance",
	"handler",
	"lost",
	"dropped",
	"test",
	"incident",
	"crashes",
	"stderr_tail",
	"truncated",
	"args",
};

/* The parts of a template, one after the other. */
struct part {
	const char *text;
	size_t length; /* of it; of a field: of its name */
	bool is_field;
	/* Where the part ends: */
	bool in_string;
	bool in_escape;
};

/* The length of the escape sequence that begins here. */
static size_t escape_length(const char *text, size_t length)
{
	enum { SIMPLE = 2, UNICODE = 6 };

	return length > 1 && text[1] == 'u' ? UNICODE : SIMPLE;
}

/* Follows JSON's strings: only the quotes, and what a backslash takes their meaning. */
static void follow_strings(struct part *part, const char *text, size_t length)
{
	size_t at = 0;

	while (at < length) {
		if (part->in_string && text[at] == '\\') {
			at += escape_length(text + at, length - at);
			continue;
		}
		if (text[at++] == '"')
			part->in_string = !part->in_string;
	}
	part->in_escape = at > length;
}

/* The length of the name if text begins with {name}, else 0. */
static size_t field_length(const char *text)
{
	size_t length = text[0] == '{' ? strspn(text + 1, FIELD_CHARACTERS) : 0;

	return length > 0 && text[1 + length] == '}' ? length : 0;
}

/* Fills in the part at *at and moves on; false at the end. in_string is that of the part before. */
static bool next_part(const char **at, struct part *part)
{
	const char *text = *at;
	size_t length = field_length(text);

	if (text[0] == '\0')
		return false;
	part->is_field = length > 0;
	part->text = length > 0 ? text + 1 : text;
	if (length > 0) {
		*at = text + length + 2;
	} else {
		do
			length++;
		while (text[length] != '\0' && field_length(text + length) == 0);
		follow_strings(part, text, length);
		*at = text + length;
	}
	part->length = length;
	return true;
}

static bool is_known(const struct part *part)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strlen(fields[i]) == part->length &&
		    memcmp(fields[i], part->text, part->length) == 0)
			return true;
	return false;
}

static void put_bare(struct pm_common_buffer *out, const char *text, size_t length)
{
	enum { QUOTE = 1 };

	pm_common_put(out, text + QUOTE, length - 2 * QUOTE);
}

/* The text of a value as the inside of a JSON string. */
static void put_inside(struct pm_common_buffer *out, const json_t *value, size_t flags)
{
	char *dump = json_is_string(value) ? NULL : json_dumps(value, flags | JSON_ENCODE_ANY);
	json_t *text = dump != NULL ? json_string(dump) : NULL;
	char *quoted = json_dumps(dump != NULL ? text : value, flags | JSON_ENCODE_ANY);

	if (quoted != NULL)
		put_bare(out, quoted, strlen(quoted));
	else
		out->failed = true;
	free(quoted);
	free(dump);
	json_decref(text);
}

static void put_value(struct pm_common_buffer *out, const json_t *value, bool in_string,
		      size_t flags)
{
	if (in_string) {
		if (value != NULL)
			put_inside(out, value, flags);
		return;
	}
	char *dump = value != NULL ? json_dumps(value, flags | JSON_ENCODE_ANY) : NULL;
	if (value == NULL)
		pm_common_puts(out, "null");
	else if (dump != NULL)
		pm_common_puts(out, dump);
	else
		out->failed = true;
	free(dump);
}

static void put_part(struct pm_common_buffer *out, const struct part *part, json_t *values,
		     size_t flags)
{
	char name[32];

	if (!part->is_field) {
		pm_common_put(out, part->text, part->length);
		return;
	}
	if (part->length >= sizeof(name))
		return; /* none is that long */
	memcpy(name, part->text, part->length);
	name[part->length] = '\0';
	if (strcmp(name, "data") == 0)
		put_value(out, values, part->in_string, flags);
	else
		put_value(out, json_object_get(values, name), part->in_string, flags);
}

/* The members that only a template has are not part of {data}. */
static json_t *extra_values(const struct panicmon_event *event, const char *id)
{
	return json_pack("{s:s, s:o*, s:o*}", "id", id, "summary",
			 pm_webhook_summary_text(event, pm_webhook_plain), "command",
			 pm_webhook_command_text(event, pm_webhook_plain));
}

static bool is_extra(const struct part *part, const json_t *extra)
{
	for (const char *const *name = (const char *const[]){"id", "summary", "command", NULL};
	     *name != NULL; name++)
		if (strlen(*name) == part->length && memcmp(*name, part->text, part->length) == 0)
			return extra != NULL;
	return false;
}

void pm_webhook_template_fill(const struct pm_webhook_template *made,
			      const struct panicmon_event *event, const char *id, size_t budget,
			      struct pm_common_buffer *out)
{
	size_t flags = PM_COMMON_JSON_FLAGS;
	json_t *values = pm_common_json_event(event, budget, &flags);
	json_t *extra = extra_values(event, id);
	const char *at = made->text;
	struct part part = {0};

	if (values == NULL || extra == NULL)
		out->failed = true;
	while (!out->failed && next_part(&at, &part))
		put_part(out, &part, part.is_field && is_extra(&part, extra) ? extra : values,
			 flags);
	json_decref(values);
	json_decref(extra);
}

void pm_webhook_from_template(const struct pm_webhook_settings *settings,
			      const struct panicmon_event *event, size_t budget,
			      struct pm_webhook_message *message)
{
	pm_webhook_template_fill(&settings->template, event, message->id, budget, &message->body);
}

static int check_fields(const struct panicmon_host *host, const char *text)
{
	struct part part = {0};

	while (next_part(&text, &part)) {
		const int shown = (int)(part.length < 60 ? part.length : 60);

		if (part.is_field && !is_known(&part))
			return panicmon_fail(host,
					     "the template names '{%.*s}', which no event has: "
					     "panicmon.ini(5) lists the fields",
					     shown, part.text);
		/* Whether that is JSON depends on what the field holds. */
		if (part.is_field && part.in_escape)
			return panicmon_fail(host,
					     "the template has '{%.*s}' behind a backslash: write "
					     "two of them for one in the text",
					     shown, part.text);
	}
	return 0;
}

/* An event that has next to nothing shows whether the rest is JSON, whatever the fields hold. */
static int check_result(const struct panicmon_host *host, const struct pm_webhook_template *made)
{
	const struct panicmon_event event = {
		.size = sizeof(event), .type = PANICMON_PROCESS_STARTED, .name = "a", .host = "b"};
	struct pm_common_buffer out = {0};
	json_error_t error;
	int result = 0;

	pm_webhook_template_fill(made, &event, "1", SIZE_MAX, &out);
	json_t *parsed = json_loadb(out.data != NULL ? out.data : "", out.length, 0, &error);
	if (out.failed)
		result = panicmon_fail(host, "out of memory");
	else if (parsed == NULL)
		result = panicmon_fail(host,
				       "the template makes no JSON object or list: line %d, column "
				       "%d: %s",
				       error.line, error.column, error.text);
	json_decref(parsed);
	pm_common_buffer_free(&out);
	return result;
}

int pm_webhook_template_read(struct pm_webhook_template *made, const struct panicmon_host *host,
			     char *text)
{
	made->text = text;
	if (check_fields(host, text) < 0)
		return -1;
	return check_result(host, made);
}

void pm_webhook_template_free(struct pm_webhook_template *made)
{
	free(made->text);
	made->text = NULL;
}
