#include <config.h>

#include "handler/deliver.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "event/codec.h"
#include "handler/filter.h"

static void report(const struct pm_delivery *delivery, enum panicmon_severity severity,
		   const char *text)
{
	delivery->host->log(delivery->host, severity, text);
}

typedef int event_fn(void *self, const struct panicmon_event *event);

static event_fn *find_slot(const struct pm_module *module, uint32_t type)
{
	event_fn *const slots[] = {
		[PANICMON_PROCESS_STARTED] = module->process.started,
		[PANICMON_PROCESS_FAILED] = module->process.failed,
		[PANICMON_PROCESS_EXITED] = module->process.exited,
		[PANICMON_SIGNAL_RECEIVED] = module->signal.received,
		[PANICMON_SIGNAL_PASSED] = module->signal.passed,
		[PANICMON_SIGNAL_FAILED] = module->signal.failed,
		[PANICMON_HANDLER_LOST] = module->monitor.lost,
		[PANICMON_PROCESS_RECOVERED] = module->process.recovered,
	};

	return type < sizeof(slots) / sizeof(slots[0]) ? slots[type] : NULL;
}

void pm_delivery_advance(struct pm_delivery *delivery, uint64_t sequence)
{
	atomic_store(&delivery->setup->page->delivered, sequence);
}

/* Nothing before a HELD event may count as undelivered again, nor it as delivered. */
static void advance_unless_held(struct pm_delivery *delivery, uint64_t sequence)
{
	if (delivery->held == 0)
		pm_delivery_advance(delivery, sequence);
	else
		delivery->held = sequence;
}

/* Once a while is enough: panicmon looks again each second as long as there are more. */
static void note_missed(struct pm_delivery *delivery)
{
	int64_t now = pm_clock_monotonic();

	if (delivery->nudged_ns != 0 && now - delivery->nudged_ns < PM_NS_PER_S / 2)
		return;
	delivery->nudged_ns = now;
	pm_host_nudge(delivery->setup);
}

/* What tells of losses does not count, or two handlers on a full disk would tell each other for ever
 * that they could not take what the other had missed. */
static bool counts(const struct pm_delivery *delivery)
{
	return !delivery->about_losses;
}

void pm_delivery_drop(struct pm_delivery *delivery, uint64_t sequence, uint64_t count,
		      const char *why)
{
	char text[1200];

	if (count > 0) {
		atomic_fetch_add(&delivery->setup->page->dropped, count);
		note_missed(delivery);
	}
	if (why[0] == '\0' || delivery->dropping)
		return;
	delivery->dropping = true;
	snprintf(text, sizeof(text), "event %llu is given up: %s", (unsigned long long)sequence,
		 why);
	report(delivery, PANICMON_WARNING, text);
}

void pm_delivery_note(struct pm_delivery *delivery, _Atomic int32_t *answer, int result)
{
	struct pm_host_page *page = delivery->setup->page;

	if (!delivery->setup->test)
		return;
	atomic_fetch_add(&page->took_ns, pm_clock_monotonic() - delivery->entered_ns);
	snprintf(page->message, sizeof(page->message), "%s", delivery->reason);
	atomic_store(answer, result);
}

/* One call. What it is about is on the page meanwhile, for the next host if this one dies of it. */
static int call(struct pm_delivery *delivery, event_fn *slot, const struct panicmon_event *event)
{
	struct pm_host_page *page = delivery->setup->page;

	atomic_store(&page->trying, event->seq);
	pm_delivery_enter(delivery);
	int result = slot(delivery->self, event);
	pm_delivery_leave(delivery);
	atomic_store(&page->trying, 0);
	pm_delivery_note(delivery, &page->answer, result);
	atomic_store(&page->answered, 1);
	return result;
}

/* At the start of a host: the one before may have died with an event in its hands. */
static void note_suspect(struct pm_host_page *page)
{
	uint64_t trying = atomic_exchange(&page->trying, 0);

	if (trying == 0)
		return;
	if (atomic_exchange(&page->suspect, trying) != trying)
		atomic_store(&page->deaths, 0);
	atomic_fetch_add(&page->deaths, 1);
}

static uint32_t deaths_by(const struct pm_delivery *delivery, uint64_t sequence)
{
	const struct pm_host_page *page = delivery->setup->page;

	return atomic_load(&page->suspect) == sequence ? atomic_load(&page->deaths) : 0;
}

static bool is_about_us(const struct pm_delivery *delivery, const struct panicmon_event *event)
{
	return event->type == PANICMON_HANDLER_LOST && event->handler != NULL &&
	       strcmp(event->handler, delivery->host->handler) == 0;
}

static bool is_let_through(const struct pm_delivery *delivery, const struct panicmon_event *event)
{
	bool alerts = (delivery->module->handler.flags & PANICMON_ALERTS) != 0;

	return !is_about_us(delivery, event) &&
	       (alerts || event->type != PANICMON_PROCESS_RECOVERED) &&
	       pm_filter_look(delivery->setup->config, event) == PM_FILTER_PASSES;
}

bool pm_delivery_wants(const struct pm_delivery *delivery, const struct panicmon_event *event)
{
	return find_slot(delivery->module, event->type) != NULL && is_let_through(delivery, event);
}

/* What to call for it. NULL: it is settled, *result is there; also if it was tried often enough. */
static event_fn *choose_slot(struct pm_delivery *delivery, struct panicmon_event *event,
			     int *result)
{
	event_fn *slot = find_slot(delivery->module, event->type);
	uint32_t deaths = deaths_by(delivery, event->seq);

	*result = PANICMON_DONE;
	event->attempt = deaths + 1;
	if (slot == NULL)
		return NULL;
	if (!is_let_through(delivery, event)) {
		/* For people who try the handler out and are not told otherwise why it got nothing. */
		atomic_store(&delivery->setup->page->filtered,
			     pm_filter_look(delivery->setup->config, event));
		return NULL;
	}
	/* So that what is held does not have to come again with each death. */
	if (deaths > 0 && !pm_held_flush(delivery, PANICMON_BATCH)) {
		*result = PANICMON_DEAD;
		return NULL;
	}
	if (deaths < PM_DEATHS_MAX)
		return slot;
	pm_delivery_drop(delivery, event->seq, counts(delivery),
			 "the handler died of it three times");
	return NULL;
}

/* Calls until the plugin has taken the event or given it up. */
static int deliver(struct pm_delivery *delivery, struct panicmon_event *event)
{
	int result;
	event_fn *slot = choose_slot(delivery, event, &result);

	if (slot == NULL)
		return result;
	for (unsigned failures = 0;; failures++) {
		result = call(delivery, slot, event);
		if (result != PANICMON_RETRY || delivery->setup->test)
			return result;
		pm_delivery_wait_to_retry(delivery, failures);
		if (delivery->finished)
			return PANICMON_DEAD;
		event->attempt++;
	}
}

static bool settle(struct pm_delivery *delivery, uint64_t sequence, int result)
{
	switch (result) {
	case PANICMON_DONE:
		delivery->dropping = false;
		break;
	case PANICMON_HELD:
		delivery->held = sequence;
		delivery->held_count += counts(delivery);
		return true;
	case PANICMON_RETRY: /* of a test: one answer is all that was asked for */
	case PANICMON_DEAD:
		return false;
	case PANICMON_DROP:
		pm_delivery_drop(delivery, sequence, counts(delivery), delivery->reason);
		break;
	default:
		pm_delivery_drop(delivery, sequence, counts(delivery),
				 "the handler returned no result of panicmon/handler.h");
	}
	advance_unless_held(delivery, sequence);
	return true;
}

static void note_lost(struct pm_delivery *delivery, uint64_t before)
{
	char text[128];
	uint64_t lost = delivery->reader.lost - before;

	if (lost == 0)
		return;
	atomic_fetch_add(&delivery->setup->page->lost, lost);
	snprintf(text, sizeof(text), "%llu events were overwritten before they could be delivered",
		 (unsigned long long)lost);
	report(delivery, PANICMON_WARNING, text);
	note_missed(delivery);
}

static bool take(struct pm_delivery *delivery, struct panicmon_event *event)
{
	int result = PANICMON_DONE;

	if (pm_alerting_take(delivery, event))
		result = deliver(delivery, event);
	/* Before the cursor goes on: what is remembered of it is not to be behind. */
	pm_alerting_settle(delivery, result);
	return settle(delivery, event->seq, result) && !delivery->finished;
}

bool pm_delivery_made(struct pm_delivery *delivery, struct panicmon_event *event, unsigned failures)
{
	int result;

	delivery->about_losses = false;
	event_fn *slot = choose_slot(delivery, event, &result);
	if (slot != NULL) {
		event->attempt += failures;
		result = call(delivery, slot, event);
	}
	pm_alerting_settle(delivery, result);
	/* All that was read before is settled, so the cursor stays, or what is held begins there. */
	return result == PANICMON_RETRY || settle(delivery, delivery->reader.last, result);
}

/* An end may be in the journal when panicmon has had no time to clear the entry. */
static void note_end(struct pm_delivery *delivery, int32_t pid)
{
	const struct pm_alive *alive = &delivery->setup->page->alive;

	for (int i = 0; i < PM_ALIVE_MAX; i++)
		if (pid != 0 && atomic_load(&alive->pids[i]) == pid)
			delivery->exited |= UINT64_C(1) << i;
}

/* false: the handler is finished. */
static bool deliver_record(struct pm_delivery *delivery)
{
	struct pm_journal_reader *reader = &delivery->reader;
	struct panicmon_event event;

	if (pm_event_decode(reader->record, reader->length, &event) < 0) {
		pm_delivery_drop(delivery, reader->last, 1, "its record is damaged");
		advance_unless_held(delivery, reader->last);
		return true;
	}
	event.seq = reader->last;
	delivery->about_losses = event.type == PANICMON_HANDLER_LOST;
	pm_identity_sign(delivery->setup->identity, &event);
	if (event.type == PANICMON_PROCESS_EXITED || event.type == PANICMON_PROCESS_FAILED)
		note_end(delivery, event.pid);
	bool goes_on = take(delivery, &event);
	if (delivery->setup->test)
		pm_host_nudge(delivery->setup);
	return goes_on;
}

/* panicmon can't say any more how a command ended, so the host does. */
static bool deliver_death(struct pm_delivery *delivery, int index)
{
	/* From the page: the host that read process.started may not have been this one. */
	const struct pm_alive *alive = &delivery->setup->page->alive;
	int32_t pid = atomic_load(&alive->pids[index]);
	struct panicmon_event event = pm_event_make(PANICMON_PROCESS_EXITED, pid);

	if ((delivery->exited >> index & 1) != 0 || pid == 0)
		return true;
	if (atomic_load(&alive->count) > 1)
		PM_EVENT_SET(&event, INSTANCE, instance, index + 1);
	PM_EVENT_SET(&event, CODE, code, -1);
	PM_EVENT_SET(&event, SIGNAL, signal, SIGKILL);
	PM_EVENT_SET(&event, STATUS, status, 128 + SIGKILL);
	PM_EVENT_SET(&event, REASON, reason, PANICMON_REASON_MONITOR_DIED);
	event.severity = pm_event_severity(&event);
	delivery->about_losses = false;
	event.seq = delivery->reader.last + ++delivery->added;
	pm_identity_sign(delivery->setup->identity, &event);
	return take(delivery, &event);
}

static bool deliver_monitor_died(struct pm_delivery *delivery)
{
	for (int i = 0; i < PM_ALIVE_MAX; i++)
		if (!deliver_death(delivery, i))
			return false;
	return true;
}

/* CLOCK_MONOTONIC, or PM_NEVER: when something is due that no message tells of. */
static int64_t next_due_ns(const struct pm_delivery *delivery)
{
	int64_t flush_at_ns = delivery->held != 0 ? delivery->flush_at_ns : PM_NEVER;
	int64_t alert_at_ns = pm_alerting_next_ns(delivery);

	return flush_at_ns < alert_at_ns ? flush_at_ns : alert_at_ns;
}

/* Sleeps until there is an event, or it is time for something. */
static enum pm_journal_next sleep_until_next(struct pm_delivery *delivery)
{
	struct pm_host_page *page = delivery->setup->page;

	/* Said before the last look: panicmon publishes first and looks at this after. */
	atomic_store(&page->asleep, 1);
	enum pm_journal_next next = pm_journal_next(&delivery->reader);
	/* Woken by the clock, it still counts as asleep, see pm_delivery_enter(). */
	if (next != PM_JOURNAL_EMPTY || pm_delivery_sleep(delivery, next_due_ns(delivery)))
		atomic_store(&page->asleep, 0);
	return next;
}

/* Reads on. What is held is sent when nothing else waits. */
static enum pm_journal_next next_or_wait(struct pm_delivery *delivery)
{
	uint64_t lost = delivery->reader.lost;
	enum pm_journal_next next = pm_journal_next(&delivery->reader);

	if (next == PM_JOURNAL_EMPTY && !delivery->monitor_died) {
		if (!pm_held_flush_if_due(delivery) || !pm_alerting_turn(delivery, false))
			delivery->finished = true;
		else
			next = sleep_until_next(delivery);
	}
	note_lost(delivery, lost);
	return next;
}

/* What is held goes first: it may be an alert. */
static bool end(struct pm_delivery *delivery, enum panicmon_why why)
{
	return (!delivery->alerting.held || pm_held_flush(delivery, why)) &&
	       pm_alerting_turn(delivery, true) && pm_held_flush(delivery, why);
}

static bool run_until_end(struct pm_delivery *delivery)
{
	for (; !delivery->finished; pm_delivery_tick(delivery)) {
		/* Only then is what is read now the last: it may die after a look at the journal. */
		bool monitor_died = delivery->monitor_died;
		enum pm_journal_next next = next_or_wait(delivery);

		if (next == PM_JOURNAL_RECORD) {
			if (!deliver_record(delivery))
				return false;
		} else if (next == PM_JOURNAL_END) {
			return end(delivery, PANICMON_DRAIN);
		} else if (monitor_died) {
			return deliver_monitor_died(delivery) && end(delivery, PANICMON_LOST);
		}
	}
	return false;
}

static void close_plugin(struct pm_delivery *delivery)
{
	const struct panicmon_handler *handler = &delivery->module->handler;

	if (handler->close == NULL)
		return;
	pm_delivery_enter(delivery);
	handler->close(delivery->self, delivery->monitor_died ? PANICMON_LOST : PANICMON_DRAIN);
	pm_delivery_leave(delivery);
}

enum pm_host_state pm_delivery_run(struct pm_delivery *delivery)
{
	struct pm_host_page *page = delivery->setup->page;

	note_suspect(page);
	bool whole = run_until_end(delivery);
	/* One that has ended itself is not started again, even if it hangs or crashes in close(). */
	if (!whole)
		atomic_store(&page->state, PM_HOST_DEAD);
	close_plugin(delivery);
	return whole ? PM_HOST_DRAINED : PM_HOST_DEAD;
}
