/* connection.h: a socket to somebody who takes records, and may go away and come again. */
#ifndef PM_LOG_CONNECTION_H
#define PM_LOG_CONNECTION_H

#include <stdbool.h>

#include "address.h"

struct pm_log_connection {
	const struct panicmon_host *host;
	const char *to, *name; /* for people: who, and the address */
	struct pm_log_address address;
	int fd;     /* -1: there is none */
	int lookup; /* why its name is not found, see pm_log_address_connect(); or 0 */
	bool told;  /* that it cannot be reached */
};

/* Connects. False: errno, or `lookup`, says why not. */
bool pm_log_connection_begin(struct pm_log_connection *connection);

/* Keeps errno. */
void pm_log_connection_end(struct pm_log_connection *connection);

/* Returns PANICMON_RETRY: the record is to come again, through another socket. Says so, and why, once until
 * `told` is cleared. */
int pm_log_connection_later(struct pm_log_connection *connection);

#endif
