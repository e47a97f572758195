#include <config.h>

#include "handler/keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/signals.h"
#include "event/codec.h"
#include "handler/deliver.h"
#include "process/spawn.h"

enum { PAGE = 4096 };

#define STABLE_AFTER (60 * PM_NS_PER_S)

static void __attribute__((format(printf, 2, 3)))
report(const struct pm_keeper *keeper, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	keeper->report(keeper->report_arg, text);
}

static enum pm_host_state state_of(const struct pm_keeper_slot *slot)
{
	return atomic_load(&slot->page->state);
}

/* ---- the life of a host ---- */

static void hang_up(struct pm_keeper_slot *slot)
{
	if (slot->socket.fd < 0)
		return;
	pm_loop_remove(slot->keeper->loop, &slot->socket);
	pm_close(&slot->socket.fd);
}

static void on_message(struct pm_source *source)
{
	char message[64];

	/* Only a nudge: the page says the rest. At EOF, SIGCHLD follows. */
	if (recv(source->fd, message, sizeof(message), MSG_DONTWAIT) == 0)
		hang_up(source->owner);
}

static int fork_host(struct pm_keeper_slot *slot, int socket)
{
	struct pm_keeper *keeper = slot->keeper;
	struct pm_host_setup setup = {
		.config = slot->config,
		.handler_dir = keeper->config->handler_dir,
		.identity = keeper->identity,
		.drain_timeout_ms = keeper->config->drain_timeout_ms,
		.journal_fd = keeper->journal.fd,
		.socket = socket,
		.page = slot->page,
		.monitor = getpid(),
	};

	/* The pages of the other handlers are not this plugin's business. */
	madvise(slot->page, PAGE, MADV_DOFORK);
	slot->child.pid = pm_spawn_role(pm_host_main, &setup);
	int saved = errno;
	madvise(slot->page, PAGE, MADV_DONTFORK);
	errno = saved;
	return slot->child.pid < 0 ? -1 : 0;
}

static void watch(struct pm_keeper_slot *slot)
{
	if (!slot->watch.set && slot->config->timeout_ms > 0)
		pm_timer_set(slot->keeper->loop, &slot->watch,
			     slot->config->timeout_ms * PM_NS_PER_MS);
}

static int start_host(struct pm_keeper_slot *slot, struct pm_error *error)
{
	struct pm_keeper *keeper = slot->keeper;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return pm_error_set(error, errno, "cannot make a channel to handler '%s'",
				    slot->config->name);
	slot->socket.fd = ends[0];
	pm_autofd theirs = ends[1];

	atomic_store(&slot->page->state, PM_HOST_STARTING);
	atomic_store(&slot->page->asleep, 0);
	slot->started_ns = pm_clock_monotonic();
	if (fork_host(slot, theirs) < 0) {
		pm_error_set(error, errno, "cannot start a host for handler '%s'",
			     slot->config->name);
		pm_close(&slot->socket.fd);
		return -1;
	}
	slot->running = true;
	slot->calls_seen = 0;
	watch(slot);
	pm_children_add(keeper->children, &slot->child);
	return pm_loop_add(keeper->loop, &slot->socket, error);
}

/* A call into the plugin may take as long as `timeout`. Seen in the same call twice, that far apart,
 * the host is killed; the event comes again in the next one. */
static void on_watch(struct pm_timer *timer)
{
	struct pm_keeper_slot *slot = timer->owner;
	uint64_t calls = atomic_load(&slot->page->calls);
	bool in_call = calls % 2 != 0;

	if (!slot->running || (!in_call && atomic_load(&slot->page->asleep) != 0))
		return;
	if (in_call && calls == slot->calls_seen) {
		report(slot->keeper, "handler '%s' has not returned for %lld ms", slot->config->name,
		       (long long)slot->config->timeout_ms);
		kill(slot->child.pid, SIGKILL);
		return;
	}
	slot->calls_seen = calls;
	watch(slot);
}

static void start_later(struct pm_keeper_slot *slot)
{
	if (pm_clock_monotonic() - slot->started_ns >= STABLE_AFTER)
		slot->failures = 0;
	pm_timer_set(slot->keeper->loop, &slot->backoff,
		     pm_backoff_ms(slot->failures++) * PM_NS_PER_MS);
}

static void on_backoff(struct pm_timer *timer)
{
	struct pm_keeper_slot *slot = timer->owner;
	struct pm_error error;

	if (start_host(slot, &error) == 0)
		return;
	report(slot->keeper, "%s", error.text);
	if (!slot->running)
		start_later(slot);
}

/* ---- the death of a host ---- */

/* Prints the lines that a host left on its page. It may hold anything. */
static void report_message(struct pm_keeper_slot *slot)
{
	char text[sizeof(slot->page->message)];
	char *rest = text;
	char *line;

	memcpy(text, slot->page->message, sizeof(text));
	text[sizeof(text) - 1] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL) {
		for (char *c = line; *c != '\0'; c++)
			if ((unsigned char)*c < ' ' || *c == 0x7f)
				*c = '?';
		report(slot->keeper, "%s", line);
	}
}

static void describe(char *text, size_t size, int status)
{
	if (WIFSIGNALED(status))
		snprintf(text, size, "was killed by %s", pm_signal_name(WTERMSIG(status)));
	else
		snprintf(text, size, "left with exit status %d", WEXITSTATUS(status));
}

static void give_up(struct pm_keeper_slot *slot)
{
	slot->gone = true;
	if (slot->keeper->starting && slot->config->required)
		slot->keeper->refused++;
	else if (!slot->keeper->draining)
		report(slot->keeper, "handler '%s': going on without it", slot->config->name);
}

static void on_ended(struct pm_child *child, int status, const struct rusage *usage)
{
	struct pm_keeper_slot *slot = child->owner;
	struct pm_keeper *keeper = slot->keeper;
	enum pm_host_state state = state_of(slot);
	char how[64];

	(void)usage;
	slot->running = false;
	pm_timer_clear(keeper->loop, &slot->watch);
	hang_up(slot);
	describe(how, sizeof(how), status);
	if (state == PM_HOST_DRAINED) {
		slot->gone = true;
	} else if (state == PM_HOST_REFUSED) {
		report_message(slot);
		give_up(slot);
	} else if (state == PM_HOST_DEAD) {
		report(keeper, "handler '%s' has ended itself", slot->config->name);
		give_up(slot);
	} else if (keeper->starting) {
		report(keeper, "%s: [handler:%s] its host %s while it was being loaded; mend or "
			       "remove the handler, or set required = no",
		       slot->config->where, slot->config->name, how);
		give_up(slot);
	} else if (!slot->gone) {
		report(keeper, "handler '%s': its host %s; starting it again", slot->config->name,
		       how);
		start_later(slot);
	}
}

/* ---- all of them ---- */

static void open_slot(struct pm_keeper *keeper, size_t index)
{
	struct pm_keeper_slot *slot = &keeper->slots[index];

	*slot = (struct pm_keeper_slot){
		.keeper = keeper,
		.config = &keeper->config->handlers[index],
		.page = (struct pm_host_page *)(void *)((char *)keeper->pages + index * PAGE),
		.child = {.ended = on_ended, .owner = slot},
		.socket = {.fd = -1, .ready = on_message, .owner = slot},
		.backoff = {.due = on_backoff, .owner = slot},
		.watch = {.due = on_watch, .owner = slot},
	};
}

static int allocate(struct pm_keeper *keeper, struct pm_error *error)
{
	keeper->pages = mmap(NULL, keeper->count * PAGE, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (keeper->pages == MAP_FAILED) {
		keeper->pages = NULL;
		return pm_error_set(error, errno, "cannot share memory with the handlers");
	}
	madvise(keeper->pages, keeper->count * PAGE, MADV_DONTFORK);
	keeper->slots = calloc(keeper->count, sizeof(*keeper->slots));
	keeper->record = malloc(PM_JOURNAL_RECORD_MAX);
	if (keeper->slots == NULL || keeper->record == NULL)
		return pm_error_set(error, errno, "cannot keep %zu handlers", keeper->count);
	return 0;
}

int pm_keeper_open(struct pm_keeper *keeper, struct pm_loop *loop, struct pm_children *children,
		   const struct pm_config *config, const struct pm_identity *identity,
		   pm_keeper_report *report_line, void *report_arg, struct pm_error *error)
{
	*keeper = (struct pm_keeper){
		.loop = loop,
		.children = children,
		.config = config,
		.identity = identity,
		.report = report_line,
		.report_arg = report_arg,
		.journal = {.fd = -1},
		.count = config->handler_count,
		.starting = true,
	};
	if (keeper->count == 0)
		return 0;
	if (pm_journal_open(&keeper->journal, error) < 0 || allocate(keeper, error) < 0) {
		keeper->count = 0;
		return -1;
	}
	int result = 0;
	for (size_t i = 0; i < keeper->count; i++) {
		open_slot(keeper, i);
		if (result == 0)
			result = start_host(&keeper->slots[i], error);
		keeper->slots[i].gone = !keeper->slots[i].running;
	}
	return result;
}

/* ---- waiting, with a deadline ---- */

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
	enum pm_host_state state = state_of(slot);

	return !slot->gone && (state == PM_HOST_STARTING || state == PM_HOST_REFUSED);
}

size_t pm_keeper_wait_ready(struct pm_keeper *keeper)
{
	if (!wait_for(keeper, is_starting, keeper->config->start_timeout_ms))
		for (size_t i = 0; i < keeper->count; i++)
			if (is_starting(&keeper->slots[i]))
				report(keeper, "handler '%s' is not ready after %lld ms; the command "
					       "is started without waiting for it any longer",
				       keeper->slots[i].config->name,
				       (long long)keeper->config->start_timeout_ms);
	keeper->starting = false;
	return keeper->refused;
}

static bool is_running(const struct pm_keeper_slot *slot)
{
	return slot->running;
}

static bool is_left(const struct pm_keeper_slot *slot)
{
	return !slot->gone;
}

/* With its group: a plugin may have forked. */
static void kill_host(struct pm_keeper_slot *slot)
{
	slot->gone = true;
	pm_timer_clear(slot->keeper->loop, &slot->backoff);
	if (!slot->running)
		return;
	kill(slot->child.pid, SIGKILL);
	kill(-slot->child.pid, SIGKILL);
}

static void report_undelivered(const struct pm_keeper_slot *slot)
{
	const struct pm_keeper *keeper = slot->keeper;
	uint64_t delivered = atomic_load(&slot->page->delivered);
	uint64_t lost = atomic_load(&slot->page->lost);
	uint64_t dropped = atomic_load(&slot->page->dropped);

	if (delivered < keeper->journal.published)
		report(keeper, "handler '%s': %llu of %llu events were not delivered",
		       slot->config->name,
		       (unsigned long long)(keeper->journal.published - delivered),
		       (unsigned long long)keeper->journal.published);
	if (lost > 0 || dropped > 0)
		report(keeper, "handler '%s': %llu events lost, %llu given up", slot->config->name,
		       (unsigned long long)lost, (unsigned long long)dropped);
}

void pm_keeper_drain(struct pm_keeper *keeper)
{
	enum { KILL_TAKES_MS = 1000 };

	if (keeper->count == 0)
		return;
	keeper->draining = true;
	pm_journal_end(&keeper->journal);
	pm_keeper_wake(keeper);
	for (size_t i = 0; i < keeper->count; i++)
		if (keeper->slots[i].backoff.set)
			pm_timer_set(keeper->loop, &keeper->slots[i].backoff, 0);
	if (!wait_for(keeper, is_left, keeper->config->drain_timeout_ms))
		for (size_t i = 0; i < keeper->count; i++)
			if (is_left(&keeper->slots[i]))
				kill_host(&keeper->slots[i]);
	wait_for(keeper, is_running, KILL_TAKES_MS);
	for (size_t i = 0; i < keeper->count; i++)
		report_undelivered(&keeper->slots[i]);
}

void pm_keeper_close(struct pm_keeper *keeper)
{
	for (size_t i = 0; keeper->slots != NULL && i < keeper->count; i++) {
		pm_timer_clear(keeper->loop, &keeper->slots[i].backoff);
		pm_timer_clear(keeper->loop, &keeper->slots[i].watch);
		hang_up(&keeper->slots[i]);
	}
	if (keeper->pages != NULL)
		munmap(keeper->pages, keeper->count * PAGE);
	free(keeper->slots);
	free(keeper->record);
	pm_journal_close(&keeper->journal);
}

/* ---- events ---- */

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
	for (size_t i = 0; i < keeper->count; i++) {
		struct pm_keeper_slot *slot = &keeper->slots[i];

		if (!slot->running)
			continue;
		watch(slot);
		/* Never waits: a full socket holds wake-ups enough. */
		if (atomic_load(&slot->page->asleep) != 0)
			send(slot->socket.fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
}

void pm_keeper_set_group(struct pm_keeper *keeper, int32_t group)
{
	for (size_t i = 0; i < keeper->count; i++)
		atomic_store(&keeper->slots[i].page->group, group);
}
