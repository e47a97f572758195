/* handler/host.h: the process that holds one plugin. */
#ifndef PM_HANDLER_HOST_H
#define PM_HANDLER_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/config.h"
#include "event/event.h"
#include "handler/page.h"

enum pm_host_purpose {
	PM_HOST_DELIVER,
	PM_HOST_CHECK,    /* no more than a look at the plugin and its options; nothing is opened */
	PM_HOST_DESCRIBE, /* no more than to load the plugin and describe it in `room` */
};

/* What a host gets from its parent; valid in the fork. */
struct pm_host_setup {
	const struct pm_config_handler *config;
	const char *handler_dir;
	const struct pm_identity *identity;
	int64_t drain_timeout_ms;
	int journal_fd;
	/* A SOCK_SEQPACKET: messages from panicmon wake the host, one to it says that `page->state`
	 * has changed, and EOF says that panicmon is gone. */
	int socket;
	int output; /* becomes the plugin's stdout and stderr */
	int state;  /* the folder `state_dir`, then the handler's own in it; -1: there is none */
	enum pm_host_purpose purpose;
	bool test; /* it is to leave on its page what the plugin answers, and asks it once */
	struct pm_host_page *page;
	char *room; /* shared as the page is; for a description, or complaints beyond the page */
	size_t room_size;
	pid_t monitor; /* panicmon's pid */
};

/* The whole life of a host: takes a struct pm_host_setup, leaves by _exit(2). */
void pm_host_main(void *setup);

/* Has panicmon look at the page. Never waits. */
void pm_host_nudge(const struct pm_host_setup *setup);

/* panicmon is gone, and with it the commands (PDEATHSIG); ends what they have forked, and this host too
 * in a little more than drain_timeout. Async-signal-safe. */
void pm_host_monitor_died(const struct pm_host_setup *setup);

#endif
