/* template.h: a JSON text with {field}s in it. */
#ifndef PM_WEBHOOK_TEMPLATE_H
#define PM_WEBHOOK_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include <panicmon/handler.h>

#include "common/buffer.h"

/* {name} within a JSON string is the text of the field, escaped; elsewhere it is the whole JSON
 * value, null if the event has none. Any other brace is what JSON has it for. */
struct pm_webhook_template {
	char *text; /* NULL: there is none */
};

/* Takes text, for free(3). 0, or -1 after host->fail(): a field that no event has, or something that
 * is no JSON. */
int pm_webhook_template_read(struct pm_webhook_template *made, const struct panicmon_host *host,
			     char *text);
void pm_webhook_template_free(struct pm_webhook_template *made);

/* Appends the text for an event; out->failed where memory runs out. */
void pm_webhook_template_fill(const struct pm_webhook_template *made,
			      const struct panicmon_event *event, const char *id, size_t budget,
			      struct pm_common_buffer *out);

#endif
