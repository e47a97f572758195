#include <config.h>

#include "ctl/sample.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/value.h"
#include "event/event.h"

static void sample_exit(struct panicmon_event *event)
{
	PM_EVENT_SET(event, CODE, code, -1);
	PM_EVENT_SET(event, SIGNAL, signal, SIGSEGV);
	PM_EVENT_SET(event, CORE, core, 1);
	PM_EVENT_SET(event, STATUS, status, 128 + SIGSEGV);
	PM_EVENT_SET(event, REASON, reason, PANICMON_REASON_SIGNALED);
	PM_EVENT_SET(event, RUNTIME_MS, runtime_ms, 3723004); /* 1 h 2 min 3 s */
	PM_EVENT_SET(event, CPU_USER_US, cpu_user_us, 61500000);
	PM_EVENT_SET(event, CPU_SYSTEM_US, cpu_system_us, 4200000);
	PM_EVENT_SET(event, MAX_RSS_KB, max_rss_kb, 48 * 1024);
	/* It crashed as it was to stop. */
	PM_EVENT_SET(event, STOP_REQUESTED, stop_requested, 1);
	PM_EVENT_SET(event, STOP_SIGNAL, stop_signal, SIGTERM);
	PM_EVENT_SET(event, STOP_PID, stop_pid, (int32_t)getppid());
	PM_EVENT_SET(event, STOP_UID, stop_uid, (int32_t)getuid());
}

static void sample_failure(struct panicmon_event *event)
{
	PM_EVENT_SET(event, ERROR, error, ENOENT);
	PM_EVENT_SET(event, STATUS, status, 127);
}

static void sample_received(struct panicmon_event *event)
{
	PM_EVENT_SET(event, SIGNAL, signal, SIGTERM);
	PM_EVENT_SET(event, SENDER_PID, sender_pid, (int32_t)getppid());
	PM_EVENT_SET(event, SENDER_UID, sender_uid, (int32_t)getuid());
	PM_EVENT_SET(event, SENDER_COMMAND, sender_command, "panicmonctl");
	PM_EVENT_SET(event, SI_CODE, si_code, SI_QUEUE);
	PM_EVENT_SET(event, VALUE, value, 7);
}

static void sample_passed(struct panicmon_event *event)
{
	sample_received(event);
	PM_EVENT_SET(event, TARGET_PID, target_pid, event->pid);
}

static void sample_signal_failure(struct panicmon_event *event)
{
	sample_passed(event);
	PM_EVENT_SET(event, ERROR, error, EPERM);
}

static void (*const fill[])(struct panicmon_event *event) = {
	[PANICMON_PROCESS_STARTED] = NULL,        [PANICMON_PROCESS_FAILED] = sample_failure,
	[PANICMON_PROCESS_EXITED] = sample_exit,  [PANICMON_SIGNAL_RECEIVED] = sample_received,
	[PANICMON_SIGNAL_PASSED] = sample_passed, [PANICMON_SIGNAL_FAILED] = sample_signal_failure,
	[PANICMON_PROCESS_RECOVERED] = NULL,
};
enum { FIRST = PANICMON_PROCESS_STARTED, END = sizeof(fill) / sizeof(fill[0]) };

static int unknown(const char *name, const char *const *names, size_t count, struct pm_error *error)
{
	const char *nearest = pm_value_nearest(name, names, count, sizeof(names[0]));
	char list[256] = "";
	size_t used = 0;

	if (nearest != NULL)
		return pm_error_set(error, 0, "unknown event '%s'; did you mean '%s'?", name,
				    nearest);
	for (size_t i = 0; i < count && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
					 i == 0 ? "" : ", ", names[i]);
	return pm_error_set(error, 0, "unknown event '%s'; the events are %s", name, list);
}

int pm_ctl_sample(const char *name, struct panicmon_event *event, struct pm_error *error)
{
	const char *names[END - FIRST];
	size_t count = 0;

	for (uint32_t type = FIRST; type < END; type++) {
		if (type == PANICMON_HANDLER_LOST) /* of another handler, not of the command */
			continue;
		names[count++] = pm_event_name(type);
		if (strcmp(pm_event_name(type), name) != 0)
			continue;
		*event = pm_event_make((enum panicmon_event_type)type, (int32_t)getpid());
		if (fill[type] != NULL)
			fill[type](event);
		PM_EVENT_SET(event, TEST, test, 1);
		return 0;
	}
	return unknown(name, names, count, error);
}
