#include <config.h>

#include "address.h"

#include <string.h>

#define UDP "udp://"
#define UNIX "unix://"
#define DEFAULT_PORT "8125"

static const char *parse_unix(struct pm_statsd_address *address, const char *path)
{
	address->is_unix = true;
	if (path[0] != '/')
		return "has no absolute path: write unix:///run/statsd.sock";
	if (strlen(path) >= sizeof(address->path))
		return "has a path of more than 107 bytes, which is the longest of a socket";
	strcpy(address->path, path);
	return NULL;
}

const char *pm_statsd_address_parse(struct pm_statsd_address *address, const char *text)
{
	*address = (struct pm_statsd_address){0};
	if (strncmp(text, UDP, strlen(UDP)) == 0)
		return pm_common_endpoint_parse(&address->at, text + strlen(UDP), DEFAULT_PORT);
	if (strncmp(text, UNIX, strlen(UNIX)) == 0)
		return parse_unix(address, text + strlen(UNIX));
	return "begins with neither udp:// nor unix://";
}
