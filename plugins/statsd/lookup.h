/* lookup.h: finding the addresses of a name, while the handler goes on: a resolver may take half a
 * minute to say that it does not know. */
#ifndef PM_STATSD_LOOKUP_H
#define PM_STATSD_LOOKUP_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>

struct pm_statsd_lookup {
	struct pm_statsd_request *request; /* NULL: none is under way */
};

static inline bool pm_statsd_lookup_pending(const struct pm_statsd_lookup *lookup)
{
	return lookup->request != NULL;
}

/* One of the EAI_ codes where it cannot begin. host and port are copied. */
int pm_statsd_lookup_start(struct pm_statsd_lookup *lookup, const char *host, const char *port);

/* Waits no longer than that. EAI_INPROGRESS: it is still under way; 0: *found is the caller's, for
 * freeaddrinfo(3); else it has failed. */
int pm_statsd_lookup_finish(struct pm_statsd_lookup *lookup, int wait_ms, struct addrinfo **found);

void pm_statsd_lookup_close(struct pm_statsd_lookup *lookup);

#endif
