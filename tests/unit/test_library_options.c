/* The library: options, their defaults, and every complaint about them. */
#include <config.h>

#include "test_library.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int no_write(void *arg, const char *data, size_t length)
{
	(void)arg;
	(void)data;
	(void)length;
	return 0;
}

START_TEST(defaults)
{
	static const int without[] = {SIGKILL, SIGSTOP, SIGCHLD, SIGILL,  SIGTRAP,
				      SIGABRT, SIGBUS,  SIGFPE,  SIGSEGV, SIGSYS,
				      SIGTSTP, SIGTTIN, SIGTTOU, 32,      33};
	uint64_t wanted = ~UINT64_C(0);

	memset(&options, 0xff, sizeof(options));
	panicmon_options_init(&options);
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++)
		wanted &= ~panicmon_signal_bit(without[i]);
	ck_assert_uint_eq(options.signals, wanted);
	ck_assert_uint_eq(options.size, sizeof(options));
	ck_assert_ptr_null(options.process);
	ck_assert_ptr_null(options.signal);
	ck_assert_ptr_null(options.environment);
	ck_assert_uint_eq(options.output.kind, PANICMON_INHERIT);
	ck_assert_uint_eq(options.errors.kind, PANICMON_INHERIT);
	ck_assert_int_eq(panicmon_options_validate(&options, &error), 0);
	ck_assert_str_eq(error.text, "");
}
END_TEST

/* A program of a later version has a longer struct. */
START_TEST(defaults_of_another_size)
{
	struct {
		struct panicmon_options known;
		char more[32];
	} later;

	memset(&later, 0xff, sizeof(later));
	panicmon_options_init_sized(&later.known, sizeof(later));
	ck_assert_uint_eq(later.known.size, sizeof(later));
	for (size_t i = 0; i < sizeof(later.more); i++)
		ck_assert_int_eq(later.more[i], 0);
	ck_assert_int_eq(panicmon_options_validate(&later.known, &error), 0);
	later.more[31] = 1;
	ck_assert_int_eq(panicmon_options_validate(&later.known, &error), -1);
	ck_assert_int_eq(error.code, E2BIG);
	ck_assert_ptr_nonnull(strstr(error.text, "does not know"));
}
END_TEST

/* ---- complaints ---- */

static struct panicmon_process_ops process_ops;
static struct panicmon_signal_ops signal_ops;

static void size_0(void)
{
	options.size = 0;
}

static void size_short(void)
{
	options.size = sizeof(options) - 1;
}

static void reserved_set(void)
{
	options.reserved = 7;
}

static void signal_kill(void)
{
	options.signals |= panicmon_signal_bit(SIGKILL);
}

static void signal_stop(void)
{
	options.signals = panicmon_signal_bit(SIGSTOP);
}

static void signal_chld(void)
{
	options.signals = panicmon_signal_bit(SIGCHLD);
}

static void signal_32(void)
{
	options.signals = ~UINT64_C(0) & ~panicmon_signal_bit(SIGKILL) &
			  ~panicmon_signal_bit(SIGSTOP) & ~panicmon_signal_bit(SIGCHLD);
}

static void process_size_0(void)
{
	options.process = &process_ops;
}

static void process_size_odd(void)
{
	process_ops.size = offsetof(struct panicmon_process_ops, failed) + 4;
	options.process = &process_ops;
}

static void signal_size_0(void)
{
	options.signal = &signal_ops;
}

static void output_kind(void)
{
	options.output.kind = 4;
}

static void errors_kind(void)
{
	options.errors.kind = 99;
}

static void output_fd(void)
{
	options.output = (struct panicmon_output){.kind = PANICMON_DESCRIPTOR, .fd = -1};
}

static void errors_fd(void)
{
	options.errors = (struct panicmon_output){.kind = PANICMON_DESCRIPTOR, .fd = 1000000};
}

static void output_write(void)
{
	options.output = (struct panicmon_output){.kind = PANICMON_WRITE};
}

static const struct {
	void (*spoil)(void);
	int code;
	const char *text;
} mistakes[] = {
	{size_0, EINVAL, "size is 0, less than any; call panicmon_options_init() first"},
	{size_short, EINVAL, "less than any; call panicmon_options_init() first"},
	{reserved_set, EINVAL, "reserved is 7; it must be 0"},
	{signal_kill, EINVAL, "signals has SIGKILL, which a program can't take for a command"},
	{signal_stop, EINVAL, "signals has SIGSTOP, which"},
	{signal_chld, EINVAL, "signals has SIGCHLD, which"},
	{signal_32, EINVAL, "signals has SIG32, which"},
	{process_size_0, EINVAL, "process->size is 0; set it to the size of the struct"},
	{process_size_odd, EINVAL, "process->size is 20; set it to the size of the struct"},
	{signal_size_0, EINVAL, "signal->size is 0; set it to the size of the struct"},
	{output_kind, EINVAL, "output.kind is 4, no enum panicmon_output_kind"},
	{errors_kind, EINVAL, "errors.kind is 99, no enum panicmon_output_kind"},
	{output_fd, EBADF, "output.fd is -1, which is not open"},
	{errors_fd, EBADF, "errors.fd is 1000000, which is not open"},
	{output_write, EINVAL, "output.write is NULL, and PANICMON_WRITE needs it"},
};

START_TEST(complaints)
{
	char *const argv[] = {this_program, NULL};

	options.output = (struct panicmon_output){.kind = PANICMON_WRITE, .write = no_write};
	ck_assert_int_eq(panicmon_options_validate(&options, &error), 0);
	mistakes[_i].spoil();
	ck_assert_int_eq(panicmon_options_validate(&options, &error), -1);
	ck_assert_int_eq(error.code, mistakes[_i].code);
	ck_assert_msg(strstr(error.text, mistakes[_i].text) != NULL, "%s", error.text);
	error = (struct panicmon_error){0};
	ck_assert_ptr_null(panicmon_executor_new(&options, argv, &error));
	ck_assert_int_eq(error.code, mistakes[_i].code);
	ck_assert_ptr_null(panicmon_executor_new(&options, argv, NULL));
	ck_assert_int_eq(panicmon_options_validate(&options, NULL), -1);
}
END_TEST

/* ---- who is told ---- */

START_TEST(nobody)
{
	options.process = NULL;
	options.signal = NULL;
	ck_assert_uint_eq(run(make_role("exit", "4")), 1);
	ck_assert_uint_eq(told_count, 0);
}
END_TEST

START_TEST(empty_slots)
{
	const struct panicmon_process_ops process = {.size = sizeof(process)};
	const struct panicmon_signal_ops signals = {.size = sizeof(signals)};

	options.process = &process;
	options.signal = &signals;
	ck_assert_uint_eq(run(make_role("exit", "4")), 1);
	ck_assert_uint_eq(told_count, 0);
}
END_TEST

/* What lies behind the end of an older program's struct is none of ours. */
START_TEST(short_struct)
{
	struct panicmon_process_ops older = all_of_process;

	older.size = offsetof(struct panicmon_process_ops, exited);
	memset(&older.exited, 0x55, sizeof(older.exited));
	options.process = &older;
	ck_assert_uint_eq(run(make_role("exit", "4")), 1);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED);
}
END_TEST

/* The functions are copied with the rest. */
START_TEST(short_lived)
{
	struct panicmon_process_ops mine = all_of_process;
	char name[] = "mine";

	options.process = &mine;
	options.name = name;
	struct panicmon_executor *one = make_role("exit", "0");
	memset(&mine, 0x55, sizeof(mine));
	memset(&options, 0x55, sizeof(options));
	memset(name, 'x', 4);
	run_well(one);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_EXITED);
	ck_assert_str_eq(told[0].event.name, "mine");
}
END_TEST

/* ---- environment ---- */

START_TEST(inherited_environment)
{
	setenv("PM_TEST_LIBRARY", "one two", 1);
	setenv("LISTEN_PID", "1", 1);
	run_well(make_shell("test \"$PM_TEST_LIBRARY\" = 'one two' && test $LISTEN_PID = 1"));
}
END_TEST

START_TEST(own_environment)
{
	char variable[] = "ONLY=this";
	char *const environment[] = {variable, NULL};

	setenv("PM_TEST_LIBRARY", "set", 1);
	options.environment = environment;
	options.output = keep_in(&written);
	struct panicmon_executor *one = make_shell("/usr/bin/env");
	memset(variable, 'x', sizeof(variable) - 1);
	run_well(one);
	ck_assert_ptr_nonnull(strstr(written.text, "ONLY=this\n"));
	ck_assert_ptr_null(strstr(written.text, "PM_TEST_LIBRARY"));
	ck_assert_str_eq(getenv("PM_TEST_LIBRARY"), "set");
}
END_TEST

START_TEST(empty_environment)
{
	char *const environment[] = {NULL};

	options.environment = environment;
	run_well(make_shell("test -z \"$HOME$USER$LANG\""));
}
END_TEST

/* The command is looked for in the PATH that it gets itself. */
START_TEST(path)
{
	char *const argv[] = {(char *)(uintptr_t) "true", NULL};
	char *const found[] = {(char *)(uintptr_t) "PATH=/nonexistent:/bin:/usr/bin", NULL};
	char *const missing[] = {(char *)(uintptr_t) "PATH=/nonexistent", NULL};

	setenv("PATH", "/nonexistent", 1);
	options.environment = found;
	run_well(make(argv));
	setenv("PATH", "/bin:/usr/bin", 1);
	options.environment = missing;
	struct panicmon_executor *one = make(argv);
	ck_assert_uint_eq(run(one), 1);
	ck_assert_int_eq(error_of(one)->code, ENOENT);
}
END_TEST

void add_option_tests(Suite *suite)
{
	TCase *tests = add_case(suite, "options");

	tcase_add_test(tests, defaults);
	tcase_add_test(tests, defaults_of_another_size);
	tcase_add_loop_test(tests, complaints, 0, sizeof(mistakes) / sizeof(mistakes[0]));
	tcase_add_test(tests, nobody);
	tcase_add_test(tests, empty_slots);
	tcase_add_test(tests, short_struct);
	tcase_add_test(tests, short_lived);
	tcase_add_test(tests, inherited_environment);
	tcase_add_test(tests, own_environment);
	tcase_add_test(tests, empty_environment);
	tcase_add_test(tests, path);
}
