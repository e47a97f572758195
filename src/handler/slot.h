/* handler/slot.h: one handler in the keeper: the hosts that it has one after the other.
 *
 * For keeper.c; struct pm_keeper_slot is in keeper.h.
 */
#ifndef PM_HANDLER_SLOT_H
#define PM_HANDLER_SLOT_H

#include "handler/keeper.h"

/* *page is zeroed, and stays until pm_slot_close(). */
void pm_slot_open(struct pm_keeper_slot *slot, struct pm_keeper *keeper,
		  const struct pm_config_handler *config, struct pm_host_page *page);
void pm_slot_close(struct pm_keeper_slot *slot);

/* Forks a host. */
int pm_slot_start(struct pm_keeper_slot *slot, struct pm_error *error);

/* Events were published: wakes the host if it sleeps; or in any case. */
void pm_slot_wake(struct pm_keeper_slot *slot);
void pm_slot_nudge(struct pm_keeper_slot *slot);

/* Looked at, or asked once: by somebody who wants to know what became of it. */
bool pm_slot_is_on_trial(const struct pm_keeper_slot *slot);

/* Tells people and the other handlers of events that this one has missed since it was asked last. */
void pm_slot_tell_losses(struct pm_keeper_slot *slot);

/* Sets the timer `losses`, whose function this is, if there are any: one row of them becomes one event a
 * second. */
void pm_slot_look_for_losses(struct pm_keeper_slot *slot);
void pm_slot_on_losses(struct pm_timer *timer);

/* Ends the host, if there is one, with all that it has forked; no other is started. */
void pm_slot_kill(struct pm_keeper_slot *slot);

/* What the host says of itself. */
enum pm_host_state pm_slot_state(const struct pm_keeper_slot *slot);

/* Whether it has delivered all that there will be. */
bool pm_slot_has_drained(const struct pm_keeper_slot *slot);

#endif
