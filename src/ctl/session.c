#include <config.h>

#include "ctl/session.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "process/signals.h"

/* However short the command may be held back for. */
enum { START_TIMEOUT_LEAST_MS = 2000 };

/* A host that hangs with all signals blocked would outlive us. */
static void on_interrupt(struct pm_source *source)
{
	struct pm_ctl_session *session = source->owner;
	struct signalfd_siginfo signal;

	if (read(source->fd, &signal, sizeof(signal)) != (ssize_t)sizeof(signal))
		return;
	pm_keeper_kill(&session->keeper);
	pm_signal_die_by((int)signal.ssi_signo);
}

/* One that is ignored, as under nohup(1), stays so. */
static pm_sigset interrupts(void)
{
	static const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
	pm_sigset set = 0;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sigaction action;

		if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			set |= pm_sigset_of(numbers[i]);
	}
	return set;
}

static int open_interrupt(struct pm_ctl_session *session, struct pm_error *error)
{
	pm_sigset set = interrupts();

	session->interrupt = (struct pm_source){
		.fd = pm_signals_descriptor(set),
		.ready = on_interrupt,
		.owner = session,
	};
	if (session->interrupt.fd < 0)
		return pm_error_set(error, errno, "cannot look after signals");
	signal(SIGCHLD, SIG_DFL);
	pm_sigset_block(set | pm_sigset_of(SIGCHLD), NULL);
	return pm_loop_add(&session->loop, &session->interrupt, error);
}

int pm_ctl_session_open(struct pm_ctl_session *session, const struct pm_config *config,
			struct pm_keeper_mode mode, pm_keeper_report *report, void *report_arg,
			struct pm_error *error)
{
	/* What events are to have run. */
	static char name[] = "test", option[] = "--port", value[] = "8080";
	char *command[] = {config->name != NULL ? config->name : name, option, value, NULL};

	*session = (struct pm_ctl_session){
		.config = *config,
		.loop = {.epoll = -1},
		.interrupt = {.fd = -1},
	};
	if (session->config.start_timeout_ms < START_TIMEOUT_LEAST_MS)
		session->config.start_timeout_ms = START_TIMEOUT_LEAST_MS;
	if (pm_loop_open(&session->loop, error) == 0 && open_interrupt(session, error) == 0 &&
	    pm_children_open(&session->children, &session->loop, error) == 0 &&
	    pm_identity_make(&session->identity, config->name, command, &config->redact, error) ==
		    0 &&
	    pm_keeper_open(&session->keeper, &session->loop, &session->children, &session->config,
			   &session->identity, mode, report, report_arg, error) == 0)
		return 0;
	pm_keeper_kill(&session->keeper);
	pm_keeper_drain(&session->keeper);
	pm_ctl_session_close(session);
	return -1;
}

void pm_ctl_session_close(struct pm_ctl_session *session)
{
	pm_keeper_close(&session->keeper);
	pm_identity_free(&session->identity);
	pm_children_close(&session->children);
	pm_close(&session->interrupt.fd);
	pm_loop_close(&session->loop);
}
