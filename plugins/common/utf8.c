#include <config.h>

#include "common/utf8.h"

/* Table 3-7: the second byte's range is what excludes overlong forms, surrogates, and all above
 * U+10FFFF; further bytes are 80..BF. */
static const struct {
	unsigned char first, last; /* of the first byte */
	unsigned char low, high;   /* of the second */
	unsigned char length;
	unsigned char bits; /* of the first byte that belong to the code point */
} forms[] = {
	{0x00, 0x7f, 0x00, 0x00, 1, 0x7f}, {0xc2, 0xdf, 0x80, 0xbf, 2, 0x1f},
	{0xe0, 0xe0, 0xa0, 0xbf, 3, 0x0f}, {0xe1, 0xec, 0x80, 0xbf, 3, 0x0f},
	{0xed, 0xed, 0x80, 0x9f, 3, 0x0f}, {0xee, 0xef, 0x80, 0xbf, 3, 0x0f},
	{0xf0, 0xf0, 0x90, 0xbf, 4, 0x07}, {0xf1, 0xf3, 0x80, 0xbf, 4, 0x07},
	{0xf4, 0xf4, 0x80, 0x8f, 4, 0x07},
};
enum { FORM_COUNT = sizeof(forms) / sizeof(forms[0]) };

size_t pm_common_utf8_next(const char *text, size_t length, uint32_t *code)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t form = 0;

	*code = PM_COMMON_INVALID;
	while (form < FORM_COUNT && (bytes[0] < forms[form].first || bytes[0] > forms[form].last))
		form++;
	if (form == FORM_COUNT)
		return 1;
	uint32_t value = bytes[0] & forms[form].bits;
	for (size_t i = 1; i < forms[form].length; i++) {
		unsigned char low = i == 1 ? forms[form].low : 0x80;
		unsigned char high = i == 1 ? forms[form].high : 0xbf;

		if (i == length || bytes[i] < low || bytes[i] > high)
			return i;
		value = value << 6 | (bytes[i] & 0x3f);
	}
	*code = value;
	return forms[form].length;
}

bool pm_common_is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x061c ||
	       (code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

struct pm_common_utf8 pm_common_utf8_scan(const char *text, size_t length)
{
	struct pm_common_utf8 found = {.valid = true};
	size_t at = 0;

	while (at < length) {
		uint32_t code;

		/* Nearly all text is this, and may be a megabyte. */
		if ((unsigned char)text[at] < 0x7f) {
			at++;
			continue;
		}
		at += pm_common_utf8_next(text + at, length - at, &code);
		if (code == PM_COMMON_INVALID)
			found.valid = false;
		else
			found.controls |= pm_common_is_control(code);
	}
	return found;
}

void pm_common_utf8_clean(struct pm_common_buffer *out, const char *text, size_t length)
{
	size_t from = 0, at = 0;

	while (at < length) {
		uint32_t code;
		size_t step = pm_common_utf8_next(text + at, length - at, &code);

		if (code == PM_COMMON_INVALID) {
			pm_common_put(out, text + from, at - from);
			pm_common_puts(out, PM_COMMON_REPLACEMENT);
			from = at + step;
		}
		at += step;
	}
	pm_common_put(out, text + from, length - from);
}

size_t pm_common_utf8_head(const char *text, size_t length, size_t most)
{
	size_t at = 0;

	if (length <= most)
		return length;
	for (;;) {
		uint32_t code;
		size_t step = pm_common_utf8_next(text + at, length - at, &code);

		if (step > most - at)
			return at;
		at += step;
	}
}

size_t pm_common_utf8_tail(const char *text, size_t length, size_t most)
{
	size_t at = length - (length < most ? length : most);

	for (int i = 0; i < 3 && at > 0 && at < length && (text[at] & 0xc0) == 0x80; i++)
		at++;
	return length - at;
}
