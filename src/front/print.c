#include <config.h>

#include "front/print.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void pm_front_occupy_stdio(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd < 0) /* where there is none: something that takes no message */
			fd = open("/", O_PATH | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

void pm_front_print_of(const char *handler, const char *text)
{
	const char *open = handler == NULL ? "" : "[", *shut = handler == NULL ? "" : "]";
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

	/* A full pipe must not hold up the supervisor. A pipe that is ready takes PIPE_BUF bytes. */
	if (poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0)
		dprintf(STDERR_FILENO, "%s%s%s%s: %s\n", pm_front_program, open,
			handler == NULL ? "" : handler, shut, text);
}

void pm_front_print(const char *text)
{
	pm_front_print_of(NULL, text);
}

int pm_front_print_out(const char *text)
{
	ssize_t written = write(STDOUT_FILENO, text, strlen(text));

	return written == (ssize_t)strlen(text) ? 0 : -1;
}
