#include <config.h>

#include "config/handler_keys.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/parse.h"
#include "config/value.h"
#include "event/event.h"
#include "event/redact.h"

/* The names of all events there are. */
static size_t list_events(const char *names[PM_EVENT_TYPES])
{
	size_t count = 0;

	for (uint32_t type = 1; type < PM_EVENT_TYPES; type++)
		names[count++] = pm_event_name(type);
	return count;
}

static int no_event(const char *text, const char *pattern, struct pm_error *error)
{
	const char *names[PM_EVENT_TYPES];
	size_t count = list_events(names), used = 0;
	const char *nearest = pm_value_nearest(pattern, names, count, sizeof(names[0]));
	char list[256] = "";

	if (nearest != NULL)
		return pm_value_refuse(error, text, "is no event; did you mean '%s%s'?",
				       text[0] == '!' ? "!" : "", nearest);
	for (size_t i = 0; i < count && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
					 i == 0 ? "" : ", ", names[i]);
	return pm_value_refuse(error, text, "matches no event; the events are %s", list);
}

void pm_handler_key_no_events(void *place)
{
	*(struct pm_config_events *)place = (struct pm_config_events){0};
}

int pm_handler_key_event(void *place, const struct pm_key *key, const struct pm_entry *entry,
			 struct pm_error *error)
{
	struct pm_config_events *events = place;
	bool excludes = entry->value[0] == '!';
	const char *pattern = entry->value + excludes;
	uint32_t found = 0;

	(void)key;
	for (uint32_t type = 1; type < PM_EVENT_TYPES; type++)
		if (fnmatch(pattern, pm_event_name(type), 0) == 0)
			found |= UINT32_C(1) << type;
	if (found == 0)
		return no_event(entry->value, pattern, error);
	if (excludes && !events->begun)
		events->types = UINT32_MAX;
	events->types = excludes ? events->types & ~found : events->types | found;
	events->begun = true;
	return 0;
}

/* Those that `when = failure` lets through, at their worst. */
static uint32_t list_failures(void)
{
	uint32_t failures = UINT32_C(1) << PANICMON_PROCESS_RECOVERED;

	for (uint32_t type = 1; type < PM_EVENT_TYPES; type++) {
		const struct panicmon_event worst = {
			.type = type, .reason = PANICMON_REASON_EXITED, .code = 1};

		if (pm_event_severity(&worst) <= PANICMON_WARNING)
			failures |= UINT32_C(1) << type;
	}
	return failures;
}

void pm_handler_keys_check(const struct pm_config_handler *handler, pm_keys_mistake *mistake,
			   void *arg)
{
	uint32_t all = (UINT32_C(1) << PM_EVENT_TYPES) - 2, left = handler->events.types & all;
	char section[PM_PARSE_SECTION_MAX + 1];
	const struct pm_entry entry = {
		.where = handler->events_where, .section = section, .name = "events"};
	struct pm_error error;

	if (handler->events_where == NULL) /* all are, by default */
		return;
	if (left == 0)
		pm_error_set(
			&error, 0,
			"no event is left; remove the '!' that takes the last, or the section");
	else if (handler->failures_only && (left & list_failures()) == 0)
		pm_error_set(&error, 0,
			     "none of these is a failure, and `when = failure` leaves out all "
			     "else; name another, or remove `when`");
	else
		return;
	snprintf(section, sizeof(section), "handler:%s", handler->name);
	mistake(arg, &entry, &error);
}

void pm_key_redact_none(void *place)
{
	pm_redact_free(place);
}

static bool is_name(const char *text)
{
	bool word = false;

	for (const char *at = text; *at != '\0'; at++) {
		if (!isascii((unsigned char)*at) ||
		    (!isalnum((unsigned char)*at) && strchr("-_.", *at) == NULL))
			return false;
		word |= isalnum((unsigned char)*at) != 0;
	}
	return word;
}

int pm_key_redact(void *place, const struct pm_key *key, const struct pm_entry *entry,
		  struct pm_error *error)
{
	struct pm_redact *redact = place;
	bool off = strcmp(entry->value, "off") == 0;

	(void)key;
	if (redact->off || (off && redact->count > 0))
		return pm_value_refuse(error, entry->value,
				       "stands beside another; write off alone, or names only");
	if (off) {
		redact->off = true;
		return 0;
	}
	if (!is_name(entry->value))
		return pm_value_refuse(error, entry->value,
				       "is no name of a secret: write letters, digits, '-', '_' "
				       "and '.', such as pin");
	char **names = reallocarray(redact->names, redact->count + 1, sizeof(*names));
	if (names == NULL)
		return pm_error_set(error, ENOMEM, "cannot be kept");
	redact->names = names;
	names[redact->count] = strdup(entry->value);
	if (names[redact->count] == NULL)
		return pm_error_set(error, ENOMEM, "cannot be kept");
	redact->count++;
	return 0;
}
