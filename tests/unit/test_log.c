/* The log handler: what its test files share, and main(). */
#include <config.h>

#include "test_log.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int rig_send_seq(struct rig *rig, uint64_t seq)
{
	struct panicmon_event event = make_event(PANICMON_PROCESS_STARTED);

	event.seq = seq;
	return rig_send(rig, &event);
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

static void set_up(void)
{
	enter_folder();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

TCase *add_case(Suite *suite, const char *name)
{
	return make_case(suite, name, set_up, NULL);
}

int main(void)
{
	if (load_handler("log") < 0)
		return EXIT_FAILURE;
	return RUN_SUITE("log", add_format_tests, add_sink_tests, add_file_tests, add_send_tests);
}
