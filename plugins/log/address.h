/* address.h: sockets that take log records: a Unix socket, or UDP and TCP by name. */
#ifndef PM_LOG_ADDRESS_H
#define PM_LOG_ADDRESS_H

#include <stddef.h>
#include <sys/un.h>

#include "common/endpoint.h"
#include "common/lookup.h"
#include "sink.h"

#define PM_LOG_ADDRESS_LOCAL "local" /* the usual socket of this machine */

enum pm_log_transport { PM_LOG_UNIX, PM_LOG_UDP, PM_LOG_TCP };

struct pm_log_address {
	enum pm_log_transport transport;
	union {
		struct sockaddr_un local;
		struct pm_common_endpoint at;
	};
	struct pm_common_lookup lookup; /* of `at` */
	unsigned turn;                  /* which of its addresses is tried first */
};

/* The target's address: local, /SOCKET, and for syslog also udp://HOST[:PORT] and tcp://HOST[:PORT], where
 * HOST may be [an IPv6 address]. 0, or -1 after host->fail(). */
int pm_log_address_parse(struct pm_log_address *address, const struct pm_log_target *target);

/* A connected, non-blocking, close-on-exec socket, or -1 with errno. *lookup is what getaddrinfo(3)
 * says if the name cannot be resolved, else 0. Waits for the resolver, whose answer may come to a later call, and for a TCP connection to
 * each of the name's addresses, PM_LOG_WAIT_MS at most for each. */
int pm_log_address_connect(struct pm_log_address *address, const struct panicmon_host *host,
			   int *lookup);

/* The next connection is tried with another address of the name first. */
void pm_log_address_turn(struct pm_log_address *address);

void pm_log_address_close(struct pm_log_address *address);

/* Waits until the socket can be written to. -1: errno, ETIMEDOUT after PM_LOG_WAIT_MS. */
int pm_log_address_wait(int fd, const struct panicmon_host *host);

enum { PM_LOG_WAIT_MS = 3000 };

#endif
