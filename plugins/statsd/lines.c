#include <config.h>

#include "lines.h"

#include <inttypes.h>
#include <string.h>

#include "common/utf8.h"

/* Where a dialect has its tags, and how they are written. */
static const struct {
	const char *first, *next, *equals; /* NULL: it has none */
	bool in_name;                      /* before the value, else after the type */
} dialects[PM_STATSD_DIALECT_COUNT] = {
	[PM_STATSD_PLAIN] = {0},
	[PM_STATSD_DOGSTATSD] = {"|#", ",", ":", false},
	[PM_STATSD_INFLUX] = {",", ",", "=", true},
	[PM_STATSD_GRAPHITE] = {";", ";", "=", true},
};

static const char *const types[] = {
	[PM_STATSD_COUNT] = "|c",
	[PM_STATSD_GAUGE] = "|g",
	[PM_STATSD_TIME] = "|ms",
};

bool pm_statsd_has_tags(enum pm_statsd_dialect dialect)
{
	return dialects[dialect].first != NULL;
}

/* `out` holds tags alone. */
static void put_tag(struct pm_common_buffer *out, enum pm_statsd_dialect dialect,
		    const struct pm_statsd_tag *tag, const struct pm_statsd_places *places)
{
	if (out->length > 0)
		pm_common_puts(out, dialects[dialect].next);
	pm_common_puts(out, tag->key);
	pm_common_puts(out, dialects[dialect].equals);
	pm_statsd_put_value(out, tag->value, places);
}

int pm_statsd_style_make(struct pm_statsd_style *style, const char *prefix,
			 const struct pm_statsd_tags *tags, const struct pm_statsd_places *places)
{
	bool has_service = false;

	pm_statsd_put_prefix(&style->prefix, prefix, places);
	if (pm_statsd_has_tags(style->dialect)) {
		for (size_t i = 0; i < tags->count; i++)
			has_service |= strcmp(tags->all[i].key, "service") == 0;
		if (!has_service)
			put_tag(&style->tags, style->dialect,
				&(const struct pm_statsd_tag){"service", places->name}, NULL);
		for (size_t i = 0; i < tags->count; i++)
			put_tag(&style->tags, style->dialect, &tags->all[i], places);
	}
	return style->prefix.failed || style->tags.failed ? -1 : 0;
}

void pm_statsd_style_free(struct pm_statsd_style *style)
{
	pm_common_buffer_free(&style->prefix);
	pm_common_buffer_free(&style->tags);
}

static void put_name(struct pm_common_buffer *out, const struct pm_statsd_style *style,
		     const char *name)
{
	pm_common_put(out, style->prefix.data, style->prefix.length);
	pm_common_puts(out, name);
}

static void put_tags(struct pm_common_buffer *out, const struct pm_statsd_style *style,
		     const struct pm_statsd_tag *tags, size_t count)
{
	const enum pm_statsd_dialect dialect = style->dialect;

	if (!pm_statsd_has_tags(dialect))
		return;
	pm_common_puts(out, dialects[dialect].first);
	pm_common_put(out, style->tags.data, style->tags.length);
	for (size_t i = 0; i < count; i++)
		put_tag(out, dialect, &tags[i], NULL);
}

/* Of protocol 1.2 and 1.3, which older agents do not know. */
static void put_extensions(struct pm_common_buffer *out, const struct pm_statsd_style *style,
			   const struct pm_statsd_metric *metric)
{
	if (style->dialect != PM_STATSD_DOGSTATSD)
		return;
	if (style->container != NULL) {
		pm_common_puts(out, "|c:");
		pm_common_puts(out, style->container);
	}
	if (style->timestamps && metric != NULL && metric->type != PM_STATSD_TIME)
		pm_common_printf(out, "|T%" PRId64, metric->time_s);
}

size_t pm_statsd_line(struct pm_common_buffer *out, const struct pm_statsd_style *style,
		      const struct pm_statsd_metric *metric)
{
	bool in_name = dialects[style->dialect].in_name;

	put_name(out, style, metric->name);
	if (in_name)
		put_tags(out, style, metric->tags, metric->tag_count);
	pm_common_puts(out, ":");
	size_t head = out->length;
	pm_common_puts(out, types[metric->type]);
	if (!in_name)
		put_tags(out, style, metric->tags, metric->tag_count);
	put_extensions(out, style, metric);
	return head;
}

/* What stands for a character that could end the line or the field; NULL: itself. `in_check`: no
 * length says where the field ends, but a '|', and "m:" begins it. */
static const char *replacement(const char *text, uint32_t code, bool in_check)
{
	if (code == PM_COMMON_INVALID)
		return "?";
	if (code == '\n')
		return "\\n";
	if (pm_common_is_control(code) || (in_check && code == '|'))
		return " ";
	return in_check && text[0] == 'm' && text[1] == ':' ? "m\\" : NULL;
}

/* Appends at most about `most` bytes of text as one line. */
static void put_text(struct pm_common_buffer *out, const char *text, size_t most, bool in_check)
{
	size_t left = strlen(text), end = out->length + most;
	uint32_t code;

	for (size_t step; left > 0; text += step, left -= step) {
		step = pm_common_utf8_next(text, left, &code);
		if (out->length + (step > 2 ? step : 2) > end)
			return;
		const char *instead = replacement(text, code, in_check);
		if (instead != NULL)
			pm_common_puts(out, instead);
		else
			pm_common_put(out, text, step);
	}
}

/* How much of the text there is room for, beside `rest`. */
static size_t room(size_t limit, size_t rest, const char *text)
{
	size_t most = 2 * strlen(text) + 1;

	if (rest >= limit)
		return 0;
	return limit - rest < most ? limit - rest : most;
}

void pm_statsd_event_line(struct pm_common_buffer *out, const struct pm_statsd_style *style,
			  const struct pm_statsd_notice *notice, size_t limit)
{
	enum { TITLE_MAX = 200, LENGTHS_MAX = 16 }; /* of "_e{,}:|" and their digits */
	struct pm_common_buffer title = {0}, text = {0}, end = {0};

	put_text(&title, notice->title, TITLE_MAX, false);
	pm_common_puts(&end, "|t:error|k:");
	pm_statsd_put_value(&end, notice->key, NULL);
	put_tags(&end, style, notice->tags, notice->tag_count);
	put_extensions(&end, style, NULL);
	put_text(&text, notice->text,
		 room(limit, LENGTHS_MAX + title.length + end.length, notice->text), false);
	pm_common_printf(out, "_e{%zu,%zu}:", title.length, text.length);
	pm_common_put(out, title.data, title.length);
	pm_common_puts(out, "|");
	pm_common_put(out, text.data, text.length);
	pm_common_put(out, end.data, end.length);
	out->failed |= title.failed || text.failed || end.failed;
	pm_common_buffer_free(&title);
	pm_common_buffer_free(&text);
	pm_common_buffer_free(&end);
}

void pm_statsd_check_line(struct pm_common_buffer *out, const struct pm_statsd_style *style,
			  const struct pm_statsd_notice *notice, size_t limit)
{
	size_t begin = out->length;

	pm_common_puts(out, "_sc|");
	put_name(out, style, "process");
	pm_common_printf(out, "|%d", notice->status);
	put_tags(out, style, notice->tags, notice->tag_count);
	put_extensions(out, style, NULL);
	if (notice->title[0] == '\0')
		return;
	/* The last: it goes on to the end of the line. */
	pm_common_puts(out, "|m:");
	put_text(out, notice->title, room(limit, out->length - begin, notice->title), true);
}
