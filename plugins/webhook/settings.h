/* settings.h: what the section of the config says, looked over and ready for use. */
#ifndef PM_WEBHOOK_SETTINGS_H
#define PM_WEBHOOK_SETTINGS_H

#include <jansson.h>
#include <stdint.h>

#include <panicmon/handler.h>

#include "sign.h"
#include "template.h"

struct pm_webhook_format;

struct pm_webhook_settings {
	const struct panicmon_host *host;
	const struct pm_webhook_format *format;
	char *url;    /* may be a secret as a whole */
	char *origin; /* scheme, host and port of it, for people */
	struct pm_webhook_keys keys;
	char *secret, *token, *routing_key; /* NULL: none */
	json_t *labels;                     /* an object of strings; NULL: none */
	int64_t expires_ms;
	struct pm_webhook_template template;
	char *ca_file, *cert_file, *key_file;
	const char *unix_socket;
	int64_t connect_ms, request_ms;
};

/* Has no effect outside. 0, or -1 after host->fail(). Free it in either case. */
int pm_webhook_settings_read(struct pm_webhook_settings *settings, const struct panicmon_host *host,
			     const struct panicmon_value *values);

/* Takes the secrets out of the environment. */
void pm_webhook_settings_hide(const struct panicmon_value *values);
void pm_webhook_settings_free(struct pm_webhook_settings *settings);

#endif
