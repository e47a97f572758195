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

/* What a line of a file or a -o says. */
struct pm_entry {
	const char *where;          /* "FILE:LINE" or "-o SECTION.KEY" */
	const char *section, *name; /* as written */
	const char *value;
	bool known; /* the same name may have been set before */
};

struct pm_key;

/* Puts the value into its place. */
typedef int pm_key_set(void *place, const struct pm_key *key, const struct pm_entry *entry,
		       struct pm_error *error);

struct pm_key {
	const char *name; /* first: pm_value_nearest() looks through the table */
	pm_key_set *set;  /* NULL: the loader's own business (include) */
	/* The value is a list, separated by commas and blanks: this empties it, and then `set` is
	 * called for each of its items. */
	void (*begin)(void *place);
	bool prefix;       /* it is "env.NAME": only what stands up to the '.' is the key's */
	size_t offset;     /* of the place, in the section's struct */
	size_t where;      /* of a char * there, which keeps pm_entry.where; 0: it is not kept */
	const char *value; /* the default, written as in a file, of a list one item; NULL: none */
	int64_t min, max;  /* of a duration, in ms, or a limit, which have no max, or of a number */
	const char *min_text;
	const char *const *choices; /* NULL at the end */
	/* For people, of the keys that all handlers have: kind and range of the value, one line. */
	const char *type, *range, *help;
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

/* Sets all that have a default, and empties the lists that have none. `target` is the section's
 * struct. */
int pm_keys_default(const struct pm_section *section, void *target, struct pm_error *error);

/* Makes *text, which it frees, a copy of `with`. -1 if memory runs out: *text is as it was. */
int pm_keys_replace(char **text, const char *with, struct pm_error *error);

/* Told of each mistake in a value. The error's text begins with the value, as pm_value_*() does. */
typedef void pm_keys_mistake(void *arg, const struct pm_entry *entry, const struct pm_error *error);

/* A list that has a mistake in it is left with the default: no other key is blamed for it. */
void pm_keys_set(const struct pm_key *key, void *target, const struct pm_entry *entry,
		 pm_keys_mistake *mistake, void *arg);

/* "unknown key 'nmae'; did you mean 'name'?", or the list of keys. Returns -1. */
int pm_keys_unknown(const struct pm_section *section, const char *name, struct pm_error *error);

#endif
