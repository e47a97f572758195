/* The library: signals that the program gets while commands run. */
#include <config.h>

#include "test_library.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint64_t all_signals = ~UINT64_C(0);

/* Of the one who sends. The library leaves it alone: it is no command. */
static pid_t sender;

/* Another process sends a signal to this one, and has ended when this returns. */
static void send_signal(int number, const union sigval *value)
{
	const pid_t target = getpid();
	int status = 0;

	sender = fork();
	if (sender == 0)
		_exit(value == NULL ? kill(target, number) : sigqueue(target, number, *value));
	ck_assert_int_gt(sender, 0);
	ck_assert_int_eq(waitpid(sender, &status, 0), sender);
	ck_assert_int_eq(status, 0);
}

static int to_send;

static void send_it(void)
{
	send_signal(to_send, NULL);
}

static void send_at_start(const struct panicmon_event *event)
{
	if (event->type == PANICMON_PROCESS_STARTED)
		send_signal(to_send, NULL);
}

static const int numbers[] = {SIGTERM, SIGINT,  SIGHUP,  SIGQUIT,  SIGUSR1, SIGUSR2,
			      SIGALRM, SIGPIPE, SIGCONT, SIGWINCH, SIGURG,  SIGIO};

static int number_of(int index)
{
	const int count = sizeof(numbers) / sizeof(numbers[0]);

	/* The last is valgrind's. */
	return index < count ? numbers[index] : index == count ? SIGRTMIN : SIGRTMAX - 1;
}
enum { NUMBER_COUNT = sizeof(numbers) / sizeof(numbers[0]) + 2 };

static void assert_passed(const struct panicmon_event *event, int number, pid_t from)
{
	ck_assert_int_eq(event->signal, number);
	ck_assert_int_eq(event->pid, told[0].event.pid);
	ck_assert_int_eq(event->sender_pid, from);
	ck_assert_int_eq(event->sender_uid, (int)getuid());
	ck_assert_int_eq(panicmon_event_has(event, PANICMON_HAS_TARGET_PID),
			 event->type != PANICMON_SIGNAL_RECEIVED);
	if (event->type != PANICMON_SIGNAL_RECEIVED)
		ck_assert_int_eq(event->target_pid, told[0].event.pid);
}

/* The command finds all blocked, as this process has it, and ends with the number that it gets. */
START_TEST(passed)
{
	to_send = number_of(_i);
	set_mask(all_signals);
	struct panicmon_executor *one = make_waiter(send_it);
	run(one);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED, PANICMON_SIGNAL_PASSED,
		    PANICMON_PROCESS_EXITED);
	assert_passed(&told[1].event, to_send, sender);
	assert_passed(&told[2].event, to_send, sender);
	ck_assert_int_eq(told[3].event.code, to_send);
	const int asks = to_send == SIGTERM || to_send == SIGINT || to_send == SIGQUIT;
	ck_assert_int_eq(told[3].event.stop_requested, asks);
	if (asks)
		ck_assert_int_eq(told[3].event.stop_pid, sender);
}
END_TEST

/* To a command that has nothing blocked: it is killed, as the program would have been. */
START_TEST(kills)
{
	to_send = SIGTERM;
	on_told = send_at_start;
	struct panicmon_executor *one = make_shell("sleep 60");
	ck_assert_uint_eq(run(one), 1);
	ck_assert_int_eq(panicmon_executor_status(one), 143);
	ck_assert_str_eq(error_of(one)->text, "killed by SIGTERM");
	ck_assert_int_eq(only(PANICMON_PROCESS_EXITED)->severity, PANICMON_INFO);
}
END_TEST

static void queue_it(void)
{
	const union sigval value = {.sival_int = 77};

	send_signal(SIGRTMIN + 1, &value);
}

START_TEST(queued)
{
	set_mask(all_signals);
	struct panicmon_executor *one = make_waiter(queue_it);
	run(one);
	ck_assert_int_eq(panicmon_executor_status(one), 77);
	ck_assert_int_eq(only(PANICMON_SIGNAL_PASSED)->value, 77);
}
END_TEST

static void kill_self(void)
{
	ck_assert_int_eq(kill(getpid(), SIGUSR2), 0);
}

static void raise_it(void)
{
	ck_assert_int_eq(raise(SIGUSR2), 0);
}

START_TEST(from_itself)
{
	set_mask(all_signals);
	struct panicmon_executor *one = make_waiter(_i == 0 ? kill_self : raise_it);
	run(one);
	ck_assert_int_eq(panicmon_executor_status(one), SIGUSR2);
	assert_passed(only(PANICMON_SIGNAL_PASSED), SIGUSR2, getpid());
}
END_TEST

static void break_a_pipe(void)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	close(ends[0]);
	ck_assert_int_eq(write(ends[1], "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	close(ends[1]);
	kill(getpid(), SIGUSR1);
}

/* A function of the program may write to somebody who is gone: not the command's business. */
START_TEST(own_broken_pipe)
{
	set_mask(all_signals);
	struct panicmon_executor *one = make_waiter(break_a_pipe);
	run(one);
	ck_assert_int_eq(panicmon_executor_status(one), SIGUSR1);
	ck_assert_int_eq(only(PANICMON_SIGNAL_RECEIVED)->signal, SIGUSR1);
}
END_TEST

/* Whoever blocks a signal before the run loses none that comes before it. */
START_TEST(sent_before)
{
	set_mask(all_signals);
	send_signal(SIGHUP, NULL);
	struct panicmon_executor *one = make_role("wait", "");
	run(one);
	ck_assert_int_eq(panicmon_executor_status(one), SIGHUP);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED, PANICMON_SIGNAL_PASSED,
		    PANICMON_PROCESS_EXITED);
}
END_TEST

/* ---- to one that is gone ---- */

static bool send_first;

/* Holds the loop up until the command is a zombie, and there is a signal. Whichever of them was
 * there first, the loop hears of them in that order. */
static int send_when_gone(void *arg, const char *data, size_t length)
{
	const int *gate = arg;

	(void)data;
	(void)length;
	if (send_first)
		send_signal(SIGTERM, NULL);
	ck_assert_int_eq(write(*gate, "\n", 1), 1);
	wait_for_zombie(told[0].event.pid);
	if (!send_first)
		send_signal(SIGTERM, NULL);
	return 0;
}

START_TEST(gone)
{
	int gate[2];

	send_first = _i != 0;
	ck_assert_int_eq(pipe(gate), 0);
	ck_assert_int_eq(dup2(gate[0], STDIN_FILENO), STDIN_FILENO);
	options.output = (struct panicmon_output){
		.kind = PANICMON_WRITE, .write = send_when_gone, .arg = &gate[1]};
	struct panicmon_executor *one = make_shell("echo x; read line; exit 3");
	ck_assert_uint_eq(run(one), 1);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED, PANICMON_SIGNAL_FAILED,
		    PANICMON_PROCESS_EXITED);
	assert_passed(&told[1].event, SIGTERM, sender);
	assert_passed(&told[2].event, SIGTERM, sender);
	ck_assert(panicmon_event_has(&told[2].event, PANICMON_HAS_ERROR));
	ck_assert_int_eq(told[2].event.error, ESRCH);
	ck_assert_int_eq(told[3].event.code, 3);
	ck_assert_int_eq(told[3].event.stop_requested, 0);
	ck_assert_int_eq(panicmon_executor_status(one), 3);
}
END_TEST

static volatile sig_atomic_t handled;

static void count_handled(int number)
{
	(void)number;
	handled++;
}

static void send_at_end(const struct panicmon_event *event)
{
	if (event->type == PANICMON_PROCESS_EXITED)
		send_signal(SIGTERM, NULL);
	ck_assert_int_eq(handled, 0);
}

/* What comes after the end is the program's own. */
START_TEST(after_the_end)
{
	signal(SIGTERM, count_handled);
	on_told = send_at_end;
	run_well(make_role("exit", "0"));
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_EXITED);
	ck_assert_int_eq(handled, 1);
}
END_TEST

/* ---- a list ---- */

static int handled_at_once;

static void send_three_at_start(const struct panicmon_event *event)
{
	if (event->type != PANICMON_PROCESS_STARTED)
		return;
	send_signal(SIGUSR1, NULL);
	handled_at_once = handled;
	send_signal(SIGUSR2, NULL);
	send_signal(SIGTERM, NULL);
}

/* SIGUSR1 has a handler, SIGUSR2 is ignored, and both stay as they are. */
START_TEST(list)
{
	options.signals = panicmon_signal_bit(SIGTERM);
	signal(SIGUSR1, count_handled);
	signal(SIGUSR2, SIG_IGN);
	on_told = send_three_at_start;
	struct panicmon_executor *one = make_shell("sleep 60");
	run(one);
	ck_assert_int_eq(panicmon_executor_status(one), 143);
	ck_assert_int_eq(handled_at_once, 1);
	ck_assert_int_eq(handled, 1);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED, PANICMON_SIGNAL_PASSED,
		    PANICMON_PROCESS_EXITED);
	ck_assert_int_eq(told[1].event.signal, SIGTERM);
}
END_TEST

static void send_while_it_runs(const struct panicmon_event *event)
{
	if (event->type == PANICMON_PROCESS_STARTED)
		for (int i = 0; i < 3; i++)
			send_signal(SIGTERM, NULL);
}

/* None at all: every one has the effect that it has without the library. */
START_TEST(empty_list)
{
	options.signals = 0;
	signal(SIGTERM, count_handled);
	on_told = send_while_it_runs;
	run_well(make_role("exit", "0"));
	ck_assert_int_eq(handled, 3);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_EXITED);
}
END_TEST

/* ---- as before ---- */

struct looks {
	uint64_t mask;
	struct {
		void (*handler)(int number);
		int flags;
	} actions[65];
};
static struct looks within;

static void look_at_signals(struct looks *looks)
{
	memset(looks, 0, sizeof(*looks));
	looks->mask = mask();
	for (int number = 1; number <= SIGRTMAX; number++) {
		struct sigaction action;

		if (sigaction(number, NULL, &action) < 0)
			continue;
		looks->actions[number].handler = action.sa_handler;
		looks->actions[number].flags = action.sa_flags;
	}
}

static void look(const struct panicmon_event *event)
{
	(void)event;
	look_at_signals(&within);
}

START_TEST(as_before)
{
	struct looks before, after;
	const uint64_t blocked = panicmon_signal_bit(SIGWINCH) | panicmon_signal_bit(SIGCHLD);

	signal(SIGTERM, count_handled);
	signal(SIGHUP, SIG_IGN);
	set_mask(blocked);
	options.signals = panicmon_signal_bit(SIGTERM) | panicmon_signal_bit(SIGRTMIN);
	look_at_signals(&before);
	on_told = look;
	run_well(make_role("exit", "0"));
	look_at_signals(&after);
	ck_assert_uint_eq(before.mask, blocked);
	ck_assert_uint_eq(within.mask, blocked | options.signals);
	ck_assert_mem_eq(within.actions, before.actions, sizeof(before.actions));
	ck_assert_mem_eq(&after, &before, sizeof(before));
}
END_TEST

/* The command has the mask and the ignored signals of the program. */
START_TEST(inherited)
{
	char wanted[64];

	signal(SIGTERM, count_handled);
	signal(SIGHUP, SIG_IGN);
	set_mask(_i == 0 ? 0 : panicmon_signal_bit(SIGUSR1) | panicmon_signal_bit(SIGRTMAX));
	snprintf(wanted, sizeof(wanted), "%llx %llx", (unsigned long long)mask(),
		 (unsigned long long)ignored());
	options.output = keep_in(&written);
	run_well(make_role("dispositions", ""));
	ck_assert_str_eq(written.text, wanted);
}
END_TEST

static pid_t program_pid;

static void leave_a_trace(int number)
{
	(void)number;
	if (getpid() != program_pid)
		_exit(77);
}

static void kill_self_at_start(const struct panicmon_event *event)
{
	if (event->type == PANICMON_PROCESS_STARTED)
		kill_self();
}

/* Between fork and exec the command's process is a copy of the program, which has handlers. */
START_TEST(no_handler_in_the_child)
{
	enum { STARTS = 300 };

	program_pid = getpid();
	signal(SIGUSR2, leave_a_trace);
	on_told = kill_self_at_start;
	struct panicmon_executor *one = make_shell("sleep 60");
	for (int i = 0; i < STARTS; i++) {
		told_count = 0;
		ck_assert_uint_eq(run(one), 1);
		ck_assert_int_eq(panicmon_executor_status(one), 128 + SIGUSR2);
		ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED,
			    PANICMON_SIGNAL_PASSED, PANICMON_PROCESS_EXITED);
	}
}
END_TEST

/* ---- several ---- */

/* Each gets what it takes, and nothing else. */
START_TEST(to_each)
{
	struct panicmon_executor *all[3];

	set_mask(all_signals);
	all[0] = make_role("wait", "");
	all[1] = make_role("wait", "");
	options.signals = panicmon_signal_bit(SIGUSR2);
	options.self = &all;
	all[2] = make_shell("exit 9");
	send_signal(SIGUSR1, NULL);
	ck_assert_uint_eq(panicmon_run(all, 3), 3);
	ck_assert_int_eq(panicmon_executor_status(all[0]), SIGUSR1);
	ck_assert_int_eq(panicmon_executor_status(all[1]), SIGUSR1);
	ck_assert_int_eq(panicmon_executor_status(all[2]), 9);
	for (size_t i = 0; i < told_count; i++)
		if (told[i].event.type == PANICMON_SIGNAL_PASSED ||
		    told[i].event.type == PANICMON_SIGNAL_FAILED)
			ck_assert_ptr_eq(told[i].self, &options);
	ck_assert_uint_eq(told_count, 10);
}
END_TEST

void add_signal_tests(Suite *suite)
{
	TCase *tests = add_case(suite, "signals");

	tcase_add_loop_test(tests, passed, 0, NUMBER_COUNT);
	tcase_add_test(tests, queued);
	tcase_add_loop_test(tests, from_itself, 0, 2);
	tcase_add_test(tests, own_broken_pipe);
	if (!is_under_valgrind()) { /* as of make_waiter() */
		tcase_add_test(tests, kills);
		tcase_add_test(tests, list);
		tcase_add_test(tests, no_handler_in_the_child);
		tcase_add_test(tests, sent_before);
		tcase_add_test(tests, to_each);
	}
	tcase_add_loop_test(tests, gone, 0, 2);
	tcase_add_test(tests, after_the_end);
	tcase_add_test(tests, empty_list);
	tcase_add_test(tests, as_before);
	tcase_add_loop_test(tests, inherited, 0, 2);
}
