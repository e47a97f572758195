/* What the test files of the statsd handler share: the plugin as a host sees it, and a server. */
#ifndef PM_TESTS_UNIT_TEST_STATSD_H
#define PM_TESTS_UNIT_TEST_STATSD_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

#include <panicmon/handler.h>

extern const struct panicmon_handler *handler;
extern char folder[64]; /* the test's own and empty; the working directory */

enum { DATAGRAM_MAX = 65536 };

/* One instance of the handler. The host is its first member. */
struct rig {
	struct panicmon_host host;
	struct panicmon_value values[16];
	char failure[1024]; /* the last host->fail() */
	char said[8][1024]; /* by host->log() */
	int said_count;
	uint32_t tick_ms, retry_ms; /* the last asked for */
	void *self;
};

/* options: "key=value" each, NULL at the end; the others have their defaults. */
void rig_make(struct rig *rig, const char *const *options);
#define MAKE(rig, ...) rig_make(rig, (const char *const[]){__VA_ARGS__, NULL})
int rig_check(struct rig *rig);
void rig_open(struct rig *rig);
void rig_close(struct rig *rig);
#define OPEN(rig, ...) (MAKE(rig, __VA_ARGS__), rig_open(rig))

/* Through the slot of its type; it must be HELD. */
void rig_send(struct rig *rig, const struct panicmon_event *event);
int rig_flush(struct rig *rig);
int rig_drain(struct rig *rig);

/* Of "api", pid 1234, at 2026-11-22T20:14:45.123456789Z, with the arguments ./api --port 80. */
struct panicmon_event make_event(enum panicmon_event_type type);
/* With all that panicmon knows of an end by SIGSEGV after 61.007 s. */
struct panicmon_event make_crash(void);
struct panicmon_event make_signal(enum panicmon_event_type type, int32_t signal);

#define SET(event, FIELD, member, ...)                                                             \
	((event)->present |= UINT64_C(1) << PANICMON_HAS_##FIELD, (event)->member = __VA_ARGS__)

/* A server. `address` is for the option of that name: "address=udp://127.0.0.1:PORT". */
int udp_server(char address[64]);
int udp_server_at(const char *address); /* once more, where one has been closed */
/* At ./NAME */
int unix_server(const char *name, char address[128]);
int stream_server(const char *name);
/* The next datagram as a string, which must be there already or within a second; "" if none is. */
const char *receive(int fd);

void add_line_tests(Suite *suite);
void add_option_tests(Suite *suite);
void add_socket_tests(Suite *suite);
TCase *add_case(Suite *suite, const char *name);

#endif
