/* What the log handler sends to syslog and journald, byte by byte, to a socket of the test. */
#include <config.h>

#include "test_log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { TAKEN_SIZE = 1 << 16 };

/* The options of a rig that sends to the test's socket. */
static char address[sizeof("address=") + sizeof(folder) + 8];

static int listen_local(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(address, sizeof(address), "address=%s/socket", folder);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", folder);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* The next datagram, terminated. */
static const char *take(int fd)
{
	static char text[TAKEN_SIZE];
	ssize_t got = recv(fd, text, sizeof(text) - 1, 0);

	ck_assert_msg(got > 0, "nothing has come");
	text[got] = '\0';
	return text;
}

static void assert_sent(const char *option, const struct panicmon_event *event, const char *wanted)
{
	struct rig rig;
	int fd = listen_local();

	OPEN(&rig, "path=syslog", "level=debug", address, option);
	ck_assert_int_eq(rig_send(&rig, event), PANICMON_DONE);
	ck_assert_str_eq(take(fd), wanted);
	rig_close(&rig);
	close(fd);
	unlink("socket");
}

#define TIME "2026-11-22T20:14:45.123456Z"

START_TEST(a_message_of_rfc5424)
{
	struct panicmon_event event = make_event(PANICMON_PROCESS_STARTED);

	assert_sent("facility=daemon", &event,
		    "<30>1 " TIME " web-1 api 1234 process.started [panicmon@32473 seq=\"7\" "
		    "run=\"0123456789abcdef0123456789abcdef\" name=\"api\" pid=\"1234\" "
		    "args=\"./api --port 80\"] process.started: running ./api --port 80");
	event.severity = PANICMON_FATAL;
	assert_sent("facility=local7", &event,
		    "<186>1 " TIME " web-1 api 1234 process.started [panicmon@32473 seq=\"7\" "
		    "run=\"0123456789abcdef0123456789abcdef\" name=\"api\" pid=\"1234\" "
		    "args=\"./api --port 80\"] process.started: running ./api --port 80");
	event.severity = PANICMON_INFO;
	assert_sent("format=logfmt", &event,
		    "<30>1 " TIME " web-1 api 1234 process.started - time=" TIME " level=info "
		    "msg=\"process.started: running ./api --port 80\" event=process.started seq=7 "
		    "run=0123456789abcdef0123456789abcdef name=api host=web-1 pid=1234 "
		    "args=\"./api --port 80\"");
}
END_TEST

START_TEST(what_is_absent_is_a_dash)
{
	struct panicmon_event event = {.size = sizeof(event),
				       .type = PANICMON_PROCESS_FAILED,
				       .severity = PANICMON_ERROR,
				       .name = "",
				       .attempt = 1};

	assert_sent("facility=user", &event,
		    "<11>1 1970-01-01T00:00:00.000000Z - - - process.failed [panicmon@32473 "
		    "seq=\"0\" name=\"\"] process.failed: cannot start");
}
END_TEST

/* RFC 5424, 6.3.3: '"', '\' and ']' in a value; a reader takes any other backslash as it is. */
START_TEST(values_are_escaped)
{
	const char *const args[] = {"\"\\]", "\n\x01", "\xff", "\u00e9", NULL};
	struct panicmon_event event = make_event(PANICMON_PROCESS_STARTED);

	event.args = args;
	event.argc = 4;
	event.name = "a \"\\]\n";
	assert_sent(
		"facility=daemon", &event,
		"<30>1 " TIME " web-1 a?\"\\]? 1234 process.started [panicmon@32473 seq=\"7\" "
		"run=\"0123456789abcdef0123456789abcdef\" name=\"a \\\"\\\\\\]\\\\n\" pid=\"1234\" "
		"args=\"'\\\"\\\\\\]' $'\\\\n\\\\x01' \ufffd \u00e9\"] process.started: running "
		"'\"\\]' $'\\n\\x01' $'\\xff' \u00e9");
}
END_TEST

/* The words of the header, by their order: HOSTNAME, APP-NAME, PROCID, MSGID. */
START_TEST(header_words_have_their_limits)
{
	static const size_t limits[] = {255, 48, 128, 32};
	struct panicmon_event event = make_event(PANICMON_PROCESS_EXITED);
	char huge[1001];
	struct rig rig;
	int fd = listen_local();

	memset(huge, 'h', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	event.host = event.name = huge;
	event.pid = INT32_MAX;
	OPEN(&rig, "path=syslog", address);
	ck_assert_int_eq(rig_send(&rig, &event), PANICMON_DONE);
	const char *word = strchr(strchr(take(fd), ' ') + 1, ' ') + 1;
	for (size_t i = 0; i < 4; i++) {
		size_t length = strcspn(word, " ");

		ck_assert_uint_ge(length, 1);
		ck_assert_uint_le(length, limits[i]);
		ck_assert(i > 1 || length == limits[i]);
		word += length + 1;
	}
	ck_assert_int_eq(word[0], '[');
	rig_close(&rig);
	close(fd);
}
END_TEST

START_TEST(a_message_has_its_limit)
{
	struct panicmon_event event = make_event(PANICMON_PROCESS_EXITED);
	char huge[100001];
	const char *const args[] = {huge, huge, NULL};
	struct rig rig;
	int fd = listen_local();

	for (int quotes = 0; quotes < 2; quotes++) {
		memset(huge, quotes ? '"' : '\x01', sizeof(huge) - 1);
		huge[sizeof(huge) - 1] = '\0';
		event.args = args;
		event.argc = 2;
		event.name = event.host = event.run = huge;
		fill_event(&event, huge);
		OPEN(&rig, "path=syslog", address);
		ck_assert_int_eq(rig_send(&rig, &event), PANICMON_DONE);
		rig_close(&rig);
		const char *text = take(fd);
		ck_assert_uint_le(strlen(text), 8000);
		ck_assert_uint_ge(strlen(text), 1000);
		ck_assert_ptr_nonnull(strstr(text, "] process.exited: killed by SIGTERM"));
	}
	close(fd);
}
END_TEST

START_TEST(an_entry_of_journald)
{
	struct panicmon_event event = make_event(PANICMON_PROCESS_EXITED);
	struct rig rig;
	int fd = listen_local();

	event.severity = PANICMON_FATAL;
	SET(&event, CODE, code, -1);
	SET(&event, SIGNAL, signal, SIGSEGV);
	SET(&event, CORE, core, 1);
	OPEN(&rig, "path=journald", address);
	ck_assert_int_eq(rig_send(&rig, &event), PANICMON_DONE);
	ck_assert_str_eq(take(fd), "MESSAGE=process.exited: killed by SIGSEGV (core dumped)\n"
				   "MESSAGE_ID=972242f7f2ca46a5b218f4cf5ac08b62\n"
				   "PRIORITY=2\n"
				   "SYSLOG_FACILITY=3\n"
				   "EXIT_CODE=dumped\n"
				   "EXIT_STATUS=11\n"
				   "SYSLOG_IDENTIFIER=api\n"
				   "PANICMON_TIME=" TIME "\n"
				   "PANICMON_EVENT=process.exited\n"
				   "PANICMON_SEQ=7\n"
				   "PANICMON_RUN=0123456789abcdef0123456789abcdef\n"
				   "PANICMON_NAME=api\n"
				   "PANICMON_HOST=web-1\n"
				   "PANICMON_PID=1234\n"
				   "PANICMON_CODE=-1\n"
				   "PANICMON_SIGNAL=SIGSEGV\n"
				   "PANICMON_CORE=true\n"
				   "PANICMON_ARGS=./api --port 80\n");
	rig_close(&rig);
	close(fd);
}
END_TEST

/* What a full queue does not take comes again. */
START_TEST(a_full_queue_is_tried_again)
{
	static const char *const paths[] = {"path=syslog", "path=journald"};
	struct rig rig;

	for (size_t i = 0; i < 2; i++) {
		int fd = listen_local(), sent = 0;

		OPEN(&rig, paths[i], address);
		while (rig_send_seq(&rig, 1) == PANICMON_DONE)
			ck_assert_int_lt(sent++, 1 << 16);
		ck_assert_int_eq(rig_send_seq(&rig, 1), PANICMON_RETRY);
		ck_assert_int_eq(rig.said_count, 0);
		take(fd);
		ck_assert_int_eq(rig_send_seq(&rig, 1), PANICMON_DONE);
		rig_close(&rig);
		close(fd);
		unlink("socket");
	}
}
END_TEST

START_TEST(a_socket_that_is_gone_is_told_once)
{
	static const char *const paths[] = {"path=syslog", "path=journald"};
	struct rig rig;

	for (size_t i = 0; i < 2; i++) {
		close(listen_local()); /* refused, as while a server is started again */
		OPEN(&rig, paths[i], address);
		ck_assert_int_eq(rig_send_seq(&rig, 1), PANICMON_RETRY);
		ck_assert_int_eq(rig_send_seq(&rig, 1), PANICMON_RETRY);
		ck_assert_int_eq(rig.said_count, 1);
		ck_assert_ptr_nonnull(strstr(rig.said[0], "Connection refused; it is tried again"));
		unlink("socket");
		int fd = listen_local();
		ck_assert_int_eq(rig_send_seq(&rig, 1), PANICMON_DONE);
		take(fd);
		close(fd);
		unlink("socket");
		ck_assert_int_eq(rig_send_seq(&rig, 2), PANICMON_RETRY);
		ck_assert_int_eq(rig.said_count, 2);
		rig_close(&rig);
	}
}
END_TEST

START_TEST(addresses_are_looked_at)
{
	static const struct {
		const char *option, *why;
	} wrong[] = {
		{"address=", "is none of: local, /SOCKET, udp://HOST"},
		{"address=log", "is none of"},
		{"address=http://a", "is none of"},
		{"address=udp://", "has no host"},
		{"address=udp://:514", "has no host"},
		{"address=udp://a:0", "has no port of 1 to 65535"},
		{"address=udp://a:65536", "has no port of 1 to 65535"},
		{"address=udp://a:", "has no port of 1 to 65535"},
		{"address=udp://a:1x", "has no port of 1 to 65535"},
		{"address=tcp://[::1", "has '[' without ']'"},
		{"address=tcp://[::1]1", "has more than a host and a port"},
		{"address=tcp://a/b", "has more than a host and a port"},
		{"address=tcp://1::1:514", "has several colons"},
	};
	static const char *const right[] = {"address=local",         "address=/run/log",
					    "address=udp://a",       "address=tcp://a:1",
					    "address=tcp://[::1]:2", "address=udp://[::1]"};
	struct rig rig;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		MAKE(&rig, "path=syslog", wrong[i].option);
		ck_assert_msg(rig_check(&rig) == -1, "%s", wrong[i].option);
		ck_assert_ptr_nonnull(strstr(rig.failure, wrong[i].why));
	}
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		MAKE(&rig, "path=syslog", right[i]);
		ck_assert_msg(rig_check(&rig) == 0, "%s", right[i]);
	}
	MAKE(&rig, "path=journald", "address=udp://a");
	ck_assert_int_eq(rig_check(&rig), -1);
	ck_assert_str_eq(rig.failure, "address 'udp://a' is none of: local, /SOCKET");
	MAKE(&rig, "path=log", "address=/run/log");
	ck_assert_int_eq(rig_check(&rig), -1);
	ck_assert_ptr_nonnull(strstr(rig.failure, "address is for path = syslog"));
	MAKE(&rig, "path=journald", "format=json");
	ck_assert_int_eq(rig_check(&rig), -1);
	ck_assert_ptr_nonnull(strstr(rig.failure, "format 'json' has no meaning"));
}
END_TEST

/* "localhost" may be ::1 first, where nobody is. The kernel tells of that with the next datagram. */
START_TEST(a_name_of_several_addresses)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(at);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char option[64];
	struct rig rig;

	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &length), 0);
	snprintf(option, sizeof(option), "address=udp://localhost:%d", ntohs(at.sin_port));
	OPEN(&rig, "path=syslog", option);
	if (rig_send_seq(&rig, 1) == PANICMON_DONE && rig_send_seq(&rig, 2) == PANICMON_RETRY)
		ck_assert_int_eq(rig_send_seq(&rig, 2), PANICMON_DONE);
	ck_assert_ptr_nonnull(strstr(take(fd), "process.started"));
	ck_assert_int_eq(rig_send_seq(&rig, 3), PANICMON_DONE);
	rig_close(&rig);
	close(fd);
}
END_TEST

START_TEST(no_journald_is_refused)
{
	struct rig rig;

	MAKE(&rig, "path=journald", "address=/nowhere/socket");
	ck_assert_int_eq(rig_open(&rig), -1);
	ck_assert_str_eq(rig.failure,
			 "there is no journald here, '/nowhere/socket' does not exist: use "
			 "path = stderr, syslog or a file");
}
END_TEST

void add_send_tests(Suite *suite)
{
	const TTest *const tests[] = {
		a_message_of_rfc5424,        what_is_absent_is_a_dash,
		values_are_escaped,          header_words_have_their_limits,
		a_message_has_its_limit,     an_entry_of_journald,
		a_full_queue_is_tried_again, a_socket_that_is_gone_is_told_once,
		addresses_are_looked_at,     no_journald_is_refused,
		a_name_of_several_addresses,
	};
	TCase *tcase = add_case(suite, "send");

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tcase, tests[i]);
}
