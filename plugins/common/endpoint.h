/* endpoint.h: the HOST[:PORT] of an address. */
#ifndef PM_COMMON_ENDPOINT_H
#define PM_COMMON_ENDPOINT_H

enum { PM_COMMON_HOST_SIZE = 256, PM_COMMON_PORT_SIZE = 6 };

struct pm_common_endpoint {
	char host[PM_COMMON_HOST_SIZE]; /* a name or a number, without brackets */
	char port[PM_COMMON_PORT_SIZE];
};

/* Of text, which may end with a '/' as any URL. Its port, if it has none, is default_port. NULL, or what
 * is wrong with it, to be put after the text. */
const char *pm_common_endpoint_parse(struct pm_common_endpoint *endpoint, const char *text,
				     const char *default_port);

#endif
