/* config/key_values.h: values of the common kinds, for the tables of keys: each is a pm_key_set. */
#ifndef PM_CONFIG_KEY_VALUES_H
#define PM_CONFIG_KEY_VALUES_H

#include "config/keys.h"

/* Says that nothing stands after '='. Returns -1. */
int pm_keys_no_value(struct pm_error *error);

pm_key_set pm_key_text;     /* char * */
pm_key_set pm_key_duration; /* int64_t, in ms, `min` or more */
pm_key_set pm_key_bool;     /* bool */
pm_key_set pm_key_count;    /* unsigned, `min` to `max` */
pm_key_set pm_key_limit;    /* int64_t: 0, or a size of `min` or more */

#endif
