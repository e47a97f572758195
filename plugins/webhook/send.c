#include <config.h>

#include "send.h"

static size_t take_body(char *bytes, size_t one, size_t length, void *arg)
{
	struct pm_webhook_answer *answer = arg;
	size_t room = PM_WEBHOOK_ANSWER_MAX - answer->body.length;

	(void)one;
	answer->cut = length > room;
	pm_common_put(&answer->body, bytes, answer->cut ? room : length);
	/* Anything but the length ends the transfer. */
	return answer->cut ? 0 : length;
}

/* At least once a second, also while a name is looked up: the request has a limit of its own, and the
 * call's is not to end it. */
static int on_progress(void *arg, curl_off_t to_get, curl_off_t got, curl_off_t to_send,
		       curl_off_t sent)
{
	const struct panicmon_host *host = arg;

	(void)to_get, (void)got, (void)to_send, (void)sent;
	host->alive(host);
	return 0;
}

static CURLcode set_protocols(CURL *curl)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	return curl_easy_setopt(curl, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
}

#define SET(option, value)                                                                         \
	if (curl_easy_setopt(curl, option, value) != CURLE_OK)                                     \
	return -1

static int set_tls(CURL *curl, const struct pm_webhook_settings *settings)
{
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (settings->ca_file != NULL)
		SET(CURLOPT_CAINFO, settings->ca_file);
	if (settings->cert_file != NULL)
		SET(CURLOPT_SSLCERT, settings->cert_file);
	if (settings->key_file != NULL)
		SET(CURLOPT_SSLKEY, settings->key_file);
	return 0;
}

static int set_limits(CURL *curl, const struct pm_webhook_settings *settings)
{
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	if (set_protocols(curl) != CURLE_OK)
		return -1;
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Else the end of a timeout would wait for the thread that looks the name up. */
	SET(CURLOPT_QUICK_EXIT, 1L);
#endif
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)settings->connect_ms);
	SET(CURLOPT_TIMEOUT_MS, (long)settings->request_ms);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_NOPROGRESS, 0L);
	SET(CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(CURLOPT_XFERINFODATA, (void *)(uintptr_t)settings->host);
	return 0;
}

static int set_request(CURL *curl, const struct pm_webhook_settings *settings)
{
	SET(CURLOPT_URL, settings->url);
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_USERAGENT, "panicmon/" PACKAGE_VERSION);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	if (settings->unix_socket != NULL)
		SET(CURLOPT_UNIX_SOCKET_PATH, settings->unix_socket);
	if (settings->token == NULL)
		return 0;
	SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
	SET(CURLOPT_XOAUTH2_BEARER, settings->token);
	return 0;
}

CURL *pm_webhook_connection_new(const struct pm_webhook_settings *settings)
{
	CURL *curl = curl_easy_init();

	if (curl != NULL && set_limits(curl, settings) == 0 && set_tls(curl, settings) == 0 &&
	    set_request(curl, settings) == 0)
		return curl;
	curl_easy_cleanup(curl);
	return NULL;
}

static int set_message(CURL *curl, const struct pm_webhook_message *message,
		       struct pm_webhook_answer *answer)
{
	SET(CURLOPT_POSTFIELDS, message->body.data);
	SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)message->body.length);
	SET(CURLOPT_HTTPHEADER, message->headers);
	SET(CURLOPT_WRITEDATA, answer);
	SET(CURLOPT_ERRORBUFFER, answer->error);
	return 0;
}

void pm_webhook_send(CURL *curl, const struct pm_webhook_message *message,
		     struct pm_webhook_answer *answer)
{
	pm_common_buffer_reset(&answer->body);
	answer->status = 0;
	answer->retry_after = 0;
	answer->cut = false;
	answer->error[0] = '\0';
	answer->code = CURLE_OUT_OF_MEMORY;
	if (set_message(curl, message, answer) == 0)
		answer->code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
	curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &answer->retry_after);
	/* It is ours, and the list is gone with the message. */
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
}
