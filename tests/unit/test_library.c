/* The library: what its test files share, and main(). */
#include <config.h>

#include "test_library.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void (*on_told)(const struct panicmon_event *event);
struct panicmon_options options;
struct panicmon_error error;
struct written written, complained;

enum { MADE_MAX = 64 };
static struct panicmon_executor *made[MADE_MAX];
static size_t made_count;

/* ---- what is told ---- */

static int record(void *self, const struct panicmon_event *event)
{
	ck_assert_uint_lt(told_count, TOLD_MAX);
	struct told *here = keep_told(event);

	here->self = self;
	here->bytes = written.length;
	if (on_told != NULL)
		on_told(event);
	return 0;
}

const struct panicmon_process_ops all_of_process = {
	.size = sizeof(all_of_process),
	.started = record,
	.failed = record,
	.exited = record,
};

const struct panicmon_signal_ops all_of_signals = {
	.size = sizeof(all_of_signals),
	.received = record,
	.passed = record,
	.failed = record,
};

static int keep(void *arg, const char *data, size_t length)
{
	struct written *to = arg;

	for (size_t i = 0; i < length && to->length + i < WRITTEN_MAX; i++)
		to->text[to->length + i] = data[i];
	to->length += length;
	to->calls++;
	return to->result;
}

struct panicmon_output keep_in(struct written *to)
{
	return (struct panicmon_output){.kind = PANICMON_WRITE, .write = keep, .arg = to};
}

/* ---- what is run ---- */

struct panicmon_executor *make(char *const argv[])
{
	struct panicmon_executor *one = panicmon_executor_new(&options, argv, &error);

	ck_assert_msg(one != NULL, "%s", error.text);
	ck_assert_uint_lt(made_count, MADE_MAX);
	made[made_count++] = one;
	return one;
}

/* The texts are copied: what they were is overwritten at once. */
static struct panicmon_executor *make_of(const char *first, const char *second, const char *third)
{
	char texts[3][4096];
	char *argv[] = {texts[0], texts[1], texts[2], NULL};

	snprintf(texts[0], sizeof(texts[0]), "%s", first);
	snprintf(texts[1], sizeof(texts[1]), "%s", second);
	snprintf(texts[2], sizeof(texts[2]), "%s", third);
	struct panicmon_executor *one = make(argv);
	memset(texts, 'x', sizeof(texts));
	return one;
}

struct panicmon_executor *make_role(const char *role, const char *arg)
{
	return make_of(this_program, role, arg);
}

struct panicmon_executor *make_shell(const char *script)
{
	return make_of("/bin/sh", "-c", script);
}

static void (*to_do)(void);

static void do_at_start(const struct panicmon_event *event)
{
	if (event->type == PANICMON_PROCESS_STARTED)
		to_do();
}

static int do_when_ready(void *arg, const char *data, size_t length)
{
	(void)arg;
	(void)data;
	(void)length;
	to_do();
	return 0;
}

struct panicmon_executor *make_waiter(void (*what)(void))
{
	to_do = what;
	if (!is_under_valgrind()) {
		on_told = do_at_start;
		return make_role("wait", "");
	}
	options.output = (struct panicmon_output){.kind = PANICMON_WRITE, .write = do_when_ready};
	return make_role("wait", "say ready");
}

size_t run(struct panicmon_executor *one)
{
	return panicmon_run(&one, 1);
}

void run_well(struct panicmon_executor *one)
{
	size_t failed = run(one);
	const struct panicmon_error *why = panicmon_executor_error(one);

	ck_assert_msg(failed == 0 && why == NULL, "%s", why == NULL ? "" : why->text);
	ck_assert_int_eq(panicmon_executor_status(one), 0);
}

const struct panicmon_error *error_of(const struct panicmon_executor *one)
{
	ck_assert_ptr_nonnull(panicmon_executor_error(one));
	return panicmon_executor_error(one);
}

static void set_up(void)
{
	panicmon_options_init(&options);
	options.process = &all_of_process;
	options.signal = &all_of_signals;
	options.self = &options;
}

static void tear_down(void)
{
	for (size_t i = 0; i < made_count; i++)
		panicmon_executor_free(made[i]);
}

TCase *add_case(Suite *suite, const char *name)
{
	return make_case(suite, name, set_up, tear_down);
}

/* ---- what this process has ---- */

uint64_t mask(void)
{
	uint64_t now = 0;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &now, sizeof(now));
	return now;
}

void set_mask(uint64_t signals)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &signals, NULL, sizeof(signals));
}

uint64_t ignored(void)
{
	uint64_t set = 0;

	/* The last is valgrind's. */
	for (int number = 1; number < SIGRTMAX; number++) {
		struct sigaction action;

		if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			set |= panicmon_signal_bit(number);
	}
	return set;
}

static size_t count(int flags, int above)
{
	DIR *list = opendir("/proc/self/fd");
	struct dirent *entry;
	size_t found = 0;

	while (list != NULL && (entry = readdir(list)) != NULL) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] != '.' && fd != dirfd(list) && fd > above &&
		    (fcntl(fd, F_GETFD) & flags) == 0)
			found++;
	}
	if (list != NULL)
		closedir(list);
	return found;
}

size_t count_descriptors(void)
{
	return count(0, -1);
}

size_t count_inherited(void)
{
	return count(FD_CLOEXEC, STDERR_FILENO);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return play(argc, argv);
	return RUN_SUITE("library", add_end_tests, add_option_tests, add_output_tests,
			 add_signal_tests, add_host_tests);
}
