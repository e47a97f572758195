/* cli/options.h: panicmon's command line. */
#ifndef PM_CLI_OPTIONS_H
#define PM_CLI_OPTIONS_H

#include <stddef.h>

#include "base/error.h"

enum pm_cli_action { PM_CLI_RUN, PM_CLI_HELP, PM_CLI_VERSION };

struct pm_cli_options {
	enum pm_cli_action action;
	const char *file;       /* -c; NULL: the default */
	const char *name;       /* -n; NULL: the config's */
	const char **overrides; /* -o, in their order; for free(3) */
	size_t override_count;
	char **command; /* NULL at its end; within argv */
};

/* Points into argv. Free `overrides` also after an error. */
int pm_cli_options_read(struct pm_cli_options *options, int argc, char **argv,
			struct pm_error *error);

extern const char pm_cli_help[];

#endif
