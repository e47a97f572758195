/* quote.h: strings from outside in a line for people. */
#ifndef PM_COMMON_QUOTE_H
#define PM_COMMON_QUOTE_H

#include <stddef.h>

#include "common/buffer.h"

/* Appends text; what is a control character, a backslash or not UTF-8 becomes \n, \t, \r, \\ or
 * \xHH, byte by byte. */
void pm_common_quote_plain(struct pm_common_buffer *out, const char *text, size_t length);

/* The same without the \\, for people rather than for reading back. */
void pm_common_quote_controls(struct pm_common_buffer *out, const char *text, size_t length);

/* Appends text as one word of a shell: as it is, 'in quotes', or, where it needs an escape,
 * $'in quotes' as bash and POSIX.1-2024 have it. */
void pm_common_quote_word(struct pm_common_buffer *out, const char *text, size_t length);

#endif
