#include <config.h>

#include "plugin_rig.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct panicmon_handler *handler;

int load_handler(const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.so", PM_PLUGINS, name);
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (object != NULL)
		handler = dlsym(object, PANICMON_HANDLER_SYMBOL);
	if (handler == NULL)
		fprintf(stderr, "%s: %s\n", path, dlerror());
	return handler != NULL ? 0 : -1;
}

/* ---- the host ---- */

static struct rig *rig_of(const struct panicmon_host *host)
{
	return (struct rig *)(uintptr_t)host;
}

static int host_fail(const struct panicmon_host *host, const char *text)
{
	snprintf(rig_of(host)->failure, sizeof(rig_of(host)->failure), "%s", text);
	return -1;
}

static void host_log(const struct panicmon_host *host, uint32_t severity, const char *text)
{
	struct rig *rig = rig_of(host);

	ck_assert_uint_eq(severity, PANICMON_WARNING);
	ck_assert_int_lt(rig->said_count, RIG_SAID_MAX);
	snprintf(rig->said[rig->said_count++], sizeof(rig->said[0]), "%s", text);
}

static void host_alive(const struct panicmon_host *host)
{
	(void)host;
}

static void host_retry_in(const struct panicmon_host *host, uint32_t delay_ms)
{
	rig_of(host)->retry_ms = delay_ms;
}

static void host_tick_in(const struct panicmon_host *host, uint32_t delay_ms)
{
	rig_of(host)->tick_ms = delay_ms;
}

/* ---- options ---- */

static int64_t choice_of(const struct panicmon_option *option, const char *text)
{
	int64_t index = 0;

	while (option->choices[index] != NULL && strcmp(option->choices[index], text) != 0)
		index++;
	ck_assert_msg(option->choices[index] != NULL, "%s is no choice of %s", text, option->name);
	return index;
}

static int64_t number_of(const struct panicmon_option *option, const char *text)
{
	switch (option->type) {
	case PANICMON_CHOICE:
		return choice_of(option, text);
	case PANICMON_BOOL:
		return strcmp(text, "yes") == 0;
	case PANICMON_DURATION:
		return atoi(text) * INT64_C(1000);
	case PANICMON_TEXT:
		return 0;
	default:
		return atoi(text);
	}
}

static void set_value(struct rig *rig, uint32_t index, const char *text, uint32_t given)
{
	rig->values[index] = (struct panicmon_value){
		.text = text,
		.given = given,
		.number = text == NULL ? 0 : number_of(&handler->options[index], text),
	};
}

static uint32_t find_option(const char *name, size_t length)
{
	for (uint32_t i = 0; i < handler->option_count; i++)
		if (strncmp(handler->options[i].name, name, length) == 0 &&
		    handler->options[i].name[length] == '\0')
			return i;
	ck_abort_msg("no option %s", name);
}

/* ---- the rig ---- */

void rig_make(struct rig *rig, const char *const *options)
{
	*rig = (struct rig){
		.host =
			{
				.size = sizeof(struct panicmon_host),
				.major = PANICMON_HANDLER_MAJOR,
				.minor = PANICMON_HANDLER_MINOR,
				.handler = handler->name,
				.service = "api",
				.log = host_log,
				.fail = host_fail,
				.alive = host_alive,
				.retry_in = host_retry_in,
				.tick_in = host_tick_in,
				.output = STDOUT_FILENO,
				.errors = STDERR_FILENO,
			},
	};
	ck_assert_uint_le(handler->option_count, sizeof(rig->values) / sizeof(rig->values[0]));
	for (uint32_t i = 0; i < handler->option_count; i++)
		set_value(rig, i, handler->options[i].value, 0);
	for (; *options != NULL; options++) {
		size_t length = strcspn(*options, "=");

		set_value(rig, find_option(*options, length), *options + length + 1, 1);
	}
}

int rig_check(struct rig *rig)
{
	return handler->check(&rig->host, rig->values);
}

int rig_open(struct rig *rig)
{
	ck_assert_msg(rig_check(rig) == 0, "%s", rig->failure);
	return handler->open(&rig->host, rig->values, &rig->self);
}

void rig_close(struct rig *rig)
{
	handler->close(rig->self, PANICMON_DRAIN);
}

int rig_send(struct rig *rig, const struct panicmon_event *event)
{
	switch (event->type) {
	case PANICMON_PROCESS_FAILED:
		return handler->process->failed(rig->self, event);
	case PANICMON_PROCESS_EXITED:
		return handler->process->exited(rig->self, event);
	case PANICMON_SIGNAL_RECEIVED:
		return handler->signal->received(rig->self, event);
	case PANICMON_SIGNAL_PASSED:
		return handler->signal->passed(rig->self, event);
	case PANICMON_SIGNAL_FAILED:
		return handler->signal->failed(rig->self, event);
	case PANICMON_HANDLER_LOST:
		return handler->monitor->lost(rig->self, event);
	default:
		return handler->process->started(rig->self, event);
	}
}
