#include <config.h>

#include "handler/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "config/value.h"

struct complaints {
	const struct pm_config_handler *config;
	char *text;
	size_t used, size;
	size_t count;
};

static void __attribute__((format(printf, 3, 4)))
complain(struct complaints *complaints, const char *where, const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	complaints->count++;
	if (complaints->used >= complaints->size)
		return;
	complaints->used += (size_t)snprintf(
		complaints->text + complaints->used, complaints->size - complaints->used,
		"%s%s: [handler:%s] %s", complaints->used > 0 ? "\n" : "", where,
		complaints->config->name, line);
}

static int read_choice(const char *text, const struct panicmon_option *option, int64_t *number,
		       struct pm_error *error)
{
	char list[256] = "";
	size_t used = 0;

	for (int64_t i = 0; option->choices != NULL && option->choices[i] != NULL; i++) {
		if (strcmp(text, option->choices[i]) == 0) {
			*number = i;
			return 0;
		}
		if (used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
						 i > 0 ? ", " : "", option->choices[i]);
	}
	return pm_error_set(error, 0, "'%s' is none of: %s", text, list);
}

static int read_bool(const char *text, int64_t *number, struct pm_error *error)
{
	bool on;

	if (pm_value_bool(text, &on, error) < 0)
		return -1;
	*number = on;
	return 0;
}

static int check_range(const char *text, const struct panicmon_option *option, int64_t number,
		       struct pm_error *error)
{
	bool has_range = option->min != 0 || option->max != 0;

	if (option->type != PANICMON_NUMBER && option->type != PANICMON_DURATION &&
	    option->type != PANICMON_SIZE)
		return 0;
	if (has_range && (number < option->min || number > option->max))
		return pm_error_set(error, 0, "'%s' is out of range: %lld to %lld%s", text,
				    (long long)option->min, (long long)option->max,
				    option->type == PANICMON_DURATION ? " ms"
				    : option->type == PANICMON_SIZE   ? " bytes"
								      : "");
	if (!has_range && number < 0)
		return pm_error_set(error, 0, "'%s' is negative", text);
	return 0;
}

static int read_value(const char *text, const struct panicmon_option *option, int64_t *number,
		      struct pm_error *error)
{
	int result = 0;

	switch (option->type) {
	case PANICMON_BOOL:
		result = read_bool(text, number, error);
		break;
	case PANICMON_NUMBER:
		result = pm_value_number(text, number, error);
		break;
	case PANICMON_DURATION:
		result = pm_value_duration(text, number, error);
		break;
	case PANICMON_SIZE:
		result = pm_value_size(text, number, error);
		break;
	case PANICMON_CHOICE:
		result = read_choice(text, option, number, error);
		break;
	default:
		break;
	}
	return result < 0 ? -1 : check_range(text, option, *number, error);
}

static size_t find(const struct panicmon_option *options, size_t count, const char *key)
{
	size_t i = 0;

	while (i < count && strcmp(options[i].name, key) != 0)
		i++;
	return i;
}

/* What can be written instead: the nearest name, else all of them. */
static void say_unknown(struct complaints *complaints, const struct pm_config_option *option,
			const struct panicmon_option *options, size_t count)
{
	const char *near = NULL;
	char list[512] = "";
	size_t used = 0;

	if (count > 0)
		near = pm_value_nearest(option->key, &options[0].name, count, sizeof(options[0]));
	if (near == NULL) /* the config took a mistyped key of the core for one of the plugin's */
		near = pm_config_nearest_handler_key(option->key);
	if (near != NULL) {
		complain(complaints, option->where, "unknown key '%s'; did you mean '%s'?",
			 option->key, near);
		return;
	}
	for (size_t i = 0; i < count && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
					 i > 0 ? ", " : "", options[i].name);
	complain(complaints, option->where, "unknown key '%s'; this handler knows %s", option->key,
		 count > 0 ? list : "no keys of its own");
}

/* What would do nothing is a mistake of someone. */
static void check_alert_keys(struct complaints *complaints, const struct panicmon_handler *handler)
{
	const struct {
		const char *key, *where;
	} keys[] = {{"alert_window", complaints->config->alert_window_where},
		    {"stable_after", complaints->config->stable_after_where}};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].where != NULL && (handler->flags & PANICMON_ALERTS) == 0)
			complain(complaints, keys[i].where,
				 "%s: this handler calls nobody, it gets every failure; leave it "
				 "out",
				 keys[i].key);
}

size_t pm_options_read(const struct pm_config_handler *config,
		       const struct panicmon_handler *handler,
		       const struct panicmon_option *options, struct panicmon_value *values,
		       char *text, size_t size)
{
	size_t count = handler->option_count;
	struct complaints complaints = {.config = config, .text = text, .size = size};
	struct pm_error error;

	text[0] = '\0';
	check_alert_keys(&complaints, handler);
	for (size_t i = 0; i < count; i++) {
		values[i] = (struct panicmon_value){.text = options[i].value};
		if (options[i].value != NULL &&
		    read_value(options[i].value, &options[i], &values[i].number, &error) < 0)
			complain(&complaints, config->where, "the default of '%s' is wrong: %s",
				 options[i].name, error.text);
	}
	for (size_t i = 0; i < config->option_count; i++) {
		const struct pm_config_option *option = &config->options[i];
		size_t at = find(options, count, option->key);

		if (at == count) {
			say_unknown(&complaints, option, options, count);
			continue;
		}
		values[at].text = option->value;
		values[at].given = 1;
		if (read_value(option->value, &options[at], &values[at].number, &error) < 0)
			complain(&complaints, option->where, "%s: %s", option->key, error.text);
	}
	for (size_t i = 0; i < count; i++)
		if (options[i].required != 0 && values[i].given == 0)
			complain(&complaints, config->where, "the key '%s' is missing (%s)",
				 options[i].name,
				 options[i].help != NULL ? options[i].help : "required");
	return complaints.count;
}
