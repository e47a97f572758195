#include <config.h>

#include "handler/host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/signals.h"
#include "handler/confine.h"
#include "handler/deliver.h"
#include "handler/describe.h"
#include "handler/module.h"
#include "handler/options.h"
#include "handler/state_dir.h"

/* What is said from within a plugin's call (struct panicmon_host has no room for our own). There is
 * one plugin in a process. */
static char reason[1024];
static struct pm_delivery delivery = {.reason = reason};

static void host_log(const struct panicmon_host *host, uint32_t severity, const char *text)
{
	(void)host;
	(void)severity;
	/* panicmon marks what it gets there. */
	dprintf(STDERR_FILENO, "%s\n", text);
}

static int host_fail(const struct panicmon_host *host, const char *text)
{
	(void)host;
	snprintf(reason, sizeof(reason), "%s", text);
	return -1;
}

static void host_alive(const struct panicmon_host *host)
{
	(void)host;
	/* Odd before and after, but not the same: for panicmon, another call. */
	atomic_fetch_add(&delivery.setup->page->calls, 2);
}

static void host_retry_in(const struct panicmon_host *host, uint32_t delay_ms)
{
	(void)host;
	delivery.retry_in_ms = delay_ms;
}

static void host_tick_in(const struct panicmon_host *host, uint32_t delay_ms)
{
	(void)host;
	delivery.tick_at_ns = delay_ms == 0 ? 0 : pm_clock_monotonic() + delay_ms * PM_NS_PER_MS;
}

void pm_host_nudge(const struct pm_host_setup *setup)
{
	send(setup->socket, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void set_state(const struct pm_host_setup *setup, enum pm_host_state state)
{
	atomic_store(&setup->page->state, state);
	pm_host_nudge(setup);
}

static void __attribute__((noreturn))
refuse(const struct pm_host_setup *setup, const char *where, const char *text)
{
	char *message = setup->page->message;

	if (setup->purpose == PM_HOST_DESCRIBE)
		snprintf(message, sizeof(setup->page->message), "%s", text);
	else if (where != NULL)
		snprintf(message, sizeof(setup->page->message), "%s: [handler:%s] %s", where,
			 setup->config->name, text);
	set_state(setup, PM_HOST_REFUSED);
	_exit(1);
}

/* For the signal handler, which gets no argument. */
static const struct pm_host_setup *own_setup;

void pm_host_monitor_died(const struct pm_host_setup *setup)
{
	pm_alive_kill(&setup->page->alive);
	/* Nobody is left to kill this host if its plugin hangs. */
	signal(SIGALRM, SIG_DFL);
	alarm((unsigned)(setup->drain_timeout_ms / 1000) + 1);
}

/* The socket's EOF says the same, but only to a host that is not busy in its plugin. */
static void on_parent_death_signal(int number)
{
	int saved = errno;

	(void)number;
	if (getppid() != own_setup->monitor)
		pm_host_monitor_died(own_setup);
	errno = saved;
}

/* A service manager signals the whole control group, and any signal may be its stop signal: a host
 * must live to tell of the exit. So they stay blocked, as they were in panicmon; a fault of the
 * plugin's own ends it all the same (signal(7)). */
static void set_signals(const struct pm_host_setup *setup)
{
	struct sigaction action = {.sa_handler = on_parent_death_signal, .sa_flags = SA_RESTART};
	pm_sigset open = pm_sigset_of(SIGCHLD) | pm_sigset_of(SIGALRM) | pm_sigset_of(SIGRTMAX);

	own_setup = setup;
	sigaction(SIGRTMAX, &action, NULL);
	signal(SIGALRM, SIG_IGN);
	pm_sigset_block(~open, NULL);
	prctl(PR_SET_PDEATHSIG, SIGRTMAX);
	if (getppid() != setup->monitor) /* it went before the prctl */
		pm_host_monitor_died(setup);
}

/* Where a host has what it keeps; all else is the command's, or panicmon's. */
enum { SOCKET = STDERR_FILENO + 1, REAL_OUTPUT, REAL_ERRORS, STATE, FIRST_FREE };

static int compare_descriptors(const void *one, const void *other)
{
	return *(const int *)one - *(const int *)other;
}

/* All but what the host is to keep goes first: there may be no room for a copy else. */
static void close_others(const struct pm_host_setup *setup)
{
	int kept[] = {setup->socket, setup->output, setup->state};
	int next = STDERR_FILENO + 1;

	qsort(kept, sizeof(kept) / sizeof(kept[0]), sizeof(kept[0]), compare_descriptors);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if (kept[i] < next)
			continue;
		pm_close_range(next, kept[i] - 1);
		next = kept[i] + 1;
	}
	pm_close_from(next);
}

/* A copy of fd, above all that is to be there. */
static int above(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE);
}

static int arrange_descriptors(struct pm_host_setup *setup)
{
	close_others(setup);
	int socket = above(setup->socket), output = above(setup->output);
	int state = setup->state < 0 ? -1 : above(setup->state);

	if (dup3(socket, SOCKET, O_CLOEXEC) < 0 ||
	    dup3(STDOUT_FILENO, REAL_OUTPUT, O_CLOEXEC) < 0 ||
	    dup3(STDERR_FILENO, REAL_ERRORS, O_CLOEXEC) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(output, STDERR_FILENO) < 0)
		return -1;
	if (setup->state < 0)
		close(STATE);
	else if ((setup->state = dup3(state, STATE, O_CLOEXEC)) < 0)
		return -1;
	setup->socket = SOCKET;
	pm_close_from(FIRST_FREE);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		close(null);
	}
	return 0;
}

/* If memory runs out, the kernel is to take a host first. */
static void die_first(void)
{
	static const char first[] = "1000";
	pm_autofd fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, first, strlen(first)) < 0)
		return; /* no more than a wish */
}

/* The handler's own folder takes the place of `state_dir`. */
static void enter_state(struct pm_host_setup *setup)
{
	char text[1200];
	struct pm_error error;
	int folder = pm_state_dir_enter(setup->state, setup->identity->name, setup->config->name,
					setup->config->user, &error);

	if (folder >= 0) {
		dup3(folder, STATE, O_CLOEXEC);
		close(folder);
		return;
	}
	snprintf(text, sizeof(text), "nothing can be kept in state_dir for the next run: %s",
		 error.text);
	host_log(NULL, PANICMON_WARNING, text);
	close(STATE);
	setup->state = -1;
}

static void become_host(struct pm_host_setup *setup)
{
	char name[16]; /* prctl(2): with its NUL */
	struct pm_error error;

	setpgid(0, 0);
	snprintf(name, sizeof(name), "pm:%s", setup->config->name);
	prctl(PR_SET_NAME, name);
	if (arrange_descriptors(setup) < 0)
		refuse(setup, setup->config->where,
		       "there are too few descriptors for its host; raise ulimit -n");
	die_first(); /* another user may not */
	/* Nor enter the folder above its own. */
	if (setup->state >= 0 && setup->config->user != NULL)
		enter_state(setup);
	if (pm_confine(setup->config, &error) < 0)
		refuse(setup, setup->config->where, error.text);
	/* After a change of the user, which clears what it sets. */
	set_signals(setup);
}

/* What a handler has no business with goes before it is opened. */
static void keep_or_close_output(struct panicmon_host *host, const struct panicmon_handler *handler)
{
	bool wanted = (handler->flags & PANICMON_WANTS_OUTPUT) != 0;

	host->output = wanted ? REAL_OUTPUT : -1;
	host->errors = wanted ? REAL_ERRORS : -1;
	if (wanted)
		return;
	close(REAL_OUTPUT);
	close(REAL_ERRORS);
}

/* Only one that calls people has something to keep. */
static void keep_or_close_state(struct pm_host_setup *setup, const struct panicmon_handler *handler)
{
	if (setup->state < 0)
		return;
	if ((handler->flags & PANICMON_ALERTS) == 0) {
		close(STATE);
		setup->state = -1;
	} else if (setup->config->user == NULL) {
		enter_state(setup);
	}
}

static void load(const struct pm_host_setup *setup, struct pm_module *module)
{
	const struct pm_config_handler *config = setup->config;
	struct pm_error error;
	pm_autofree char *path = pm_module_path(config, setup->handler_dir);

	if (path == NULL)
		refuse(setup, config->where, "not enough memory");
	if (pm_module_check(path, config->trust_path, &error) < 0)
		refuse(setup, config->where, error.text);
	/* The file that was looked at, should a link on the way be changed meanwhile. */
	pm_autofree char *real = realpath(path, NULL);
	if (pm_module_load(module, real != NULL ? real : path, &error) < 0)
		refuse(setup, config->where, error.text);
}

static struct panicmon_value *read_options(const struct pm_host_setup *setup,
					   const struct pm_module *module)
{
	size_t count = module->handler.option_count;
	struct panicmon_value *values = calloc(count + 1, sizeof(*values));

	if (values == NULL)
		refuse(setup, setup->config->where, "not enough memory");
	bool roomy = setup->room_size > sizeof(setup->page->message);
	char *complaints = roomy ? setup->room : setup->page->message;
	size_t size = roomy ? setup->room_size : sizeof(setup->page->message);
	if (pm_options_read(setup->config, &module->handler, module->options, values, complaints,
			    size) > 0)
		refuse(setup, NULL, NULL);
	return values;
}

static void __attribute__((noreturn)) refuse_by_plugin(void)
{
	refuse(delivery.setup, delivery.setup->config->where,
	       reason[0] != '\0' ? reason : "the handler failed without saying why");
}

static void check_plugin(void)
{
	const struct panicmon_handler *handler = &delivery.module->handler;

	if (handler->check != NULL && handler->check(delivery.host, delivery.values) != 0)
		refuse_by_plugin();
}

static void open_plugin(void)
{
	const struct pm_host_setup *setup = delivery.setup;
	const struct panicmon_handler *handler = &delivery.module->handler;
	int result = 0;

	for (unsigned failures = 0; handler->open != NULL; failures++) {
		reason[0] = '\0';
		delivery.retry_in_ms = -1;
		result = handler->open(delivery.host, delivery.values, &delivery.self);
		if (result != PANICMON_RETRY)
			break;
		delivery.tick_at_ns = 0; /* what is not open yet gets no other call */
		if (setup->test)
			snprintf(setup->page->message, sizeof(setup->page->message), "%s", reason);
		set_state(setup, PM_HOST_WAITING);
		atomic_fetch_add(&setup->page->calls, 1);
		pm_delivery_wait_to_retry(&delivery, failures);
		atomic_fetch_add(&setup->page->calls, 1);
	}
	if (result != 0)
		refuse_by_plugin();
	reason[0] = '\0';
}

/* A storm of events must not take CPU from the command, which comes only now. */
static void yield_to_command(void)
{
	setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + 10);
}

static void __attribute__((noreturn)) leave(enum pm_host_state state)
{
	set_state(delivery.setup, state);
	_exit(0);
}

void pm_host_main(void *arg)
{
	struct pm_host_setup *setup = arg;
	struct panicmon_host host = {
		.size = sizeof(host),
		.major = PANICMON_HANDLER_MAJOR,
		.minor = PANICMON_HANDLER_MINOR,
		.handler = setup->config->name,
		.service = setup->identity->name,
		.log = host_log,
		.fail = host_fail,
		.alive = host_alive,
		.retry_in = host_retry_in,
		.tick_in = host_tick_in,
	};
	struct pm_module module;
	struct pm_error error;

	delivery.setup = setup;
	delivery.module = &module;
	delivery.host = &host;
	/* Before the descriptors go. */
	if (pm_journal_reader_open(&delivery.reader, setup->journal_fd,
				   atomic_load(&setup->page->delivered), &error) < 0)
		refuse(setup, setup->config->where, error.text);
	become_host(setup);
	/* From the constructors in the .so to the end of open(): one call, for the time limit. */
	atomic_store(&setup->page->calls, 1);
	load(setup, &module);
	if (setup->purpose == PM_HOST_DESCRIBE) {
		pm_describe(&module, setup->room);
		leave(PM_HOST_CHECKED);
	}
	keep_or_close_output(&host, &module.handler);
	delivery.values = read_options(setup, &module);
	check_plugin();
	if (setup->purpose == PM_HOST_CHECK)
		leave(PM_HOST_CHECKED);
	keep_or_close_state(setup, &module.handler);
	open_plugin();
	pm_alerting_open(&delivery, setup->state);
	atomic_fetch_add(&setup->page->calls, 1);
	yield_to_command();
	set_state(setup, PM_HOST_READY);
	leave(pm_delivery_run(&delivery));
}
