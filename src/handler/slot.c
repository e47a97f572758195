#include <config.h>

#include "handler/slot.h"

#include <errno.h>
#include <signal.h>
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
#include "handler/deliver.h"
#include "process/spawn.h"

#define STABLE_AFTER (60 * PM_NS_PER_S)

enum pm_host_state pm_slot_state(const struct pm_keeper_slot *slot)
{
	return atomic_load(&slot->page->state);
}

static void hang_up(struct pm_keeper_slot *slot)
{
	if (slot->socket.fd < 0)
		return;
	pm_loop_remove(slot->keeper->loop, &slot->socket);
	pm_close(&slot->socket.fd);
}

static void watch(struct pm_keeper_slot *slot)
{
	/* A look has one time limit, which is the keeper's. */
	if (slot->keeper->mode.purpose != PM_HOST_DELIVER)
		return;
	if (slot->running && !slot->watch.set && slot->config->timeout_ms > 0)
		pm_timer_set(slot->keeper->loop, &slot->watch,
			     slot->config->timeout_ms * PM_NS_PER_MS);
}

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

/* Looked at, or asked once: by somebody who wants to know what became of it. */
static bool is_on_trial(const struct pm_keeper *keeper)
{
	return keeper->mode.test || keeper->mode.purpose != PM_HOST_DELIVER;
}

static bool has_new_losses(const struct pm_keeper_slot *slot)
{
	/* Who tries a handler out is told by its answer, and the others are not to be. */
	return !is_on_trial(slot->keeper) && (new_lost(slot) > 0 || new_dropped(slot) > 0);
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

/* One row of losses becomes one event a second. */
static void on_losses(struct pm_timer *timer)
{
	struct pm_keeper_slot *slot = timer->owner;

	if (slot->keeper->draining || !has_new_losses(slot))
		return;
	pm_slot_tell_losses(slot);
	pm_timer_set(slot->keeper->loop, &slot->losses, PM_NS_PER_S);
}

static void look_for_losses(struct pm_keeper_slot *slot)
{
	if (has_new_losses(slot) && !slot->losses.set)
		pm_timer_set(slot->keeper->loop, &slot->losses, PM_NS_PER_S);
}

static void on_message(struct pm_source *source)
{
	struct pm_keeper_slot *slot = source->owner;
	char message[64];

	/* Only a nudge: the page says the rest. At EOF, SIGCHLD follows. */
	if (recv(source->fd, message, sizeof(message), MSG_DONTWAIT) == 0) {
		hang_up(slot);
		return;
	}
	watch(slot); /* it calls the plugin on its own */
	look_for_losses(slot);
}

static void print_output(void *arg, const char *line)
{
	struct pm_keeper_slot *slot = arg;

	slot->keeper->report(slot->keeper->report_arg, slot->config->name, line);
}

static int fork_host(struct pm_keeper_slot *slot, int socket, int output)
{
	struct pm_keeper *keeper = slot->keeper;
	struct pm_host_setup setup = {
		.config = slot->config,
		.handler_dir = keeper->config->handler_dir,
		.identity = keeper->identity,
		.drain_timeout_ms = keeper->config->drain_timeout_ms,
		.journal_fd = keeper->journal.fd,
		.socket = socket,
		.output = output,
		.state = keeper->state_dir,
		.purpose = keeper->mode.purpose,
		.test = keeper->mode.test,
		.page = slot->page,
		.room = pm_slot_room(slot),
		.room_size = keeper->mode.room,
		.monitor = getpid(),
	};

	/* The pages of the other handlers are not this plugin's business. */
	madvise(slot->page, keeper->page_size, MADV_DOFORK);
	slot->child.pid = pm_spawn_role(pm_host_main, &setup);
	int saved = errno;
	madvise(slot->page, keeper->page_size, MADV_DONTFORK);
	errno = saved;
	return slot->child.pid < 0 ? -1 : 0;
}

static void note_pid(struct pm_keeper_slot *slot, pid_t pid)
{
	struct pm_keeper *keeper = slot->keeper;

	if (keeper->guard != NULL)
		pm_guard_set_host(keeper->guard, (size_t)(slot - keeper->slots), pid);
}

int pm_slot_start(struct pm_keeper_slot *slot, struct pm_error *error)
{
	struct pm_keeper *keeper = slot->keeper;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return pm_error_set(error, errno, "cannot make a channel to handler '%s'",
				    slot->config->name);
	slot->socket.fd = ends[0];
	pm_autofd theirs = ends[1];
	pm_autofd output = -1;

	if (pm_output_open(&slot->output, keeper->loop, &output, error) < 0) {
		pm_close(&slot->socket.fd);
		return -1;
	}

	atomic_store(&slot->page->state, PM_HOST_STARTING);
	atomic_store(&slot->page->asleep, 0);
	slot->started_ns = pm_clock_monotonic();
	if (fork_host(slot, theirs, output) < 0) {
		pm_error_set(error, errno, "cannot start a host for handler '%s'",
			     slot->config->name);
		pm_output_close(&slot->output);
		pm_close(&slot->socket.fd);
		return -1;
	}
	slot->running = true;
	note_pid(slot, slot->child.pid);
	slot->calls_seen = 0;
	watch(slot);
	if (pm_children_add(keeper->children, &slot->child, error) < 0)
		return -1;
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
		pm_keeper_say(slot->keeper, "handler '%s' has not returned for %lld ms",
			      slot->config->name, (long long)slot->config->timeout_ms);
		slot->late = true;
		kill(slot->child.pid, SIGKILL);
		return;
	}
	slot->calls_seen = calls;
	watch(slot);
}

/* The cursor, if it can be true: it never goes back, nor beyond what there is. */
static uint64_t delivered_of(struct pm_keeper_slot *slot)
{
	uint64_t delivered = atomic_load(&slot->page->delivered);

	if (delivered >= slot->delivered_seen && delivered <= slot->keeper->journal.published)
		return delivered;
	pm_keeper_say(slot->keeper,
		      "handler '%s' has overwritten its cursor; it gets events again from number "
		      "%llu on",
		      slot->config->name, (unsigned long long)slot->delivered_seen + 1);
	atomic_store(&slot->page->delivered, slot->delivered_seen);
	return slot->delivered_seen;
}

/* Waits longer after each death in a row; one that got on with its work, or lived for a while,
 * begins a new row. In the drain there is no time to lose. */
static void start_later(struct pm_keeper_slot *slot)
{
	uint64_t delivered = delivered_of(slot);

	if (delivered != slot->delivered_seen ||
	    pm_clock_monotonic() - slot->started_ns >= STABLE_AFTER)
		slot->failures = 0;
	slot->delivered_seen = delivered;
	unsigned failures = slot->keeper->draining ? 0 : slot->failures++;
	pm_timer_set(slot->keeper->loop, &slot->backoff, pm_backoff_ms(failures) * PM_NS_PER_MS);
}

static void on_backoff(struct pm_timer *timer)
{
	struct pm_keeper_slot *slot = timer->owner;
	struct pm_error error;

	if (pm_slot_start(slot, &error) == 0)
		return;
	pm_keeper_say(slot->keeper, "%s", error.text);
	if (!slot->running)
		start_later(slot);
}

void pm_slot_message(const struct pm_keeper_slot *slot, char *text, size_t size)
{
	const struct pm_keeper_mode *mode = &slot->keeper->mode;
	/* What was too much for the page is beside it. */
	bool beside =
		mode->purpose == PM_HOST_CHECK && mode->room > 0 && slot->page->message[0] == '\0';
	size_t length = beside ? mode->room : sizeof(slot->page->message);

	if (length > size)
		length = size;
	memcpy(text, beside ? pm_slot_room(slot) : slot->page->message, length);
	text[length - 1] = '\0';
	/* It may hold anything. */
	for (char *c = text; *c != '\0'; c++)
		if (((unsigned char)*c < ' ' && *c != '\n') || *c == 0x7f)
			*c = '?';
}

char *pm_slot_room(const struct pm_keeper_slot *slot)
{
	const struct pm_keeper *keeper = slot->keeper;

	return (char *)slot->page + keeper->page_size - keeper->mode.room;
}

/* Prints the lines that a host left on its page. */
static void report_message(struct pm_keeper_slot *slot)
{
	size_t size = sizeof(slot->page->message) + slot->keeper->mode.room;
	pm_autofree char *text = malloc(size);
	char *rest = text;
	char *line;

	if (text != NULL)
		pm_slot_message(slot, text, size);
	while ((line = strsep(&rest, "\n")) != NULL) {
		pm_output_clean(line, strlen(line));
		pm_keeper_say(slot->keeper, "%s", line);
	}
}

void pm_slot_describe_end(const struct pm_keeper_slot *slot, char *text, size_t size)
{
	int status = slot->status;

	if (WIFSIGNALED(status))
		snprintf(text, size, "was killed by %s", pm_signal_name(WTERMSIG(status)));
	else
		snprintf(text, size, "left with exit status %d", WEXITSTATUS(status));
}

static void give_up(struct pm_keeper_slot *slot)
{
	bool trial = is_on_trial(slot->keeper);

	slot->gone = true;
	if (slot->keeper->starting && (slot->config->required || trial))
		slot->keeper->refused++;
	else if (!slot->keeper->draining && !trial)
		pm_keeper_say(slot->keeper, "handler '%s': going on without it",
			      slot->config->name);
}

/* It may have had one in hand that is in no journal: process.recovered. */
static bool has_delivered_all(struct pm_keeper_slot *slot)
{
	return delivered_of(slot) == slot->keeper->journal.published &&
	       atomic_load(&slot->page->trying) == 0 && atomic_load(&slot->page->flush_deaths) == 0;
}

static void on_ended(struct pm_child *child, int status, const struct rusage *usage)
{
	struct pm_keeper_slot *slot = child->owner;
	struct pm_keeper *keeper = slot->keeper;
	enum pm_host_state state = pm_slot_state(slot);
	char how[64];

	(void)usage;
	slot->running = false;
	note_pid(slot, 0);
	slot->status = status;
	/* What the plugin has forked must not outlive it: it may hold the command's output open. */
	kill(-child->pid, SIGKILL);
	pm_timer_clear(keeper->loop, &slot->watch);
	hang_up(slot);
	pm_output_close(&slot->output);
	look_for_losses(slot);
	pm_slot_describe_end(slot, how, sizeof(how));
	if ((state == PM_HOST_DRAINED && keeper->draining) || state == PM_HOST_CHECKED ||
	    (slot->gone && is_on_trial(keeper))) {
		slot->gone = true;
	} else if (state == PM_HOST_REFUSED) {
		report_message(slot);
		give_up(slot);
	} else if (state == PM_HOST_DEAD) {
		pm_keeper_say(keeper, "handler '%s' has ended itself", slot->config->name);
		give_up(slot);
	} else if (keeper->starting && state == PM_HOST_STARTING) {
		pm_keeper_say(keeper,
			      "%s: [handler:%s] its host %s while it was being loaded; mend or "
			      "remove the handler, or set required = no",
			      slot->config->where, slot->config->name, how);
		give_up(slot);
	} else if (keeper->draining && has_delivered_all(slot)) {
		pm_keeper_say(keeper, "handler '%s': its host %s as it ended; it had delivered all",
			      slot->config->name, how);
		slot->gone = true;
	} else if (is_on_trial(keeper)) {
		slot->gone = true;
	} else if (!slot->gone) {
		pm_keeper_say(keeper, "handler '%s': its host %s; starting it again",
			      slot->config->name, how);
		start_later(slot);
	}
}

void pm_slot_open(struct pm_keeper_slot *slot, struct pm_keeper *keeper,
		  const struct pm_config_handler *config, struct pm_host_page *page)
{
	*slot = (struct pm_keeper_slot){
		.keeper = keeper,
		.config = config,
		.page = page,
		.child = {.ended = on_ended, .owner = slot},
		.socket = {.fd = -1, .ready = on_message, .owner = slot},
		.output = {.print = print_output, .arg = slot},
		.losses = {.due = on_losses, .owner = slot},
		.backoff = {.due = on_backoff, .owner = slot},
		.watch = {.due = on_watch, .owner = slot},
	};
}

void pm_slot_nudge(struct pm_keeper_slot *slot)
{
	if (!slot->running || slot->socket.fd < 0)
		return;
	watch(slot);
	/* Never waits: a full socket holds wake-ups enough. */
	send(slot->socket.fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void pm_slot_wake(struct pm_keeper_slot *slot)
{
	watch(slot);
	if (atomic_load(&slot->page->asleep) != 0)
		pm_slot_nudge(slot);
}

/* With its group: a plugin may have forked. */
void pm_slot_kill(struct pm_keeper_slot *slot)
{
	slot->gone = true;
	pm_timer_clear(slot->keeper->loop, &slot->backoff);
	if (!slot->running)
		return;
	kill(slot->child.pid, SIGKILL);
	kill(-slot->child.pid, SIGKILL);
}

void pm_slot_close(struct pm_keeper_slot *slot)
{
	pm_timer_clear(slot->keeper->loop, &slot->backoff);
	pm_timer_clear(slot->keeper->loop, &slot->watch);
	pm_timer_clear(slot->keeper->loop, &slot->losses);
	pm_output_close(&slot->output);
	hang_up(slot);
}
