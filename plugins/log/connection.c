#include <config.h>

#include "connection.h"

#include <errno.h>
#include <netdb.h>

#include "common/fd.h"
#include "common/names.h"

bool pm_log_connection_begin(struct pm_log_connection *connection)
{
	connection->fd =
		pm_log_address_connect(&connection->address, connection->host, &connection->lookup);
	return connection->fd >= 0;
}

void pm_log_connection_end(struct pm_log_connection *connection)
{
	pm_common_close(&connection->fd);
}

int pm_log_connection_later(struct pm_log_connection *connection)
{
	const char *why = connection->lookup != 0 ? gai_strerror(connection->lookup)
						  : pm_common_errno_text(errno);

	pm_log_connection_end(connection);
	if (!connection->told)
		panicmon_log(connection->host, PANICMON_WARNING,
			     "cannot reach %s at '%.300s': %s; it is tried again", connection->to,
			     connection->name, why);
	connection->told = true;
	return PANICMON_RETRY;
}
