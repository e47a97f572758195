/* config/process_keys.h: the values of the section [process] that no other section has. */
#ifndef PM_CONFIG_PROCESS_KEYS_H
#define PM_CONFIG_PROCESS_KEYS_H

#include "config/config.h"
#include "config/keys.h"

/* Lists: each adds one item, such as "TERM", "TERM:QUIT" or "143:0". The place of `signals` is the
 * set, that of the others the whole struct pm_config_process. */
pm_key_set pm_process_key_signal, pm_process_key_rewrite, pm_process_key_remap;
void pm_process_key_no_signals(void *place);
void pm_process_key_no_rewrite(void *place);
void pm_process_key_no_remap(void *place);

pm_key_set pm_process_key_group;
/* The place is a bool: whether it is the second of the key's two choices. */
pm_key_set pm_process_key_second;
pm_key_set pm_process_key_output;
/* "env.NAME". The place is the whole struct. No error has the value, which may be a secret. */
pm_key_set pm_process_key_variable;

/* Once all is read: what each key may say, but not together. */
void pm_process_keys_check(const struct pm_config_process *process, pm_keys_mistake *mistake,
			   void *arg);

void pm_process_keys_free(struct pm_config_process *process);

#endif
