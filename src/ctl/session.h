/* ctl/session.h: handlers in their hosts, for a look or a try: what panicmon does around a command,
 * without the command. */
#ifndef PM_CTL_SESSION_H
#define PM_CTL_SESSION_H

#include "base/loop.h"
#include "config/config.h"
#include "event/event.h"
#include "handler/keeper.h"
#include "process/children.h"

/* Stays where it is from open to close. */
struct pm_ctl_session {
	struct pm_config
		config; /* the caller's, with a start_timeout that lets a plugin be loaded */
	struct pm_loop loop;
	struct pm_children children;
	struct pm_identity identity;
	struct pm_keeper keeper;
	struct pm_source interrupt; /* SIGINT and its like, which end the hosts as well */
};

/* Starts a host for each handler of the config, which must live as long. -1: it is closed again. */
int pm_ctl_session_open(struct pm_ctl_session *session, const struct pm_config *config,
			struct pm_keeper_mode mode, pm_keeper_report *report, void *report_arg,
			struct pm_error *error);

/* After pm_keeper_drain(). */
void pm_ctl_session_close(struct pm_ctl_session *session);

#endif
