/* config/parse.h: the text of one INI file to sections and keys, by inih.
 *
 * inih is shown one line at a time, and only good ones: it cuts long section names, takes ':' for
 * '=', gives no line numbers and says nothing of empty sections, so each line is looked at before.
 */
#ifndef PM_CONFIG_PARSE_H
#define PM_CONFIG_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* inih r55 keeps this many bytes of a section's name. */
enum { PM_PARSE_SECTION_MAX = 49 };

enum { PM_PARSE_KEY_MAX = 255 };

/* What is found, in the order of the file. `where` is "NAME:LINE"; all texts are valid until the
 * call returns. */
struct pm_parse {
	const char *name; /* of the file, for `where` */
	/* Returns false if the keys of this section are to be passed over. */
	bool (*section)(void *arg, const char *where, const char *section);
	void (*key)(void *arg, const char *where, const char *section, const char *key,
		    const char *value);
	/* A line that cannot be understood; the next line is read. `section` is the one it stands in,
	 * or NULL. After 20 such lines the rest of the file is not read. */
	void (*mistake)(void *arg, const char *where, const char *section, const char *text);
	void *arg;
};

/* text[0..size) may hold anything. -1 only if memory runs out. Not reentrant. */
int pm_parse_text(const struct pm_parse *parse, const char *text, size_t size,
		  struct pm_error *error);

/* NULL if `key` is one: letters, digits, '_', '-' and '.'. Else what is wrong and what to do. */
const char *pm_parse_check_key(const char *key, size_t length);

#endif
