#include <config.h>

#include "common/endpoint.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool copy(char *to, size_t size, const char *from, size_t length)
{
	if (length == 0 || length >= size)
		return false;
	memcpy(to, from, length);
	to[length] = '\0';
	return true;
}

static const char *parse_port(struct pm_common_endpoint *endpoint, const char *text)
{
	size_t length = strspn(text, "0123456789");
	bool ends = strcmp(text + length, "") == 0 || strcmp(text + length, "/") == 0;

	if (!ends || !copy(endpoint->port, sizeof(endpoint->port), text, length) ||
	    atoi(endpoint->port) < 1 || atoi(endpoint->port) > 65535)
		return "has no port of 1 to 65535 after its last colon";
	return NULL;
}

/* ::1 in brackets only, or else the colon of the port could be its own. */
const char *pm_common_endpoint_parse(struct pm_common_endpoint *endpoint, const char *text,
				     const char *default_port)
{
	bool bracket = text[0] == '[';
	const char *host = text + bracket;
	size_t length = strcspn(host, bracket ? "]" : ":/");
	const char *rest = host + length;

	if (bracket && *rest++ != ']')
		return "has '[' without ']'";
	if (!copy(endpoint->host, sizeof(endpoint->host), host, length))
		return "has no host, or one that is too long";
	if (strcmp(rest, "") == 0 || strcmp(rest, "/") == 0)
		return parse_port(endpoint, default_port);
	if (*rest != ':')
		return "has more than a host and a port";
	if (!bracket && strchr(rest + 1, ':') != NULL)
		return "has several colons: an IPv6 address stands in brackets, as in [::1]:8125";
	return parse_port(endpoint, rest + 1);
}
