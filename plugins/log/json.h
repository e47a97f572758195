/* json.h: an event as one line of JSON. */
#ifndef PM_LOG_JSON_H
#define PM_LOG_JSON_H

#include <stddef.h>
#include <stdint.h>

#include <panicmon/event.h>

#include "common/buffer.h"

/* Appends the event and a newline; of `budget` see pm_common_json_event(). out->failed where memory ran
 * out. */
void pm_log_json(struct pm_common_buffer *out, const struct panicmon_event *event, size_t budget);

/* Appends a "log.dropped" record: `dropped` events of this run were lost here, the last for `error`
 * (errno(3)). Time and origin are the event's. */
void pm_log_json_gap(struct pm_common_buffer *out, const struct panicmon_event *event,
		     uint64_t dropped, int error);

#endif
