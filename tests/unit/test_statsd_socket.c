/* Servers that are not there, that are full, that come back; and what is counted meanwhile. */
#include <config.h>

#include "test_statsd.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void send_signal(struct rig *rig, int32_t number)
{
	struct panicmon_event event = make_signal(PANICMON_SIGNAL_PASSED, number);

	rig_hold(rig, &event);
}

/* A free port that nobody listens to. */
static void udp_nobody(char address[64])
{
	close(udp_server(address));
}

/* ---- UDP ---- */

/* The kernel tells of a refusal at the next datagram, which goes out all the same. */
START_TEST(test_udp_without_a_listener)
{
	char address[64];
	struct rig rig;

	udp_nobody(address);
	OPEN(&rig, address);
	for (int i = 0; i < 5; i++) {
		send_signal(&rig, SIGHUP);
		ck_assert_int_eq(rig_flush(&rig), PANICMON_DONE);
	}
	ck_assert_int_eq(rig.said_count, 1);
	ck_assert(strstr(rig.said[0], "cannot send to udp://127.0.0.1:") == rig.said[0]);
	ck_assert(strstr(rig.said[0], ": Connection refused; metrics are lost until it can be") !=
		  NULL);
	ck_assert_int_eq(rig_drain(&rig), PANICMON_DONE);
	rig_close(&rig);
	ck_assert_int_eq(rig.said_count, 2);
	/* A refusal tells of one datagram or more. */
	int lost = 0;
	ck_assert_int_eq(sscanf(rig.said[1], "%d metrics to udp://127.0.0.1:", &lost), 1);
	ck_assert_int_ge(lost, 1);
	ck_assert_int_le(lost, 5);
}
END_TEST

/* All that was lost is in the counter that arrives. */
START_TEST(test_udp_server_that_comes_back)
{
	char address[64];
	struct rig rig;

	udp_nobody(address);
	OPEN(&rig, address);
	for (int i = 0; i < 3; i++) {
		send_signal(&rig, SIGHUP);
		ck_assert_int_eq(rig_flush(&rig), PANICMON_DONE);
	}
	int fd = udp_server_at(address);
	send_signal(&rig, SIGTERM);
	ck_assert_int_eq(rig_flush(&rig), PANICMON_DONE);
	int told = 0, lost = 0;
	const char *text = receive(fd);
	ck_assert_msg(sscanf(text, "panicmon.signal.passed:1|c\npanicmon.dropped:%d|c", &told) == 1,
		      "%s", text);
	send_signal(&rig, SIGTERM);
	ck_assert_int_eq(rig_flush(&rig), PANICMON_DONE);
	ck_assert_str_eq(receive(fd), "panicmon.signal.passed:1|c");
	ck_assert_int_eq(rig.said_count, 2);
	ck_assert_int_eq(sscanf(rig.said[1], "sending again; %d metrics to udp://", &lost), 1);
	ck_assert_int_eq(told, lost);
	ck_assert_int_ge(lost, 1);
	ck_assert_int_le(lost, 3);
	rig_close(&rig);
	ck_assert_int_eq(rig.said_count, 2);
	close(fd);
}
END_TEST

/* ---- Unix ---- */

/* Not there yet: what is sent meanwhile is kept, and not told as lost. */
START_TEST(test_unix_server_that_comes_late)
{
	char address[128], unused[128];
	struct rig rig;

	snprintf(address, sizeof(address), "address=unix://%s/statsd", folder);
	OPEN(&rig, address);
	send_signal(&rig, SIGHUP);
	ck_assert_int_eq(rig_flush(&rig), PANICMON_RETRY);
	ck_assert_uint_eq(rig.retry_ms, 50);
	ck_assert_int_eq(rig_flush(&rig), PANICMON_RETRY);
	ck_assert_uint_eq(rig.retry_ms, 100);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(rig_flush(&rig), PANICMON_RETRY);
	ck_assert_uint_eq(rig.retry_ms, 2000);
	int fd = unix_server("statsd", unused);
	send_signal(&rig, SIGHUP);
	ck_assert_int_eq(rig_flush(&rig), PANICMON_DONE);
	ck_assert_str_eq(receive(fd), "panicmon.signal.passed:2|c");
	rig_close(&rig);
	ck_assert_int_eq(rig.said_count, 0);
	close(fd);
}
END_TEST

START_TEST(test_unix_server_that_is_replaced)
{
	char address[128];
	struct rig rig;
	int fd = unix_server("statsd", address);

	OPEN(&rig, address);
	for (int i = 0; i < 4; i++) {
		send_signal(&rig, SIGHUP);
		if (i % 2 == 1) { /* gone, and the file still there */
			close(fd);
			ck_assert_int_eq(rig_flush(&rig), PANICMON_RETRY);
			ck_assert_int_eq(unlink("statsd"), 0);
			fd = unix_server("statsd", address);
		} else if (i > 0) { /* the old one lives on, under another name */
			ck_assert_int_eq(rename("statsd", "old"), 0);
			int old = fd;
			fd = unix_server("statsd", address);
			ck_assert_int_eq(rig_flush(&rig), PANICMON_DONE);
			ck_assert_str_eq(receive(fd), "panicmon.signal.passed:1|c");
			close(old);
			continue;
		}
		ck_assert_int_eq(rig_flush(&rig), PANICMON_DONE);
		ck_assert_str_eq(receive(fd), "panicmon.signal.passed:1|c");
	}
	rig_close(&rig);
	ck_assert_int_eq(rig.said_count, 0);
	close(fd);
}
END_TEST

/* Times, which are not summed up: each is a line. Until the server takes no more. */
static int fill(struct rig *rig)
{
	struct panicmon_event event = make_event(PANICMON_PROCESS_EXITED);
	int count = 0;

	do {
		SET(&event, RUNTIME_MS, runtime_ms, count++);
		rig_hold(rig, &event);
		ck_assert_int_lt(count, 100000);
	} while (rig_flush(rig) == PANICMON_DONE);
	return count;
}

START_TEST(test_full_unix_socket)
{
	char address[128], expected[64];
	struct rig rig;
	int fd = unix_server("statsd", address), seen = 0;

	OPEN(&rig, address);
	int sent = fill(&rig);
	ck_assert_int_eq(rig.said_count, 0);
	/* Nothing is lost, nothing comes twice. */
	while (seen < sent) {
		const char *text = receive(fd);

		snprintf(expected, sizeof(expected), "panicmon.process.runtime:%d|ms\n", seen);
		ck_assert_msg(strstr(text, expected) != NULL, "%d: %s", seen, text);
		seen++;
		if (seen == sent - 1)
			ck_assert_int_eq(rig_flush(&rig), PANICMON_DONE);
	}
	rig_close(&rig);
	ck_assert_int_eq(rig.said_count, 0);
	close(fd);
}
END_TEST

/* It stays full: the oldest lines go, the newest are kept, and the sum of all is told. */
START_TEST(test_unix_socket_that_stays_full)
{
	enum { MORE = 2000 };
	struct panicmon_event event = make_event(PANICMON_PROCESS_EXITED);
	char address[128], last[64];
	struct rig rig;
	int fd = unix_server("statsd", address);
	long runtimes = 0, dropped = 0, value;

	OPEN(&rig, address);
	int sent = fill(&rig);
	for (int i = 1; i <= MORE; i++) {
		SET(&event, RUNTIME_MS, runtime_ms, 1000000 + i);
		rig_hold(&rig, &event);
	}
	ck_assert_int_eq(rig_flush(&rig), PANICMON_RETRY);
	ck_assert_int_eq(rig.said_count, 1);
	ck_assert(strstr(rig.said[0], "more waits than can be kept") != NULL);
	snprintf(last, sizeof(last), "process.runtime:%d|ms", 1000000 + MORE);
	bool last_seen = false;
	for (int result = PANICMON_RETRY; !last_seen || dropped == 0;) {
		char *text = (char *)(uintptr_t)receive(fd), *line;

		ck_assert_msg(text[0] != '\0', "no more came");
		while ((line = strsep(&text, "\n")) != NULL) {
			last_seen |= strstr(line, last) != NULL;
			runtimes += strncmp(line, "panicmon.process.runtime:", 25) == 0;
			if (sscanf(line, "panicmon.dropped:%ld|c", &value) == 1)
				dropped += value;
		}
		if (result == PANICMON_RETRY)
			result = rig_flush(&rig);
	}
	ck_assert(last_seen);
	ck_assert_int_gt(dropped, 0);
	/* Of each event an exit, which may be summed up, a time and two gauges. */
	ck_assert_int_lt(runtimes, sent + MORE);
	ck_assert_int_ge(runtimes + dropped, sent + MORE);
	rig_close(&rig);
	close(fd);
}
END_TEST

/* Nobody waits for long at the end, and what is lost is told. */
START_TEST(test_the_end_with_a_full_socket)
{
	struct timespec before, after;
	char address[128];
	struct rig rig;
	int fd = unix_server("statsd", address);

	OPEN(&rig, address);
	fill(&rig);
	clock_gettime(CLOCK_MONOTONIC, &before);
	ck_assert_int_eq(rig_drain(&rig), PANICMON_DONE);
	clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert_int_le(after.tv_sec - before.tv_sec, 3);
	ck_assert_int_eq(rig.said_count, 1);
	ck_assert(strstr(rig.said[0], ": Resource temporarily unavailable; metrics are lost") !=
		  NULL);
	rig_close(&rig);
	ck_assert_int_eq(rig.said_count, 2);
	ck_assert(strncmp(rig.said[1], "4 metrics to unix:///", 21) == 0);
	close(fd);
}
END_TEST

START_TEST(test_a_socket_that_is_a_stream)
{
	char address[128];
	struct rig rig;
	int fd = unix_server("statsd", address);

	close(fd);
	unlink("statsd");
	fd = stream_server("statsd");
	OPEN(&rig, address);
	send_signal(&rig, SIGHUP);
	ck_assert_int_eq(rig_flush(&rig), PANICMON_RETRY);
	ck_assert_int_eq(rig_drain(&rig), PANICMON_DONE);
	ck_assert(strstr(rig.said[0], "Protocol wrong type for socket") != NULL);
	rig_close(&rig);
	close(fd);
}
END_TEST

/* ---- the heartbeat ---- */

static int64_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* So many are up, one of them since then. */
static void assert_heartbeat(const char *text, int up, int least, int64_t begun)
{
	int told_up = -1, uptime = -1;

	ck_assert_int_eq(sscanf(text, "panicmon.process.up:%d|g\npanicmon.process.uptime:%d|g",
				&told_up, &uptime),
			 2);
	ck_assert_int_eq(told_up, up);
	ck_assert_int_ge(uptime, least);
	ck_assert_int_le(uptime, seconds() - begun);
}

START_TEST(test_the_heartbeat)
{
	const int64_t begun = seconds();
	struct panicmon_event started = make_event(PANICMON_PROCESS_STARTED);
	struct panicmon_event exited = make_crash();
	char address[64];
	struct rig rig;
	int fd = udp_server(address);

	OPEN(&rig, address, "heartbeat=3");
	ck_assert_uint_eq(rig.tick_ms, 3000);
	rig.tick_ms = 0;
	/* Nothing is known of the command. */
	ck_assert_int_eq(handler->tick(rig.self), PANICMON_DONE);
	ck_assert_uint_eq(rig.tick_ms, 3000);
	rig_hold(&rig, &started);
	ck_assert_int_eq(rig_flush(&rig), PANICMON_DONE);
	ck_assert(strstr(receive(fd), "process.start:1|c") != NULL);
	ck_assert_int_eq(handler->tick(rig.self), PANICMON_DONE);
	assert_heartbeat(receive(fd), 1, 0, begun);
	started.pid = 1235; /* of two */
	rig_hold(&rig, &started);
	rig_hold(&rig, &exited);
	ck_assert_int_eq(rig_flush(&rig), PANICMON_DONE);
	ck_assert(strstr(receive(fd), "process.up:2|g") != NULL);
	sleep(1);
	ck_assert_int_eq(handler->tick(rig.self), PANICMON_DONE);
	assert_heartbeat(receive(fd), 1, 1, begun);
	exited.pid = 1235;
	rig_hold(&rig, &exited);
	ck_assert_int_eq(rig_flush(&rig), PANICMON_DONE);
	ck_assert(strstr(receive(fd), "process.up:0|g\npanicmon.process.uptime:0|g") != NULL);
	rig_close(&rig);
	close(fd);
}
END_TEST

START_TEST(test_no_heartbeat)
{
	struct rig rig;

	OPEN(&rig, "heartbeat=0");
	ck_assert_uint_eq(rig.tick_ms, 0);
	rig_close(&rig);
}
END_TEST

void add_socket_tests(Suite *suite)
{
	TCase *tcase = add_case(suite, "sockets");

	tcase_add_test(tcase, test_udp_without_a_listener);
	tcase_add_test(tcase, test_udp_server_that_comes_back);
	tcase_add_test(tcase, test_unix_server_that_comes_late);
	tcase_add_test(tcase, test_unix_server_that_is_replaced);
	tcase_add_test(tcase, test_full_unix_socket);
	tcase_add_test(tcase, test_unix_socket_that_stays_full);
	tcase_add_test(tcase, test_the_end_with_a_full_socket);
	tcase_add_test(tcase, test_a_socket_that_is_a_stream);
	tcase_add_test(tcase, test_the_heartbeat);
	tcase_add_test(tcase, test_no_heartbeat);
}
