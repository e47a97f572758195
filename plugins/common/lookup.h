/* lookup.h: finding the addresses of a name, while the handler goes on: a resolver may take half a
 * minute to say that it does not know. */
#ifndef PM_COMMON_LOOKUP_H
#define PM_COMMON_LOOKUP_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/endpoint.h"

struct pm_common_lookup {
	struct pm_common_request *request; /* NULL: none is under way */
};

static inline bool pm_common_lookup_pending(const struct pm_common_lookup *lookup)
{
	return lookup->request != NULL;
}

/* For sockets of `type`. One of the EAI_ codes where it cannot begin. The endpoint is copied. */
int pm_common_lookup_start(struct pm_common_lookup *lookup,
			   const struct pm_common_endpoint *endpoint, int type);

/* Waits no longer than that. EAI_INPROGRESS: it is still under way; 0: *found is the caller's, for
 * freeaddrinfo(3); else it has failed. */
int pm_common_lookup_finish(struct pm_common_lookup *lookup, int wait_ms, struct addrinfo **found);

void pm_common_lookup_close(struct pm_common_lookup *lookup);

#endif
