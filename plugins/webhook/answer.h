/* answer.h: what came back, and what it means. */
#ifndef PM_WEBHOOK_ANSWER_H
#define PM_WEBHOOK_ANSWER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"

enum {
	PM_WEBHOOK_ANSWER_MAX = 64 * 1024, /* bytes of a body that are read */
	PM_WEBHOOK_RETRY_FIRST_MS = 1000,  /* doubles with each failure */
	PM_WEBHOOK_RETRY_LAST_MS = 60 * 1000,
	PM_WEBHOOK_RETRY_AFTER_MAX_MS = 300 * 1000, /* as long as a server may ask for */
	PM_WEBHOOK_HOLD_MAX_MS = 1000               /* of one that has not said how long */
};

struct pm_webhook_answer {
	CURLcode code;
	long status;            /* of HTTP; 0: there was none */
	curl_off_t retry_after; /* seconds that the server asked for; 0 or less: it did not */
	struct pm_common_buffer body;
	bool cut; /* the body is longer */
	char error[CURL_ERROR_SIZE];
};

/* enum panicmon_result. `expects`: what the body of a success is, but for blanks at its end; NULL:
 * anything. */
int pm_webhook_judge(const struct pm_webhook_answer *answer, const char *expects);

/* How long to wait after so many failures in a row, the last one included: full jitter, of which
 * `random` is the chance; or what the server asked for. */
uint32_t pm_webhook_delay(unsigned failures, curl_off_t retry_after, uint32_t random);

/* For how much of that delay nothing is sent, though panicmon asks for it, as it does every 100 ms at the end
 * of a run: all of it if the server has said so, a second at most if it has answered. One that cannot be
 * reached is tried as often as panicmon asks. */
uint32_t pm_webhook_hold(const struct pm_webhook_answer *answer, uint32_t delay_ms);

/* Appends why it is no success, for people, and a NUL. A body that has one of the secrets in it, or a
 * long part of one, such as of a URL, is not shown; NULL is no secret. */
void pm_webhook_reason(const struct pm_webhook_answer *answer, const char *const *secrets,
		       size_t count, struct pm_common_buffer *out);

#endif
