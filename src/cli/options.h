/* cli/options.h: panicmon's command line. */
#ifndef PM_CLI_OPTIONS_H
#define PM_CLI_OPTIONS_H

#include "base/error.h"
#include "front/options.h"

struct pm_cli_options {
	struct pm_front_options front;
	const char *name; /* -n; NULL: the config's */
	char **command;   /* NULL at its end; within argv */
};

/* Points into argv. Free `front.overrides` also after an error. */
int pm_cli_options_read(struct pm_cli_options *options, int argc, char **argv,
			struct pm_error *error);

extern const char pm_cli_help[];

#endif
