#include <config.h>

#include "told.h"

#include <check.h>
#include <stdio.h>

struct told told[TOLD_MAX];
size_t told_count;

/* NULL stays NULL. */
static const char *copy(char *to, size_t size, const char *from)
{
	if (from == NULL)
		return NULL;
	snprintf(to, size, "%s", from);
	return to;
}

struct told *keep_told(const struct panicmon_event *event)
{
	if (told_count == TOLD_MAX)
		told_count--;
	struct told *here = &told[told_count++];

	*here = (struct told){.event = *event};
	here->event.run = copy(here->run, sizeof(here->run), event->run);
	here->event.sender_command =
		copy(here->sender_command, sizeof(here->sender_command), event->sender_command);
	return here;
}

void assert_told(const uint32_t *types)
{
	size_t count = 0;

	while (types[count] != 0)
		count++;
	for (size_t i = 0; i < told_count && i < count; i++)
		ck_assert_msg(told[i].event.type == types[i], "event %zu is of type %u, not %u", i,
			      told[i].event.type, types[i]);
	ck_assert_uint_eq(told_count, count);
}

const struct panicmon_event *only(uint32_t type)
{
	const struct panicmon_event *found = NULL;

	for (size_t i = 0; i < told_count; i++) {
		if (told[i].event.type != type)
			continue;
		ck_assert_ptr_null(found);
		found = &told[i].event;
	}
	ck_assert_ptr_nonnull(found);
	return found;
}
