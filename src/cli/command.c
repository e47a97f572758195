#include <config.h>

#include "cli/command.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "front/process.h"

/* The variables that hold secrets of handlers: what their options *_env name. */
struct secrets {
	const char **names;
	size_t count;
};

static bool names_variable(const struct pm_config_option *option)
{
	static const char ending[] = "_env";
	size_t length = strlen(option->key), least = strlen(ending);

	return length > least && strcmp(option->key + length - least, ending) == 0;
}

/* To be freed. Handlers find theirs in panicmon's own environment, which stays. */
static int find_secrets(struct secrets *secrets, const struct pm_config *config,
			struct pm_error *error)
{
	size_t most = 1; /* nothing to allocate would be NULL, too */

	for (size_t i = 0; i < config->handler_count; i++)
		most += config->handlers[i].option_count;
	*secrets = (struct secrets){.names = calloc(most, sizeof(*secrets->names))};
	if (secrets->names == NULL)
		return pm_error_set(error, ENOMEM, "cannot make the command's environment");
	for (size_t i = 0; i < config->handler_count; i++)
		for (size_t j = 0; j < config->handlers[i].option_count; j++)
			if (names_variable(&config->handlers[i].options[j]))
				secrets->names[secrets->count++] =
					config->handlers[i].options[j].value;
	return 0;
}

static int make_one(struct pm_commands *commands, const struct pm_config_process *config,
		    const struct secrets *secrets, const struct pm_executor_options *common,
		    unsigned index, struct pm_error *error)
{
	struct pm_executor_options *options = &commands->options[index];
	const struct pm_environment_changes changes = {
		.clear = config->clear_env,
		.set = config->env,
		.count = config->env_count,
		.hide = secrets->names,
		.hide_count = secrets->count,
		.instance = commands->count > 1 ? index + 1 : 0,
	};

	*options = *common;
	options->command.environment = &commands->environments[index];
	options->command.group = config->group;
	options->command.output = commands->output;
	options->command.errors = commands->errors;
	options->command.directory = commands->directory;
	options->signals = config->signals;
	options->rewrite = config->rewrite;
	options->signal_group = config->signal_group;
	options->stop_timeout_ms = config->stop_timeout_ms;
	options->instance = changes.instance;
	return pm_environment_make(&commands->environments[index], &changes, error);
}

int pm_commands_make(struct pm_commands *commands, const struct pm_config *config,
		     const struct pm_executor_options *common, struct pm_error *error)
{
	const struct pm_config_process *process = &config->process;

	*commands = (struct pm_commands){
		.options = calloc(process->instances, sizeof(*commands->options)),
		.environments = calloc(process->instances, sizeof(*commands->environments)),
		.count = process->instances,
		.output = -1,
		.errors = -1,
		.directory = -1,
	};
	if (commands->options == NULL || commands->environments == NULL)
		return pm_error_set(error, ENOMEM, "cannot keep %u commands", commands->count);
	if (pm_front_output_open(&commands->output, &process->output, "stdout", error) < 0 ||
	    pm_front_output_open(&commands->errors, &process->errors, "stderr", error) < 0 ||
	    pm_front_directory_open(&commands->directory, process, error) < 0)
		return -1;
	struct secrets secrets;
	if (find_secrets(&secrets, config, error) < 0)
		return -1;
	int result = 0;
	for (unsigned i = 0; i < commands->count && result == 0; i++)
		result = make_one(commands, process, &secrets, common, i, error);
	free(secrets.names);
	return result;
}

void pm_commands_free(struct pm_commands *commands)
{
	for (unsigned i = 0; commands->environments != NULL && i < commands->count; i++)
		pm_environment_free(&commands->environments[i]);
	free(commands->environments);
	free(commands->options);
	pm_close(&commands->output);
	pm_close(&commands->errors);
	pm_close(&commands->directory);
}
