/* What a datagram holds, byte by byte. */
#include <config.h>

#include "test_statsd.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const dialects[] = {"dialect=statsd", "dialect=dogstatsd", "dialect=influx",
				       "dialect=graphite"};
enum { PLAIN, DOGSTATSD, INFLUX, GRAPHITE, DIALECTS };

/* Sends one event of this service and compares the one datagram that comes of it. */
static void expect(const char *service, const char *const *options,
		   const struct panicmon_event *event, const char *expected)
{
	const char *all[8] = {0};
	char address[64];
	struct rig rig;
	int fd = udp_server(address);

	all[0] = address;
	for (size_t i = 0; options[i] != NULL; i++)
		all[i + 1] = options[i];
	rig_make(&rig, all);
	rig.host.service = service;
	ck_assert_int_eq(rig_open(&rig), 0);
	rig_hold(&rig, event);
	ck_assert_int_eq(rig_flush(&rig), PANICMON_DONE);
	ck_assert_str_eq(receive(fd), expected);
	rig_close(&rig);
	ck_assert_int_eq(rig.said_count, 0);
	close(fd);
}
#define EXPECT_OF(service, event, expected, ...)                                                   \
	expect(service, (const char *const[]){__VA_ARGS__, NULL}, event, expected)
#define EXPECT(...) EXPECT_OF("api", __VA_ARGS__)

START_TEST(test_a_counter)
{
	static const char *const expected[] = {
		"panicmon.signal.received:1|c",
		"panicmon.signal.received:1|c|#service:api,signal:SIGHUP",
		"panicmon.signal.received,service=api,signal=SIGHUP:1|c",
		"panicmon.signal.received;service=api;signal=SIGHUP:1|c",
	};
	struct panicmon_event event = make_signal(PANICMON_SIGNAL_RECEIVED, SIGHUP);

	EXPECT(&event, expected[_i], dialects[_i]);
}
END_TEST

/* A counter and two gauges, and dogstatsd's service check, which is well. */
START_TEST(test_a_start)
{
	static const char *const expected[] = {
		"panicmon.process.start:1|c\n"
		"panicmon.process.up:1|g\n"
		"panicmon.process.uptime:0|g",
		"panicmon.process.start:1|c|#service:api\n"
		"panicmon.process.up:1|g|#service:api\n"
		"panicmon.process.uptime:0|g|#service:api\n"
		"_sc|panicmon.process|0|#service:api",
		"panicmon.process.start,service=api:1|c\n"
		"panicmon.process.up,service=api:1|g\n"
		"panicmon.process.uptime,service=api:0|g",
		"panicmon.process.start;service=api:1|c\n"
		"panicmon.process.up;service=api:1|g\n"
		"panicmon.process.uptime;service=api:0|g",
	};
	struct panicmon_event event = make_event(PANICMON_PROCESS_STARTED);

	EXPECT(&event, expected[_i], dialects[_i]);
}
END_TEST

#define PLAIN_CRASH                                                                                \
	"panicmon.process.exit:1|c\n"                                                              \
	"panicmon.process.crash:1|c\n"                                                             \
	"panicmon.process.runtime:61007|ms\n"                                                      \
	"panicmon.process.cpu.user:1234|ms\n"                                                      \
	"panicmon.process.cpu.system:2|ms\n"                                                       \
	"panicmon.process.max_rss:20971520|g\n"                                                    \
	"panicmon.process.up:0|g\n"                                                                \
	"panicmon.process.uptime:0|g"

/* Times, and all the rest of an end. */
START_TEST(test_a_crash)
{
	static const char *const expected[] = {
		PLAIN_CRASH,
		"panicmon.process.exit:1|c|#service:api,reason:signaled,signal:SIGSEGV\n"
		"panicmon.process.crash:1|c|#service:api,reason:signaled,signal:SIGSEGV\n"
		"panicmon.process.runtime:61007|ms|#service:api\n"
		"panicmon.process.cpu.user:1234|ms|#service:api\n"
		"panicmon.process.cpu.system:2|ms|#service:api\n"
		"panicmon.process.max_rss:20971520|g|#service:api\n"
		"panicmon.process.up:0|g|#service:api\n"
		"panicmon.process.uptime:0|g|#service:api\n"
		"_e{39,15}:api was killed by SIGSEGV (core dumped)|./api --port 80|t:error|k:api|"
		"#service:api\n"
		"_sc|panicmon.process|2|#service:api|m:api was killed by SIGSEGV (core dumped)",
		"panicmon.process.exit,service=api,reason=signaled,signal=SIGSEGV:1|c\n"
		"panicmon.process.crash,service=api,reason=signaled,signal=SIGSEGV:1|c\n"
		"panicmon.process.runtime,service=api:61007|ms\n"
		"panicmon.process.cpu.user,service=api:1234|ms\n"
		"panicmon.process.cpu.system,service=api:2|ms\n"
		"panicmon.process.max_rss,service=api:20971520|g\n"
		"panicmon.process.up,service=api:0|g\n"
		"panicmon.process.uptime,service=api:0|g",
		"panicmon.process.exit;service=api;reason=signaled;signal=SIGSEGV:1|c\n"
		"panicmon.process.crash;service=api;reason=signaled;signal=SIGSEGV:1|c\n"
		"panicmon.process.runtime;service=api:61007|ms\n"
		"panicmon.process.cpu.user;service=api:1234|ms\n"
		"panicmon.process.cpu.system;service=api:2|ms\n"
		"panicmon.process.max_rss;service=api:20971520|g\n"
		"panicmon.process.up;service=api:0|g\n"
		"panicmon.process.uptime;service=api:0|g",
	};
	struct panicmon_event event = make_crash();

	EXPECT(&event, expected[_i], dialects[_i]);
}
END_TEST

static const struct {
	enum panicmon_reason reason;
	const char *name, *why;
} causes[] = {
	{PANICMON_REASON_OOM_KILLED, "oom-killed", "out of memory"},
	{PANICMON_REASON_MONITOR_DIED, "monitor-died", "panicmon died"},
	{PANICMON_REASON_STOP_TIMEOUT, "stop-timeout", "stop timeout"},
};

START_TEST(test_a_crash_tells_its_cause)
{
	struct panicmon_event event = make_event(PANICMON_PROCESS_EXITED);
	const char *name = causes[_i].name, *why = causes[_i].why;
	char expected[1000];

	event.severity = PANICMON_FATAL;
	SET(&event, SIGNAL, signal, SIGKILL);
	SET(&event, REASON, reason, (int32_t)causes[_i].reason);
	snprintf(expected, sizeof(expected),
		 "panicmon.process.exit:1|c|#service:api,reason:%s,signal:SIGKILL\n"
		 "panicmon.process.crash:1|c|#service:api,reason:%s,signal:SIGKILL\n"
		 "panicmon.process.up:0|g|#service:api\n"
		 "panicmon.process.uptime:0|g|#service:api\n"
		 "_e{%zu,15}:api was killed by SIGKILL (%s)|./api --port 80|t:error|k:api|"
		 "#service:api\n"
		 "_sc|panicmon.process|2|#service:api|m:api was killed by SIGKILL (%s)",
		 name, name, strlen("api was killed by SIGKILL ()") + strlen(why), why, why);
	EXPECT(&event, expected, "dialect=dogstatsd");
}
END_TEST

START_TEST(test_a_good_end)
{
	struct panicmon_event event = make_event(PANICMON_PROCESS_EXITED);

	SET(&event, CODE, code, 0);
	SET(&event, REASON, reason, PANICMON_REASON_EXITED);
	EXPECT(&event,
	       "panicmon.process.exit:1|c|#service:api,reason:exited,code:0\n"
	       "panicmon.process.up:0|g|#service:api\n"
	       "panicmon.process.uptime:0|g|#service:api",
	       "dialect=dogstatsd");
}
END_TEST

START_TEST(test_a_start_that_failed)
{
	struct panicmon_event event = make_event(PANICMON_PROCESS_FAILED);

	event.severity = PANICMON_ERROR;
	event.pid = 0;
	SET(&event, ERROR, error, ENOENT);
	SET(&event, STATUS, status, 127);
	EXPECT(&event,
	       "panicmon.process.failed:1|c|#service:api,error:ENOENT\n"
	       "panicmon.process.up:0|g|#service:api\n"
	       "panicmon.process.uptime:0|g|#service:api\n"
	       "_e{51,15}:api could not be started: No such file or directory|./api --port 80|"
	       "t:error|k:api|#service:api\n"
	       "_sc|panicmon.process|2|#service:api|m:api could not be started: No such file or "
	       "directory",
	       "dialect=dogstatsd");
}
END_TEST

START_TEST(test_what_another_handler_lost)
{
	struct panicmon_event event = make_event(PANICMON_HANDLER_LOST);

	event.pid = 0;
	SET(&event, HANDLER, handler, "log");
	SET(&event, LOST, lost, 300);
	SET(&event, DROPPED, dropped, 12);
	EXPECT(&event, "panicmon.handler.lost,service=api,handler=log:312|c", "dialect=influx");
}
END_TEST

START_TEST(test_tags_and_prefix_of_the_config)
{
	struct panicmon_event event = make_signal(PANICMON_SIGNAL_PASSED, SIGTERM);
	char name[256] = "", expected[512];

	gethostname(name, sizeof(name) - 1);
	for (char *at = name; (at = strpbrk(at, ".-")) != NULL;)
		*at = '_';
	SET(&event, INSTANCE, instance, 3);
	EXPECT(&event,
	       "a_b.signal.passed:1|c|#service:api,env:prod,team:a/b-c.d,instance:3,signal:SIGTERM",
	       "dialect=dogstatsd", "prefix=a_b.", "tags=env:prod, team:a/b-c.d");
	EXPECT(&event, "signal.passed,service=x,instance=3,signal=SIGTERM:1|c", "dialect=influx",
	       "prefix=", "tags=service:x");
	snprintf(expected, sizeof(expected), "p.%s.api.signal.passed:1|c", name);
	EXPECT(&event, expected, "prefix=p.{host}.{name}.");
}
END_TEST

START_TEST(test_extensions_of_dogstatsd)
{
	struct panicmon_event event = make_signal(PANICMON_SIGNAL_PASSED, SIGTERM);

	EXPECT(&event,
	       "panicmon.signal.passed:1|c|#service:api,signal:SIGTERM|c:ci-0a1b|T1795378485",
	       "dialect=dogstatsd", "container_id=ci-0a1b", "timestamps=yes");
	event = make_crash();
	EXPECT(&event,
	       "panicmon.process.exit:1|c|#service:api,reason:signaled,signal:SIGSEGV|T1795378485\n"
	       "panicmon.process.crash:1|c|#service:api,reason:signaled,signal:SIGSEGV|"
	       "T1795378485\n"
	       "panicmon.process.runtime:61007|ms|#service:api\n"
	       "panicmon.process.cpu.user:1234|ms|#service:api\n"
	       "panicmon.process.cpu.system:2|ms|#service:api\n"
	       "panicmon.process.max_rss:20971520|g|#service:api|T1795378485\n"
	       "panicmon.process.up:0|g|#service:api|T1795378485\n"
	       "panicmon.process.uptime:0|g|#service:api|T1795378485",
	       "dialect=dogstatsd", "timestamps=yes", "dogstatsd_events=no");
}
END_TEST

START_TEST(test_a_test_says_so)
{
	struct panicmon_event event = make_signal(PANICMON_SIGNAL_PASSED, SIGTERM);

	SET(&event, TEST, test, 1);
	EXPECT(&event, "panicmon.signal.passed;service=api;test=yes;signal=SIGTERM:1|c",
	       "dialect=graphite");
	/* Nor does it say that the service is down. */
	event = make_event(PANICMON_PROCESS_EXITED);
	SET(&event, CODE, code, 0);
	SET(&event, TEST, test, 1);
	EXPECT(&event, "panicmon.process.exit;service=api;test=yes;code=0:1|c", "dialect=graphite");
}
END_TEST

/* A gauge that begins with '-' would be a change to the last one. */
START_TEST(test_numbers_at_their_ends)
{
	struct panicmon_event event = make_event(PANICMON_PROCESS_EXITED);

	SET(&event, RUNTIME_MS, runtime_ms, INT64_MAX);
	SET(&event, CPU_USER_US, cpu_user_us, INT64_MIN);
	SET(&event, MAX_RSS_KB, max_rss_kb, -1);
	EXPECT(&event,
	       "panicmon.process.exit:1|c\n"
	       "panicmon.process.runtime:9223372036854775807|ms\n"
	       "panicmon.process.cpu.user:0|ms\n"
	       "panicmon.process.max_rss:0|g\n"
	       "panicmon.process.up:0|g\n"
	       "panicmon.process.uptime:0|g",
	       "dialect=statsd");
	event = make_event(PANICMON_PROCESS_EXITED);
	SET(&event, MAX_RSS_KB, max_rss_kb, INT64_MAX / 1024 + 1);
	EXPECT(&event,
	       "panicmon.process.exit:1|c\n"
	       "panicmon.process.max_rss:9223372036854775807|g\n"
	       "panicmon.process.up:0|g\n"
	       "panicmon.process.uptime:0|g",
	       "dialect=statsd");
}
END_TEST

/* Where a decimal point is a comma, and a group of digits has its own. */
START_TEST(test_a_decimal_comma)
{
	struct panicmon_event event = make_crash();

	setenv("LOCPATH", folder, 1);
	/* Made here: no machine has it for sure. It complains, and makes it. */
	(void)!system("localedef -c -i de_DE -f UTF-8 ./de_DE.UTF-8 >/dev/null 2>&1");
	ck_assert_ptr_nonnull(setlocale(LC_ALL, "de_DE.UTF-8"));
	ck_assert_str_eq(localeconv()->decimal_point, ",");
	ck_assert_str_eq(localeconv()->thousands_sep, ".");
	EXPECT(&event, PLAIN_CRASH, "dialect=statsd");
}
END_TEST

/* ---- hostile ones ---- */

/* All that ends a field in one dialect or another, a newline, UTF-8, and what is none. */
#define HOSTILE "a:b|c@d#e,f;g=h\ni\tj\"k\\l{m}~n \xc3\xa4\xe2\x82\xac\xff\xe2\x80\xa8o"
#define TAMED "a_b_c_d_e_f_g_h_i_j_k_l_m__n_\xc3\xa4\xe2\x82\xac__o"

START_TEST(test_a_hostile_tag)
{
	static const char *const expected[] = {
		"panicmon.handler.lost:1|c",
		"panicmon.handler.lost:1|c|#service:api,handler:" TAMED,
		"panicmon.handler.lost,service=api,handler=" TAMED ":1|c",
		"panicmon.handler.lost;service=api;handler=" TAMED ":1|c",
	};
	struct panicmon_event event = make_event(PANICMON_HANDLER_LOST);

	SET(&event, HANDLER, handler, HOSTILE);
	SET(&event, LOST, lost, 1);
	EXPECT(&event, expected[_i], dialects[_i]);
}
END_TEST

START_TEST(test_a_hostile_name)
{
	struct panicmon_event event = make_signal(PANICMON_SIGNAL_PASSED, SIGTERM);

	EXPECT_OF(HOSTILE, &event,
		  "a_b_c_d_e_f_g_h_i_j_k_l_m__n_____o.signal.passed;service=" TAMED ";env=x-" TAMED
		  ";signal=SIGTERM:1|c",
		  "dialect=graphite", "prefix={name}.", "tags=env:x-{name}");
}
END_TEST

START_TEST(test_an_empty_name)
{
	struct panicmon_event event = make_signal(PANICMON_SIGNAL_PASSED, SIGTERM);

	EXPECT_OF("", &event, "panicmon.signal.passed,service=_,signal=SIGTERM:1|c",
		  "dialect=influx");
}
END_TEST

/* The lengths are in bytes, and of what is sent: after a newline has become two characters. */
START_TEST(test_a_hostile_notice)
{
	static const char *const args[] = {"a|b", "c\nd", "m:\xc3\xa4\xff\x1b[1m", NULL};
	struct panicmon_event event = make_event(PANICMON_PROCESS_EXITED);

	event.severity = PANICMON_ERROR;
	event.name = "m:x|\xc3\xa4\n";
	event.args = args;
	SET(&event, CODE, code, 3);
	SET(&event, STDERR_TAIL, stderr_tail, "one\ntwo|#\n");
	EXPECT(&event,
	       "panicmon.process.exit:1|c|#service:api,code:3\n"
	       "panicmon.process.crash:1|c|#service:api,code:3\n"
	       "panicmon.process.up:0|g|#service:api\n"
	       "panicmon.process.uptime:0|g|#service:api\n"
	       "_e{27,32}:m:x|\xc3\xa4\\n exited with code 3|"
	       "a|b c\\nd m:\xc3\xa4? [1m\\none\\ntwo|#\\n|t:error|k:m_x_\xc3\xa4_|#service:api\n"
	       "_sc|panicmon.process|2|#service:api|m:m\\:x \xc3\xa4\\n exited with code 3",
	       "dialect=dogstatsd");
}
END_TEST

/* ---- batches ---- */

START_TEST(test_equal_counters_are_one_line)
{
	struct panicmon_event term = make_signal(PANICMON_SIGNAL_PASSED, SIGTERM);
	struct panicmon_event hup = make_signal(PANICMON_SIGNAL_PASSED, SIGHUP);
	char address[64];
	struct rig rig;
	int fd = udp_server(address);

	OPEN(&rig, address, "dialect=dogstatsd");
	for (int i = 0; i < 3; i++) {
		rig_hold(&rig, &term);
		rig_hold(&rig, &hup);
	}
	ck_assert_int_eq(rig_flush(&rig), PANICMON_DONE);
	ck_assert_str_eq(receive(fd), "panicmon.signal.passed:3|c|#service:api,signal:SIGTERM\n"
				      "panicmon.signal.passed:3|c|#service:api,signal:SIGHUP");
	rig_close(&rig);
	close(fd);
}
END_TEST

/* A datagram is as long as it may be, a line is never in two, and all arrive once, in order. */
START_TEST(test_no_datagram_over_the_limit)
{
	enum { COUNT = 300 };
	static const int limits[] = {512, 513, 577, 1000, 1432};
	struct panicmon_event event = make_crash();
	char address[64], option[32];
	int runtime = 0, datagrams = 0;
	struct rig rig;
	int fd = udp_server(address);

	snprintf(option, sizeof(option), "max_datagram=%d", limits[_i]);
	OPEN(&rig, address, "dialect=dogstatsd", option);
	for (int i = 1; i <= COUNT; i++) {
		event.runtime_ms = i;
		rig_hold(&rig, &event);
		if (i % 7 != 0 && i != COUNT)
			continue;
		ck_assert_int_eq(rig_flush(&rig), PANICMON_DONE);
		while (runtime < i) {
			char *text = (char *)(uintptr_t)receive(fd), *line;

			datagrams++;
			ck_assert_int_le((int)strlen(text), limits[_i]);
			ck_assert_int_gt((int)strlen(text), 0);
			while ((line = strsep(&text, "\n")) != NULL) {
				bool metric = strncmp(line, "panicmon.", 9) == 0;
				int number;

				ck_assert_msg(metric || line[0] == '_', "%s", line);
				ck_assert(strstr(line, "|#service:api") != NULL);
				if (sscanf(line, "panicmon.process.runtime:%d|", &number) == 1)
					ck_assert_int_eq(number, ++runtime);
			}
		}
	}
	ck_assert_int_eq(runtime, COUNT);
	ck_assert_int_lt(datagrams, COUNT * 3);
	rig_close(&rig);
	ck_assert_int_eq(rig.said_count, 0);
	close(fd);
}
END_TEST

/* What people are told is cut, and stays valid. */
START_TEST(test_a_notice_fits)
{
	static char long_text[4000];
	const char *const args[] = {long_text, NULL};
	struct panicmon_event event = make_crash();
	char address[64];
	struct rig rig;
	int fd = udp_server(address), title = 0, text = 0, begin = 0;

	memset(long_text, 'x', sizeof(long_text) - 1);
	for (size_t i = 0; i + 2 < sizeof(long_text); i += 3)
		memcpy(long_text + i, "\xe2\x82\xac",
		       3); /* the cut may not be in the middle of one */
	event.args = args;
	event.argc = 1;
	OPEN(&rig, address, "dialect=dogstatsd");
	rig_hold(&rig, &event);
	ck_assert_int_eq(rig_flush(&rig), PANICMON_DONE);
	const char *notice = "";
	for (int i = 0; i < 3 && notice[0] != '_'; i++)
		notice = receive(fd);
	ck_assert_msg(sscanf(notice, "_e{%d,%d}:%n", &title, &text, &begin) == 2, "%s", notice);
	ck_assert_int_gt(text, 1000);
	ck_assert_int_eq(text % 3, 0);
	ck_assert_int_eq(notice[begin + title], '|');
	ck_assert_int_eq(
		strncmp(notice + begin + title + 1 + text, "|t:error|k:api|#service:api", 27), 0);
	const char *line_end = strchr(notice, '\n');
	ck_assert_int_le((int)(line_end != NULL ? (size_t)(line_end - notice) : strlen(notice)),
			 1432);
	rig_close(&rig);
	ck_assert_int_eq(rig.said_count, 0);
	close(fd);
}
END_TEST

void add_line_tests(Suite *suite)
{
	TCase *tcase = add_case(suite, "lines");

	tcase_add_loop_test(tcase, test_a_counter, 0, DIALECTS);
	tcase_add_loop_test(tcase, test_a_start, 0, DIALECTS);
	tcase_add_loop_test(tcase, test_a_crash, 0, DIALECTS);
	tcase_add_loop_test(tcase, test_a_crash_tells_its_cause, 0,
			    sizeof(causes) / sizeof(causes[0]));
	tcase_add_test(tcase, test_a_good_end);
	tcase_add_test(tcase, test_a_start_that_failed);
	tcase_add_test(tcase, test_what_another_handler_lost);
	tcase_add_test(tcase, test_tags_and_prefix_of_the_config);
	tcase_add_test(tcase, test_extensions_of_dogstatsd);
	tcase_add_test(tcase, test_a_test_says_so);
	tcase_add_test(tcase, test_numbers_at_their_ends);
	tcase_add_test(tcase, test_a_decimal_comma);
	tcase_add_loop_test(tcase, test_a_hostile_tag, 0, DIALECTS);
	tcase_add_test(tcase, test_a_hostile_name);
	tcase_add_test(tcase, test_an_empty_name);
	tcase_add_test(tcase, test_a_hostile_notice);
	tcase_add_test(tcase, test_equal_counters_are_one_line);
	tcase_add_loop_test(tcase, test_no_datagram_over_the_limit, 0, 5);
	tcase_add_test(tcase, test_a_notice_fits);
}
