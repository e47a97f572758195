/* sink: a server that takes all and keeps nothing, for handlers that send.
 *
 * usage: sink
 *
 * Binds a UDP and a TCP port of 127.0.0.1 and prints their numbers, "UDP TCP". Throws datagrams away,
 * and answers each HTTP/1.1 request with 204. Ends at EOF on its standard input.
 */
#include "config.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS_MAX = 16, ROOM = 64 * 1024 };

/* What was read of a request that is not whole yet. */
struct client {
	int fd;
	size_t length;
	char data[ROOM + 1];
};

static struct client clients[CLIENTS_MAX];

static int bind_port(int type, int *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || bind(fd, (struct sockaddr *)&address, size) == -1 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) == -1) {
		perror("bind");
		exit(2);
	}
	*port = ntohs(address.sin_port);
	return fd;
}

/* How long the first request of `data` is with its body; 0: it is not whole. */
static size_t request_length(const char *data, size_t length)
{
	const char *end = strstr(data, "\r\n\r\n");
	size_t body = 0;

	if (end == NULL)
		return 0;
	for (const char *line = data; line < end; line = strstr(line, "\r\n") + 2)
		if (strncasecmp(line, "content-length:", 15) == 0)
			body = strtoul(line + 15, NULL, 10);
	size_t whole = (size_t)(end - data) + 4 + body;
	return whole <= length ? whole : 0;
}

static bool answer(struct client *client)
{
	static const char no_content[] = "HTTP/1.1 204 No Content\r\n\r\n";
	size_t request;

	while ((request = request_length(client->data, client->length)) > 0) {
		client->length -= request;
		memmove(client->data, client->data + request, client->length + 1);
		if (send(client->fd, no_content, sizeof(no_content) - 1, MSG_NOSIGNAL) == -1)
			return false;
	}
	return client->length < ROOM;
}

static void serve(struct client *client)
{
	ssize_t got = read(client->fd, client->data + client->length, ROOM - client->length);

	if (got > 0) {
		client->length += (size_t)got;
		client->data[client->length] = '\0';
		if (answer(client))
			return;
	}
	close(client->fd);
	client->fd = -1;
}

static void take_client(int listener)
{
	int fd = accept(listener, NULL, NULL);

	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (clients[i].fd != -1)
			continue;
		clients[i].fd = fd;
		clients[i].length = 0;
		return;
	}
	close(fd);
}

int main(void)
{
	enum { INPUT, UDP, LISTENER, FIRST };
	struct pollfd polled[FIRST + CLIENTS_MAX];
	char datagram[ROOM];
	int udp_port, tcp_port;

	polled[INPUT] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
	polled[UDP] = (struct pollfd){.fd = bind_port(SOCK_DGRAM, &udp_port), .events = POLLIN};
	polled[LISTENER] =
		(struct pollfd){.fd = bind_port(SOCK_STREAM, &tcp_port), .events = POLLIN};
	listen(polled[LISTENER].fd, CLIENTS_MAX);
	printf("%d %d\n", udp_port, tcp_port);
	fflush(stdout);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		clients[i].fd = -1;
	for (;;) {
		for (size_t i = 0; i < CLIENTS_MAX; i++)
			polled[FIRST + i] = (struct pollfd){.fd = clients[i].fd, .events = POLLIN};
		if (poll(polled, FIRST + CLIENTS_MAX, -1) == -1)
			return 1;
		if (polled[INPUT].revents != 0)
			return 0;
		if (polled[UDP].revents != 0 &&
		    read(polled[UDP].fd, datagram, sizeof(datagram)) < 0)
			return 1;
		if (polled[LISTENER].revents != 0)
			take_client(polled[LISTENER].fd);
		for (size_t i = 0; i < CLIENTS_MAX; i++)
			if (polled[FIRST + i].revents != 0)
				serve(&clients[i]);
	}
}
