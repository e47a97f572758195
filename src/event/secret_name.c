#include <config.h>

#include <string.h>
#include <strings.h>

#include "event/redact.h"

struct word {
	const char *text;
	size_t length;
};

/* Also as the end of a longer word: PGPASSWORD, authtoken. No other English word ends so. */
static const char *const endings[] = {
	"password", "passwd", "passphrase", "passcode",  "secret",
	"token",    "apikey", "accesskey",  "secretkey", "privatekey",
};

/* Only as whole words: "author", "passive" and "bypass" are none. */
static const char *const words[] = {
	"pass",    "pwd",       "passin",        "passout",    "userpass",    "dbpass",
	"auth",    "bearer",    "authorization", "credential", "credentials", "creds",
	"secrets", "passwords", "requirepass",   "masterauth", "cookie",      "cookies",
};

/* Before the word "key", which alone may be anything: monkey, keyspace, a key of a map. */
static const char *const key_kinds[] = {
	"api", "access", "private", "signing", "encryption", "account",
};

/* As the last word they say that the value is about a secret, not the secret: --token-file,
 * --password-stdin (whose next argument is something else), AUTH_TYPE. */
static const char *const harmless[] = {
	"file",   "path", "dir",     "fd",     "stdin", "type", "mode",
	"method", "ttl",  "timeout", "length", "name",  "env",
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Not isalpha(3) and its kin: a locale has no say in what is secret. */
static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_lower(c) || is_upper(c) || is_digit(c);
}

/* A capital begins a word after a small letter (clientSecret) and before one (APIKey). */
static bool begins_word(const char *at, const char *end)
{
	if (!is_upper(at[0]))
		return false;
	return !is_upper(at[-1]) || (at + 1 < end && is_lower(at[1]));
}

/* Takes the next word off [*at, end); its length is 0 when there is none left. */
static struct word next_word(const char **at, const char *end)
{
	struct word word = {0};

	while (*at < end && !is_word(**at))
		(*at)++;
	word.text = *at;
	while (*at < end && is_word(**at) && (*at == word.text || !begins_word(*at, end)))
		(*at)++;
	word.length = (size_t)(*at - word.text);
	return word;
}

static bool is(struct word word, const char *text)
{
	return strlen(text) == word.length && strncasecmp(word.text, text, word.length) == 0;
}

static bool is_one_of(struct word word, const char *const table[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is(word, table[i]))
			return true;
	return false;
}

static bool has_secret_ending(struct word word)
{
	while (word.length > 0 && is_digit(word.text[word.length - 1]))
		word.length--;
	for (size_t i = 0; i < COUNT(endings); i++) {
		size_t length = strlen(endings[i]);

		if (length <= word.length &&
		    strncasecmp(word.text + word.length - length, endings[i], length) == 0)
			return true;
	}
	return false;
}

static bool is_secret_word(struct word before, struct word word)
{
	if (is(word, "key") || is(word, "keys"))
		return is_one_of(before, key_kinds, COUNT(key_kinds));
	return is_one_of(word, words, COUNT(words)) || has_secret_ending(word);
}

/* Whether the words of `added` are the next of [at, end). *rest: where the words after them begin. */
static bool begins_with(const char *at, const char *end, const char *added, const char **rest)
{
	const char *added_end = added + strlen(added);

	for (;;) {
		struct word wanted = next_word(&added, added_end);

		*rest = at;
		if (wanted.length == 0)
			return true;
		struct word word = next_word(&at, end);
		if (word.length != wanted.length ||
		    strncasecmp(word.text, wanted.text, word.length) != 0)
			return false;
	}
}

static struct word last_word(const char *at, const char *end)
{
	struct word last = {0}, word;

	while ((word = next_word(&at, end)).length > 0)
		last = word;
	return last;
}

/* Likewise harmless, as in --pin-file, if that is not of the name itself. */
static bool has_added(const char *name, const char *end, const char *added)
{
	bool harmless_end = is_one_of(last_word(name, end), harmless, COUNT(harmless));
	const char *rest;

	for (const char *at = name; next_word(&(const char *){at}, end).length > 0;
	     next_word(&at, end))
		if (begins_with(at, end, added, &rest) &&
		    (!harmless_end || next_word(&rest, end).length == 0))
			return true;
	return false;
}

static bool has_any_added(const char *name, const char *end, const struct pm_redact *redact)
{
	for (size_t i = 0; redact != NULL && i < redact->count; i++)
		if (has_added(name, end, redact->names[i]))
			return true;
	return false;
}

bool pm_redact_is_secret(const char *name, size_t length, const struct pm_redact *redact)
{
	const char *at = name, *end = name + length;
	struct word before = {0};
	bool secret = false;

	for (;;) {
		struct word word = next_word(&at, end);

		if (word.length == 0)
			break;
		/* --no-password asks for none, and takes no value. */
		if (before.length == 0 && is(word, "no"))
			return false;
		secret |= is_secret_word(before, word);
		before = word;
	}
	return (secret && !is_one_of(before, harmless, COUNT(harmless))) ||
	       has_any_added(name, end, redact);
}
