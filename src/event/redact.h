/* event/redact.h: takes the secrets out of an argument list before anyone else sees it.
 *
 * What is replaced by "***": the value of a flag, an assignment or a header whose name says that it
 * is a secret (--password x, API_KEY=x, "Authorization: x"; to the end of the argument, since
 * nobody knows where it ends), and the password in scheme://user:password@host (with no user, all
 * of it) and, without a scheme, in user:password@host; what some flags of curl, redis-cli and the clients of
 * MySQL have after them, such as curl -u user:password; and the path of a URL that is a secret by
 * itself, such as https://hooks.slack.com/... Any other secret without a name cannot be seen: a
 * positional argument.
 */
#ifndef PM_EVENT_REDACT_H
#define PM_EVENT_REDACT_H

#include <stdbool.h>
#include <stddef.h>

/* What people have said about it. Zeroed: nothing. */
struct pm_redact {
	bool off;     /* nothing is replaced at all */
	char **names; /* secrets, too, each its own allocation; NULL: none */
	size_t count;
};

void pm_redact_free(struct pm_redact *redact);

/* A redacted copy of argv, NULL at its end: array and strings are one allocation, for free(3).
 * argv[0] loses only what is in its URLs. redact NULL: nothing was said. NULL with errno ENOMEM. */
char **pm_redact_args(char *const *argv, const struct pm_redact *redact);

/* Whether a name, with or without dashes before it, calls its value a secret. The name is split
 * into words at all that is not a letter or digit and where camelCase begins a new one; a name that
 * was added is one if its words follow each other in it: "card-number" in --old-cardNumber. */
bool pm_redact_is_secret(const char *name, size_t length, const struct pm_redact *redact);

#endif
