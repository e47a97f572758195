#include <config.h>

#include "event/redact.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t\r\n"
#define DIGITS "0123456789"
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

enum { SECRET_MARK_LENGTH = sizeof("***") - 1 };

/* How far a password is looked for: a text may have what comes before one in every other place. */
enum { PASSWORD_LONGEST = 1024 };

enum secret_form {
	JOINED,   /* -pSECRET; what follows after a blank is none */
	WHOLE,    /* -aSECRET, -a SECRET */
	PASSWORD, /* likewise USER:SECRET; without the ':' there is none */
};

/* Letters of curl's flags without a value, which may stand before one that has one: -sSu. */
#define CURL_SWITCHES "aBfgGiIjJklLMnNOpqRsSvZ012346"

/* Flags with a secret that no word tells of, after the name of their program only: elsewhere -u and -p
 * are something else. */
static const struct program_flag {
	const char *program; /* with a '*' at its end: all whose names begin so */
	const char *flag;
	const char *switches;
	enum secret_form form;
} program_flags[] = {
	{"curl", "-u", CURL_SWITCHES, PASSWORD},
	{"curl", "-U", CURL_SWITCHES, PASSWORD},
	{"curl", "--user", "", PASSWORD},
	{"curl", "--proxy-user", "", PASSWORD},
	{"mysql*", "-p", "", JOINED},
	{"mariadb*", "-p", "", JOINED},
	{"redis-cli", "-a", "", WHOLE},
	{"sshpass", "-p", "v", WHOLE},
	{"ldap*", "-w", "cMnvxZ", WHOLE},
};
_Static_assert(COUNT(program_flags) <= 32, "a bit for each");

/* Where who knows the path may post. */
static const struct {
	const char *host; /* or one below it */
	const char *path; /* what may be seen of it */
} webhooks[] = {
	{"hooks.slack.com", "/"},     {"hooks.slack-gov.com", "/"},
	{"discord.com", "/api/"},     {"discordapp.com", "/api/"},
	{"webhook.office.com", "/"},  {"outlook.office.com", "/webhook/"},
	{"api.telegram.org", "/bot"},
};

/* Before a ':' that no password follows, even if an '@' does. */
static const char *const address_kinds[] = {"mailto", "sip", "sips", "xmpp", "acct", "npm"};

/* The same walk over an argument first counts (to is NULL), then writes. */
struct copy {
	char *to;
	size_t length;
	const struct pm_redact *redact; /* NULL: nothing was said */
	unsigned programs; /* of program_flags: those whose program was met, a bit each */
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

/* Not isalnum(3): a locale has no say in what is secret. */
static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

static size_t name_length(const char *at)
{
	size_t length = 0;

	while (is_name(at[length]))
		length++;
	return length;
}

/* What stands before the secret. */
static void put_secret(struct copy *copy, const char *text, const char *secret)
{
	put(copy, text, (size_t)(secret - text));
	put_mark(copy);
}

static bool is_blank(char c)
{
	return c != '\0' && strchr(BLANKS, c) != NULL;
}

/* The '@' that ends the userinfo of the URL whose authority begins at `at`, or NULL. */
static const char *userinfo_end(const char *at)
{
	size_t authority = strcspn(at, "/?#\"<>" BLANKS);
	const char *end = memrchr(at, '@', authority);

	if (end != NULL || at[0] == '[')
		return end;
	const char *colon = memchr(at, ':', authority);
	if (colon == NULL || strspn(colon + 1, DIGITS) == (size_t)(at + authority - colon - 1))
		return NULL;
	/* What follows the colon is no port: a password with an unescaped '/', '?' or '#'. */
	size_t most = strnlen(at, PASSWORD_LONGEST);
	if (memchr(at, '@', most) == NULL)
		return NULL;
	size_t length = strcspn(at, "\"<>" BLANKS);
	return memrchr(at, '@', length < most ? length : most);
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
	return length == strlen("bearer") && strncasecmp(name, "bearer", length) == 0;
}

static void note_program(struct copy *copy, const char *name, size_t length)
{
	for (size_t i = 0; i < COUNT(program_flags); i++) {
		const char *program = program_flags[i].program;

		if (*name != *program)
			continue;
		size_t fixed = strcspn(program, "*");
		if (length >= fixed && strncmp(name, program, fixed) == 0 &&
		    (length == fixed || program[fixed] == '*'))
			copy->programs |= 1U << i;
	}
}

/* Where the value begins of the flag [name, end), or would begin in the next argument: then at the end of
 * this one. NULL: it is another flag, or has no value. */
static const char *flag_value(const struct program_flag *flag, const char *name, const char *end)
{
	const char *at = end;

	if (*name != '-')
		return NULL;
	if (flag->flag[1] == '-') {
		size_t length = (size_t)(end - name);

		if (length != strlen(flag->flag) || strncmp(name, flag->flag, length) != 0)
			return NULL;
		if (*at == '=')
			return at + 1;
		if (*at != '\0' && !is_blank(*at))
			return NULL;
	} else {
		at = name + 1 + strspn(name + 1, flag->switches);
		if (*at != flag->flag[1])
			return NULL;
		at++;
		if (flag->form == JOINED && (*at == '\0' || is_blank(*at)))
			return NULL;
	}
	return at + strspn(at, BLANKS);
}

/* Where the secret begins in a value of that length. NULL: there is none. */
static const char *secret_of(const char *value, size_t length, enum secret_form form)
{
	const char *colon = memchr(value, ':', length);

	if (form != PASSWORD)
		return length > 0 ? value : NULL;
	if (colon == NULL || length == 1)
		return NULL;
	/* A token as the user, as within a URL. */
	return colon + 1 == value + length ? value : colon + 1;
}

/* The secret that a flag of a program at `name` has after it in the same argument. */
static const char *joined_secret(const struct copy *copy, const char *name, const char *end)
{
	for (size_t i = 0; i < COUNT(program_flags); i++) {
		if ((copy->programs >> i & 1) == 0)
			continue;
		const char *value = flag_value(&program_flags[i], name, end);
		const char *secret = value == NULL ? NULL
						   : secret_of(value, strcspn(value, BLANKS),
							       program_flags[i].form);
		if (secret != NULL)
			return secret;
	}
	return NULL;
}

/* The secret in an argument that follows such a flag. */
static const char *next_secret(const struct copy *copy, const char *before, const char *argument)
{
	const char *end = before + name_length(before);

	for (size_t i = 0; *end == '\0' && i < COUNT(program_flags); i++)
		if ((copy->programs >> i & 1) != 0 &&
		    flag_value(&program_flags[i], before, end) == end)
			return secret_of(argument, strlen(argument), program_flags[i].form);
	return NULL;
}

/* Where the secret begins in the path at `at` of the host [name, at). NULL: there is none. */
static const char *webhook_secret(const char *name, const char *at)
{
	size_t length = (size_t)(at - name);

	if (*at != '/' && *at != ':')
		return NULL;
	if (*at == ':')
		at += 1 + strspn(at + 1, DIGITS);
	for (size_t i = 0; i < COUNT(webhooks); i++) {
		size_t host = strlen(webhooks[i].host), path = strlen(webhooks[i].path);

		if (length >= host && (length == host || name[length - host - 1] == '.') &&
		    strncasecmp(name + length - host, webhooks[i].host, host) == 0 &&
		    strncmp(at, webhooks[i].path, path) == 0 && at[path] != '\0')
			return at + path;
	}
	return NULL;
}

static bool is_address_kind(const char *name, size_t length)
{
	for (size_t i = 0; i < COUNT(address_kinds); i++)
		if (strlen(address_kinds[i]) == length &&
		    strncasecmp(name, address_kinds[i], length) == 0)
			return true;
	return false;
}

/* The '@' at the end of a password that begins at `at`, after "user:" and with no scheme before that. NULL:
 * it is none. A '/' in it is known for sure only before an address in parentheses: user:p/w@tcp(host). */
static const char *password_end(const char *at)
{
	const char *end = NULL, *before_path = NULL;
	bool path = false;

	for (const char *next = at; next - at < PASSWORD_LONGEST && *next != '\0'; next++) {
		if (strchr("\"'<>" BLANKS, *next) != NULL)
			break;
		path |= *next == '/';
		if (*next == '@')
			end = next;
		if (*next == '@' && !path)
			before_path = next;
	}
	if (end != NULL && end[1 + name_length(end + 1)] != '(')
		end = before_path;
	if (end == NULL || end == at || (name_length(end + 1) == 0 && strchr("[/", end[1]) == NULL))
		return NULL;
	/* image:tag@sha256:digest */
	if (strncmp(end + 1, "sha", 3) == 0 && end[4 + strspn(end + 4, DIGITS)] == ':')
		return NULL;
	return end[1] == '\0' ? NULL : end;
}

/* Copies the password in user:password@host, if [name, at) is such a user, of which the rest was copied.
 * What follows one of "@:/" is within something else, such as a host in a URL. Returns where to go on. */
static const char *put_password(struct copy *copy, const char *argument, const char *name,
				const char *at)
{
	bool within = name > argument && strchr("@:/", name[-1]) != NULL;
	const char *end = *at == ':' && !within && !is_address_kind(name, (size_t)(at - name))
				  ? password_end(at + 1)
				  : NULL;

	if (end == NULL)
		return at;
	put(copy, ":", 1);
	put_mark(copy);
	return end;
}

/* Where the secret begins that the name [name, at) has after it: to the end of the argument, since nobody
 * knows where it ends. NULL: none. */
static const char *named_secret(const struct copy *copy, const char *name, const char *at,
				bool header)
{
	size_t length = (size_t)(at - name);
	bool flag = *name == '-' || is_bearer(name, length);
	const char *value = value_of(at, flag, header);

	return value != NULL && pm_redact_is_secret(name, length, copy->redact) ? value : NULL;
}

/* names: not of the command, which loses only what is in its URLs. */
static void put_argument(struct copy *copy, const char *argument, bool names, bool header)
{
	const char *last_sign = names ? strrchr(argument, '@') : NULL;

	for (const char *at = argument; *at != '\0';) {
		const char *name = at, *secret = NULL;

		at += name_length(at);
		if (at == name) {
			put(copy, at++, 1);
			continue;
		}
		if (strncmp(at, "://", 3) == 0) {
			put(copy, name, (size_t)(at + 3 - name));
			at = put_userinfo(copy, at + 3);
			continue;
		}
		note_program(copy, name, (size_t)(at - name));
		if (names)
			secret = joined_secret(copy, name, at);
		if (secret == NULL)
			secret = webhook_secret(name, at);
		if (secret == NULL && names)
			secret = named_secret(copy, name, at, header);
		if (secret != NULL) {
			put_secret(copy, name, secret);
			return;
		}
		put(copy, name, (size_t)(at - name));
		/* Not for each of many ':' in a long text without. */
		if (last_sign != NULL && at < last_sign)
			at = put_password(copy, argument, name, at);
	}
}

static bool is_flag(const char *argument)
{
	return argument[0] == '-' && argument[1] != '\0';
}

/* A flag that is nothing but the name of a secret: the next argument is the secret. */
static bool is_secret_flag(const char *argument, const struct pm_redact *redact)
{
	size_t length = name_length(argument);

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
		const char *secret = next_secret(copy, before, argv[i]);

		if (out != NULL)
			out[i] = copy->to + copy->length;
		if (copy->redact != NULL && copy->redact->off)
			put(copy, argv[i], strlen(argv[i]));
		else if (is_secret_flag(before, copy->redact) && !is_clearly_flag(argv[i]))
			put_mark(copy);
		else if (secret != NULL)
			put_secret(copy, argv[i], secret);
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
