/* The config room: files and -o options to settings, and a complaint for each mistake. */
#include <config.h>

#include "test_config.h"

#include "event/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char start_folder[4096];
struct pm_config config;
char *said;
size_t said_count;

static void tear_down(void)
{
	pm_config_free(&config);
	free(said);
	said = NULL;
	ck_assert_int_eq(chdir(start_folder), 0);
}

void write_bytes(const char *path, const char *bytes, size_t size)
{
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}

void write_text(const char *path, const char *text)
{
	write_bytes(path, text, strlen(text));
}

static void note(void *arg, const char *text)
{
	char *more;

	ck_assert_ptr_eq(arg, &said);
	ck_assert_int_ge(asprintf(&more, "%s%s\n", said == NULL ? "" : said, text), 0);
	free(said);
	said = more;
	said_count++;
}

size_t load_with(const char *file, const char *const *overrides, size_t count)
{
	const struct pm_config_sources sources = {file, overrides, count};

	pm_config_free(&config);
	free(said);
	said = NULL;
	said_count = 0;
	size_t mistakes = pm_config_load(&config, &sources, note, &said);
	ck_assert_uint_eq(mistakes, said_count);
	return mistakes;
}

const char *complaints(const char *text)
{
	write_text("a.ini", text);
	load_with("a.ini", NULL, 0);
	return said == NULL ? "" : said;
}

const char *complaints_of(const char *override)
{
	load_with(NULL, &override, 1);
	return said == NULL ? "" : said;
}

const char *about(const char *lines)
{
	char *text;

	ck_assert_int_ge(asprintf(&text, "[process]\n%s\n", lines), 0);
	const char *says = complaints(text);
	free(text);
	return says;
}

const struct pm_config_handler *handler(const char *name)
{
	for (size_t i = 0; i < config.handler_count; i++)
		if (strcmp(config.handlers[i].name, name) == 0)
			return &config.handlers[i];
	ck_abort_msg("no handler '%s'", name);
	return NULL;
}

const struct pm_config_option *option(const char *of, const char *key)
{
	const struct pm_config_handler *owner = handler(of);

	for (size_t i = 0; i < owner->option_count; i++)
		if (strcmp(owner->options[i].key, key) == 0)
			return &owner->options[i];
	ck_abort_msg("no option '%s'", key);
	return NULL;
}

START_TEST(defaults)
{
	ck_assert_str_eq(complaints("[handler:log]"), "");
	ck_assert_ptr_null(config.name);
	ck_assert_str_eq(config.handler_dir, PM_HANDLER_DIR);
	ck_assert_int_eq(config.start_timeout_ms, 2000);
	ck_assert_int_eq(config.drain_timeout_ms, 5000);
	ck_assert_uint_eq(config.handler_count, 1);
	ck_assert_str_eq(config.handlers[0].name, "log");
	ck_assert_str_eq(config.handlers[0].where, "a.ini:1");
	ck_assert_ptr_null(config.handlers[0].plugin);
	ck_assert(config.handlers[0].required);
	ck_assert(!config.handlers[0].trust_path);
	ck_assert_int_eq(config.handlers[0].timeout_ms, 30000);
	ck_assert_uint_eq(config.handlers[0].option_count, 0);
}
END_TEST

START_TEST(built_in)
{
	ck_assert_uint_eq(load_with(NULL, NULL, 0), 0);
	ck_assert_str_eq(config.handler_dir, PM_HANDLER_DIR);
	ck_assert_uint_eq(config.handler_count, 1);
	ck_assert_str_eq(handler("log")->where, "built-in");
	ck_assert(handler("log")->required);
	ck_assert_int_eq(handler("log")->timeout_ms, 30000);
}
END_TEST

START_TEST(all_keys)
{
	ck_assert_str_eq(complaints("; a comment\n"
				    "[panicmon]\n"
				    "name = the api\n"
				    "  # another\n"
				    "handler_dir=/opt/h\n"
				    "\tstart_timeout\t=\t0\n"
				    "drain_timeout = 1m\n"
				    "\n"
				    "[handler:a]\n"
				    "plugin = /x/y.so\n"
				    "required = no\n"
				    "trust_path = YES\n"
				    "timeout = 1ms\n"
				    "path = a ;b #c = d: e  \n"
				    "url = https://x/?a=b\n"
				    "empty =\n"
				    "[handler:b]\n"),
			 "");
	ck_assert_str_eq(config.name, "the api");
	ck_assert_str_eq(config.handler_dir, "/opt/h");
	ck_assert_int_eq(config.start_timeout_ms, 0);
	ck_assert_int_eq(config.drain_timeout_ms, 60000);
	ck_assert_uint_eq(config.handler_count, 2);
	ck_assert_str_eq(handler("a")->plugin, "/x/y.so");
	ck_assert(!handler("a")->required);
	ck_assert(handler("a")->trust_path);
	ck_assert_int_eq(handler("a")->timeout_ms, 1);
	ck_assert_uint_eq(handler("a")->option_count, 3);
	ck_assert_str_eq(option("a", "path")->value, "a ;b #c = d: e");
	ck_assert_str_eq(option("a", "path")->where, "a.ini:14");
	ck_assert_str_eq(option("a", "url")->value, "https://x/?a=b");
	ck_assert_str_eq(option("a", "empty")->value, "");
	ck_assert_str_eq(handler("b")->where, "a.ini:17");
	ck_assert(handler("b")->required);
}
END_TEST

#define BIT(name) (UINT32_C(1) << PANICMON_##name)
#define PROCESS (BIT(PROCESS_STARTED) | BIT(PROCESS_FAILED) | BIT(PROCESS_EXITED) | BIT(PROCESS_RECOVERED))
#define SIGNALS (BIT(SIGNAL_RECEIVED) | BIT(SIGNAL_PASSED) | BIT(SIGNAL_FAILED))
#define ALL (PROCESS | SIGNALS | BIT(HANDLER_LOST))

static const struct {
	const char *events;
	uint32_t types;
} event_lists[] = {
	{"*", ALL},
	{"process.*", PROCESS},
	{"process.*, signal.*", PROCESS | SIGNALS},
	{"process.exited process.failed,signal.failed", BIT(PROCESS_EXITED) | BIT(PROCESS_FAILED) | BIT(SIGNAL_FAILED)},
	{"*.failed", BIT(PROCESS_FAILED) | BIT(SIGNAL_FAILED)},
	{"*.[ef]*", BIT(PROCESS_FAILED) | BIT(PROCESS_EXITED) | BIT(SIGNAL_FAILED)},
	{"signal.?a*", BIT(SIGNAL_PASSED) | BIT(SIGNAL_FAILED)},
	{"!signal.*", PROCESS | BIT(HANDLER_LOST)},
	{"!signal.* !handler.lost", PROCESS},
	{"!signal.*, signal.failed", PROCESS | BIT(HANDLER_LOST) | BIT(SIGNAL_FAILED)},
	{"*, !signal.*", PROCESS | BIT(HANDLER_LOST)},
	{"process.*, !process.started", PROCESS & ~BIT(PROCESS_STARTED)},
	{"process.exited, !signal.*", BIT(PROCESS_EXITED)},
};

START_TEST(lists_of_events)
{
	char text[256];

	snprintf(text, sizeof(text), "[handler:a]\nevents = %s\n[handler:b]\n", event_lists[_i].events);
	ck_assert_str_eq(complaints(text), "");
	ck_assert_uint_eq(handler("a")->events.types & ALL, event_lists[_i].types);
	ck_assert_uint_eq(handler("b")->events.types & ALL, ALL);
}
END_TEST

START_TEST(failures_of_each_kind)
{
	static const char *const names[] = {"process.failed", "process.exited", "process.recovered",
					    "signal.failed", "handler.lost"};
	char text[256];

	snprintf(text, sizeof(text), "[handler:a]\nwhen = failure\nevents = %s\n", names[_i]);
	ck_assert_str_eq(complaints(text), "");
}
END_TEST

START_TEST(keys_of_what_a_handler_gets)
{
	ck_assert_str_eq(complaints("[panicmon]\nredact = ssn, pin card-number\nstate_dir = /x\n"
				    "[handler:a]\nwhen = failure\nalert_window = 0\nstable_after = 90s\n"
				    "[handler:b]\n"),
			 "");
	ck_assert_uint_eq(config.redact.count, 3);
	ck_assert_str_eq(config.redact.names[2], "card-number");
	ck_assert(!config.redact.off);
	ck_assert_str_eq(config.state_dir, "/x");
	ck_assert_str_eq(config.state_dir_where, "a.ini:3");
	ck_assert(handler("a")->failures_only);
	ck_assert_int_eq(handler("a")->alert_window_ms, 0);
	ck_assert_str_eq(handler("a")->alert_window_where, "a.ini:6");
	ck_assert_int_eq(handler("a")->stable_after_ms, 90000);
	ck_assert_str_eq(handler("a")->stable_after_where, "a.ini:7");
	ck_assert(!handler("b")->failures_only);
	ck_assert_int_eq(handler("b")->alert_window_ms, 300000);
	ck_assert_int_eq(handler("b")->stable_after_ms, 60000);
	ck_assert_ptr_null(handler("b")->alert_window_where);
	ck_assert_str_eq(complaints("[panicmon]\nredact = off\n"), "");
	ck_assert(config.redact.off);
	ck_assert_uint_eq(config.redact.count, 0);
	ck_assert_ptr_null(config.state_dir);
}
END_TEST

/* More handlers and options than one allocation holds. */
START_TEST(many_handlers_and_options)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(file);
	for (int i = 0; i < 100; i++) {
		fprintf(file, "[handler:h%d]\n", i);
		for (int j = 0; j < i; j++)
			fprintf(file, "o%d = %d\n", j, i + j);
	}
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_str_eq(complaints(text), "");
	free(text);
	ck_assert_uint_eq(config.handler_count, 100);
	ck_assert_str_eq(config.handlers[99].name, "h99");
	ck_assert_uint_eq(config.handlers[99].option_count, 99);
	ck_assert_str_eq(option("h99", "o98")->value, "197");
	ck_assert_str_eq(option("h1", "o0")->value, "1");
}
END_TEST

START_TEST(windows_files)
{
	ck_assert_str_eq(complaints("\xef\xbb\xbf[panicmon]\r\nname = api\r\n\r\n[handler:log]\r\nx = y"), "");
	ck_assert_str_eq(config.name, "api");
	ck_assert_str_eq(option("log", "x")->value, "y");
	ck_assert_str_eq(option("log", "x")->where, "a.ini:5");
	ck_assert_str_eq(complaints("\xef\xbb\xbf"), "");
	ck_assert_str_eq(complaints(""), "");
	ck_assert_str_eq(complaints("\n\n"), "");
}
END_TEST

START_TEST(long_lines_arrive_whole)
{
	enum { LENGTH = 100000 };
	char *text = malloc(LENGTH + 64), *value;

	ck_assert_ptr_nonnull(text);
	value = stpcpy(text, "[handler:log]\nx = ");
	memset(value, 'v', LENGTH);
	value[LENGTH - 1] = 'w';
	strcpy(value + LENGTH, "\ny = z");
	ck_assert_str_eq(complaints(text), "");
	ck_assert_uint_eq(strlen(option("log", "x")->value), LENGTH);
	ck_assert_int_eq(option("log", "x")->value[LENGTH - 1], 'w');
	ck_assert_str_eq(option("log", "y")->value, "z");
	ck_assert_str_eq(option("log", "y")->where, "a.ini:3");
	free(text);
}
END_TEST

START_TEST(example_files_are_good)
{
	const char *source = getenv("PM_SOURCE_DIR");
	char path[4200];

	snprintf(path, sizeof(path), "%s/conf/panicmon.ini", source != NULL ? source : start_folder);
	ck_assert_msg(load_with(path, NULL, 0) == 0, "%s", said);
	ck_assert_uint_eq(config.handler_count, 1);
	ck_assert_uint_eq(handler("log")->option_count, 0);
	snprintf(path, sizeof(path), "%s/conf/quickstart.ini", source != NULL ? source : start_folder);
	ck_assert_msg(load_with(path, NULL, 0) == 0, "%s", said);
	ck_assert_uint_eq(config.handler_count, 2);
	ck_assert_str_eq(handler("file")->plugin, "log");
	ck_assert_str_eq(option("file", "format")->value, "json");
}
END_TEST

START_TEST(overrides_win)
{
	static const char *const overrides[] = {
		"panicmon.name=first", "panicmon.name=a.b=c:d ", "handler:log.format=json",
		"handler:log.format=text", "handler:log.new=", "handler:log.timeout=1s",
		"handler:extra.plugin=log",
	};

	write_text("a.ini", "[panicmon]\nname = file\n[handler:log]\nformat = auto\npath = p\n");
	ck_assert_msg(load_with("a.ini", overrides, sizeof(overrides) / sizeof(overrides[0])) == 0, "%s",
		      said);
	ck_assert_str_eq(config.name, "a.b=c:d ");
	ck_assert_uint_eq(config.handler_count, 2);
	ck_assert_uint_eq(handler("log")->option_count, 3);
	ck_assert_str_eq(option("log", "format")->value, "text");
	ck_assert_str_eq(option("log", "format")->where, "-o handler:log.format");
	ck_assert_str_eq(option("log", "path")->where, "a.ini:5");
	ck_assert_str_eq(option("log", "new")->value, "");
	ck_assert_int_eq(handler("log")->timeout_ms, 1000);
	ck_assert_str_eq(handler("log")->where, "a.ini:3");
	ck_assert_str_eq(handler("extra")->plugin, "log");
	ck_assert_str_eq(handler("extra")->where, "-o handler:extra.plugin");
	ck_assert(handler("extra")->required);
	ck_assert_int_eq(handler("extra")->timeout_ms, 30000);
}
END_TEST

START_TEST(overrides_of_the_built_in)
{
	ck_assert_str_eq(complaints_of("handler:log.format=json"), "");
	ck_assert_uint_eq(config.handler_count, 1);
	ck_assert_str_eq(handler("log")->where, "built-in");
	ck_assert_str_eq(option("log", "format")->value, "json");
}
END_TEST

START_TEST(free_of_nothing)
{
	struct pm_config nothing = {0};
	struct pm_config partly = {.handler_count = 1, .handlers = calloc(1, sizeof(*partly.handlers))};

	pm_config_free(&nothing);
	pm_config_free(&partly);
	pm_config_free(&partly);
	ck_assert_ptr_null(partly.handlers);
}
END_TEST

/* Tests run in a folder of their own, so that paths in complaints are the same everywhere. */
TCase *add_case(Suite *suite, const char *name)
{
	return make_case(suite, name, enter_folder, tear_down);
}

static void add_setting_tests(Suite *suite)
{
	TCase *tests = add_case(suite, "settings");

	tcase_add_test(tests, defaults);
	tcase_add_test(tests, built_in);
	tcase_add_test(tests, all_keys);
	tcase_add_loop_test(tests, failures_of_each_kind, 0, 5);
	tcase_add_loop_test(tests, lists_of_events, 0,
			    (int)(sizeof(event_lists) / sizeof(event_lists[0])));
	tcase_add_test(tests, keys_of_what_a_handler_gets);
	tcase_add_test(tests, many_handlers_and_options);
	tcase_add_test(tests, windows_files);
	tcase_add_test(tests, long_lines_arrive_whole);
	tcase_add_test(tests, example_files_are_good);
	tcase_add_test(tests, free_of_nothing);
}

static void add_override_tests(Suite *suite)
{
	TCase *tests = add_case(suite, "overrides");

	tcase_add_test(tests, overrides_win);
	tcase_add_test(tests, overrides_of_the_built_in);
}

int main(void)
{
	if (getcwd(start_folder, sizeof(start_folder)) == NULL) {
		perror("test_config");
		return EXIT_FAILURE;
	}
	return RUN_SUITE("config", add_value_tests, add_setting_tests, add_mistake_tests,
			 add_file_tests, add_process_tests, add_process_mistake_tests,
			 add_override_tests);
}
