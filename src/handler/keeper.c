#include <config.h>

#include "handler/keeper.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/memory.h"
#include "event/codec.h"
#include "handler/slot.h"
#include "handler/state_dir.h"

/* How long the hosts sleep through a storm: at most. A signal makes two events, of some hundred bytes
 * each in the journal. */
enum { LULL_AFTER_MS = 100, LULL_AFTER_EVENTS = 32 * 1024 };

/* Of a host that has nothing left to do. */
enum { END_TAKES_MS = 1000 };

void pm_keeper_say(const struct pm_keeper *keeper, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	keeper->report(keeper->report_arg, NULL, text);
}

static struct pm_host_page *page_of(const struct pm_keeper *keeper, size_t index)
{
	return (struct pm_host_page *)(void *)((char *)keeper->pages + index * keeper->page_size);
}

static int allocate(struct pm_keeper *keeper, struct pm_error *error)
{
	/* A page each: that is what a fork can be given, or not. */
	keeper->page_size = (size_t)sysconf(_SC_PAGESIZE) + keeper->mode.room;
	pm_autofd fd = -1; /* a mapping is all that is needed */
	keeper->pages = pm_memory_share_sealed("panicmon-hosts", keeper->count * keeper->page_size,
					       0, &fd, error);
	if (keeper->pages == NULL)
		return -1;
	keeper->slots = calloc(keeper->count, sizeof(*keeper->slots));
	keeper->record = malloc(PM_JOURNAL_RECORD_MAX);
	if (keeper->slots == NULL || keeper->record == NULL)
		return pm_error_set(error, errno, "cannot keep %zu handlers", keeper->count);
	return 0;
}

/* A descriptor, set once for a whole burst: a timer of the loop would be set anew for each of its
 * signals, when the kernel is told how long to wait. */
static void set_lull(struct pm_keeper *keeper)
{
	const struct itimerspec once = {.it_value.tv_nsec = PM_NS_PER_MS};

	keeper->lull_published = keeper->journal.published;
	timerfd_settime(keeper->lull.fd, 0, &once, NULL);
}

static void on_lull(struct pm_source *source)
{
	struct pm_keeper *keeper = source->owner;
	bool goes_on = keeper->journal.published != keeper->lull_published;
	uint64_t times;

	if (read(source->fd, &times, sizeof(times)) < 0)
		return;
	if (goes_on && ++keeper->lull_waited < LULL_AFTER_MS &&
	    keeper->journal.published - keeper->woken_at < LULL_AFTER_EVENTS) {
		set_lull(keeper);
		return;
	}
	keeper->waits_for_lull = false;
	keeper->woken_at = keeper->journal.published;
	for (size_t i = 0; i < keeper->count; i++)
		pm_slot_wake(&keeper->slots[i]);
}

static int open_lull(struct pm_keeper *keeper, struct pm_error *error)
{
	keeper->lull.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (keeper->lull.fd < 0)
		return pm_error_set(error, errno, "cannot create a timer");
	return pm_loop_add(keeper->loop, &keeper->lull, error);
}

static void close_lull(struct pm_keeper *keeper)
{
	if (keeper->lull.fd < 0)
		return;
	pm_loop_remove(keeper->loop, &keeper->lull);
	pm_close(&keeper->lull.fd);
}

/* Who is tried out, or looked at, leaves nothing there. */
static int open_state_dir(struct pm_keeper *keeper, struct pm_error *error)
{
	if (keeper->mode.purpose != PM_HOST_DELIVER || keeper->mode.test)
		return 0;
	if (pm_state_dir_open(&keeper->state_dir, keeper->config, error) < 0)
		return -1;
	if (keeper->state_dir < 0 && keeper->config->state_dir != NULL)
		pm_keeper_say(keeper,
			      "%s: [panicmon] state_dir: '%s' cannot be made now; nothing "
			      "is kept there",
			      keeper->config->state_dir_where, keeper->config->state_dir);
	return 0;
}

int pm_keeper_open(struct pm_keeper *keeper, struct pm_loop *loop, struct pm_children *children,
		   const struct pm_config *config, const struct pm_identity *identity,
		   struct pm_keeper_mode mode, pm_keeper_report *report_line, void *report_arg,
		   struct pm_error *error)
{
	*keeper = (struct pm_keeper){
		.loop = loop,
		.children = children,
		.config = config,
		.identity = identity,
		.mode = mode,
		.report = report_line,
		.report_arg = report_arg,
		.journal = {.fd = -1},
		.lull = {.fd = -1, .ready = on_lull, .owner = keeper},
		.count = config->handler_count,
		.starting = true,
		.state_dir = -1,
	};
	if (keeper->count == 0)
		return 0;
	if (open_state_dir(keeper, error) < 0 || pm_journal_open(&keeper->journal, error) < 0 ||
	    allocate(keeper, error) < 0 || open_lull(keeper, error) < 0) {
		keeper->count = 0;
		return -1;
	}
	int result = 0;
	for (size_t i = 0; i < keeper->count; i++) {
		pm_slot_open(&keeper->slots[i], keeper, &config->handlers[i], page_of(keeper, i));
		if (result == 0)
			result = pm_slot_start(&keeper->slots[i], error);
		keeper->slots[i].gone = !keeper->slots[i].running;
	}
	return result;
}

static void on_deadline(struct pm_timer *timer)
{
	*(bool *)timer->owner = true;
}

/* Turns the loop until no slot is `unfinished`. False: the time was over first. */
static bool wait_for(struct pm_keeper *keeper, bool (*unfinished)(const struct pm_keeper_slot *),
		     int64_t timeout_ms)
{
	bool late = false;
	struct pm_timer deadline = {.due = on_deadline, .owner = &late};
	size_t left;

	pm_timer_set(keeper->loop, &deadline, timeout_ms * PM_NS_PER_MS);
	for (;;) {
		left = 0;
		for (size_t i = 0; i < keeper->count; i++)
			left += unfinished(&keeper->slots[i]);
		if (left == 0 || late)
			break;
		pm_loop_turn(keeper->loop);
	}
	pm_timer_clear(keeper->loop, &deadline);
	return left == 0;
}

static bool is_starting(const struct pm_keeper_slot *slot)
{
	/* One that was refused counts until it is reaped, which reports it. */
	enum pm_host_state state = pm_slot_state(slot);

	return !slot->gone && (state == PM_HOST_STARTING || state == PM_HOST_REFUSED ||
			       (slot->keeper->mode.test && state == PM_HOST_WAITING));
}

static void give_up_late(struct pm_keeper_slot *slot)
{
	struct pm_keeper *keeper = slot->keeper;
	long long waited_ms = keeper->config->start_timeout_ms;

	if (keeper->mode.purpose == PM_HOST_DELIVER && !keeper->mode.test) {
		pm_keeper_say(keeper,
			      "handler '%s' is not ready after %lld ms; the command is started "
			      "without waiting for it any longer",
			      slot->config->name, waited_ms);
		return;
	}
	pm_keeper_say(
		keeper,
		"%s: [handler:%s] it is not ready after %lld ms, and its host is killed; mend "
		"or remove the handler",
		slot->config->where, slot->config->name, waited_ms);
	keeper->refused++;
	slot->late = true;
	pm_slot_kill(slot);
}

size_t pm_keeper_wait_ready(struct pm_keeper *keeper)
{
	if (!wait_for(keeper, is_starting, keeper->config->start_timeout_ms))
		for (size_t i = 0; i < keeper->count; i++)
			if (is_starting(&keeper->slots[i]))
				give_up_late(&keeper->slots[i]);
	keeper->starting = false;
	return keeper->refused;
}

static bool is_running(const struct pm_keeper_slot *slot)
{
	return slot->running;
}

static bool is_left(const struct pm_keeper_slot *slot)
{
	return !slot->gone && !pm_slot_has_drained(slot);
}

static void kill_all(struct pm_keeper *keeper, bool (*which)(const struct pm_keeper_slot *),
		     int64_t waited_ms)
{
	for (size_t i = 0; i < keeper->count; i++) {
		if (!which(&keeper->slots[i]))
			continue;
		pm_keeper_say(keeper,
			      "handler '%s' has not ended after %lld ms; its host is killed",
			      keeper->slots[i].config->name, (long long)waited_ms);
		keeper->slots[i].late = true;
		pm_slot_kill(&keeper->slots[i]);
	}
}

void pm_keeper_kill(struct pm_keeper *keeper)
{
	for (size_t i = 0; i < keeper->count; i++)
		pm_slot_kill(&keeper->slots[i]);
}

static void report_undelivered(const struct pm_keeper_slot *slot)
{
	const struct pm_keeper *keeper = slot->keeper;
	uint64_t published = keeper->journal.published;
	uint64_t delivered = atomic_load(&slot->page->delivered);

	if (delivered < published)
		pm_keeper_say(keeper, "handler '%s': %llu of %llu events were not delivered",
			      slot->config->name, (unsigned long long)(published - delivered),
			      (unsigned long long)published);
}

/* While the hosts end: within the time of the drain, or a little more. One that says it has drained, and
 * stays, has no excuse. */
static void wait_for_ends(struct pm_keeper *keeper, int64_t drain_ends_ns)
{
	int64_t left_ms = (drain_ends_ns - pm_clock_monotonic()) / PM_NS_PER_MS;
	int64_t wait = left_ms > END_TAKES_MS ? left_ms : END_TAKES_MS;

	if (wait_for(keeper, is_running, wait))
		return;
	kill_all(keeper, is_running, wait);
	wait_for(keeper, is_running, END_TAKES_MS);
}

void pm_keeper_drain(struct pm_keeper *keeper)
{
	if (keeper->count == 0)
		return;
	if (keeper->mode.purpose != PM_HOST_DELIVER) {
		/* What they had to say is on their pages. */
		pm_keeper_kill(keeper);
		wait_for(keeper, is_running, END_TAKES_MS);
		return;
	}
	/* While the others can still be told. */
	for (size_t i = 0; i < keeper->count; i++)
		pm_slot_tell_losses(&keeper->slots[i]);
	keeper->draining = true;
	pm_journal_end(&keeper->journal);
	for (size_t i = 0; i < keeper->count; i++) {
		/* Whatever it says of itself: it may be waiting to try something again. */
		pm_slot_nudge(&keeper->slots[i]);
		if (keeper->slots[i].backoff.set)
			pm_timer_set(keeper->loop, &keeper->slots[i].backoff, 0);
	}
	int64_t timeout_ms = keeper->config->drain_timeout_ms;
	int64_t ends_ns = pm_clock_monotonic() + timeout_ms * PM_NS_PER_MS;

	wait_for(keeper, is_left, timeout_ms);
	kill_all(keeper, is_left, timeout_ms);
	pm_journal_close(&keeper->journal);
	wait_for_ends(keeper, ends_ns);
	for (size_t i = 0; i < keeper->count; i++) {
		pm_slot_tell_losses(&keeper->slots[i]);
		report_undelivered(&keeper->slots[i]);
	}
}

void pm_keeper_close(struct pm_keeper *keeper)
{
	if (keeper->loop == NULL)
		return;
	for (size_t i = 0; i < keeper->count; i++)
		pm_slot_close(&keeper->slots[i]);
	if (keeper->pages != NULL)
		munmap(keeper->pages, keeper->config->handler_count * keeper->page_size);
	free(keeper->slots);
	free(keeper->record);
	close_lull(keeper);
	pm_close(&keeper->state_dir);
	pm_journal_close(&keeper->journal);
}

static bool all_delivered(const struct pm_keeper *keeper)
{
	for (size_t i = 0; i < keeper->count; i++)
		if (!keeper->slots[i].gone &&
		    atomic_load(&keeper->slots[i].page->delivered) != keeper->journal.published)
			return false;
	return true;
}

void pm_keeper_publish(struct pm_keeper *keeper, struct panicmon_event *event)
{
	if (keeper->count == 0)
		return;
	event->severity = pm_event_severity(event);
	size_t length = pm_event_encode(event, keeper->record, PM_JOURNAL_RECORD_MAX);
	if (length == 0)
		return;
	if (all_delivered(keeper))
		pm_journal_rewind(&keeper->journal);
	pm_journal_append(&keeper->journal,
			  pm_event_is_lifecycle(event->type) ? PM_JOURNAL_KEPT : PM_JOURNAL_FLOOD,
			  keeper->record, length);
}

void pm_keeper_wake(struct pm_keeper *keeper)
{
	if (keeper->waits_for_lull || keeper->journal.published == keeper->woken_at)
		return;
	keeper->waits_for_lull = true;
	keeper->lull_waited = 0;
	set_lull(keeper);
}

void pm_keeper_set_guard(struct pm_keeper *keeper, struct pm_guard *guard)
{
	keeper->guard = guard;
	for (size_t i = 0; i < keeper->count; i++)
		if (keeper->slots[i].running)
			pm_guard_set_host(guard, i, keeper->slots[i].child.pid);
}

static bool owes_answer(const struct pm_keeper_slot *slot)
{
	/* One without a function for the event counts it as delivered. */
	return !slot->gone && atomic_load(&slot->page->answered) == 0 &&
	       atomic_load(&slot->page->delivered) == 0;
}

void pm_keeper_wait_answers(struct pm_keeper *keeper)
{
	int64_t longest_ms = 0;

	for (size_t i = 0; i < keeper->count; i++)
		if (keeper->slots[i].config->timeout_ms > longest_ms)
			longest_ms = keeper->slots[i].config->timeout_ms;
	/* The watch kills what hangs, for the event and for flush(); unless it is deceived. */
	wait_for(keeper, owes_answer, 3 * longest_ms);
}

void pm_keeper_expect(struct pm_keeper *keeper, unsigned commands, bool groups)
{
	for (size_t i = 0; i < keeper->count; i++) {
		atomic_store(&keeper->slots[i].page->alive.count, commands);
		atomic_store(&keeper->slots[i].page->alive.groups, groups);
	}
}

void pm_keeper_set_alive(struct pm_keeper *keeper, unsigned index, int32_t pid)
{
	for (size_t i = 0; i < keeper->count; i++)
		atomic_store(&keeper->slots[i].page->alive.pids[index], pid);
}
