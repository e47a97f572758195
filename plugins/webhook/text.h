/* text.h: texts for people as JSON strings, with the escapes of the place where they are shown. */
#ifndef PM_WEBHOOK_TEXT_H
#define PM_WEBHOOK_TEXT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include <panicmon/event.h>

enum {
	PM_WEBHOOK_COMMAND_MAX = 400, /* bytes of a command line that are shown */
	PM_WEBHOOK_TAIL_MAX = 900     /* of the last output; Discord's fields are the shortest */
};

/* What each character becomes that means something where the text is shown; ends with a 0. */
struct pm_webhook_escape {
	char character;
	const char *text;
};
extern const struct pm_webhook_escape pm_webhook_entities[]; /* & < > of HTML, and of Slack */
extern const struct pm_webhook_escape pm_webhook_plain[];    /* none */

/* Strings, or NULL where the event has none of it or memory runs out. */
json_t *pm_webhook_summary_text(const struct panicmon_event *event,
				const struct pm_webhook_escape *escape);
json_t *pm_webhook_command_text(const struct panicmon_event *event,
				const struct pm_webhook_escape *escape);
json_t *pm_webhook_host_text(const struct panicmon_event *event,
			     const struct pm_webhook_escape *escape);
json_t *pm_webhook_name_text(const struct panicmon_event *event,
			     const struct pm_webhook_escape *escape);

/* Between these two texts. */
json_t *pm_webhook_tail_text(const struct panicmon_event *event,
			     const struct pm_webhook_escape *escape, const char *before,
			     const char *after);

/* 0xRRGGBB: red for a failure, green for its end, grey. */
uint32_t pm_webhook_colour(const struct panicmon_event *event);

#endif
