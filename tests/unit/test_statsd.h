/* What the test files of the statsd handler share: its ways to send, and servers. */
#ifndef PM_TESTS_UNIT_TEST_STATSD_H
#define PM_TESTS_UNIT_TEST_STATSD_H

#include "plugin_rig.h"
#include "sample_events.h"
#include "suite.h"

enum { DATAGRAM_MAX = 65536 };

/* Sends what must be HELD. */
void rig_hold(struct rig *rig, const struct panicmon_event *event);
int rig_flush(struct rig *rig);
int rig_drain(struct rig *rig);

struct panicmon_event make_signal(enum panicmon_event_type type, int32_t signal);

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
