/* CloudEvents 1.0.2, in both modes of its HTTP binding, and the payload of Standard Webhooks. */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "common/cut.h"
#include "common/json.h"
#include "common/names.h"
#include "common/utf8.h"
#include "format.h"
#include "summary.h"

#define TYPE_PREFIX "io.github.panicmon."

enum attribute { ID, SOURCE, TYPE, SUBJECT, TIME, ATTRIBUTE_COUNT };

static const char *const names[ATTRIBUTE_COUNT] = {
	[ID] = "id", [SOURCE] = "source", [TYPE] = "type", [SUBJECT] = "subject", [TIME] = "time",
};

struct attributes {
	struct pm_common_buffer value[ATTRIBUTE_COUNT]; /* each ends with a NUL */
};

static bool is_unreserved(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c != '\0' && strchr("-._~", c) != NULL);
}

/* The HTTP binding, 3.1.3.2. */
static bool is_plain(char c)
{
	return c > 0x20 && c < 0x7f && c != '"' && c != '%';
}

static void put_percent(struct pm_common_buffer *out, const char *text, size_t length,
			bool (*stays)(char c))
{
	for (size_t i = 0; i < length; i++) {
		if (stays(text[i]))
			pm_common_put(out, text + i, 1);
		else
			pm_common_printf(out, "%%%02X", (unsigned char)text[i]);
	}
}

static void put_segment(struct pm_common_buffer *out, const char *text)
{
	struct pm_common_buffer clean = {0};

	pm_webhook_put_name(&clean, text);
	pm_common_puts(out, "/");
	put_percent(out, clean.data, clean.length, is_unreserved);
	out->failed |= clean.failed;
	pm_common_buffer_free(&clean);
}

static void fill(struct attributes *attributes, const struct panicmon_event *event, const char *id)
{
	struct pm_common_buffer *value = attributes->value;
	char time[PM_COMMON_TIME_SIZE];

	pm_common_puts(&value[ID], id);
	pm_common_puts(&value[SOURCE], "/panicmon");
	put_segment(&value[SOURCE], event->host);
	put_segment(&value[SOURCE], event->name);
	pm_common_puts(&value[TYPE], TYPE_PREFIX);
	pm_common_puts(&value[TYPE], pm_common_event_name(event->type));
	pm_webhook_put_name(&value[SUBJECT], event->name);
	pm_common_puts(&value[TIME], pm_common_time(event->time_ns, 6, time));
	for (int i = 0; i < ATTRIBUTE_COUNT; i++)
		pm_common_put(&value[i], "", 1);
}

/* One that failed may lack even its NUL. */
static bool is_given(const struct pm_common_buffer *value)
{
	return !value->failed && value->data[0] != '\0';
}

static bool free_attributes(struct attributes *attributes)
{
	bool failed = false;

	for (int i = 0; i < ATTRIBUTE_COUNT; i++) {
		failed |= attributes->value[i].failed;
		pm_common_buffer_free(&attributes->value[i]);
	}
	return failed;
}

void pm_webhook_cloudevents(const struct pm_webhook_settings *settings,
			    const struct panicmon_event *event, size_t budget,
			    struct pm_webhook_message *message)
{
	struct attributes attributes = {0};
	size_t flags = PM_COMMON_JSON_FLAGS;
	json_t *object = json_pack("{s:s}", "specversion", "1.0");

	(void)settings;
	fill(&attributes, event, message->id);
	for (int i = 0; i < ATTRIBUTE_COUNT; i++)
		if (is_given(&attributes.value[i]))
			json_object_set_new(object, names[i],
					    json_string(attributes.value[i].data));
	message->failed |= free_attributes(&attributes);
	json_object_set_new(object, "datacontenttype", json_string("application/json"));
	if (json_object_set_new(object, "data", pm_common_json_event(event, budget, &flags)) < 0)
		message->failed = true;
	pm_webhook_put_json(message, object, flags);
}

void pm_webhook_cloudevents_binary(const struct pm_webhook_settings *settings,
				   const struct panicmon_event *event, size_t budget,
				   struct pm_webhook_message *message)
{
	struct attributes attributes = {0};
	size_t flags = PM_COMMON_JSON_FLAGS;

	(void)settings;
	fill(&attributes, event, message->id);
	pm_webhook_put_header(message, "ce-specversion", "1.0");
	for (int i = 0; i < ATTRIBUTE_COUNT; i++) {
		struct pm_common_buffer coded = {0};
		char name[16];

		if (!is_given(&attributes.value[i]))
			continue;
		snprintf(name, sizeof(name), "ce-%s", names[i]);
		put_percent(&coded, attributes.value[i].data, attributes.value[i].length - 1,
			    is_plain);
		pm_common_put(&coded, "", 1);
		message->failed |= coded.failed;
		if (!coded.failed)
			pm_webhook_put_header(message, name, coded.data);
		pm_common_buffer_free(&coded);
	}
	message->failed |= free_attributes(&attributes);
	json_t *data = pm_common_json_event(event, budget, &flags);
	pm_webhook_put_json(message, data, flags);
}

void pm_webhook_standard(const struct pm_webhook_settings *settings,
			 const struct panicmon_event *event, size_t budget,
			 struct pm_webhook_message *message)
{
	size_t flags = PM_COMMON_JSON_FLAGS;
	char time[PM_COMMON_TIME_SIZE];
	json_t *data = pm_common_json_event(event, budget, &flags);

	(void)settings;
	pm_webhook_put_json(message,
			    json_pack("{s:s, s:s, s:o}", "type", pm_common_event_name(event->type),
				      "timestamp", pm_common_time(event->time_ns, 6, time), "data",
				      data),
			    flags);
}
