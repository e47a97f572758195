/* handler/filter.h: which events the keys `events` and `when` of a section let through. What they leave
 * out counts as delivered: the journal is one stream for all handlers. */
#ifndef PM_HANDLER_FILTER_H
#define PM_HANDLER_FILTER_H

#include "config/config.h"
#include "panicmon/event.h"

enum pm_filter {
	PM_FILTER_PASSES,
	PM_FILTER_EVENTS, /* left out by `events` */
	PM_FILTER_WHEN,   /* by `when` */
};

enum pm_filter pm_filter_look(const struct pm_config_handler *config,
			      const struct panicmon_event *event);

#endif
