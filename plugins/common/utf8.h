/* utf8.h: reading bytes that claim to be UTF-8 (The Unicode Standard, 3.9, tables 3-7 and U+FFFD
 * substitution of maximal subparts). */
#ifndef PM_COMMON_UTF8_H
#define PM_COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"

#define PM_COMMON_INVALID UINT32_MAX
#define PM_COMMON_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define PM_COMMON_ELLIPSIS "\xe2\x80\xa6"    /* U+2026 */

/* Decodes what text begins with. Returns its length, at least 1, at most `length`, which must not be
 * 0. *code is PM_COMMON_INVALID where it is ill-formed; the length is then that of the maximal
 * subpart, which one U+FFFD stands for. */
size_t pm_common_utf8_next(const char *text, size_t length, uint32_t *code);

/* What must not reach a terminal or a reader of lines as it is: C0, DEL, C1 (where a terminal finds
 * its escapes), line and paragraph separators, and what turns the direction of writing. */
bool pm_common_is_control(uint32_t code);

struct pm_common_utf8 {
	bool valid;
	bool controls; /* beyond those of ASCII */
};
struct pm_common_utf8 pm_common_utf8_scan(const char *text, size_t length);

/* Appends text with U+FFFD for each ill-formed part. */
void pm_common_utf8_clean(struct pm_common_buffer *out, const char *text, size_t length);

/* The longest part of text, at most `most` bytes, that does not end (_head) or begin (_tail) in the
 * middle of a character. */
size_t pm_common_utf8_head(const char *text, size_t length, size_t most);
size_t pm_common_utf8_tail(const char *text, size_t length, size_t most);

#endif
