/* handler/module.h: a plugin's .so: found, judged, loaded. In a host only. */
#ifndef PM_HANDLER_MODULE_H
#define PM_HANDLER_MODULE_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"
#include "panicmon/handler.h"

/* The descriptor at this panicmon's size: what an older plugin does not have is NULL or 0. */
struct pm_module {
	struct panicmon_handler handler;
	struct panicmon_process_ops process;
	struct panicmon_signal_ops signal;
	struct panicmon_monitor_ops monitor;
	struct panicmon_option *options; /* handler.option_count of them */
};

/* The file of a handler: `plugin`, or NAME.so, in handler_dir unless it is an absolute path.
 * The caller frees it; NULL if there is no memory. */
char *pm_module_path(const struct pm_config_handler *config, const char *handler_dir);

/* Whether a file of handler_dir counts as one, by its name. */
bool pm_module_is_plugin(const char *file);

/* Looks at the file without running any of it: a regular file, a whole ELF shared object of this
 * machine, writable only by those we trust. Errors name the path, what was found and what to do. */
int pm_module_check(const char *path, bool trust_path, struct pm_error *error);

/* dlopen(3) and a look at the descriptor. Never unloaded. Runs the plugin's constructors. */
int pm_module_load(struct pm_module *module, const char *path, struct pm_error *error);

#endif
