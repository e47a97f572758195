/* The library: how commands end, or do not even start. */
#include <config.h>

#include "test_library.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

START_TEST(no_argv)
{
	char *const none[] = {NULL};
	struct panicmon_executor *one = make(_i == 0 ? none : NULL);

	ck_assert_uint_eq(run(one), 1);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_FAILED);
	ck_assert_int_eq(told[0].event.pid, 0);
	ck_assert_uint_eq(told[0].event.argc, 0);
	ck_assert_int_eq(told[1].event.error, EINVAL);
	ck_assert_int_eq(panicmon_executor_status(one), 0);
	ck_assert_int_eq(error_of(one)->code, EINVAL);
	ck_assert_ptr_nonnull(strstr(error_of(one)->text, "argv is empty"));
}
END_TEST

static const struct {
	const char *command;
	int wanted;
} unstartable[] = {
	{"/nonexistent/command", ENOENT},
	{"panicmon-no-such-command", ENOENT},
	{"", ENOENT},
	{"/proc/self/status/x", ENOTDIR},
	{"/", EACCES},
	{"/proc/self/status", EACCES},
};

START_TEST(not_started)
{
	char name[64], wanted[256];
	char *const argv[] = {name, NULL};

	setenv("PATH", "/usr/bin:/bin", 1); /* a folder that we may not search would be EACCES */
	snprintf(name, sizeof(name), "%s", unstartable[_i].command);
	struct panicmon_executor *one = make(argv);
	ck_assert_uint_eq(run(one), 1);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_FAILED);
	ck_assert(panicmon_event_has(&told[1].event, PANICMON_HAS_ERROR));
	ck_assert_int_eq(told[1].event.error, unstartable[_i].wanted);
	ck_assert_int_eq(told[1].event.severity, PANICMON_ERROR);
	ck_assert_int_eq(panicmon_executor_status(one), 0);
	ck_assert_int_eq(error_of(one)->code, unstartable[_i].wanted);
	snprintf(wanted, sizeof(wanted), "cannot run '%s': %s", name,
		 strerror(unstartable[_i].wanted));
	ck_assert_str_eq(error_of(one)->text, wanted);
}
END_TEST

static const int codes[] = {0, 1, 3, 125, 126, 127, 128, 143, 255};

START_TEST(exits)
{
	char text[32];
	const int code = codes[_i];

	snprintf(text, sizeof(text), "%d", code);
	struct panicmon_executor *one = make_role("exit", text);
	ck_assert_uint_eq(run(one), code == 0 ? 0 : 1);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_EXITED);
	ck_assert_int_gt(told[0].event.pid, 0);
	ck_assert_ptr_eq(told[0].self, &options);

	const struct panicmon_event *event = &told[1].event;
	ck_assert_uint_eq(event->size, sizeof(*event));
	ck_assert_int_eq(event->pid, told[0].event.pid);
	ck_assert_int_eq(event->code, code);
	ck_assert_int_eq(event->status, code);
	ck_assert(!panicmon_event_has(event, PANICMON_HAS_SIGNAL));
	ck_assert_uint_eq(event->seq, 2);
	ck_assert_uint_eq(event->argc, 3);
	ck_assert_str_eq(event->args[1], "exit");
	ck_assert_ptr_null(event->args[3]);
	ck_assert_str_eq(event->name, "test_library");
	ck_assert_uint_eq(strlen(event->run), 32);
	ck_assert_int_eq(panicmon_executor_status(one), code);
	ck_assert_int_eq(panicmon_executor_error(one) != NULL, code != 0);
	if (code == 0)
		return;
	snprintf(text, sizeof(text), "exit status %d", code);
	ck_assert_str_eq(error_of(one)->text, text);
	ck_assert_int_eq(error_of(one)->code, 0);
}
END_TEST

static const struct {
	int number;
	const char *text;
} deadly[] = {
	{SIGKILL, "killed by SIGKILL"},
	{SIGTERM, "killed by SIGTERM"},
	{SIGSEGV, "killed by SIGSEGV"},
};

START_TEST(killed)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", deadly[_i].number);
	struct panicmon_executor *one = make_role("die", text);
	ck_assert_uint_eq(run(one), 1);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_EXITED);
	const struct panicmon_event *event = &told[1].event;
	ck_assert_int_eq(event->code, -1);
	ck_assert_int_eq(event->signal, deadly[_i].number);
	ck_assert_int_eq(event->reason, PANICMON_REASON_SIGNALED);
	ck_assert_int_eq(event->severity, PANICMON_FATAL);
	ck_assert_int_eq(panicmon_executor_status(one), 128 + deadly[_i].number);
	ck_assert_str_eq(error_of(one)->text, deadly[_i].text);
	ck_assert_int_eq(error_of(one)->code, 0);
}
END_TEST

/* ---- several together ---- */

START_TEST(several)
{
	char *const missing[] = {(char *)(uintptr_t) "/nonexistent/command", NULL};
	char *const none[] = {NULL};
	struct panicmon_executor *all[] = {
		make_shell("exit 0"),     make(missing),        make_shell("exit 3"), make(none),
		make_shell("kill -9 $$"), make_shell("exit 0"),
	};
	const int statuses[] = {0, 0, 3, 0, 137, 0};
	const int fine[] = {1, 0, 0, 0, 0, 1};

	ck_assert_uint_eq(panicmon_run(all, 6), 4);
	ck_assert_uint_eq(told_count, 12);
	for (size_t i = 0; i < 6; i++) {
		ck_assert_int_eq(panicmon_executor_status(all[i]), statuses[i]);
		ck_assert_int_eq(panicmon_executor_error(all[i]) == NULL, fine[i]);
	}
	/* But for the one that has none, all are told of before the first can do anything. */
	for (size_t i = 2; i < 7; i++)
		ck_assert_uint_eq(told[i].event.type, PANICMON_PROCESS_STARTED);
}
END_TEST

/* Neither run nor waited for the other: each meets the other one's file. */
START_TEST(side_by_side)
{
	char script[2][256];

	make_folder();
	for (int i = 0; i < 2; i++)
		snprintf(script[i], sizeof(script[i]),
			 "touch %s/%d; until [ -e %s/%d ]; do sleep 0.01; done", folder, i, folder,
			 1 - i);
	struct panicmon_executor *both[] = {make_shell(script[0]), make_shell(script[1])};
	ck_assert_uint_eq(panicmon_run(both, 2), 0);
}
END_TEST

START_TEST(none_at_all)
{
	ck_assert_uint_eq(panicmon_run(NULL, 0), 0);
	ck_assert_uint_eq(told_count, 0);
	panicmon_executor_free(NULL);
}
END_TEST

/* It runs once, and its second place in the array has failed. */
START_TEST(twice_in_one_run)
{
	struct panicmon_executor *one = make_shell("exit 0");
	struct panicmon_executor *all[] = {one, one};

	ck_assert_uint_eq(panicmon_run(all, 2), 1);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_EXITED);
	ck_assert_ptr_null(panicmon_executor_error(one));
	run_well(one);
}
END_TEST

static struct panicmon_executor *within;

static void run_within(const struct panicmon_event *event)
{
	if (event->type == PANICMON_PROCESS_FAILED && on_told != NULL) {
		on_told = NULL;
		ck_assert_uint_eq(run(within), 1);
	}
}

/* Also the callback that is told of a command which is not even tried is one. */
START_TEST(within_a_refusal)
{
	char *const none[] = {NULL};

	within = make_shell("exit 0");
	on_told = run_within;
	ck_assert_uint_eq(run(make(none)), 1);
	ck_assert_int_eq(error_of(within)->code, EBUSY);
	run_well(within);
}
END_TEST

/* ---- again ---- */

START_TEST(again)
{
	char path[] = "/tmp/test_library.XXXXXX", script[256];
	const int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	snprintf(script, sizeof(script), "if [ -e %s ]; then rm %s; exit 5; fi", path, path);
	struct panicmon_executor *one = make_shell(script);
	ck_assert_int_eq(panicmon_executor_status(one), 0);
	ck_assert_ptr_null(panicmon_executor_error(one));
	ck_assert_uint_eq(run(one), 1);
	ck_assert_int_eq(panicmon_executor_status(one), 5);
	run_well(one);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_EXITED, PANICMON_PROCESS_STARTED,
		    PANICMON_PROCESS_EXITED);
	ck_assert_str_eq(told[0].run, told[1].run);
	ck_assert_str_eq(told[2].run, told[3].run);
	ck_assert_str_ne(told[0].run, told[2].run);
	ck_assert_uint_eq(told[2].event.seq, 1);
	ck_assert_uint_eq(told[3].event.seq, 2);
}
END_TEST

static size_t memory_in_use(void)
{
	return mallinfo2().uordblks;
}

static void run_all_kinds(void)
{
	char *const missing[] = {(char *)(uintptr_t) "/nonexistent/command", NULL};
	char *const none[] = {NULL};

	options.output = keep_in(&written);
	options.errors = (struct panicmon_output){.kind = PANICMON_DISCARD};
	struct panicmon_executor *all[] = {
		panicmon_executor_new(&options, missing, &error),
		panicmon_executor_new(&options, none, &error),
		panicmon_executor_new(&options,
				      (char *const[]){this_program, (char *)(uintptr_t) "exit",
						      (char *)(uintptr_t) "3", NULL},
				      &error),
	};
	ck_assert_uint_eq(panicmon_run(all, 3), 3);
	ck_assert_int_eq(panicmon_executor_status(all[2]), 3);
	for (size_t i = 0; i < 3; i++)
		panicmon_executor_free(all[i]);
	told_count = 0;
}

START_TEST(nothing_left)
{
	enum { WARM_UP = 20, RUNS = 200 };
	size_t memory = 0, descriptors = 0;

	for (int i = 0; i < RUNS; i++) {
		if (i == WARM_UP) {
			memory = memory_in_use();
			descriptors = count_descriptors();
		}
		run_all_kinds();
	}
	ck_assert_uint_eq(count_descriptors(), descriptors);
	ck_assert_uint_le(memory_in_use(), memory);
	ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

/* With too few descriptors for all, none is run; whichever of them it is that is not there. */
START_TEST(no_descriptors)
{
	struct rlimit limit, few;
	const size_t before = count_descriptors();
	size_t failed = 1;
	int tries = 0;

	getrlimit(RLIMIT_NOFILE, &limit);
	options.output = keep_in(&written);
	options.errors = keep_in(&complained);
	struct panicmon_executor *both[] = {make_shell("echo x"), make_shell("echo y")};
	for (few = limit, few.rlim_cur = 0; failed != 0; few.rlim_cur++) {
		told_count = 0;
		setrlimit(RLIMIT_NOFILE, &few);
		failed = panicmon_run(both, 2);
		setrlimit(RLIMIT_NOFILE, &limit);
		ck_assert_uint_eq(told_count, 4);
		ck_assert_uint_eq(count_descriptors(), before);
		if (failed == 0)
			break;
		tries++;
		/* Enough for all of ours is not enough for a shell that has to load its library. */
		if (panicmon_executor_error(both[0])->code == 0)
			continue;
		ck_assert_uint_eq(failed, 2);
		ck_assert_int_eq(error_of(both[0])->code, EMFILE);
		ck_assert_int_eq(error_of(both[1])->code, EMFILE);
		ck_assert_uint_eq(written.length, 0);
		for (size_t i = 0; i < 4; i++)
			ck_assert_int_eq(told[i].event.pid, 0);
	}
	ck_assert_int_gt(tries, 10);
	ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
	ck_assert_uint_eq(written.length, 4);
}
END_TEST

/* ---- texts ---- */

static const struct {
	int status;
	const char *text;
} texts[] = {
	{0, "success"},
	{1, "exit status 1"},
	{127, "exit status 127"},
	{128, "exit status 128"},
	{137, "killed by SIGKILL"},
	{143, "killed by SIGTERM"},
	{192, "killed by SIGRTMIN+30"},
	{193, "exit status 193"},
	{255, "exit status 255"},
	{-1, "exit status -1"},
};

START_TEST(status_text)
{
	char text[64] = "";

	ck_assert_ptr_eq(panicmon_status_text(texts[_i].status, text, sizeof(text)), text);
	ck_assert_str_eq(text, texts[_i].text);
	ck_assert_str_eq(panicmon_status_text(texts[_i].status, text, 5), text);
	ck_assert_uint_eq(strlen(text), 4);
	ck_assert_ptr_null(panicmon_status_text(texts[_i].status, NULL, 0));
}
END_TEST

void add_end_tests(Suite *suite)
{
	TCase *tests = add_case(suite, "ends");

	tcase_add_loop_test(tests, no_argv, 0, 2);
	tcase_add_loop_test(tests, not_started, 0, sizeof(unstartable) / sizeof(unstartable[0]));
	tcase_add_loop_test(tests, exits, 0, sizeof(codes) / sizeof(codes[0]));
	tcase_add_loop_test(tests, killed, 0, sizeof(deadly) / sizeof(deadly[0]));
	tcase_add_test(tests, several);
	tcase_add_test(tests, side_by_side);
	tcase_add_test(tests, none_at_all);
	tcase_add_test(tests, twice_in_one_run);
	tcase_add_test(tests, within_a_refusal);
	tcase_add_test(tests, again);
	tcase_add_test(tests, nothing_left);
	if (!is_under_valgrind()) /* it keeps some to itself */
		tcase_add_test(tests, no_descriptors);
	tcase_add_loop_test(tests, status_text, 0, sizeof(texts) / sizeof(texts[0]));
}
