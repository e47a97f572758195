#include <config.h>

#include "handler/slot.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/signals.h"
#include "handler/deliver.h"
#include "process/spawn.h"

#define STABLE_AFTER (60 * PM_NS_PER_S)

/* A call is looked at that often within its time limit: it takes no more than one part longer. */
enum { LOOKS = 4 };

/* More messages than that within such a time are not listened to. */
#define STORM_WINDOW (10 * PM_NS_PER_MS)
enum { STORM_MESSAGES = 8 };

/* From the end of its socket to that of a host that leaves. */
#define LEAVING_TAKES (2 * PM_NS_PER_S)

enum pm_host_state pm_slot_state(const struct pm_keeper_slot *slot)
{
	return atomic_load(&slot->page->state);
}

bool pm_slot_is_on_trial(const struct pm_keeper_slot *slot)
{
	const struct pm_keeper_mode *mode = &slot->keeper->mode;

	return mode->test || mode->purpose != PM_HOST_DELIVER;
}

bool pm_slot_has_drained(const struct pm_keeper_slot *slot)
{
	/* A plugin may have written that there. */
	return slot->keeper->draining && pm_slot_state(slot) == PM_HOST_DRAINED &&
	       atomic_load(&slot->page->delivered) == slot->keeper->journal.published;
}

static void hang_up(struct pm_keeper_slot *slot)
{
	if (slot->socket.fd < 0)
		return;
	pm_timer_clear(slot->keeper->loop, &slot->storm);
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
			     slot->config->timeout_ms * PM_NS_PER_MS / LOOKS);
}

static void on_storm_over(struct pm_timer *timer)
{
	struct pm_keeper_slot *slot = timer->owner;

	pm_loop_resume(slot->keeper->loop, &slot->socket);
}

/* A handler can have its host send without end, and panicmon is not as nice as that. The page is all
 * there is to know, and is looked at when the window is over. */
static void limit_messages(struct pm_keeper_slot *slot)
{
	int64_t now = pm_clock_monotonic();

	if (now - slot->messages_since_ns >= STORM_WINDOW) {
		slot->messages_since_ns = now;
		slot->messages = 0;
	}
	if (++slot->messages < STORM_MESSAGES)
		return;
	pm_loop_pause(slot->keeper->loop, &slot->socket);
	pm_timer_set(slot->keeper->loop, &slot->storm, STORM_WINDOW);
}

static void on_message(struct pm_source *source)
{
	struct pm_keeper_slot *slot = source->owner;
	char message[64];

	/* Only a nudge: the page says the rest. At EOF, SIGCHLD follows, unless the plugin has closed what
	 * is not its own: no event would reach it any more. */
	if (recv(source->fd, message, sizeof(message), MSG_DONTWAIT) == 0) {
		hang_up(slot);
		pm_timer_set(slot->keeper->loop, &slot->watch, LEAVING_TAKES);
		return;
	}
	limit_messages(slot);
	watch(slot); /* it calls the plugin on its own */
	pm_slot_look_for_losses(slot);
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

	slot->started_ns = pm_clock_monotonic();
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
	if (fork_host(slot, theirs, output) < 0) {
		pm_error_set(error, errno, "cannot start a host for handler '%s'",
			     slot->config->name);
		pm_output_close(&slot->output);
		pm_close(&slot->socket.fd);
		return -1;
	}
	slot->running = true;
	note_pid(slot, slot->child.pid);
	slot->stuck_looks = 0;
	watch(slot);
	if (pm_children_add(keeper->children, &slot->child, error) < 0)
		return -1;
	return pm_loop_add(keeper->loop, &slot->socket, error);
}

/* Whether a message waits for the host to wake up, unix(7): it is stopped, or blocked in what the plugin
 * does outside of calls. */
static bool is_deaf(const struct pm_keeper_slot *slot)
{
	int unread = 0;

	return slot->socket.fd >= 0 && ioctl(slot->socket.fd, SIOCOUTQ, &unread) == 0 && unread > 0;
}

/* Whether it has been stuck in the same place for as long as `timeout`. The looks at it are counted: the time
 * between two of them may be one in which neither it nor panicmon was let run, as in a container that is
 * paused. */
static bool is_late(struct pm_keeper_slot *slot, uint64_t progress)
{
	if (progress != slot->stuck_at)
		slot->stuck_looks = 0;
	slot->stuck_at = progress;
	return slot->stuck_looks++ >= LOOKS;
}

/* A call into the plugin may take as long as `timeout`, and so may waking up. Then the host is killed; the
 * event comes again in the next one. */
static void on_watch(struct pm_timer *timer)
{
	struct pm_keeper_slot *slot = timer->owner;
	uint64_t calls = atomic_load(&slot->page->calls);
	uint64_t progress = calls + atomic_load(&slot->page->delivered);
	bool in_call = calls % 2 != 0, deaf = !in_call && is_deaf(slot), stuck = in_call || deaf;

	if (!slot->running)
		return;
	if (slot->socket.fd < 0) {
		pm_keeper_say(slot->keeper,
			      "handler '%s' has closed its channel to panicmon; its host is killed",
			      slot->config->name);
		kill(slot->child.pid, SIGKILL);
		return;
	}
	if (stuck && is_late(slot, progress)) {
		pm_keeper_say(slot->keeper, "handler '%s' has not %s for %lld ms",
			      slot->config->name, deaf ? "woken up" : "returned",
			      (long long)slot->config->timeout_ms);
		slot->late = true;
		kill(slot->child.pid, SIGKILL);
		return;
	}
	if (!stuck)
		slot->stuck_looks = 0;
	if (stuck || atomic_load(&slot->page->asleep) == 0)
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

/* Waits longer after each death in a row, which ends with a host that lived for a while. One that got on
 * with its work does not end it: it may die of each event that it takes. In the drain there is no time to
 * lose. */
static void start_later(struct pm_keeper_slot *slot)
{
	slot->delivered_seen = delivered_of(slot);
	if (pm_clock_monotonic() - slot->started_ns >= STABLE_AFTER)
		slot->failures = 0;
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
	for (char *line = text; *line != '\0'; line += strspn(line, "\n")) {
		size_t line_length = strcspn(line, "\n");

		pm_output_clean(line, line_length);
		line += line_length;
	}
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
	while ((line = strsep(&rest, "\n")) != NULL)
		pm_keeper_say(slot->keeper, "%s", line);
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
	bool trial = pm_slot_is_on_trial(slot);

	slot->gone = true;
	if (slot->keeper->starting && (slot->config->required || trial))
		slot->keeper->refused++;
	else if (!slot->keeper->draining && !trial)
		pm_keeper_say(slot->keeper, "handler '%s': going on without it",
			      slot->config->name);
}

/* One that has worked may do so again: its file is being replaced, or what it needs is away for a while. */
static void end_refused(struct pm_keeper_slot *slot)
{
	if (!slot->has_worked || slot->gone || slot->keeper->draining) {
		give_up(slot);
		return;
	}
	pm_keeper_say(slot->keeper, "handler '%s': it has worked before and is tried again",
		      slot->config->name);
	start_later(slot);
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
	slot->has_worked = slot->has_worked || state == PM_HOST_READY;
	note_pid(slot, 0);
	slot->status = status;
	/* What the plugin has forked must not outlive it: it may hold the command's output open. */
	kill(-child->pid, SIGKILL);
	pm_timer_clear(keeper->loop, &slot->watch);
	hang_up(slot);
	pm_output_close(&slot->output);
	pm_slot_look_for_losses(slot);
	pm_slot_describe_end(slot, how, sizeof(how));
	if (pm_slot_has_drained(slot) ||
	    (state == PM_HOST_CHECKED && keeper->mode.purpose != PM_HOST_DELIVER) ||
	    (slot->gone && pm_slot_is_on_trial(slot))) {
		slot->gone = true;
	} else if (state == PM_HOST_REFUSED) {
		report_message(slot);
		end_refused(slot);
	} else if (state == PM_HOST_DEAD) {
		pm_keeper_say(keeper, "handler '%s' has ended itself", slot->config->name);
		give_up(slot);
	} else if (keeper->starting && state == PM_HOST_STARTING) {
		pm_keeper_say(
			keeper,
			"%s: [handler:%s] its host %s while it was being loaded or opened; mend "
			"or remove the handler, or set required = no",
			slot->config->where, slot->config->name, how);
		give_up(slot);
	} else if (keeper->draining && has_delivered_all(slot)) {
		pm_keeper_say(keeper, "handler '%s': its host %s as it ended; it had delivered all",
			      slot->config->name, how);
		slot->gone = true;
	} else if (pm_slot_is_on_trial(slot)) {
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
		.storm = {.due = on_storm_over, .owner = slot},
		.losses = {.due = pm_slot_on_losses, .owner = slot},
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
