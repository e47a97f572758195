/* config/value.h: the text of one value to a number, and the nearest name for a mistyped one. */
#ifndef PM_CONFIG_VALUE_H
#define PM_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Each returns 0, or -1 with an error whose text names the value, what is wanted and an example:
 * "'5x' is not a duration: write a number and ms, s, m or h, such as 500ms or 2s". */

int pm_value_number(const char *text, int64_t *out, struct pm_error *error);

/* "500ms", "2s", "5m", "1h", "1.5s"; a bare number is seconds. *out in milliseconds,
 * at most 876000h, so that a deadline in nanoseconds cannot overflow. */
int pm_value_duration(const char *text, int64_t *out, struct pm_error *error);

/* "512", "64k", "8M", "1G", powers of 1024. *out in bytes. */
int pm_value_size(const char *text, int64_t *out, struct pm_error *error);

/* yes, no, true, false, on, off, 1, 0; case does not matter. */
int pm_value_bool(const char *text, bool *out, struct pm_error *error);

/* The place of `text` in choices[], which has NULL at its end. Case matters. */
int pm_value_choice(const char *text, const char *const *choices, size_t *out,
		    struct pm_error *error);

/* "'TEXT' WHAT". Returns -1. A long text is cut, so that what stands after it is still read. */
int pm_value_refuse(struct pm_error *error, const char *text, const char *what, ...)
	__attribute__((format(printf, 3, 4)));

/* The name in names[0..count) with the smallest edit distance to `text`, or NULL if none is close
 * enough to be a typing mistake (at most a third of its letters, at least 1). `stride` is the
 * distance in bytes between two `const char *`, so that a table of structs can be searched. */
const char *pm_value_nearest(const char *text, const void *names, size_t count, size_t stride);

#endif
