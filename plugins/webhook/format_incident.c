/* What keeps an incident open until it is told that it is over: PagerDuty, Alertmanager. */
#include <config.h>

#include <openssl/evp.h>
#include <string.h>

#include "common/event.h"
#include "common/json.h"
#include "common/names.h"
#include "format.h"
#include "summary.h"
#include "text.h"

bool pm_webhook_is_incident(const struct panicmon_event *event)
{
	return pm_webhook_is_failure(event) || pm_webhook_is_resolved(event);
}

/* Whole: a cut one could be that of another service. */
static void put_whole(struct pm_common_buffer *out, const char *text)
{
	if (text == NULL || text[0] == '\0')
		text = "-";
	pm_webhook_put_clean(out, text, strlen(text));
}

static json_t *whole_text(const char *text)
{
	struct pm_common_buffer out = {0};

	put_whole(&out, text);
	json_t *value = out.failed ? NULL : json_stringn(out.data, out.length);
	pm_common_buffer_free(&out);
	return value;
}

/* The same for each crash and for their end. An exit that is no failure has no key of panicmon's, which
 * is NAME@HOST. A test neither changes nor ends an incident that is real. */
static void put_incident(struct pm_common_buffer *out, const struct panicmon_event *event)
{
	if (panicmon_event_has(event, PANICMON_HAS_INCIDENT) && event->incident != NULL) {
		put_whole(out, event->incident);
	} else {
		put_whole(out, event->name);
		pm_common_puts(out, "@");
		put_whole(out, event->host);
	}
	if (pm_common_is_test(event))
		pm_common_puts(out, " (test)");
}

static void shorten(struct pm_common_buffer *key, size_t most)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	if (key->length <= most)
		return;
	if (EVP_Digest(key->data, key->length, digest, &length, EVP_sha256(), NULL) != 1)
		key->failed = true;
	pm_common_buffer_reset(key);
	for (unsigned i = 0; i < length; i++)
		pm_common_printf(key, "%02x", digest[i]);
}

static json_t *dedup_key(const struct panicmon_event *event)
{
	enum { MOST = 255 };
	struct pm_common_buffer key = {0};

	put_incident(&key, event);
	shorten(&key, MOST);
	json_t *value = key.failed ? NULL : json_stringn(key.data, key.length);
	pm_common_buffer_free(&key);
	return value;
}

/* PagerDuty knows four. */
static const char *pagerduty_severity(uint32_t severity)
{
	if (severity <= PANICMON_FATAL)
		return "critical";
	if (severity == PANICMON_ERROR)
		return "error";
	return severity == PANICMON_WARNING ? "warning" : "info";
}

/* Events API v2. A resolve needs no payload, and has none. */
void pm_webhook_pagerduty(const struct pm_webhook_settings *settings,
			  const struct panicmon_event *event, size_t budget,
			  struct pm_webhook_message *message)
{
	size_t flags = PM_COMMON_JSON_FLAGS;
	char time[PM_COMMON_TIME_SIZE];
	bool over = pm_webhook_is_resolved(event);
	json_t *object =
		json_pack("{s:s, s:s, s:o}", "routing_key", settings->routing_key, "event_action",
			  over ? "resolve" : "trigger", "dedup_key", dedup_key(event));

	if (!over) {
		json_t *payload =
			json_pack("{s:o, s:o, s:s, s:s, s:o, s:s, s:o}", "summary",
				  pm_webhook_summary_text(event, pm_webhook_plain), "source",
				  pm_webhook_host_text(event, pm_webhook_plain), "severity",
				  pagerduty_severity(event->severity), "timestamp",
				  pm_common_time(event->time_ns, 3, time), "component",
				  pm_webhook_name_text(event, pm_webhook_plain), "class",
				  pm_common_event_name(event->type), "custom_details",
				  pm_common_json_event(event, budget, &flags));
		if (json_object_set_new(object, "payload", payload) < 0 ||
		    json_object_set_new(object, "client", json_string("panicmon")) < 0)
			message->failed = true;
	}
	pm_webhook_put_json(message, object, flags);
}

/* What makes it the same alert: nothing that differs between a crash and its end. */
static json_t *alert_labels(const struct pm_webhook_settings *settings,
			    const struct panicmon_event *event)
{
	json_t *labels = json_pack("{s:s, s:o, s:o}", "alertname", "ServiceCrashed", "instance",
				   whole_text(event->host), "job", whole_text(event->name));

	if (settings->labels != NULL)
		json_object_update(labels, settings->labels);
	if (pm_common_is_test(event))
		json_object_set_new(labels, "test", json_string("yes"));
	return labels;
}

static json_t *alert_annotations(const struct panicmon_event *event)
{
	return json_pack("{s:o, s:o*, s:o*, s:s, s:s}", "summary",
			 pm_webhook_summary_text(event, pm_webhook_plain), "command",
			 pm_webhook_command_text(event, pm_webhook_plain), "output",
			 pm_webhook_tail_text(event, pm_webhook_plain, "", ""), "event",
			 pm_common_event_name(event->type), "level",
			 pm_common_severity_name(event->severity));
}

/* API v2: a list. An alert without an end would be taken as over after the server's resolve_timeout
 * (5 minutes), because Prometheus repeats what it says; so a crash has one, far away. */
void pm_webhook_alertmanager(const struct pm_webhook_settings *settings,
			     const struct panicmon_event *event, size_t budget,
			     struct pm_webhook_message *message)
{
	char begin[PM_COMMON_TIME_SIZE], end[PM_COMMON_TIME_SIZE];
	bool over = pm_webhook_is_resolved(event);
	int64_t end_ns = event->time_ns + (over ? 0 : settings->expires_ms * 1000000);
	json_t *alert =
		json_pack("{s:o, s:o, s:s}", "labels", alert_labels(settings, event), "annotations",
			  alert_annotations(event), "endsAt", pm_common_time(end_ns, 3, end));

	(void)budget;
	/* Left out, the first one's stays. */
	if (!over && json_object_set_new(alert, "startsAt",
					 json_string(pm_common_time(event->time_ns, 3, begin))) < 0)
		message->failed = true;
	pm_webhook_put_json(message, json_pack("[o]", alert), PM_COMMON_JSON_FLAGS);
}
