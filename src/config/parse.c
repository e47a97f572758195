#include <config.h>

#include "config/parse.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* A file that is no INI file at all shall not fill the screen. */
enum { BAD_LINES_MAX = 20 };

struct reader {
	const struct pm_parse *parse;
	const char *at, *end;
	unsigned line;
	unsigned bad_lines;
	char section[PM_PARSE_SECTION_MAX + 1];
	bool in_section;  /* `section` is good, and mistakes are told with it */
	bool pass_over;   /* the section's name was refused, so its keys mean nothing */
	bool any_section; /* good or bad */
	char *where;
	size_t where_size;
};

/* inih's own idea of blanks, in the C locale. */
static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static const char *where(struct reader *reader)
{
	snprintf(reader->where, reader->where_size, "%s:%u", reader->parse->name, reader->line);
	return reader->where;
}

static bool bad_line(struct reader *reader, const char *text)
{
	reader->parse->mistake(reader->parse->arg, where(reader),
			       reader->in_section ? reader->section : NULL, text);
	if (++reader->bad_lines == BAD_LINES_MAX) {
		reader->parse->mistake(
			reader->parse->arg, where(reader), NULL,
			"too many lines like this, the rest of the file is not read; "
			"is it an INI file?");
		reader->at = reader->end;
	}
	return false;
}

/* A refused section still ends the one before it: its keys must not fall to that one. */
static bool bad_section(struct reader *reader, const char *text)
{
	reader->pass_over = true;
	reader->in_section = false;
	reader->any_section = true;
	return bad_line(reader, text);
}

/* line[0] is '['; blanks at both ends of the line are left out. */
static bool check_section(struct reader *reader, const char *line, size_t length)
{
	const char *close = memchr(line, ']', length);
	size_t size;

	if (close == NULL)
		return bad_section(reader, "no ']' after '['; write a section as [NAME]");
	if (close + 1 != line + length)
		return bad_section(reader,
				   "text after ']'; write it, comments too, on a line of its own");
	size = (size_t)(close - line) - 1;
	if (size == 0)
		return bad_section(reader, "a section without a name; write it as [NAME]");
	if (size > PM_PARSE_SECTION_MAX)
		return bad_section(reader,
				   "the section's name is longer than 49 bytes; use a shorter one");
	memcpy(reader->section, line + 1, size);
	reader->section[size] = '\0';
	reader->any_section = true;
	reader->in_section = true;
	reader->pass_over =
		!reader->parse->section(reader->parse->arg, where(reader), reader->section);
	return true;
}

const char *pm_parse_check_key(const char *key, size_t length)
{
	if (length == 0)
		return "no key before '='; write KEY = VALUE";
	if (length > PM_PARSE_KEY_MAX)
		return "the key is longer than 255 bytes; use a shorter one";
	for (size_t i = 0; i < length; i++)
		if (!isascii((unsigned char)key[i]) ||
		    (!isalnum((unsigned char)key[i]) && strchr("_-.", key[i]) == NULL))
			return "not a key before '=': it is made of letters, digits, '_', '-' "
			       "and '.'; write KEY = VALUE";
	return NULL;
}

/* The text is not shown: a broken line may be a part of a secret. */
static bool check_key(struct reader *reader, const char *line, size_t length)
{
	const char *equals = memchr(line, '=', length);
	const char *colon = memchr(line, ':', length);
	const char *wrong;
	size_t size = equals == NULL ? 0 : (size_t)(equals - line);

	/* inih would split there as well: "a:b = c" would be the key "a". */
	if (colon != NULL && (equals == NULL || colon < equals))
		return bad_line(reader, "':' after the key; write KEY = VALUE");
	if (equals == NULL)
		return bad_line(reader,
				"no '=' in this line; write KEY = VALUE, or ';' before a comment");
	while (size > 0 && is_blank(line[size - 1]))
		size--;
	wrong = pm_parse_check_key(line, size);
	if (wrong != NULL)
		return bad_line(reader, wrong);
	if (!reader->any_section)
		return bad_line(
			reader,
			"a key before any section; write [panicmon], [process] or [handler:NAME] "
			"above it");
	return true;
}

/* Whether inih may see the line, which is told of if it is a mistake. */
static bool check_line(struct reader *reader, const char *line, size_t length)
{
	if (memchr(line, '\0', length) != NULL)
		return bad_line(reader, "a NUL byte; save the file as plain text (UTF-8)");
	while (length > 0 && is_blank(line[length - 1]))
		length--;
	while (length > 0 && is_blank(*line))
		line++, length--;
	if (length == 0 || *line == ';' || *line == '#')
		return true;
	if (memchr(line, '\r', length) != NULL)
		return bad_line(reader,
				"a carriage return within the line; end lines with LF or CR LF");
	return *line == '[' ? check_section(reader, line, length) : check_key(reader, line, length);
}

/* The reader that inih calls. `size` holds every line of the file: see longest_line(). A line
 * without its newline is a line to inih. */
static char *next_line(char *buffer, int size, void *arg)
{
	struct reader *reader = arg;
	const char *line = reader->at;
	size_t length;

	if (line == reader->end)
		return NULL;
	const char *newline = memchr(line, '\n', (size_t)(reader->end - line));
	length = (size_t)((newline == NULL ? reader->end : newline) - line);
	reader->at = newline == NULL ? reader->end : newline + 1;
	reader->line++;
	if (!check_line(reader, line, length) || length >= (size_t)size)
		length = 0;
	memcpy(buffer, line, length);
	buffer[length] = '\0';
	return buffer;
}

static int take_key(void *arg, const char *section, const char *key, const char *value)
{
	struct reader *reader = arg;

	if (!reader->pass_over)
		reader->parse->key(reader->parse->arg, where(reader), section, key, value);
	return 1;
}

static size_t longest_line(const char *text, size_t size)
{
	size_t longest = 0;

	while (size > 0) {
		const char *newline = memchr(text, '\n', size);
		size_t length = newline == NULL ? size : (size_t)(newline - text);

		if (length > longest)
			longest = length;
		size -= length;
		text += length;
		if (size > 0)
			text++, size--;
	}
	return longest;
}

/* inih r55's switches are globals that it reads while it runs. A buffer for the longest line from
 * the start: then it calls the reader once a line, and never cuts one. */
static void set_switches(size_t longest)
{
	ini_use_stack = false;
	ini_allow_realloc = false;
	ini_initial_alloc = (int)longest + 3;
	ini_max_line = (int)longest + 3;
	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	ini_allow_no_value = false;
	ini_allow_bom = false;
	ini_stop_on_first_error = true;
}

int pm_parse_text(const struct pm_parse *parse, const char *text, size_t size,
		  struct pm_error *error)
{
	static const char bom[] = "\xef\xbb\xbf";
	size_t where_size = strlen(parse->name) + sizeof(":4294967295");
	pm_autofree char *where_text = malloc(where_size);
	struct reader reader = {.parse = parse,
				.at = text,
				.end = text + size,
				.where = where_text,
				.where_size = where_size};
	size_t longest = longest_line(text, size);

	if (where_text == NULL)
		return pm_error_set(error, ENOMEM, "cannot be read");
	if (longest > (size_t)INT_MAX - 3)
		return pm_error_set(error, 0, "has a line longer than 2 GiB");
	if (size >= sizeof(bom) - 1 && memcmp(text, bom, sizeof(bom) - 1) == 0)
		reader.at += sizeof(bom) - 1;
	set_switches(longest);
	int result = ini_parse_stream(next_line, &reader, take_key, &reader);
	if (result == -2)
		return pm_error_set(error, ENOMEM, "cannot be read");
	/* Not expected: a line that was found good above. It must not be dropped in silence. */
	if (result != 0)
		bad_line(&reader, "this line cannot be understood; write KEY = VALUE");
	return 0;
}
