/* The plugin exec: how it reads a command, and what it puts into an environment. */
#include <config.h>

#include "sample_events.h"
#include "suite.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <panicmon/event.h>

#include "exec/environment.h"
#include "exec/words.h"

/* ---- words ---- */

enum { MOST = 8 };

static const struct {
	const char *text;
	const char *words[MOST];
} commands[] = {
	{"/bin/true", {"/bin/true"}},
	{"  a\tb \n c  ", {"a", "b", "c"}},
	{"a 'b c' \"d e\"", {"a", "b c", "d e"}},
	{"a'b c'\"d e\"f", {"ab cd ef"}},
	{"'' \"\" x", {"", "", "x"}},
	{"a\\ b \\'c \\\"d \\\\", {"a b", "'c", "\"d", "\\"}},
	{"'a\\b' 'a\"b' '\\'", {"a\\b", "a\"b", "\\"}},
	{"\"a\\\"b\" \"a\\\\b\" \"a\\b\" \"a'b\"", {"a\"b", "a\\b", "a\\b", "a'b"}},
	{"\"\\$x\" \"\\`\" \"\\\\\\\\\"", {"$x", "`", "\\\\"}},
	{"$HOME ${x} $(id) `id` * ~", {"$HOME", "${x}", "$(id)", "`id`", "*", "~"}},
	{"a;b|c&d >e # f", {"a;b|c&d", ">e", "#", "f"}},
	{"\xff\xfe \xc3\xa9", {"\xff\xfe", "\xc3\xa9"}},
	{"a", {"a"}},
};
enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

START_TEST(words_of_a_command)
{
	const char *problem;
	char **words = pm_exec_words_split(commands[_i].text, &problem);
	size_t count = 0;

	ck_assert_ptr_nonnull(words);
	ck_assert_ptr_null(problem);
	for (; commands[_i].words[count] != NULL; count++)
		ck_assert_str_eq(words[count], commands[_i].words[count]);
	ck_assert_ptr_null(words[count]);
	free(words);
}
END_TEST

static const struct {
	const char *text, *problem;
} mistakes[] = {
	{"", "is empty"},
	{" \t ", "is empty"},
	{"a 'b", "has a ' that is not closed"},
	{"'", "has a ' that is not closed"},
	{"a \"b", "has a \" that is not closed"},
	{"a \"b\\", "has a \" that is not closed"},
	{"a \"b\\\"", "has a \" that is not closed"},
	{"a b\\", "ends with a backslash that has nothing to quote"},
	{"\\", "ends with a backslash that has nothing to quote"},
};
enum { MISTAKE_COUNT = sizeof(mistakes) / sizeof(mistakes[0]) };

START_TEST(words_of_a_mistake)
{
	const char *problem = NULL;

	ck_assert_ptr_null(pm_exec_words_split(mistakes[_i].text, &problem));
	ck_assert_str_eq(problem, mistakes[_i].problem);
}
END_TEST

/* A text of what matters to the reader, the same one for the same number. */
static void make_text(unsigned number, char *text, size_t size)
{
	static const char alphabet[] = "ab  ''\"\"\\\\$`;\n\xc3";

	srandom(number);
	size_t length = (size_t)random() % size;
	for (size_t i = 0; i < length; i++)
		text[i] = alphabet[(size_t)random() % (sizeof(alphabet) - 1)];
	text[length] = '\0';
}

/* Anything at all is a command or a mistake; of a command, no word has more than there was. */
START_TEST(words_of_anything)
{
	for (unsigned i = 0; i < 2000; i++) {
		const char *problem;
		char text[24];
		size_t total = 0;

		make_text(i, text, sizeof(text));
		char **words = pm_exec_words_split(text, &problem);
		ck_assert((words == NULL) == (problem != NULL));
		for (size_t word = 0; words != NULL && words[word] != NULL; word++)
			total += strlen(words[word]);
		ck_assert_uint_le(total, strlen(text));
		free(words);
	}
}
END_TEST

static void check_quoted(const char *first, const char *second)
{
	struct pm_common_buffer quoted = {0};
	const char *problem;

	pm_exec_words_quote(&quoted, first);
	pm_common_puts(&quoted, " ");
	pm_exec_words_quote(&quoted, second);
	pm_common_put(&quoted, "", 1);
	char **words = pm_exec_words_split(quoted.data, &problem);
	ck_assert_msg(words != NULL, "%s: %s", quoted.data, problem);
	ck_assert_str_eq(words[0], first);
	ck_assert_str_eq(words[1], second);
	ck_assert_ptr_null(words[2]);
	free(words);
	pm_common_buffer_free(&quoted);
}

START_TEST(words_quoted_and_read)
{
	for (unsigned i = 0; i < 2000; i++) {
		char first[24], second[24];

		make_text(2 * i, first, sizeof(first));
		make_text(2 * i + 1, second, sizeof(second));
		check_quoted(first, second);
	}
}
END_TEST

START_TEST(words_that_need_no_quotes)
{
	static const char *const words[][2] = {
		{"a", "a"},       {"--a=b", "'--a=b'"}, {"/x-1.y:2,@%+_", "/x-1.y:2,@%+_"},
		{"", "''"},       {"~", "'~'"},         {"a b", "'a b'"},
		{"'", "''\\'''"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct pm_common_buffer quoted = {0};

		pm_exec_words_quote(&quoted, words[i][0]);
		pm_common_put(&quoted, "", 1);
		ck_assert_str_eq(quoted.data, words[i][1]);
		pm_common_buffer_free(&quoted);
	}
}
END_TEST

/* ---- environment ---- */

static struct panicmon_event make_exit(int32_t code, int32_t signal, int32_t core)
{
	struct panicmon_event event = make_event(PANICMON_PROCESS_EXITED);

	SET(&event, CODE, code, code);
	if (signal != 0)
		SET(&event, SIGNAL, signal, signal);
	SET(&event, CORE, core, core);
	SET(&event, REASON, reason,
	    signal != 0 ? PANICMON_REASON_SIGNALED : PANICMON_REASON_EXITED);
	return event;
}

/* NULL: there is no such variable. None stands twice. */
static const char *find(char *const *environment, const char *name)
{
	const char *found = NULL;
	size_t length = strlen(name);

	for (; *environment != NULL; environment++) {
		if (strncmp(*environment, name, length) != 0 || (*environment)[length] != '=')
			continue;
		ck_assert_msg(found == NULL, "%s stands twice", name);
		found = *environment + length + 1;
	}
	return found;
}

static size_t count(char *const *environment)
{
	size_t number = 0;

	while (environment[number] != NULL)
		number++;
	return number;
}

static void check_variable(char *const *environment, const char *name, const char *value)
{
	const char *found = find(environment, name);

	if (value == NULL)
		ck_assert_msg(found == NULL, "%s=%s", name, found);
	else
		ck_assert_msg(found != NULL && strcmp(found, value) == 0, "%s=%s, not %s", name,
			      found, value);
}

START_TEST(variables_of_a_start)
{
	const char *const base[] = {"PATH=/bin", "X=a=b", NULL};
	static const char *const args[] = {"prog", "a b", "it's", NULL};
	struct panicmon_event event = make_event(PANICMON_PROCESS_STARTED);
	static const char *const wanted[][2] = {
		{"PATH", "/bin"},
		{"X", "a=b"},
		{"PANICMON_TIME", "2026-11-22T20:14:45.123456Z"},
		{"PANICMON_EVENT", "process.started"},
		{"PANICMON_SEVERITY", "info"},
		{"PANICMON_SEQ", "7"},
		{"PANICMON_RUN", "0123456789abcdef0123456789abcdef"},
		{"PANICMON_NAME", "api"},
		{"PANICMON_HOST", "web-1"},
		{"PANICMON_PID", "1234"},
		{"PANICMON_ARGS", "prog 'a b' 'it'\\''s'"},
	};

	event.args = args;
	char **environment = pm_exec_environment_make(base, &event, 1000);
	ck_assert_ptr_nonnull(environment);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		check_variable(environment, wanted[i][0], wanted[i][1]);
	ck_assert_uint_eq(count(environment), sizeof(wanted) / sizeof(wanted[0]));
	pm_exec_environment_free(environment);
}
END_TEST

START_TEST(variables_that_are_not_handed_on)
{
	const char *const base[] = {"PANICMON_CODE=1",
				    "PANICMON_INSTANCE=2",
				    "PANICMON_CONFIG=/c",
				    "PANICMON_=",
				    "EXIT_CODE=killed",
				    "EXIT_STATUS=9",
				    "SERVICE_RESULT=bad",
				    "LISTEN_PID=1",
				    "LISTEN_FDS=3",
				    "LISTEN_FDNAMES=a",
				    "PANICMONX=kept",
				    "EXIT_CODES=kept",
				    "odd",
				    NULL};
	struct panicmon_event event = make_event(PANICMON_SIGNAL_RECEIVED);
	char **environment = pm_exec_environment_make(base, &event, 1000);

	ck_assert_ptr_nonnull(environment);
	check_variable(environment, "PANICMON_CONFIG", "/c");
	check_variable(environment, "PANICMONX", "kept");
	check_variable(environment, "EXIT_CODES", "kept");
	static const char *const gone[] = {"PANICMON_CODE", "PANICMON_INSTANCE", "PANICMON_",
					   "EXIT_CODE",     "EXIT_STATUS",       "SERVICE_RESULT",
					   "LISTEN_PID",    "LISTEN_FDS",        "LISTEN_FDNAMES"};
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		check_variable(environment, gone[i], NULL);
	ck_assert_str_eq(environment[3], "odd");
	pm_exec_environment_free(environment);
}
END_TEST

static const struct {
	int32_t code, signal, core;
	const char *exit_code, *exit_status, *result;
} ends[] = {
	{0, 0, 0, "exited", "0", "success"},
	{3, 0, 0, "exited", "3", "exit-code"},
	{-1, SIGTERM, 0, "killed", "TERM", "success"},
	{-1, SIGHUP, 0, "killed", "HUP", "success"},
	{-1, SIGINT, 0, "killed", "INT", "success"},
	{-1, SIGPIPE, 0, "killed", "PIPE", "success"},
	{-1, SIGKILL, 0, "killed", "KILL", "signal"},
	{-1, SIGSEGV, 0, "killed", "SEGV", "signal"},
	{-1, SIGSEGV, 1, "dumped", "SEGV", "core-dump"},
	{-1, SIGABRT, 1, "dumped", "ABRT", "core-dump"},
};
enum { END_COUNT = sizeof(ends) / sizeof(ends[0]) };

START_TEST(variables_of_an_end)
{
	const char *const base[] = {NULL};
	struct panicmon_event event = make_exit(ends[_i].code, ends[_i].signal, ends[_i].core);
	char **environment = pm_exec_environment_make(base, &event, 1000);

	ck_assert_ptr_nonnull(environment);
	check_variable(environment, "EXIT_CODE", ends[_i].exit_code);
	check_variable(environment, "EXIT_STATUS", ends[_i].exit_status);
	check_variable(environment, "SERVICE_RESULT", ends[_i].result);
	check_variable(environment, "PANICMON_CORE", ends[_i].core ? "1" : "0");
	pm_exec_environment_free(environment);
}
END_TEST

static const struct {
	enum panicmon_reason reason;
	const char *result, *name;
} kills[] = {
	{PANICMON_REASON_SIGNALED, "signal", "signaled"},
	{PANICMON_REASON_OOM_KILLED, "oom-kill", "oom-killed"},
	{PANICMON_REASON_STOP_TIMEOUT, "timeout", "stop-timeout"},
};

enum { KILL_COUNT = sizeof(kills) / sizeof(kills[0]) };

START_TEST(variables_of_a_kill)
{
	const char *const base[] = {NULL};
	struct panicmon_event event = make_exit(-1, SIGKILL, 0);

	event.reason = (int32_t)kills[_i].reason;
	char **environment = pm_exec_environment_make(base, &event, 1000);
	check_variable(environment, "EXIT_STATUS", "KILL");
	check_variable(environment, "SERVICE_RESULT", kills[_i].result);
	check_variable(environment, "PANICMON_REASON", kills[_i].name);
	pm_exec_environment_free(environment);
}
END_TEST

START_TEST(variables_of_a_recovery)
{
	const char *const base[] = {NULL};
	struct panicmon_event event = make_event(PANICMON_PROCESS_RECOVERED);

	SET(&event, INCIDENT, incident, "api@here");
	SET(&event, CRASHES, crashes, 12);
	event.attempt = 3;
	char **environment = pm_exec_environment_make(base, &event, 1000);
	check_variable(environment, "PANICMON_EVENT", "process.recovered");
	check_variable(environment, "PANICMON_INCIDENT", "api@here");
	check_variable(environment, "PANICMON_CRASHES", "12");
	check_variable(environment, "PANICMON_ATTEMPT", "3");
	check_variable(environment, "EXIT_CODE", NULL);
	check_variable(environment, "SERVICE_RESULT", NULL);
	pm_exec_environment_free(environment);
}
END_TEST

/* At every budget it is cut to what was asked for, and says so. */
START_TEST(variables_are_cut)
{
	const char *const base[] = {NULL};
	struct panicmon_event event = make_event(PANICMON_PROCESS_STARTED);
	enum { LENGTH = 100000 };
	char *large = malloc(LENGTH + 1);
	const char *const large_args[] = {"prog", large, NULL};

	memset(large, '\'', LENGTH);
	large[LENGTH] = '\0';
	event.args = large_args;
	event.argc = 2;
	for (size_t budget = 0; budget <= 16384; budget = budget * 4 + 1) {
		char **environment = pm_exec_environment_make(base, &event, budget);

		ck_assert_ptr_nonnull(environment);
		check_variable(environment, "PANICMON_TRUNCATED", "1");
		ck_assert_uint_le(strlen(find(environment, "PANICMON_ARGS")), budget * 4 + 32);
		check_variable(environment, "PANICMON_NAME", "api");
		pm_exec_environment_free(environment);
	}
	free(large);
}
END_TEST

static void add_word_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "words", NULL, NULL);

	tcase_add_loop_test(tests, words_of_a_command, 0, COMMAND_COUNT);
	tcase_add_loop_test(tests, words_of_a_mistake, 0, MISTAKE_COUNT);
	tcase_add_test(tests, words_of_anything);
	tcase_add_test(tests, words_quoted_and_read);
	tcase_add_test(tests, words_that_need_no_quotes);
}

static void add_environment_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "environment", NULL, NULL);

	tcase_add_test(tests, variables_of_a_start);
	tcase_add_test(tests, variables_that_are_not_handed_on);
	tcase_add_loop_test(tests, variables_of_an_end, 0, END_COUNT);
	tcase_add_loop_test(tests, variables_of_a_kill, 0, KILL_COUNT);
	tcase_add_test(tests, variables_of_a_recovery);
	tcase_add_test(tests, variables_are_cut);
}

int main(void)
{
	return RUN_SUITE("exec", add_word_tests, add_environment_tests);
}
