#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "config/keys.h"
#include "config/value.h"
#include "ctl/command.h"
#include "ctl/look.h"
#include "ctl/table.h"
#include "front/print.h"
#include "handler/module.h"
#include "handler/output.h"

static const char *const columns[] = {
	[PM_DESCRIPTION_OPTION] = "KEY",        [PM_DESCRIPTION_TYPE] = "TYPE",
	[PM_DESCRIPTION_DEFAULT] = "DEFAULT",   [PM_DESCRIPTION_RANGE] = "VALUES",
	[PM_DESCRIPTION_REQUIRED] = "REQUIRED", [PM_DESCRIPTION_HELP] = "WHAT IT DOES",
};
_Static_assert(sizeof(columns) / sizeof(columns[0]) == PM_DESCRIPTION_FIELDS &&
		       (int)PM_DESCRIPTION_FIELDS <= (int)PM_CTL_COLUMNS_MAX,
	       "a column for each field");

enum { VALUES_WIDTH = 30, TABLE_WIDTH = 160 };

/* How much of a list of values goes on one line: whole ones, at least one. */
static size_t line_of_values(const char *values)
{
	size_t taken = 0;

	for (;;) {
		size_t length = strcspn(values + taken, ",");

		if (taken > 0 && taken + length > VALUES_WIDTH)
			return taken;
		taken += length;
		if (values[taken] == '\0')
			return taken;
		taken += strspn(values + taken, ", ");
	}
}

/* For terminals without room for a table of six columns. */
static void add_narrow_key(struct pm_ctl_table *table, const char *const *fields)
{
	const char *value = fields[PM_DESCRIPTION_DEFAULT], *range = fields[PM_DESCRIPTION_RANGE];
	bool required = strcmp(fields[PM_DESCRIPTION_REQUIRED], "yes") == 0;
	bool has_default = value[0] != '\0' && strcmp(value, "-") != 0;
	bool has_range = strcmp(range, "any") != 0;
	char line[512];

	snprintf(line, sizeof(line), "%s (%s%s%s%s)%s%s", fields[PM_DESCRIPTION_OPTION],
		 fields[PM_DESCRIPTION_TYPE], required ? ", required" : "",
		 has_default ? ", default " : "", has_default ? value : "", has_range ? ": " : "",
		 has_range ? range : "");
	pm_ctl_table_add_text(table, PM_CTL_PLAIN, 0, line);
	pm_ctl_table_add_text(table, PM_CTL_PLAIN, 4, fields[PM_DESCRIPTION_HELP]);
}

/* Long lists of values go on below the first line. */
static void add_wide_key(struct pm_ctl_table *table, const char *const *fields)
{
	const char *cells[PM_DESCRIPTION_FIELDS], *rest = fields[PM_DESCRIPTION_RANGE];
	char line[128];

	memcpy(cells, fields, sizeof(cells));
	cells[PM_DESCRIPTION_RANGE] = line;
	do {
		size_t length = line_of_values(rest), shown = length;

		while (shown > 0 && rest[shown - 1] == ' ')
			shown--;
		snprintf(line, sizeof(line), "%.*s", (int)shown, rest);
		pm_ctl_table_add(table, PM_CTL_PLAIN, cells);
		for (size_t i = 0; i < PM_DESCRIPTION_FIELDS; i++)
			cells[i] = i == PM_DESCRIPTION_RANGE ? line : PM_CTL_BLANK;
		rest += length;
	} while (rest[0] != '\0');
}

static bool is_narrow(void)
{
	size_t width = pm_ctl_terminal_width();

	return width > 0 && width < TABLE_WIDTH;
}

/* The plugin's own keys, and those that every handler has: one table, so that all is aligned. */
static int print_keys(struct pm_ctl_look *look, struct pm_error *error)
{
	struct pm_ctl_table table = {.columns = PM_DESCRIPTION_FIELDS};
	const char *fields[PM_DESCRIPTION_FIELDS];
	bool narrow = is_narrow();
	void (*add_key)(struct pm_ctl_table *, const char *const *) =
		narrow ? add_narrow_key : add_wide_key;

	if (!narrow)
		pm_ctl_table_add(&table, PM_CTL_HEAD, columns);
	for (;;) {
		pm_description_take(&look->options, look->end, fields, PM_DESCRIPTION_FIELDS);
		if (fields[PM_DESCRIPTION_OPTION][0] == '\0')
			break;
		add_key(&table, fields);
	}
	pm_ctl_table_add(&table, PM_CTL_PLAIN, (const char *[]){"", NULL});
	pm_ctl_table_add(&table, PM_CTL_HEAD, (const char *[]){"Of every handler:", NULL});
	for (size_t i = 0; i < pm_section_handler.key_count; i++) {
		const struct pm_key *key = &pm_section_handler.keys[i];

		add_key(&table,
			(const char *[]){key->name, key->type, key->value != NULL ? key->value : "",
					 "no", key->range, key->help});
	}
	int result = pm_ctl_table_print(&table);
	pm_ctl_table_free(&table);
	return result < 0 ? pm_error_set(error, ENOMEM, "cannot keep the keys") : 0;
}

static int show(const struct pm_config *config, struct pm_ctl_look *look, struct pm_error *error)
{
	pm_autofree char *path = pm_module_path(config->handlers, config->handler_dir);

	if (path == NULL)
		return pm_error_set(error, ENOMEM, "cannot keep a path");
	if (pm_ctl_look(config, look, error) < 0)
		return -1;
	pm_output_clean(path, strlen(path)); /* a terminal may act on the name of a file */
	if (look->fault[0] != '\0' && strstr(look->fault, path) != NULL)
		return pm_error_set(error, 0, "%s", look->fault);
	if (look->fault[0] != '\0')
		return pm_error_set(error, 0, "%s: %s", path, look->fault);
	printf("%s %s (ABI %s): %s\n%s\n\n", look->head[PM_DESCRIPTION_NAME],
	       look->head[PM_DESCRIPTION_VERSION], look->head[PM_DESCRIPTION_ABI],
	       look->head[PM_DESCRIPTION_SUMMARY], path);
	return print_keys(look, error);
}

int pm_ctl_handler_options(const struct pm_config *config, const char *name)
{
	const struct pm_config_handler *section = pm_ctl_find_handler(config, name);
	pm_autofree char *file = strdup(name), *real = NULL;
	struct pm_config_handler handler = {.name = file, .plugin = file, .where = file};
	struct pm_config alone = *config;
	struct pm_ctl_look look = {.room = NULL};
	struct pm_error error;

	if (file == NULL) {
		pm_front_print("not enough memory");
		return PM_CTL_WRONG;
	}
	if (strchr(name, '/') != NULL) {
		real = realpath(name, NULL);
		handler.plugin = real;
		handler.trust_path = real != NULL && (pm_ctl_is_trusted(config, name) ||
						      pm_ctl_is_trusted(config, real));
	} else if (section != NULL) {
		handler = *section;
	}
	if (handler.plugin == NULL && strchr(name, '/') != NULL) {
		pm_error_set(&error, errno, "cannot find '%s'", name);
		pm_front_print(error.text);
		return PM_CTL_BAD;
	}
	/* Who cannot become that user may still read what there is to write. */
	if (geteuid() != 0)
		handler.user = NULL;
	alone.handlers = &handler;
	alone.handler_count = 1;
	int result = show(&alone, &look, &error);
	if (result < 0)
		pm_front_print(error.text);
	pm_ctl_look_free(&look);
	return result < 0 ? PM_CTL_BAD : PM_CTL_GOOD;
}
