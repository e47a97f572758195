/* The log handler and a file: rotation, a full disk, what another writer left. */
#include <config.h>

#include "test_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Sends events, from seq on, until the file exists. Returns the next seq. */
static uint64_t send_until_made(struct rig *rig, uint64_t seq, const char *path)
{
	int64_t since = 0;

	while (!exists(path)) {
		ck_assert_int_eq(rig_send_seq(rig, seq++), PANICMON_DONE);
		wait_more(&since);
	}
	return seq;
}

START_TEST(a_file_is_appended_to_wherever_the_process_goes)
{
	struct rig rig;
	char path[sizeof(folder) + 8];

	snprintf(path, sizeof(path), "%s/log", folder);
	OPEN(&rig, "path=log");
	ck_assert_int_eq(rig_send_seq(&rig, 1), PANICMON_DONE);
	rig_close(&rig);
	OPEN(&rig, "path=log");
	ck_assert_int_eq(rename("log", "log.1"), 0);
	ck_assert_int_eq(chdir("/"), 0);
	uint64_t next = send_until_made(&rig, 2, path);
	rig_close(&rig);
	ck_assert_int_eq(chdir(folder), 0);
	assert_seqs("log.1", 1, (int64_t)next - 2);
	assert_seqs("log", (int64_t)next - 1, 1);
}
END_TEST

START_TEST(a_renamed_file_is_followed_by_a_new_one)
{
	struct rig rig;

	OPEN(&rig, "path=log", "mode=0604");
	ck_assert_int_eq(rig_send_seq(&rig, 1), PANICMON_DONE);
	ck_assert_int_eq(rename("log", "log.1"), 0);
	uint64_t next = send_until_made(&rig, 2, "log");
	ck_assert_int_eq(rig_send_seq(&rig, next), PANICMON_DONE);
	rig_close(&rig);
	assert_seqs("log.1", 1, (int64_t)next - 2);
	assert_seqs("log", (int64_t)next - 1, 2);
	ck_assert_uint_eq(mode_of("log"), 0604);
}
END_TEST

START_TEST(a_removed_file_is_made_again)
{
	struct rig rig;

	OPEN(&rig, "path=log");
	ck_assert_int_eq(unlink("log"), 0);
	uint64_t next = send_until_made(&rig, 1, "log");
	rig_close(&rig);
	assert_seqs("log", (int64_t)next - 1, 1);
}
END_TEST

START_TEST(a_truncated_file_goes_on_from_its_start)
{
	struct rig rig;

	OPEN(&rig, "path=log");
	ck_assert_int_eq(rig_send_seq(&rig, 1), PANICMON_DONE);
	ck_assert_int_eq(truncate("log", 0), 0);
	ck_assert_int_eq(rig_send_seq(&rig, 2), PANICMON_DONE);
	rig_close(&rig);
	assert_seqs("log", 2, 1);
}
END_TEST

/* While the path cannot be opened: a renamed file still takes the events, a removed one would only
 * lose them. */
START_TEST(a_folder_that_is_gone_is_waited_for)
{
	struct rig rig;
	int64_t since = 0;
	uint64_t seq = 1;

	ck_assert_int_eq(mkdir("logs", 0755), 0);
	OPEN(&rig, "path=logs/log");
	ck_assert_int_eq(rename("logs/log", "kept"), 0);
	ck_assert_int_eq(rmdir("logs"), 0);
	for (int i = 0; i < 150; i++, wait_more(&since))
		ck_assert_int_eq(rig_send_seq(&rig, seq++), PANICMON_DONE);
	assert_seqs("kept", 1, 150);
	ck_assert_int_eq(unlink("kept"), 0);
	while (rig_send_seq(&rig, seq++) != PANICMON_DROP)
		wait_more(&since);
	ck_assert_int_eq(rig_send_seq(&rig, seq++), PANICMON_DROP);
	ck_assert_str_eq(rig.said[0],
			 "cannot write to 'logs/log': No such file or directory; events "
			 "are dropped until it can be");
	ck_assert_int_eq(mkdir("logs", 0755), 0);
	ck_assert_int_eq(rig_send_seq(&rig, seq++), PANICMON_DONE);
	ck_assert_int_eq(rig.said_count, 1);
	rig_close(&rig);
	json_t *lines = read_lines("logs/log");
	ck_assert_int_eq(number_of(json_array_get(lines, 0), "dropped"), 2);
	json_decref(lines);
}
END_TEST

/* Returns what sending this seq gives while files end at `size`. */
static int send_within(struct rig *rig, uint64_t seq, rlim_t size)
{
	struct rlimit before, limit;

	getrlimit(RLIMIT_FSIZE, &before);
	limit = (struct rlimit){.rlim_cur = size, .rlim_max = before.rlim_max};
	setrlimit(RLIMIT_FSIZE, &limit);
	int result = rig_send_seq(rig, seq);
	setrlimit(RLIMIT_FSIZE, &before);
	return result;
}

/* {"time":"20 */
START_TEST(a_cut_record_is_ended_and_comes_again)
{
	enum { TAKEN = 11 };
	struct rig rig;

	OPEN(&rig, "path=log");
	int cut = send_within(&rig, 1, TAKEN);
	int too_large = send_within(&rig, 1, TAKEN);
	ck_assert_int_eq(cut, PANICMON_RETRY);
	ck_assert_int_eq(too_large, PANICMON_DROP);
	ck_assert_int_eq(rig_send_seq(&rig, 2), PANICMON_DONE);
	ck_assert_int_eq(rig_send_seq(&rig, 3), PANICMON_DONE);
	rig_close(&rig);
	char *text = read_file("log", NULL);
	ck_assert_int_eq(strncmp(text, "{\"time\":\"20\n{", TAKEN + 2), 0);
	FILE *rest = fopen("rest", "w");
	fputs(text + TAKEN + 1, rest);
	fclose(rest);
	free(text);
	json_t *lines = read_lines("rest");
	ck_assert_int_eq((int64_t)json_array_size(lines), 3);
	ck_assert_int_eq(number_of(json_array_get(lines, 0), "dropped"), 1);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(lines, 0), "errno")),
			 "EFBIG");
	ck_assert_int_eq(number_of(json_array_get(lines, 1), "seq"), 2);
	ck_assert_int_eq(number_of(json_array_get(lines, 2), "seq"), 3);
	json_decref(lines);
}
END_TEST

static void append(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* Of a writer that was killed: a line of its own for the record, which may stand on the cut one too. */
START_TEST(what_another_left_cut_spoils_no_record)
{
	struct rig rig;

	append("log", "{\"time\":\"20");
	OPEN(&rig, "path=log");
	ck_assert_int_eq(rig_send_seq(&rig, 1), PANICMON_DONE);
	ck_assert_int_eq(rig_send_seq(&rig, 2), PANICMON_DONE);
	rig_close(&rig);
	char *text = read_file("log", NULL);
	append("rest", strchr(text, '\n') + 1);
	free(text);
	assert_seqs("rest", 1, 2);
}
END_TEST

/* Likewise when it was killed later on. What stands on a line of its own is written once. */
START_TEST(what_another_cuts_later_spoils_no_record)
{
	static const char cut[] = "{\"cut\":";
	struct rig rig;

	OPEN(&rig, "path=log");
	ck_assert_int_eq(rig_send_seq(&rig, 1), PANICMON_DONE);
	append("log", cut);
	ck_assert_int_eq(rig_send_seq(&rig, 2), PANICMON_DONE);
	append("log", "{\"seq\":3}\n");
	ck_assert_int_eq(rig_send_seq(&rig, 4), PANICMON_DONE);
	ck_assert_int_eq(rig_send_seq(&rig, 5), PANICMON_DONE);
	rig_close(&rig);
	char *text = read_file("log", NULL);
	char *begun = strstr(text, cut);
	ck_assert_ptr_nonnull(begun);
	append("rest", strchr(begun, '\n') + 1);
	*begun = '\0';
	append("first", text);
	free(text);
	assert_seqs("first", 1, 1);
	assert_seqs("rest", 2, 4);
}
END_TEST

/* Of a writer that was in the middle of its write(2) when the file was opened: no empty line. */
START_TEST(what_another_was_writing_is_not_taken_for_cut)
{
	struct rig rig;

	append("log", "{\"seq\":");
	OPEN(&rig, "path=log");
	append("log", "1}\n");
	ck_assert_int_eq(rig_send_seq(&rig, 2), PANICMON_DONE);
	ck_assert_int_eq(rig_send_seq(&rig, 3), PANICMON_DONE);
	rig_close(&rig);
	assert_seqs("log", 1, 3);
}
END_TEST

void add_file_tests(Suite *suite)
{
	const TTest *const tests[] = {
		a_file_is_appended_to_wherever_the_process_goes,
		a_renamed_file_is_followed_by_a_new_one,
		a_removed_file_is_made_again,
		a_truncated_file_goes_on_from_its_start,
		a_folder_that_is_gone_is_waited_for,
		a_cut_record_is_ended_and_comes_again,
		what_another_left_cut_spoils_no_record,
		what_another_cuts_later_spoils_no_record,
		what_another_was_writing_is_not_taken_for_cut,
	};
	TCase *tcase = add_case(suite, "file");

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tcase, tests[i]);
}
