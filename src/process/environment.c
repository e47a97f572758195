#include <config.h>

#include "process/environment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

enum { DIGITS = sizeof("2147483647") };

static const char instance_name[] = "PANICMON_INSTANCE";

enum { LISTEN, WATCHDOG, OWN_PID_NAMES };
static const char *const own_pid_names[] = {[LISTEN] = "LISTEN_PID", [WATCHDOG] = "WATCHDOG_PID"};
_Static_assert(OWN_PID_NAMES == sizeof(((struct pm_environment *)NULL)->own_pid) / sizeof(char *),
	       "a place for each");

/* The value, if `variable` is "NAME=VALUE" of that name. */
static const char *value_of(const char *variable, const char *name)
{
	size_t length = strlen(name);

	return strncmp(variable, name, length) == 0 && variable[length] == '='
		       ? variable + length + 1
		       : NULL;
}

/* Which of own_pid_names holds our pid in `variable`; -1: none. */
static int own_pid_index(const char *variable)
{
	for (int i = 0; i < OWN_PID_NAMES; i++) {
		const char *value = value_of(variable, own_pid_names[i]);
		char *end;

		if (value != NULL && strtol(value, &end, 10) == getpid() && *end == '\0')
			return i;
	}
	return -1;
}

/* What the command is to get, and the room that takes. */
struct needs {
	bool changed; /* anything else than our environment */
	bool for_us;  /* LISTEN_PID holds our pid */
	size_t variables, bytes;
};

/* It names the same process as LISTEN_PID, by an inode, and cannot be made to name the command
 * before that is there; the sockets are found without it. */
static bool is_pidfd_id(const struct needs *needs, const char *variable)
{
	return needs->for_us && value_of(variable, "LISTEN_PIDFDID") != NULL;
}

static bool is_replaced_or_hidden(const struct pm_environment_changes *changes,
				  const char *variable)
{
	if (changes->instance != 0 && value_of(variable, instance_name) != NULL)
		return true;
	for (size_t i = 0; i < changes->count; i++)
		if (value_of(variable, changes->set[i].name) != NULL)
			return true;
	for (size_t i = 0; i < changes->hide_count; i++)
		if (value_of(variable, changes->hide[i]) != NULL)
			return true;
	return false;
}

static struct needs measure(const struct pm_environment_changes *changes)
{
	struct needs needs = {
		.changed = changes->clear || changes->count > 0 || changes->hide_count > 0 ||
			   changes->instance != 0,
		.variables = changes->count + (changes->instance != 0) + 1,
		.bytes = sizeof(instance_name) + DIGITS,
	};

	for (size_t i = 0; i < changes->count; i++)
		needs.bytes +=
			strlen(changes->set[i].name) + strlen(changes->set[i].value) + sizeof("=");
	for (char **variable = environ; variable != NULL && *variable != NULL; variable++) {
		int index = own_pid_index(*variable);

		needs.variables++;
		needs.changed = needs.changed || index >= 0;
		needs.for_us = needs.for_us || index == LISTEN;
	}
	for (int i = 0; i < OWN_PID_NAMES; i++)
		needs.bytes += strlen(own_pid_names[i]) + 1 + DIGITS;
	return needs;
}

/* "NAME=", and room for the command's pid; a second one of that name is the same. */
static char *own_pid_variable(struct pm_environment *environment, int index, char **text)
{
	char *variable = *text;

	if (environment->own_pid[index] != NULL)
		return environment->own_pid[index] - strlen(own_pid_names[index]) - 1;
	*text += sprintf(*text, "%s=", own_pid_names[index]);
	environment->own_pid[index] = *text;
	*text += DIGITS;
	return variable;
}

/* Takes over what is ours and stays. Returns how many that are; the next text goes to *text. */
static size_t inherit(struct pm_environment *environment,
		      const struct pm_environment_changes *changes, const struct needs *needs,
		      char **text)
{
	size_t count = 0;

	for (char **variable = environ; variable != NULL && *variable != NULL; variable++) {
		int index = own_pid_index(*variable);

		if (is_pidfd_id(needs, *variable) || is_replaced_or_hidden(changes, *variable))
			continue;
		environment->variables[count++] =
			index < 0 ? *variable : own_pid_variable(environment, index, text);
	}
	return count;
}

int pm_environment_make(struct pm_environment *environment,
			const struct pm_environment_changes *changes, struct pm_error *error)
{
	const struct needs needs = measure(changes);

	*environment = (struct pm_environment){0};
	if (!needs.changed)
		return 0;
	environment->variables = calloc(needs.variables, sizeof(*environment->variables));
	environment->texts = calloc(1, needs.bytes);
	if (environment->variables == NULL || environment->texts == NULL)
		return pm_error_set(error, ENOMEM, "cannot make the command's environment");

	char *text = environment->texts;
	size_t count = changes->clear ? 0 : inherit(environment, changes, &needs, &text);
	for (size_t i = 0; i < changes->count; i++) {
		if (changes->instance != 0 && strcmp(changes->set[i].name, instance_name) == 0)
			continue;
		environment->variables[count++] = text;
		text += sprintf(text, "%s=%s", changes->set[i].name, changes->set[i].value) + 1;
	}
	if (changes->instance != 0) {
		environment->variables[count++] = text;
		sprintf(text, "%s=%u", instance_name, changes->instance);
	}
	return 0;
}

void pm_environment_free(struct pm_environment *environment)
{
	free(environment->variables);
	free(environment->texts);
	*environment = (struct pm_environment){0};
}

static void write_number(char *to, unsigned number)
{
	char digits[DIGITS];
	size_t count = 0;

	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	while (count > 0)
		*to++ = digits[--count];
	*to = '\0';
}

void pm_environment_enter(const struct pm_environment *environment)
{
	if (environment == NULL || environment->variables == NULL)
		return;
	for (int i = 0; i < OWN_PID_NAMES; i++)
		if (environment->own_pid[i] != NULL)
			write_number(environment->own_pid[i], (unsigned)getpid());
	environ = environment->variables;
}
