#include <config.h>

#include "suite.h"

#include <dirent.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMEOUT_S = 120 };

char folder[64];
char this_program[4096];
static char all_folders[48];

TCase *make_case(Suite *suite, const char *name, void (*set_up)(void), void (*tear_down)(void))
{
	TCase *tests = tcase_create(name);

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, TIMEOUT_S);
	return tests;
}

/* ---- a run ---- */

static void end_leftovers(void)
{
	char path[64];
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	/* The children of those that end come next. */
	while (waitpid(-1, NULL, WNOHANG) >= 0) {
		FILE *children = fopen(path, "re");

		if (children == NULL)
			return;
		while (fscanf(children, "%d", &pid) == 1)
			kill(pid, SIGKILL);
		fclose(children);
		waitpid(-1, NULL, 0);
	}
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(path);
}

int run_suite(const char *name, void (*const *add_tests)(Suite *))
{
	Suite *suite = suite_create(name);
	SRunner *runner = srunner_create(suite);

	snprintf(all_folders, sizeof(all_folders), "/tmp/panicmon-%s.XXXXXX", name);
	if (readlink("/proc/self/exe", this_program, sizeof(this_program) - 1) < 0 ||
	    mkdtemp(all_folders) == NULL) {
		perror(name);
		return EXIT_FAILURE;
	}
	for (; *add_tests != NULL; add_tests++)
		(*add_tests)(suite);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	srunner_run_all(runner, CK_ENV);
	end_leftovers();
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	nftw(all_folders, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- for tests ---- */

void make_folder(void)
{
	snprintf(folder, sizeof(folder), "%s/XXXXXX", all_folders);
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

void enter_folder(void)
{
	make_folder();
	ck_assert_int_eq(chdir(folder), 0);
}

bool is_under_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload != NULL && strstr(preload, "vgpreload") != NULL;
}

int open_descriptors(void)
{
	DIR *list = opendir("/proc/self/fd");
	int count = 0;

	ck_assert_ptr_nonnull(list);
	while (readdir(list) != NULL)
		count++;
	closedir(list);
	return count;
}

void wait_for_zombie(pid_t pid)
{
	siginfo_t info;

	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}
