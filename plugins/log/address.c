#include <config.h>

#include "address.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fd.h"

#define SYSLOG_SOCKET "/dev/log"
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* RFC 5426 for UDP. TCP has none but the one that servers use for both (RFC 6587, 3.3). */
#define PORT "514"

enum { STEP_MS = 250 }; /* between signs of life */

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

static int parse_net(struct pm_log_address *address, enum pm_log_transport transport,
		     const struct pm_log_target *target)
{
	const char *text = target->address + strlen("udp://");

	*address = (struct pm_log_address){.transport = transport};
	const char *why = pm_common_endpoint_parse(&address->at, text, PORT);
	return why == NULL
		       ? 0
		       : panicmon_fail(target->host, "address '%.300s' %s", target->address, why);
}

int pm_log_address_parse(struct pm_log_address *address, const struct pm_log_target *target)
{
	bool journal = strcmp(target->path, "journald") == 0;
	const char *text = target->address;
	const char *path = text[0] == '/' ? text : NULL;

	if (strcmp(text, PM_LOG_ADDRESS_LOCAL) == 0)
		path = journal ? JOURNAL_SOCKET : SYSLOG_SOCKET;
	if (path != NULL)
		return parse_local(address, path) == 0 ? 0 : refuse(target);
	if (!journal && strncmp(text, "udp://", 6) == 0)
		return parse_net(address, PM_LOG_UDP, target);
	if (!journal && strncmp(text, "tcp://", 6) == 0)
		return parse_net(address, PM_LOG_TCP, target);
	return refuse(target);
}

int pm_log_address_wait(int fd, const struct panicmon_host *host)
{
	struct pollfd waits = {.fd = fd, .events = POLLOUT};

	for (int waited = 0; waited < PM_LOG_WAIT_MS; waited += STEP_MS) {
		int ready = (int)TEMP_FAILURE_RETRY(poll(&waits, 1, STEP_MS));

		if (ready != 0)
			return ready < 0 ? -1 : 0;
		host->alive(host);
	}
	errno = ETIMEDOUT;
	return -1;
}

/* Ends a connect(2) that goes on by itself. */
static int await_connection(int fd, const struct panicmon_host *host)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (pm_log_address_wait(fd, host) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return -1;
	errno = error;
	return error == 0 ? 0 : -1;
}

static int connect_to(const struct sockaddr *address, socklen_t length, int type,
		      const struct panicmon_host *host)
{
	int fd = socket(address->sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, address, length) == 0 ||
	    (errno == EINPROGRESS && await_connection(fd, host) == 0))
		return fd;
	pm_common_close(&fd);
	return fd;
}

/* A number needs no resolver, and no thread for it. */
static bool is_number(const struct pm_log_address *address, int type, struct addrinfo **found)
{
	const struct addrinfo hints = {.ai_socktype = type,
				       .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};

	return getaddrinfo(address->at.host, address->at.port, &hints, found) == 0;
}

/* NULL: *why, or where that is 0 errno. */
static struct addrinfo *look_up(struct pm_log_address *address, int type,
				const struct panicmon_host *host, int *why)
{
	struct addrinfo *found = NULL;
	int error = 0, waited = 0;

	if (is_number(address, type, &found))
		return found;
	if (!pm_common_lookup_pending(&address->lookup))
		error = pm_common_lookup_start(&address->lookup, &address->at, type);
	if (error == 0)
		error = EAI_INPROGRESS;
	for (; pm_common_lookup_pending(&address->lookup) && waited < PM_LOG_WAIT_MS;
	     waited += STEP_MS) {
		host->alive(host);
		error = pm_common_lookup_finish(&address->lookup, STEP_MS, &found);
	}
	if (error == EAI_INPROGRESS)
		errno = ETIMEDOUT;
	*why = error == EAI_INPROGRESS || error == EAI_SYSTEM ? 0 : error;
	return error == 0 ? found : NULL;
}

static const struct addrinfo *at_index(const struct addrinfo *list, unsigned index)
{
	while (index-- > 0)
		list = list->ai_next;
	return list;
}

static unsigned count_addresses(const struct addrinfo *list)
{
	unsigned count = 0;

	for (; list != NULL; list = list->ai_next)
		count++;
	return count;
}

static int connect_net(struct pm_log_address *address, const struct panicmon_host *host,
		       int *lookup)
{
	int type = address->transport == PM_LOG_UDP ? SOCK_DGRAM : SOCK_STREAM;
	struct addrinfo *found = look_up(address, type, host, lookup);
	unsigned count = count_addresses(found);
	int fd = -1;

	for (unsigned i = 0; i < count && fd < 0; i++) {
		const struct addrinfo *at = at_index(found, (address->turn + i) % count);

		host->alive(host);
		fd = connect_to(at->ai_addr, at->ai_addrlen, type, host);
	}
	int saved = errno;
	if (found != NULL)
		freeaddrinfo(found);
	errno = saved;
	return fd;
}

int pm_log_address_connect(struct pm_log_address *address, const struct panicmon_host *host,
			   int *lookup)
{
	*lookup = 0;
	if (address->transport != PM_LOG_UNIX)
		return connect_net(address, host, lookup);
	return connect_to((const struct sockaddr *)&address->local, sizeof(address->local),
			  SOCK_DGRAM, host);
}

void pm_log_address_turn(struct pm_log_address *address)
{
	address->turn++;
}

void pm_log_address_close(struct pm_log_address *address)
{
	pm_common_lookup_close(&address->lookup);
}
