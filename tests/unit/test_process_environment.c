/* The process room: the environment that a command gets. */
#include <config.h>

#include "test_process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process/environment.h"

extern char **environ;

enum { VARIABLES_MAX = 16 };

static struct pm_environment environment;
static char **checks; /* the environment that Check goes on with */
static char own_listen[32], own_watchdog[32];

static void set_up(void)
{
	checks = environ;
	snprintf(own_listen, sizeof(own_listen), "LISTEN_PID=%d", (int)getpid());
	snprintf(own_watchdog, sizeof(own_watchdog), "WATCHDOG_PID=%d", (int)getpid());
}

/* Also after a test that has not made it. */
static void tear_down(void)
{
	environ = checks;
	pm_environment_free(&environment);
}

static void make(const struct pm_environment_changes *changes)
{
	ck_assert_int_eq(pm_environment_make(&environment, changes, &error), 0);
}

/* In the command's process: whether its environment is this, in this order. A value "*" stands for
 * its own pid. 0, or the place that is wrong, from 1. */
static int compare(const char *const *wanted)
{
	char own[64];
	size_t i;

	for (i = 0; wanted[i] != NULL; i++) {
		const char *star = strstr(wanted[i], "=*");
		const char *expected = wanted[i];

		if (star != NULL) {
			snprintf(own, sizeof(own), "%.*s%d", (int)(star + 1 - wanted[i]), wanted[i],
				 (int)getpid());
			expected = own;
		}
		if (environ[i] == NULL || strcmp(environ[i], expected) != 0)
			return (int)i + 1;
	}
	return environ[i] == NULL ? 0 : (int)i + 1;
}

static void assert_command_gets(const char *const *wanted)
{
	const pid_t pid = fork_child();

	if (pid == 0) {
		pm_environment_enter(&environment);
		_exit(environ == NULL ? 90 : compare(wanted));
	}
	ck_assert_int_eq(end_of(pid), 0);
}
#define ASSERT_GETS(...) assert_command_gets((const char *const[]){__VA_ARGS__, NULL})

/* Ours, for as long as the test runs. */
static void have(const char *const *variables)
{
	static char texts[VARIABLES_MAX][64];
	static char *ours[VARIABLES_MAX + 1];
	int count;

	for (count = 0; variables[count] != NULL; count++) {
		ck_assert_int_lt(count, VARIABLES_MAX);
		snprintf(texts[count], sizeof(texts[count]), "%s", variables[count]);
		ours[count] = texts[count];
	}
	ours[count] = NULL;
	environ = ours;
}
#define HAVE(...) have((const char *const[]){__VA_ARGS__, NULL})

/* ---- nothing is changed ---- */

START_TEST(nothing_changed)
{
	const struct pm_environment_changes none = {0};

	HAVE("B=2", "A=1", "A=once more", "odd", "=", "EMPTY=");
	make(&none);
	ck_assert_ptr_null(environment.variables);
	ck_assert_ptr_null(environment.texts);
	ASSERT_GETS("B=2", "A=1", "A=once more", "odd", "=", "EMPTY=");
}
END_TEST

START_TEST(no_environment_of_ours)
{
	const struct pm_environment_changes none = {0}, instance = {.instance = 1};
	static char *empty[] = {NULL};

	environ = _i == 0 ? NULL : empty;
	make(&none);
	ck_assert_ptr_null(environment.variables);
	make(&instance);
	ASSERT_GETS("PANICMON_INSTANCE=1");
}
END_TEST

START_TEST(no_changes_to_enter)
{
	char **before = environ;

	pm_environment_enter(NULL);
	ck_assert_ptr_eq(environ, before);
	pm_environment_enter(&environment);
	ck_assert_ptr_eq(environ, before);
}
END_TEST

/* ---- set ---- */

static char names[][8] = {"A", "NEW", "EMPTY", "LONGER"};
static char values[][24] = {"x=y z", "1", "", "with\nlines\t\x7f\xc3\xa4"};

static const struct pm_variable some[] = {
	{names[0], values[0]},
	{names[1], values[1]},
	{names[2], values[2]},
	{names[3], values[3]},
};

START_TEST(set_and_replaced)
{
	const struct pm_environment_changes changes = {.set = some, .count = 4};

	HAVE("FIRST=1", "A=old", "KEPT=\"'", "EMPTY=no", "A=old again");
	make(&changes);
	ASSERT_GETS("FIRST=1", "KEPT=\"'", "A=x=y z", "NEW=1",
		    "EMPTY=", "LONGER=with\nlines\t\x7f\xc3\xa4");
}
END_TEST

/* A name is the whole of what is before the '='. */
START_TEST(names_that_begin_alike)
{
	const struct pm_environment_changes changes = {.set = some, .count = 1, .instance = 3};

	HAVE("AA=2", "A", "", "a=3", "A =4", "PANICMON_INSTANCES=5", "PANICMON_INSTANC=6",
	     "LISTEN_PIDS=7", "PANICMON_INSTANCE=8");
	make(&changes);
	ASSERT_GETS("AA=2", "A", "", "a=3", "A =4", "PANICMON_INSTANCES=5", "PANICMON_INSTANC=6",
		    "LISTEN_PIDS=7", "A=x=y z", "PANICMON_INSTANCE=3");
}
END_TEST

START_TEST(hidden)
{
	static const char *const secrets[] = {"URL", "A", "NONE"};
	const struct pm_environment_changes changes = {
		.set = some, .count = 1, .hide = secrets, .hide_count = 3};
	struct pm_environment_changes hides = changes;

	HAVE("URL=https://secret", "URLS=1", "A=old", "URL", "url=2", "URL=again");
	make(&changes);
	ASSERT_GETS("URLS=1", "URL", "url=2", "A=x=y z");
	pm_environment_free(&environment);
	hides.count = 0;
	make(&hides);
	ASSERT_GETS("URLS=1", "URL", "url=2");
}
END_TEST

START_TEST(cleared)
{
	struct pm_environment_changes changes = {.clear = true};

	HAVE("PATH=/bin", own_listen, own_watchdog, "LISTEN_PIDFDID=5", "A=1");
	make(&changes);
	ck_assert_ptr_nonnull(environment.variables);
	ck_assert_ptr_null(environment.variables[0]);
	ASSERT_GETS(NULL);
	pm_environment_free(&environment);
	changes.set = some;
	changes.count = 2;
	changes.instance = 64;
	make(&changes);
	ASSERT_GETS("A=x=y z", "NEW=1", "PANICMON_INSTANCE=64");
}
END_TEST

START_TEST(instance)
{
	static const unsigned numbers[] = {1, 9, 10, 64, 4294967295};
	const struct pm_environment_changes changes = {.instance = numbers[_i]};
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "PANICMON_INSTANCE=%u", numbers[_i]);
	HAVE("PANICMON_INSTANCE=of a panicmon above", "A=1");
	make(&changes);
	ASSERT_GETS("A=1", wanted);
}
END_TEST

/* Of a panicmon above us: it says nothing of the sole command that is ours, but that is none of our
 * business. */
START_TEST(instance_of_another)
{
	const struct pm_environment_changes none = {0};

	HAVE("PANICMON_INSTANCE=2", "A=1");
	make(&none);
	ck_assert_ptr_null(environment.variables);
}
END_TEST

/* Many more than fit on a page, each of them in its place. */
START_TEST(many)
{
	enum { MANY = 10000 };
	const struct pm_environment_changes changes = {.set = some, .count = 1};
	char **ours = calloc(MANY + 1, sizeof(*ours));
	char(*texts)[16] = calloc(MANY, sizeof(*texts));

	ck_assert(ours != NULL && texts != NULL);
	for (int i = 0; i < MANY; i++) {
		snprintf(texts[i], sizeof(*texts), "N%d=%d", i, i);
		ours[i] = texts[i];
	}
	ours[MANY / 2] = own_listen;
	environ = ours;
	make(&changes);
	for (int i = 0; i < MANY; i++)
		if (i != MANY / 2)
			ck_assert_ptr_eq(environment.variables[i], texts[i]);
	ck_assert_str_eq(environment.variables[MANY / 2], "LISTEN_PID=");
	ck_assert_str_eq(environment.variables[MANY], "A=x=y z");
	ck_assert_ptr_null(environment.variables[MANY + 1]);
	environ = checks;
	free(texts);
	free(ours);
}
END_TEST

/* ---- variables that mean us ---- */

/* What a service manager has written for the process that it started. */
START_TEST(own_pid_becomes_the_commands)
{
	const struct pm_environment_changes none = {0};

	HAVE("A=1", own_watchdog, "LISTEN_PIDFDID=123", "LISTEN_FDS=2", own_listen,
	     "NOTIFY_SOCKET=/run/x");
	make(&none);
	ASSERT_GETS("A=1", "WATCHDOG_PID=*", "LISTEN_FDS=2", "LISTEN_PID=*",
		    "NOTIFY_SOCKET=/run/x");
	/* Each that enters has a pid of its own. */
	ASSERT_GETS("A=1", "WATCHDOG_PID=*", "LISTEN_FDS=2", "LISTEN_PID=*",
		    "NOTIFY_SOCKET=/run/x");
}
END_TEST

START_TEST(only_one_of_them)
{
	const struct pm_environment_changes changes = {.set = some, .count = 1, .instance = 7};

	HAVE(_i == 0 ? own_listen : own_watchdog, "B=2");
	make(&changes);
	ASSERT_GETS(_i == 0 ? "LISTEN_PID=*" : "WATCHDOG_PID=*", "B=2", "A=x=y z",
		    "PANICMON_INSTANCE=7");
}
END_TEST

/* getenv(3) finds the first, but not every program asks that. */
START_TEST(own_pid_twice)
{
	const struct pm_environment_changes changes = {.set = some, .count = 2};

	HAVE(own_listen, own_listen, own_watchdog, "LISTEN_PID=1", own_listen, own_watchdog);
	make(&changes);
	ASSERT_GETS("LISTEN_PID=*", "LISTEN_PID=*", "WATCHDOG_PID=*", "LISTEN_PID=1",
		    "LISTEN_PID=*", "WATCHDOG_PID=*", "A=x=y z", "NEW=1");
}
END_TEST

/* It was not meant for us, and so not for the command: that is to find it as it is. */
START_TEST(pid_of_another)
{
	const struct pm_environment_changes none = {0};
	char next[32], longer[40], spaced[40], parent[32];

	snprintf(next, sizeof(next), "LISTEN_PID=%d", (int)getpid() + 1);
	snprintf(longer, sizeof(longer), "LISTEN_PID=%d0", (int)getpid());
	snprintf(spaced, sizeof(spaced), "WATCHDOG_PID=%d ", (int)getpid());
	snprintf(parent, sizeof(parent), "WATCHDOG_PID=%d", (int)getppid());
	HAVE(next, longer, spaced, parent, "LISTEN_PIDFDID=123", "LISTEN_PID=", "LISTEN_PID",
	     "WATCHDOG_PID=99999999999999999999999", "LISTEN_PID=-1");
	make(&none);
	ck_assert_ptr_null(environment.variables);
}
END_TEST

/* The inode is that of the process in LISTEN_PID: it goes when that is rewritten, and no sooner. */
START_TEST(pidfd_id_of_another)
{
	const struct pm_environment_changes changes = {.set = some, .count = 1};

	HAVE("LISTEN_PIDFDID=123", "LISTEN_PID=1", own_watchdog);
	make(&changes);
	ASSERT_GETS("LISTEN_PIDFDID=123", "LISTEN_PID=1", "WATCHDOG_PID=*", "A=x=y z");
}
END_TEST

START_TEST(own_pid_is_set)
{
	static char listen[] = "LISTEN_PID", id[] = "LISTEN_PIDFDID";
	static char value[] = "17", inode[] = "18";
	const struct pm_variable set[] = {{listen, value}, {id, inode}};
	const struct pm_environment_changes changes = {.set = set, .count = 2};

	HAVE(own_listen, "LISTEN_PIDFDID=123", own_watchdog);
	make(&changes);
	ASSERT_GETS("WATCHDOG_PID=*", "LISTEN_PID=17", "LISTEN_PIDFDID=18");
}
END_TEST

/* Nothing of panicmon's own process is touched by what the command does with it. */
START_TEST(ours_stays)
{
	const struct pm_environment_changes changes = {.set = some, .count = 4, .instance = 2};
	char before[32];
	char **ours;

	HAVE(own_listen, "A=1");
	ours = environ;
	snprintf(before, sizeof(before), "%s", own_listen);
	make(&changes);
	ck_assert_ptr_eq(environ, ours);
	ck_assert_str_eq(environ[0], before);
	ck_assert_str_eq(environ[1], "A=1");
	ck_assert_ptr_null(environ[2]);
}
END_TEST

START_TEST(freed_twice)
{
	const struct pm_environment_changes changes = {.clear = true, .set = some, .count = 4};

	make(&changes);
	pm_environment_free(&environment);
	ck_assert_ptr_null(environment.variables);
	ck_assert_ptr_null(environment.texts);
	pm_environment_free(&environment);
}
END_TEST

void add_environment_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "environment", set_up, tear_down);

	tcase_add_test(tests, nothing_changed);
	tcase_add_loop_test(tests, no_environment_of_ours, 0, 2);
	tcase_add_test(tests, no_changes_to_enter);
	tcase_add_test(tests, set_and_replaced);
	tcase_add_test(tests, names_that_begin_alike);
	tcase_add_test(tests, hidden);
	tcase_add_test(tests, cleared);
	tcase_add_loop_test(tests, instance, 0, 5);
	tcase_add_test(tests, instance_of_another);
	tcase_add_test(tests, many);
	tcase_add_test(tests, own_pid_becomes_the_commands);
	tcase_add_loop_test(tests, only_one_of_them, 0, 2);
	tcase_add_test(tests, own_pid_twice);
	tcase_add_test(tests, pid_of_another);
	tcase_add_test(tests, pidfd_id_of_another);
	tcase_add_test(tests, own_pid_is_set);
	tcase_add_test(tests, ours_stays);
	tcase_add_test(tests, freed_twice);
}
