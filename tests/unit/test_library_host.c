/* The library: a program with children, threads and an end of its own. */
#include <config.h>

#include "test_library.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- other children ---- */

static pid_t other_child(int code)
{
	const pid_t pid = fork();

	if (pid == 0)
		_exit(code);
	ck_assert_int_gt(pid, 0);
	return pid;
}

static pid_t other;

static void other_ends_at_start(const struct panicmon_event *event)
{
	if (event->type != PANICMON_PROCESS_STARTED)
		return;
	other = other_child(42);
	wait_for_zombie(other);
}

START_TEST(status_of_others)
{
	int status = 0;
	const pid_t before = other_child(41);

	wait_for_zombie(before);
	on_told = other_ends_at_start;
	run_well(make_role("exit", "0"));
	ck_assert_int_eq(waitpid(before, &status, 0), before);
	ck_assert_int_eq(WEXITSTATUS(status), 41);
	ck_assert_int_eq(waitpid(other, &status, 0), other);
	ck_assert_int_eq(WEXITSTATUS(status), 42);
	ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
}
END_TEST

static volatile sig_atomic_t handled;

static void count_handled(int number)
{
	(void)number;
	handled++;
}

/* One of its own goes on being called, with and without SA_NOCLDWAIT. */
START_TEST(own_handler)
{
	const struct sigaction action = {.sa_handler = count_handled,
					 .sa_flags =
						 _i == 0 ? SA_RESTART : SA_RESTART | SA_NOCLDWAIT};
	struct sigaction after;

	sigaction(SIGCHLD, &action, NULL);
	on_told = other_ends_at_start;
	struct panicmon_executor *one = make_role("exit", "6");
	ck_assert_uint_eq(run(one), 1);
	ck_assert_int_eq(panicmon_executor_status(one), 6);
	ck_assert_int_ge(handled, 1);
	sigaction(SIGCHLD, NULL, &after);
	ck_assert_ptr_eq(after.sa_handler, count_handled);
	ck_assert_int_eq(after.sa_flags & SA_NOCLDWAIT, action.sa_flags & SA_NOCLDWAIT);
	/* Where it wants no zombies, there are none. */
	ck_assert_int_eq(waitpid(other, NULL, 0), _i == 0 ? other : -1);
	ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
}
END_TEST

START_TEST(ignored_sigchld)
{
	char wanted[64];

	signal(SIGCHLD, SIG_IGN);
	snprintf(wanted, sizeof(wanted), "%llx %llx", (unsigned long long)mask(),
		 (unsigned long long)ignored());
	on_told = other_ends_at_start;
	options.output = keep_in(&written);
	run_well(make_role("dispositions", ""));
	ck_assert_str_eq(written.text, wanted);
	ck_assert_int_eq(waitpid(other, NULL, 0), -1);
	ck_assert_uint_eq(ignored() & panicmon_signal_bit(SIGCHLD), panicmon_signal_bit(SIGCHLD));
	struct panicmon_executor *one = make_role("exit", "6");
	ck_assert_uint_eq(run(one), 1);
	ck_assert_int_eq(panicmon_executor_status(one), 6);
}
END_TEST

static void reap_all(int number)
{
	const int saved = errno;

	(void)number;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
	errno = saved;
}

/* It cannot be helped, but it is told, and the run ends. */
START_TEST(stolen)
{
	const struct sigaction action = {.sa_handler = reap_all, .sa_flags = SA_RESTART};

	sigaction(SIGCHLD, &action, NULL);
	struct panicmon_executor *one = make_role("exit", "6");
	ck_assert_uint_eq(run(one), 1);
	ck_assert_int_eq(panicmon_executor_status(one), 0);
	ck_assert_int_eq(error_of(one)->code, ECHILD);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_EXITED);
	ck_assert(!panicmon_event_has(&told[1].event, PANICMON_HAS_CODE));
	ck_assert(!panicmon_event_has(&told[1].event, PANICMON_HAS_STATUS));
}
END_TEST

/* What could not be started is known all the same. */
START_TEST(stolen_but_not_started)
{
	const struct sigaction action = {.sa_handler = reap_all, .sa_flags = SA_RESTART};
	char *const argv[] = {(char *)(uintptr_t) "/nonexistent/command", NULL};

	sigaction(SIGCHLD, &action, NULL);
	struct panicmon_executor *one = make(argv);
	ck_assert_uint_eq(run(one), 1);
	ck_assert_int_eq(error_of(one)->code, ENOENT);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_FAILED);
}
END_TEST

/* ---- threads ---- */

static int started[2]; /* a pipe: that a command was started */

static void say_started(void)
{
	ck_assert_int_eq(write(started[1], "x", 1), 1);
}

static void *run_in_thread(void *one)
{
	run(one);
	return NULL;
}

static pthread_t start_thread(struct panicmon_executor *one)
{
	enum { SMALL_STACK = 64 * 1024 }; /* as small as other C libraries make them */
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, SMALL_STACK);
	ck_assert_int_eq(pthread_create(&thread, &attributes, run_in_thread, one), 0);
	pthread_attr_destroy(&attributes);
	return thread;
}

START_TEST(second_thread)
{
	char byte;

	set_mask(options.signals);
	ck_assert_int_eq(pipe(started), 0);
	struct panicmon_executor *one = make_waiter(say_started);
	pthread_t thread = start_thread(one);
	ck_assert_int_eq(read(started[0], &byte, 1), 1);
	ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(panicmon_executor_status(one), SIGTERM);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED, PANICMON_SIGNAL_PASSED,
		    PANICMON_PROCESS_EXITED);
}
END_TEST

START_TEST(output_in_a_thread)
{
	options.output = keep_in(&written);
	options.errors = keep_in(&complained);
	struct panicmon_executor *one = make_role("count", "1");
	ck_assert_int_eq(pthread_join(start_thread(one), NULL), 0);
	ck_assert_int_eq(panicmon_executor_status(one), 0);
	ck_assert_uint_eq(written.length, 512 * 1024);
}
END_TEST

/* ---- within itself ---- */

static struct panicmon_executor *inner;
static size_t inner_failed;

static void run_inner(const struct panicmon_event *event)
{
	if (event->type != PANICMON_PROCESS_STARTED)
		return;
	on_told = NULL;
	inner_failed = run(inner);
}

/* Within a call back there is none: its signals, and the mask of its commands, would be the outer one's. */
START_TEST(nested)
{
	on_told = run_inner;
	inner = make_shell("exit 7");
	run_well(make_shell("exit 0"));
	ck_assert_uint_eq(inner_failed, 1);
	ck_assert_int_eq(panicmon_executor_status(inner), 0);
	ck_assert_ptr_nonnull(panicmon_executor_error(inner));
	ck_assert_int_eq(panicmon_executor_error(inner)->code, EBUSY);
	/* Later it can. */
	ck_assert_uint_eq(run(inner), 1);
	ck_assert_int_eq(panicmon_executor_status(inner), 7);
}
END_TEST

/* Itself, it can't: it runs. */
START_TEST(nested_in_itself)
{
	on_told = run_inner;
	inner = make_shell("exit 0");
	run_well(inner);
	ck_assert_uint_eq(inner_failed, 1);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_EXITED);
}
END_TEST

/* ---- its death ---- */

static void say_pid(const struct panicmon_event *event)
{
	if (event->type == PANICMON_PROCESS_STARTED)
		ck_assert_int_eq(write(started[1], &event->pid, sizeof(event->pid)),
				 sizeof(event->pid));
}

START_TEST(killed_program)
{
	int32_t command = 0;
	int status = 0;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	ck_assert_int_eq(pipe(started), 0);
	const pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		on_told = say_pid;
		run(make_shell("sleep 60"));
		_exit(1);
	}
	ck_assert_int_eq(read(started[0], &command, sizeof(command)), sizeof(command));
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WTERMSIG(status), SIGKILL);
	/* It has become our child. */
	ck_assert_int_eq(waitpid(command, &status, 0), command);
	/* If it died at its gate, it has ended by itself. */
	ck_assert(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 125);
}
END_TEST

void add_host_tests(Suite *suite)
{
	TCase *tests = add_case(suite, "host");

	tcase_add_test(tests, status_of_others);
	tcase_add_loop_test(tests, own_handler, 0, 2);
	tcase_add_test(tests, ignored_sigchld);
	tcase_add_test(tests, stolen);
	tcase_add_test(tests, stolen_but_not_started);
	tcase_add_test(tests, second_thread);
	tcase_add_test(tests, output_in_a_thread);
	tcase_add_test(tests, nested);
	tcase_add_test(tests, nested_in_itself);
	tcase_add_test(tests, killed_program);
}
