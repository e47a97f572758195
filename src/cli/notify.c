#include <config.h>

#include "cli/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"

/* The protocol is fixed: one datagram of lines to a Unix socket, '@' standing for the NUL of an abstract
 * one (sd_notify(3), "Standalone Implementations"). */
int pm_notify_mainpid(pid_t pid, struct pm_error *error)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char text[sizeof("MAINPID=") + 11];

	if (path == NULL || path[0] == '\0')
		return 0;
	size_t length = strlen(path);
	if ((path[0] != '/' && path[0] != '@') || length >= sizeof(address.sun_path))
		return pm_error_set(error, 0,
				    "notify_mainpid: NOTIFY_SOCKET is no Unix socket that can be "
				    "used; the service manager is not told");
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';

	pm_autofd fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int size = snprintf(text, sizeof(text), "MAINPID=%d", (int)pid);
	if (fd < 0 ||
	    sendto(fd, text, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL,
		   (const struct sockaddr *)&address,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		return pm_error_set(error, errno,
				    "notify_mainpid: the service manager cannot be told");
	return 0;
}
