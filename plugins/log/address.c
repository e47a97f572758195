#include <config.h>

#include "address.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SYSLOG_SOCKET "/dev/log"
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* RFC 5426 for UDP. TCP has none but the one that servers use for both (RFC 6587, 3.3). */
#define PORT "514"

static int refuse(const struct pm_log_target *target)
{
	bool journal = strcmp(target->path, "journald") == 0;

	return panicmon_fail(target->host, "address '%.300s' is none of: local, /SOCKET%s",
			     target->address,
			     journal ? "" : ", udp://HOST[:PORT], tcp://HOST[:PORT]");
}

static int parse_local(struct pm_log_address *address, const char *path)
{
	size_t length = strlen(path);

	*address = (struct pm_log_address){.transport = PM_LOG_UNIX, .local.sun_family = AF_UNIX};
	if (length == 0 || length >= sizeof(address->local.sun_path))
		return -1;
	memcpy(address->local.sun_path, path, length + 1);
	return 0;
}

static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	long number = strtol(text, NULL, 10);

	return digits > 0 && digits < 6 && text[digits] == '\0' && number > 0 && number < 65536;
}

static int parse_net(struct pm_log_address *address, enum pm_log_transport transport,
		     const char *text)
{
	bool bracket = text[0] == '[';
	const char *host = bracket ? text + 1 : text;
	size_t length = strcspn(host, bracket ? "]" : ":/");
	const char *rest = host + length;

	if (length == 0 || length >= sizeof(address->host) || (bracket && *rest++ != ']'))
		return -1;
	if (rest[0] != '\0' && (rest[0] != ':' || !is_port(rest + 1)))
		return -1;
	*address = (struct pm_log_address){.transport = transport};
	memcpy(address->host, host, length);
	snprintf(address->port, sizeof(address->port), "%s", rest[0] != '\0' ? rest + 1 : PORT);
	return 0;
}

int pm_log_address_parse(struct pm_log_address *address, const struct pm_log_target *target)
{
	bool journal = strcmp(target->path, "journald") == 0;
	const char *text = target->address;
	int result = -1;

	if (strcmp(text, PM_LOG_ADDRESS_LOCAL) == 0)
		result = parse_local(address, journal ? JOURNAL_SOCKET : SYSLOG_SOCKET);
	else if (text[0] == '/')
		result = parse_local(address, text);
	else if (!journal && strncmp(text, "udp://", 6) == 0)
		result = parse_net(address, PM_LOG_UDP, text + 6);
	else if (!journal && strncmp(text, "tcp://", 6) == 0)
		result = parse_net(address, PM_LOG_TCP, text + 6);
	return result == 0 ? 0 : refuse(target);
}

/* Ends a connect(2) that goes on by itself. */
static int await_connection(int fd)
{
	struct pollfd waits = {.fd = fd, .events = POLLOUT};
	int error = 0;
	socklen_t size = sizeof(error);
	int ready = (int)TEMP_FAILURE_RETRY(poll(&waits, 1, PM_LOG_WAIT_MS));

	if (ready == 0)
		errno = ETIMEDOUT;
	if (ready <= 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return -1;
	errno = error;
	return error == 0 ? 0 : -1;
}

static int connect_to(const struct sockaddr *address, socklen_t length, int type)
{
	int fd = socket(address->sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, address, length) == 0 ||
	    (errno == EINPROGRESS && await_connection(fd) == 0))
		return fd;
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int connect_net(const struct pm_log_address *address, const struct panicmon_host *host,
		       int *lookup)
{
	int type = address->transport == PM_LOG_UDP ? SOCK_DGRAM : SOCK_STREAM;
	const struct addrinfo hints = {.ai_socktype = type, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	int fd = -1;

	*lookup = getaddrinfo(address->host, address->port, &hints, &found);
	if (*lookup == EAI_SYSTEM)
		*lookup = 0; /* errno tells more */
	if (found == NULL)
		return -1;
	for (struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next) {
		host->alive(host);
		fd = connect_to(at->ai_addr, at->ai_addrlen, type);
	}
	int saved = errno;
	freeaddrinfo(found);
	errno = saved;
	return fd;
}

int pm_log_address_connect(const struct pm_log_address *address, const struct panicmon_host *host,
			   int *lookup)
{
	*lookup = 0;
	if (address->transport != PM_LOG_UNIX)
		return connect_net(address, host, lookup);
	return connect_to((const struct sockaddr *)&address->local, sizeof(address->local),
			  SOCK_DGRAM);
}
