#include <config.h>

#include "text.h"

#include <string.h>

#include "common/buffer.h"
#include "summary.h"

const struct pm_webhook_escape pm_webhook_entities[] = {
	{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {0, NULL}};
const struct pm_webhook_escape pm_webhook_plain[] = {{0, NULL}};

static void put_escaped(struct pm_common_buffer *out, const struct pm_common_buffer *text,
			const struct pm_webhook_escape *escape)
{
	for (size_t i = 0; i < text->length; i++) {
		const struct pm_webhook_escape *found = escape;

		while (found->character != 0 && found->character != text->data[i])
			found++;
		if (found->character != 0)
			pm_common_puts(out, found->text);
		else
			pm_common_put(out, text->data + i, 1);
	}
}

/* Takes `text`. */
static json_t *make_string(struct pm_common_buffer *text, const struct pm_webhook_escape *escape,
			   const char *before, const char *after)
{
	struct pm_common_buffer out = {0};
	json_t *value = NULL;

	pm_common_puts(&out, before);
	put_escaped(&out, text, escape);
	pm_common_puts(&out, after);
	if (text->length > 0 && !text->failed && !out.failed)
		value = json_stringn(out.data, out.length);
	pm_common_buffer_free(&out);
	pm_common_buffer_free(text);
	return value;
}

json_t *pm_webhook_summary_text(const struct panicmon_event *event,
				const struct pm_webhook_escape *escape)
{
	struct pm_common_buffer text = {0};

	pm_webhook_put_summary(&text, event);
	return make_string(&text, escape, "", "");
}

json_t *pm_webhook_command_text(const struct panicmon_event *event,
				const struct pm_webhook_escape *escape)
{
	struct pm_common_buffer text = {0};

	pm_webhook_put_command(&text, event, PM_WEBHOOK_COMMAND_MAX);
	return make_string(&text, escape, "", "");
}

json_t *pm_webhook_host_text(const struct panicmon_event *event,
			     const struct pm_webhook_escape *escape)
{
	struct pm_common_buffer text = {0};

	pm_webhook_put_name(&text, event->host);
	return make_string(&text, escape, "", "");
}

json_t *pm_webhook_name_text(const struct panicmon_event *event,
			     const struct pm_webhook_escape *escape)
{
	struct pm_common_buffer text = {0};

	pm_webhook_put_name(&text, event->name);
	return make_string(&text, escape, "", "");
}

json_t *pm_webhook_tail_text(const struct panicmon_event *event,
			     const struct pm_webhook_escape *escape, const char *before,
			     const char *after)
{
	struct pm_common_buffer text = {0};

	pm_webhook_put_tail(&text, event, PM_WEBHOOK_TAIL_MAX);
	return make_string(&text, escape, before, after);
}

uint32_t pm_webhook_colour(const struct panicmon_event *event)
{
	const uint32_t red = 0xd13438, green = 0x2e9e4f, grey = 0x808080;

	if (pm_webhook_is_failure(event) || event->severity <= PANICMON_ERROR)
		return red;
	return event->type == PANICMON_PROCESS_RECOVERED ? green : grey;
}
