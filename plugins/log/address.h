/* address.h: sockets that take log records: a Unix socket, or UDP and TCP by name. */
#ifndef PM_LOG_ADDRESS_H
#define PM_LOG_ADDRESS_H

#include <stddef.h>
#include <sys/un.h>

#include "sink.h"

#define PM_LOG_ADDRESS_LOCAL "local" /* the usual socket of this machine */

enum pm_log_transport { PM_LOG_UNIX, PM_LOG_UDP, PM_LOG_TCP };

struct pm_log_address {
	enum pm_log_transport transport;
	union {
		struct sockaddr_un local;
		struct {
			char host[256], port[8];
		};
	};
};

/* The target's address: local, /SOCKET, and for syslog also udp://HOST[:PORT] and tcp://HOST[:PORT], where
 * HOST may be [an IPv6 address]. 0, or -1 after host->fail(). */
int pm_log_address_parse(struct pm_log_address *address, const struct pm_log_target *target);

/* A connected, non-blocking, close-on-exec socket, or -1 with errno. *lookup is what getaddrinfo(3)
 * said if the name could not be resolved, else 0. Waits for a TCP connection, for PM_LOG_WAIT_MS at most for
 * each of the name's addresses, and for the resolver. */
int pm_log_address_connect(const struct pm_log_address *address, const struct panicmon_host *host,
			   int *lookup);

enum { PM_LOG_WAIT_MS = 3000 };

#endif
