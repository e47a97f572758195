/* The statsd handler: what its test files share, and main(). */
#include <config.h>

#include "test_statsd.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void rig_hold(struct rig *rig, const struct panicmon_event *event)
{
	ck_assert_int_eq(rig_send(rig, event), PANICMON_HELD);
}

int rig_flush(struct rig *rig)
{
	return handler->flush(rig->self, 5000, PANICMON_BATCH);
}

int rig_drain(struct rig *rig)
{
	return handler->flush(rig->self, 5000, PANICMON_DRAIN);
}

struct panicmon_event make_signal(enum panicmon_event_type type, int32_t signal)
{
	struct panicmon_event event = make_event(type);

	SET(&event, SIGNAL, signal, signal);
	return event;
}

/* ---- servers ---- */

static int udp_server_on(uint16_t *port)
{
	struct sockaddr_in name = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				   .sin_port = htons(*port)};
	socklen_t length = sizeof(name);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &length), 0);
	*port = ntohs(name.sin_port);
	return fd;
}

int udp_server(char address[64])
{
	uint16_t port = 0;
	int fd = udp_server_on(&port);

	snprintf(address, 64, "address=udp://127.0.0.1:%d", port);
	return fd;
}

int udp_server_at(const char *address)
{
	uint16_t port = (uint16_t)atoi(strrchr(address, ':') + 1);

	return udp_server_on(&port);
}

static int bind_unix(const char *path, int type)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	return fd;
}

int unix_server(const char *path, char address[128])
{
	snprintf(address, 128, "address=unix://%s/%s", folder, path);
	return bind_unix(path, SOCK_DGRAM);
}

int stream_server(const char *path)
{
	return bind_unix(path, SOCK_STREAM);
}

const char *receive(int fd)
{
	static char text[DATAGRAM_MAX + 1];
	struct pollfd interest = {.fd = fd, .events = POLLIN};
	ssize_t got = poll(&interest, 1, 1000) == 1 ? recv(fd, text, DATAGRAM_MAX, 0) : 0;

	text[got > 0 ? got : 0] = '\0';
	return text;
}

/* ---- the program ---- */

TCase *add_case(Suite *suite, const char *name)
{
	return make_case(suite, name, enter_folder, NULL);
}

int main(void)
{
	if (load_handler("statsd") < 0)
		return EXIT_FAILURE;
	return RUN_SUITE("statsd", add_line_tests, add_option_tests, add_socket_tests);
}
