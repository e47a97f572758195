#include <config.h>

#include "environment.h"

#include <ctype.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/names.h"
#include "words.h"

#define PREFIX "PANICMON_"

struct environment {
	char **entries;
	size_t count, size;
	bool failed; /* out of memory */
};

/* Takes an entry of malloc(3). */
static void add(struct environment *environment, char *entry)
{
	if (entry == NULL || environment->count + 1 >= environment->size) {
		environment->failed = true;
		free(entry);
		return;
	}
	environment->entries[environment->count++] = entry;
}

static void add_variable(struct environment *environment, const char *name, const char *value)
{
	char *entry = NULL;

	if (asprintf(&entry, "%s=%s", name, value) < 0)
		entry = NULL;
	add(environment, entry);
}

/* Of another event, if a hook has started this panicmon; or of descriptors that the program does not
 * get (sd_listen_fds(3)). The config is one that the program may want to ask about. */
static bool is_handed_on(const char *entry)
{
	static const char *const others[] = {"EXIT_CODE=",  "EXIT_STATUS=", "SERVICE_RESULT=",
					     "LISTEN_PID=", "LISTEN_FDS=",  "LISTEN_FDNAMES="};

	if (strncmp(entry, PREFIX, strlen(PREFIX)) == 0)
		return strncmp(entry, PREFIX "CONFIG=", strlen(PREFIX "CONFIG=")) == 0;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strncmp(entry, others[i], strlen(others[i])) == 0)
			return false;
	return true;
}

static void add_base(struct environment *environment, const char *const *base)
{
	for (; *base != NULL; base++)
		if (is_handed_on(*base))
			add(environment, strdup(*base));
}

/* Words that a shell takes back by eval "set -- $PANICMON_ARGS". */
static void put_words(struct pm_common_buffer *out, json_t *array)
{
	json_t *value;
	size_t i;

	json_array_foreach(array, i, value)
	{
		if (i > 0)
			pm_common_puts(out, " ");
		pm_exec_words_quote(out, json_string_value(value));
	}
}

static void put_value(struct pm_common_buffer *out, json_t *value)
{
	if (json_is_string(value))
		pm_common_put(out, json_string_value(value), json_string_length(value));
	else if (json_is_integer(value))
		pm_common_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_boolean(value))
		pm_common_puts(out, json_is_true(value) ? "1" : "0");
	else
		put_words(out, value);
}

static void add_member(struct environment *environment, const char *key, json_t *value)
{
	struct pm_common_buffer entry = {0};

	pm_common_puts(&entry, PREFIX);
	for (const char *c = key; *c != '\0'; c++)
		pm_common_put(&entry, &(char){(char)toupper((unsigned char)*c)}, 1);
	pm_common_puts(&entry, "=");
	put_value(&entry, value);
	pm_common_put(&entry, "", 1);
	if (entry.failed)
		pm_common_buffer_free(&entry);
	add(environment, entry.data);
}

static void add_members(struct environment *environment, json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) add_member(environment, key, value);
}

/* Those that end a service in order, see systemd.service(5), SuccessExitStatus=. */
static bool is_clean(int32_t signal)
{
	return signal == SIGHUP || signal == SIGINT || signal == SIGTERM || signal == SIGPIPE;
}

static const char *service_result(const struct panicmon_event *event)
{
	if (event->type == PANICMON_PROCESS_FAILED)
		return "resources";
	if (event->reason == PANICMON_REASON_OOM_KILLED)
		return "oom-kill";
	if (event->reason == PANICMON_REASON_STOP_TIMEOUT)
		return "timeout";
	if (!panicmon_event_has(event, PANICMON_HAS_SIGNAL))
		return event->code == 0 ? "success" : "exit-code";
	if (event->core != 0)
		return "core-dump";
	return is_clean(event->signal) ? "success" : "signal";
}

static void add_exit(struct environment *environment, const struct panicmon_event *event)
{
	char text[PM_COMMON_NAME_SIZE];

	if (panicmon_event_has(event, PANICMON_HAS_SIGNAL)) {
		add_variable(environment, "EXIT_CODE", event->core != 0 ? "dumped" : "killed");
		add_variable(environment, "EXIT_STATUS",
			     pm_common_signal_name(event->signal, text) + strlen("SIG"));
		return;
	}
	snprintf(text, sizeof(text), "%" PRId32, event->code);
	add_variable(environment, "EXIT_CODE", "exited");
	add_variable(environment, "EXIT_STATUS", text);
}

static void add_systemd(struct environment *environment, const struct panicmon_event *event)
{
	if (event->type == PANICMON_PROCESS_EXITED)
		add_exit(environment, event);
	if (event->type == PANICMON_PROCESS_EXITED || event->type == PANICMON_PROCESS_FAILED)
		add_variable(environment, "SERVICE_RESULT", service_result(event));
}

static size_t count_entries(const char *const *entries)
{
	size_t count = 0;

	while (entries[count] != NULL)
		count++;
	return count;
}

char **pm_exec_environment_make(const char *const *base, const struct panicmon_event *event,
				size_t budget)
{
	enum { SYSTEMD = 3, END = 1 };
	size_t flags = PM_COMMON_JSON_FLAGS;
	json_t *object = pm_common_json_event(event, budget, &flags);
	struct environment environment = {
		.size = count_entries(base) + json_object_size(object) + SYSTEMD + END,
		.failed = object == NULL,
	};

	environment.entries = calloc(environment.size, sizeof(*environment.entries));
	if (environment.entries == NULL) {
		json_decref(object);
		return NULL;
	}
	add_base(&environment, base);
	add_members(&environment, object);
	add_systemd(&environment, event);
	json_decref(object);
	if (!environment.failed)
		return environment.entries;
	pm_exec_environment_free(environment.entries);
	return NULL;
}

void pm_exec_environment_free(char **environment)
{
	for (size_t i = 0; environment != NULL && environment[i] != NULL; i++)
		free(environment[i]);
	free(environment);
}
