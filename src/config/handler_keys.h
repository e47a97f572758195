/* config/handler_keys.h: the keys that say what a handler gets to see: which events, and what of the
 * command's arguments. For the tables of keys. */
#ifndef PM_CONFIG_HANDLER_KEYS_H
#define PM_CONFIG_HANDLER_KEYS_H

#include "config/keys.h"

/* An item of `events`: a pattern (fnmatch(3)), with a '!' before it for what is left out; of a list that
 * begins with one such, of all. Into a struct pm_config_events. */
pm_key_set pm_handler_key_event;
void pm_handler_key_no_events(void *events);

/* The mistakes of a whole section: `events` and `when` that leave nothing. */
struct pm_config_handler;
void pm_handler_keys_check(const struct pm_config_handler *handler, pm_keys_mistake *mistake,
			   void *arg);

/* An item of `redact`: a name to add, or "off" alone. Into a struct pm_redact. */
pm_key_set pm_key_redact;
void pm_key_redact_none(void *redact);

#endif
