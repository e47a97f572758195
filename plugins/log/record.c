#include <config.h>

#include "record.h"

#include <string.h>

#include "common/json.h"
#include "common/names.h"
#include "common/quote.h"

#define GAP "log.dropped"
#define GAP_ID "3ef6717c50e345558387eb54063df4d6"

static const char *const ids[] = {
	[PANICMON_PROCESS_STARTED] = "42842c6fe22844218ab26d7eaa7462b4",
	[PANICMON_PROCESS_FAILED] = "212f47f58acc4755bdc5e6285a3c4c3e",
	[PANICMON_PROCESS_EXITED] = "972242f7f2ca46a5b218f4cf5ac08b62",
	[PANICMON_SIGNAL_RECEIVED] = "9714f1e9e5a04fbe9bf210787098dae3",
	[PANICMON_SIGNAL_PASSED] = "3d122a55dbb942e28ba6d1418d19f70b",
	[PANICMON_SIGNAL_FAILED] = "ad1c700bca06442394de261881c9801d",
	[PANICMON_HANDLER_LOST] = "017eb30a5f204f0ca7dc4281105b70bd",
	[PANICMON_PROCESS_RECOVERED] = "e932934c3c94478aa920433203529558",
};
enum { ID_COUNT = sizeof(ids) / sizeof(ids[0]) };

const char *pm_log_record_name(const struct pm_log_record *record)
{
	return record->dropped > 0 ? GAP : pm_common_event_name(record->event->type);
}

uint32_t pm_log_record_severity(const struct pm_log_record *record)
{
	uint32_t severity = record->event->severity;

	if (record->dropped > 0)
		return PANICMON_WARNING;
	if (severity < PANICMON_FATAL)
		return PANICMON_FATAL;
	return severity > PANICMON_DEBUG ? PANICMON_DEBUG : severity;
}

const char *pm_log_record_id(const struct pm_log_record *record)
{
	uint32_t type = record->event->type;

	if (record->dropped > 0)
		return GAP_ID;
	return type < ID_COUNT ? ids[type] : NULL;
}

/* NULL is left out by json_pack(3) where it says "o*". */
static json_t *text_or_null(const char *text, size_t *flags)
{
	return text != NULL ? pm_common_json_text(text, strlen(text), flags) : NULL;
}

static json_t *gap_members(const struct pm_log_record *record, size_t *flags)
{
	const struct panicmon_event *event = record->event;
	char time[PM_COMMON_TIME_SIZE], code[PM_COMMON_NAME_SIZE];

	return json_pack("{s:s, s:s, s:s, s:o*, s:o*, s:o*, s:I, s:s, s:s}", "time",
			 pm_common_time(event->time_ns, 6, time), "event", GAP, "severity",
			 pm_common_severity_name(pm_log_record_severity(record)), "run",
			 text_or_null(event->run, flags), "name", text_or_null(event->name, flags),
			 "host", text_or_null(event->host, flags), "dropped",
			 (json_int_t)record->dropped, "errno",
			 pm_common_errno_name(record->error, code), "error",
			 pm_common_errno_text(record->error));
}

json_t *pm_log_record_members(const struct pm_log_record *record, size_t *flags)
{
	if (record->dropped > 0)
		return gap_members(record, flags);
	return pm_common_json_event(record->event, record->budget, flags);
}

static void put_words(struct pm_common_buffer *out, const json_t *array)
{
	const json_t *word;
	size_t i;

	json_array_foreach(array, i, word)
	{
		if (i > 0)
			pm_common_puts(out, " ");
		pm_common_quote_word(out, json_string_value(word), json_string_length(word));
	}
}

void pm_log_record_value(struct pm_common_buffer *out, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		pm_common_put(out, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		pm_common_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_ARRAY:
		put_words(out, value);
		break;
	default:
		pm_common_puts(out, json_is_true(value) ? "true" : "false");
		break;
	}
}

json_t *pm_log_record_json_message(const struct pm_log_record *record)
{
	struct pm_common_buffer text = {0};
	size_t flags = 0; /* of controls: there are none */

	pm_log_record_message(&text, record);
	json_t *value = text.failed ? NULL : pm_common_json_text(text.data, text.length, &flags);
	pm_common_buffer_free(&text);
	return value;
}
