/* sign.h: signatures of Standard Webhooks (github.com/standard-webhooks/standard-webhooks, 1.0). */
#ifndef PM_WEBHOOK_SIGN_H
#define PM_WEBHOOK_SIGN_H

#include <stdint.h>

#include <panicmon/handler.h>

#include "common/buffer.h"

enum {
	PM_WEBHOOK_KEY_MIN = 24, /* bytes; the specification's */
	PM_WEBHOOK_KEY_MAX = 64,
	PM_WEBHOOK_KEYS_MAX = 2 /* while one takes the place of the other */
};

struct pm_webhook_keys {
	int count;
	struct {
		int length;
		unsigned char bytes[PM_WEBHOOK_KEY_MAX];
	} key[PM_WEBHOOK_KEYS_MAX];
};

/* Reads "whsec_BASE64", or two of them with blanks between. 0, or -1 after host->fail(). */
int pm_webhook_keys_read(const struct panicmon_host *host, const char *text,
			 struct pm_webhook_keys *keys);

/* Appends "v1,SIGNATURE" for each key, with a blank between; out->failed where that cannot be. */
void pm_webhook_sign(const struct pm_webhook_keys *keys, const char *id, int64_t seconds,
		     const struct pm_common_buffer *body, struct pm_common_buffer *out);

#endif
