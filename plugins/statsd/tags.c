#include <config.h>

#include "tags.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define NAME LETTERS DIGITS "_"

/* "{name}" and "{host}": their length, and *value; 0: text begins with neither. */
static size_t find_place(const char *text, const struct pm_statsd_places *places,
			 const char **value)
{
	static const char name[] = "{name}", host[] = "{host}";

	if (strncmp(text, name, sizeof(name) - 1) == 0) {
		*value = places->name;
		return sizeof(name) - 1;
	}
	if (strncmp(text, host, sizeof(host) - 1) == 0) {
		*value = places->host;
		return sizeof(host) - 1;
	}
	return 0;
}

static const struct pm_statsd_places no_places = {"", ""};

/* Whether all of it is of these bytes, placeholders, or, if `wide`, valid UTF-8 that is no control. */
static bool consists_of(const char *text, const char *bytes, bool wide)
{
	size_t step, left = strlen(text);
	const char *value;
	uint32_t code;

	for (; left > 0; text += step, left -= step) {
		step = find_place(text, &no_places, &value);
		if (step > 0)
			continue;
		step = pm_common_utf8_next(text, left, &code);
		if (step == 1 && strchr(bytes, *text) == NULL)
			return false;
		if (step > 1 && (!wide || code == PM_COMMON_INVALID || pm_common_is_control(code)))
			return false;
	}
	return true;
}

bool pm_statsd_is_prefix(const char *text)
{
	return consists_of(text, NAME ".", false) && strlen(text) <= PM_STATSD_VALUE_MAX;
}

/* Splits "key:value" in place. */
static const char *parse_tag(struct pm_statsd_tag *tag, char *text)
{
	char *colon = strchr(text, ':');

	if (colon == NULL || colon[1] == '\0')
		return "has no value: write KEY:VALUE";
	*colon = '\0';
	*tag = (struct pm_statsd_tag){.key = text, .value = colon + 1};
	if (text[0] == '\0' || strchr(LETTERS, text[0]) == NULL ||
	    text[strspn(text, NAME ".-")] != '\0' || strlen(text) > PM_STATSD_VALUE_MAX)
		return "has a key that is not a letter followed by letters, digits, '_', '.' and "
		       "'-'";
	if (!consists_of(tag->value, NAME "-./", true))
		return "has a value with more than letters, digits, '_', '.', '-' and '/', {name} "
		       "and "
		       "{host}";
	return NULL;
}

static char *trim(char *text)
{
	char *end = text + strlen(text);

	while (*text == ' ' || *text == '\t')
		text++;
	while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	return text;
}

const char *pm_statsd_tags_parse(struct pm_statsd_tags *tags, const char *text, char *part,
				 size_t part_size)
{
	*tags = (struct pm_statsd_tags){.text = strdup(text)};
	if (tags->text == NULL)
		return "is too much for the memory there is";
	for (char *rest = tags->text, *word; (word = strsep(&rest, ",")) != NULL;) {
		word = trim(word);
		if (word[0] == '\0')
			continue;
		strncpy(part, word, part_size - 1);
		part[part_size - 1] = '\0';
		if (tags->count == PM_STATSD_TAG_MAX)
			return "is one more than 16";
		const char *why = parse_tag(&tags->all[tags->count], word);
		if (why != NULL)
			return why;
		tags->count++;
	}
	return NULL;
}

void pm_statsd_tags_free(struct pm_statsd_tags *tags)
{
	free(tags->text);
	*tags = (struct pm_statsd_tags){0};
}

/* Appends text with '_' for every byte that is not of these, and for what is not text. */
static void put_clean(struct pm_common_buffer *out, const char *text, const char *bytes, bool wide)
{
	size_t step, left = pm_common_utf8_head(text, strlen(text), PM_STATSD_VALUE_MAX);
	uint32_t code;

	for (; left > 0; text += step, left -= step) {
		step = pm_common_utf8_next(text, left, &code);
		bool good = code < 0x80 ? strchr(bytes, *text) != NULL
					: wide && code != PM_COMMON_INVALID &&
						  !pm_common_is_control(code);
		pm_common_put(out, good ? text : "_", good ? step : 1);
	}
}

static void put_filled(struct pm_common_buffer *out, const char *text,
		       const struct pm_statsd_places *places, const char *bytes, bool wide)
{
	while (*text != '\0') {
		const char *value = NULL;
		size_t step = find_place(text, places, &value);

		if (step > 0)
			put_clean(out, value, bytes, wide);
		else
			pm_common_put(out, text, step = 1);
		text += step;
	}
}

void pm_statsd_put_prefix(struct pm_common_buffer *out, const char *prefix,
			  const struct pm_statsd_places *places)
{
	put_filled(out, prefix, places, NAME, false);
}

void pm_statsd_put_value(struct pm_common_buffer *out, const char *value,
			 const struct pm_statsd_places *places)
{
	static const char bytes[] = NAME "-./";

	if (value[0] == '\0')
		pm_common_puts(out, "_");
	else if (places != NULL)
		put_filled(out, value, places, bytes, true);
	else
		put_clean(out, value, bytes, true);
}
