#include <config.h>

#include "settings.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "format.h"
#include "options.h"
#include "secrets.h"

#define LABEL_FIRST "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define LABEL_NEXT LABEL_FIRST "0123456789"
#define BLANKS " \t"

static int out_of_memory(const struct panicmon_host *host)
{
	return panicmon_fail(host, "out of memory");
}

/* ---- the URL ---- */

static int read_url(struct pm_webhook_settings *settings, const struct panicmon_value *values)
{
	const struct panicmon_host *host = settings->host;
	const char *url = values[PM_WEBHOOK_URL].text;

	if (pm_webhook_secret_read(host, values, PM_WEBHOOK_URL_FILE, &settings->url) < 0)
		return -1;
	if (settings->url != NULL && url != NULL)
		return panicmon_fail(host, "url and url_%s are both written: one is enough",
				     values[PM_WEBHOOK_URL_FILE].text != NULL ? "file" : "env");
	if (settings->url != NULL)
		return 0;
	if (url == NULL)
		url = settings->format->url;
	if (url == NULL)
		return panicmon_fail(host, "where to? write url, url_file or url_env");
	settings->url = strdup(url);
	return settings->url != NULL ? 0 : out_of_memory(host);
}

/* Makes `origin`. Nothing of the URL is said: it may be a secret. */
static int take_apart(struct pm_webhook_settings *settings, CURLU *parsed)
{
	char *scheme = NULL, *name = NULL, *port = NULL;
	int result = -1;

	curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0);
	curl_url_get(parsed, CURLUPART_HOST, &name, 0);
	curl_url_get(parsed, CURLUPART_PORT, &port, 0);
	if (scheme == NULL || name == NULL ||
	    (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		panicmon_fail(settings->host, "the URL is not one of http:// or https://");
	else if (port != NULL && strtol(port, NULL, 10) == 0)
		panicmon_fail(settings->host, "the URL has port 0, at which nobody can be: write "
					      "another, or leave it out");
	else if (asprintf(&settings->origin, "%s://%s%s%s", scheme, name, port != NULL ? ":" : "",
			  port != NULL ? port : "") < 0) {
		settings->origin = NULL;
		out_of_memory(settings->host);
	} else
		result = 0;
	curl_free(scheme);
	curl_free(name);
	curl_free(port);
	return result;
}

static int check_url(struct pm_webhook_settings *settings)
{
	CURLU *parsed = curl_url();
	int result = -1;

	if (parsed == NULL)
		return out_of_memory(settings->host);
	if (strpbrk(settings->url, " \t\r\n") != NULL ||
	    curl_url_set(parsed, CURLUPART_URL, settings->url, CURLU_NON_SUPPORT_SCHEME) !=
		    CURLUE_OK)
		panicmon_fail(settings->host,
			      "the URL is none: write it like https://example.com/hook");
	else
		result = take_apart(settings, parsed);
	curl_url_cleanup(parsed);
	return result;
}

/* ---- files ---- */

static int read_path(struct pm_webhook_settings *settings, const struct panicmon_value *values,
		     int index, bool is_private, char **path)
{
	const char *option = panicmon_handler_1.options[index].name;

	if (values[index].text == NULL)
		return 0;
	*path = pm_webhook_file_path(settings->host, option, values[index].text);
	if (*path == NULL)
		return -1;
	return pm_webhook_file_check(settings->host, option, *path, is_private);
}

static int read_tls(struct pm_webhook_settings *settings, const struct panicmon_value *values)
{
	if (read_path(settings, values, PM_WEBHOOK_CA_FILE, false, &settings->ca_file) < 0 ||
	    read_path(settings, values, PM_WEBHOOK_CERT_FILE, false, &settings->cert_file) < 0 ||
	    read_path(settings, values, PM_WEBHOOK_KEY_FILE, true, &settings->key_file) < 0)
		return -1;
	if (settings->key_file != NULL && settings->cert_file == NULL)
		return panicmon_fail(settings->host,
				     "key_file without cert_file: write the certificate as well");
	return 0;
}

static int read_template(struct pm_webhook_settings *settings, const struct panicmon_value *values)
{
	const struct panicmon_host *host = settings->host;
	const char *text = values[PM_WEBHOOK_TEMPLATE].text;
	const char *file = values[PM_WEBHOOK_TEMPLATE_FILE].text;
	bool wanted = settings->format == &pm_webhook_formats[PM_WEBHOOK_FORMAT_TEMPLATE];

	if (!wanted && (text != NULL || file != NULL))
		return panicmon_fail(host, "a template is for format = template only");
	if (!wanted)
		return 0;
	if ((text == NULL) == (file == NULL))
		return panicmon_fail(host, "format = template wants template or template_file, one "
					   "of them");
	char *made = file != NULL ? pm_webhook_file_read(host, "template_file", file, false)
				  : strdup(text);
	if (made == NULL)
		return file != NULL ? -1 : out_of_memory(host);
	return pm_webhook_template_read(&settings->template, host, made);
}

static int read_unix_socket(struct pm_webhook_settings *settings,
			    const struct panicmon_value *values)
{
	const size_t most = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
	const char *path = values[PM_WEBHOOK_UNIX_SOCKET].text;

	settings->unix_socket = path;
	if (path == NULL)
		return 0;
	if (path[0] != '/' || strlen(path) > most)
		return panicmon_fail(
			settings->host,
			"unix_socket '%.200s' is not a path that begins with / and has "
			"at most %zu bytes",
			path, most);
	return 0;
}

/* ---- labels ---- */

static int bad_label(const struct panicmon_host *host, const char *text, size_t length)
{
	return panicmon_fail(host,
			     "labels: '%.*s' is not NAME=VALUE with a name of letters, digits and "
			     "_, such as: severity=critical, team=db",
			     (int)(length < 100 ? length : 100), text);
}

/* One of `length` bytes, without blanks around it. */
static int add_label(struct pm_webhook_settings *settings, const char *text, size_t length)
{
	size_t name = strspn(text, LABEL_NEXT);
	char *key = strndup(text, name);
	json_t *value = NULL;
	int result = 0;

	if (key == NULL)
		return out_of_memory(settings->host);
	if (name == 0 || name + 1 >= length || text[name] != '=' ||
	    strchr(LABEL_FIRST, text[0]) == NULL)
		result = bad_label(settings->host, text, length);
	else if ((value = json_stringn(text + name + 1, length - name - 1)) == NULL ||
		 json_object_set_new(settings->labels, key, value) < 0)
		result = panicmon_fail(settings->host, "labels: '%s' has a value that is not UTF-8",
				       key);
	free(key);
	return result;
}

static int read_labels(struct pm_webhook_settings *settings, const struct panicmon_value *values)
{
	const char *text = values[PM_WEBHOOK_LABELS].text;

	if (text == NULL)
		return 0;
	settings->labels = json_object();
	for (text += strspn(text, BLANKS); *text != '\0'; text += strspn(text, BLANKS ",")) {
		size_t whole = strcspn(text, ","), length = whole;

		while (length > 0 && strchr(BLANKS, text[length - 1]) != NULL)
			length--;
		if (add_label(settings, text, length) < 0)
			return -1;
		text += whole;
	}
	return 0;
}

/* ---- secrets ---- */

static int read_signing(struct pm_webhook_settings *settings, const struct panicmon_value *values)
{
	if (pm_webhook_secret_read(settings->host, values, PM_WEBHOOK_SECRET_FILE,
				   &settings->secret) < 0)
		return -1;
	if (settings->secret != NULL &&
	    pm_webhook_keys_read(settings->host, settings->secret, &settings->keys) < 0)
		return -1;
	if (settings->keys.count > 0 || !settings->format->is_signed)
		return 0;
	return panicmon_fail(settings->host,
			     "format = standard is always signed: write secret_file or secret_env");
}

static int read_routing_key(struct pm_webhook_settings *settings,
			    const struct panicmon_value *values)
{
	bool wanted = settings->format->render == pm_webhook_pagerduty;

	if (pm_webhook_secret_read(settings->host, values, PM_WEBHOOK_ROUTING_KEY_FILE,
				   &settings->routing_key) < 0)
		return -1;
	if (wanted && settings->routing_key == NULL)
		return panicmon_fail(settings->host, "format = pagerduty wants routing_key_file or "
						     "routing_key_env");
	if (!wanted && settings->routing_key != NULL)
		return panicmon_fail(settings->host,
				     "a routing key is for format = pagerduty only");
	json_t *text = wanted ? json_string(settings->routing_key) : NULL;
	if (wanted && text == NULL)
		return panicmon_fail(settings->host, "the routing key is not UTF-8");
	json_decref(text);
	return 0;
}

static int read_token(struct pm_webhook_settings *settings, const struct panicmon_value *values)
{
	if (pm_webhook_secret_read(settings->host, values, PM_WEBHOOK_TOKEN_FILE,
				   &settings->token) < 0)
		return -1;
	if (settings->token != NULL && strpbrk(settings->token, " \t\r\n") != NULL)
		return panicmon_fail(settings->host, "the token has blanks or lines in it");
	return 0;
}

int pm_webhook_settings_read(struct pm_webhook_settings *settings, const struct panicmon_host *host,
			     const struct panicmon_value *values)
{
	*settings = (struct pm_webhook_settings){
		.host = host,
		.format = &pm_webhook_formats[values[PM_WEBHOOK_FORMAT].number],
		.expires_ms = values[PM_WEBHOOK_EXPIRES].number,
		.connect_ms = values[PM_WEBHOOK_CONNECT_TIMEOUT].number,
		.request_ms = values[PM_WEBHOOK_REQUEST_TIMEOUT].number,
	};
	if (read_url(settings, values) < 0 || check_url(settings) < 0 ||
	    read_signing(settings, values) < 0 || read_token(settings, values) < 0 ||
	    read_routing_key(settings, values) < 0 || read_labels(settings, values) < 0 ||
	    read_template(settings, values) < 0 || read_tls(settings, values) < 0 ||
	    read_unix_socket(settings, values) < 0)
		return -1;
	return 0;
}

void pm_webhook_settings_hide(const struct panicmon_value *values)
{
	static const int variables[] = {PM_WEBHOOK_URL_ENV, PM_WEBHOOK_SECRET_ENV,
					PM_WEBHOOK_TOKEN_ENV, PM_WEBHOOK_ROUTING_KEY_ENV};

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		if (values[variables[i]].text != NULL)
			pm_webhook_secret_hide(values[variables[i]].text);
}

void pm_webhook_settings_free(struct pm_webhook_settings *settings)
{
	pm_webhook_secret_free(settings->url);
	pm_webhook_secret_free(settings->secret);
	pm_webhook_secret_free(settings->token);
	pm_webhook_secret_free(settings->routing_key);
	explicit_bzero(&settings->keys, sizeof(settings->keys));
	pm_webhook_template_free(&settings->template);
	json_decref(settings->labels);
	free(settings->origin);
	free(settings->ca_file);
	free(settings->cert_file);
	free(settings->key_file);
}
