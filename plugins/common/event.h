/* event.h: what several handlers ask of an event. */
#ifndef PM_COMMON_EVENT_H
#define PM_COMMON_EVENT_H

#include <stdbool.h>

#include <panicmon/event.h>

/* Whether `panicmonctl test-fire` has made it: nothing has happened. */
static inline bool pm_common_is_test(const struct panicmon_event *event)
{
	return panicmon_event_has(event, PANICMON_HAS_TEST) && event->test != 0;
}

#endif
