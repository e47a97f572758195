#include <config.h>

#include "words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n\v\f"

struct reader {
	const char *in;
	char *out;
	const char *problem;
};

static bool refuse(struct reader *reader, const char *problem)
{
	reader->problem = problem;
	return false;
}

/* All of these begin behind the character that has brought them here. */

static bool take_escaped(struct reader *reader)
{
	if (*reader->in == '\0')
		return refuse(reader, "ends with a backslash that has nothing to quote");
	*reader->out++ = *reader->in++;
	return true;
}

static bool take_single_quoted(struct reader *reader)
{
	const char *end = strchr(reader->in, '\'');

	if (end == NULL)
		return refuse(reader, "has a ' that is not closed");
	size_t length = (size_t)(end - reader->in);
	memcpy(reader->out, reader->in, length);
	reader->out += length;
	reader->in = end + 1;
	return true;
}

/* A backslash quotes only what would mean something to a shell here. */
static bool take_double_quoted(struct reader *reader)
{
	while (*reader->in != '"') {
		if (*reader->in == '\0')
			return refuse(reader, "has a \" that is not closed");
		if (reader->in[0] == '\\' && reader->in[1] != '\0' &&
		    strchr("$`\"\\", reader->in[1]) != NULL)
			reader->in++;
		*reader->out++ = *reader->in++;
	}
	reader->in++;
	return true;
}

static bool take_part(struct reader *reader)
{
	char c = *reader->in++;

	if (c == '\\')
		return take_escaped(reader);
	if (c == '\'')
		return take_single_quoted(reader);
	if (c == '"')
		return take_double_quoted(reader);
	*reader->out++ = c;
	return true;
}

/* The word that begins here; NULL: there is a problem. */
static char *take_word(struct reader *reader)
{
	char *word = reader->out;

	while (*reader->in != '\0' && strchr(BLANKS, *reader->in) == NULL)
		if (!take_part(reader))
			return NULL;
	*reader->out++ = '\0';
	return word;
}

static bool skip_blanks(struct reader *reader)
{
	reader->in += strspn(reader->in, BLANKS);
	return *reader->in != '\0';
}

char **pm_exec_words_split(const char *text, const char **problem)
{
	size_t length = strlen(text);
	size_t most = length / 2 + 1; /* a word and a blank */
	char **words = malloc((most + 1) * sizeof(*words) + length + 1);
	struct reader reader = {.in = text, .out = (char *)(words + most + 1)};
	size_t count = 0;

	*problem = NULL;
	if (words == NULL)
		return NULL;
	while (skip_blanks(&reader) && reader.problem == NULL)
		words[count++] = take_word(&reader);
	if (count == 0)
		reader.problem = "is empty";
	words[count] = NULL;
	*problem = reader.problem;
	if (reader.problem == NULL)
		return words;
	free(words);
	return NULL;
}

static bool is_plain(const char *word)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "%+,-./:@_";

	return word[0] != '\0' && word[strspn(word, plain)] == '\0';
}

void pm_exec_words_quote(struct pm_common_buffer *out, const char *word)
{
	if (is_plain(word)) {
		pm_common_puts(out, word);
		return;
	}
	pm_common_puts(out, "'");
	for (;;) {
		size_t length = strcspn(word, "'");

		pm_common_put(out, word, length);
		if (word[length] == '\0')
			break;
		pm_common_puts(out, "'\\''");
		word += length + 1;
	}
	pm_common_puts(out, "'");
}
