/* What the log handler writes, byte by byte. */
#include <config.h>

#include "test_log.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD(name, severity)                                                                       \
	"{\"time\":\"2026-11-22T20:14:45.123456Z\",\"event\":\"" name                              \
	"\",\"severity\":\"" severity                                                              \
	"\",\"seq\":7,\"run\":\"0123456789abcdef0123456789abcdef\",\"name\":\"api\","              \
	"\"host\":\"web-1\",\"pid\":1234,"
#define TAIL "\"args\":[\"./api\",\"--port\",\"80\"]}\n"

static struct panicmon_event failed_event(void)
{
	struct panicmon_event event = make_event(PANICMON_PROCESS_FAILED);

	event.severity = PANICMON_ERROR;
	SET(&event, ERROR, error, ENOENT);
	SET(&event, STATUS, status, 127);
	return event;
}

static struct panicmon_event code_event(void)
{
	struct panicmon_event event = make_event(PANICMON_PROCESS_EXITED);

	event.severity = PANICMON_ERROR;
	SET(&event, CODE, code, 3);
	SET(&event, STATUS, status, 3);
	SET(&event, REASON, reason, PANICMON_REASON_EXITED);
	SET(&event, RUNTIME_MS, runtime_ms, 12);
	return event;
}

/* Of one that was asked to stop. */
static struct panicmon_event crash_event(void)
{
	struct panicmon_event event = make_crash();

	SET(&event, STOP_REQUESTED, stop_requested, 1);
	SET(&event, STOP_SIGNAL, stop_signal, SIGTERM);
	SET(&event, STOP_PID, stop_pid, 1);
	SET(&event, STOP_UID, stop_uid, 0);
	SET(&event, STDERR_TAIL, stderr_tail, "panic\nat 0x0\n");
	event.attempt = 2;
	return event;
}

static struct panicmon_event signal_event(enum panicmon_event_type type)
{
	struct panicmon_event event = make_event(type);

	SET(&event, SIGNAL, signal, SIGTERM);
	SET(&event, SENDER_PID, sender_pid, 812);
	SET(&event, SENDER_UID, sender_uid, 1000);
	SET(&event, SENDER_COMMAND, sender_command, "bash");
	SET(&event, SI_CODE, si_code, SI_USER);
	return event;
}

static struct panicmon_event passed_event(void)
{
	struct panicmon_event event = signal_event(PANICMON_SIGNAL_PASSED);

	event.signal = SIGRTMIN + 3;
	event.si_code = SI_QUEUE;
	SET(&event, VALUE, value, 42);
	SET(&event, TARGET_PID, target_pid, -1234);
	return event;
}

static struct panicmon_event unpassed_event(void)
{
	struct panicmon_event event = signal_event(PANICMON_SIGNAL_FAILED);

	event.severity = PANICMON_WARNING;
	SET(&event, TARGET_PID, target_pid, 1234);
	SET(&event, ERROR, error, ESRCH);
	return event;
}

static void assert_line(const char *format, const struct panicmon_event *event, const char *wanted)
{
	struct rig rig;

	OPEN(&rig, "path=log", format, "level=debug");
	ck_assert_int_eq(rig_send(&rig, event), PANICMON_DONE);
	rig_close(&rig);
	char *text = read_file("log", NULL);
	ck_assert_str_eq(text, wanted);
	free(text);
}

static void assert_json(const struct panicmon_event *event, const char *wanted)
{
	json_t *object = parse_line(wanted);

	assert_line("format=json", event, wanted);
	json_t *lines = read_lines("log");
	ck_assert(json_equal(json_array_get(lines, 0), object));
	json_decref(lines);
	json_decref(object);
	ck_assert_int_eq(unlink("log"), 0);
}

static void assert_text(const struct panicmon_event *event, const char *wanted)
{
	assert_line("format=text", event, wanted);
	ck_assert_int_eq(unlink("log"), 0);
}

START_TEST(json_of_processes)
{
	struct panicmon_event event = make_event(PANICMON_PROCESS_STARTED);

	assert_json(&event, HEAD("process.started", "info") TAIL);
	event = failed_event();
	assert_json(&event,
		    HEAD("process.failed", "error") "\"errno\":\"ENOENT\","
						    "\"error\":\"No such file or directory\","
						    "\"status\":127," TAIL);
	event = code_event();
	assert_json(&event, HEAD("process.exited", "error") "\"code\":3,\"status\":3,\"reason\":"
							    "\"exited\",\"runtime_ms\":12," TAIL);
	event = crash_event();
	assert_json(&event,
		    HEAD("process.exited",
			 "fatal") "\"code\":-1,\"signal\":\"SIGSEGV\",\"status\":139,"
				  "\"reason\":\"signaled\",\"core\":true,\"runtime_ms\":61007,"
				  "\"cpu_user_us\":1234567,\"cpu_system_us\":2999,"
				  "\"max_rss_kb\":20480,\"stop_requested\":true,"
				  "\"stop_signal\":\"SIGTERM\",\"stop_pid\":1,\"stop_uid\":0,"
				  "\"stderr_tail\":\"panic\\nat 0x0\\n\",\"attempt\":2," TAIL);
}
END_TEST

START_TEST(json_of_signals)
{
	struct panicmon_event event = signal_event(PANICMON_SIGNAL_RECEIVED);

	assert_json(&event,
		    HEAD("signal.received", "info") "\"signal\":\"SIGTERM\",\"signo\":15,"
						    "\"sender_pid\":812,\"sender_uid\":1000,"
						    "\"sender_command\":\"bash\","
						    "\"si_code\":0," TAIL);
	event = passed_event();
	assert_json(&event, HEAD("signal.passed", "info") "\"signal\":\"SIGRTMIN+3\",\"signo\":37,"
							  "\"sender_pid\":812,\"sender_uid\":1000,"
							  "\"sender_command\":\"bash\","
							  "\"si_code\":-1,\"value\":42,"
							  "\"target_pid\":-1234," TAIL);
	event = unpassed_event();
	assert_json(&event,
		    HEAD("signal.failed",
			 "warning") "\"errno\":\"ESRCH\",\"error\":\"No such process\","
				    "\"signal\":\"SIGTERM\",\"signo\":15,\"sender_pid\":812,"
				    "\"sender_uid\":1000,\"sender_command\":\"bash\","
				    "\"si_code\":0,\"target_pid\":1234," TAIL);
}
END_TEST

START_TEST(json_leaves_out_what_is_absent)
{
	struct panicmon_event event = {.size = sizeof(event),
				       .type = PANICMON_PROCESS_STARTED,
				       .severity = PANICMON_DEBUG};

	assert_json(&event,
		    "{\"time\":\"1970-01-01T00:00:00.000000Z\",\"event\":\"process.started\","
		    "\"severity\":\"debug\",\"seq\":0}\n");
	event.time_ns = -1;
	event.args = (const char *const[]){NULL};
	assert_json(&event,
		    "{\"time\":\"1969-12-31T23:59:59.999999Z\",\"event\":\"process.started\","
		    "\"severity\":\"debug\",\"seq\":0,\"args\":[]}\n");
}
END_TEST

#define LINE(severity, name) "2026-11-22T20:14:45.123Z " severity " api[1234] " name " "

START_TEST(text_of_processes)
{
	struct panicmon_event event = make_event(PANICMON_PROCESS_STARTED);

	assert_text(&event, LINE("INFO ", "process.started") "running ./api --port 80\n");
	event = failed_event();
	assert_text(&event,
		    LINE("ERROR", "process.failed ") "cannot start ./api --port 80: No such "
						     "file or directory (ENOENT), status 127\n");
	event = code_event();
	assert_text(&event, LINE("ERROR", "process.exited ") "code 3 after 12 ms\n");
	event = crash_event();
	assert_text(&event,
		    LINE("FATAL", "process.exited ") "killed by SIGSEGV (core dumped) after "
						     "1 min 1 s, asked to stop by SIGTERM "
						     "from pid 1 (uid 0), cpu user 1.234 s, "
						     "system 2 ms, max rss 20.0 MiB, stderr: "
						     "panic\\nat 0x0 (attempt 2)\n");
	event = code_event();
	SET(&event, STOP_REQUESTED, stop_requested, 1);
	SET(&event, STOP_SIGNAL, stop_signal, SIGTERM);
	SET(&event, STOP_PID, stop_pid, 0);
	SET(&event, STOP_UID, stop_uid, 0);
	assert_text(&event,
		    LINE("ERROR", "process.exited ") "code 3 after 12 ms, asked to stop by "
						     "SIGTERM from outside this pid namespace\n");
	SET(&event, SIGNAL, signal, SIGKILL);
	SET(&event, REASON, reason, PANICMON_REASON_STOP_TIMEOUT);
	assert_text(&event, LINE("ERROR", "process.exited ") "killed by SIGKILL (stop timeout) "
							     "after 12 ms, asked to stop by "
							     "SIGTERM from outside this pid "
							     "namespace\n");
}
END_TEST

START_TEST(text_of_signals)
{
	struct panicmon_event event = signal_event(PANICMON_SIGNAL_RECEIVED);

	assert_text(&event, LINE("INFO ", "signal.received") "SIGTERM from bash[812] (uid 1000)\n");
	event.si_code = SI_KERNEL;
	assert_text(&event, LINE("INFO ", "signal.received") "SIGTERM from the kernel\n");
	event = passed_event();
	assert_text(&event,
		    LINE("INFO ", "signal.passed  ") "SIGRTMIN+3 from bash[812] (uid 1000), "
						     "value 42, to -1234\n");
	event = unpassed_event();
	event.sender_command = NULL;
	assert_text(&event, LINE("WARN ", "signal.failed  ") "SIGTERM from pid 812 (uid 1000): No "
							     "such process (ESRCH)\n");
}
END_TEST

/* It is unsigned, and those of some directories are that large. */
START_TEST(large_uids)
{
	struct panicmon_event event = make_event(PANICMON_SIGNAL_RECEIVED);

	SET(&event, SENDER_PID, sender_pid, 812);
	SET(&event, SENDER_UID, sender_uid, (int32_t)4294967294);
	assert_text(&event, LINE("INFO ", "signal.received") " from pid 812 (uid 4294967294)\n");
	assert_json(&event, HEAD("signal.received", "info") "\"sender_pid\":812,\"sender_uid\":"
							    "4294967294," TAIL);
}
END_TEST

START_TEST(text_quotes_what_could_do_harm)
{
	struct panicmon_event event = make_event(PANICMON_PROCESS_STARTED);
	const char *const args[] = {"a b",
				    "",
				    "it's",
				    "\033[2J\n",
				    "\xc2\x9b"
				    "1m",
				    "\xff",
				    "\u00e9\u2026",
				    "\u2028\u202e",
				    "a\\b",
				    NULL};

	event.args = args;
	event.argc = 9;
	event.name = "a\nb\033";
	assert_text(&event,
		    "2026-11-22T20:14:45.123Z INFO  a\\nb\\x1b[1234] process.started running "
		    "'a b' '' $'it\\'s' $'\\x1b[2J\\n' $'\\xc2\\x9b1m' $'\\xff' \u00e9\u2026 "
		    "$'\\xe2\\x80\\xa8\\xe2\\x80\\xae' 'a\\b'\n");
}
END_TEST

/* The examples are those of The Unicode Standard, tables 3-8 to 3-11. */
static const struct {
	const char *bytes, *text;
} ill_formed[] = {
	{"\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd"
						 "A"},
	{"\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd"
						 "A"},
	{"\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", "\ufffd\ufffd\ufffd\ufffd\ufffdA\ufffd\ufffd"
						 "B"},
	{"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", "\ufffd\ufffd\ufffd\ufffd"
						 "A"},
	{"a\xe2\x82", "a\ufffd"},
	{"\xf0\x9f\x98\x80 \xef\xbf\xbf", "\xf0\x9f\x98\x80 \xef\xbf\xbf"},
};

START_TEST(json_replaces_what_is_not_utf8)
{
	const char *const args[] = {ill_formed[_i].bytes, NULL};
	struct panicmon_event event = make_event(PANICMON_PROCESS_EXITED);
	struct rig rig;

	event.args = args;
	event.argc = 1;
	event.name = event.run = event.host = args[0];
	fill_event(&event, args[0]);
	OPEN(&rig, "path=log");
	ck_assert_int_eq(rig_send(&rig, &event), PANICMON_DONE);
	rig_close(&rig);
	json_t *lines = read_lines("log"), *line = json_array_get(lines, 0);
	static const char *const keys[] = {"run", "name", "host", "sender_command", "stderr_tail"};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		ck_assert_str_eq(json_string_value(json_object_get(line, keys[i])),
				 ill_formed[_i].text);
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(line, "args"), 0)),
			 ill_formed[_i].text);
	json_decref(lines);
}
END_TEST

static bool is_harmful(const char *at)
{
	return (unsigned char)at[0] < 0x20 || (at[0] == '\xc2' && (unsigned char)at[1] < 0xa0);
}

/* Nothing but the newline at its end is a control character. */
static void assert_one_line(const char *text, size_t length)
{
	size_t at = 0;

	while (at < length && !is_harmful(text + at))
		at++;
	ck_assert_uint_eq(at + 1, length);
	ck_assert_int_eq(text[at], '\n');
}

START_TEST(json_escapes_every_control_character)
{
	char all[0x1f * 3 + 0x21 * 2 + 1], *at = all;
	const char *const args[] = {all, NULL};
	struct panicmon_event event = make_event(PANICMON_PROCESS_STARTED);
	struct rig rig;

	for (char c = 1; c < 0x20; c++)
		*at++ = c;
	for (int c = 0x80; c < 0xa0; c++) {
		*at++ = '\xc2';
		*at++ = (char)c;
	}
	*at = '\0';
	event.args = args;
	OPEN(&rig, "path=log", "format=json");
	ck_assert_int_eq(rig_send(&rig, &event), PANICMON_DONE);
	rig_close(&rig);
	size_t length;
	char *text = read_file("log", &length);
	assert_one_line(text, length);
	json_t *object = parse_line(text);
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(object, "args"), 0)),
			 all);
	json_decref(object);
	free(text);
}
END_TEST

/* Each as the unit of 1 MB: what is short, what grows most when it is escaped, what cannot be cut
 * anywhere. */
static const char *const units[] = {
	"a", "\033", "\"", "\xff", "\u00e9", "\xc2\x9b", "\xf0\x9f\x98\x80"};
enum { UNIT_COUNT = sizeof(units) / sizeof(units[0]), HUGE_LENGTH = 1 << 20 };

static char *make_huge(const char *unit)
{
	size_t length = strlen(unit);
	char *text = malloc(HUGE_LENGTH + 1);

	for (size_t i = 0; i < HUGE_LENGTH; i++)
		text[i] = unit[i % length];
	text[HUGE_LENGTH] = '\0';
	return text;
}

START_TEST(huge_strings_go_to_a_file_whole)
{
	char *huge = make_huge(units[_i]);
	const char *const args[] = {huge, "b", NULL};
	struct rig rig;

	for (int exited = 0; exited < 2; exited++) {
		struct panicmon_event event =
			make_event(exited ? PANICMON_PROCESS_EXITED : PANICMON_PROCESS_FAILED);

		event.args = args;
		event.argc = 2;
		fill_event(&event, huge);
		for (int json = 0; json < 2; json++) {
			OPEN(&rig, "path=log", json ? "format=json" : "format=text");
			ck_assert_int_eq(rig_send(&rig, &event), PANICMON_DONE);
			rig_close(&rig);
			size_t length;
			char *text = read_file("log", &length);
			assert_one_line(text, length);
			ck_assert(!json || length > 2 * (size_t)HUGE_LENGTH);
			free(text);
			unlink("log");
		}
	}
	free(huge);
}
END_TEST

static void assert_cut(const char *text, size_t length, bool json)
{
	assert_one_line(text, length);
	ck_assert_uint_le(length, PIPE_BUF);
	ck_assert_ptr_nonnull(strstr(text, json ? "\"truncated\":true," : "\u2026"));
	if (json)
		json_decref(parse_line(text));
}

START_TEST(huge_strings_are_cut_for_a_pipe)
{
	char *huge = make_huge(units[_i]);
	const char *const args[] = {"./api", huge, huge, NULL};
	struct rig rig;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	int saved = replace_fd(STDOUT_FILENO, ends[1]);
	for (int names = 0; names < 2; names++) {
		struct panicmon_event event = make_event(PANICMON_PROCESS_FAILED);

		event.args = args;
		event.argc = 3;
		if (names == 1) {
			event.type = PANICMON_PROCESS_EXITED;
			event.name = event.host = event.run = huge;
			fill_event(&event, huge);
		}
		for (int json = 0; json < 2; json++) {
			char text[2 * PIPE_BUF];

			OPEN(&rig, "path=stdout", json ? "format=json" : "format=text");
			ck_assert_int_eq(rig_send(&rig, &event), PANICMON_DONE);
			rig_close(&rig);
			ssize_t got = read(ends[0], text, sizeof(text) - 1);
			ck_assert_int_gt(got, 0);
			text[got] = '\0';
			assert_cut(text, (size_t)got, json == 1);
			/* What needs no escapes leaves nearly nothing of the pipe unused. */
			if (units[_i][0] == 'a' && names == 0)
				ck_assert_int_gt(got, PIPE_BUF - 8);
		}
	}
	put_back_fd(STDOUT_FILENO, saved);
	close(ends[0]);
	close(ends[1]);
	free(huge);
}
END_TEST

/* Nothing that a broken panicmon could pass crashes the handler. */
START_TEST(null_strings_and_unknown_numbers_are_survived)
{
	struct rig rig;

	for (uint32_t type = 0; type < 100; type++) {
		struct panicmon_event event = {
			.type = type, .present = UINT64_MAX, .severity = type, .argc = UINT32_MAX};

		event.signal = event.reason = event.error = (int32_t)type - 2;
		for (int json = 0; json < 2; json++) {
			OPEN(&rig, "path=log", json ? "format=json" : "format=text");
			ck_assert_int_eq(rig_send(&rig, &event), PANICMON_DONE);
			rig_close(&rig);
		}
	}
}
END_TEST

void add_format_tests(Suite *suite)
{
	TCase *tcase = add_case(suite, "format");

	tcase_add_test(tcase, json_of_processes);
	tcase_add_test(tcase, json_of_signals);
	tcase_add_test(tcase, json_leaves_out_what_is_absent);
	tcase_add_test(tcase, text_of_processes);
	tcase_add_test(tcase, text_of_signals);
	tcase_add_test(tcase, large_uids);
	tcase_add_test(tcase, text_quotes_what_could_do_harm);
	tcase_add_loop_test(tcase, json_replaces_what_is_not_utf8, 0,
			    sizeof(ill_formed) / sizeof(ill_formed[0]));
	tcase_add_test(tcase, json_escapes_every_control_character);
	tcase_add_loop_test(tcase, huge_strings_go_to_a_file_whole, 0, UNIT_COUNT);
	tcase_add_loop_test(tcase, huge_strings_are_cut_for_a_pipe, 0, UNIT_COUNT);
	tcase_add_test(tcase, null_strings_and_unknown_numbers_are_survived);
}
