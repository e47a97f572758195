/* front/process.h: what of the section [process] only the machine can judge: opened for a run, or
 * looked at. */
#ifndef PM_FRONT_PROCESS_H
#define PM_FRONT_PROCESS_H

#include "base/error.h"
#include "config/config.h"

/* *fd stays as it is where the command gets ours. `key`: "stdout" or "stderr". */
int pm_front_output_open(int *fd, const struct pm_config_output *output, const char *key,
			 struct pm_error *error);
/* Whether that would work, as far as can be told without opening or making anything. */
int pm_front_output_check(const struct pm_config_output *output, const char *key,
			  struct pm_error *error);

/* *fd stays as it is where the command starts in ours. */
int pm_front_directory_open(int *fd, const struct pm_config_process *config,
			    struct pm_error *error);

/* Whether orphans that are to be waited for come to this process. */
int pm_front_orphans_check(const struct pm_config_process *config, struct pm_error *error);

#endif
