#include <config.h>

#include "event/redact.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t\r\n"

enum { SECRET_MARK_LENGTH = sizeof("***") - 1 };

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

/* The same walk over an argument first counts (to is NULL), then writes. */
struct copy {
	char *to;
	size_t length;
	const struct pm_redact *redact; /* NULL: nothing was said */
};

static void put(struct copy *copy, const char *text, size_t length)
{
	if (copy->to != NULL)
		memcpy(copy->to + copy->length, text, length);
	copy->length += length;
}

static void put_mark(struct copy *copy)
{
	put(copy, "***", SECRET_MARK_LENGTH);
}

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

static bool is_name(char c)
{
	return is_word(c) || c == '-' || c == '_' || c == '.';
}

static bool is_blank(char c)
{
	return c != '\0' && strchr(BLANKS, c) != NULL;
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

/* Likewise harmless, as in --pin-file, if that is not of the name itself. */
static bool has_added(const char *name, const char *end, const char *added)
{
	const char *rest;

	for (const char *at = name; next_word(&(const char *){at}, end).length > 0;
	     next_word(&at, end)) {
		struct word last = {0}, word;

		if (!begins_with(at, end, added, &rest))
			continue;
		while ((word = next_word(&rest, end)).length > 0)
			last = word;
		if (!is_one_of(last, harmless, COUNT(harmless)))
			return true;
	}
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

/* The '@' that ends the userinfo of the URL whose authority begins at `at`, or NULL. */
static const char *userinfo_end(const char *at)
{
	size_t authority = strcspn(at, "/?#\"<>" BLANKS);
	const char *end = memrchr(at, '@', authority);

	if (end != NULL || at[0] == '[')
		return end;
	const char *colon = memchr(at, ':', authority);
	if (colon == NULL ||
	    strspn(colon + 1, "0123456789") == (size_t)(at + authority - colon - 1))
		return NULL;
	/* What follows the colon is no port: a password with an unescaped '/', '?' or '#'. */
	return memrchr(at, '@', strcspn(at, "\"<>" BLANKS));
}

/* Copies the userinfo at `at`, if any, without its secret. Returns where to go on. */
static const char *put_userinfo(struct copy *copy, const char *at)
{
	const char *end = userinfo_end(at);

	if (end == NULL || end == at)
		return at;
	const char *colon = memchr(at, ':', (size_t)(end - at));
	/* Many take a token as the user, with an empty password. */
	if (colon != NULL && colon + 1 < end)
		put(copy, at, (size_t)(colon + 1 - at));
	put_mark(copy);
	return end;
}

/* Where the value begins of which the name ends at `at`: after '=', after ':' as in a header or in
 * JSON (not as in image:tag, unless it is known to be a header), and after blanks for a flag within
 * a longer text (sh -c "run --password x"). NULL: nothing here gives it a value. */
static const char *value_of(const char *at, bool flag, bool header)
{
	const char *sign = at + strspn(at, "\"']");

	sign += strspn(sign, BLANKS);
	if (*sign == '=' || (*sign == ':' && (header || sign[1] == '=' || sign[1] == '"' ||
					      sign[1] == '\'' || is_blank(sign[1]))))
		return sign + 1 + strspn(sign + 1, BLANKS);
	if (flag && is_blank(*at) && *sign != '\0')
		return sign;
	return NULL;
}

static bool is_bearer(const char *name, size_t length)
{
	return is((struct word){name, length}, "bearer");
}

static void put_argument(struct copy *copy, const char *at, bool names, bool header)
{
	while (*at != '\0') {
		const char *name = at;

		while (is_name(*at))
			at++;
		size_t length = (size_t)(at - name);
		put(copy, name, length);
		if (length > 0 && strncmp(at, "://", 3) == 0) {
			put(copy, at, 3);
			at = put_userinfo(copy, at + 3);
			continue;
		}
		bool flag = *name == '-' || is_bearer(name, length);
		const char *value = names && length > 0 ? value_of(at, flag, header) : NULL;
		if (value != NULL && pm_redact_is_secret(name, length, copy->redact)) {
			put(copy, at, (size_t)(value - at));
			put_mark(copy);
			return;
		}
		if (*at != '\0')
			put(copy, at++, 1);
	}
}

static bool is_flag(const char *argument)
{
	return argument[0] == '-' && argument[1] != '\0';
}

/* A flag that is nothing but the name of a secret: the next argument is the secret. */
static bool is_secret_flag(const char *argument, const struct pm_redact *redact)
{
	size_t length = 0;

	while (is_name(argument[length]))
		length++;
	return is_flag(argument) && argument[length] == '\0' &&
	       pm_redact_is_secret(argument, length, redact);
}

/* As curl and its like take a header: -H X, --header X, -HX, --header=X. */
static bool is_header(const char *before, const char *argument)
{
	return strcmp(before, "-H") == 0 || strcmp(before, "--header") == 0 ||
	       strncmp(argument, "-H", 2) == 0 || strncmp(argument, "--header=", 9) == 0;
}

/* After the name of a secret: "-h" and "--verbose" are no value. A longer one with a single dash may be,
 * and is hidden: one of 64 keys in base64url begins so. */
static bool is_clearly_flag(const char *argument)
{
	return is_flag(argument) && (argument[1] == '-' || argument[2] == '\0');
}

static void put_arguments(struct copy *copy, char *const *argv, char **out)
{
	for (size_t i = 0; argv[i] != NULL; i++) {
		const char *before = i > 1 ? argv[i - 1] : "";

		if (out != NULL)
			out[i] = copy->to + copy->length;
		if (copy->redact != NULL && copy->redact->off)
			put(copy, argv[i], strlen(argv[i]));
		else if (is_secret_flag(before, copy->redact) && !is_clearly_flag(argv[i]))
			put_mark(copy);
		else
			put_argument(copy, argv[i], i > 0, is_header(before, argv[i]));
		put(copy, "", 1);
	}
}

char **pm_redact_args(char *const *argv, const struct pm_redact *redact)
{
	struct copy copy = {.redact = redact};
	size_t count = 0;

	while (argv[count] != NULL)
		count++;
	put_arguments(&copy, argv, NULL);
	char **out = malloc((count + 1) * sizeof(*out) + copy.length);
	if (out == NULL)
		return NULL;
	copy = (struct copy){.to = (char *)(out + count + 1), .redact = redact};
	put_arguments(&copy, argv, out);
	out[count] = NULL;
	return out;
}

void pm_redact_free(struct pm_redact *redact)
{
	for (size_t i = 0; i < redact->count; i++)
		free(redact->names[i]);
	free(redact->names);
	*redact = (struct pm_redact){0};
}
