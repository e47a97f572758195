/* link.h: the socket. It never waits, but for a moment where a name has to be found. */
#ifndef PM_STATSD_LINK_H
#define PM_STATSD_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "address.h"
#include "common/lookup.h"

enum { PM_STATSD_TARGET_MAX = 8 };

struct pm_statsd_target {
	struct sockaddr_storage name;
	socklen_t length;
};

struct pm_statsd_link {
	struct pm_statsd_address address;
	int fd;
	bool fixed;         /* the host is a number: nothing to look up */
	int64_t looked_ns;  /* CLOCK_MONOTONIC: the last look-up; 0: never */
	int64_t refresh_ns; /* a name is looked up again after so long */
	struct pm_common_lookup lookup;
	int lookup_error; /* EAI_ code of the last one */
	struct pm_statsd_target targets[PM_STATSD_TARGET_MAX];
	size_t count, current;
};

void pm_statsd_link_open(struct pm_statsd_link *link, const struct pm_statsd_address *address,
			 int64_t refresh_ms);
void pm_statsd_link_close(struct pm_statsd_link *link);

/* Why a datagram that had been taken has not arrived: 0: nothing is known of any, else errno, once.
 * With it goes a look for a better address. */
int pm_statsd_link_refused(struct pm_statsd_link *link);

/* One datagram. 0, or -1 with errno: EAGAIN, ENOBUFS... of this one; EDESTADDRREQ: the name has no
 * address yet. *refused: as pm_statsd_link_refused(), for what is told only now. */
int pm_statsd_link_send(struct pm_statsd_link *link, const void *data, size_t length, int *refused);

/* Waits up to so long until it may be worth to send again what has failed with this errno. */
void pm_statsd_link_wait(struct pm_statsd_link *link, int error, int wait_ms);

/* For people: errno, or why the name was not found. */
const char *pm_statsd_link_reason(const struct pm_statsd_link *link, int error);

#endif
