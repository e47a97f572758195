#include <config.h>

#include "common/ending.h"

#include "common/names.h"

const char *pm_common_reason_note(const struct panicmon_event *event)
{
	static const char *const notes[] = {
		[PANICMON_REASON_OOM_KILLED] = " (out of memory)",
		[PANICMON_REASON_MONITOR_DIED] = " (panicmon died)",
		[PANICMON_REASON_STOP_TIMEOUT] = " (stop timeout)",
	};
	size_t reason = panicmon_event_has(event, PANICMON_HAS_REASON) ? (size_t)event->reason : 0;
	const char *note = reason < sizeof(notes) / sizeof(notes[0]) ? notes[reason] : NULL;

	return note != NULL ? note : "";
}

void pm_common_put_stop(struct pm_common_buffer *out, const struct panicmon_event *event)
{
	char name[PM_COMMON_NAME_SIZE];

	pm_common_puts(out, ", asked to stop");
	if (panicmon_event_has(event, PANICMON_HAS_STOP_SIGNAL))
		pm_common_printf(out, " by %s", pm_common_signal_name(event->stop_signal, name));
	if (!panicmon_event_has(event, PANICMON_HAS_STOP_PID))
		return;
	if (event->stop_pid == 0) {
		pm_common_puts(out, " from outside this pid namespace");
		return;
	}
	pm_common_printf(out, " from pid %d", event->stop_pid);
	if (panicmon_event_has(event, PANICMON_HAS_STOP_UID))
		pm_common_printf(out, " (uid %u)", (uint32_t)event->stop_uid);
}
