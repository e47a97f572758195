#include <config.h>

#include "handler/deliver.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event/codec.h"

/* An event that killed its host this often is set aside. */
enum { DEATHS_MAX = 3 };

int pm_backoff_ms(unsigned failures)
{
	enum { FIRST = 100, LAST = 30 * 1000 };
	int wait = FIRST;

	while (failures-- > 0 && wait < LAST)
		wait *= 2;
	return wait < LAST ? wait : LAST;
}

static void report(const struct pm_delivery *delivery, enum panicmon_severity severity,
		   const char *text)
{
	delivery->host->log(delivery->host, severity, text);
}

void pm_delivery_wait(struct pm_delivery *delivery, int timeout_ms)
{
	struct pollfd interest = {.fd = delivery->setup->socket, .events = POLLIN};
	char message;

	/* A socket at its end is always readable. */
	if (timeout_ms >= 0 && poll(&interest, !delivery->monitor_died, timeout_ms) <= 0)
		return;
	ssize_t got = recv(delivery->setup->socket, &message, sizeof(message), 0);
	if (got == 0) {
		delivery->monitor_died = true;
		pm_host_monitor_died(delivery->setup);
	} else if (got < 0 && errno != EINTR) {
		_exit(1); /* the plugin closed our descriptors: only a new host can go on */
	}
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
	};

	return type < sizeof(slots) / sizeof(slots[0]) ? slots[type] : NULL;
}

static void advance(struct pm_delivery *delivery, uint64_t sequence)
{
	atomic_store(&delivery->setup->page->delivered, sequence);
}

/* Nothing before a HELD event may count as undelivered again, nor it as delivered. */
static void advance_unless_held(struct pm_delivery *delivery, uint64_t sequence)
{
	if (delivery->held == 0)
		advance(delivery, sequence);
	else
		delivery->held = sequence;
}

/* Counts it, and tells the first of several in a row: a storm on a full disk must not become one of
 * messages. A handler that gave no reason has told people itself. */
static void drop(struct pm_delivery *delivery, uint64_t sequence, const char *why)
{
	char text[1200];

	atomic_fetch_add(&delivery->setup->page->dropped, 1);
	if (why[0] == '\0' || delivery->dropping)
		return;
	delivery->dropping = true;
	snprintf(text, sizeof(text), "event %llu is given up: %s", (unsigned long long)sequence,
		 why);
	report(delivery, PANICMON_WARNING, text);
}

/* Longer each time, but not at the end of a run, when the deadline is near. */
static void wait_to_retry(struct pm_delivery *delivery, unsigned failures)
{
	pm_delivery_wait(delivery,
			 pm_backoff_ms(pm_journal_has_ended(&delivery->reader) ? 0 : failures));
}

static int call_flush(struct pm_delivery *delivery, enum panicmon_why why)
{
	const struct panicmon_handler *handler = &delivery->module->handler;
	struct pm_host_page *page = delivery->setup->page;

	if (handler->flush == NULL)
		return PANICMON_DONE;
	atomic_fetch_add(&page->flush_deaths, 1);
	atomic_fetch_add(&page->calls, 1);
	int result = handler->flush(delivery->self, (uint32_t)delivery->setup->drain_timeout_ms,
				    (int)why);
	atomic_fetch_add(&page->calls, 1);
	atomic_store(&page->flush_deaths, 0);
	return result;
}

/* Gives up all that is held. */
static void drop_held(struct pm_delivery *delivery, const char *why)
{
	struct pm_host_page *page = delivery->setup->page;
	uint64_t before = delivery->held - atomic_load(&page->delivered) - 1;

	atomic_fetch_add(&page->dropped, before);
	drop(delivery, delivery->held, why);
	advance(delivery, delivery->held);
	delivery->held = 0;
}

/* Sends what is held. false: the handler is finished. */
static bool flush(struct pm_delivery *delivery, enum panicmon_why why)
{
	if (delivery->held != 0 &&
	    atomic_load(&delivery->setup->page->flush_deaths) >= DEATHS_MAX) {
		atomic_store(&delivery->setup->page->flush_deaths, 0);
		drop_held(delivery, "the handler died three times as it flushed");
	}
	for (unsigned failures = 0; delivery->held != 0; failures++) {
		int result = call_flush(delivery, why);

		if (result == PANICMON_DEAD)
			return false;
		if (result == PANICMON_RETRY) {
			wait_to_retry(delivery, failures);
			continue;
		}
		if (result != PANICMON_DONE) {
			drop_held(delivery, "flush() gave its batch up");
			break;
		}
		advance(delivery, delivery->held);
		delivery->held = 0;
	}
	return true;
}

/* One call. What it is about is on the page meanwhile, for the next host if this one dies of it. */
static int call(struct pm_delivery *delivery, event_fn *slot, const struct panicmon_event *event)
{
	struct pm_host_page *page = delivery->setup->page;

	delivery->reason[0] = '\0';
	atomic_store(&page->trying, event->seq);
	atomic_fetch_add(&page->calls, 1);
	int result = slot(delivery->self, event);
	atomic_fetch_add(&page->calls, 1);
	atomic_store(&page->trying, 0);
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

/* Calls until the plugin has taken the event or given it up. */
static int deliver(struct pm_delivery *delivery, struct panicmon_event *event)
{
	event_fn *slot = find_slot(delivery->module, event->type);
	uint32_t deaths = deaths_by(delivery, event->seq);

	if (slot == NULL)
		return PANICMON_DONE;
	/* So that what is held does not have to come again with each death. */
	if (deaths > 0 && !flush(delivery, PANICMON_BATCH))
		return PANICMON_DEAD;
	if (deaths >= DEATHS_MAX) {
		drop(delivery, event->seq, "the handler died of it three times");
		return PANICMON_DONE;
	}
	event->attempt = deaths + 1;
	for (unsigned failures = 0;; failures++) {
		int result = call(delivery, slot, event);

		if (result != PANICMON_RETRY)
			return result;
		wait_to_retry(delivery, failures);
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
		return true;
	case PANICMON_DEAD:
		return false;
	case PANICMON_DROP:
		drop(delivery, sequence, delivery->reason);
		break;
	default:
		drop(delivery, sequence, "the handler returned no result of panicmon/handler.h");
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
		drop(delivery, reader->last, "its record is damaged");
		advance_unless_held(delivery, reader->last);
		return true;
	}
	event.seq = reader->last;
	pm_identity_sign(delivery->setup->identity, &event);
	if (event.type == PANICMON_PROCESS_EXITED || event.type == PANICMON_PROCESS_FAILED)
		note_end(delivery, event.pid);
	return settle(delivery, event.seq, deliver(delivery, &event));
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
	event.seq = delivery->reader.last + ++delivery->added;
	pm_identity_sign(delivery->setup->identity, &event);
	return settle(delivery, event.seq, deliver(delivery, &event));
}

static bool deliver_monitor_died(struct pm_delivery *delivery)
{
	for (int i = 0; i < PM_ALIVE_MAX; i++)
		if (!deliver_death(delivery, i))
			return false;
	return true;
}

/* Reads on; sleeps when there is nothing. */
static enum pm_journal_next next_or_wait(struct pm_delivery *delivery)
{
	struct pm_host_page *page = delivery->setup->page;
	uint64_t lost = delivery->reader.lost;
	enum pm_journal_next next = pm_journal_next(&delivery->reader);

	if (next == PM_JOURNAL_EMPTY && delivery->held == 0 && !delivery->monitor_died) {
		/* Said before the last look: panicmon publishes first and looks at this after. */
		atomic_store(&page->asleep, 1);
		next = pm_journal_next(&delivery->reader);
		if (next == PM_JOURNAL_EMPTY)
			pm_delivery_wait(delivery, -1);
		atomic_store(&page->asleep, 0);
	}
	note_lost(delivery, lost);
	return next;
}

static bool run_until_end(struct pm_delivery *delivery)
{
	for (;;) {
		enum pm_journal_next next = next_or_wait(delivery);

		if (next == PM_JOURNAL_RECORD) {
			if (!deliver_record(delivery))
				return false;
		} else if (next == PM_JOURNAL_END) {
			return flush(delivery, PANICMON_DRAIN);
		} else if (delivery->monitor_died) {
			return deliver_monitor_died(delivery) && flush(delivery, PANICMON_LOST);
		} else if (!flush(delivery, PANICMON_BATCH)) {
			return false;
		}
	}
}

enum pm_host_state pm_delivery_run(struct pm_delivery *delivery)
{
	const struct panicmon_handler *handler = &delivery->module->handler;
	note_suspect(delivery->setup->page);
	bool whole = run_until_end(delivery);

	if (handler->close != NULL)
		handler->close(delivery->self,
			       delivery->monitor_died ? PANICMON_LOST : PANICMON_DRAIN);
	return whole ? PM_HOST_DRAINED : PM_HOST_DEAD;
}
