/* tags.h: what is written of strings from outside in names and tags. */
#ifndef PM_STATSD_TAGS_H
#define PM_STATSD_TAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buffer.h"

enum { PM_STATSD_TAG_MAX = 16, PM_STATSD_VALUE_MAX = 200 /* bytes, as Datadog has it */ };

struct pm_statsd_tag {
	const char *key, *value;
};

/* What `tags` of the config holds. */
struct pm_statsd_tags {
	struct pm_statsd_tag all[PM_STATSD_TAG_MAX];
	size_t count;
	char *text; /* what they point into */
};

/* For the placeholders {name} and {host}. */
struct pm_statsd_places {
	const char *name, *host;
};

/* NULL, or what is wrong with the text, with the part it is about in `part`. */
const char *pm_statsd_tags_parse(struct pm_statsd_tags *tags, const char *text, char *part,
				 size_t part_size);
void pm_statsd_tags_free(struct pm_statsd_tags *tags);

/* Whether text can be the beginning of a metric's name, placeholders included. */
bool pm_statsd_is_prefix(const char *text);

/* Appends the prefix with its placeholders filled in: [A-Za-z0-9_.], of a service or host no dot. */
void pm_statsd_put_prefix(struct pm_common_buffer *out, const char *prefix,
			  const struct pm_statsd_places *places);

/* Appends the value of a tag: letters, digits, "_-./" and what is not ASCII; all else is '_', or it
 * would end the tag, the line or the name in one dialect or another. Never empty. */
void pm_statsd_put_value(struct pm_common_buffer *out, const char *value,
			 const struct pm_statsd_places *places);

#endif
