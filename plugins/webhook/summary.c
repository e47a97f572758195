#include <config.h>

#include "summary.h"

#include <string.h>

#include "common/ending.h"
#include "common/event.h"
#include "common/names.h"
#include "common/quote.h"
#include "common/utf8.h"

bool pm_webhook_is_failure(const struct panicmon_event *event)
{
	return event->type == PANICMON_PROCESS_FAILED ||
	       (event->type == PANICMON_PROCESS_EXITED && event->severity <= PANICMON_ERROR);
}

/* The end of one of several says nothing of those that have failed: of them, panicmon tells. */
bool pm_webhook_is_resolved(const struct panicmon_event *event)
{
	return event->type == PANICMON_PROCESS_RECOVERED ||
	       (event->type == PANICMON_PROCESS_EXITED && event->severity > PANICMON_ERROR &&
		!panicmon_event_has(event, PANICMON_HAS_INSTANCE));
}

/* `breaks`: newlines and tabs stay. */
static void put_clean(struct pm_common_buffer *out, const char *text, size_t length, bool breaks)
{
	for (size_t at = 0, step; at < length; at += step) {
		uint32_t code;

		step = pm_common_utf8_next(text + at, length - at, &code);
		bool stays = breaks && (code == '\n' || code == '\t');
		if (code == PM_COMMON_INVALID || (pm_common_is_control(code) && !stays))
			pm_common_puts(out, PM_COMMON_REPLACEMENT);
		else
			pm_common_put(out, text + at, step);
	}
}

void pm_webhook_put_clean(struct pm_common_buffer *out, const char *text, size_t length)
{
	put_clean(out, text, length, false);
}

static void put_cut(struct pm_common_buffer *out, const char *text, size_t most)
{
	size_t length = text != NULL ? strlen(text) : 0;
	size_t kept = text != NULL ? pm_common_utf8_head(text, length, most) : 0;

	put_clean(out, text, kept, false);
	if (kept < length)
		pm_common_puts(out, PM_COMMON_ELLIPSIS);
}

void pm_webhook_put_name(struct pm_common_buffer *out, const char *text)
{
	enum { READABLE = 100 };

	put_cut(out, text != NULL && text[0] != '\0' ? text : "-", READABLE);
}

/* "1 h 2 min", "3.5 s", "12 ms" */
static void put_duration(struct pm_common_buffer *out, int64_t ms)
{
	const long long minutes = ms / 60000, seconds = ms / 1000;

	if (minutes >= 60)
		pm_common_printf(out, "%lld h %lld min", minutes / 60, minutes % 60);
	else if (minutes > 0)
		pm_common_printf(out, "%lld min %lld s", minutes, seconds % 60);
	else if (seconds > 0)
		pm_common_printf(out, "%lld.%lld s", seconds, (long long)ms % 1000 / 100);
	else
		pm_common_printf(out, "%lld ms", (long long)ms);
}

static void put_signal(struct pm_common_buffer *out, int32_t signal)
{
	char name[PM_COMMON_NAME_SIZE];

	pm_common_puts(out, pm_common_signal_name(signal, name));
}

static void put_host(struct pm_common_buffer *out, const struct panicmon_event *event)
{
	pm_common_puts(out, " on ");
	pm_webhook_put_name(out, event->host);
}

static void put_how_it_ended(struct pm_common_buffer *out, const struct panicmon_event *event)
{
	if (!panicmon_event_has(event, PANICMON_HAS_SIGNAL)) {
		pm_common_printf(out, " exited with code %d", event->code);
		return;
	}
	pm_common_puts(out, " was killed by ");
	put_signal(out, event->signal);
	if (event->reason == PANICMON_REASON_OOM_KILLED)
		pm_common_puts(out, " as memory ran out");
	else if (event->reason == PANICMON_REASON_MONITOR_DIED)
		pm_common_puts(out, " because panicmon itself was killed");
	else if (event->reason == PANICMON_REASON_STOP_TIMEOUT)
		pm_common_puts(out, " as it had not stopped in time");
}

static void put_exited(struct pm_common_buffer *out, const struct panicmon_event *event)
{
	put_how_it_ended(out, event);
	put_host(out, event);
	if (panicmon_event_has(event, PANICMON_HAS_RUNTIME_MS)) {
		pm_common_puts(out, " after ");
		put_duration(out, event->runtime_ms);
	}
	if (event->core != 0)
		pm_common_puts(out, ", core dumped");
	if (event->stop_requested != 0)
		pm_common_put_stop(out, event);
}

static void put_failed(struct pm_common_buffer *out, const struct panicmon_event *event)
{
	pm_common_puts(out, " could not be started");
	put_host(out, event);
	pm_common_puts(out, ": ");
	pm_common_puts(out, pm_common_errno_text(event->error));
}

static void put_started(struct pm_common_buffer *out, const struct panicmon_event *event)
{
	pm_common_puts(out, " was started");
	put_host(out, event);
}

static void put_received(struct pm_common_buffer *out, const struct panicmon_event *event)
{
	pm_common_puts(out, " is sent ");
	put_signal(out, event->signal);
	put_host(out, event);
	if (event->sender_command != NULL) {
		pm_common_puts(out, " by ");
		pm_webhook_put_name(out, event->sender_command);
	}
	if (panicmon_event_has(event, PANICMON_HAS_SENDER_PID))
		pm_common_printf(out, " (pid %d)", event->sender_pid);
}

static void put_passed(struct pm_common_buffer *out, const struct panicmon_event *event)
{
	pm_common_puts(out, " got ");
	put_signal(out, event->signal);
	put_host(out, event);
}

static void put_not_passed(struct pm_common_buffer *out, const struct panicmon_event *event)
{
	pm_common_puts(out, " did not get ");
	put_signal(out, event->signal);
	put_host(out, event);
	pm_common_puts(out, ": ");
	pm_common_puts(out, pm_common_errno_text(event->error));
}

static void put_lost(struct pm_common_buffer *out, const struct panicmon_event *event)
{
	put_host(out, event);
	pm_common_puts(out, ": handler ");
	pm_webhook_put_name(out, event->handler);
	pm_common_printf(out, " has missed events: %lld lost, %lld given up",
			 (long long)event->lost, (long long)event->dropped);
}

static void put_recovered(struct pm_common_buffer *out, const struct panicmon_event *event)
{
	pm_common_puts(out, " has recovered");
	put_host(out, event);
}

static void (*const sentences[])(struct pm_common_buffer *out,
				 const struct panicmon_event *event) = {
	[PANICMON_PROCESS_STARTED] = put_started, [PANICMON_PROCESS_FAILED] = put_failed,
	[PANICMON_PROCESS_EXITED] = put_exited,   [PANICMON_SIGNAL_RECEIVED] = put_received,
	[PANICMON_SIGNAL_PASSED] = put_passed,    [PANICMON_SIGNAL_FAILED] = put_not_passed,
	[PANICMON_HANDLER_LOST] = put_lost,       [PANICMON_PROCESS_RECOVERED] = put_recovered,
};

static void put_crashes(struct pm_common_buffer *out, const struct panicmon_event *event)
{
	if (!panicmon_event_has(event, PANICMON_HAS_CRASHES))
		return;
	if (event->type == PANICMON_PROCESS_RECOVERED)
		pm_common_printf(out, " after %lld crash%s", (long long)event->crashes,
				 event->crashes == 1 ? "" : "es");
	else if (event->crashes > 1)
		pm_common_printf(out, " (%lld crashes since the last message)",
				 (long long)event->crashes);
}

void pm_webhook_put_summary(struct pm_common_buffer *out, const struct panicmon_event *event)
{
	if (pm_common_is_test(event))
		pm_common_puts(out, "TEST: ");
	pm_webhook_put_name(out, event->name);
	if (panicmon_event_has(event, PANICMON_HAS_INSTANCE))
		pm_common_printf(out, " (instance %d)", event->instance);
	if (event->type < sizeof(sentences) / sizeof(sentences[0]) &&
	    sentences[event->type] != NULL)
		sentences[event->type](out, event);
	put_crashes(out, event);
}

/* As it could be typed: where an argument ends is seen. */
void pm_webhook_put_command(struct pm_common_buffer *out, const struct panicmon_event *event,
			    size_t most)
{
	struct pm_common_buffer line = {0};

	for (uint32_t i = 0; i < event->argc && event->args[i] != NULL && line.length <= most;
	     i++) {
		size_t length = strlen(event->args[i]);
		size_t kept = pm_common_utf8_head(event->args[i], length, most + 1);

		if (i > 0)
			pm_common_puts(&line, " ");
		pm_common_quote_word(&line, event->args[i], kept);
	}
	pm_common_put(&line, "", 1);
	if (!line.failed)
		put_cut(out, line.data, most);
	else
		out->failed = true;
	pm_common_buffer_free(&line);
}

void pm_webhook_put_tail(struct pm_common_buffer *out, const struct panicmon_event *event,
			 size_t most)
{
	const char *text = event->stderr_tail;
	size_t length = text != NULL ? strlen(text) : 0;

	while (length > 0 && text[length - 1] == '\n')
		length--;
	size_t kept = text != NULL ? pm_common_utf8_tail(text, length, most) : 0;
	if (kept < length)
		pm_common_puts(out, PM_COMMON_ELLIPSIS);
	if (kept > 0)
		put_clean(out, text + length - kept, kept, true);
}
