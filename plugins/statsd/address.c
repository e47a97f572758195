#include <config.h>

#include "address.h"

#include <stdlib.h>
#include <string.h>

#define UDP "udp://"
#define UNIX "unix://"
#define DEFAULT_PORT "8125"

static bool copy(char *to, size_t size, const char *from, size_t length)
{
	if (length == 0 || length >= size)
		return false;
	memcpy(to, from, length);
	to[length] = '\0';
	return true;
}

/* A '/' may come after it, as in any URL. */
static const char *parse_port(struct pm_statsd_address *address, const char *text)
{
	size_t length = strspn(text, "0123456789");
	bool ends = strcmp(text + length, "") == 0 || strcmp(text + length, "/") == 0;

	if (!ends || !copy(address->port, sizeof(address->port), text, length) ||
	    atoi(address->port) < 1 || atoi(address->port) > 65535)
		return "has no port of 1 to 65535 after its last colon";
	return NULL;
}

/* [::1]:8125, ::1 in brackets only, or else the colon of the port could be its own. */
static const char *parse_udp(struct pm_statsd_address *address, const char *text)
{
	bool bracket = text[0] == '[';
	const char *host = text + bracket;
	size_t length = strcspn(host, bracket ? "]" : ":/");
	const char *rest = host + length;

	if (bracket && *rest++ != ']')
		return "has '[' without ']'";
	if (!copy(address->host, sizeof(address->host), host, length))
		return "has no host, or one that is too long";
	if (strcmp(rest, "") == 0 || strcmp(rest, "/") == 0)
		return parse_port(address, DEFAULT_PORT);
	if (*rest != ':')
		return "has more than a host and a port";
	if (!bracket && strchr(rest + 1, ':') != NULL)
		return "has several colons: an IPv6 address stands in brackets, as in "
		       "udp://[::1]:8125";
	return parse_port(address, rest + 1);
}

static const char *parse_unix(struct pm_statsd_address *address, const char *path)
{
	address->is_unix = true;
	if (path[0] != '/')
		return "has no absolute path: write unix:///run/statsd.sock";
	if (!copy(address->path, sizeof(address->path), path, strlen(path)))
		return "has a path of more than 107 bytes, which is the longest of a socket";
	return NULL;
}

const char *pm_statsd_address_parse(struct pm_statsd_address *address, const char *text)
{
	*address = (struct pm_statsd_address){0};
	if (strncmp(text, UDP, strlen(UDP)) == 0)
		return parse_udp(address, text + strlen(UDP));
	if (strncmp(text, UNIX, strlen(UNIX)) == 0)
		return parse_unix(address, text + strlen(UNIX));
	return "begins with neither udp:// nor unix://";
}
