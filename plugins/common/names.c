#include <config.h>

#include "common/names.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <panicmon/event.h>

static const char *const events[] = {
	[PANICMON_PROCESS_STARTED] = "process.started",
	[PANICMON_PROCESS_FAILED] = "process.failed",
	[PANICMON_PROCESS_EXITED] = "process.exited",
	[PANICMON_SIGNAL_RECEIVED] = "signal.received",
	[PANICMON_SIGNAL_PASSED] = "signal.passed",
	[PANICMON_SIGNAL_FAILED] = "signal.failed",
	[PANICMON_HANDLER_LOST] = "handler.lost",
	[PANICMON_PROCESS_RECOVERED] = "process.recovered",
};

static const char *const reasons[] = {
	[PANICMON_REASON_EXITED] = "exited",
	[PANICMON_REASON_SIGNALED] = "signaled",
	[PANICMON_REASON_OOM_KILLED] = "oom-killed",
	[PANICMON_REASON_MONITOR_DIED] = "monitor-died",
	[PANICMON_REASON_STOP_TIMEOUT] = "stop-timeout",
};

static const char *const severities[] = {
	[PANICMON_FATAL] = "fatal",   [PANICMON_ERROR] = "error", [PANICMON_WARNING] = "warning",
	[PANICMON_NOTICE] = "notice", [PANICMON_INFO] = "info",   [PANICMON_DEBUG] = "debug",
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

const char *pm_common_event_name(uint32_t type)
{
	return type < COUNT(events) && events[type] != NULL ? events[type] : "unknown";
}

const char *pm_common_reason_name(int32_t reason)
{
	return reason > 0 && (size_t)reason < COUNT(reasons) ? reasons[reason] : "unknown";
}

const char *pm_common_severity_name(uint32_t severity)
{
	if (severity < PANICMON_FATAL)
		severity = PANICMON_FATAL;
	return severities[severity < COUNT(severities) ? severity : PANICMON_DEBUG];
}

const char *pm_common_signal_name(int32_t signal, char out[PM_COMMON_NAME_SIZE])
{
	const char *name = sigabbrev_np(signal);

	/* The C library keeps the kernel's first real-time signals and gives them no names. */
	if (name != NULL)
		snprintf(out, PM_COMMON_NAME_SIZE, "SIG%s", name);
	else if (signal == SIGRTMIN)
		snprintf(out, PM_COMMON_NAME_SIZE, "SIGRTMIN");
	else if (signal > SIGRTMIN && signal <= SIGRTMAX)
		snprintf(out, PM_COMMON_NAME_SIZE, "SIGRTMIN+%d", signal - SIGRTMIN);
	else
		snprintf(out, PM_COMMON_NAME_SIZE, "SIG%d", signal);
	return out;
}

const char *pm_common_errno_name(int32_t code, char out[PM_COMMON_NAME_SIZE])
{
	const char *name = strerrorname_np(code);

	if (name != NULL)
		snprintf(out, PM_COMMON_NAME_SIZE, "%s", name);
	else
		snprintf(out, PM_COMMON_NAME_SIZE, "E%d", code);
	return out;
}

const char *pm_common_errno_text(int32_t code)
{
	const char *text = strerrordesc_np(code);

	return text != NULL ? text : "Unknown error";
}

const char *pm_common_time(int64_t time_ns, int digits, char out[PM_COMMON_TIME_SIZE])
{
	const int64_t second = INT64_C(1000000000);
	int64_t fraction = (time_ns % second + second) % second;
	time_t seconds = (time_t)(time_ns / second - (time_ns % second < 0));
	struct tm tm = {0};
	char text[16];

	gmtime_r(&seconds, &tm);
	snprintf(text, sizeof(text), "%09d", (int)fraction);
	snprintf(out, PM_COMMON_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d%s%.*sZ",
		 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 digits > 0 ? "." : "", digits, text);
	return out;
}
