/* ctl/look.h: plugins as they describe themselves, each loaded in a process of its own. */
#ifndef PM_CTL_LOOK_H
#define PM_CTL_LOOK_H

#include "base/error.h"
#include "config/config.h"
#include "handler/describe.h"

struct pm_ctl_look {
	const char *head[PM_DESCRIPTION_HEAD];
	char *options, *end; /* for pm_description_take() */
	char *room;          /* which all of that is in */
	char fault[1024];    /* why it cannot be used, a line; "": it can */
};

/* Loads the plugins of all handlers of the config, of which no options are looked at. looks[i] is of
 * handlers[i]; pm_ctl_look_free() frees it, also after an error. */
int pm_ctl_look(const struct pm_config *config, struct pm_ctl_look *looks, struct pm_error *error);
void pm_ctl_look_free(struct pm_ctl_look *look);

/* The handler `name` of the config, NULL: there is none. */
const struct pm_config_handler *pm_ctl_find_handler(const struct pm_config *config,
						    const char *name);

#endif
