/* ctl/command.h: what panicmonctl can do. */
#ifndef PM_CTL_COMMAND_H
#define PM_CTL_COMMAND_H

#include <stdbool.h>

#include "ctl/options.h"

/* How panicmonctl ends. */
enum {
	PM_CTL_GOOD = 0,
	PM_CTL_BAD = 1,   /* what was asked about is not well */
	PM_CTL_WRONG = 2, /* a mistake on the command line, or panicmonctl itself failed */
};

/* Each prints, and returns one of those. */
int pm_ctl_check(const struct pm_ctl_options *options);
int pm_ctl_handlers(const struct pm_ctl_options *options);
int pm_ctl_test_fire(const struct pm_ctl_options *options);

/* `handlers` with a name: of a handler of the config, of a plugin, or of a file if a '/' is in it. */
int pm_ctl_handler_options(const struct pm_config *config, const char *name);

/* Whether a section of the config says so of the plugin with this path. */
bool pm_ctl_is_trusted(const struct pm_config *config, const char *path);

#endif
