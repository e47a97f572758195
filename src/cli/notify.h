/* cli/notify.h: a word to the service manager (sd_notify(3)). */
#ifndef PM_CLI_NOTIFY_H
#define PM_CLI_NOTIFY_H

#include <sys/types.h>

#include "base/error.h"

/* Says on $NOTIFY_SOCKET that `pid` is the service's main process. Without that variable there is nobody
 * to tell. Never waits. */
int pm_notify_mainpid(pid_t pid, struct pm_error *error);

#endif
