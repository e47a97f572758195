/* handler/state_dir.h: the folder `state_dir`, where handlers keep what outlives a run: a folder for each
 * service and handler. */
#ifndef PM_HANDLER_STATE_DIR_H
#define PM_HANDLER_STATE_DIR_H

#include "config/config.h"

/* Opens it, and makes it if its parent is there. *fd stays as it is if there is none in the config, or if
 * nothing can be written there now for which nobody's config is to blame: a full or read-only disk. */
int pm_state_dir_open(int *fd, const struct pm_config *config, struct pm_error *error);

/* Whether that would work, without making anything. */
int pm_state_dir_check(const struct pm_config *config, struct pm_error *error);

/* Opens the folder of one handler in it, and makes it. user NULL: it stays ours. Returns a descriptor;
 * -1: not so. */
int pm_state_dir_enter(int state_dir, const char *service, const char *handler, const char *user,
		       struct pm_error *error);

/* "SERVICE.HANDLER" as the name of a file: what could be read as something else is written as %XX, and
 * what is too long ends with a checksum. */
enum { PM_STATE_NAME_MAX = 255 };
void pm_state_dir_name(char name[PM_STATE_NAME_MAX + 1], const char *service, const char *handler);

#endif
