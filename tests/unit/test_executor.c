/* The executor room: one command, its start and its end; with a sink that records what is told. */
#include <config.h>

#include "test_executor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

size_t settled;
int64_t telling_takes_ns;
void (*as_it_is_told)(const struct panicmon_event *event);
struct pm_loop loop;
struct pm_children children;
struct pm_executor executor;
struct pm_run together;
struct pm_error error;

static struct pm_executor_options options;
static int sink_arg;

/* ---- the sink ---- */

static void on_event(void *arg, struct panicmon_event *event)
{
	ck_assert_ptr_eq(arg, &sink_arg);
	for (const int64_t start = pm_clock_monotonic();
	     pm_clock_monotonic() - start < telling_takes_ns;)
		continue;
	keep_told(event);
	if (as_it_is_told != NULL)
		as_it_is_told(event);
}

static void on_settle(void *arg)
{
	ck_assert_ptr_eq(arg, &sink_arg);
	settled++;
}

/* ---- set up ---- */

static void set_up(void)
{
	pm_sigset_block(~UINT64_C(0), NULL);
	ck_assert_int_eq(pm_loop_open(&loop, &error), 0);
	ck_assert_int_eq(pm_children_open(&children, &loop, &error), 0);
}

static void tear_down(void)
{
	pm_run_close(&together);
	pm_children_close(&children);
	pm_loop_close(&loop);
}

TCase *add_case(Suite *suite, const char *name)
{
	return make_case(suite, name, set_up, tear_down);
}

struct pm_executor_options options_of(char *const *argv)
{
	return (struct pm_executor_options){
		.command = {.argv = argv,
			    .inherited = {.blocked = ~UINT64_C(0)},
			    .output = -1,
			    .errors = -1,
			    .directory = -1},
		.signals = ~UINT64_C(0),
		.emit = on_event,
		.settle = on_settle,
		.arg = &sink_arg,
	};
}

static int try_command(char *const *argv)
{
	options = options_of(argv);
	const struct pm_run_setup setup = {
		.loop = &loop,
		.children = &children,
		.options = &options,
		.count = 1,
		.job_control = true,
	};
	return pm_run_open(&together, &executor, &setup, &error);
}

void open_command(char *const *argv)
{
	ck_assert_msg(try_command(argv) == 0, "%s", error.text);
	ck_assert_uint_eq(told_count, 0);
}

void open_role(const char *role, const char *arg)
{
	static char texts[2][64];
	static char *argv[] = {this_program, texts[0], texts[1], NULL};

	snprintf(texts[0], sizeof(texts[0]), "%s", role);
	snprintf(texts[1], sizeof(texts[1]), "%s", arg);
	open_command(argv);
}

/* ---- ends ---- */

static const int codes[] = {0, 1, 3, 42, 125, 126, 127, 128, 143, 255};

START_TEST(exits)
{
	char text[16];
	const int code = codes[_i];
	const time_t before = time(NULL);

	snprintf(text, sizeof(text), "%d", code);
	open_role("exit", text);
	pm_run_start(&together);
	pm_run_wait(&together);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_EXITED);
	ck_assert_int_eq(told[0].event.pid, executor.spawn.pid);
	ck_assert_uint_eq(told[0].event.present, 0);

	const struct panicmon_event *event = &told[1].event;
	ck_assert_int_eq(event->pid, executor.spawn.pid);
	ck_assert_int_eq(event->code, code);
	ck_assert_int_eq(event->status, code);
	ck_assert_int_eq(event->reason, PANICMON_REASON_EXITED);
	ck_assert(!panicmon_event_has(event, PANICMON_HAS_SIGNAL));
	ck_assert(!panicmon_event_has(event, PANICMON_HAS_ERROR));
	ck_assert(!panicmon_event_has(event, PANICMON_HAS_STOP_SIGNAL));
	ck_assert_int_eq(event->stop_requested, 0);
	ck_assert_int_ge(event->time_ns, told[0].event.time_ns);
	ck_assert_int_ge(told[0].event.time_ns / PM_NS_PER_S, before);
	ck_assert(executor.outcome.invoked);
	ck_assert(WIFEXITED(executor.outcome.status));
	ck_assert_int_eq(WEXITSTATUS(executor.outcome.status), code);
	ck_assert_uint_ge(settled, 1);
}
END_TEST

static const int deadly[] = {SIGKILL, SIGTERM, SIGSEGV, SIGABRT, 34, 64};

/* The command ends itself by a signal: nobody asked for it. */
START_TEST(killed)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", deadly[_i]);
	open_role("die", text);
	pm_run_start(&together);
	pm_run_wait(&together);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_EXITED);
	const struct panicmon_event *event = &told[1].event;
	ck_assert_int_eq(event->code, -1);
	ck_assert(panicmon_event_has(event, PANICMON_HAS_SIGNAL));
	ck_assert_int_eq(event->signal, deadly[_i]);
	ck_assert_int_eq(event->status, 128 + deadly[_i]);
	ck_assert_int_eq(event->reason, PANICMON_REASON_SIGNALED);
	ck_assert(panicmon_event_has(event, PANICMON_HAS_CORE));
	ck_assert_int_eq(event->stop_requested, 0);
	ck_assert(WIFSIGNALED(executor.outcome.status));
	ck_assert_int_eq(WTERMSIG(executor.outcome.status), deadly[_i]);
}
END_TEST

/* The bill of a command that works for a while. */
START_TEST(usage)
{
	const int64_t before = pm_clock_monotonic();

	open_role("work", "50");
	pm_run_start(&together);
	pm_run_wait(&together);
	const struct panicmon_event *event = only(PANICMON_PROCESS_EXITED);
	ck_assert_int_ge(event->cpu_user_us + event->cpu_system_us, 50 * 1000);
	ck_assert_int_ge(event->runtime_ms, 50);
	ck_assert_int_le(event->runtime_ms, (pm_clock_monotonic() - before) / PM_NS_PER_MS + 1);
	ck_assert_int_gt(event->max_rss_kb, 0);
}
END_TEST

/* ---- what can't be started ---- */

static const struct {
	const char *command;
	int wanted_errno, wanted_status;
} unstartable[] = {
	{"/nonexistent/command", ENOENT, 127},
	{"panicmon-no-such-command", ENOENT, 127},
	{"/proc/self/status/x", ENOTDIR, 127},
	{"/", EACCES, 126},
	{"/proc/self/status", EACCES, 126},
};

START_TEST(not_invoked)
{
	char *argv[] = {strdup(unstartable[_i].command), NULL};

	setenv("PATH", "/usr/bin:/bin", 1); /* a folder that we may not search would be EACCES */
	open_command(argv);
	pm_run_start(&together);
	pm_run_wait(&together);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_FAILED);
	const struct panicmon_event *event = &told[1].event;
	ck_assert(panicmon_event_has(event, PANICMON_HAS_ERROR));
	ck_assert_int_eq(event->error, unstartable[_i].wanted_errno);
	ck_assert_int_eq(event->status, unstartable[_i].wanted_status);
	ck_assert_int_eq(event->pid, executor.spawn.pid);
	ck_assert(!panicmon_event_has(event, PANICMON_HAS_CODE));
	ck_assert(!executor.outcome.invoked);
	ck_assert_int_eq(executor.outcome.exec_errno, unstartable[_i].wanted_errno);
	free(argv[0]);
}
END_TEST

/* Its last word on the channel is read though it was reaped first. */
START_TEST(not_invoked_and_reaped_first)
{
	char *argv[] = {strdup("/nonexistent/command"), NULL};

	open_command(argv);
	pm_run_start(&together);
	wait_for_zombie(executor.spawn.pid);
	pm_children_reap(&children);
	ck_assert(executor.ended);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_FAILED);
	ck_assert_int_eq(told[1].event.error, ENOENT);
	free(argv[0]);
}
END_TEST

/* Not even forked. */
START_TEST(no_descriptors_left)
{
	char *argv[] = {this_program, NULL};
	struct rlimit limit, none = {0, 0};

	getrlimit(RLIMIT_NOFILE, &limit);
	none.rlim_max = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &none);
	const int result = try_command(argv);
	setrlimit(RLIMIT_NOFILE, &limit);
	ck_assert_int_eq(result, -1);
	ASSERT_TOLD(PANICMON_PROCESS_FAILED);
	ck_assert_int_eq(told[0].event.error, EMFILE);
	ck_assert_int_eq(told[0].event.status, 125);
	ck_assert_int_eq(told[0].event.pid, 0);
}
END_TEST

START_TEST(killed_at_the_gate)
{
	open_role("exit", "0");
	kill(executor.spawn.pid, SIGKILL);
	wait_for_zombie(executor.spawn.pid);
	pm_children_reap(&children);
	ck_assert_uint_eq(told_count, 0);
	ck_assert(!executor.ended);
	pm_run_start(&together);
	pm_run_wait(&together);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_EXITED);
	ck_assert_int_eq(told[1].event.signal, SIGKILL);
}
END_TEST

/* Dead, but not reaped yet when the gate is opened. */
START_TEST(killed_at_the_gate_unseen)
{
	open_role("exit", "0");
	kill(executor.spawn.pid, SIGKILL);
	wait_for_zombie(executor.spawn.pid);
	pm_run_start(&together);
	pm_run_wait(&together);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_EXITED);
	ck_assert_int_eq(told[1].event.signal, SIGKILL);
}
END_TEST

START_TEST(never_started)
{
	open_role("exit", "0");
	const pid_t pid = executor.spawn.pid;
	ck_assert_int_eq(kill(pid, 0), 0);
	pm_run_close(&together);
	ck_assert_uint_eq(told_count, 0);
	ck_assert_int_eq(kill(pid, 0), -1);
	ck_assert_int_eq(errno, ESRCH);
	together = (struct pm_run){0};
	pm_run_close(&together);
}
END_TEST

/* ---- the command's side: main() of `this_program ROLE ARG` ---- */

static int role_die(const char *arg)
{
	const struct rlimit no_core = {0, 0};
	const int signal_number = atoi(arg);

	setrlimit(RLIMIT_CORE, &no_core);
	signal(signal_number, SIG_DFL); /* a sanitizer may have another idea */
	pm_sigset_block(0, NULL);
	kill(getpid(), signal_number);
	return 92;
}

static int role_work(const char *arg)
{
	const clock_t ticks = atoi(arg) * (CLOCKS_PER_SEC / 1000);

	while (clock() < ticks)
		continue;
	return 0;
}

/* Takes queued signals with the values 0, 1, 2... until it has as many as it was told. */
static int role_take(const char *arg)
{
	const int count = atoi(arg);
	sigset_t set;
	siginfo_t info;

	sigfillset(&set);
	for (int i = 0; i < count; i++) {
		if (sigwaitinfo(&set, &info) < 0 || info.si_code != SI_QUEUE)
			return 93;
		if (info.si_value.sival_int != i)
			return 94;
	}
	return 0;
}

/* Ends by itself when it gets a plain signal: with its number. */
int role_wait(const char *arg)
{
	sigset_t set;
	siginfo_t info;

	(void)arg;
	sigfillset(&set);
	return sigwaitinfo(&set, &info) < 0 ? 93 : info.si_signo;
}

static int play(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*role)(const char *arg);
	} roles[] = {
		{"exit", atoi}, {"die", role_die}, {"work", role_work}, {"take", role_take},
		{"wait", role_wait}, {"hear", role_hear}, {"family", role_family},
		{"stay", role_stay},
	};

	alarm(100);
	for (size_t i = 0; argc == 3 && i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(argv[1], roles[i].name) == 0)
			return roles[i].role(argv[2]);
	return 91;
}

static void add_end_tests(Suite *suite)
{
	TCase *tests = add_case(suite, "ends");

	tcase_add_loop_test(tests, exits, 0, sizeof(codes) / sizeof(codes[0]));
	tcase_add_loop_test(tests, killed, 0, sizeof(deadly) / sizeof(deadly[0]));
	tcase_add_test(tests, usage);
	tcase_add_loop_test(tests, not_invoked, 0, sizeof(unstartable) / sizeof(unstartable[0]));
	tcase_add_test(tests, not_invoked_and_reaped_first);
	tcase_add_test(tests, no_descriptors_left);
	tcase_add_test(tests, killed_at_the_gate);
	tcase_add_test(tests, killed_at_the_gate_unseen);
	tcase_add_test(tests, never_started);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return play(argc, argv);
	return RUN_SUITE("executor", add_end_tests, add_pass_tests, add_several_tests,
			 add_several_pass_tests, add_stop_tests, add_jobs_tests);
}
