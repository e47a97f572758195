/* logfmt: key=value pairs with a blank between them; the value of a key that needs it is in quotes, with
 * the escapes of a JSON string (as github.com/go-logfmt/logfmt reads and writes it). */
#include <config.h>

#include <string.h>

#include "common/json.h"
#include "common/names.h"
#include "common/utf8.h"
#include "format.h"

static bool is_bare(const char *text, size_t length)
{
	struct pm_common_utf8 found = pm_common_utf8_scan(text, length);
	size_t at = 0;

	while (at < length && (unsigned char)text[at] > ' ' && text[at] != '"' && text[at] != '=' &&
	       text[at] != '\\' && text[at] != 0x7f)
		at++;
	return length > 0 && at == length && found.valid && !found.controls;
}

static void put_value(struct pm_common_buffer *out, const char *text, size_t length)
{
	size_t flags = PM_COMMON_JSON_FLAGS | JSON_ENCODE_ANY;

	if (is_bare(text, length)) {
		pm_common_put(out, text, length);
		return;
	}
	json_t *quoted = pm_common_json_text(text, length, &flags);
	pm_common_json_dump(out, quoted, flags);
}

static void put_pair(struct pm_common_buffer *out, const char *key, const json_t *value)
{
	struct pm_common_buffer text = {0};

	pm_common_puts(out, " ");
	pm_common_puts(out, key);
	pm_common_puts(out, "=");
	pm_log_record_value(&text, value);
	put_value(out, text.data != NULL ? text.data : "", text.length);
	out->failed |= text.failed;
	pm_common_buffer_free(&text);
}

static void put_message(struct pm_common_buffer *out, const struct pm_log_record *record)
{
	struct pm_common_buffer text = {0};

	pm_log_record_message(&text, record);
	pm_common_puts(out, " msg=");
	put_value(out, text.data != NULL ? text.data : "", text.length);
	out->failed |= text.failed;
	pm_common_buffer_free(&text);
}

void pm_log_logfmt(struct pm_common_buffer *out, const struct pm_log_record *record)
{
	size_t flags = PM_COMMON_JSON_FLAGS;
	json_t *members = pm_log_record_members(record, &flags);
	const char *key;
	json_t *value;

	if (members == NULL) {
		out->failed = true;
		return;
	}
	pm_common_puts(out, "time=");
	pm_log_record_value(out, json_object_get(members, "time"));
	pm_common_puts(out, " level=");
	pm_common_puts(out, pm_common_severity_name(pm_log_record_severity(record)));
	put_message(out, record);
	json_object_foreach(members, key,
			    value) if (strcmp(key, "time") != 0 && strcmp(key, "severity") != 0)
		put_pair(out, key, value);
	json_decref(members);
}
