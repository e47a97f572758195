#include <config.h>

#include "common/json.h"

#include <string.h>

#include "common/cut.h"
#include "common/names.h"
#include "common/utf8.h"

/* One object that is being made. Members keep the order in which they are set (jansson 2.8). */
struct line {
	json_t *object;
	size_t budget;
	size_t flags; /* of json_dump */
	bool truncated;
	bool failed; /* out of memory */
};

enum kind {
	INT32,
	INT64,
	BOOL,
	UID, /* uid_t is unsigned */
	ERRNO,
	SIGNAL,
	SIGNO, /* of signal.* only: in an exit, "signal" and "status" stay side by side */
	REASON,
	TEXT,
	TAIL,
};

static const struct member {
	enum panicmon_field field;
	enum kind kind;
	const char *key;
	size_t offset;
} members[] = {
#define MEMBER(FIELD, kind, key, member)                                                           \
	{                                                                                          \
		PANICMON_HAS_##FIELD, kind, key, offsetof(struct panicmon_event, member)           \
	}
	MEMBER(ERROR, ERRNO, "errno", error),
	MEMBER(CODE, INT32, "code", code),
	MEMBER(SIGNAL, SIGNAL, "signal", signal),
	MEMBER(SIGNAL, SIGNO, "signo", signal),
	MEMBER(STATUS, INT32, "status", status),
	MEMBER(REASON, REASON, "reason", reason),
	MEMBER(CORE, BOOL, "core", core),
	MEMBER(RUNTIME_MS, INT64, "runtime_ms", runtime_ms),
	MEMBER(CPU_USER_US, INT64, "cpu_user_us", cpu_user_us),
	MEMBER(CPU_SYSTEM_US, INT64, "cpu_system_us", cpu_system_us),
	MEMBER(MAX_RSS_KB, INT64, "max_rss_kb", max_rss_kb),
	MEMBER(STOP_REQUESTED, BOOL, "stop_requested", stop_requested),
	MEMBER(STOP_SIGNAL, SIGNAL, "stop_signal", stop_signal),
	MEMBER(STOP_PID, INT32, "stop_pid", stop_pid),
	MEMBER(STOP_UID, UID, "stop_uid", stop_uid),
	MEMBER(SENDER_PID, INT32, "sender_pid", sender_pid),
	MEMBER(SENDER_UID, UID, "sender_uid", sender_uid),
	MEMBER(SENDER_COMMAND, TEXT, "sender_command", sender_command),
	MEMBER(SI_CODE, INT32, "si_code", si_code),
	MEMBER(VALUE, INT32, "value", value),
	MEMBER(TARGET_PID, INT32, "target_pid", target_pid),
	MEMBER(INSTANCE, INT32, "instance", instance),
	MEMBER(HANDLER, TEXT, "handler", handler),
	MEMBER(LOST, INT64, "lost", lost),
	MEMBER(DROPPED, INT64, "dropped", dropped),
	MEMBER(TEST, BOOL, "test", test),
	MEMBER(INCIDENT, TEXT, "incident", incident),
	MEMBER(CRASHES, INT64, "crashes", crashes),
	MEMBER(STDERR_TAIL, TAIL, "stderr_tail", stderr_tail),
#undef MEMBER
};
enum { MEMBER_COUNT = sizeof(members) / sizeof(members[0]) };

static void set(struct line *line, const char *key, json_t *value)
{
	if (json_object_set_new_nocheck(line->object, key, value) < 0)
		line->failed = true;
}

static void set_word(struct line *line, const char *key, const char *word)
{
	set(line, key, json_string_nocheck(word));
}

static void set_number(struct line *line, const char *key, int64_t number)
{
	set(line, key, json_integer(number));
}

/* jansson takes valid UTF-8 only, and escapes no control but those of ASCII: all that is not ASCII
 * is escaped in a line with any other. */
static json_t *text_value(struct line *line, const char *text, size_t length)
{
	struct pm_common_utf8 found = pm_common_utf8_scan(text, length);
	struct pm_common_buffer clean = {0};

	if (found.controls)
		line->flags |= JSON_ENSURE_ASCII;
	if (found.valid)
		return json_stringn_nocheck(text, length);
	pm_common_utf8_clean(&clean, text, length);
	json_t *value = clean.failed ? NULL : json_stringn_nocheck(clean.data, clean.length);
	pm_common_buffer_free(&clean);
	return value;
}

/* text[0, length), of which the cut ends are shown by an ellipsis. */
static json_t *cut_value(struct line *line, const char *before, const char *text, size_t length,
			 const char *after)
{
	struct pm_common_buffer cut = {0};

	line->truncated = true;
	pm_common_puts(&cut, before);
	pm_common_put(&cut, text, length);
	pm_common_puts(&cut, after);
	json_t *value = cut.failed ? NULL : text_value(line, cut.data, cut.length);
	pm_common_buffer_free(&cut);
	return value;
}

/* A name: short, unless somebody chose otherwise. */
static void set_text(struct line *line, const char *key, const char *text)
{
	if (text == NULL)
		return;
	size_t length = strlen(text);
	size_t kept = pm_common_utf8_head(text, length, pm_common_cut_name(line->budget));
	if (kept == length)
		set(line, key, text_value(line, text, length));
	else
		set(line, key, cut_value(line, "", text, kept, PM_COMMON_ELLIPSIS));
}

/* Half of the budget at most: the arguments need some as well. The end is what tells the cause. */
static void set_tail(struct line *line, const char *key, const char *text)
{
	if (text == NULL)
		return;
	size_t length = strlen(text);
	size_t kept = pm_common_utf8_tail(text, length, line->budget / 2);
	if (kept == length)
		set(line, key, text_value(line, text, length));
	else
		set(line, key, cut_value(line, PM_COMMON_ELLIPSIS, text + length - kept, kept, ""));
	line->budget -= kept;
}

/* An argument that does not fit is cut, and the rest left out. */
static json_t *args_value(struct line *line, const struct panicmon_event *event)
{
	enum { QUOTES_AND_COMMA = 3 };
	json_t *array = json_array();
	bool whole = true;

	for (uint32_t i = 0; whole && i < event->argc && event->args[i] != NULL; i++) {
		const char *text = event->args[i];
		size_t length = strlen(text);
		size_t kept = pm_common_utf8_head(text, length, line->budget);

		whole = kept == length && length + QUOTES_AND_COMMA <= line->budget;
		json_t *value = whole ? text_value(line, text, length)
				      : cut_value(line, "", text, kept, PM_COMMON_ELLIPSIS);
		if (json_array_append_new(array, value) < 0)
			line->failed = true;
		line->budget -= whole ? length + QUOTES_AND_COMMA : kept;
	}
	return array;
}

static void set_errno(struct line *line, int32_t code)
{
	char name[PM_COMMON_NAME_SIZE];

	set_word(line, "errno", pm_common_errno_name(code, name));
	set_word(line, "error", pm_common_errno_text(code));
}

static void set_origin(struct line *line, const struct panicmon_event *event)
{
	set_text(line, "run", event->run);
	set_text(line, "name", event->name);
	set_text(line, "host", event->host);
}

static void set_head(struct line *line, int64_t time_ns, const char *name, uint32_t severity)
{
	char time[PM_COMMON_TIME_SIZE];

	set_word(line, "time", pm_common_time(time_ns, 6, time));
	set_word(line, "event", name);
	set_word(line, "severity", pm_common_severity_name(severity));
}

static void set_member(struct line *line, const struct panicmon_event *event,
		       const struct member *member)
{
	const void *at = (const char *)event + member->offset;
	char name[PM_COMMON_NAME_SIZE];

	switch (member->kind) {
	case INT32:
		set_number(line, member->key, *(const int32_t *)at);
		break;
	case INT64:
		set_number(line, member->key, *(const int64_t *)at);
		break;
	case BOOL:
		set(line, member->key, json_boolean(*(const int32_t *)at != 0));
		break;
	case UID:
		set_number(line, member->key, (uint32_t) * (const int32_t *)at);
		break;
	case ERRNO:
		set_errno(line, *(const int32_t *)at);
		break;
	case SIGNAL:
		set_word(line, member->key, pm_common_signal_name(*(const int32_t *)at, name));
		break;
	case SIGNO:
		if (event->type >= PANICMON_SIGNAL_RECEIVED)
			set_number(line, member->key, *(const int32_t *)at);
		break;
	case REASON:
		set_word(line, member->key, pm_common_reason_name(*(const int32_t *)at));
		break;
	case TEXT:
		set_text(line, member->key, *(const char *const *)at);
		break;
	case TAIL:
		set_tail(line, member->key, *(const char *const *)at);
		break;
	}
}

static void set_event(struct line *line, const struct panicmon_event *event)
{
	set_head(line, event->time_ns, pm_common_event_name(event->type), event->severity);
	set_number(line, "seq", (int64_t)event->seq);
	set_origin(line, event);
	if (event->pid != 0)
		set_number(line, "pid", event->pid);
	for (size_t i = 0; i < MEMBER_COUNT; i++)
		if (panicmon_event_has(event, members[i].field))
			set_member(line, event, &members[i]);
	if (event->attempt > 1)
		set_number(line, "attempt", event->attempt);
	json_t *args = event->args != NULL ? args_value(line, event) : NULL;
	if (line->truncated)
		set(line, "truncated", json_true());
	if (event->args != NULL)
		set(line, "args", args);
}

static int append(const char *text, size_t length, void *out)
{
	pm_common_put(out, text, length);
	return 0;
}

json_t *pm_common_json_text(const char *text, size_t length, size_t *flags)
{
	struct line line = {.flags = *flags};
	json_t *value = text_value(&line, text, length);

	*flags = line.flags;
	return value;
}

json_t *pm_common_json_event(const struct panicmon_event *event, size_t budget, size_t *flags)
{
	struct line line = {.object = json_object(), .budget = budget, .flags = *flags};

	line.failed = line.object == NULL;
	set_event(&line, event);
	*flags = line.flags;
	if (!line.failed)
		return line.object;
	json_decref(line.object);
	return NULL;
}

void pm_common_json_dump(struct pm_common_buffer *out, json_t *value, size_t flags)
{
	if (value == NULL || json_dump_callback(value, append, out, flags) < 0)
		out->failed = true;
	json_decref(value);
}
