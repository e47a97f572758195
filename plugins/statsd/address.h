/* address.h: where metrics go: udp://HOST[:PORT] or unix:///PATH. */
#ifndef PM_STATSD_ADDRESS_H
#define PM_STATSD_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/endpoint.h"

enum { PM_STATSD_PATH_SIZE = 108 };

struct pm_statsd_address {
	bool is_unix;
	struct pm_common_endpoint at;   /* UDP */
	char path[PM_STATSD_PATH_SIZE]; /* Unix: absolute */
};

/* NULL, or what is wrong with the text, to be put after it. */
const char *pm_statsd_address_parse(struct pm_statsd_address *address, const char *text);

#endif
