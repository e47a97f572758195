/* config/keys.h: which sections and keys there are, and how a value gets into its place.
 *
 * A section or key is added by a line in a table of keys.c.
 */
#ifndef PM_CONFIG_KEYS_H
#define PM_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct pm_key {
	const char *name; /* first: pm_value_nearest() looks through the table */
	/* Puts the value into its place. NULL: the loader's own business (include). */
	int (*set)(void *place, const struct pm_key *key, const char *value,
		   struct pm_error *error);
	size_t offset;     /* of the place, in the section's struct */
	const char *value; /* the default, written as in a file; NULL: none */
	int64_t min;       /* of a duration, in ms */
	const char *min_text;
};

struct pm_section {
	const char *name; /* "panicmon", or "handler" for [handler:NAME] */
	bool named; /* [name:NAME]: any number of them; unknown keys are options of the plugin */
	bool each_file; /* may stand in each file, but no key of it twice over all of them */
	const struct pm_key *keys;
	size_t key_count;
};

extern const struct pm_section pm_section_handler;

extern const struct pm_section *const pm_sections[];
extern const size_t pm_section_count;

/* The table of `section`, "panicmon" or "handler:NAME". NULL with an error that says what to write
 * instead: there is none, or NAME is not one. */
const struct pm_section *pm_keys_section(const char *section, struct pm_error *error);

const struct pm_key *pm_keys_find(const struct pm_section *section, const char *name);

/* Sets all that have a default. `target` is the section's struct. */
int pm_keys_default(const struct pm_section *section, void *target, struct pm_error *error);

/* The error's text begins with the value, as pm_value_*() does. */
int pm_keys_set(const struct pm_key *key, void *target, const char *value, struct pm_error *error);

/* "unknown key 'nmae'; did you mean 'name'?", or the list of keys. Returns -1. */
int pm_keys_unknown(const struct pm_section *section, const char *name, struct pm_error *error);

#endif
