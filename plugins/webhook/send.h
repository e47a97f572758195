/* send.h: one request with libcurl. */
#ifndef PM_WEBHOOK_SEND_H
#define PM_WEBHOOK_SEND_H

#include <curl/curl.h>

#include "answer.h"
#include "message.h"
#include "settings.h"

/* Contacts nobody. The settings must outlive it; NULL: out of memory, or libcurl lacks what is
 * needed. For curl_easy_cleanup(3). */
CURL *pm_webhook_connection_new(const struct pm_webhook_settings *settings);

/* Posts the message, on the connection of the last one if that is still open, and fills in the
 * answer, whose body it empties before. */
void pm_webhook_send(CURL *curl, const struct pm_webhook_message *message,
		     struct pm_webhook_answer *answer);

#endif
