#include <config.h>

#include "handler/describe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "handler/output.h"

static const char *const types[] = {
	[PANICMON_TEXT] = "text",         [PANICMON_BOOL] = "bool", [PANICMON_NUMBER] = "number",
	[PANICMON_DURATION] = "duration", [PANICMON_SIZE] = "size", [PANICMON_CHOICE] = "choice",
};

struct writer {
	char *at, *end;
	bool full;
};

/* One text; nothing more once one did not fit. */
static void put(struct writer *writer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put(struct writer *writer, const char *format, ...)
{
	size_t room = (size_t)(writer->end - writer->at);
	va_list args;

	va_start(args, format);
	int length = vsnprintf(writer->at, room, format, args);
	va_end(args);
	writer->full = writer->full || length < 0 || (size_t)length >= room;
	if (!writer->full)
		writer->at += length + 1;
}

/* As a config has it: "90s" rather than "1.5m", and nothing that is not exact. */
static void write_number(char *to, size_t size, const struct panicmon_option *option, int64_t value)
{
	static const struct {
		const char *name;
		int64_t factor;
	} durations[] = {{"h", 3600 * 1000}, {"m", 60 * 1000}, {"s", 1000}, {"ms", 1}},
	  sizes[] = {{"G", 1 << 30}, {"M", 1 << 20}, {"k", 1 << 10}, {"", 1}};
	bool is_duration = option->type == PANICMON_DURATION;
	size_t unit = 0;

	if (option->type == PANICMON_NUMBER || value == 0) {
		snprintf(to, size, "%" PRId64, value);
		return;
	}
	while (value % (is_duration ? durations[unit].factor : sizes[unit].factor) != 0)
		unit++;
	snprintf(to, size, "%" PRId64 "%s",
		 value / (is_duration ? durations[unit].factor : sizes[unit].factor),
		 is_duration ? durations[unit].name : sizes[unit].name);
}

static void put_limits(struct writer *writer, const struct panicmon_option *option)
{
	char min[32], max[32];

	write_number(min, sizeof(min), option, option->min);
	write_number(max, sizeof(max), option, option->max);
	if ((option->min == 0 && option->max == 0) || option->max == INT64_MAX)
		put(writer, "%s or more", min);
	else
		put(writer, "%s to %s", min, max);
}

static void put_choices(struct writer *writer, const struct panicmon_option *option)
{
	char list[1024] = "";
	size_t used = 0;

	for (size_t i = 0; option->choices != NULL && option->choices[i] != NULL; i++)
		if (used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
						 i == 0 ? "" : ", ", option->choices[i]);
	put(writer, "%s", list);
}

static void put_range(struct writer *writer, const struct panicmon_option *option)
{
	switch (option->type) {
	case PANICMON_NUMBER:
	case PANICMON_DURATION:
	case PANICMON_SIZE:
		put_limits(writer, option);
		break;
	case PANICMON_CHOICE:
		put_choices(writer, option);
		break;
	case PANICMON_BOOL:
		put(writer, "yes, no");
		break;
	default:
		put(writer, "any");
	}
}

static void put_option(struct writer *writer, const struct panicmon_option *option)
{
	bool known = option->type < sizeof(types) / sizeof(types[0]) && types[option->type] != NULL;

	put(writer, "%.100s", option->name);
	put(writer, "%s", known ? types[option->type] : types[PANICMON_TEXT]);
	put(writer, "%.200s", option->value != NULL ? option->value : "-");
	put(writer, "%s", option->required != 0 ? "yes" : "no");
	put_range(writer, option);
	put(writer, "%.1000s", option->help != NULL ? option->help : "");
}

void pm_describe(const struct pm_module *module, char *room)
{
	const struct panicmon_handler *handler = &module->handler;
	/* The last byte stays the empty text. */
	struct writer writer = {.at = room, .end = room + PM_DESCRIPTION_SIZE - 1};

	put(&writer, "%.100s", handler->name != NULL ? handler->name : "");
	put(&writer, "%.100s", handler->version != NULL ? handler->version : "");
	put(&writer, "%d.%u", PANICMON_HANDLER_MAJOR, handler->minor);
	put(&writer, "%.1000s", handler->summary != NULL ? handler->summary : "");
	for (uint32_t i = 0; i < handler->option_count; i++) {
		char *before = writer.at;

		put_option(&writer, &module->options[i]);
		if (writer.full) {
			memset(before, 0, (size_t)(room + PM_DESCRIPTION_SIZE - before));
			return;
		}
	}
}

void pm_description_take(char **at, char *end, const char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t length = strnlen(*at, (size_t)(end - *at));

		if (*at + length == end) { /* without a NUL of its own */
			texts[i] = "";
			*at = end;
			continue;
		}
		pm_output_clean(*at, length);
		texts[i] = *at;
		*at += length + 1;
	}
}
