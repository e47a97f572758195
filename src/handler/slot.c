#include <config.h>

#include "handler/slot.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
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
	madvise(slot->page, keeper->page_size, MADV_DOFORK);
	slot->child.pid = pm_spawn_role(pm_host_main, &setup);
	int saved = errno;
	madvise(slot->page, keeper->page_size, MADV_DONTFORK);
	errno = saved;
	return slot->child.pid < 0 ? -1 : 0;
}

static void watch(struct pm_keeper_slot *slot)
{
	if (slot->running && !slot->watch.set && slot->config->timeout_ms > 0)
		pm_timer_set(slot->keeper->loop, &slot->watch,
			     slot->config->timeout_ms * PM_NS_PER_MS);
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
		pm_keeper_say(slot->keeper, "%s", line);
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
		pm_keeper_say(slot->keeper, "handler '%s': going on without it",
			      slot->config->name);
}

static void on_ended(struct pm_child *child, int status, const struct rusage *usage)
{
	struct pm_keeper_slot *slot = child->owner;
	struct pm_keeper *keeper = slot->keeper;
	enum pm_host_state state = pm_slot_state(slot);
	char how[64];

	(void)usage;
	slot->running = false;
	/* What the plugin has forked must not outlive it: it may hold the command's output open. */
	kill(-child->pid, SIGKILL);
	pm_timer_clear(keeper->loop, &slot->watch);
	hang_up(slot);
	describe(how, sizeof(how), status);
	if (state == PM_HOST_DRAINED && keeper->draining) {
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
	} else if (keeper->draining && delivered_of(slot) == keeper->journal.published) {
		pm_keeper_say(keeper, "handler '%s': its host %s as it ended; it had delivered all",
			      slot->config->name, how);
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
	hang_up(slot);
}
