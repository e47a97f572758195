/* The handler room: what runs before a plugin is loaded. Hosts are tested end to end. */
#include <config.h>

#include "test_handler.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handler/deliver.h"
#include "handler/module.h"

/* Removed by main(): Check does not call tear_down() of a test that failed. */
char all_folders[] = "/tmp/panicmon-handler-XXXXXX";

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
	TCase *tests = tcase_create("small");

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, backoff);
	tcase_add_test(tests, paths_of_modules);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status, (void)kind, (void)place;
	return remove(path);
}

int main(void)
{
	Suite *suite = suite_create("handler");
	SRunner *runner = srunner_create(suite);

	if (mkdtemp(all_folders) == NULL) {
		perror("test_handler");
		return EXIT_FAILURE;
	}
	add_small_tests(suite);
	add_alerts_tests(suite);
	add_alerts_file_tests(suite);
	add_describe_tests(suite);
	add_keeper_tests(suite);
	add_option_tests(suite);
	add_module_tests(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	nftw(all_folders, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
