/* The handler room: what runs before a plugin is loaded. Hosts are tested end to end. */
#include <config.h>

#include "test_handler.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "handler/deliver.h"
#include "handler/module.h"

START_TEST(backoff)
{
	static const int wanted[] = {100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};

	for (unsigned i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		ck_assert_int_eq(pm_backoff_ms(i), wanted[i]);
	for (unsigned i = 8; i < 10000; i++)
		ck_assert_int_le(pm_backoff_ms(i), 30000);
	ck_assert_int_eq(pm_backoff_ms(UINT_MAX), 30000);
}
END_TEST

START_TEST(paths_of_modules)
{
	static char name[] = "log";
	static const struct {
		const char *plugin, *wanted;
	} cases[] = {
		{NULL, "/usr/lib/h/log.so"},
		{"other", "/usr/lib/h/other.so"},
		{"other.so", "/usr/lib/h/other.so"},
		{"sub/other.so", "/usr/lib/h/sub/other.so"},
		{"x.so.1", "/usr/lib/h/x.so.1.so"},
		{"so", "/usr/lib/h/so.so"},
		{"/opt/x.so", "/opt/x.so"},
		{"/opt/x", "/opt/x"}, /* taken as it is */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *plugin = cases[i].plugin == NULL ? NULL : strdup(cases[i].plugin);
		const struct pm_config_handler config = {.name = name, .plugin = plugin};
		char *path = pm_module_path(&config, "/usr/lib/h");

		ck_assert_str_eq(path, cases[i].wanted);
		free(path);
		free(plugin);
	}
}
END_TEST

static void add_small_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "small", NULL, NULL);

	tcase_add_test(tests, backoff);
	tcase_add_test(tests, paths_of_modules);
}

int main(void)
{
	return RUN_SUITE("handler", add_small_tests, add_alerts_tests, add_alerts_file_tests,
			 add_describe_tests, add_keeper_tests, add_option_tests, add_module_tests);
}
