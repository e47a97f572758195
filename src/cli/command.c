#include <config.h>

#include "cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "front/process.h"

static int make_one(struct pm_commands *commands, const struct pm_config_process *config,
		    const struct pm_executor_options *common, unsigned index,
		    struct pm_error *error)
{
	struct pm_executor_options *options = &commands->options[index];
	const struct pm_environment_changes changes = {
		.clear = config->clear_env,
		.set = config->env,
		.count = config->env_count,
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

int pm_commands_make(struct pm_commands *commands, const struct pm_config_process *config,
		     const struct pm_executor_options *common, struct pm_error *error)
{
	*commands = (struct pm_commands){
		.options = calloc(config->instances, sizeof(*commands->options)),
		.environments = calloc(config->instances, sizeof(*commands->environments)),
		.count = config->instances,
		.output = -1,
		.errors = -1,
		.directory = -1,
	};
	if (commands->options == NULL || commands->environments == NULL)
		return pm_error_set(error, ENOMEM, "cannot keep %u commands", commands->count);
	if (pm_front_output_open(&commands->output, &config->output, "stdout", error) < 0 ||
	    pm_front_output_open(&commands->errors, &config->errors, "stderr", error) < 0 ||
	    pm_front_directory_open(&commands->directory, config, error) < 0)
		return -1;
	for (unsigned i = 0; i < commands->count; i++)
		if (make_one(commands, config, common, i, error) < 0)
			return -1;
	return 0;
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
