/* The statsd handler, loaded as panicmon does it. PM_TEST_STATSD_SO names the plugin. */
#include <config.h>

#include "test_statsd.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

const struct panicmon_handler *handler;
char folder[64];
static char all_folders[] = "/tmp/test_statsd.XXXXXX";

/* ---- the rig ---- */

static struct rig *rig_of(const struct panicmon_host *host)
{
	return (struct rig *)(uintptr_t)host;
}

static int host_fail(const struct panicmon_host *host, const char *text)
{
	snprintf(rig_of(host)->failure, sizeof(rig_of(host)->failure), "%s", text);
	return -1;
}

static void host_log(const struct panicmon_host *host, uint32_t severity, const char *text)
{
	struct rig *rig = rig_of(host);

	ck_assert_uint_eq(severity, PANICMON_WARNING);
	ck_assert_int_lt(rig->said_count, 8);
	snprintf(rig->said[rig->said_count++], sizeof(rig->said[0]), "%s", text);
}

static void host_retry_in(const struct panicmon_host *host, uint32_t delay_ms)
{
	rig_of(host)->retry_ms = delay_ms;
}

static void host_tick_in(const struct panicmon_host *host, uint32_t delay_ms)
{
	rig_of(host)->tick_ms = delay_ms;
}

static int64_t number_of(const struct panicmon_option *option, const char *text)
{
	int64_t index = 0;

	switch (option->type) {
	case PANICMON_CHOICE:
		while (option->choices[index] != NULL && strcmp(option->choices[index], text) != 0)
			index++;
		ck_assert_ptr_nonnull(option->choices[index]);
		return index;
	case PANICMON_BOOL:
		return strcmp(text, "yes") == 0;
	case PANICMON_DURATION:
		return atoi(text) * INT64_C(1000);
	default:
		return atoi(text);
	}
}

static void set_value(struct rig *rig, uint32_t index, const char *text, uint32_t given)
{
	rig->values[index] = (struct panicmon_value){
		.text = text,
		.given = given,
		.number = text == NULL ? 0 : number_of(&handler->options[index], text),
	};
}

static uint32_t find_option(const char *name, size_t length)
{
	for (uint32_t i = 0; i < handler->option_count; i++)
		if (strncmp(handler->options[i].name, name, length) == 0 &&
		    handler->options[i].name[length] == '\0')
			return i;
	ck_abort_msg("no option %s", name);
}

void rig_make(struct rig *rig, const char *const *given)
{
	*rig = (struct rig){
		.host = {.size = sizeof(struct panicmon_host),
			 .major = PANICMON_HANDLER_MAJOR,
			 .minor = PANICMON_HANDLER_MINOR,
			 .handler = "statsd",
			 .service = "api",
			 .log = host_log,
			 .fail = host_fail,
			 .retry_in = host_retry_in,
			 .tick_in = host_tick_in,
			 .output = -1,
			 .errors = -1},
	};
	ck_assert_uint_le(handler->option_count, sizeof(rig->values) / sizeof(rig->values[0]));
	for (uint32_t i = 0; i < handler->option_count; i++)
		set_value(rig, i, handler->options[i].value, 0);
	for (; *given != NULL; given++) {
		size_t length = strcspn(*given, "=");

		set_value(rig, find_option(*given, length), *given + length + 1, 1);
	}
}

int rig_check(struct rig *rig)
{
	return handler->check(&rig->host, rig->values);
}

void rig_open(struct rig *rig)
{
	ck_assert_msg(rig_check(rig) == 0, "%s", rig->failure);
	ck_assert_int_eq(handler->open(&rig->host, rig->values, &rig->self), 0);
}

void rig_close(struct rig *rig)
{
	handler->close(rig->self, PANICMON_DRAIN);
}

static int call(struct rig *rig, const struct panicmon_event *event)
{
	switch (event->type) {
	case PANICMON_PROCESS_FAILED:
		return handler->process->failed(rig->self, event);
	case PANICMON_PROCESS_EXITED:
		return handler->process->exited(rig->self, event);
	case PANICMON_SIGNAL_RECEIVED:
		return handler->signal->received(rig->self, event);
	case PANICMON_SIGNAL_PASSED:
		return handler->signal->passed(rig->self, event);
	case PANICMON_SIGNAL_FAILED:
		return handler->signal->failed(rig->self, event);
	case PANICMON_HANDLER_LOST:
		return handler->monitor->lost(rig->self, event);
	default:
		return handler->process->started(rig->self, event);
	}
}

void rig_send(struct rig *rig, const struct panicmon_event *event)
{
	ck_assert_int_eq(call(rig, event), PANICMON_HELD);
}

int rig_flush(struct rig *rig)
{
	return handler->flush(rig->self, 5000, PANICMON_BATCH);
}

int rig_drain(struct rig *rig)
{
	return handler->flush(rig->self, 5000, PANICMON_DRAIN);
}

/* ---- events ---- */

struct panicmon_event make_event(enum panicmon_event_type type)
{
	static const char *const args[] = {"./api", "--port", "80", NULL};

	return (struct panicmon_event){
		.size = sizeof(struct panicmon_event),
		.type = type,
		.seq = 7,
		.time_ns = INT64_C(1795378485123456789),
		.severity = PANICMON_INFO,
		.pid = 1234,
		.run = "0123456789abcdef0123456789abcdef",
		.name = "api",
		.host = "web-1",
		.args = args,
		.argc = 3,
		.attempt = 1,
	};
}

struct panicmon_event make_crash(void)
{
	struct panicmon_event event = make_event(PANICMON_PROCESS_EXITED);

	event.severity = PANICMON_FATAL;
	SET(&event, CODE, code, -1);
	SET(&event, SIGNAL, signal, SIGSEGV);
	SET(&event, CORE, core, 1);
	SET(&event, STATUS, status, 139);
	SET(&event, REASON, reason, PANICMON_REASON_SIGNALED);
	SET(&event, RUNTIME_MS, runtime_ms, 61007);
	SET(&event, CPU_USER_US, cpu_user_us, 1234567);
	SET(&event, CPU_SYSTEM_US, cpu_system_us, 2999);
	SET(&event, MAX_RSS_KB, max_rss_kb, 20480);
	return event;
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

static void enter_folder(void)
{
	snprintf(folder, sizeof(folder), "%s/XXXXXX", all_folders);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
}

TCase *add_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, enter_folder, NULL);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(path);
}

static bool load(void)
{
	const char *path = getenv("PM_TEST_STATSD_SO");
	void *object = dlopen(path != NULL ? path : PM_STATSD_SO, RTLD_NOW | RTLD_LOCAL);

	if (object != NULL)
		handler = dlsym(object, PANICMON_HANDLER_SYMBOL);
	if (handler == NULL)
		fprintf(stderr, "test_statsd: %s\n", dlerror());
	return handler != NULL;
}

int main(void)
{
	Suite *suite = suite_create("statsd");
	SRunner *runner = srunner_create(suite);

	if (!load() || mkdtemp(all_folders) == NULL)
		return EXIT_FAILURE;
	add_line_tests(suite);
	add_option_tests(suite);
	add_socket_tests(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	nftw(all_folders, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
