/* cli/command.h: from the section [process] to what the executor is to run. */
#ifndef PM_CLI_COMMAND_H
#define PM_CLI_COMMAND_H

#include "base/error.h"
#include "config/config.h"
#include "executor/executor.h"

struct pm_commands {
	struct pm_executor_options *options; /* `count` of them */
	struct pm_environment *environments;
	unsigned count;
	int output, errors, directory; /* -1: ours */
};

/* Opens what the commands get: what [process] says, without the variables that hold handlers' secrets.
 * `common` is what all have alike: the command line, what it inherits, and where events go. The config
 * must live as long. Freed by pm_commands_free(), also after an error. */
int pm_commands_make(struct pm_commands *commands, const struct pm_config *config,
		     const struct pm_executor_options *common, struct pm_error *error);
void pm_commands_free(struct pm_commands *commands);

#endif
