#include <config.h>

#include "metrics.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/ending.h"
#include "common/event.h"
#include "common/names.h"

enum { TAG_MAX = 6, NUMBER_SIZE = 12 };

/* The tags of one event. They point into it, and into `names`, so no copy is made by `=`. */
struct tags {
	struct pm_statsd_tag all[TAG_MAX];
	size_t count;
	char names[TAG_MAX][PM_COMMON_NAME_SIZE];
};

/* ---- tags ---- */

static void add_tag(struct tags *tags, const char *key, const char *value)
{
	tags->all[tags->count++] = (struct pm_statsd_tag){key, value};
}

static void add_number(struct tags *tags, const char *key, int32_t number)
{
	char *name = tags->names[tags->count];

	snprintf(name, PM_COMMON_NAME_SIZE, "%d", number);
	add_tag(tags, key, name);
}

static void add_signal(struct tags *tags, int32_t signal)
{
	add_tag(tags, "signal", pm_common_signal_name(signal, tags->names[tags->count]));
}

/* Those of every metric that an event becomes. Never a pid: each would be a series of its own. */
static void begin_tags(struct tags *tags, const struct panicmon_event *event)
{
	tags->count = 0;
	if (panicmon_event_has(event, PANICMON_HAS_INSTANCE))
		add_number(tags, "instance", event->instance);
	if (pm_common_is_test(event))
		add_tag(tags, "test", "yes");
}

/* Those and more. `from` must outlive it. */
static void copy_tags(struct tags *tags, const struct tags *from)
{
	memcpy(tags->all, from->all, sizeof(tags->all));
	tags->count = from->count;
}

static void add_end(struct tags *tags, const struct panicmon_event *event)
{
	if (panicmon_event_has(event, PANICMON_HAS_REASON))
		add_tag(tags, "reason", pm_common_reason_name(event->reason));
	if (panicmon_event_has(event, PANICMON_HAS_SIGNAL))
		add_signal(tags, event->signal);
	else if (panicmon_event_has(event, PANICMON_HAS_CODE))
		add_number(tags, "code", event->code);
}

/* ---- metrics ---- */

static void tell(struct pm_statsd_metrics *metrics, const struct panicmon_event *event,
		 const char *name, enum pm_statsd_type type, const struct tags *tags, int64_t value)
{
	int64_t time_ns = event != NULL ? event->time_ns : pm_common_realtime_ns();
	const struct pm_statsd_metric metric = {
		.name = name,
		.type = type,
		.time_s = time_ns / PM_COMMON_NS_PER_S,
		.tags = tags != NULL ? tags->all : NULL,
		.tag_count = tags != NULL ? tags->count : 0,
	};

	/* A gauge with a sign is a change to the one before. */
	pm_statsd_outbox_add(metrics->outbox, &metric, value > 0 ? value : 0);
}

/* How many run, and since when the first of them. */
static int64_t count_running(const struct pm_statsd_running *running, int64_t *since_ns)
{
	int64_t count = 0;

	for (int i = 0; i < PM_STATSD_RUNNING_MAX; i++) {
		if (running->all[i].pid == 0)
			continue;
		if (count++ == 0 || running->all[i].since_ns < *since_ns)
			*since_ns = running->all[i].since_ns;
	}
	return count;
}

/* Replaces pid `from`, 0 for a free place. */
static void set_running(struct pm_statsd_running *running, int32_t from, int32_t to)
{
	running->known = true;
	for (int i = 0; i < PM_STATSD_RUNNING_MAX; i++) {
		if (running->all[i].pid != from)
			continue;
		running->all[i].pid = to;
		running->all[i].since_ns = pm_common_monotonic_ns();
		return;
	}
}

static void tell_up(struct pm_statsd_metrics *metrics, const struct panicmon_event *event)
{
	int64_t now_ns = pm_common_monotonic_ns(), since_ns = now_ns;
	int64_t count = count_running(&metrics->running, &since_ns);

	/* It knows nothing of the service, which may be up. */
	if (event != NULL && pm_common_is_test(event))
		return;
	tell(metrics, event, "process.up", PM_STATSD_GAUGE, NULL, count);
	tell(metrics, event, "process.uptime", PM_STATSD_GAUGE, NULL,
	     count > 0 ? (now_ns - since_ns) / PM_COMMON_NS_PER_S : 0);
}

void pm_statsd_tell_heartbeat(struct pm_statsd_metrics *metrics)
{
	if (metrics->running.known)
		tell_up(metrics, NULL);
}

/* ---- notices ---- */

static void tell_notice(struct pm_statsd_metrics *metrics, const struct pm_statsd_notice *notice,
			bool event_too)
{
	struct pm_statsd_outbox *outbox = metrics->outbox;

	if (!metrics->notices)
		return;
	if (event_too) {
		pm_common_buffer_reset(&outbox->line);
		pm_statsd_event_line(&outbox->line, &outbox->style, notice, outbox->limit);
		pm_statsd_outbox_add_text(outbox);
	}
	pm_common_buffer_reset(&outbox->line);
	pm_statsd_check_line(&outbox->line, &outbox->style, notice, outbox->limit);
	pm_statsd_outbox_add_text(outbox);
}

static void put_end(char *out, size_t size, const struct panicmon_event *event)
{
	char name[PM_COMMON_NAME_SIZE];
	const char *core = panicmon_event_has(event, PANICMON_HAS_CORE) && event->core != 0
				   ? " (core dumped)"
				   : "";

	if (panicmon_event_has(event, PANICMON_HAS_ERROR))
		snprintf(out, size, "could not be started: %s", pm_common_errno_text(event->error));
	else if (panicmon_event_has(event, PANICMON_HAS_SIGNAL))
		snprintf(out, size, "was killed by %s%s%s",
			 pm_common_signal_name(event->signal, name), pm_common_reason_note(event),
			 core);
	else
		snprintf(out, size, "exited with code %d", event->code);
}

/* A failure, with the command and the end of its stderr. */
static void tell_failure(struct pm_statsd_metrics *metrics, const struct panicmon_event *event,
			 const struct tags *tags)
{
	const char *service = event->name != NULL ? event->name : "-";
	struct pm_common_buffer text = {0};
	char title[256], end[128];

	put_end(end, sizeof(end), event);
	snprintf(title, sizeof(title), "%.120s %s", service, end);
	for (uint32_t i = 0; event->args != NULL && i < event->argc && event->args[i] != NULL;
	     i++) {
		pm_common_puts(&text, i > 0 ? " " : "");
		pm_common_puts(&text, event->args[i]);
	}
	if (panicmon_event_has(event, PANICMON_HAS_STDERR_TAIL) && event->stderr_tail != NULL) {
		pm_common_puts(&text, "\n");
		pm_common_puts(&text, event->stderr_tail);
	}
	pm_common_put(&text, "", 1);
	tell_notice(metrics,
		    &(const struct pm_statsd_notice){.title = title,
						     .text = text.failed ? "" : text.data,
						     .key = service,
						     .status = 2,
						     .tags = tags->all,
						     .tag_count = tags->count},
		    true);
	pm_common_buffer_free(&text);
}

/* The check is well again. */
static void tell_well(struct pm_statsd_metrics *metrics, const struct tags *tags)
{
	tell_notice(metrics,
		    &(const struct pm_statsd_notice){
			    .title = "", .text = "", .tags = tags->all, .tag_count = tags->count},
		    false);
}

/* ---- events ---- */

void pm_statsd_tell_started(struct pm_statsd_metrics *metrics, const struct panicmon_event *event)
{
	struct tags tags;

	begin_tags(&tags, event);
	set_running(&metrics->running, 0, event->pid);
	tell(metrics, event, "process.start", PM_STATSD_COUNT, &tags, 1);
	tell_up(metrics, event);
	tell_well(metrics, &tags);
}

void pm_statsd_tell_failed(struct pm_statsd_metrics *metrics, const struct panicmon_event *event)
{
	struct tags tags, failed;

	begin_tags(&tags, event);
	copy_tags(&failed, &tags);
	if (panicmon_event_has(event, PANICMON_HAS_ERROR))
		add_tag(&failed, "error",
			pm_common_errno_name(event->error, failed.names[failed.count]));
	/* There may have been a pid, and a start, before execve(2) failed. */
	if (event->pid != 0)
		set_running(&metrics->running, event->pid, 0);
	metrics->running.known = true;
	tell(metrics, event, "process.failed", PM_STATSD_COUNT, &failed, 1);
	tell_up(metrics, event);
	tell_failure(metrics, event, &tags);
}

/* No event should have so much. */
static int64_t bytes_of(int64_t kb)
{
	if (kb > INT64_MAX / 1024)
		return INT64_MAX;
	return kb > 0 ? kb * 1024 : 0;
}

static void tell_usage(struct pm_statsd_metrics *metrics, const struct panicmon_event *event,
		       const struct tags *tags)
{
	if (panicmon_event_has(event, PANICMON_HAS_RUNTIME_MS))
		tell(metrics, event, "process.runtime", PM_STATSD_TIME, tags, event->runtime_ms);
	if (panicmon_event_has(event, PANICMON_HAS_CPU_USER_US))
		tell(metrics, event, "process.cpu.user", PM_STATSD_TIME, tags,
		     event->cpu_user_us / 1000);
	if (panicmon_event_has(event, PANICMON_HAS_CPU_SYSTEM_US))
		tell(metrics, event, "process.cpu.system", PM_STATSD_TIME, tags,
		     event->cpu_system_us / 1000);
	if (panicmon_event_has(event, PANICMON_HAS_MAX_RSS_KB))
		tell(metrics, event, "process.max_rss", PM_STATSD_GAUGE, tags,
		     bytes_of(event->max_rss_kb));
}

void pm_statsd_tell_exited(struct pm_statsd_metrics *metrics, const struct panicmon_event *event)
{
	bool crashed = event->severity <= PANICMON_ERROR;
	struct tags tags, end;

	begin_tags(&tags, event);
	copy_tags(&end, &tags);
	add_end(&end, event);
	set_running(&metrics->running, event->pid, 0);
	tell(metrics, event, "process.exit", PM_STATSD_COUNT, &end, 1);
	if (crashed)
		tell(metrics, event, "process.crash", PM_STATSD_COUNT, &end, 1);
	tell_usage(metrics, event, &tags);
	tell_up(metrics, event);
	if (crashed)
		tell_failure(metrics, event, &tags);
}

void pm_statsd_tell_signal(struct pm_statsd_metrics *metrics, const struct panicmon_event *event)
{
	struct tags tags;

	begin_tags(&tags, event);
	if (panicmon_event_has(event, PANICMON_HAS_SIGNAL))
		add_signal(&tags, event->signal);
	tell(metrics, event, pm_common_event_name(event->type), PM_STATSD_COUNT, &tags, 1);
}

void pm_statsd_tell_lost(struct pm_statsd_metrics *metrics, const struct panicmon_event *event)
{
	struct tags tags;

	begin_tags(&tags, event);
	if (event->handler != NULL)
		add_tag(&tags, "handler", event->handler);
	tell(metrics, event, pm_common_event_name(event->type), PM_STATSD_COUNT, &tags,
	     event->lost + event->dropped);
}
