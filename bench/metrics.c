/* metrics: a statsd server that waits until so many counters have arrived.
 *
 * usage: metrics PATH COUNT [send]
 *
 * It has a Unix datagram socket at PATH, which is there when "ready" is on stdout. When COUNT of
 * panicmon.signal.passed have been counted it prints the time, in microseconds since the epoch, and the
 * number of datagrams. With `send` it is a client instead, that sends them one by one.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define METRIC "panicmon.signal.passed:"

static int open_socket(const char *path, bool server)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(name.sun_path))
		return -1;
	strcpy(name.sun_path, path);
	if (server)
		unlink(path);
	int result = (server ? bind : connect)(fd, (const struct sockaddr *)&name, sizeof(name));
	return result == 0 ? fd : -1;
}

static int send_all(int fd, unsigned long count)
{
	static const char line[] = METRIC "1|c";

	while (count-- > 0)
		if (send(fd, line, sizeof(line) - 1, 0) < 0)
			return -1;
	return 0;
}

static unsigned long sum_of(const char *text)
{
	unsigned long sum = 0;

	for (; (text = strstr(text, METRIC)) != NULL; text += strlen(METRIC))
		sum += strtoul(text + strlen(METRIC), NULL, 10);
	return sum;
}

static int count_all(int fd, unsigned long count)
{
	static char text[65536];
	unsigned long sum = 0, datagrams = 0;
	struct timespec now;

	printf("ready\n");
	fflush(stdout);
	while (sum < count) {
		ssize_t got = recv(fd, text, sizeof(text) - 1, 0);

		if (got < 0)
			return -1;
		text[got] = '\0';
		unsigned long more = sum_of(text);
		datagrams += more > 0;
		sum += more;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	printf("%lld %lu\n", now.tv_sec * 1000000LL + now.tv_nsec / 1000, datagrams);
	return 0;
}

int main(int argc, char **argv)
{
	bool server = argc == 3;

	if (!server && (argc != 4 || strcmp(argv[3], "send") != 0)) {
		fprintf(stderr, "usage: metrics PATH COUNT [send]\n");
		return 2;
	}
	unsigned long count = strtoul(argv[2], NULL, 10);
	int fd = open_socket(argv[1], server);
	if (fd < 0 || (server ? count_all : send_all)(fd, count) < 0) {
		fprintf(stderr, "metrics: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	return 0;
}
