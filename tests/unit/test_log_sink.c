/* Where the log handler writes, and what it does when that fails. */
#include <config.h>

#include "test_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void make_pipe(int ends[2], int flags)
{
	ck_assert_int_eq(pipe2(ends, flags), 0);
}

START_TEST(a_mode_is_octal_permissions)
{
	static const char *const wrong[] = {
		"mode=",   "mode=0999", "mode=0x1a4",
		"mode=-1", "mode=1777", "mode=0440",
		"mode=rw", "mode= 640", "mode=077777777777777777777777777777"};
	struct rig rig;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		MAKE(&rig, "path=log", wrong[i]);
		ck_assert_int_eq(rig_check(&rig), -1);
		ck_assert_ptr_nonnull(strstr(rig.failure, wrong[i] + 5));
	}
	MAKE(&rig, "path=");
	ck_assert_int_eq(rig_check(&rig), -1);
	MAKE(&rig, "path=log", "mode=640");
	ck_assert_int_eq(rig_check(&rig), 0);
	ck_assert_msg(!exists("log"), "check() has made the file");
}
END_TEST

START_TEST(the_umask_bends_only_the_default_mode)
{
	struct rig rig;
	mode_t before = umask(077);

	OPEN(&rig, "path=default");
	rig_close(&rig);
	OPEN(&rig, "path=given", "mode=0664");
	rig_close(&rig);
	OPEN(&rig, "path=default", "mode=0664");
	rig_close(&rig);
	umask(before);
	ck_assert_uint_eq(mode_of("default"), 0600);
	ck_assert_uint_eq(mode_of("given"), 0664);
}
END_TEST

START_TEST(what_cannot_be_opened_is_refused)
{
	struct rig rig;

	MAKE(&rig, "path=.");
	ck_assert_int_eq(rig_check(&rig), -1);
	ck_assert_str_eq(rig.failure, "path '.' is a directory: write the name of a file");
	ck_assert_int_eq(handler->open(&rig.host, rig.values, &rig.self), -1);
	ck_assert_str_eq(rig.failure, "cannot open '.' for appending: Is a directory");
	MAKE(&rig, "path=none/log");
	ck_assert_int_eq(rig_check(&rig), -1);
	ck_assert_str_eq(rig.failure, "path 'none/log': there is no folder 'none'; make it");
	ck_assert_int_eq(handler->open(&rig.host, rig.values, &rig.self), -1);
	ck_assert_str_eq(rig.failure,
			 "cannot open 'none/log' for appending: No such file or directory");
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int saved = replace_fd(STDOUT_FILENO, null);
	close(null);
	MAKE(&rig, "path=stdout");
	int read_only = rig_open(&rig);
	close(STDOUT_FILENO);
	int closed = rig_open(&rig);
	put_back_fd(STDOUT_FILENO, saved);
	ck_assert_int_eq(read_only, -1);
	ck_assert_int_eq(closed, -1);
	ck_assert_str_eq(rig.failure, "cannot write to stdout: Bad file descriptor");
}
END_TEST

START_TEST(the_level_is_the_least_severe_that_is_written)
{
	static const char *const levels[] = {"level=fatal",  "level=error", "level=warning",
					     "level=notice", "level=info",  "level=debug"};
	struct panicmon_event event = make_event(PANICMON_SIGNAL_RECEIVED);
	struct rig rig;

	for (uint32_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		OPEN(&rig, "path=log", levels[i]);
		for (event.severity = 0; event.severity <= PANICMON_DEBUG; event.severity++) {
			event.seq = event.severity;
			ck_assert_int_eq(rig_send(&rig, &event), PANICMON_DONE);
		}
		rig_close(&rig);
		assert_seqs("log", 0, PANICMON_FATAL + i + 1);
		unlink("log");
	}
}
END_TEST

START_TEST(two_instances_are_independent)
{
	struct rig a, b;

	OPEN(&a, "path=a", "format=text");
	OPEN(&b, "path=b", "level=debug");
	for (uint64_t seq = 1; seq <= 3; seq++) {
		ck_assert_int_eq(rig_send_seq(&a, seq), PANICMON_DONE);
		ck_assert_int_eq(rig_send_seq(&b, seq), PANICMON_DONE);
	}
	rig_close(&a);
	ck_assert_int_eq(rig_send_seq(&b, 4), PANICMON_DONE);
	rig_close(&b);
	assert_seqs("b", 1, 4);
	char *text = read_file("a", NULL);
	ck_assert_ptr_null(strchr(text, '{'));
	free(text);
}
END_TEST

START_TEST(a_full_disk_drops_and_tells_how_many)
{
	struct rig rig;
	int64_t since = 0, dropped = 1;

	ck_assert_int_eq(symlink("/dev/full", "log"), 0);
	OPEN(&rig, "path=log");
	ck_assert_int_eq(rig_send_seq(&rig, 1), PANICMON_DROP);
	ck_assert_str_eq(rig.said[0], "cannot write to 'log': No space left on device; events are "
				      "dropped until it can be");
	ck_assert_int_eq(unlink("log"), 0);
	while (rig_send_seq(&rig, 99) == PANICMON_DROP) {
		dropped++;
		wait_more(&since);
	}
	rig_close(&rig);
	ck_assert_int_eq(rig.said_count, 1);
	json_t *lines = read_lines("log"), *gap = json_array_get(lines, 0);
	ck_assert_int_eq((int64_t)json_array_size(lines), 2);
	ck_assert_str_eq(json_string_value(json_object_get(gap, "event")), "log.dropped");
	ck_assert_str_eq(json_string_value(json_object_get(gap, "severity")), "warning");
	ck_assert_str_eq(json_string_value(json_object_get(gap, "name")), "api");
	ck_assert_str_eq(json_string_value(json_object_get(gap, "errno")), "ENOSPC");
	ck_assert_int_eq(number_of(gap, "dropped"), dropped);
	ck_assert_int_eq(number_of(json_array_get(lines, 1), "seq"), 99);
	json_decref(lines);
}
END_TEST

START_TEST(close_tells_of_a_gap_as_well)
{
	struct rig rig;

	int ends[2];

	make_pipe(ends, O_NONBLOCK);
	int saved = replace_fd(STDOUT_FILENO, ends[1]);
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	OPEN(&rig, "path=stdout", "format=text");
	dup2(full, STDOUT_FILENO);
	int result = rig_send_seq(&rig, 1);
	dup2(ends[1], STDOUT_FILENO);
	rig_close(&rig);
	put_back_fd(STDOUT_FILENO, saved);
	close(ends[1]);
	ck_assert_int_eq(result, PANICMON_DROP);
	char *text = read_all(ends[0], NULL);
	ck_assert_ptr_nonnull(strstr(text,
				     "Z WARN  api log.dropped     1 events dropped: No space left "
				     "on device (ENOSPC)\n"));
	free(text);
	close(ends[0]);
	close(full);
}
END_TEST

static int send_while_standard(struct rig *rig, int standard, int fd, uint64_t seq)
{
	int saved = replace_fd(standard, fd);
	int result = rig_send_seq(rig, seq);

	put_back_fd(standard, saved);
	return result;
}

START_TEST(a_full_pipe_is_tried_again_and_a_closed_one_given_up)
{
	struct rig rig;
	int ends[2], result;

	make_pipe(ends, O_NONBLOCK | O_CLOEXEC);
	int saved = replace_fd(STDERR_FILENO, ends[1]);
	OPEN(&rig, "path=stderr");
	put_back_fd(STDERR_FILENO, saved);
	uint64_t sent = 0;
	while ((result = send_while_standard(&rig, STDERR_FILENO, ends[1], ++sent)) ==
	       PANICMON_DONE)
		ck_assert_uint_lt(sent, 1 << 20);
	ck_assert_int_eq(result, PANICMON_RETRY);
	char *text = read_all(ends[0], NULL); /* to EAGAIN */
	ck_assert_int_eq(text[strlen(text) - 1], '\n');
	free(text);
	ck_assert_int_eq(send_while_standard(&rig, STDERR_FILENO, ends[1], sent), PANICMON_DONE);
	close(ends[0]);
	ck_assert_int_eq(send_while_standard(&rig, STDERR_FILENO, ends[1], sent), PANICMON_DROP);
	ck_assert_ptr_nonnull(strstr(rig.said[0], "Broken pipe"));
	saved = replace_fd(STDERR_FILENO, ends[1]);
	rig_close(&rig);
	put_back_fd(STDERR_FILENO, saved);
	close(ends[1]);
}
END_TEST

static int open_reader(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

START_TEST(a_fifo_waits_for_its_reader)
{
	struct rig rig;

	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	MAKE(&rig, "path=fifo");
	ck_assert_int_eq(rig_open(&rig), PANICMON_RETRY);
	int reader = open_reader("fifo");
	ck_assert_int_eq(rig_open(&rig), 0);
	ck_assert_int_eq(rig_send_seq(&rig, 1), PANICMON_DONE);
	uint64_t seq = 2;
	while (rig_send_seq(&rig, seq) == PANICMON_DONE)
		ck_assert_uint_lt(seq++, 1 << 20);
	close(reader);
	ck_assert_int_eq(rig_send_seq(&rig, seq), PANICMON_RETRY);
	ck_assert_int_eq(rig_send_seq(&rig, seq), PANICMON_RETRY);
	reader = open_reader("fifo");
	ck_assert_int_eq(rig_send_seq(&rig, seq), PANICMON_DONE);
	rig_close(&rig);
	char *text = read_all(reader, NULL);
	json_t *object = parse_line(text);
	ck_assert_int_eq(number_of(object, "seq"), (int64_t)seq);
	json_decref(object);
	free(text);
	close(reader);
}
END_TEST

/* What is written to a terminal, or NULL where there is none. */
static char *write_to_terminal(const char *option)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char path[64] = "path=", text[1024] = "";
	struct rig rig;

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 ||
	    ptsname_r(master, path + 5, sizeof(path) - 5) != 0)
		return NULL;
	OPEN(&rig, path, option);
	ck_assert_int_eq(rig_send_seq(&rig, 1), PANICMON_DONE);
	ck_assert_int_gt(read(master, text, sizeof(text) - 1), 0);
	rig_close(&rig);
	close(master);
	return strdup(text);
}

START_TEST(a_terminal_gets_text_and_colours_if_wanted)
{
	static const struct {
		const char *term, *no_color, *format;
		char first;
	} cases[] = {
		{"xterm", NULL, "format=auto", '\033'}, {"xterm", "", "format=auto", '\033'},
		{"xterm", "1", "format=auto", '2'},     {"dumb", NULL, "format=auto", '2'},
		{NULL, NULL, "format=text", '2'},       {"xterm", NULL, "format=json", '{'},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsetenv("TERM");
		unsetenv("NO_COLOR");
		if (cases[i].term != NULL)
			setenv("TERM", cases[i].term, 1);
		if (cases[i].no_color != NULL)
			setenv("NO_COLOR", cases[i].no_color, 1);
		char *text = write_to_terminal(cases[i].format);
		if (text == NULL)
			return;
		ck_assert_int_eq(text[0], cases[i].first);
		ck_assert(cases[i].first == '\033' || strchr(text, '\033') == NULL);
		free(text);
	}
}
END_TEST

void add_sink_tests(Suite *suite)
{
	const TTest *const tests[] = {
		a_mode_is_octal_permissions,
		the_umask_bends_only_the_default_mode,
		what_cannot_be_opened_is_refused,
		the_level_is_the_least_severe_that_is_written,
		two_instances_are_independent,
		a_full_disk_drops_and_tells_how_many,
		close_tells_of_a_gap_as_well,
		a_full_pipe_is_tried_again_and_a_closed_one_given_up,
		a_fifo_waits_for_its_reader,
		a_terminal_gets_text_and_colours_if_wanted,
	};
	TCase *tcase = add_case(suite, "sink");

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tcase, tests[i]);
}
