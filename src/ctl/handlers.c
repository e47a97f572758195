#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctl/command.h"
#include "ctl/look.h"
#include "ctl/table.h"
#include "front/print.h"
#include "handler/module.h"

static void print_mistake(void *arg, const char *text)
{
	(void)arg;
	pm_front_print(text);
}

static int is_plugin(const struct dirent *entry)
{
	return pm_module_is_plugin(entry->d_name);
}

bool pm_ctl_is_trusted(const struct pm_config *config, const char *path)
{
	for (size_t i = 0; i < config->handler_count; i++) {
		pm_autofree char *its = pm_module_path(&config->handlers[i], config->handler_dir);

		if (its != NULL && config->handlers[i].trust_path && strcmp(its, path) == 0)
			return true;
	}
	return false;
}

/* The folder's plugins as handlers, and nothing else. */
static int list_plugins(const struct pm_config *config, struct pm_config *plugins,
			struct dirent **entries, size_t count)
{
	plugins->handlers = calloc(count + 1, sizeof(*plugins->handlers));
	if (plugins->handlers == NULL)
		return -1;
	for (; plugins->handler_count < count; plugins->handler_count++) {
		struct pm_config_handler *handler = &plugins->handlers[plugins->handler_count];

		handler->name = strdup(entries[plugins->handler_count]->d_name);
		if (handler->name == NULL ||
		    asprintf(&handler->plugin, "%s/%s", config->handler_dir, handler->name) < 0) {
			handler->plugin = NULL;
			plugins->handler_count++;
			return -1;
		}
		handler->name[strlen(handler->name) - strlen(".so")] = '\0';
		handler->where = handler->plugin;
		handler->trust_path = pm_ctl_is_trusted(config, handler->plugin);
	}
	return 0;
}

static void free_plugins(struct pm_config *plugins)
{
	for (size_t i = 0; i < plugins->handler_count; i++) {
		free(plugins->handlers[i].name);
		free(plugins->handlers[i].plugin);
	}
	free(plugins->handlers);
}

static void add_row(struct pm_ctl_table *table, const struct pm_config_handler *plugin,
		    const struct pm_ctl_look *look)
{
	const char *file = strrchr(plugin->plugin, '/') + 1;
	const char *const *head = look->head;

	if (look->fault[0] == '\0')
		pm_ctl_table_add(table, PM_CTL_PLAIN,
				 (const char *[]){head[PM_DESCRIPTION_NAME],
						  head[PM_DESCRIPTION_VERSION],
						  head[PM_DESCRIPTION_ABI], file,
						  head[PM_DESCRIPTION_SUMMARY]});
	else
		pm_ctl_table_add(table, PM_CTL_FAULT,
				 (const char *[]){plugin->name, "", "", file, look->fault});
}

static int print_plugins(const struct pm_config *plugins, struct pm_error *error)
{
	struct pm_ctl_table table = {.columns = 5};
	struct pm_ctl_look *looks = calloc(plugins->handler_count + 1, sizeof(*looks));
	int result = -1;

	if (looks == NULL)
		return pm_error_set(error, errno, "cannot keep the handlers");
	if (pm_ctl_look(plugins, looks, error) == 0) {
		pm_ctl_table_add(&table, PM_CTL_HEAD,
				 (const char *[]){"NAME", "VERSION", "ABI", "FILE", "SUMMARY"});
		for (size_t i = 0; i < plugins->handler_count; i++)
			add_row(&table, &plugins->handlers[i], &looks[i]);
		result = pm_ctl_table_print(&table);
		if (result < 0)
			pm_error_set(error, ENOMEM, "cannot keep the handlers");
	}
	for (size_t i = 0; i < plugins->handler_count; i++)
		pm_ctl_look_free(&looks[i]);
	free(looks);
	pm_ctl_table_free(&table);
	return result;
}

static int list_folder(const struct pm_config *config)
{
	struct pm_config plugins = {
		.name = config->name,
		.handler_dir = config->handler_dir,
		.start_timeout_ms = config->start_timeout_ms,
		.drain_timeout_ms = config->drain_timeout_ms,
	};
	struct dirent **entries;
	struct pm_error error;
	int count = scandir(config->handler_dir, &entries, is_plugin, alphasort);
	int result = -1;

	if (count < 0) {
		pm_error_set(&error, errno, "cannot read the handler_dir '%s'",
			     config->handler_dir);
		pm_front_print(error.text);
		return PM_CTL_BAD;
	}
	if (list_plugins(config, &plugins, entries, (size_t)count) < 0)
		pm_error_set(&error, ENOMEM, "cannot keep the handlers");
	else
		result = print_plugins(&plugins, &error);
	if (result < 0)
		pm_front_print(error.text);
	while (count-- > 0)
		free(entries[count]);
	free(entries);
	free_plugins(&plugins);
	return result < 0 ? PM_CTL_WRONG : PM_CTL_GOOD;
}

int pm_ctl_handlers(const struct pm_ctl_options *options)
{
	struct pm_config config;
	int status;

	/* What is wrong with the rest of the config is said, and does not matter here. */
	pm_front_config_read(&config, &options->front, print_mistake, NULL);
	status = options->operand != NULL ? pm_ctl_handler_options(&config, options->operand)
					  : list_folder(&config);
	pm_config_free(&config);
	return status;
}
