/* format.h: the bodies that receivers want. */
#ifndef PM_WEBHOOK_FORMAT_H
#define PM_WEBHOOK_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include <panicmon/event.h>

#include "message.h"
#include "settings.h"

struct pm_webhook_format {
	/* Fills in headers and body, of about `budget` bytes of the event's strings. */
	void (*render)(const struct pm_webhook_settings *settings,
		       const struct panicmon_event *event, size_t budget,
		       struct pm_webhook_message *message);
	bool (*wants)(const struct panicmon_event *event); /* NULL: every event */
	const char *content_type;
	const char *url;     /* where there is but one place to send it to */
	const char *expects; /* the body of a success */
	size_t limit;        /* the most that the receiver takes, in bytes; 0: as most do */
	bool is_signed;      /* it is nothing without a signature */
};

extern const char *const pm_webhook_format_names[]; /* NULL at the end */
extern const struct pm_webhook_format pm_webhook_formats[];
enum { PM_WEBHOOK_FORMAT_TEMPLATE = 9 }; /* its index, the last */

/* The message for an event, signature excluded. 0, or -1: out of memory. */
int pm_webhook_render(const struct pm_webhook_settings *settings,
		      const struct panicmon_event *event, struct pm_webhook_message *message);

/* ---- render functions, a file for each kind ---- */

typedef void pm_webhook_render_fn(const struct pm_webhook_settings *settings,
				  const struct panicmon_event *event, size_t budget,
				  struct pm_webhook_message *message);

pm_webhook_render_fn pm_webhook_cloudevents, pm_webhook_cloudevents_binary, pm_webhook_standard,
	pm_webhook_slack, pm_webhook_teams, pm_webhook_discord, pm_webhook_googlechat,
	pm_webhook_pagerduty, pm_webhook_alertmanager, pm_webhook_from_template;

/* Whether it begins or ends an incident. */
bool pm_webhook_is_incident(const struct panicmon_event *event);

#endif
