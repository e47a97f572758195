#include <config.h>

#include "format.h"

#include <stdint.h>

#include "common/cut.h"

enum { LIMIT = 64 * 1024 }; /* of CloudEvents 1.0, "Size limits"; and what most receivers take */

const char *const pm_webhook_format_names[] = {
	"cloudevents", "cloudevents-binary", "standard",     "slack",
	"teams",       "pagerduty",          "alertmanager", "discord",
	"googlechat",  "template",           NULL,
};

#define JSON "application/json"

/* In the order of the names. */
const struct pm_webhook_format pm_webhook_formats[] = {
	{.render = pm_webhook_cloudevents, .content_type = "application/cloudevents+json"},
	{.render = pm_webhook_cloudevents_binary, .content_type = JSON},
	{.render = pm_webhook_standard, .content_type = JSON, .is_signed = true},
	{.render = pm_webhook_slack, .content_type = JSON, .expects = "ok"},
	/* 28 KB, of which Teams counts characters as it pleases. */
	{.render = pm_webhook_teams, .content_type = JSON, .limit = 24 * 1024},
	{.render = pm_webhook_pagerduty,
	 .content_type = JSON,
	 .url = "https://events.pagerduty.com/v2/enqueue",
	 .wants = pm_webhook_is_incident},
	{.render = pm_webhook_alertmanager, .content_type = JSON, .wants = pm_webhook_is_incident},
	{.render = pm_webhook_discord, .content_type = JSON},
	{.render = pm_webhook_googlechat, .content_type = JSON, .limit = 30 * 1024},
	[PM_WEBHOOK_FORMAT_TEMPLATE] = {.render = pm_webhook_from_template, .content_type = JSON},
};
_Static_assert(sizeof(pm_webhook_formats) / sizeof(pm_webhook_formats[0]) + 1 ==
		       sizeof(pm_webhook_format_names) / sizeof(pm_webhook_format_names[0]),
	       "each name has its format");

int pm_webhook_render(const struct pm_webhook_settings *settings,
		      const struct panicmon_event *event, struct pm_webhook_message *message)
{
	const struct pm_webhook_format *format = settings->format;
	const size_t limit = format->limit != 0 ? format->limit : LIMIT;

	for (size_t budget = limit;;) {
		pm_webhook_message_begin(message, event);
		pm_webhook_put_header(message, "Content-Type", format->content_type);
		/* Else libcurl asks first, and waits, before it sends a megabyte. */
		pm_webhook_put_header(message, "Expect", "");
		format->render(settings, event, budget, message);
		if (message->failed || message->body.failed)
			return -1;
		if (message->body.length <= limit || budget == 0)
			return 0;
		budget = pm_common_cut_next(budget, message->body.length - limit);
	}
}
