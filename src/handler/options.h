/* handler/options.h: a section's keys against the table of options that a plugin declares. */
#ifndef PM_HANDLER_OPTIONS_H
#define PM_HANDLER_OPTIONS_H

#include <stddef.h>

#include "config/config.h"
#include "panicmon/handler.h"

/* Fills values[0..option_count), one for each option; texts point into config and `options`, which is
 * the handler's table at our size. The keys that the core has for some handlers only are looked at, too.
 * Writes one line a mistake ("FILE:LINE: [handler:NAME] ...") to `complaints`, NUL at the end, as
 * many as fit. Returns the number of mistakes. */
size_t pm_options_read(const struct pm_config_handler *config,
		       const struct panicmon_handler *handler,
		       const struct panicmon_option *options, struct panicmon_value *values,
		       char *complaints, size_t size);

#endif
