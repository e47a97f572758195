/* event/codec.h: an event to and from a record of bytes.
 *
 * A record is a version byte, the type, severity, pid and time, then one item for each member that
 * is present: its number (enum panicmon_field), and 8 bytes or, for text, a length and the bytes
 * with a NUL. An item with an unknown number is skipped. What a whole run has in common (struct
 * pm_identity) is not in it, nor is `seq`, which the journal keeps.
 */
#ifndef PM_EVENT_CODEC_H
#define PM_EVENT_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "panicmon/event.h"

/* Bytes written, or 0 if they don't fit in size. */
size_t pm_event_encode(const struct panicmon_event *event, uint8_t *to, size_t size);

/* 0, or -1 if the bytes are no event. Texts point into `from`. Trusts nothing in it. */
int pm_event_decode(const uint8_t *from, size_t length, struct panicmon_event *event);

#endif
