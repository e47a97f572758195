#include <config.h>

#include "base/clock.h"
#include "handler/slot.h"

/* What came to a counter of the page since the last time. The page is the plugin's to scribble on: it
 * can't have missed more than there was. */
static uint64_t count_news(const struct pm_keeper *keeper, uint64_t count, uint64_t told)
{
	uint64_t real = keeper->journal.published - keeper->told;

	if (count > real)
		count = real;
	return count > told ? count - told : 0;
}

static uint64_t new_lost(const struct pm_keeper_slot *slot)
{
	return count_news(slot->keeper, atomic_load(&slot->page->lost), slot->lost_told);
}

static uint64_t new_dropped(const struct pm_keeper_slot *slot)
{
	return count_news(slot->keeper, atomic_load(&slot->page->dropped), slot->dropped_told);
}

static bool has_new_losses(const struct pm_keeper_slot *slot)
{
	/* Who tries a handler out is told by its answer, and the others are not to be. */
	return !pm_slot_is_on_trial(slot) && (new_lost(slot) > 0 || new_dropped(slot) > 0);
}

void pm_slot_tell_losses(struct pm_keeper_slot *slot)
{
	struct pm_keeper *keeper = slot->keeper;
	uint64_t lost = new_lost(slot), dropped = new_dropped(slot);
	struct panicmon_event event = pm_event_make(PANICMON_HANDLER_LOST, 0);

	if (!has_new_losses(slot))
		return;
	slot->lost_told += lost;
	slot->dropped_told += dropped;
	pm_keeper_say(keeper, "handler '%s' has missed events: %llu lost, %llu given up",
		      slot->config->name, (unsigned long long)lost, (unsigned long long)dropped);
	if (keeper->draining) /* the last event is out */
		return;
	PM_EVENT_SET(&event, HANDLER, handler, slot->config->name);
	PM_EVENT_SET(&event, LOST, lost, (int64_t)lost);
	PM_EVENT_SET(&event, DROPPED, dropped, (int64_t)dropped);
	keeper->told++;
	pm_keeper_publish(keeper, &event);
	pm_keeper_wake(keeper);
}

void pm_slot_on_losses(struct pm_timer *timer)
{
	struct pm_keeper_slot *slot = timer->owner;

	if (slot->keeper->draining || !has_new_losses(slot))
		return;
	pm_slot_tell_losses(slot);
	pm_timer_set(slot->keeper->loop, &slot->losses, PM_NS_PER_S);
}

void pm_slot_look_for_losses(struct pm_keeper_slot *slot)
{
	if (has_new_losses(slot) && !slot->losses.set)
		pm_timer_set(slot->keeper->loop, &slot->losses, PM_NS_PER_S);
}
