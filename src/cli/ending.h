/* cli/ending.h: from the commands' ends to panicmon's own. */
#ifndef PM_CLI_ENDING_H
#define PM_CLI_ENDING_H

#include "config/config.h"
#include "executor/run.h"

/* How panicmon is to end. */
struct pm_ending {
	int signal; /* 0: by exit status */
	int status;
};

/* As the command ended, but for what the config changes of that. Of several: as the first that did not
 * end with status 0. */
struct pm_ending pm_ending_of(const struct pm_run *run, const struct pm_config_process *config);

#endif
