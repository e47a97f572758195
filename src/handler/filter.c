#include <config.h>

#include "handler/filter.h"

enum pm_filter pm_filter_look(const struct pm_config_handler *config,
			      const struct panicmon_event *event)
{
	/* A type that is not known yet is of a newer panicmon's journal, which there is none of. */
	if (event->type >= 32 || (config->events.types >> event->type & 1) == 0)
		return PM_FILTER_EVENTS;
	/* Who was told of a failure is told that it is over. */
	if (config->failures_only && event->severity > PANICMON_WARNING &&
	    event->type != PANICMON_PROCESS_RECOVERED)
		return PM_FILTER_WHEN;
	return PM_FILTER_PASSES;
}
