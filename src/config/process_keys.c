#include <config.h>

#include "config/process_keys.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "config/value.h"

/* Of signal(7), the "standard" ones: the only ones whose names can be mistyped a little. */
enum { STANDARD_SIGNAL_MAX = 31 };

static const char list_all[] = "all";

/* As people write it: "TERM". The text is the thread's. */
static const char *short_name(int signal)
{
	return pm_signal_name(signal) + strlen("SIG");
}

/* `word`: what else can stand there; NULL: nothing. */
static const char *nearest_signal(const char *text, const char *word)
{
	const char *names[STANDARD_SIGNAL_MAX + 3];
	size_t count = 0;

	for (int signal = 1; signal <= STANDARD_SIGNAL_MAX; signal++)
		names[count++] = short_name(signal);
	names[count++] = "RTMIN";
	names[count++] = "RTMAX";
	if (word != NULL)
		names[count++] = word;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	return pm_value_nearest(text, names, count, sizeof(names[0]));
}

static int read_signal(const char *text, const char *word, int *out, struct pm_error *error)
{
	int number = pm_signal_number(text);
	const char *nearest;

	if (number > 0) {
		*out = number;
		return 0;
	}
	nearest = nearest_signal(text, word);
	if (nearest != NULL)
		return pm_value_refuse(error, text, "is no signal; did you mean '%s'?", nearest);
	return pm_value_refuse(error, text,
			       "is no signal: write a name, or a number from 1 to %d, such as "
			       "TERM, USR1, RTMIN+3 or 15",
			       PM_SIGNAL_MAX);
}

/* One that panicmon can take in place of the command. */
static int read_taken(const char *text, const char *word, int *out, struct pm_error *error)
{
	int number;

	if (read_signal(text, word, &number, error) != 0)
		return -1;
	if (number == SIGKILL || number == SIGSTOP)
		return pm_value_refuse(error, text,
				       "cannot be taken: the kernel gives it to no process; "
				       "leave it out");
	if (number == SIGCHLD)
		return pm_value_refuse(error, text,
				       "is panicmon's own, which tells it that the command has "
				       "ended; leave it out");
	*out = number;
	return 0;
}

void pm_process_key_no_signals(void *place)
{
	*(pm_sigset *)place = 0;
}

int pm_process_key_signal(void *place, const struct pm_key *key, const struct pm_entry *entry,
			  struct pm_error *error)
{
	pm_sigset *signals = place;
	int number;

	(void)key;
	if (strcasecmp(entry->value, list_all) == 0) {
		*signals = ~(pm_sigset_of(SIGCHLD) | pm_sigset_of(SIGKILL) | pm_sigset_of(SIGSTOP));
		return 0;
	}
	if (read_taken(entry->value, list_all, &number, error) != 0)
		return -1;
	*signals |= pm_sigset_of(number);
	return 0;
}

/* The two sides of "FROM:TO". *from is the caller's to free, *to is within `pair`. */
static int split(const char *pair, char **from, const char **to, const char *wanted,
		 struct pm_error *error)
{
	size_t length = strcspn(pair, ":");

	if (length == 0 || pair[length] == '\0' || pair[length + 1] == '\0' ||
	    strchr(pair + length + 1, ':') != NULL)
		return pm_value_refuse(error, pair, "is not a pair: write %s, without blanks",
				       wanted);
	*from = strndup(pair, length);
	if (*from == NULL)
		return pm_error_set(error, ENOMEM, "cannot be kept");
	*to = pair + length + 1;
	return 0;
}

void pm_process_key_no_rewrite(void *place)
{
	struct pm_config_process *process = place;

	for (size_t i = 0; i <= PM_SIGNAL_MAX; i++)
		process->rewrite[i] = (uint8_t)i;
	process->rewritten = 0;
}

int pm_process_key_rewrite(void *place, const struct pm_key *key, const struct pm_entry *entry,
			   struct pm_error *error)
{
	struct pm_config_process *process = place;
	pm_autofree char *from = NULL;
	const char *to;
	int source, target = 0;

	(void)key;
	if (split(entry->value, &from, &to,
		  "SIGNAL:SIGNAL, such as TERM:QUIT, or SIGNAL:0 to drop it", error) != 0 ||
	    read_taken(from, NULL, &source, error) != 0)
		return -1;
	if (strcmp(to, "0") != 0 && read_signal(to, NULL, &target, error) != 0)
		return -1;
	if (pm_sigset_has(process->rewritten, source))
		return pm_value_refuse(error, entry->value,
				       "is the second rewrite of %s; leave one out",
				       short_name(source));
	process->rewrite[source] = (uint8_t)target;
	process->rewritten |= pm_sigset_of(source);
	return 0;
}

static int read_status(const char *text, uint8_t *out, struct pm_error *error)
{
	struct pm_error ignored;
	int64_t number;

	if (pm_value_number(text, &number, &ignored) != 0 || number < 0 || number > UINT8_MAX)
		return pm_value_refuse(error, text,
				       "is no exit status: write a number from 0 to 255, such as "
				       "3, or 143 for SIGTERM");
	*out = (uint8_t)number;
	return 0;
}

void pm_process_key_no_remap(void *place)
{
	struct pm_config_process *process = place;

	for (size_t i = 0; i < sizeof(process->remap) / sizeof(process->remap[0]); i++)
		process->remap[i] = (uint8_t)i;
	memset(process->remapped, 0, sizeof(process->remapped));
}

int pm_process_key_remap(void *place, const struct pm_key *key, const struct pm_entry *entry,
			 struct pm_error *error)
{
	struct pm_config_process *process = place;
	pm_autofree char *from = NULL;
	const char *to;
	uint8_t source, target;

	(void)key;
	if (split(entry->value, &from, &to, "STATUS:STATUS, such as 143:0", error) != 0 ||
	    read_status(from, &source, error) != 0 || read_status(to, &target, error) != 0)
		return -1;
	if (process->remapped[source])
		return pm_value_refuse(error, entry->value, "is the second for %u; leave one out",
				       (unsigned)source);
	process->remap[source] = target;
	process->remapped[source] = true;
	return 0;
}

int pm_process_key_group(void *place, const struct pm_key *key, const struct pm_entry *entry,
			 struct pm_error *error)
{
	size_t choice;

	if (pm_value_choice(entry->value, key->choices, &choice, error) != 0)
		return -1;
	*(enum pm_group *)place = (enum pm_group)choice;
	return 0;
}

int pm_process_key_second(void *place, const struct pm_key *key, const struct pm_entry *entry,
			  struct pm_error *error)
{
	size_t choice;

	if (pm_value_choice(entry->value, key->choices, &choice, error) != 0)
		return -1;
	*(bool *)place = choice == 1;
	return 0;
}

static const char append_prefix[] = "append:";

/* A bare path, or a mistyped word before it, gets the line that was meant. */
static int refuse_output(const char *text, struct pm_error *error)
{
	static const char *const words[] = {"inherit", "null", append_prefix};
	static const char wanted[] = "is none of: inherit, null, append:/PATH";
	size_t length = text[0] == '/' ? 0 : strcspn(text, ":") + (strchr(text, ':') != NULL);
	const char *path = text[length] == '/' ? text + length : "/PATH", *nearest;
	char word[16];

	snprintf(word, sizeof(word), "%.*s", (int)(length < sizeof(word) ? length : 0), text);
	nearest = length == 0 && text[0] == '/'
			  ? append_prefix
			  : pm_value_nearest(word, words, sizeof(words) / sizeof(words[0]),
					     sizeof(words[0]));
	if (nearest == NULL)
		return pm_value_refuse(error, text, "%s", wanted);
	return pm_value_refuse(error, text, "%s; did you mean '%s%.60s'?", wanted, nearest,
			       nearest == append_prefix ? path : "");
}

/* *path NULL: no path is needed, or the text is refused. */
static int read_output(const char *text, bool *null, char **path, struct pm_error *error)
{
	const char *written = text + strlen(append_prefix);

	*null = strcmp(text, "null") == 0;
	if (*null || strcmp(text, "inherit") == 0)
		return 0;
	if (strncmp(text, append_prefix, strlen(append_prefix)) != 0)
		return refuse_output(text, error);
	if (written[0] != '/')
		return pm_value_refuse(error, text,
				       "has no absolute path: write append:/PATH, such as "
				       "append:/var/log/api.out");
	*path = strdup(written);
	return *path == NULL ? pm_error_set(error, ENOMEM, "cannot be kept") : 0;
}

int pm_process_key_output(void *place, const struct pm_key *key, const struct pm_entry *entry,
			  struct pm_error *error)
{
	struct pm_config_output *output = place;
	pm_autofree char *path = NULL;
	bool null;

	(void)key;
	if (read_output(entry->value, &null, &path, error) != 0)
		return -1;
	free(output->path);
	output->path = pm_steal_pointer(&path);
	output->null = null;
	return 0;
}

/* XBD 8.1 of POSIX, as shells take it. */
static bool is_variable_name(const char *name)
{
	for (const char *at = name; *at != '\0'; at++)
		if (!isascii((unsigned char)*at) || (!isalnum((unsigned char)*at) && *at != '_'))
			return false;
	return name[0] != '\0' && !isdigit((unsigned char)name[0]);
}

/* NULL: out of memory. Without a value if it is a new one. */
static struct pm_variable *variable_of(struct pm_config_process *process, const char *name,
				       bool known)
{
	struct pm_variable *more;
	char *copy;

	for (size_t i = 0; known && i < process->env_count; i++)
		if (strcmp(process->env[i].name, name) == 0)
			return &process->env[i];
	more = reallocarray(process->env, process->env_count + 1, sizeof(*more));
	if (more == NULL)
		return NULL;
	process->env = more;
	copy = strdup(name);
	if (copy == NULL)
		return NULL;
	more[process->env_count] = (struct pm_variable){.name = copy};
	return &more[process->env_count++];
}

int pm_process_key_variable(void *place, const struct pm_key *key, const struct pm_entry *entry,
			    struct pm_error *error)
{
	const char *name = strchr(entry->name, '.') + 1;
	pm_autofree char *value = NULL;
	struct pm_variable *variable;

	(void)key;
	if (!is_variable_name(name))
		return pm_value_refuse(error, name,
				       "is no name of a variable: write env.NAME with letters, "
				       "digits and '_', and no digit first, such as env.LANG");
	value = strdup(entry->value);
	variable = value == NULL ? NULL : variable_of(place, name, entry->known);
	if (variable == NULL)
		return pm_error_set(error, ENOMEM, "cannot be kept");
	free(variable->value);
	variable->value = pm_steal_pointer(&value);
	return 0;
}

static void check_rewrite(const struct pm_config_process *process, pm_keys_mistake *mistake,
			  void *arg)
{
	const struct pm_entry entry = {
		.where = process->rewrite_where, .section = "process", .name = "rewrite"};
	struct pm_error error;

	for (int signal = 1; signal <= PM_SIGNAL_MAX; signal++) {
		if (!pm_sigset_has(process->rewritten & ~process->signals, signal))
			continue;
		pm_error_set(&error, 0,
			     "'%s' is not in signals; add it there, or leave it out here",
			     short_name(signal));
		mistake(arg, &entry, &error);
	}
}

static void check_target(const struct pm_config_process *process, pm_keys_mistake *mistake,
			 void *arg)
{
	const struct pm_entry entry = {.where = process->signal_group_where,
				       .section = "process",
				       .name = "signal_target"};
	struct pm_error error;

	if (!process->signal_group || process->group != PM_GROUP_INHERIT)
		return;
	pm_error_set(&error, 0,
		     "'group' would be panicmon's own with group = inherit; write group = new or "
		     "session, or signal_target = process");
	mistake(arg, &entry, &error);
}

void pm_process_keys_check(const struct pm_config_process *process, pm_keys_mistake *mistake,
			   void *arg)
{
	check_rewrite(process, mistake, arg);
	check_target(process, mistake, arg);
}

void pm_process_keys_free(struct pm_config_process *process)
{
	for (size_t i = 0; i < process->env_count; i++) {
		free(process->env[i].name);
		free(process->env[i].value);
	}
	free(process->env);
	free(process->rewrite_where);
	free(process->signal_group_where);
	free(process->output.path);
	free(process->output.where);
	free(process->errors.path);
	free(process->errors.where);
	free(process->directory);
	free(process->directory_where);
	free(process->wait_orphans_where);
}
