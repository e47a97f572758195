/* summary.h: an event for people, in one sentence. */
#ifndef PM_WEBHOOK_SUMMARY_H
#define PM_WEBHOOK_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>

#include <panicmon/event.h>

#include "common/buffer.h"

/* Whether somebody has to do something: the command could not start, or ended in an error or crash. */
bool pm_webhook_is_failure(const struct panicmon_event *event);

/* Whether that is over. */
bool pm_webhook_is_resolved(const struct panicmon_event *event);

/* Appends the sentence: valid UTF-8 without control characters, at most about 500 bytes. */
void pm_webhook_put_summary(struct pm_common_buffer *out, const struct panicmon_event *event);

/* Appends the command line, likewise, at most `most` bytes. */
void pm_webhook_put_command(struct pm_common_buffer *out, const struct panicmon_event *event,
			    size_t most);

/* Appends the last of what the command has written to stderr, likewise but for newlines and tabs. */
void pm_webhook_put_tail(struct pm_common_buffer *out, const struct panicmon_event *event,
			 size_t most);

/* Appends text likewise: what is not UTF-8, or a control character, is U+FFFD. */
void pm_webhook_put_clean(struct pm_common_buffer *out, const char *text, size_t length);

/* The same of a string, cut to a length at which names are still recognised; "-" for none. */
void pm_webhook_put_name(struct pm_common_buffer *out, const char *text);

#endif
