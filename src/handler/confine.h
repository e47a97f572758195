/* handler/confine.h: what a host gives up before it runs a plugin's code. In a host only. */
#ifndef PM_HANDLER_CONFINE_H
#define PM_HANDLER_CONFINE_H

#include "base/error.h"
#include "config/config.h"

/* Limits, another user if one is asked for, no new privileges (PR_SET_NO_NEW_PRIVS), no ambient
 * capabilities. Looks the user up, which may load libraries and ask a server. */
int pm_confine(const struct pm_config_handler *config, struct pm_error *error);

#endif
