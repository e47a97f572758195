#include <config.h>

#include "ctl/look.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/session.h"
#include "front/print.h"

/* What the keeper says is found out from its slots as well. */
static void report(void *arg, const char *handler, const char *text)
{
	(void)arg;
	if (handler != NULL)
		pm_front_print_of(handler, text);
}

static void find_fault(struct pm_ctl_look *look, const struct pm_keeper_slot *slot)
{
	char *fault = look->fault, how[64];
	size_t size = sizeof(look->fault);

	if (atomic_load(&slot->page->state) == PM_HOST_CHECKED)
		return;
	if (slot->late) {
		snprintf(fault, size, "it was not loaded within %lld ms",
			 (long long)slot->keeper->config->start_timeout_ms);
	} else if (atomic_load(&slot->page->state) == PM_HOST_REFUSED) {
		pm_slot_message(slot, fault, size);
		fault[strcspn(fault, "\n")] = '\0';
		pm_output_clean(fault, strlen(fault));
	} else {
		pm_slot_describe_end(slot, how, sizeof(how));
		snprintf(fault, size, "its process %s while it was being loaded", how);
	}
}

static int take(struct pm_ctl_look *look, const struct pm_keeper_slot *slot, struct pm_error *error)
{
	/* A copy: somebody whom the plugin has forked may write there still. */
	look->room = malloc(PM_DESCRIPTION_SIZE);
	if (look->room == NULL)
		return pm_error_set(error, errno, "cannot keep a description");
	memcpy(look->room, pm_slot_room(slot), PM_DESCRIPTION_SIZE);
	look->options = look->room;
	look->end = look->room + PM_DESCRIPTION_SIZE;
	pm_description_take(&look->options, look->end, look->head, PM_DESCRIPTION_HEAD);
	find_fault(look, slot);
	return 0;
}

int pm_ctl_look(const struct pm_config *config, struct pm_ctl_look *looks, struct pm_error *error)
{
	static struct pm_ctl_session session;
	const struct pm_keeper_mode mode = {.purpose = PM_HOST_DESCRIBE,
					    .room = PM_DESCRIPTION_SIZE};
	int result = 0;

	if (pm_ctl_session_open(&session, config, mode, report, NULL, error) < 0)
		return -1;
	pm_keeper_wait_ready(&session.keeper);
	pm_keeper_drain(&session.keeper);
	for (size_t i = 0; i < config->handler_count && result == 0; i++)
		result = take(&looks[i], &session.keeper.slots[i], error);
	pm_ctl_session_close(&session);
	return result;
}

void pm_ctl_look_free(struct pm_ctl_look *look)
{
	free(look->room);
	look->room = NULL;
}

const struct pm_config_handler *pm_ctl_find_handler(const struct pm_config *config,
						    const char *name)
{
	for (size_t i = 0; i < config->handler_count; i++)
		if (config->handlers[i].name != NULL && strcmp(config->handlers[i].name, name) == 0)
			return &config->handlers[i];
	return NULL;
}
