/* lines.h: metrics, events and service checks as lines of a dialect. */
#ifndef PM_STATSD_LINES_H
#define PM_STATSD_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "tags.h"

/* dialect = */
enum pm_statsd_dialect {
	PM_STATSD_PLAIN,
	PM_STATSD_DOGSTATSD,
	PM_STATSD_INFLUX,
	PM_STATSD_GRAPHITE,
	PM_STATSD_DIALECT_COUNT
};

enum pm_statsd_type { PM_STATSD_COUNT, PM_STATSD_GAUGE, PM_STATSD_TIME };

/* How all lines of a handler are written. */
struct pm_statsd_style {
	enum pm_statsd_dialect dialect;
	struct pm_common_buffer prefix; /* of names */
	struct pm_common_buffer
		tags;          /* those of every line, as "key:value" in the dialect's words */
	const char *container; /* dogstatsd 1.2: "c:"; NULL: not given */
	bool timestamps;       /* dogstatsd 1.3: "T" */
};

/* Whether the dialect has a place for tags. */
bool pm_statsd_has_tags(enum pm_statsd_dialect dialect);

/* Fills prefix and tags, of which "service" is one unless it is given. -1: out of memory. */
int pm_statsd_style_make(struct pm_statsd_style *style, const char *prefix,
			 const struct pm_statsd_tags *tags, const struct pm_statsd_places *places);
void pm_statsd_style_free(struct pm_statsd_style *style);

struct pm_statsd_metric {
	const char *name; /* after the prefix */
	enum pm_statsd_type type;
	int64_t time_s; /* since the epoch */
	const struct pm_statsd_tag *tags;
	size_t tag_count;
};

/* Writes a line but for its value, which belongs after the bytes that are returned. */
size_t pm_statsd_line(struct pm_common_buffer *out, const struct pm_statsd_style *style,
		      const struct pm_statsd_metric *metric);

/* What people are told in dogstatsd's events and service checks. */
struct pm_statsd_notice {
	const char *title, *text; /* may hold anything; the text is cut to fit */
	const char *key;          /* equal for what belongs together */
	int status;               /* of the check: 0 is well, 2 is critical */
	const struct pm_statsd_tag *tags;
	size_t tag_count;
};

/* Each no longer than `limit`, if that holds all but its text. */
void pm_statsd_event_line(struct pm_common_buffer *out, const struct pm_statsd_style *style,
			  const struct pm_statsd_notice *notice, size_t limit);
void pm_statsd_check_line(struct pm_common_buffer *out, const struct pm_statsd_style *style,
			  const struct pm_statsd_notice *notice, size_t limit);

#endif
