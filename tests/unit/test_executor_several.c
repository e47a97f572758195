/* The executor room: several commands: how they begin and end. */
#include <config.h>

#include "test_executor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct pm_executor several[SEVERAL];
struct pm_executor_options several_options[SEVERAL];

static int pipes[SEVERAL][2];
static char texts[SEVERAL][2][32];
static char *argvs[SEVERAL][4];

/* ---- what the test files of several commands share ---- */

void give_role(int index, const char *role, const char *arg)
{
	snprintf(texts[index][0], sizeof(texts[index][0]), "%s", role);
	snprintf(texts[index][1], sizeof(texts[index][1]), "%s", arg);
	argvs[index][0] = this_program;
	argvs[index][1] = texts[index][0];
	argvs[index][2] = texts[index][1];
}

void prepare_several(void)
{
	char arg[16];

	for (int i = 0; i < SEVERAL; i++) {
		/* Only ours is close-on-exec: the commands have them all, and need but one. */
		ck_assert_int_eq(pipe(pipes[i]), 0);
		ck_assert_int_eq(fcntl(pipes[i][0], F_SETFD, FD_CLOEXEC), 0);
		snprintf(arg, sizeof(arg), "%d", pipes[i][1]);
		give_role(i, "hear", arg);
		several_options[i] = options_of(argvs[i]);
		several_options[i].instance = (unsigned)i + 1;
	}
}

static int try_several(void)
{
	const struct pm_run_setup setup = {
		.loop = &loop,
		.children = &children,
		.options = several_options,
		.count = SEVERAL,
	};

	return pm_run_open(&together, several, &setup, &error);
}

void open_several(void)
{
	ck_assert_msg(try_several() == 0, "%s", error.text);
	ck_assert_uint_eq(told_count, 0);
}

struct heard hear(int index)
{
	struct pollfd interest = {.fd = pipes[index][0], .events = POLLIN};
	struct heard heard;

	ck_assert_int_eq(poll(&interest, 1, 60 * 1000), 1);
	ck_assert_int_eq(read(interest.fd, &heard, sizeof(heard)), sizeof(heard));
	return heard;
}

bool has_heard(int index)
{
	struct pollfd interest = {.fd = pipes[index][0], .events = POLLIN};

	return poll(&interest, 1, 0) == 1;
}

void turn_until_told(size_t count)
{
	while (told_count < count)
		pm_loop_turn(&loop);
	ck_assert_uint_eq(told_count, count);
}

size_t told_count_of(int index)
{
	size_t count = 0;

	for (size_t i = 0; i < told_count; i++)
		count += told[i].event.instance == index + 1;
	return count;
}

const struct panicmon_event *told_of(int index, size_t nth)
{
	size_t i = 0;

	ck_assert_uint_lt(nth, told_count_of(index));
	while (told[i].event.instance != index + 1 || nth-- > 0)
		i++;
	return &told[i].event;
}

void assert_told_of(int index, const uint32_t *types)
{
	size_t count = 0;

	for (; types[count] != 0; count++) {
		const struct panicmon_event *event = told_of(index, count);

		ck_assert_msg(event->type == types[count], "event %zu of %d is of type %u, not %u",
			      count, index + 1, event->type, types[count]);
		ck_assert(panicmon_event_has(event, PANICMON_HAS_INSTANCE));
		ck_assert_int_eq(event->pid, several[index].spawn.pid);
	}
	ck_assert_uint_eq(told_count_of(index), count);
}

void end_several(void)
{
	bool ended[SEVERAL] = {false};

	for (int i = 0; i < SEVERAL; i++)
		if (!several[i].reaped)
			kill(several[i].spawn.pid, SIGKILL);
	pm_run_wait(&together);
	for (size_t i = 0; i < told_count; i++) {
		const struct panicmon_event *event = &told[i].event;
		bool *here = &ended[event->instance - 1];

		ck_assert(!*here);
		*here = event->type == PANICMON_PROCESS_EXITED ||
			event->type == PANICMON_PROCESS_FAILED;
	}
	for (int i = 0; i < SEVERAL; i++)
		ck_assert(ended[i]);
}

/* ---- the command's side ---- */

int role_hear(const char *arg)
{
	sigset_t set;
	siginfo_t info;

	sigfillset(&set);
	while (sigwaitinfo(&set, &info) > 0) {
		const struct heard heard = {
			.signal = info.si_signo,
			.code = info.si_code,
			.value = info.si_code == SI_QUEUE ? info.si_value.sival_int : 0,
			.pid = getpid(),
		};

		if (write(atoi(arg), &heard, sizeof(heard)) != sizeof(heard))
			return 93;
	}
	return 94;
}

/* Two of a group, who hear both, and say so first. */
int role_family(const char *arg)
{
	const struct heard here = {.pid = fork()};

	if (here.pid > 0 && write(atoi(arg), &here, sizeof(here)) != sizeof(here))
		return 93;
	return role_hear(arg);
}

/* ---- the start ---- */

static void all_are_at_the_gate(const struct panicmon_event *event)
{
	if (event->type != PANICMON_PROCESS_STARTED)
		return;
	for (int i = 0; i < SEVERAL; i++) {
		ck_assert(!several[i].released);
		ck_assert(!has_heard(i));
	}
}

START_TEST(told_before_the_first_one_runs)
{
	prepare_several();
	as_it_is_told = all_are_at_the_gate;
	open_several();
	/* Who runs hears this. */
	for (int i = 0; i < SEVERAL; i++)
		kill(several[i].spawn.pid, SIGUSR1);
	start();
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_STARTED, PANICMON_PROCESS_STARTED);
	for (int i = 0; i < SEVERAL; i++) {
		ck_assert_int_eq(told[i].event.instance, i + 1);
		ck_assert_int_eq(told[i].event.pid, several[i].spawn.pid);
		ck_assert_int_eq(getpgid(several[i].spawn.pid), several[i].spawn.pid);
		if (!is_under_valgrind())
			ck_assert_int_eq(hear(i).pid, several[i].spawn.pid);
	}
	end_several();
	for (int i = 0; i < SEVERAL; i++)
		ASSERT_TOLD_OF(i, PANICMON_PROCESS_STARTED, PANICMON_PROCESS_EXITED);
}
END_TEST

START_TEST(each_has_its_own_end)
{
	prepare_several();
	give_role(0, "exit", "3");
	give_role(1, "die", "9");
	give_role(2, "exit", "0");
	open_several();
	start();
	pm_run_wait(&together);
	ck_assert_uint_eq(together.living, 0);
	for (int i = 0; i < SEVERAL; i++) {
		ASSERT_TOLD_OF(i, PANICMON_PROCESS_STARTED, PANICMON_PROCESS_EXITED);
		ck_assert(several[i].ended);
		ck_assert(several[i].outcome.invoked);
	}
	ck_assert_int_eq(told_of(0, 1)->code, 3);
	ck_assert_int_eq(told_of(1, 1)->signal, SIGKILL);
	ck_assert_int_eq(told_of(2, 1)->code, 0);
	ck_assert_int_eq(WEXITSTATUS(several[0].outcome.status), 3);
	ck_assert_int_eq(WTERMSIG(several[1].outcome.status), SIGKILL);
	ck_assert_int_eq(several[2].outcome.status, 0);
}
END_TEST

START_TEST(order_of_their_ends)
{
	static const int order[SEVERAL] = {1, 2, 0};

	prepare_several();
	open_several();
	start();
	for (size_t i = 0; i < SEVERAL; i++) {
		kill(several[order[i]].spawn.pid, SIGKILL);
		turn_until_told(SEVERAL + i + 1);
		ck_assert_int_eq(told[SEVERAL + i].event.instance, order[i] + 1);
		ck_assert_uint_eq(together.living, SEVERAL - i - 1);
	}
	ck_assert_int_lt(several[1].outcome.ended_ns, several[2].outcome.ended_ns);
	ck_assert_int_lt(several[2].outcome.ended_ns, several[0].outcome.ended_ns);
	end_several();
}
END_TEST

static void kill_at_the_gate(int index)
{
	kill(several[index].spawn.pid, SIGKILL);
	wait_for_zombie(several[index].spawn.pid);
}

/* Reaped before the start, or not. */
START_TEST(one_is_killed_at_the_gate)
{
	const int killed = _i / 2;

	prepare_several();
	open_several();
	kill_at_the_gate(killed);
	if (_i % 2 == 1)
		pm_children_reap(&children);
	ck_assert_uint_eq(told_count, 0);
	start();
	turn_until_told(SEVERAL + 1);
	for (int i = 0; i < SEVERAL; i++)
		ck_assert_uint_eq(told[i].event.type, PANICMON_PROCESS_STARTED);
	ASSERT_TOLD_OF(killed, PANICMON_PROCESS_STARTED, PANICMON_PROCESS_EXITED);
	ck_assert_int_eq(told_of(killed, 1)->signal, SIGKILL);
	send_signal(SIGUSR1, false, 1);
	turn_until_told(SEVERAL + 1 + 4);
	for (int i = 0; i < SEVERAL; i++)
		if (i != killed)
			ck_assert_int_eq(hear(i).signal, SIGUSR1);
	end_several();
}
END_TEST

START_TEST(one_cannot_be_invoked)
{
	static char nowhere[] = "/nonexistent/command";

	prepare_several();
	argvs[_i][0] = nowhere;
	open_several();
	start();
	turn_until_told(SEVERAL + 1);
	ASSERT_TOLD_OF(_i, PANICMON_PROCESS_STARTED, PANICMON_PROCESS_FAILED);
	ck_assert_int_eq(told_of(_i, 1)->error, ENOENT);
	ck_assert_int_eq(told_of(_i, 1)->status, 127);
	end_several();
	ASSERT_TOLD_OF(_i, PANICMON_PROCESS_STARTED, PANICMON_PROCESS_FAILED);
	for (int i = 0; i < SEVERAL; i++) {
		ck_assert_int_eq(several[i].outcome.invoked, i != _i);
		if (i != _i)
			ASSERT_TOLD_OF(i, PANICMON_PROCESS_STARTED, PANICMON_PROCESS_EXITED);
	}
}
END_TEST

/* ---- what can't be opened ---- */

static void assert_nothing_is_left(int descriptors)
{
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
	ck_assert_ptr_null(children.first);
	ck_assert_int_eq(open_descriptors(), descriptors);
}

/* As many descriptors as there are, and one more each time, until there are enough: whichever is
 * missing, one is told as failed, and the others go without a word. */
START_TEST(not_all_can_be_opened)
{
	struct rlimit limit, few;
	bool failed[SEVERAL] = {false};
	int result = -1;

	if (is_under_valgrind())
		return;
	prepare_several();
	const int descriptors = open_descriptors();
	getrlimit(RLIMIT_NOFILE, &limit);
	few.rlim_max = limit.rlim_max;
	for (few.rlim_cur = 3; result < 0; few.rlim_cur++) {
		told_count = 0;
		setrlimit(RLIMIT_NOFILE, &few);
		result = try_several();
		setrlimit(RLIMIT_NOFILE, &limit);
		if (result == 0)
			break;
		pm_run_close(&together);
		ASSERT_TOLD(PANICMON_PROCESS_FAILED);
		ck_assert_int_eq(told[0].event.error, EMFILE);
		ck_assert_int_eq(told[0].event.status, 125);
		ck_assert_int_eq(told[0].event.pid, 0);
		failed[told[0].event.instance - 1] = true;
		assert_nothing_is_left(descriptors);
	}
	ck_assert(failed[0] && failed[1] && failed[2]);
	told_count = 0;
	start();
	end_several();
}
END_TEST

/* It was reaped before it was started, and the kernel has given its number to another since. */
START_TEST(closed_after_one_was_killed_at_the_gate)
{
	int status;

	prepare_several();
	open_several();
	kill_at_the_gate(1);
	pm_children_reap(&children);
	ck_assert(several[1].reaped);
	const pid_t bystander = fork();
	if (bystander == 0)
		_exit(role_wait(""));
	ck_assert_int_gt(bystander, 0);
	several[1].child.pid = several[1].spawn.pid = bystander;
	pm_run_close(&together);
	ck_assert_uint_eq(told_count, 0);
	for (int i = 0; i < SEVERAL; i += 2)
		ck_assert_int_eq(kill(several[i].spawn.pid, 0), -1);
	kill(bystander, SIGUSR1);
	ck_assert_int_eq(waitpid(bystander, &status, 0), bystander);
	ck_assert(WIFEXITED(status));
	together = (struct pm_run){0};
}
END_TEST

void add_several_tests(Suite *suite)
{
	TCase *tests = add_case(suite, "several");

	tcase_add_test(tests, told_before_the_first_one_runs);
	tcase_add_test(tests, each_has_its_own_end);
	tcase_add_test(tests, order_of_their_ends);
	tcase_add_loop_test(tests, one_is_killed_at_the_gate, 0, 2 * SEVERAL);
	tcase_add_loop_test(tests, one_cannot_be_invoked, 0, SEVERAL);
	tcase_add_test(tests, not_all_can_be_opened);
	tcase_add_test(tests, closed_after_one_was_killed_at_the_gate);
}
