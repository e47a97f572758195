/* The parts of the webhook handler that need no server. */
#include <config.h>

#include "sample_events.h"
#include "suite.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <panicmon/handler.h>

#include "common/json.h"
#include "webhook/answer.h"
#include "webhook/format.h"
#include "webhook/sign.h"
#include "webhook/template.h"

#define HAS(field) (UINT64_C(1) << PANICMON_HAS_##field)

static int host_fail(const struct panicmon_host *host, const char *text)
{
	(void)host, (void)text;
	return -1;
}

static const struct panicmon_host host = {.size = sizeof(host), .fail = host_fail};

/* The fifth of an incident. */
static struct panicmon_event make_incident(void)
{
	struct panicmon_event event = make_crash();

	SET(&event, RUNTIME_MS, runtime_ms, 3723004);
	SET(&event, INCIDENT, incident, "api@web-1");
	SET(&event, CRASHES, crashes, 5);
	return event;
}

static struct panicmon_event make_recovery(void)
{
	struct panicmon_event event = make_event(PANICMON_PROCESS_RECOVERED);

	SET(&event, INCIDENT, incident, "api@web-1");
	SET(&event, CRASHES, crashes, 6);
	return event;
}

/* ---- answers ---- */

static int judge(long status, CURLcode code, const char *body, const char *expects)
{
	struct pm_webhook_answer answer = {.status = status, .code = code};

	pm_common_puts(&answer.body, body);
	int result = pm_webhook_judge(&answer, expects);
	pm_common_buffer_free(&answer.body);
	return result;
}

START_TEST(test_each_class_of_status)
{
	static const long again[] = {408, 425, 429, 500, 503, 599};
	static const long never[] = {100, 199, 300, 301, 308, 400, 401, 404, 409, 411, 451, 499};

	for (long status = 200; status < 300; status++)
		ck_assert_int_eq(judge(status, CURLE_OK, "x", NULL), PANICMON_DONE);
	for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++)
		ck_assert_int_eq(judge(again[i], CURLE_OK, "", NULL), PANICMON_RETRY);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		ck_assert_int_eq(judge(never[i], CURLE_OK, "", NULL), PANICMON_DROP);
	ck_assert_int_eq(judge(410, CURLE_OK, "", NULL), PANICMON_DEAD);
}
END_TEST

START_TEST(test_an_answer_that_is_not_whole)
{
	ck_assert_int_eq(judge(0, CURLE_COULDNT_CONNECT, "", NULL), PANICMON_RETRY);
	ck_assert_int_eq(judge(200, CURLE_OPERATION_TIMEDOUT, "", NULL), PANICMON_RETRY);
	ck_assert_int_eq(judge(410, CURLE_PARTIAL_FILE, "", NULL), PANICMON_RETRY);
	ck_assert_int_eq(pm_webhook_judge(
				 &(const struct pm_webhook_answer){
					 .status = 200,
					 .code = CURLE_WRITE_ERROR,
					 .cut = true,
				 },
				 NULL),
			 PANICMON_DONE);
}
END_TEST

START_TEST(test_the_body_of_a_success)
{
	ck_assert_int_eq(judge(200, CURLE_OK, "ok", "ok"), PANICMON_DONE);
	ck_assert_int_eq(judge(200, CURLE_OK, "ok \r\n", "ok"), PANICMON_DONE);
	ck_assert_int_eq(judge(200, CURLE_OK, "", "ok"), PANICMON_DROP);
	ck_assert_int_eq(judge(200, CURLE_OK, "okay", "ok"), PANICMON_DROP);
	ck_assert_int_eq(judge(500, CURLE_OK, "ok", "ok"), PANICMON_RETRY);
}
END_TEST

START_TEST(test_full_jitter_from_one_second_to_sixty)
{
	static const uint32_t most[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};

	for (unsigned failures = 1; failures <= sizeof(most) / sizeof(most[0]); failures++) {
		uint32_t limit = most[failures - 1];

		ck_assert_uint_eq(pm_webhook_delay(failures, 0, limit), limit);
		ck_assert_uint_eq(pm_webhook_delay(failures, 0, 0), 0);
		for (uint32_t i = 0; i < 1000; i++)
			ck_assert_uint_le(pm_webhook_delay(failures, 0, i * 4294967), limit);
	}
	ck_assert_uint_eq(pm_webhook_delay(UINT32_MAX, 0, 60000), 60000);
}
END_TEST

START_TEST(test_what_the_server_asks_for)
{
	ck_assert_uint_eq(pm_webhook_delay(1, 1, 7), 1000);
	ck_assert_uint_eq(pm_webhook_delay(9, 120, 7), 120 * 1000);
	ck_assert_uint_eq(pm_webhook_delay(1, 301, 7), PM_WEBHOOK_RETRY_AFTER_MAX_MS);
	ck_assert_uint_eq(pm_webhook_delay(1, INT64_MAX, 7), PM_WEBHOOK_RETRY_AFTER_MAX_MS);
	ck_assert_uint_eq(pm_webhook_delay(1, -100, 7), 7);
	ck_assert_uint_eq(pm_webhook_delay(1, INT64_MIN, 7), 7);
}
END_TEST

/* What panicmon cannot hurry, at the end of a run. */
START_TEST(test_how_long_nothing_is_sent)
{
	struct pm_webhook_answer answer = {.status = 429, .retry_after = 120};

	ck_assert_uint_eq(pm_webhook_hold(&answer, 120 * 1000), 120 * 1000);
	answer.code = CURLE_PARTIAL_FILE;
	ck_assert_uint_eq(pm_webhook_hold(&answer, 120 * 1000), 120 * 1000);
	answer.retry_after = 0;
	ck_assert_uint_eq(pm_webhook_hold(&answer, 60 * 1000), 0);
	answer.code = CURLE_OK;
	ck_assert_uint_eq(pm_webhook_hold(&answer, 60 * 1000), 1000);
	ck_assert_uint_eq(pm_webhook_hold(&answer, 7), 7);
	answer.status = 0;
	ck_assert_uint_eq(pm_webhook_hold(&answer, 60 * 1000), 0);
}
END_TEST

static char *reason(const struct pm_webhook_answer *answer)
{
	static char text[512];
	struct pm_common_buffer out = {0};

	pm_webhook_reason(answer,
			  (const char *const[]){
				  NULL, "https://u:p@example.com/services/B0123456789abcdef?a=b",
				  "s3cret other"},
			  3, &out);
	snprintf(text, sizeof(text), "%s", out.data);
	pm_common_buffer_free(&out);
	return text;
}

START_TEST(test_reasons)
{
	struct pm_webhook_answer answer = {.status = 404};

	ck_assert_str_eq(reason(&answer), "it answered 404");
	pm_common_puts(&answer.body, "no\n\x1b[1m such\xff thing");
	ck_assert_str_eq(reason(&answer), "it answered 404: 'no  [1m such\xef\xbf\xbd thing'");
	pm_common_puts(&answer.body, ", s3cret");
	ck_assert_str_eq(reason(&answer), "it answered 404");
	pm_common_buffer_reset(&answer.body);
	pm_common_puts(&answer.body, "no services/B0123456789abcdef");
	ck_assert_str_eq(reason(&answer), "it answered 404");
	answer.code = CURLE_OPERATION_TIMEDOUT;
	ck_assert_str_eq(reason(&answer), "Timeout was reached");
	snprintf(answer.error, sizeof(answer.error), "Connection timed out");
	ck_assert_str_eq(reason(&answer), "Connection timed out");
	pm_common_buffer_free(&answer.body);
}
END_TEST

/* ---- signatures ---- */

/* The example of the specification's reference libraries. */
START_TEST(test_a_known_signature)
{
	struct pm_webhook_keys keys;
	struct pm_common_buffer body = {0}, out = {0};

	ck_assert_int_eq(
		pm_webhook_keys_read(&host, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", &keys), 0);
	pm_common_puts(&body, "{\"test\": 2432232314}");
	pm_webhook_sign(&keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, &body, &out);
	pm_common_put(&out, "", 1);
	ck_assert_str_eq(out.data, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	pm_common_buffer_free(&body);
	pm_common_buffer_free(&out);
}
END_TEST

START_TEST(test_keys_of_every_length)
{
	unsigned char bytes[66] = {0};
	struct pm_webhook_keys keys;

	for (int length = 1; length <= 66; length++) {
		char text[128] = "whsec_";
		size_t at = strlen(text);

		for (int i = 0; i < (length + 2) / 3; i++)
			memcpy(text + at + 4 * i, "AAAA", 4);
		for (int i = 0; i < (3 - length % 3) % 3; i++)
			text[strlen(text) - 1 - (size_t)i] = '=';
		int result = pm_webhook_keys_read(&host, text, &keys);
		ck_assert_int_eq(result,
				 length >= PM_WEBHOOK_KEY_MIN && length <= PM_WEBHOOK_KEY_MAX ? 0
											      : -1);
		if (result == 0) {
			ck_assert_int_eq(keys.key[0].length, length);
			ck_assert_mem_eq(keys.key[0].bytes, bytes, (size_t)length);
		}
	}
}
END_TEST

/* ---- formats ---- */

static int find_format(const char *name)
{
	for (int i = 0; pm_webhook_format_names[i] != NULL; i++)
		if (strcmp(pm_webhook_format_names[i], name) == 0)
			return i;
	ck_abort_msg("no format %s", name);
}

/* What is sent, for json_decref(); NULL: nothing. */
static json_t *render(const char *name, const struct panicmon_event *event)
{
	char key[] = "routing", text[] = "{\"text\": \"{summary}\", \"n\": {crashes}}";
	struct pm_webhook_settings settings = {
		.host = &host,
		.format = &pm_webhook_formats[find_format(name)],
		.routing_key = key,
		.expires_ms = 3600 * 1000,
		.template = {.text = text},
	};
	struct pm_webhook_message message = {0};

	if (settings.format->wants != NULL && !settings.format->wants(event))
		return NULL;
	ck_assert_msg(pm_webhook_render(&settings, event, &message) == 0, "%s of type %u", name,
		      event->type);
	json_t *value =
		json_loadb(message.body.data, message.body.length, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_ptr_nonnull(value);
	pm_webhook_message_free(&message);
	return value;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	ck_assert_msg(text != NULL, "there is no text %s", key);
	return text;
}

START_TEST(test_every_format_takes_every_event)
{
	for (int format = 0; pm_webhook_format_names[format] != NULL; format++) {
		for (uint32_t type = 1; type <= PANICMON_PROCESS_RECOVERED + 1; type++) {
			struct panicmon_event event = make_event(type);

			json_decref(render(pm_webhook_format_names[format], &event));
			/* No more than a type. */
			event = (struct panicmon_event){.size = sizeof(event), .type = type};
			event.name = "";
			json_decref(render(pm_webhook_format_names[format], &event));
			/* Every member, none of them pointing anywhere. */
			event.present = HAS(CRASHES) * 2 - 1;
			json_decref(render(pm_webhook_format_names[format], &event));
		}
	}
}
END_TEST

/* A template may name whatever the JSON of an event may have. */
START_TEST(test_a_template_knows_every_member)
{
	struct panicmon_event event = make_event(PANICMON_SIGNAL_FAILED);
	size_t flags = 0;
	const char *key;
	json_t *value;

	event.pid = 1234;
	event.present = UINT64_MAX;
	event.sender_command = event.handler = event.incident = event.stderr_tail = "xxxxxxxxxx";
	json_t *members = pm_common_json_event(&event, 8, &flags);
	ck_assert_ptr_nonnull(json_object_get(members, "truncated"));
	json_object_foreach(members, key, value)
	{
		struct pm_webhook_template made = {0};
		char text[64];

		snprintf(text, sizeof(text), "{\"a\": {%s}}", key);
		ck_assert_msg(pm_webhook_template_read(&made, &host, strdup(text)) == 0, "%s",
			      text);
		pm_webhook_template_free(&made);
	}
	json_decref(members);
}
END_TEST

START_TEST(test_pagerduty_opens_and_resolves_one_incident)
{
	struct panicmon_event crash = make_incident(), recovery = make_recovery();
	json_t *first = render("pagerduty", &crash), *last = render("pagerduty", &recovery);

	ck_assert_str_eq(text_of(first, "event_action"), "trigger");
	ck_assert_str_eq(text_of(json_object_get(first, "payload"), "summary"),
			 "api was killed by SIGSEGV on web-1 after 1 h 2 min, core dumped (5 "
			 "crashes since the last message)");
	ck_assert_str_eq(text_of(last, "event_action"), "resolve");
	ck_assert_str_eq(text_of(first, "dedup_key"), "api@web-1");
	ck_assert_str_eq(text_of(last, "dedup_key"), "api@web-1");
	json_decref(first);
	json_decref(last);
	/* A clean exit, to which panicmon gives no key. */
	recovery = make_event(PANICMON_PROCESS_EXITED);
	last = render("pagerduty", &recovery);
	ck_assert_str_eq(text_of(last, "event_action"), "resolve");
	ck_assert_str_eq(text_of(last, "dedup_key"), "api@web-1");
	json_decref(last);
	/* Another of them may have failed. */
	recovery.present |= HAS(INSTANCE);
	ck_assert_ptr_null(render("pagerduty", &recovery));
	ck_assert_ptr_null(render("alertmanager", &recovery));
}
END_TEST

/* It opens and ends one of its own: the service may have a real one. */
START_TEST(test_a_test_touches_no_real_incident)
{
	struct panicmon_event crash = make_crash();

	crash.test = 1;
	crash.present |= HAS(TEST);
	json_t *pager = render("pagerduty", &crash), *alerts = render("alertmanager", &crash);
	const json_t *labels = json_object_get(json_array_get(alerts, 0), "labels");
	ck_assert_str_eq(text_of(pager, "dedup_key"), "api@web-1 (test)");
	ck_assert_str_eq(text_of(labels, "test"), "yes");
	json_decref(pager);
	json_decref(alerts);
}
END_TEST

START_TEST(test_who_asked_and_where_arguments_end)
{
	static const char *const args[] = {"sh", "-c", "echo it's >&2", NULL};
	struct panicmon_event crash = make_crash();

	crash.args = args;
	crash.stop_requested = 1;
	crash.stop_signal = SIGTERM;
	crash.stop_pid = 1;
	crash.stop_uid = -2; /* as an int32_t */
	crash.crashes = 1;
	crash.present |= HAS(STOP_REQUESTED) | HAS(STOP_SIGNAL) | HAS(STOP_PID) | HAS(STOP_UID);
	json_t *alerts = render("alertmanager", &crash);
	const json_t *said = json_object_get(json_array_get(alerts, 0), "annotations");
	ck_assert_str_eq(
		text_of(said, "summary"),
		"api was killed by SIGSEGV on web-1 after 1 min 1 s, core dumped, asked to "
		"stop by SIGTERM from pid 1 (uid 4294967294)");
	ck_assert_str_eq(text_of(said, "command"), "sh -c $'echo it\\'s >&2'");
	json_decref(alerts);
	crash.reason = PANICMON_REASON_STOP_TIMEOUT;
	crash.core = 0;
	alerts = render("alertmanager", &crash);
	said = json_object_get(json_array_get(alerts, 0), "annotations");
	ck_assert_ptr_nonnull(strstr(text_of(said, "summary"),
				     " as it had not stopped in time on web-1 after 1 min 1 s, "
				     "asked to stop by SIGTERM from pid 1 "));
	json_decref(alerts);
}
END_TEST

START_TEST(test_a_long_incident_has_a_short_key)
{
	struct panicmon_event crash = make_incident(), other = make_incident();
	char one[400], two[400];

	memset(one, 'a', sizeof(one));
	one[sizeof(one) - 1] = '\0';
	memcpy(two, one, sizeof(one));
	two[sizeof(two) - 2] = 'b';
	crash.incident = one;
	other.incident = two;
	json_t *first = render("pagerduty", &crash), *second = render("pagerduty", &other);
	ck_assert_uint_eq(strlen(text_of(first, "dedup_key")), 64);
	ck_assert_str_ne(text_of(first, "dedup_key"), text_of(second, "dedup_key"));
	json_decref(first);
	json_decref(second);
}
END_TEST

START_TEST(test_alertmanager_gets_an_end)
{
	struct panicmon_event crash = make_incident(), recovery = make_recovery();
	json_t *first = render("alertmanager", &crash), *last = render("alertmanager", &recovery);
	const json_t *begun = json_array_get(first, 0), *ended = json_array_get(last, 0);

	ck_assert_str_eq(text_of(begun, "startsAt"), "2026-11-22T20:14:45.123Z");
	ck_assert_str_eq(text_of(begun, "endsAt"), "2026-11-22T21:14:45.123Z");
	ck_assert_str_eq(text_of(ended, "endsAt"), "2026-11-22T20:14:45.123Z");
	ck_assert_ptr_null(json_object_get(ended, "startsAt"));
	ck_assert_int_eq(
		json_equal(json_object_get(begun, "labels"), json_object_get(ended, "labels")), 1);
	json_decref(first);
	json_decref(last);
}
END_TEST

START_TEST(test_what_is_no_incident)
{
	struct panicmon_event started = make_event(PANICMON_PROCESS_STARTED);
	struct panicmon_event received = make_event(PANICMON_SIGNAL_RECEIVED);
	struct panicmon_event lost = make_event(PANICMON_HANDLER_LOST);

	lost.severity = PANICMON_ERROR;
	ck_assert_ptr_null(render("pagerduty", &started));
	ck_assert_ptr_null(render("alertmanager", &received));
	ck_assert_ptr_null(render("pagerduty", &lost));
}
END_TEST

START_TEST(test_people_are_told_of_a_recovery)
{
	struct panicmon_event recovery = make_recovery();
	json_t *slack = render("slack", &recovery), *made = render("template", &recovery);
	const char *said = "api has recovered on web-1 after 6 crashes";

	ck_assert_str_eq(text_of(slack, "text"), said);
	ck_assert_str_eq(text_of(json_array_get(json_object_get(slack, "attachments"), 0), "color"),
			 "#2e9e4f");
	ck_assert_str_eq(text_of(made, "text"), said);
	ck_assert_int_eq(json_integer_value(json_object_get(made, "n")), 6);
	json_decref(slack);
	json_decref(made);
}
END_TEST

static void add_webhook_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "webhook", NULL, NULL);

	tcase_add_test(tests, test_each_class_of_status);
	tcase_add_test(tests, test_an_answer_that_is_not_whole);
	tcase_add_test(tests, test_the_body_of_a_success);
	tcase_add_test(tests, test_full_jitter_from_one_second_to_sixty);
	tcase_add_test(tests, test_what_the_server_asks_for);
	tcase_add_test(tests, test_how_long_nothing_is_sent);
	tcase_add_test(tests, test_reasons);
	tcase_add_test(tests, test_a_known_signature);
	tcase_add_test(tests, test_keys_of_every_length);
	tcase_add_test(tests, test_every_format_takes_every_event);
	tcase_add_test(tests, test_a_template_knows_every_member);
	tcase_add_test(tests, test_pagerduty_opens_and_resolves_one_incident);
	tcase_add_test(tests, test_a_test_touches_no_real_incident);
	tcase_add_test(tests, test_who_asked_and_where_arguments_end);
	tcase_add_test(tests, test_a_long_incident_has_a_short_key);
	tcase_add_test(tests, test_alertmanager_gets_an_end);
	tcase_add_test(tests, test_what_is_no_incident);
	tcase_add_test(tests, test_people_are_told_of_a_recovery);
}

int main(void)
{
	return RUN_SUITE("webhook", add_webhook_tests);
}
