#include <config.h>

#include "message.h"

#include <stdio.h>

#include "common/json.h"

static void drop_headers(struct pm_webhook_message *message)
{
	curl_slist_free_all(message->headers);
	message->headers = NULL;
}

void pm_webhook_message_begin(struct pm_webhook_message *message,
			      const struct panicmon_event *event)
{
	drop_headers(message);
	pm_common_buffer_reset(&message->body);
	message->failed = false;
	snprintf(message->id, sizeof(message->id), "%.32s-%llu",
		 event->run != NULL ? event->run : "0", (unsigned long long)event->seq);
}

void pm_webhook_message_free(struct pm_webhook_message *message)
{
	drop_headers(message);
	pm_common_buffer_free(&message->body);
}

void pm_webhook_put_header(struct pm_webhook_message *message, const char *name, const char *value)
{
	struct pm_common_buffer line = {0};

	pm_common_puts(&line, name);
	pm_common_puts(&line, ": ");
	pm_common_puts(&line, value);
	pm_common_put(&line, "", 1);
	struct curl_slist *headers =
		line.failed ? NULL : curl_slist_append(message->headers, line.data);
	pm_common_buffer_free(&line);
	if (headers != NULL)
		message->headers = headers;
	else
		message->failed = true;
}

void pm_webhook_put_json(struct pm_webhook_message *message, json_t *value, size_t flags)
{
	pm_common_json_dump(&message->body, value, flags);
}
