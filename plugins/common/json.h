/* common/json.h: an event as JSON, with the members that panicmon.ini(5) names. */
#ifndef PM_COMMON_JSON_H
#define PM_COMMON_JSON_H

#include <jansson.h>
#include <stddef.h>

#include <panicmon/event.h>

#include "common/buffer.h"

/* What *flags begins with: those of json_dump(3). Strings that ask for it add JSON_ENSURE_ASCII. */
#define PM_COMMON_JSON_FLAGS JSON_COMPACT

/* The event as an object, which is the caller's; NULL: out of memory. What is absent is left out. At
 * most about `budget` bytes of its strings are kept, SIZE_MAX: all; a cut one shows an ellipsis, and
 * the object has "truncated". */
json_t *pm_common_json_event(const struct panicmon_event *event, size_t budget, size_t *flags);

/* text as a string, with U+FFFD for what is not UTF-8; NULL: out of memory. */
json_t *pm_common_json_text(const char *text, size_t length, size_t *flags);

/* Appends the text of `value`, which it takes; with NULL, or where memory runs out, out->failed. */
void pm_common_json_dump(struct pm_common_buffer *out, json_t *value, size_t flags);

#endif
