#include <config.h>

#include "common/quote.h"

#include <string.h>

#include "common/utf8.h"

/* Besides letters, digits and all that is not ASCII, what no shell takes for its own. */
#define BARE "%+,-./:=@_"

static void put_byte(struct pm_common_buffer *out, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";
	const char hex[] = {'\\', 'x', digits[byte >> 4], digits[byte & 0xf]};

	switch (byte) {
	case '\n':
		pm_common_puts(out, "\\n");
		break;
	case '\t':
		pm_common_puts(out, "\\t");
		break;
	case '\r':
		pm_common_puts(out, "\\r");
		break;
	default:
		pm_common_put(out, hex, sizeof(hex));
	}
}

/* `special`: the ASCII characters that get a backslash. */
static void put_escaped(struct pm_common_buffer *out, const char *text, size_t length,
			const char *special)
{
	size_t step;

	for (size_t at = 0; at < length; at += step) {
		uint32_t code;

		step = pm_common_utf8_next(text + at, length - at, &code);
		if (code == PM_COMMON_INVALID || pm_common_is_control(code)) {
			for (size_t i = 0; i < step; i++)
				put_byte(out, (unsigned char)text[at + i]);
			continue;
		}
		if (step == 1 && strchr(special, text[at]) != NULL)
			pm_common_put(out, "\\", 1);
		pm_common_put(out, text + at, step);
	}
}

void pm_common_quote_plain(struct pm_common_buffer *out, const char *text, size_t length)
{
	put_escaped(out, text, length, "\\");
}

void pm_common_quote_controls(struct pm_common_buffer *out, const char *text, size_t length)
{
	put_escaped(out, text, length, "");
}

static bool is_bare(char c)
{
	return (c & 0x80) != 0 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || (c != '\0' && strchr(BARE, c) != NULL);
}

void pm_common_quote_word(struct pm_common_buffer *out, const char *text, size_t length)
{
	struct pm_common_utf8 found = pm_common_utf8_scan(text, length);
	bool escape = !found.valid || found.controls;
	bool bare = length > 0;

	for (size_t i = 0; i < length; i++) {
		escape |= (unsigned char)text[i] < 0x20 || text[i] == '\'' || text[i] == 0x7f;
		bare &= is_bare(text[i]);
	}
	if (escape)
		pm_common_puts(out, "$");
	if (escape || !bare)
		pm_common_puts(out, "'");
	if (escape)
		put_escaped(out, text, length, "\\'");
	else
		pm_common_put(out, text, length);
	if (escape || !bare)
		pm_common_puts(out, "'");
}
