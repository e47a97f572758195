#include <config.h>

#include "config/key_values.h"

#include <inttypes.h>
#include <stdbool.h>

#include "config/value.h"

int pm_keys_no_value(struct pm_error *error)
{
	return pm_error_set(error, 0, "no value; write one, or leave the key out");
}

int pm_key_text(void *place, const struct pm_key *key, const struct pm_entry *entry,
		struct pm_error *error)
{
	(void)key;
	return entry->value[0] == '\0' ? pm_keys_no_value(error)
				       : pm_keys_replace(place, entry->value, error);
}

int pm_key_duration(void *place, const struct pm_key *key, const struct pm_entry *entry,
		    struct pm_error *error)
{
	int64_t ms;

	if (pm_value_duration(entry->value, &ms, error) != 0)
		return -1;
	if (ms < key->min)
		return pm_value_refuse(error, entry->value, "is too short: write %s or more",
				       key->min_text);
	*(int64_t *)place = ms;
	return 0;
}

int pm_key_bool(void *place, const struct pm_key *key, const struct pm_entry *entry,
		struct pm_error *error)
{
	(void)key;
	return pm_value_bool(entry->value, place, error);
}

int pm_key_count(void *place, const struct pm_key *key, const struct pm_entry *entry,
		 struct pm_error *error)
{
	int64_t number;

	if (pm_value_number(entry->value, &number, error) != 0)
		return -1;
	if (number < key->min || number > key->max)
		return pm_value_refuse(error, entry->value,
				       "is out of range: write a number from %jd to %jd",
				       (intmax_t)key->min, (intmax_t)key->max);
	*(unsigned *)place = (unsigned)number;
	return 0;
}

/* 0 is no limit; others have a least one that a host can work with. */
int pm_key_limit(void *place, const struct pm_key *key, const struct pm_entry *entry,
		 struct pm_error *error)
{
	int64_t size;

	if (pm_value_size(entry->value, &size, error) != 0)
		return -1;
	if (size != 0 && size < key->min)
		return pm_value_refuse(error, entry->value,
				       "is too small: write %s or more, or 0 for no limit",
				       key->min_text);
	*(int64_t *)place = size;
	return 0;
}
