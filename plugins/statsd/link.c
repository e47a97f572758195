#include <config.h>

#include "link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/un.h>

#include "common/clock.h"
#include "common/fd.h"
#include "common/names.h"

enum { MOMENT_MS = 200 }; /* for the answer of a resolver that works */

static bool is_target(const struct pm_statsd_target *target, const struct addrinfo *found)
{
	return target->length == found->ai_addrlen &&
	       memcmp(&target->name, found->ai_addr, found->ai_addrlen) == 0;
}

/* Stays with the address in use as long as it is one of the name's. */
static void take_targets(struct pm_statsd_link *link, const struct addrinfo *found)
{
	struct pm_statsd_target used = link->targets[link->current];
	bool stays = false;

	link->count = link->current = 0;
	for (; found != NULL && link->count < PM_STATSD_TARGET_MAX; found = found->ai_next) {
		struct pm_statsd_target *target = &link->targets[link->count];

		if (found->ai_addrlen > sizeof(target->name))
			continue;
		if (link->fd >= 0 && is_target(&used, found)) {
			stays = true;
			link->current = link->count;
		}
		memset(target, 0, sizeof(*target));
		memcpy(&target->name, found->ai_addr, found->ai_addrlen);
		target->length = found->ai_addrlen;
		link->count++;
	}
	if (!stays)
		pm_common_close(&link->fd);
}

static void finish_lookup(struct pm_statsd_link *link, int wait_ms)
{
	struct addrinfo *found = NULL;
	int error = pm_common_lookup_finish(&link->lookup, wait_ms, &found);

	if (error == EAI_INPROGRESS)
		return;
	link->lookup_error = error;
	if (error != 0) /* what was found before is as good as ever */
		return;
	take_targets(link, found);
	freeaddrinfo(found);
}

static bool start_lookup(struct pm_statsd_link *link)
{
	link->looked_ns = pm_common_monotonic_ns();
	link->lookup_error = pm_common_lookup_start(&link->lookup, &link->address.at, SOCK_DGRAM);
	return link->lookup_error == 0;
}

/* Looks the name up again if it is time; `doubt`: the address in use may be wrong. */
static void refresh(struct pm_statsd_link *link, bool doubt)
{
	int64_t pause_ns = doubt || link->count == 0 ? PM_COMMON_NS_PER_S : link->refresh_ns;

	if (link->fixed)
		return;
	if (pm_common_lookup_pending(&link->lookup))
		finish_lookup(link, 0);
	else if ((link->looked_ns == 0 || pm_common_monotonic_ns() - link->looked_ns >= pause_ns) &&
		 start_lookup(link))
		finish_lookup(link, doubt || link->count == 0 ? MOMENT_MS : 0);
}

void pm_statsd_link_open(struct pm_statsd_link *link, const struct pm_statsd_address *address,
			 int64_t refresh_ms)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM,
				       .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *found = NULL;

	*link = (struct pm_statsd_link){
		.address = *address, .fd = -1, .refresh_ns = refresh_ms * PM_COMMON_NS_PER_MS};
	link->fixed = address->is_unix ||
		      getaddrinfo(address->at.host, address->at.port, &hints, &found) == 0;
	if (found != NULL) {
		take_targets(link, found);
		freeaddrinfo(found);
	}
}

void pm_statsd_link_close(struct pm_statsd_link *link)
{
	pm_common_close(&link->fd);
	pm_common_lookup_close(&link->lookup);
}

static int make_socket(int family)
{
	return socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Connected, so that the kernel tells what becomes of a datagram (udp(7)). */
static int connect_target(struct pm_statsd_link *link)
{
	const struct pm_statsd_target *target = &link->targets[link->current];

	link->fd = make_socket(target->name.ss_family);
	if (link->fd < 0)
		return -1;
	if (connect(link->fd, (const struct sockaddr *)&target->name, target->length) == 0)
		return 0;
	pm_common_close(&link->fd);
	return -1;
}

static void next_target(struct pm_statsd_link *link)
{
	if (link->count < 2)
		return;
	link->current = (link->current + 1) % link->count;
	pm_common_close(&link->fd);
}

/* The first that there is a way to. */
static int connect_any(struct pm_statsd_link *link)
{
	errno = EDESTADDRREQ;
	for (size_t tries = 0; tries < link->count; tries++) {
		if (connect_target(link) == 0)
			return 0;
		next_target(link);
	}
	return -1;
}

/* Not connected: each datagram finds the socket that is at the path now. */
static int send_unix(struct pm_statsd_link *link, const void *data, size_t length)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	if (link->fd < 0)
		link->fd = make_socket(AF_UNIX);
	if (link->fd < 0)
		return -1;
	memcpy(name.sun_path, link->address.path, sizeof(name.sun_path));
	return sendto(link->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL,
		      (const struct sockaddr *)&name, sizeof(name)) < 0
		       ? -1
		       : 0;
}

/* Whether errno is about the datagram at hand. Any other is what the network has answered to one
 * before, and is told once. */
static bool is_of_this(int error)
{
	return error == EAGAIN || error == ENOBUFS || error == ENOMEM || error == EMSGSIZE;
}

/* "localhost" is ::1 and 127.0.0.1, and the server at one of them. Or it has moved. */
static void look_elsewhere(struct pm_statsd_link *link)
{
	next_target(link);
	refresh(link, true);
}

int pm_statsd_link_refused(struct pm_statsd_link *link)
{
	int error = 0;
	socklen_t length = sizeof(error);

	if (link->address.is_unix || link->fd < 0)
		return 0;
	getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	if (error != 0)
		look_elsewhere(link);
	return error;
}

int pm_statsd_link_send(struct pm_statsd_link *link, const void *data, size_t length, int *refused)
{
	*refused = 0;
	if (link->address.is_unix)
		return send_unix(link, data, length);
	refresh(link, false);
	for (bool again = false;; again = true) {
		if (link->fd < 0 && connect_any(link) < 0)
			return -1;
		if (send(link->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return 0;
		if (again || is_of_this(errno))
			return -1;
		*refused = errno;
		look_elsewhere(link);
	}
}

void pm_statsd_link_wait(struct pm_statsd_link *link, int error, int wait_ms)
{
	struct pollfd interest = {.fd = link->fd, .events = POLLOUT};

	if (error == EDESTADDRREQ && pm_common_lookup_pending(&link->lookup))
		finish_lookup(link, wait_ms);
	else if (link->address.is_unix)
		poll(NULL, 0,
		     wait_ms); /* POLLOUT is about our own buffer, not that of the other end */
	else
		poll(&interest, 1, wait_ms);
}

const char *pm_statsd_link_reason(const struct pm_statsd_link *link, int error)
{
	if (error != EDESTADDRREQ)
		return pm_common_errno_text(error);
	return link->lookup_error != 0 ? gai_strerror(link->lookup_error)
				       : "its name has not been found yet";
}
