/* The webhook handler: posts each event to a URL. */
#include <config.h>

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <panicmon/handler.h>

#include "answer.h"
#include "common/clock.h"
#include "format.h"
#include "message.h"
#include "options.h"
#include "send.h"
#include "settings.h"

#define SECRET_OPTIONS(INDEX, key, what)                                                           \
	[PM_WEBHOOK_##INDEX##_FILE] = {.name = key "_file",                                        \
				       .type = PANICMON_TEXT,                                      \
				       .help = "a file with " what},                               \
	[PM_WEBHOOK_##INDEX##_ENV] = {.name = key "_env",                                          \
				      .type = PANICMON_TEXT,                                       \
				      .help = "the environment variable with " what}
#define FILE_OPTION(INDEX, key, what)                                                              \
	[PM_WEBHOOK_##INDEX] = {.name = key, .type = PANICMON_TEXT, .help = what}

static const struct panicmon_option options[] = {
	[PM_WEBHOOK_URL] = {.name = "url",
			    .type = PANICMON_TEXT,
			    .help = "where to post to: http:// or https://"},
	SECRET_OPTIONS(URL, "url", "the URL, where it is a secret"),
	[PM_WEBHOOK_FORMAT] = {.name = "format",
			       .type = PANICMON_CHOICE,
			       .value = "cloudevents",
			       .help = "what the receiver understands",
			       .choices = pm_webhook_format_names},
	SECRET_OPTIONS(SECRET, "secret", "the secret that requests are signed with"),
	SECRET_OPTIONS(TOKEN, "token", "a bearer token for the Authorization header"),
	SECRET_OPTIONS(ROUTING_KEY, "routing_key", "the integration key of PagerDuty"),
	[PM_WEBHOOK_LABELS] = {.name = "labels",
			       .type = PANICMON_TEXT,
			       .help = "more labels for Alertmanager: severity=critical, team=db"},
	[PM_WEBHOOK_EXPIRES] = {.name = "expires",
				.type = PANICMON_DURATION,
				.value = "24h",
				.help = "how long Alertmanager keeps an alert that nothing ends",
				.min = 1000,
				.max = INT64_C(366) * 24 * 3600 * 1000},
	[PM_WEBHOOK_TEMPLATE] = {.name = "template",
				 .type = PANICMON_TEXT,
				 .help = "JSON with fields such as {name} in it"},
	FILE_OPTION(TEMPLATE_FILE, "template_file", "a file with such a template"),
	FILE_OPTION(CA_FILE, "ca_file",
		    "the certificates to trust, PEM; if not those of the system"),
	FILE_OPTION(CERT_FILE, "cert_file", "our own certificate, PEM, if the server asks for one"),
	FILE_OPTION(KEY_FILE, "key_file", "its key, PEM, if it is not in cert_file"),
	[PM_WEBHOOK_UNIX_SOCKET] = {.name = "unix_socket",
				    .type = PANICMON_TEXT,
				    .help = "connect to this socket, not to the URL's host"},
	[PM_WEBHOOK_CONNECT_TIMEOUT] = {.name = "connect_timeout",
					.type = PANICMON_DURATION,
					.value = "5s",
					.help = "the longest wait for a connection",
					.min = 10,
					.max = 600 * 1000},
	[PM_WEBHOOK_REQUEST_TIMEOUT] = {.name = "request_timeout",
					.type = PANICMON_DURATION,
					.value = "15s",
					.help = "the longest that one request may take in all",
					.min = 10,
					.max = 600 * 1000},
};
_Static_assert(sizeof(options) / sizeof(options[0]) == PM_WEBHOOK_OPTION_COUNT,
	       "each option has its index");

struct webhook {
	const struct panicmon_host *host;
	struct pm_webhook_settings settings;
	CURL *curl;
	struct pm_webhook_message message;
	struct pm_webhook_answer answer;
	uint64_t seq;          /* of the event of the last attempt */
	unsigned failures;     /* of it, in a row */
	bool failing;          /* people have been told */
	int64_t held_until_ms; /* CLOCK_MONOTONIC: nothing is sent before */
};

static int check(const struct panicmon_host *host, const struct panicmon_value *values)
{
	struct pm_webhook_settings settings;
	int result = pm_webhook_settings_read(&settings, host, values);

	pm_webhook_settings_free(&settings);
	return result;
}

static void close_webhook(void *self, int why)
{
	struct webhook *webhook = self;

	(void)why;
	curl_easy_cleanup(webhook->curl);
	pm_webhook_message_free(&webhook->message);
	pm_common_buffer_free(&webhook->answer.body);
	pm_webhook_settings_free(&webhook->settings);
	free(webhook);
	curl_global_cleanup();
}

static int open_webhook(const struct panicmon_host *host, const struct panicmon_value *values,
			void **self)
{
	struct webhook *webhook = calloc(1, sizeof(*webhook));
	int result;

	if (webhook == NULL)
		return panicmon_fail(host, "out of memory");
	webhook->host = host;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	result = pm_webhook_settings_read(&webhook->settings, host, values);
	if (result == 0) {
		pm_webhook_settings_hide(values);
		webhook->curl = pm_webhook_connection_new(&webhook->settings);
		if (webhook->curl == NULL)
			result = panicmon_fail(host, "libcurl cannot do what is needed");
	}
	if (result != 0)
		close_webhook(webhook, PANICMON_DRAIN);
	else
		*self = webhook;
	return result;
}

static void add_signature(struct webhook *webhook)
{
	struct pm_webhook_message *message = &webhook->message;
	struct pm_common_buffer text = {0};
	char seconds[24];
	time_t now = time(NULL);

	if (webhook->settings.keys.count == 0)
		return;
	snprintf(seconds, sizeof(seconds), "%lld", (long long)now);
	pm_webhook_sign(&webhook->settings.keys, message->id, now, &message->body, &text);
	pm_common_put(&text, "", 1);
	message->failed |= text.failed;
	if (!text.failed) {
		pm_webhook_put_header(message, "webhook-id", message->id);
		pm_webhook_put_header(message, "webhook-timestamp", seconds);
		pm_webhook_put_header(message, "webhook-signature", text.data);
	}
	pm_common_buffer_free(&text);
}

/* Says why, through `fail`; a retry is told of once, until one gets through. */
static void explain(struct webhook *webhook, int result)
{
	const struct pm_webhook_settings *settings = &webhook->settings;
	const char *const secrets[] = {settings->url, settings->secret, settings->token,
				       settings->routing_key};
	struct pm_common_buffer text = {0};

	pm_webhook_reason(&webhook->answer, secrets, sizeof(secrets) / sizeof(secrets[0]), &text);
	const char *reason = text.failed ? "out of memory" : text.data;
	panicmon_fail(webhook->host, "%s: %s", settings->origin, reason);
	if (result == PANICMON_DEAD)
		panicmon_log(webhook->host, PANICMON_ERROR,
			     "%s: %s; it is gone, and nothing is sent there any more",
			     settings->origin, reason);
	else if (result == PANICMON_RETRY && !webhook->failing)
		panicmon_log(webhook->host, PANICMON_WARNING, "%s: %s; trying again",
			     settings->origin, reason);
	webhook->failing |= result == PANICMON_RETRY;
	pm_common_buffer_free(&text);
}

static int retry(struct webhook *webhook)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint32_t)time(NULL);
	webhook->failures++;
	uint32_t delay_ms =
		pm_webhook_delay(webhook->failures, webhook->answer.retry_after, random);
	webhook->host->retry_in(webhook->host, delay_ms);
	webhook->held_until_ms =
		pm_common_monotonic_ms() + pm_webhook_hold(&webhook->answer, delay_ms);
	return PANICMON_RETRY;
}

static int settle(struct webhook *webhook)
{
	int result = pm_webhook_judge(&webhook->answer, webhook->settings.format->expects);

	if (result != PANICMON_DONE)
		explain(webhook, result);
	else if (webhook->failing)
		panicmon_log(webhook->host, PANICMON_WARNING, "%s: it works again",
			     webhook->settings.origin);
	if (result == PANICMON_RETRY)
		return retry(webhook);
	webhook->failing = false;
	return result;
}

/* Too early: whatever the event, it would be sent to a server that has asked for peace. */
static int hold(struct webhook *webhook, int64_t left_ms)
{
	panicmon_fail(webhook->host, "%s: nothing is sent for another %lld ms",
		      webhook->settings.origin, (long long)left_ms);
	webhook->host->retry_in(webhook->host, (uint32_t)left_ms);
	return PANICMON_RETRY;
}

/* As it was at the first attempt: who knows the id is to find the same under it. */
static struct panicmon_event first_attempt(const struct panicmon_event *event)
{
	struct panicmon_event copy = {0};

	memcpy(&copy, event, event->size < sizeof(copy) ? event->size : sizeof(copy));
	copy.attempt = 1;
	return copy;
}

static int send_event(void *self, const struct panicmon_event *event)
{
	struct webhook *webhook = self;
	const struct pm_webhook_format *format = webhook->settings.format;
	const struct panicmon_event first = first_attempt(event);

	if (format->wants != NULL && !format->wants(event))
		return PANICMON_DONE;
	int64_t left_ms = webhook->held_until_ms - pm_common_monotonic_ms();
	if (left_ms > 0)
		return hold(webhook, left_ms);
	if (event->seq != webhook->seq)
		webhook->failures = 0;
	webhook->seq = event->seq;
	if (pm_webhook_render(&webhook->settings, &first, &webhook->message) == 0)
		add_signature(webhook);
	if (webhook->message.failed || webhook->message.body.failed) {
		panicmon_fail(webhook->host, "out of memory");
		return PANICMON_RETRY;
	}
	pm_webhook_send(webhook->curl, &webhook->message, &webhook->answer);
	return settle(webhook);
}

PANICMON_HANDLER = {
	.magic = PANICMON_HANDLER_MAGIC,
	.size = sizeof(struct panicmon_handler),
	.minor = PANICMON_HANDLER_MINOR,
	.name = "webhook",
	.version = PACKAGE_VERSION,
	.summary = "posts each event to a URL: CloudEvents, Slack, PagerDuty, Alertmanager...",
	.options = options,
	.option_count = PM_WEBHOOK_OPTION_COUNT,
	.option_size = sizeof(struct panicmon_option),
	.check = check,
	.open = open_webhook,
	.close = close_webhook,
	.process =
		&(const struct panicmon_process_ops){
			.size = sizeof(struct panicmon_process_ops),
			.started = send_event,
			.failed = send_event,
			.exited = send_event,
			.recovered = send_event,
		},
	.signal =
		&(const struct panicmon_signal_ops){
			.size = sizeof(struct panicmon_signal_ops),
			.received = send_event,
			.passed = send_event,
			.failed = send_event,
		},
	.monitor =
		&(const struct panicmon_monitor_ops){
			.size = sizeof(struct panicmon_monitor_ops),
			.lost = send_event,
		},
	.flags = PANICMON_ALERTS,
};
