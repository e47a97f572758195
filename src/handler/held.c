#include <config.h>

#include "base/clock.h"
#include "handler/deliver.h"

/* A drain does not last longer, and no call. */
static uint32_t budget_ms(const struct pm_host_setup *setup)
{
	int64_t timeout_ms = setup->config->timeout_ms, drain_ms = setup->drain_timeout_ms;
	int64_t least_ms = timeout_ms < drain_ms ? timeout_ms : drain_ms;

	return least_ms < UINT32_MAX ? (uint32_t)least_ms : UINT32_MAX;
}

static int call_flush(struct pm_delivery *delivery, enum panicmon_why why)
{
	const struct panicmon_handler *handler = &delivery->module->handler;
	struct pm_host_page *page = delivery->setup->page;

	if (handler->flush == NULL)
		return PANICMON_DONE;
	atomic_fetch_add(&page->flush_deaths, 1);
	pm_delivery_enter(delivery);
	int result = handler->flush(delivery->self, budget_ms(delivery->setup), (int)why);
	pm_delivery_leave(delivery);
	pm_delivery_note(delivery, &page->flush_answer, result);
	atomic_store(&page->flush_deaths, 0);
	return result;
}

/* What was held is delivered, or given up. */
static void let_go(struct pm_delivery *delivery, bool delivered)
{
	/* Before the cursor, as with an event of its own. */
	pm_alerting_flushed(delivery, delivered);
	pm_delivery_advance(delivery, delivery->held);
	delivery->held = 0;
	delivery->held_count = 0;
}

/* Gives up all that is held. */
static void drop_held(struct pm_delivery *delivery, const char *why)
{
	pm_delivery_drop(delivery, delivery->held, delivery->held_count, why);
	let_go(delivery, false);
}

/* Calls flush() once. RETRY: it is to be called again at flush_at_ns. */
static int flush_once(struct pm_delivery *delivery, enum panicmon_why why)
{
	struct pm_host_page *page = delivery->setup->page;

	if (atomic_load(&page->flush_deaths) >= PM_DEATHS_MAX) {
		atomic_store(&page->flush_deaths, 0);
		drop_held(delivery, "the handler died three times as it flushed");
		return PANICMON_DONE;
	}
	int result = call_flush(delivery, why);
	if (result == PANICMON_RETRY) {
		delivery->flush_at_ns = pm_delivery_retry_at(delivery, delivery->flush_failures++);
		return result;
	}
	delivery->flush_failures = 0;
	delivery->flush_at_ns = 0;
	if (result == PANICMON_DONE) {
		delivery->dropping = false;
		let_go(delivery, true);
	} else if (result != PANICMON_DEAD) {
		drop_held(delivery, delivery->reason[0] != '\0' ? delivery->reason
								: "flush() gave its batch up");
	}
	return result;
}

bool pm_held_flush_if_due(struct pm_delivery *delivery)
{
	if (delivery->held == 0 || pm_clock_monotonic() < delivery->flush_at_ns)
		return true;
	return flush_once(delivery, PANICMON_BATCH) != PANICMON_DEAD;
}

bool pm_held_flush(struct pm_delivery *delivery, enum panicmon_why why)
{
	while (delivery->held != 0 && !delivery->finished) {
		int result = flush_once(delivery, why);

		if (result == PANICMON_DEAD)
			return false;
		if (result == PANICMON_RETRY)
			pm_delivery_wait(delivery, delivery->flush_at_ns);
	}
	return !delivery->finished;
}
