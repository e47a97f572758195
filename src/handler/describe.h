/* handler/describe.h: a plugin and its options in words, from the host that has it loaded to a program
 * that shows them.
 *
 * They are texts one after the other, each with its NUL: PM_DESCRIPTION_HEAD of them for the plugin,
 * then PM_DESCRIPTION_FIELDS for each option, then an empty one. Their reader trusts nothing in them.
 */
#ifndef PM_HANDLER_DESCRIBE_H
#define PM_HANDLER_DESCRIBE_H

#include <stddef.h>

#include "handler/module.h"

/* Whole pages of any size there is. What does not fit is left out. */
enum { PM_DESCRIPTION_SIZE = 64 * 1024 };

enum {
	PM_DESCRIPTION_NAME,
	PM_DESCRIPTION_VERSION,
	PM_DESCRIPTION_ABI, /* "1.0" */
	PM_DESCRIPTION_SUMMARY,
	PM_DESCRIPTION_HEAD
};

enum {
	PM_DESCRIPTION_OPTION,
	PM_DESCRIPTION_TYPE,
	PM_DESCRIPTION_DEFAULT,
	PM_DESCRIPTION_REQUIRED,
	PM_DESCRIPTION_RANGE, /* or choices */
	PM_DESCRIPTION_HELP,
	PM_DESCRIPTION_FIELDS
};

/* Writes PM_DESCRIPTION_SIZE bytes at most to `room`, which is zeroed. In the host. */
void pm_describe(const struct pm_module *module, char *room);

/* Takes `count` texts from *at, which is moved behind them; what would be beyond `end` is "". Control
 * characters become '?'. The texts stay where they are. */
void pm_description_take(char **at, char *end, const char **texts, size_t count);

#endif
