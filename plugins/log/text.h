/* text.h: an event as one line for people.
 *
 *     TIME SEVERITY NAME[PID] EVENT what happened
 *
 * Whatever a string holds, the line stays one line and holds no terminal escape but its own colours.
 */
#ifndef PM_LOG_TEXT_H
#define PM_LOG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <panicmon/event.h>

#include "common/buffer.h"

#define PM_LOG_GAP "log.dropped" /* the name of the handler's own record */

/* Appends the event and a newline, with at most about `budget` bytes of its strings (SIZE_MAX: all).
 * out->failed where memory ran out. */
void pm_log_text(struct pm_common_buffer *out, const struct panicmon_event *event, size_t budget,
		 bool colour);

/* Appends that `dropped` events of this run were lost here, the last for `error` (errno(3)). */
void pm_log_text_gap(struct pm_common_buffer *out, const struct panicmon_event *event,
		     uint64_t dropped, int error, bool colour);

#endif
