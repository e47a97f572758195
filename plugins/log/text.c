/* text: one line for people.
 *
 *     TIME SEVERITY NAME[PID] EVENT what happened
 *
 * Whatever a string holds, the line stays one line and holds no terminal escape but its own colours.
 */
#include <config.h>

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "common/cut.h"
#include "common/ending.h"
#include "common/event.h"
#include "common/names.h"
#include "common/quote.h"
#include "common/utf8.h"
#include "format.h"

#define RESET "\033[0m"
#define DIM "\033[2m"
#define RED "\033[31m"
#define BOLD_RED "\033[1;31m"
#define YELLOW "\033[33m"
#define CYAN "\033[36m"

struct line {
	struct pm_common_buffer *out;
	size_t budget;
	bool colour;
};

static const struct {
	const char *label; /* all of one width, so that what follows is aligned */
	const char *colour;
} severities[] = {
	[PANICMON_FATAL] = {"FATAL", BOLD_RED}, [PANICMON_ERROR] = {"ERROR", RED},
	[PANICMON_WARNING] = {"WARN ", YELLOW}, [PANICMON_NOTICE] = {"NOTE ", CYAN},
	[PANICMON_INFO] = {"INFO ", CYAN},      [PANICMON_DEBUG] = {"DEBUG", DIM},
};
_Static_assert(sizeof(severities) / sizeof(severities[0]) == PANICMON_DEBUG + 1,
	       "each severity has its label");

static void put(struct line *line, const char *text)
{
	pm_common_puts(line->out, text);
}

static void put_coloured(struct line *line, const char *colour, const char *text)
{
	if (line->colour)
		put(line, colour);
	put(line, text);
	if (line->colour)
		put(line, RESET);
}

static void put_name(struct line *line, const char *text)
{
	size_t length = strlen(text);
	size_t kept = pm_common_utf8_head(text, length, pm_common_cut_name(line->budget));

	pm_common_quote_plain(line->out, text, kept);
	if (kept < length)
		put(line, PM_COMMON_ELLIPSIS);
}

static void put_signal(struct line *line, int32_t signal)
{
	char name[PM_COMMON_NAME_SIZE];

	put(line, pm_common_signal_name(signal, name));
}

static void put_errno(struct line *line, int32_t code)
{
	char name[PM_COMMON_NAME_SIZE];

	put(line, pm_common_errno_text(code));
	pm_common_printf(line->out, " (%s)", pm_common_errno_name(code, name));
}

/* An argument that does not fit is cut, and the rest left out. */
static void put_args(struct line *line, const struct panicmon_event *event)
{
	for (uint32_t i = 0; event->args != NULL && i < event->argc && event->args[i] != NULL;
	     i++) {
		size_t length = strlen(event->args[i]);
		size_t kept = pm_common_utf8_head(event->args[i], length, line->budget);

		put(line, " ");
		if (kept < length || length >= line->budget) {
			if (kept > 0)
				pm_common_quote_word(line->out, event->args[i], kept);
			put(line, PM_COMMON_ELLIPSIS);
			return;
		}
		pm_common_quote_word(line->out, event->args[i], length);
		line->budget -= length + 1;
	}
}

/* 12 ms, 1.204 s, 3 min 12 s, 26 h 3 min. No floating point: its comma depends on the locale. */
static void put_duration(struct line *line, int64_t ms)
{
	enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

	if (ms < SECOND)
		pm_common_printf(line->out, "%" PRId64 " ms", ms);
	else if (ms < MINUTE)
		pm_common_printf(line->out, "%" PRId64 ".%03d s", ms / SECOND, (int)(ms % SECOND));
	else if (ms < HOUR)
		pm_common_printf(line->out, "%" PRId64 " min %d s", ms / MINUTE,
				 (int)(ms % MINUTE / SECOND));
	else
		pm_common_printf(line->out, "%" PRId64 " h %d min", ms / HOUR,
				 (int)(ms % HOUR / MINUTE));
}

static void put_memory(struct line *line, int64_t kb)
{
	if (kb < 1024)
		pm_common_printf(line->out, "%" PRId64 " KiB", kb);
	else
		pm_common_printf(line->out, "%" PRId64 ".%d MiB", kb / 1024,
				 (int)(kb % 1024 * 10 / 1024));
}

/* How the command ended; what is not known of it is passed over. */
static void put_end(struct line *line, const struct panicmon_event *event)
{
	if (panicmon_event_has(event, PANICMON_HAS_SIGNAL)) {
		put(line, "killed by ");
		put_signal(line, event->signal);
	} else if (panicmon_event_has(event, PANICMON_HAS_CODE)) {
		pm_common_printf(line->out, "code %d", event->code);
	} else {
		put(line, "ended");
	}
	put(line, pm_common_reason_note(event));
	if (panicmon_event_has(event, PANICMON_HAS_CORE) && event->core != 0)
		put(line, " (core dumped)");
	if (panicmon_event_has(event, PANICMON_HAS_RUNTIME_MS)) {
		put(line, " after ");
		put_duration(line, event->runtime_ms);
	}
}

/* "systemd[1]", "pid 1"; and whose it is. */
static void put_from(struct line *line, const char *command, int32_t pid, int32_t uid, bool has_uid)
{
	put(line, " from ");
	if (pid == 0) {
		put(line, "outside this pid namespace");
		return;
	}
	if (command != NULL && command[0] != '\0') {
		put_name(line, command);
		pm_common_printf(line->out, "[%d]", pid);
	} else {
		pm_common_printf(line->out, "pid %d", pid);
	}
	if (has_uid)
		pm_common_printf(line->out, " (uid %u)", (uint32_t)uid);
}

static void put_stop(struct line *line, const struct panicmon_event *event)
{
	if (panicmon_event_has(event, PANICMON_HAS_STOP_REQUESTED) && event->stop_requested != 0)
		pm_common_put_stop(line->out, event);
}

static void put_usage(struct line *line, const struct panicmon_event *event)
{
	if (panicmon_event_has(event, PANICMON_HAS_CPU_USER_US)) {
		put(line, ", cpu user ");
		put_duration(line, event->cpu_user_us / 1000);
	}
	if (panicmon_event_has(event, PANICMON_HAS_CPU_SYSTEM_US)) {
		put(line, ", system ");
		put_duration(line, event->cpu_system_us / 1000);
	}
	if (panicmon_event_has(event, PANICMON_HAS_MAX_RSS_KB)) {
		put(line, ", max rss ");
		put_memory(line, event->max_rss_kb);
	}
}

/* The end of it tells the cause. */
static void put_tail(struct line *line, const struct panicmon_event *event)
{
	if (!panicmon_event_has(event, PANICMON_HAS_STDERR_TAIL) || event->stderr_tail == NULL)
		return;
	size_t length = strlen(event->stderr_tail);
	while (length > 0 && event->stderr_tail[length - 1] == '\n')
		length--;
	size_t kept = pm_common_utf8_tail(event->stderr_tail, length, line->budget);

	put(line, ", stderr: ");
	if (kept < length)
		put(line, PM_COMMON_ELLIPSIS);
	pm_common_quote_plain(line->out, event->stderr_tail + length - kept, kept);
}

static void put_exited(struct line *line, const struct panicmon_event *event)
{
	put_end(line, event);
	put_stop(line, event);
	put_usage(line, event);
	put_tail(line, event);
}

static void put_failed(struct line *line, const struct panicmon_event *event)
{
	put(line, "cannot start");
	put_args(line, event);
	if (panicmon_event_has(event, PANICMON_HAS_ERROR)) {
		put(line, ": ");
		put_errno(line, event->error);
	}
	if (panicmon_event_has(event, PANICMON_HAS_STATUS))
		pm_common_printf(line->out, ", status %d", event->status);
}

static void put_origin_of_signal(struct line *line, const struct panicmon_event *event)
{
	if (panicmon_event_has(event, PANICMON_HAS_SI_CODE) && event->si_code == SI_KERNEL) {
		put(line, " from the kernel");
		return;
	}
	if (!panicmon_event_has(event, PANICMON_HAS_SENDER_PID))
		return;
	put_from(line,
		 panicmon_event_has(event, PANICMON_HAS_SENDER_COMMAND) ? event->sender_command
									: NULL,
		 event->sender_pid, event->sender_uid,
		 panicmon_event_has(event, PANICMON_HAS_SENDER_UID));
}

static void put_signal_event(struct line *line, const struct panicmon_event *event)
{
	if (panicmon_event_has(event, PANICMON_HAS_SIGNAL))
		put_signal(line, event->signal);
	put_origin_of_signal(line, event);
	if (panicmon_event_has(event, PANICMON_HAS_VALUE))
		pm_common_printf(line->out, ", value %d", event->value);
	/* A group has a negative number, as in kill(2). */
	if (panicmon_event_has(event, PANICMON_HAS_TARGET_PID) && event->target_pid != event->pid)
		pm_common_printf(line->out, ", to %d", event->target_pid);
	if (panicmon_event_has(event, PANICMON_HAS_ERROR)) {
		put(line, ": ");
		put_errno(line, event->error);
	}
}

static void put_started(struct line *line, const struct panicmon_event *event)
{
	put(line, "running");
	put_args(line, event);
}

static void put_lost(struct line *line, const struct panicmon_event *event)
{
	put(line, "handler ");
	put_name(line, event->handler != NULL ? event->handler : "-");
	pm_common_printf(line->out, " has missed events: %" PRId64 " lost, %" PRId64 " given up",
			 event->lost, event->dropped);
}

static void put_recovered(struct line *line, const struct panicmon_event *event)
{
	put(line, "well again");
	if (panicmon_event_has(event, PANICMON_HAS_CRASHES))
		pm_common_printf(line->out, " after %" PRId64 " crash%s", event->crashes,
				 event->crashes == 1 ? "" : "es");
}

static void (*const describe[])(struct line *line, const struct panicmon_event *event) = {
	[PANICMON_PROCESS_STARTED] = put_started,    [PANICMON_PROCESS_FAILED] = put_failed,
	[PANICMON_PROCESS_EXITED] = put_exited,      [PANICMON_SIGNAL_RECEIVED] = put_signal_event,
	[PANICMON_SIGNAL_PASSED] = put_signal_event, [PANICMON_SIGNAL_FAILED] = put_signal_event,
	[PANICMON_HANDLER_LOST] = put_lost,          [PANICMON_PROCESS_RECOVERED] = put_recovered,
};
enum { DESCRIBE_COUNT = sizeof(describe) / sizeof(describe[0]) };

static void put_head(struct line *line, const struct pm_log_record *record)
{
	const struct panicmon_event *event = record->event;
	uint32_t severity = pm_log_record_severity(record);
	char time[PM_COMMON_TIME_SIZE];

	put_coloured(line, DIM, pm_common_time(event->time_ns, 3, time));
	put(line, " ");
	put_coloured(line, severities[severity].colour, severities[severity].label);
	put(line, " ");
	put_name(line, event->name != NULL ? event->name : "-");
	if (panicmon_event_has(event, PANICMON_HAS_INSTANCE))
		pm_common_printf(line->out, "#%d", event->instance);
	if (event->pid != 0 && record->dropped == 0)
		pm_common_printf(line->out, "[%d]", event->pid);
	pm_common_printf(line->out, " %-15s ", pm_log_record_name(record));
}

static void put_gap(struct line *line, const struct pm_log_record *record)
{
	pm_common_printf(line->out, "%" PRIu64 " events dropped: ", record->dropped);
	put_errno(line, record->error);
}

/* What happened. */
static void put_body(struct line *line, const struct pm_log_record *record)
{
	const struct panicmon_event *event = record->event;

	if (record->dropped > 0) {
		put_gap(line, record);
		return;
	}
	if (event->type < DESCRIBE_COUNT && describe[event->type] != NULL)
		describe[event->type](line, event);
	if (pm_common_is_test(event))
		put(line, " (a test)");
	if (event->attempt > 1)
		pm_common_printf(line->out, " (attempt %u)", event->attempt);
}

void pm_log_text(struct pm_common_buffer *out, const struct pm_log_record *record)
{
	struct line line = {.out = out, .budget = record->budget, .colour = record->colour};

	put_head(&line, record);
	put_body(&line, record);
}

void pm_log_record_message(struct pm_common_buffer *out, const struct pm_log_record *record)
{
	enum { MOST = 512 };
	struct line line = {.out = out, .budget = record->budget < MOST ? record->budget : MOST};

	put(&line, pm_log_record_name(record));
	put(&line, ": ");
	put_body(&line, record);
}
