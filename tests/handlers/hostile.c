/* hostile: does what a handler must not, in the call and in the way that its options name.
 *
 * Everything it gets is noted in the file `path` first: "SEQ TYPE ATTEMPT" for an event, else the
 * name of the call.
 */
#include "config.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "fixture.h"

enum { OPTION_WHERE, OPTION_HOW, OPTION_SEQ, OPTION_TIMES, OPTION_RESULT, OPTION_PATH };

static const char *const places[] = {"check", "open", "event", "flush", "close", NULL};
enum { IN_CHECK, IN_OPEN, IN_EVENT, IN_FLUSH, IN_CLOSE };

static void hang(void)
{
	for (;;)
		pause();
}

static void hang_blocked(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	hang();
}

static void spin(void)
{
	for (volatile unsigned i = 0;; i++)
		continue;
}

static void leave(void)
{
	exit(0);
}

static void leave_thread(void)
{
	pthread_exit(NULL);
}

static void leave_at_once(void)
{
	_exit(0);
}

static void close_all(void)
{
	for (int fd = 0; fd < 256; fd++)
		close(fd);
}

static void print_much(void)
{
	static char block[4096];

	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 1024; i++)
		if (write(STDOUT_FILENO, block, sizeof(block)) < 0)
			return;
}

static void reap_all(void)
{
	while (wait(NULL) > 0)
		continue;
}

static void on_signal(int number)
{
	(void)number;
}

static void disturb(void)
{
	struct rlimit few = {8, 8};
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGCHLD, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	umask(0777);
	setenv("PATH", "/nowhere", 1);
	setrlimit(RLIMIT_NOFILE, &few);
	if (chdir("/") < 0)
		abort();
}

/* A daemon that lives on, out of the host's group, with all that is open here. */
static void fork_daemon(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		hang();
	}
}

static void nothing(void)
{
}

static const struct {
	const char *name;
	void (*act)(void);
} ways[] = {
	{"return", nothing},      {"hang", hang},           {"hang-blocked", hang_blocked},
	{"spin", spin},           {"crash", fixture_crash}, {"abort", abort},
	{"exit", leave},          {"_exit", leave_at_once}, {"pthread_exit", leave_thread},
	{"close-fds", close_all}, {"print", print_much},    {"reap", reap_all},
	{"disturb", disturb},     {"daemon", fork_daemon},
};

static const struct panicmon_option options[] = {
	[OPTION_WHERE] = {.name = "where",
			  .type = PANICMON_CHOICE,
			  .value = "event",
			  .choices = places},
	[OPTION_HOW] = {.name = "how", .type = PANICMON_TEXT, .value = "return"},
	[OPTION_SEQ] = {.name = "seq", .type = PANICMON_NUMBER, .value = "0"}, /* 0: every event */
	[OPTION_TIMES] = {.name = "times", .type = PANICMON_NUMBER, .value = "1000000"},
	[OPTION_RESULT] = {.name = "result",
			   .type = PANICMON_NUMBER,
			   .value = "0",
			   .min = INT_MIN,
			   .max = INT_MAX},
	[OPTION_PATH] = {.name = "path", .type = PANICMON_TEXT},
};

static const struct panicmon_value *values;

static int act(int place)
{
	if (values[OPTION_WHERE].number != place)
		return 0;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, values[OPTION_HOW].text) == 0)
			ways[i].act();
	return (int)values[OPTION_RESULT].number;
}

static int check(const struct panicmon_host *host, const struct panicmon_value *given)
{
	(void)host;
	values = given;
	return act(IN_CHECK);
}

static int open_hostile(const struct panicmon_host *host, const struct panicmon_value *given,
			void **self)
{
	static int64_t calls;

	(void)host;
	(void)self;
	values = given;
	fixture_note(values[OPTION_PATH].text, "open");
	return calls++ < values[OPTION_TIMES].number ? act(IN_OPEN) : 0;
}

static int take(void *self, const struct panicmon_event *event)
{
	int64_t seq = values[OPTION_SEQ].number;

	(void)self;
	fixture_note_event(values[OPTION_PATH].text, event);
	if (seq != 0 && (uint64_t)seq != event->seq)
		return PANICMON_DONE;
	if (event->attempt > values[OPTION_TIMES].number)
		return PANICMON_DONE;
	int result = act(IN_EVENT);
	/* Without an event that is held there is no flush. */
	return values[OPTION_WHERE].number == IN_FLUSH ? PANICMON_HELD : result;
}

static int flush(void *self, uint32_t budget_ms, int why)
{
	(void)self;
	(void)budget_ms;
	(void)why;
	fixture_note(values[OPTION_PATH].text, "flush");
	return act(IN_FLUSH);
}

static void close_hostile(void *self, int why)
{
	(void)self;
	(void)why;
	fixture_note(values[OPTION_PATH].text, "close");
	act(IN_CLOSE);
}

PANICMON_HANDLER = {
	FIXTURE_HEAD("hostile"), FIXTURE_OPTIONS(options), .check = check,
	.open = open_hostile,    .flush = flush,           .close = close_hostile,
	FIXTURE_EVENTS(take),
};
