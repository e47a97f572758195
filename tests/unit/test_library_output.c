/* The library: where the output of a command goes. */
#include <config.h>

#include "test_library.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- to a function ---- */

START_TEST(to_functions)
{
	options.output = keep_in(&written);
	options.errors = keep_in(&complained);
	run_well(make_shell("echo one; echo two >&2; printf three"));
	ck_assert_str_eq(written.text, "one\nthree");
	ck_assert_str_eq(complained.text, "two\n");
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_EXITED);
	ck_assert_uint_eq(told[1].bytes, 9); /* the end is told when all was written */
}
END_TEST

/* Bytes of the numbers 0, 1, 2..., in whatever pieces they come. */
struct counted {
	uint64_t bytes;
	bool wrong;
	long takes_ns;
};

static int check_count(void *arg, const char *data, size_t length)
{
	struct counted *counted = arg;
	const struct timespec pause = {.tv_nsec = counted->takes_ns};

	for (size_t i = 0; i < length; i++, counted->bytes++) {
		const uint32_t number = (uint32_t)(counted->bytes / sizeof(number));
		const char *bytes = (const char *)&number;

		counted->wrong |= data[i] != bytes[counted->bytes % sizeof(number)];
	}
	if (counted->takes_ns > 0)
		nanosleep(&pause, NULL);
	return 0;
}

static void count_to(struct counted output[2], const char *mib)
{
	for (int i = 0; i < 2; i++)
		(i == 0 ? &options.output : &options.errors)[0] = (struct panicmon_output){
			.kind = PANICMON_WRITE, .write = check_count, .arg = &output[i]};
	run_well(make_role("count", mib));
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(output[i].bytes, (uint64_t)atoi(mib) * 1024 * 1024 / 2);
		ck_assert(!output[i].wrong);
	}
}

START_TEST(every_byte)
{
	struct counted output[2] = {{0}, {0}};

	count_to(output, "20");
}
END_TEST

static int wait_for_the_end(void *arg, const char *data, size_t length)
{
	siginfo_t info;
	const struct counted *counted = arg;

	/* An error: it has been reaped already. */
	if (counted->bytes == 0)
		waitid(P_PID, (id_t)told[0].event.pid, &info, WEXITED | WNOWAIT);
	return check_count(arg, data, length);
}

/* It ends long before its pipe, which it has made larger, is empty. */
START_TEST(large_pipe)
{
	struct counted output = {0};

	options.output = (struct panicmon_output){
		.kind = PANICMON_WRITE, .write = wait_for_the_end, .arg = &output};
	options.errors = (struct panicmon_output){.kind = PANICMON_DISCARD};
	run_well(make_role("burst", ""));
	ck_assert_uint_eq(output.bytes, 512 * 1024);
	ck_assert(!output.wrong);
}
END_TEST

START_TEST(slow_function)
{
	struct counted output[2] = {{.takes_ns = 1000 * 1000}, {.takes_ns = 3 * 1000 * 1000}};

	count_to(output, "2");
}
END_TEST

/* It asks for no more, and the command does not notice. */
START_TEST(refused)
{
	written.result = 1;
	options.output = keep_in(&written);
	options.errors = options.output;
	options.errors.arg = &complained;
	run_well(make_role("count", "2"));
	ck_assert_uint_eq(written.calls, 1);
	ck_assert_uint_eq(complained.length, 1024 * 1024);
}
END_TEST

/* Also those of a run before. */
START_TEST(refused_and_run_again)
{
	written.result = 1;
	options.output = keep_in(&written);
	struct panicmon_executor *one = make_shell("echo one");
	run_well(one);
	run_well(one);
	ck_assert_uint_eq(written.calls, 2);
	ck_assert_str_eq(written.text, "one\none\n");
}
END_TEST

/* As an orphan it becomes a child of this process, which waits for its end. */
static int end_of_left_behind(void)
{
	int status = 0;

	ck_assert_int_eq(waitpid(atoi(complained.text), &status, 0), atoi(complained.text));
	return status;
}

/* Nobody waits for EOF: the one who is left behind keeps the pipe. */
START_TEST(held_open)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	options.output = keep_in(&written);
	options.errors = keep_in(&complained);
	run_well(make_shell("sleep 1000 & echo $! >&2; echo last"));
	ck_assert_str_eq(written.text, "last\n");
	kill(atoi(complained.text), SIGKILL);
	ck_assert_int_eq(WTERMSIG(end_of_left_behind()), SIGKILL);
}
END_TEST

START_TEST(written_for_ever)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	options.output = keep_in(&written);
	options.errors = keep_in(&complained);
	run_well(make_shell("yes & echo $! >&2"));
	/* It has nobody to write for any more. */
	ck_assert_int_eq(WTERMSIG(end_of_left_behind()), SIGPIPE);
}
END_TEST

/* The output of one that has ended is closed while another still runs: that waits for just that. */
START_TEST(closed_at_its_own_end)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	struct panicmon_executor *other = make_shell("read line <&0; exit 7");
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	/* What is left behind ends by SIGPIPE, and a shell then writes the line. */
	char script[256];
	snprintf(script, sizeof(script), "(trap '' HUP; yes; echo over >/proc/%d/fd/%d) & exit 0",
		 (int)getpid(), ends[1]);
	options.output = keep_in(&written);
	struct panicmon_executor *both[] = {make_shell(script), other};
	ck_assert_uint_eq(panicmon_run(both, 2), 1);
	ck_assert_int_eq(panicmon_executor_status(other), 7);
	ck_assert_int_gt(waitpid(-1, NULL, 0), 0);
}
END_TEST

/* ---- to a descriptor ---- */

static int memory(void)
{
	const int fd = memfd_create("test_library", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void assert_holds(int fd, const char *text)
{
	char found[64] = "";

	ck_assert_int_ge(pread(fd, found, sizeof(found) - 1, 0), 0);
	ck_assert_str_eq(found, text);
}

static struct panicmon_output to_descriptor(int fd)
{
	return (struct panicmon_output){.kind = PANICMON_DESCRIPTOR, .fd = fd};
}

START_TEST(descriptors)
{
	const int output = memory(), errors = memory();

	options.output = to_descriptor(output);
	options.errors = to_descriptor(errors);
	run_well(make_role("speak", "open"));
	assert_holds(output, "out\n");
	assert_holds(errors, "err\n");
}
END_TEST

START_TEST(one_descriptor)
{
	const int fd = memory();

	options.output = to_descriptor(fd);
	options.errors = to_descriptor(fd);
	run_well(make_role("speak", "open"));
	assert_holds(fd, "out\nerr\n");
}
END_TEST

/* The command's stdout is the program's stderr, and the other way round. */
START_TEST(swapped)
{
	const int output = memory(), errors = memory();

	ck_assert_int_eq(dup2(output, STDOUT_FILENO), STDOUT_FILENO);
	ck_assert_int_eq(dup2(errors, STDERR_FILENO), STDERR_FILENO);
	options.output = to_descriptor(STDERR_FILENO);
	options.errors = to_descriptor(STDOUT_FILENO);
	run_well(make_role("speak", "open"));
	assert_holds(output, "err\n");
	assert_holds(errors, "out\n");
}
END_TEST

/* One that is close-on-exec, and in its place already. */
START_TEST(in_place)
{
	const int output = memory();

	ck_assert_int_eq(dup3(output, STDOUT_FILENO, O_CLOEXEC), STDOUT_FILENO);
	options.output = to_descriptor(STDOUT_FILENO);
	run_well(make_role("speak", "open"));
	assert_holds(output, "out\n");
}
END_TEST

START_TEST(closed_since)
{
	const int fd = memory();

	options.output = to_descriptor(fd);
	struct panicmon_executor *one = make_role("speak", "open");
	close(fd);
	ck_assert_uint_eq(run(one), 1);
	ck_assert_int_eq(error_of(one)->code, EBADF);
	ck_assert_ptr_nonnull(strstr(error_of(one)->text, "which is not open"));
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_FAILED);
}
END_TEST

/* ---- others ---- */

START_TEST(discarded)
{
	options.output = (struct panicmon_output){.kind = PANICMON_DISCARD};
	options.errors = options.output;
	run_well(make_role("outputs", "/dev/null"));
}
END_TEST

START_TEST(inherited)
{
	const int output = memory(), errors = memory();

	ck_assert_int_eq(dup2(output, STDOUT_FILENO), STDOUT_FILENO);
	ck_assert_int_eq(dup2(errors, STDERR_FILENO), STDERR_FILENO);
	run_well(make_role("speak", "open"));
	assert_holds(output, "out\n");
	assert_holds(errors, "err\n");
}
END_TEST

/* In a program without 0 to 2 the library's own descriptors get these numbers. */
START_TEST(without_stdio)
{
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	options.output = keep_in(&written);
	options.errors = keep_in(&complained);
	run_well(make_role("speak", "closed"));
	ck_assert_str_eq(written.text, "out\n");
	ck_assert_str_eq(complained.text, "err\n");
	ck_assert_int_eq(fcntl(STDIN_FILENO, F_GETFD), -1);
	ck_assert_int_eq(fcntl(STDOUT_FILENO, F_GETFD), -1);
	ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFD), -1);

	options.output = (struct panicmon_output){.kind = PANICMON_DISCARD};
	options.errors = options.output;
	run_well(make_role("outputs", "/dev/null"));

	options.output = keep_in(&written);
	options.errors = (struct panicmon_output){.kind = PANICMON_INHERIT};
	run_well(make_shell("test ! -e /proc/$$/fd/2 && test ! -e /proc/$$/fd/0"));
}
END_TEST

/* The command gets none that is not for it. */
START_TEST(no_more_descriptors)
{
	options.output = keep_in(&written);
	options.errors = keep_in(&complained);
	struct panicmon_executor *all[] = {
		make_role("descriptors", ""),
		make_role("descriptors", ""),
		make_role("descriptors", ""),
	};
	panicmon_run(all, 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(panicmon_executor_status(all[i]), (int)count_inherited());
}
END_TEST

void add_output_tests(Suite *suite)
{
	TCase *tests = add_case(suite, "output");

	tcase_add_test(tests, to_functions);
	tcase_add_test(tests, every_byte);
	tcase_add_test(tests, large_pipe);
	tcase_add_test(tests, slow_function);
	tcase_add_test(tests, refused);
	tcase_add_test(tests, refused_and_run_again);
	tcase_add_test(tests, held_open);
	tcase_add_test(tests, written_for_ever);
	tcase_add_test(tests, closed_at_its_own_end);
	tcase_add_test(tests, descriptors);
	tcase_add_test(tests, one_descriptor);
	tcase_add_test(tests, swapped);
	tcase_add_test(tests, in_place);
	tcase_add_test(tests, closed_since);
	tcase_add_test(tests, discarded);
	tcase_add_test(tests, inherited);
	tcase_add_test(tests, without_stdio);
	tcase_add_test(tests, no_more_descriptors);
}
