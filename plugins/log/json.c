#include <config.h>

#include "json.h"

#include <string.h>

#include "common/json.h"
#include "common/names.h"
#include "text.h"

void pm_log_json(struct pm_common_buffer *out, const struct panicmon_event *event, size_t budget)
{
	size_t flags = PM_COMMON_JSON_FLAGS;
	json_t *object = pm_common_json_event(event, budget, &flags);

	pm_common_json_dump(out, object, flags);
	pm_common_puts(out, "\n");
}

/* NULL is left out by json_pack(3) where it says "s*" or "o*". */
static json_t *text_or_null(const char *text, size_t *flags)
{
	return text != NULL ? pm_common_json_text(text, strlen(text), flags) : NULL;
}

void pm_log_json_gap(struct pm_common_buffer *out, const struct panicmon_event *event,
		     uint64_t dropped, int error)
{
	size_t flags = PM_COMMON_JSON_FLAGS;
	char time[PM_COMMON_TIME_SIZE], code[PM_COMMON_NAME_SIZE];
	json_t *object = json_pack(
		"{s:s, s:s, s:s, s:o*, s:o*, s:o*, s:I, s:s, s:s}", "time",
		pm_common_time(event->time_ns, 6, time), "event", PM_LOG_GAP, "severity",
		pm_common_severity_name(PANICMON_WARNING), "run", text_or_null(event->run, &flags),
		"name", text_or_null(event->name, &flags), "host",
		text_or_null(event->host, &flags), "dropped", (json_int_t)dropped, "errno",
		pm_common_errno_name(error, code), "error", pm_common_errno_text(error));

	pm_common_json_dump(out, object, flags);
	pm_common_puts(out, "\n");
}
