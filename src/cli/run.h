/* cli/run.h: one run of panicmon, from the config to the last delivered event. */
#ifndef PM_CLI_RUN_H
#define PM_CLI_RUN_H

#include "cli/ending.h"
#include "cli/options.h"
#include "process/signals.h"

/* Prints what people need to know on stderr. */
struct pm_ending pm_cli_run(const struct pm_cli_options *options,
			    const struct pm_signals_inherited *inherited);

#endif
