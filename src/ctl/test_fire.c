#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/value.h"
#include "ctl/command.h"
#include "ctl/look.h"
#include "ctl/sample.h"
#include "ctl/session.h"
#include "ctl/table.h"
#include "front/print.h"
#include "handler/filter.h"
#include "panicmon/handler.h"

static void print_mistake(void *arg, const char *text)
{
	(void)arg;
	pm_front_print(text);
}

/* Once all are ready, the table tells what became of them. */
static void report(void *arg, const char *handler, const char *text)
{
	const bool *firing = arg;

	if (handler != NULL || !*firing)
		pm_front_print_of(handler, text);
}

struct answer {
	bool good;
	char text[1200];
};

/* "WHAT: REASON", with what the plugin gave for one. */
static void say(struct answer *answer, const struct pm_keeper_slot *slot, const char *what)
{
	char reason[1024];

	pm_slot_message(slot, reason, sizeof(reason));
	for (char *c = reason; *c != '\0'; c++)
		if (*c == '\n')
			*c = ' ';
	snprintf(answer->text, sizeof(answer->text), "%s%s%s", what, reason[0] != '\0' ? ": " : "",
		 reason);
}

static void say_ended(struct answer *answer, const struct pm_keeper_slot *slot, const char *what)
{
	char how[64];

	pm_slot_describe_end(slot, how, sizeof(how));
	snprintf(answer->text, sizeof(answer->text), "%s: its process %s", what, how);
}

/* Whether its host has fallen, by itself or because it took too long: "BEFOREcrashedAFTER: ...". */
static bool say_if_fallen(struct answer *answer, const struct pm_keeper_slot *slot,
			  const char *before, const char *after)
{
	enum pm_host_state state = atomic_load(&slot->page->state);
	char what[64];

	if (state == PM_HOST_DRAINED || state == PM_HOST_DEAD)
		return false;
	snprintf(what, sizeof(what), "%s%s%s", before, slot->late ? "timed out" : "crashed", after);
	if (slot->late)
		snprintf(answer->text, sizeof(answer->text), "%s", what);
	else
		say_ended(answer, slot, what);
	return true;
}

static void say_of_held(struct answer *answer, const struct pm_keeper_slot *slot)
{
	bool flushed = atomic_load(&slot->page->delivered) > 0;

	switch (atomic_load(&slot->page->flush_answer)) {
	case PANICMON_DONE:
		answer->good = flushed;
		if (flushed)
			snprintf(answer->text, sizeof(answer->text), "held and flushed");
		else if (!say_if_fallen(answer, slot, "held, ", " in flush()"))
			snprintf(answer->text, sizeof(answer->text), "held, and not flushed");
		break;
	case PANICMON_RETRY:
		say(answer, slot, "held; flush() asked to retry");
		break;
	case PANICMON_DEAD:
		say(answer, slot, "held; dead in flush()");
		break;
	default:
		say(answer, slot, "held; dropped in flush()");
	}
}

static void say_answer(struct answer *answer, const struct pm_keeper_slot *slot)
{
	int result = atomic_load(&slot->page->answer);
	char what[64];

	switch (result) {
	case PANICMON_DONE:
		answer->good = true;
		if (!say_if_fallen(answer, slot, "delivered, then ", ""))
			say(answer, slot, "delivered");
		break;
	case PANICMON_HELD:
		say_of_held(answer, slot);
		break;
	case PANICMON_RETRY:
		say(answer, slot, "asked to retry");
		break;
	case PANICMON_DROP:
		say(answer, slot, "dropped");
		break;
	case PANICMON_DEAD:
		say(answer, slot, "dead");
		break;
	default:
		snprintf(what, sizeof(what), "returned %d, which is no result", result);
		say(answer, slot, what);
	}
}

static const char *why_not(const struct pm_host_page *page)
{
	static const char *const reasons[] = {
		[PM_FILTER_PASSES] = "not interested in",
		[PM_FILTER_EVENTS] = "its `events` leave out",
		[PM_FILTER_WHEN] = "its `when = failure` leaves out",
	};
	uint32_t filtered = atomic_load(&page->filtered);

	return reasons[filtered < sizeof(reasons) / sizeof(reasons[0]) ? filtered : 0];
}

static struct answer answer_of(const struct pm_keeper_slot *slot, const char *event)
{
	const struct pm_host_page *page = slot->page;
	enum pm_host_state state = atomic_load(&page->state);
	struct answer answer = {.good = false};

	if (atomic_load(&page->answered) != 0) {
		say_answer(&answer, slot);
	} else if (state == PM_HOST_REFUSED) {
		snprintf(answer.text, sizeof(answer.text), "refused to open");
	} else if (state == PM_HOST_WAITING) {
		say(&answer, slot, "asked to retry open()");
	} else if (atomic_load(&page->delivered) > 0) {
		answer.good = true;
		snprintf(answer.text, sizeof(answer.text), "%s %s", why_not(page), event);
	} else if (!say_if_fallen(&answer, slot, "",
				  state == PM_HOST_STARTING ? " in open()" : "")) {
		snprintf(answer.text, sizeof(answer.text), "no answer");
	}
	return answer;
}

/* Returns how many have not delivered it; -1: the table is incomplete. */
static int print_answers(const struct pm_keeper *keeper, const char *event)
{
	struct pm_ctl_table table = {.columns = 3};
	int bad = 0;

	for (size_t i = 0; i < keeper->count; i++) {
		const struct pm_keeper_slot *slot = &keeper->slots[i];
		int64_t took_ns = atomic_load(&slot->page->took_ns);
		struct answer answer = answer_of(slot, event);
		char took[32] = "";

		if (atomic_load(&slot->page->answered) != 0)
			snprintf(took, sizeof(took), "%.1f ms", (double)took_ns / 1e6);
		bad += !answer.good;
		pm_ctl_table_add(&table, answer.good ? PM_CTL_FINE : PM_CTL_FAULT,
				 (const char *[]){slot->config->name, took, answer.text});
	}
	if (pm_ctl_table_print(&table) < 0)
		bad = -1;
	pm_ctl_table_free(&table);
	return bad;
}

static int fire(const struct pm_config *config, struct panicmon_event *event)
{
	static struct pm_ctl_session session;
	struct pm_error error;
	bool firing = false;

	if (pm_ctl_session_open(&session, config, (struct pm_keeper_mode){.test = true}, report,
				&firing, &error) < 0) {
		pm_front_print(error.text);
		return PM_CTL_WRONG;
	}
	pm_keeper_wait_ready(&session.keeper);
	firing = true;
	if (config->process.instances > 1)
		PM_EVENT_SET(event, INSTANCE, instance, 1);
	pm_keeper_publish(&session.keeper, event);
	pm_keeper_wake(&session.keeper);
	pm_keeper_wait_answers(&session.keeper);
	pm_keeper_drain(&session.keeper);
	int bad = print_answers(&session.keeper, pm_event_name(event->type));
	pm_ctl_session_close(&session);
	return bad < 0 ? PM_CTL_WRONG : bad > 0 ? PM_CTL_BAD : PM_CTL_GOOD;
}

/* Leaves one handler of the config; NULL: all. `alone` has room for it. */
static int choose(struct pm_config *config, const char *name, struct pm_config_handler *alone,
		  struct pm_error *error)
{
	const struct pm_config_handler *found;
	const char *nearest;

	if (config->handler_count == 0)
		return pm_error_set(error, 0,
				    "the config has no handler; add a section [handler:NAME]");
	if (name == NULL)
		return 0;
	found = pm_ctl_find_handler(config, name);
	if (found != NULL) {
		*alone = *found;
		config->handlers = alone;
		config->handler_count = 1;
		return 0;
	}
	nearest = pm_value_nearest(name, &config->handlers[0].name, config->handler_count,
				   sizeof(config->handlers[0]));
	return pm_error_set(error, 0, "the config has no [handler:%s]; %s%s%s", name,
			    nearest != NULL ? "did you mean '" : "add it, or name another",
			    nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

int pm_ctl_test_fire(const struct pm_ctl_options *options)
{
	struct pm_config config, chosen;
	struct pm_config_handler alone;
	struct panicmon_event event;
	struct pm_error error;
	int status = PM_CTL_BAD;

	if (pm_ctl_sample(options->event != NULL ? options->event : "process.exited", &event,
			  &error) < 0) {
		pm_front_print(error.text);
		return PM_CTL_WRONG;
	}
	if (pm_front_config_read(&config, &options->front, print_mistake, NULL) == 0) {
		chosen = config;
		if (choose(&chosen, options->operand, &alone, &error) == 0)
			status = fire(&chosen, &event);
		else
			pm_front_print(error.text);
	}
	pm_config_free(&config);
	return status;
}
