/* message.h: what is sent for one event. */
#ifndef PM_WEBHOOK_MESSAGE_H
#define PM_WEBHOOK_MESSAGE_H

#include <curl/curl.h>
#include <jansson.h>

#include <panicmon/event.h>

#include "common/buffer.h"

struct pm_webhook_message {
	char id[64];                /* the same for each attempt at an event */
	struct curl_slist *headers; /* lines NAME: VALUE */
	struct pm_common_buffer body;
	bool failed; /* out of memory */
};

/* Empties it and gives it the id of an event. */
void pm_webhook_message_begin(struct pm_webhook_message *message,
			      const struct panicmon_event *event);
void pm_webhook_message_free(struct pm_webhook_message *message);

void pm_webhook_put_header(struct pm_webhook_message *message, const char *name, const char *value);

/* The body: text of `value`, which it takes; NULL: out of memory. */
void pm_webhook_put_json(struct pm_webhook_message *message, json_t *value, size_t flags);

#endif
