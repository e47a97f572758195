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
#include "base/signals.h"
#include "handler/deliver.h"
#include "handler/module.h"
#include "handler/options.h"

/* What is said from within a plugin's call (struct panicmon_host has no room for our own). There is
 * one plugin in a process. */
static char reason[1024];

static void host_log(const struct panicmon_host *host, uint32_t severity, const char *text)
{
	(void)severity;
	dprintf(STDERR_FILENO, "panicmon[%s]: %s\n", host->handler, text);
}

static int host_fail(const struct panicmon_host *host, const char *text)
{
	(void)host;
	snprintf(reason, sizeof(reason), "%s", text);
	return -1;
}

static void set_state(const struct pm_host_setup *setup, enum pm_host_state state)
{
	atomic_store(&setup->page->state, state);
	send(setup->socket, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void __attribute__((noreturn))
refuse(const struct pm_host_setup *setup, const char *where, const char *text)
{
	if (where != NULL)
		snprintf(setup->page->message, sizeof(setup->page->message), "%s: [handler:%s] %s",
			 where, setup->config->name, text);
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

/* Keeps 0 to 2 and the socket. The command's other descriptors must not be held open here. */
static void drop_descriptors(struct pm_host_setup *setup)
{
	enum { SOCKET = STDERR_FILENO + 1 };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null >= 0)
		dup2(null, STDIN_FILENO);
	if (setup->socket != SOCKET)
		dup3(setup->socket, SOCKET, O_CLOEXEC);
	setup->socket = SOCKET;
	pm_close_from(SOCKET + 1);
}

static void become_host(struct pm_host_setup *setup)
{
	char name[16]; /* prctl(2): with its NUL */

	setpgid(0, 0);
	snprintf(name, sizeof(name), "pm:%s", setup->config->name);
	prctl(PR_SET_NAME, name);
	set_signals(setup);
	drop_descriptors(setup);
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
	if (pm_options_read(setup->config, module->options, count, values, setup->page->message,
			    sizeof(setup->page->message)) > 0)
		refuse(setup, NULL, NULL);
	return values;
}

static void open_plugin(struct pm_delivery *delivery)
{
	const struct panicmon_value *values = delivery->values;
	const struct pm_host_setup *setup = delivery->setup;
	const struct panicmon_handler *handler = &delivery->module->handler;
	int result = 0;

	snprintf(reason, sizeof(reason), "the handler failed without saying why");
	if (handler->check != NULL && handler->check(delivery->host, values) != 0)
		refuse(setup, setup->config->where, reason);
	for (unsigned failures = 0; handler->open != NULL; failures++) {
		result = handler->open(delivery->host, values, &delivery->self);
		if (result != PANICMON_RETRY)
			break;
		set_state(setup, PM_HOST_WAITING);
		atomic_fetch_add(&setup->page->calls, 1);
		pm_delivery_wait(delivery, pm_backoff_ms(failures));
		atomic_fetch_add(&setup->page->calls, 1);
	}
	if (result != 0)
		refuse(setup, setup->config->where, reason);
	reason[0] = '\0';
}

/* A storm of events must not take CPU from the command, which comes only now; and if memory runs
 * out, the kernel is to take a host first. */
static void yield_to_command(void)
{
	static const char first[] = "1000";

	setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + 10);
	pm_autofd fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, first, strlen(first)) < 0)
		return; /* no more than a wish */
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
	};
	struct pm_module module;
	struct pm_delivery delivery = {
		.setup = setup,
		.module = &module,
		.host = &host,
		.reason = reason,
	};
	struct pm_error error;

	/* Before the descriptors go. */
	if (pm_journal_reader_open(&delivery.reader, setup->journal_fd,
				   atomic_load(&setup->page->delivered), &error) < 0)
		refuse(setup, setup->config->where, error.text);
	become_host(setup);
	/* From the constructors in the .so to the end of open(): one call, for the time limit. */
	atomic_store(&setup->page->calls, 1);
	load(setup, &module);
	delivery.values = read_options(setup, &module);
	open_plugin(&delivery);
	atomic_fetch_add(&setup->page->calls, 1);
	yield_to_command();
	set_state(setup, PM_HOST_READY);
	set_state(setup, pm_delivery_run(&delivery));
	_exit(0);
}
