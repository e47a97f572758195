#include <config.h>

#include "answer.h"

#include <string.h>

#include <panicmon/handler.h>

#include "common/utf8.h"

/* A body that we stopped reading is an answer all the same; one that the server stopped sending is
 * none, and the event comes again. */
static bool is_complete(const struct pm_webhook_answer *answer)
{
	return answer->status != 0 && (answer->code == CURLE_OK || answer->cut);
}

static bool is_expected(const struct pm_common_buffer *body, const char *expects)
{
	size_t length = body->length;

	if (expects == NULL)
		return true;
	while (length > 0 && strchr(" \r\n", body->data[length - 1]) != NULL)
		length--;
	return length == strlen(expects) && memcmp(body->data, expects, length) == 0;
}

int pm_webhook_judge(const struct pm_webhook_answer *answer, const char *expects)
{
	/* "Too early" is not in every libcurl's list, nor is any of them. */
	enum { TIMEOUT = 408, GONE = 410, TOO_EARLY = 425, TOO_MANY = 429 };
	const long status = answer->status;

	if (!is_complete(answer) || status >= 500 || status == TIMEOUT || status == TOO_EARLY ||
	    status == TOO_MANY)
		return PANICMON_RETRY;
	if (status == GONE)
		return PANICMON_DEAD;
	/* To send it again because of a body would be to write to people again and again. */
	if (status < 200 || status > 299 || !is_expected(&answer->body, expects))
		return PANICMON_DROP;
	return PANICMON_DONE;
}

uint32_t pm_webhook_delay(unsigned failures, curl_off_t retry_after, uint32_t random)
{
	uint32_t most = PM_WEBHOOK_RETRY_FIRST_MS;

	if (retry_after >= PM_WEBHOOK_RETRY_AFTER_MAX_MS / 1000)
		return PM_WEBHOOK_RETRY_AFTER_MAX_MS;
	if (retry_after > 0)
		return (uint32_t)retry_after * 1000;
	while (--failures > 0 && most < PM_WEBHOOK_RETRY_LAST_MS)
		most *= 2;
	if (most > PM_WEBHOOK_RETRY_LAST_MS)
		most = PM_WEBHOOK_RETRY_LAST_MS;
	return random % (most + 1);
}

uint32_t pm_webhook_hold(const struct pm_webhook_answer *answer, uint32_t delay_ms)
{
	if (answer->retry_after > 0)
		return delay_ms;
	if (!is_complete(answer))
		return 0;
	return delay_ms < PM_WEBHOOK_HOLD_MAX_MS ? delay_ms : PM_WEBHOOK_HOLD_MAX_MS;
}

/* Whether one of the words between `separators` that has `least` bytes is in the body. */
static bool holds_word(const struct pm_common_buffer *body, const char *text,
		       const char *separators, size_t least)
{
	while (*text != '\0') {
		size_t length = strcspn(text, separators);

		if (length >= least && memmem(body->data, body->length, text, length) != NULL)
			return true;
		text += length;
		text += strspn(text, separators);
	}
	return false;
}

static bool holds_any(const struct pm_common_buffer *body, const char *const *secrets, size_t count)
{
	enum { LONG = 12 }; /* what is shorter is a word such as "services" */

	for (size_t i = 0; i < count; i++)
		if (secrets[i] != NULL && (holds_word(body, secrets[i], " \t\r\n", 1) ||
					   holds_word(body, secrets[i], " \t\r\n/?&=:@", LONG)))
			return true;
	return false;
}

/* The beginning of what the server says, on one line. */
static void put_body(struct pm_common_buffer *out, const struct pm_common_buffer *body)
{
	enum { SHOWN = 160 };
	size_t length = pm_common_utf8_head(body->data, body->length, SHOWN);
	struct pm_common_buffer clean = {0};

	pm_common_utf8_clean(&clean, body->data, length);
	pm_common_puts(out, ": '");
	for (size_t at = 0, step; at < clean.length; at += step) {
		uint32_t code;

		step = pm_common_utf8_next(clean.data + at, clean.length - at, &code);
		if (pm_common_is_control(code))
			pm_common_puts(out, " ");
		else
			pm_common_put(out, clean.data + at, step);
	}
	pm_common_puts(out, length < body->length ? PM_COMMON_ELLIPSIS "'" : "'");
	pm_common_buffer_free(&clean);
}

static void put_status(struct pm_common_buffer *out, long status)
{
	pm_common_printf(out, "it answered %ld", status);
	if (status >= 300 && status <= 399)
		pm_common_puts(out, ", a redirection, which is not followed: write the URL that it "
				    "leads to");
}

void pm_webhook_reason(const struct pm_webhook_answer *answer, const char *const *secrets,
		       size_t count, struct pm_common_buffer *out)
{
	if (!is_complete(answer))
		pm_common_puts(out, answer->error[0] != '\0' ? answer->error
							     : curl_easy_strerror(answer->code));
	else
		put_status(out, answer->status);
	if (is_complete(answer) && answer->body.length > 0 &&
	    !holds_any(&answer->body, secrets, count))
		put_body(out, &answer->body);
	pm_common_put(out, "", 1);
}
