#include <config.h>

#include "config/keys.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "config/handler_keys.h"
#include "config/key_values.h"
#include "config/parse.h"
#include "config/process_keys.h"
#include "config/value.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

int pm_keys_replace(char **text, const char *with, struct pm_error *error)
{
	char *copy = strdup(with);

	if (copy == NULL)
		return pm_error_set(error, ENOMEM, "cannot be kept");
	free(*text);
	*text = copy;
	return 0;
}

#define CONFIG(member) offsetof(struct pm_config, member)
#define PROCESS(member) CONFIG(process.member)
#define HANDLER(member) offsetof(struct pm_config_handler, member)

static const struct pm_key panicmon_keys[] = {
	{.name = "name", .set = pm_key_text, .offset = CONFIG(name)},
	{.name = "handler_dir",
	 .set = pm_key_text,
	 .offset = CONFIG(handler_dir),
	 .value = PM_HANDLER_DIR},
	{.name = "start_timeout",
	 .set = pm_key_duration,
	 .offset = CONFIG(start_timeout_ms),
	 .value = "2s"},
	{.name = "drain_timeout",
	 .set = pm_key_duration,
	 .offset = CONFIG(drain_timeout_ms),
	 .value = "5s"},
	{.name = "redact",
	 .set = pm_key_redact,
	 .begin = pm_key_redact_none,
	 .offset = CONFIG(redact)},
	{.name = "state_dir",
	 .set = pm_key_text,
	 .offset = CONFIG(state_dir),
	 .where = CONFIG(state_dir_where)},
	{.name = "include"},
};

static const char *const group_choices[] = {
	[PM_GROUP_NEW] = "new",
	[PM_GROUP_INHERIT] = "inherit",
	[PM_GROUP_SESSION] = "session",
	NULL,
};
static const char *const target_choices[] = {"process", "group", NULL};
static const char *const exit_choices[] = {"same", "code", NULL};

static const struct pm_key process_keys[] = {
	{.name = "signals",
	 .set = pm_process_key_signal,
	 .begin = pm_process_key_no_signals,
	 .offset = PROCESS(signals),
	 .value = "all"},
	{.name = "rewrite",
	 .set = pm_process_key_rewrite,
	 .begin = pm_process_key_no_rewrite,
	 .offset = CONFIG(process),
	 .where = PROCESS(rewrite_where)},
	{.name = "group",
	 .set = pm_process_key_group,
	 .offset = PROCESS(group),
	 .value = "new",
	 .choices = group_choices},
	{.name = "signal_target",
	 .set = pm_process_key_second,
	 .offset = PROCESS(signal_group),
	 .where = PROCESS(signal_group_where),
	 .value = "process",
	 .choices = target_choices},
	{.name = "stop_timeout",
	 .set = pm_key_duration,
	 .offset = PROCESS(stop_timeout_ms),
	 .value = "0"},
	{.name = "exit_status",
	 .set = pm_process_key_second,
	 .offset = PROCESS(end_by_code),
	 .value = "same",
	 .choices = exit_choices},
	{.name = "remap",
	 .set = pm_process_key_remap,
	 .begin = pm_process_key_no_remap,
	 .offset = CONFIG(process)},
	{.name = "stdout",
	 .set = pm_process_key_output,
	 .offset = PROCESS(output),
	 .where = PROCESS(output.where),
	 .value = "inherit"},
	{.name = "stderr",
	 .set = pm_process_key_output,
	 .offset = PROCESS(errors),
	 .where = PROCESS(errors.where),
	 .value = "inherit"},
	{.name = "env.NAME",
	 .set = pm_process_key_variable,
	 .prefix = true,
	 .offset = CONFIG(process)},
	{.name = "clear_env", .set = pm_key_bool, .offset = PROCESS(clear_env), .value = "no"},
	{.name = "directory",
	 .set = pm_key_text,
	 .offset = PROCESS(directory),
	 .where = PROCESS(directory_where)},
	{.name = "instances",
	 .set = pm_key_count,
	 .offset = PROCESS(instances),
	 .value = "1",
	 .min = 1,
	 .max = PM_CONFIG_INSTANCES_MAX},
	{.name = "subreaper", .set = pm_key_bool, .offset = PROCESS(subreaper), .value = "no"},
	{.name = "wait_orphans",
	 .set = pm_key_duration,
	 .offset = PROCESS(wait_orphans_ms),
	 .where = PROCESS(wait_orphans_where),
	 .value = "0"},
	{.name = "notify_mainpid",
	 .set = pm_key_bool,
	 .offset = PROCESS(notify_mainpid),
	 .value = "no"},
};

static const char *const when_choices[] = {"always", "failure", NULL};

static const struct pm_key handler_keys[] = {
	{.name = "plugin",
	 .set = pm_key_text,
	 .offset = HANDLER(plugin),
	 .type = "text",
	 .range = "any",
	 .help = "the plugin, if it is not NAME.so: a name in handler_dir, or an absolute path"},
	{.name = "required",
	 .set = pm_key_bool,
	 .offset = HANDLER(required),
	 .value = "yes",
	 .type = "bool",
	 .range = "yes, no",
	 .help = "yes: panicmon does not start if this handler cannot work"},
	{.name = "trust_path",
	 .set = pm_key_bool,
	 .offset = HANDLER(trust_path),
	 .value = "no",
	 .type = "bool",
	 .range = "yes, no",
	 .help = "yes: load the plugin even if others than root and you can write its file"},
	{.name = "timeout",
	 .set = pm_key_duration,
	 .offset = HANDLER(timeout_ms),
	 .value = "30s",
	 .min = 1,
	 .min_text = "1ms",
	 .type = "duration",
	 .range = "1ms or more",
	 .help = "the longest that one call into the plugin may take"},
	{.name = "user",
	 .set = pm_key_text,
	 .offset = HANDLER(user),
	 .type = "text",
	 .range = "any",
	 .help = "the user that its process becomes; only root can"},
	{.name = "memory_max",
	 .set = pm_key_limit,
	 .offset = HANDLER(memory_max),
	 .value = "0",
	 .min = 32 << 20,
	 .min_text = "32M",
	 .type = "size",
	 .range = "0, 32M or more",
	 .help = "bytes of address space that its process may have; 0: no limit"},
	{.name = "nofile",
	 .set = pm_key_limit,
	 .offset = HANDLER(nofile),
	 .value = "0",
	 .min = 16,
	 .min_text = "16",
	 .type = "size",
	 .range = "0, 16 or more",
	 .help = "descriptors that its process may have; 0: no limit"},
	{.name = "events",
	 .set = pm_handler_key_event,
	 .begin = pm_handler_key_no_events,
	 .offset = HANDLER(events),
	 .where = HANDLER(events_where),
	 .value = "*",
	 .type = "list",
	 .range = "names, *, !",
	 .help = "the events that it gets: process.exited, signal.*; !signal.* leaves out"},
	{.name = "when",
	 .set = pm_process_key_second,
	 .offset = HANDLER(failures_only),
	 .value = "always",
	 .choices = when_choices,
	 .type = "choice",
	 .range = "always, failure",
	 .help = "failure: of those, only a warning or worse, and process.recovered"},
	{.name = "alert_window",
	 .set = pm_key_duration,
	 .offset = HANDLER(alert_window_ms),
	 .where = HANDLER(alert_window_where),
	 .value = "5m",
	 .type = "duration",
	 .range = "0 or more",
	 .help = "of one that calls people: so long after a failure others are only counted"},
	{.name = "stable_after",
	 .set = pm_key_duration,
	 .offset = HANDLER(stable_after_ms),
	 .where = HANDLER(stable_after_where),
	 .value = "1m",
	 .min = 1,
	 .min_text = "1ms",
	 .type = "duration",
	 .range = "1ms or more",
	 .help = "of one that calls people: a run this long without a failure ends the incident"},
};

static const struct pm_section panicmon = {
	.name = "panicmon",
	.each_file = true,
	.keys = panicmon_keys,
	.key_count = COUNT(panicmon_keys),
};

static const struct pm_section process = {
	.name = "process",
	.keys = process_keys,
	.key_count = COUNT(process_keys),
};

const struct pm_section pm_section_handler = {
	.name = "handler",
	.named = true,
	.keys = handler_keys,
	.key_count = COUNT(handler_keys),
};

const struct pm_section *const pm_sections[] = {&panicmon, &process, &pm_section_handler};
const size_t pm_section_count = COUNT(pm_sections);

static bool is_handler_name(const char *name)
{
	for (const char *at = name; *at != '\0'; at++)
		if (!isascii((unsigned char)*at) ||
		    (!isalnum((unsigned char)*at) && *at != '_' && *at != '-'))
			return false;
	return name[0] != '\0';
}

/* Compares what stands before ":NAME". */
static const struct pm_section *unknown_section(const char *section, struct pm_error *error)
{
	const char *names[COUNT(pm_sections)], *nearest, *colon = strchr(section, ':');
	char kind[PM_PARSE_SECTION_MAX + 1], list[256] = "";
	size_t length = colon == NULL ? strlen(section) : (size_t)(colon - section), used = 0;

	for (size_t i = 0; i < COUNT(pm_sections) && used < sizeof(list); i++) {
		names[i] = pm_sections[i]->name;
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s[%s%s]",
					 i == 0 ? "" : ", ", names[i],
					 pm_sections[i]->named ? ":NAME" : "");
	}
	snprintf(kind, sizeof(kind), "%.*s", (int)(length < sizeof(kind) ? length : 0), section);
	nearest = pm_value_nearest(kind, names, COUNT(names), sizeof(names[0]));
	if (nearest == NULL && is_handler_name(section))
		pm_error_set(
			error, 0,
			"unknown section; of a handler write [handler:%s]; the sections are %s",
			section, list);
	else if (nearest == NULL)
		pm_error_set(error, 0, "unknown section; the sections are %s", list);
	else if (strcmp(nearest, pm_section_handler.name) != 0)
		pm_error_set(error, 0, "unknown section; did you mean '%s'?", nearest);
	else
		pm_error_set(error, 0, "unknown section; did you mean '%s:%s'?", nearest,
			     colon == NULL || !is_handler_name(colon + 1) ? "NAME" : colon + 1);
	return NULL;
}

const struct pm_section *pm_keys_section(const char *section, struct pm_error *error)
{
	size_t prefix = strcspn(section, ":");

	for (size_t i = 0; i < COUNT(pm_sections); i++) {
		const struct pm_section *known = pm_sections[i];

		if (strlen(known->name) != prefix || strncmp(known->name, section, prefix) != 0 ||
		    known->named != (section[prefix] == ':'))
			continue;
		if (!known->named)
			return known;
		if (is_handler_name(section + prefix + 1) &&
		    strlen(section) <= PM_PARSE_SECTION_MAX)
			return known;
		pm_error_set(
			error, 0,
			"not a handler's name; write [handler:NAME] with a NAME of at most %zu "
			"letters, digits, '_' and '-'",
			PM_PARSE_SECTION_MAX - prefix - 1);
		return NULL;
	}
	return unknown_section(section, error);
}

/* Of "env.NAME", "env." */
static size_t prefix_length(const char *name)
{
	return strcspn(name, ".") + 1;
}

static bool is_key(const struct pm_key *key, const char *name)
{
	return key->prefix ? strncmp(key->name, name, prefix_length(key->name)) == 0
			   : strcmp(key->name, name) == 0;
}

const struct pm_key *pm_keys_find(const struct pm_section *section, const char *name)
{
	for (size_t i = 0; i < section->key_count; i++)
		if (is_key(&section->keys[i], name))
			return &section->keys[i];
	return NULL;
}

static void *place_of(const struct pm_key *key, void *target)
{
	return (char *)target + key->offset;
}

static int set_default(const struct pm_key *key, void *target, struct pm_error *error)
{
	const struct pm_entry entry = {.name = key->name, .value = key->value};

	if (key->begin != NULL)
		key->begin(place_of(key, target));
	return key->value == NULL ? 0 : key->set(place_of(key, target), key, &entry, error);
}

static int keep_where(const struct pm_key *key, void *target, const struct pm_entry *entry,
		      struct pm_error *error)
{
	if (key->where == 0)
		return 0;
	return pm_keys_replace((char **)(void *)((char *)target + key->where), entry->where, error);
}

/* Returns the number of mistakes. `list` is cut into pieces. */
static size_t set_items(const struct pm_key *key, void *place, const struct pm_entry *entry,
			char *list, pm_keys_mistake *mistake, void *arg)
{
	static const char separators[] = ", \t\n\v\f\r";
	struct pm_entry item = *entry;
	struct pm_error error;
	size_t mistakes = 0, count = 0;
	char *rest;

	for (char *at = strtok_r(list, separators, &rest); at != NULL;
	     at = strtok_r(NULL, separators, &rest), count++) {
		item.value = at;
		if (key->set(place, key, &item, &error) != 0) {
			mistakes++;
			mistake(arg, entry, &error);
		}
	}
	if (count > 0)
		return mistakes;
	pm_keys_no_value(&error);
	mistake(arg, entry, &error);
	return 1;
}

static int set_list(const struct pm_key *key, void *target, const struct pm_entry *entry,
		    pm_keys_mistake *mistake, void *arg, struct pm_error *error)
{
	pm_autofree char *list = strdup(entry->value);

	if (list == NULL)
		return pm_error_set(error, ENOMEM, "cannot be kept");
	key->begin(place_of(key, target));
	if (set_items(key, place_of(key, target), entry, list, mistake, arg) == 0)
		return 0;
	return set_default(key, target, error);
}

void pm_keys_set(const struct pm_key *key, void *target, const struct pm_entry *entry,
		 pm_keys_mistake *mistake, void *arg)
{
	struct pm_error error;
	int result = keep_where(key, target, entry, &error);

	if (result == 0)
		result = key->begin != NULL ? set_list(key, target, entry, mistake, arg, &error)
					    : key->set(place_of(key, target), key, entry, &error);
	if (result != 0)
		mistake(arg, entry, &error);
}

int pm_keys_default(const struct pm_section *section, void *target, struct pm_error *error)
{
	for (size_t i = 0; i < section->key_count; i++)
		if (set_default(&section->keys[i], target, error) != 0)
			return -1;
	return 0;
}

/* The key whose prefix `name` has, but for a typing mistake: "evn.HOME", or "env". */
static const struct pm_key *nearest_prefix(const struct pm_section *section, const char *name)
{
	char written[PM_PARSE_KEY_MAX + 1], known[PM_PARSE_KEY_MAX + 1];
	const char *const names[] = {known};

	snprintf(written, sizeof(written), "%.*s", (int)strcspn(name, "."), name);
	for (size_t i = 0; i < section->key_count; i++) {
		const struct pm_key *key = &section->keys[i];

		if (!key->prefix)
			continue;
		snprintf(known, sizeof(known), "%.*s", (int)strcspn(key->name, "."), key->name);
		if (pm_value_nearest(written, names, 1, sizeof(names[0])) != NULL)
			return key;
	}
	return NULL;
}

/* "did you mean 'env.HOME'?", or 'env.NAME' where no name was written. */
static int mean_prefix(const struct pm_key *key, const char *name, struct pm_error *error)
{
	int length = (int)prefix_length(key->name);
	const char *dot = strchr(name, '.');

	return pm_error_set(error, 0, "unknown key '%s'; did you mean '%.*s%s'?", name, length,
			    key->name, dot == NULL ? key->name + length : dot + 1);
}

int pm_keys_unknown(const struct pm_section *section, const char *name, struct pm_error *error)
{
	const char *nearest = pm_value_nearest(name, &section->keys[0].name, section->key_count,
					       sizeof(section->keys[0]));
	char list[512] = "";
	size_t used = 0;

	const struct pm_key *prefix = nearest_prefix(section, name);

	if (nearest != NULL)
		return pm_error_set(error, 0, "unknown key '%s'; did you mean '%s'?", name,
				    nearest);
	if (prefix != NULL)
		return mean_prefix(prefix, name, error);
	for (size_t i = 0; i < section->key_count && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
					 i == 0 ? "" : ", ", section->keys[i].name);
	return pm_error_set(
		error, 0, "unknown key '%s'; %s%s", name,
		section->named ? "an option of a plugin has no '.', and panicmon's own keys are "
			       : "its keys are ",
		list);
}

const char *pm_config_nearest_handler_key(const char *key)
{
	return pm_value_nearest(key, &pm_section_handler.keys[0].name, pm_section_handler.key_count,
				sizeof(struct pm_key));
}
