#include <config.h>

#include "event/event.h"

#include <signal.h>
#include <stddef.h>

#include "base/clock.h"

static const struct {
	const char *name;
	bool lifecycle;
} types[] = {
	[PANICMON_PROCESS_STARTED] = {"process.started", true},
	[PANICMON_PROCESS_FAILED] = {"process.failed", true},
	[PANICMON_PROCESS_EXITED] = {"process.exited", true},
	[PANICMON_SIGNAL_RECEIVED] = {"signal.received", false},
	[PANICMON_SIGNAL_PASSED] = {"signal.passed", false},
	[PANICMON_SIGNAL_FAILED] = {"signal.failed", false},
	[PANICMON_HANDLER_LOST] = {"handler.lost", false},
	[PANICMON_PROCESS_RECOVERED] = {"process.recovered", true},
};
enum { TYPE_COUNT = sizeof(types) / sizeof(types[0]) };
_Static_assert((int)TYPE_COUNT == (int)PM_EVENT_TYPES && TYPE_COUNT <= 32, "a bit for each");

const char *pm_event_name(uint32_t type)
{
	return type < TYPE_COUNT && types[type].name != NULL ? types[type].name : "unknown";
}

bool pm_event_is_lifecycle(uint32_t type)
{
	return type < TYPE_COUNT && types[type].lifecycle;
}

struct panicmon_event pm_event_make(enum panicmon_event_type type, int32_t pid)
{
	return (struct panicmon_event){
		.size = sizeof(struct panicmon_event),
		.type = type,
		.pid = pid,
		.time_ns = pm_clock_realtime(),
	};
}

/* By the signal that asked it to, or by another that does: `rewrite` may have made it that. */
static bool was_stopped(const struct panicmon_event *event)
{
	int32_t signal = event->signal;

	return event->reason == PANICMON_REASON_SIGNALED && event->stop_requested &&
	       (signal == event->stop_signal || signal == SIGTERM || signal == SIGINT ||
		signal == SIGQUIT);
}

static enum panicmon_severity severity_of_exit(const struct panicmon_event *event)
{
	if (event->reason == PANICMON_REASON_EXITED)
		return event->code == 0 ? PANICMON_INFO : PANICMON_ERROR;
	if (was_stopped(event))
		return PANICMON_INFO;
	return PANICMON_FATAL;
}

enum panicmon_severity pm_event_severity(const struct panicmon_event *event)
{
	switch (event->type) {
	case PANICMON_PROCESS_EXITED:
		return severity_of_exit(event);
	case PANICMON_PROCESS_FAILED:
		return PANICMON_ERROR;
	case PANICMON_SIGNAL_FAILED:
	case PANICMON_HANDLER_LOST:
		return PANICMON_WARNING;
	default:
		return PANICMON_INFO;
	}
}
