#include <config.h>

#include "config/keys.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/parse.h"
#include "config/value.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static int set_text(void *place, const struct pm_key *key, const char *value,
		    struct pm_error *error)
{
	char **text = place, *copy;

	(void)key;
	if (value[0] == '\0')
		return pm_error_set(error, 0, "no value; write one, or leave the key out");
	copy = strdup(value);
	if (copy == NULL)
		return pm_error_set(error, ENOMEM, "cannot be kept");
	free(*text);
	*text = copy;
	return 0;
}

static int set_duration(void *place, const struct pm_key *key, const char *value,
			struct pm_error *error)
{
	int64_t ms;

	if (pm_value_duration(value, &ms, error) != 0)
		return -1;
	if (ms < key->min)
		return pm_error_set(error, 0, "'%.60s' is too short: write %s or more", value,
				    key->min_text);
	*(int64_t *)place = ms;
	return 0;
}

static int set_bool(void *place, const struct pm_key *key, const char *value,
		    struct pm_error *error)
{
	(void)key;
	return pm_value_bool(value, place, error);
}

#define CONFIG(member) offsetof(struct pm_config, member)
#define HANDLER(member) offsetof(struct pm_config_handler, member)

static const struct pm_key panicmon_keys[] = {
	{.name = "name", .set = set_text, .offset = CONFIG(name)},
	{.name = "handler_dir",
	 .set = set_text,
	 .offset = CONFIG(handler_dir),
	 .value = PM_HANDLER_DIR},
	{.name = "start_timeout",
	 .set = set_duration,
	 .offset = CONFIG(start_timeout_ms),
	 .value = "2s"},
	{.name = "drain_timeout",
	 .set = set_duration,
	 .offset = CONFIG(drain_timeout_ms),
	 .value = "5s"},
	{.name = "include"},
};

static const struct pm_key handler_keys[] = {
	{.name = "plugin", .set = set_text, .offset = HANDLER(plugin)},
	{.name = "required", .set = set_bool, .offset = HANDLER(required), .value = "yes"},
	{.name = "trust_path", .set = set_bool, .offset = HANDLER(trust_path), .value = "no"},
	{.name = "timeout",
	 .set = set_duration,
	 .offset = HANDLER(timeout_ms),
	 .value = "30s",
	 .min = 1,
	 .min_text = "1ms"},
};

static const struct pm_section panicmon = {
	.name = "panicmon",
	.each_file = true,
	.keys = panicmon_keys,
	.key_count = COUNT(panicmon_keys),
};

const struct pm_section pm_section_handler = {
	.name = "handler",
	.named = true,
	.keys = handler_keys,
	.key_count = COUNT(handler_keys),
};

const struct pm_section *const pm_sections[] = {&panicmon, &pm_section_handler};
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
	if (nearest == NULL)
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

const struct pm_key *pm_keys_find(const struct pm_section *section, const char *name)
{
	for (size_t i = 0; i < section->key_count; i++)
		if (strcmp(section->keys[i].name, name) == 0)
			return &section->keys[i];
	return NULL;
}

int pm_keys_set(const struct pm_key *key, void *target, const char *value, struct pm_error *error)
{
	return key->set((char *)target + key->offset, key, value, error);
}

int pm_keys_default(const struct pm_section *section, void *target, struct pm_error *error)
{
	for (size_t i = 0; i < section->key_count; i++) {
		const struct pm_key *key = &section->keys[i];

		if (key->value != NULL && pm_keys_set(key, target, key->value, error) != 0)
			return -1;
	}
	return 0;
}

int pm_keys_unknown(const struct pm_section *section, const char *name, struct pm_error *error)
{
	const char *nearest = pm_value_nearest(name, &section->keys[0].name, section->key_count,
					       sizeof(section->keys[0]));
	char list[512] = "";
	size_t used = 0;

	if (nearest != NULL)
		return pm_error_set(error, 0, "unknown key '%s'; did you mean '%s'?", name,
				    nearest);
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
