/* The event room: names, severity, identity; the codec in files of its own. */
#include <config.h>

#include "test_event.h"

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/names.h"
#include "event/event.h"

/* ---- types ---- */

START_TEST(names_of_types)
{
	ck_assert_str_eq(pm_event_name(PANICMON_PROCESS_STARTED), "process.started");
	ck_assert_str_eq(pm_event_name(PANICMON_PROCESS_FAILED), "process.failed");
	ck_assert_str_eq(pm_event_name(PANICMON_PROCESS_EXITED), "process.exited");
	ck_assert_str_eq(pm_event_name(PANICMON_SIGNAL_RECEIVED), "signal.received");
	ck_assert_str_eq(pm_event_name(PANICMON_SIGNAL_PASSED), "signal.passed");
	ck_assert_str_eq(pm_event_name(PANICMON_SIGNAL_FAILED), "signal.failed");
	ck_assert_str_eq(pm_event_name(0), "unknown");
	ck_assert_str_eq(pm_event_name(PANICMON_PROCESS_RECOVERED + 1), "unknown");
	ck_assert_str_eq(pm_event_name(UINT32_MAX), "unknown");
}
END_TEST

/* Plugins include nothing of panicmon's own, so they have a list of theirs. */
START_TEST(plugins_have_the_same_names)
{
	ck_assert_str_ne(pm_event_name(PM_EVENT_TYPES - 1), "unknown");
	for (uint32_t type = 0; type < PM_EVENT_TYPES + 20; type++)
		ck_assert_str_eq(pm_common_event_name(type), pm_event_name(type));
}
END_TEST

START_TEST(lifecycle_types)
{
	for (uint32_t type = 0; type < 20; type++)
		ck_assert_int_eq(pm_event_is_lifecycle(type), type == PANICMON_PROCESS_STARTED ||
								      type == PANICMON_PROCESS_FAILED ||
								      type == PANICMON_PROCESS_EXITED ||
							      type == PANICMON_PROCESS_RECOVERED);
	ck_assert(!pm_event_is_lifecycle(UINT32_MAX));
}
END_TEST

START_TEST(make)
{
	const time_t before = time(NULL);
	const struct panicmon_event event = pm_event_make(PANICMON_SIGNAL_PASSED, 4711);

	ck_assert_uint_eq(event.size, sizeof(event));
	ck_assert_uint_eq(event.type, PANICMON_SIGNAL_PASSED);
	ck_assert_int_eq(event.pid, 4711);
	ck_assert_uint_eq(event.present, 0);
	ck_assert_uint_eq(event.seq, 0);
	ck_assert_int_ge(event.time_ns / 1000000000, before);
	ck_assert_int_le(event.time_ns / 1000000000, time(NULL) + 1);
}
END_TEST

/* ---- severity ---- */

static const struct {
	uint32_t type;
	int32_t reason, code, signal, stop_requested, stop_signal;
	uint32_t wanted;
} severities[] = {
	{PANICMON_PROCESS_STARTED, 0, 0, 0, 0, 0, PANICMON_INFO},
	{PANICMON_PROCESS_FAILED, 0, 0, 0, 0, 0, PANICMON_ERROR},
	{PANICMON_SIGNAL_RECEIVED, 0, 0, SIGTERM, 0, 0, PANICMON_INFO},
	{PANICMON_SIGNAL_PASSED, 0, 0, SIGSEGV, 0, 0, PANICMON_INFO},
	{PANICMON_SIGNAL_FAILED, 0, 0, SIGTERM, 0, 0, PANICMON_WARNING},
	{PANICMON_PROCESS_EXITED, PANICMON_REASON_EXITED, 0, 0, 0, 0, PANICMON_INFO},
	{PANICMON_PROCESS_EXITED, PANICMON_REASON_EXITED, 1, 0, 0, 0, PANICMON_ERROR},
	{PANICMON_PROCESS_EXITED, PANICMON_REASON_EXITED, 255, 0, 0, 0, PANICMON_ERROR},
	{PANICMON_PROCESS_EXITED, PANICMON_REASON_EXITED, 0, 0, 1, SIGTERM, PANICMON_INFO},
	{PANICMON_PROCESS_EXITED, PANICMON_REASON_SIGNALED, -1, SIGSEGV, 0, 0, PANICMON_FATAL},
	{PANICMON_PROCESS_EXITED, PANICMON_REASON_SIGNALED, -1, SIGTERM, 0, 0, PANICMON_FATAL},
	{PANICMON_PROCESS_EXITED, PANICMON_REASON_SIGNALED, -1, SIGTERM, 0, SIGTERM, PANICMON_FATAL},
	{PANICMON_PROCESS_EXITED, PANICMON_REASON_SIGNALED, -1, SIGTERM, 1, SIGTERM, PANICMON_INFO},
	{PANICMON_PROCESS_EXITED, PANICMON_REASON_SIGNALED, -1, SIGINT, 1, SIGINT, PANICMON_INFO},
	{PANICMON_PROCESS_EXITED, PANICMON_REASON_SIGNALED, -1, SIGKILL, 1, SIGTERM, PANICMON_FATAL},
	{PANICMON_PROCESS_EXITED, PANICMON_REASON_SIGNALED, -1, SIGSEGV, 1, SIGTERM, PANICMON_FATAL},
	{PANICMON_PROCESS_EXITED, PANICMON_REASON_OOM_KILLED, -1, SIGKILL, 0, 0, PANICMON_FATAL},
	{PANICMON_PROCESS_EXITED, PANICMON_REASON_MONITOR_DIED, -1, SIGKILL, 0, 0, PANICMON_FATAL},
	{PANICMON_PROCESS_EXITED, PANICMON_REASON_STOP_TIMEOUT, -1, SIGKILL, 1, SIGTERM, PANICMON_FATAL},
};

START_TEST(severity)
{
	struct panicmon_event event = pm_event_make(PANICMON_PROCESS_STARTED, 1);

	event.type = severities[_i].type;
	event.reason = severities[_i].reason;
	event.code = severities[_i].code;
	event.signal = severities[_i].signal;
	event.stop_requested = severities[_i].stop_requested;
	event.stop_signal = severities[_i].stop_signal;
	ck_assert_uint_eq(pm_event_severity(&event), severities[_i].wanted);
}
END_TEST

/* ---- identity ---- */

static struct pm_error error;

static struct pm_identity make_identity(const char *name, const char *const *args)
{
	struct pm_identity identity;
	char *argv[8] = {NULL};

	for (size_t i = 0; args[i] != NULL; i++)
		argv[i] = strdup(args[i]);
	ck_assert_int_eq(pm_identity_make(&identity, name, argv, NULL, &error), 0);
	/* Copied, so that it holds without them. */
	for (size_t i = 0; argv[i] != NULL; i++) {
		memset(argv[i], '#', strlen(argv[i]));
		free(argv[i]);
	}
	return identity;
}

START_TEST(run_ids)
{
	const char *const args[] = {"true", NULL};
	char last[33] = "";

	for (int i = 0; i < 100; i++) {
		struct pm_identity identity = make_identity(NULL, args);

		ck_assert_uint_eq(strlen(identity.run), 32);
		ck_assert_uint_eq(strspn(identity.run, "0123456789abcdef"), 32);
		ck_assert_str_ne(identity.run, last);
		memcpy(last, identity.run, sizeof(last));
		pm_identity_free(&identity);
	}
}
END_TEST

START_TEST(names_of_a_service)
{
	static const char *const cases[][3] = {
		/* name, argv[0], wanted */
		{NULL, "/usr/bin/true", "true"}, {NULL, "true", "true"},  {NULL, "./a/b", "b"},
		{NULL, "", ""},                  {NULL, "/bin/", ""},     {"api", "/bin/true", "api"},
		{"a/b", "/bin/true", "a/b"},     {NULL, NULL, ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const args[] = {cases[i][1], NULL};
		struct pm_identity identity = make_identity(cases[i][0], args);

		ck_assert_str_eq(identity.name, cases[i][2]);
		pm_identity_free(&identity);
	}
}
END_TEST

START_TEST(arguments_are_copied_and_redacted)
{
	const char *const args[] = {"/bin/serve", "--password=hunter2", "-v", "last", NULL};
	struct pm_identity identity = make_identity(NULL, args);

	ck_assert_uint_eq(identity.argc, 4);
	ck_assert_str_eq(identity.args[0], "/bin/serve");
	ck_assert_ptr_null(strstr(identity.args[1], "hunter2"));
	ck_assert_ptr_nonnull(strstr(identity.args[1], "--password"));
	ck_assert_str_eq(identity.args[2], "-v");
	ck_assert_str_eq(identity.args[3], "last");
	ck_assert_ptr_null(identity.args[4]);
	pm_identity_free(&identity);
}
END_TEST

START_TEST(sign)
{
	const char *const args[] = {"true", "x", NULL};
	struct pm_identity identity = make_identity("api", args);
	struct panicmon_event event = pm_event_make(PANICMON_PROCESS_STARTED, 1);
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	pm_identity_sign(&identity, &event);
	ck_assert_str_eq(event.run, identity.run);
	ck_assert_str_eq(event.name, "api");
	ck_assert_str_eq(event.host, host);
	ck_assert_uint_eq(event.argc, 2);
	ck_assert_str_eq(event.args[1], "x");
	ck_assert_ptr_null(event.args[2]);
	ck_assert_uint_eq(event.present, 0);
	pm_identity_free(&identity);
	ck_assert_ptr_null(identity.name);
	pm_identity_free(&identity);
}
END_TEST

enum { OK, DIFFERS, NO_NAMESPACE = 77 };

/* In a namespace of its own, so that the machine keeps its name. */
static int host_of_length(size_t length)
{
	char *argv[] = {strdup("true"), NULL};
	char name[HOST_NAME_MAX + 1];
	struct pm_identity identity;

	memset(name, 'h', length);
	name[length] = '\0';
	if ((unshare(CLONE_NEWUTS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWUTS) < 0) ||
	    sethostname(name, length) < 0)
		return NO_NAMESPACE;
	if (pm_identity_make(&identity, NULL, argv, NULL, &error) < 0)
		return DIFFERS;
	return strcmp(identity.host, name) == 0 ? OK : DIFFERS;
}

START_TEST(long_host_names)
{
	static const size_t lengths[] = {1, HOST_NAME_MAX - 1, HOST_NAME_MAX};
	const pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(host_of_length(lengths[_i]));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) != NO_NAMESPACE)
		ck_assert_int_eq(WEXITSTATUS(status), OK);
}
END_TEST

static void add_event_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "event", NULL, NULL);

	tcase_add_test(tests, names_of_types);
	tcase_add_test(tests, plugins_have_the_same_names);
	tcase_add_test(tests, lifecycle_types);
	tcase_add_test(tests, make);
	tcase_add_loop_test(tests, severity, 0, sizeof(severities) / sizeof(severities[0]));
	tcase_add_test(tests, run_ids);
	tcase_add_test(tests, names_of_a_service);
	tcase_add_test(tests, arguments_are_copied_and_redacted);
	tcase_add_test(tests, sign);
	tcase_add_loop_test(tests, long_host_names, 0, 3);
}

int main(void)
{
	return RUN_SUITE("event", add_event_tests, add_codec_tests, add_damage_tests);
}
