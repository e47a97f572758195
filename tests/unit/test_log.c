/* The log handler, loaded as panicmon does it. PM_TEST_LOG_SO names the plugin. */
#include <config.h>

#include "test_log.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef PM_LOG_SO
#define PM_LOG_SO ".libs/log.so"
#endif

const struct panicmon_handler *handler;
char folder[64];
static char all_folders[] = "/tmp/test_log.XXXXXX";

/* ---- the rig ---- */

static int host_fail(const struct panicmon_host *host, const char *text)
{
	struct rig *rig = (struct rig *)(uintptr_t)host;

	snprintf(rig->failure, sizeof(rig->failure), "%s", text);
	return -1;
}

static void host_log(const struct panicmon_host *host, uint32_t severity, const char *text)
{
	struct rig *rig = (struct rig *)(uintptr_t)host;

	ck_assert_uint_eq(severity, PANICMON_WARNING);
	snprintf(rig->said, sizeof(rig->said), "%s", text);
	rig->said_count++;
}

static void host_alive(const struct panicmon_host *host)
{
	(void)host;
}

static void set_value(struct rig *rig, uint32_t index, const char *text, uint32_t given)
{
	const struct panicmon_option *option = &handler->options[index];
	struct panicmon_value *value = &rig->values[index];

	*value = (struct panicmon_value){.text = text, .given = given};
	if (option->type != PANICMON_CHOICE)
		return;
	while (option->choices[value->number] != NULL &&
	       strcmp(option->choices[value->number], text) != 0)
		value->number++;
	ck_assert_ptr_nonnull(option->choices[value->number]);
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
		.host =
			{
				.size = sizeof(struct panicmon_host),
				.major = PANICMON_HANDLER_MAJOR,
				.minor = PANICMON_HANDLER_MINOR,
				.handler = "log",
				.service = "api",
				.log = host_log,
				.fail = host_fail,
				.alive = host_alive,
				.output = STDOUT_FILENO,
				.errors = STDERR_FILENO,
			},
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

int rig_open(struct rig *rig)
{
	ck_assert_int_eq(rig_check(rig), 0);
	return handler->open(&rig->host, rig->values, &rig->self);
}

void rig_close(struct rig *rig)
{
	handler->close(rig->self, PANICMON_DRAIN);
}

int rig_send(struct rig *rig, const struct panicmon_event *event)
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
	default:
		return handler->process->started(rig->self, event);
	}
}

int rig_send_seq(struct rig *rig, uint64_t seq)
{
	struct panicmon_event event = make_event(PANICMON_PROCESS_STARTED);

	event.seq = seq;
	return rig_send(rig, &event);
}

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

void fill_event(struct panicmon_event *event, const char *text)
{
	SET(event, ERROR, error, 2);
	SET(event, CODE, code, -1);
	SET(event, SIGNAL, signal, SIGTERM);
	SET(event, CORE, core, 1);
	SET(event, STATUS, status, 143);
	SET(event, REASON, reason, PANICMON_REASON_SIGNALED);
	SET(event, RUNTIME_MS, runtime_ms, INT64_MAX);
	SET(event, CPU_USER_US, cpu_user_us, INT64_MAX);
	SET(event, CPU_SYSTEM_US, cpu_system_us, INT64_MIN);
	SET(event, MAX_RSS_KB, max_rss_kb, INT64_MAX);
	SET(event, STOP_REQUESTED, stop_requested, 1);
	SET(event, STOP_SIGNAL, stop_signal, SIGTERM);
	SET(event, STOP_PID, stop_pid, INT32_MAX);
	SET(event, STOP_UID, stop_uid, -1);
	SET(event, SENDER_PID, sender_pid, INT32_MAX);
	SET(event, SENDER_UID, sender_uid, -1);
	SET(event, SENDER_COMMAND, sender_command, text);
	SET(event, SI_CODE, si_code, INT32_MIN);
	SET(event, VALUE, value, INT32_MIN);
	SET(event, TARGET_PID, target_pid, INT32_MIN);
	SET(event, STDERR_TAIL, stderr_tail, text);
	event->attempt = UINT32_MAX;
}

/* ---- its output ---- */

char *read_all(int fd, size_t *length)
{
	size_t size = 1 << 16, used = 0;
	char *text = malloc(size);
	ssize_t got;

	while ((got = read(fd, text + used, size - used - 1)) > 0) {
		used += (size_t)got;
		if (used + 1 == size)
			text = realloc(text, size *= 2);
	}
	text[used] = '\0';
	if (length != NULL)
		*length = used;
	return text;
}

char *read_file(const char *path, size_t *length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	ck_assert_msg(fd >= 0, "cannot read %s", path);
	char *text = read_all(fd, length);
	close(fd);
	return text;
}

json_t *parse_line(const char *line)
{
	json_error_t error;
	json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &error);

	ck_assert_msg(json_is_object(object), "%s: %s", error.text, line);
	return object;
}

json_t *read_lines(const char *path)
{
	json_t *objects = json_array();
	char *text = read_file(path, NULL);

	for (char *line = text; *line != '\0';) {
		size_t length = strcspn(line, "\n");

		ck_assert_msg(line[length] == '\n', "a line without an end: %s", line);
		line[length] = '\0';
		json_array_append_new(objects, parse_line(line));
		line += length + 1;
	}
	free(text);
	return objects;
}

bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

mode_t mode_of(const char *path)
{
	struct stat status;

	ck_assert_int_eq(stat(path, &status), 0);
	return status.st_mode & 07777;
}

void assert_seqs(const char *path, int64_t first, int64_t count)
{
	json_t *lines = read_lines(path);

	ck_assert_int_eq((int64_t)json_array_size(lines), count);
	for (size_t i = 0; i < json_array_size(lines); i++)
		ck_assert_int_eq(number_of(json_array_get(lines, i), "seq"), first + (int64_t)i);
	json_decref(lines);
}

int64_t number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	ck_assert_msg(json_is_integer(value), "no number %s", key);
	return json_integer_value(value);
}

int replace_fd(int standard, int fd)
{
	int saved = dup(standard);

	ck_assert_int_ge(saved, 0);
	ck_assert_int_eq(dup2(fd, standard), standard);
	return saved;
}

void put_back_fd(int standard, int saved)
{
	dup2(saved, standard);
	close(saved);
}

void wait_more(int64_t *since_ns)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t now_ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
	if (*since_ns == 0)
		*since_ns = now_ns;
	ck_assert_msg(now_ns - *since_ns < INT64_C(10000000000), "it does not come");
	poll(NULL, 0, 10);
}

/* ---- the program ---- */

static void enter_folder(void)
{
	snprintf(folder, sizeof(folder), "%s/XXXXXX", all_folders);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
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
	const char *path = getenv("PM_TEST_LOG_SO");
	void *object = dlopen(path != NULL ? path : PM_LOG_SO, RTLD_NOW | RTLD_LOCAL);

	if (object != NULL)
		handler = dlsym(object, PANICMON_HANDLER_SYMBOL);
	if (handler == NULL)
		fprintf(stderr, "test_log: %s\n", dlerror());
	return handler != NULL;
}

int main(void)
{
	Suite *suite = suite_create("log");
	SRunner *runner = srunner_create(suite);

	if (!load() || mkdtemp(all_folders) == NULL)
		return EXIT_FAILURE;
	add_format_tests(suite);
	add_sink_tests(suite);
	add_file_tests(suite);
	add_send_tests(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	nftw(all_folders, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
