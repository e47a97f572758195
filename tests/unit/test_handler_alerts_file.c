/* The handler room: what is remembered of an incident, in a file and on the page; and the names of folders. */
#include <config.h>

#include "test_handler.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handler/alerts_file.h"
#include "handler/state_dir.h"

static int folder_fd = -1;
static char file[80], new_file[80];

static const struct pm_incident sample = {
	.total = 7,
	.owed = 3,
	.alerted_ns = INT64_C(1700000000123456789),
	.run = "0123456789abcdef0123456789abcdef",
	.seq = 42,
	.record_length = 5,
	.record = "\1\2\3\4\5",
};

static void set_up(void)
{
	make_folder();
	snprintf(file, sizeof(file), "%s/alerts", folder);
	snprintf(new_file, sizeof(new_file), "%s/alerts.new", folder);
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(folder_fd, 0);
}

static void tear_down(void)
{
	close(folder_fd);
}

static void save(const struct pm_incident *incident)
{
	struct pm_error error;

	ck_assert_int_eq(pm_alerts_file_save(folder_fd, incident, &error), 0);
}

static int load(struct pm_incident *incident)
{
	struct pm_error error;

	return pm_alerts_file_load(folder_fd, incident, &error);
}

static void assert_same(const struct pm_incident *a, const struct pm_incident *b)
{
	ck_assert_uint_eq(a->total, b->total);
	ck_assert_uint_eq(a->owed, b->owed);
	ck_assert_int_eq(a->alerted_ns, b->alerted_ns);
	ck_assert_str_eq(a->run, b->run);
	ck_assert_uint_eq(a->seq, b->seq);
	ck_assert_uint_eq(a->record_length, b->record_length);
	ck_assert_mem_eq(a->record, b->record, a->record_length);
}

START_TEST(there_and_back)
{
	struct pm_incident back, full = sample;

	ck_assert_int_eq(load(&back), 0);
	save(&sample);
	ck_assert_int_eq(access(new_file, F_OK), -1);
	ck_assert_int_eq(load(&back), 1);
	assert_same(&back, &sample);
	full.record_length = sizeof(full.record);
	memset(full.record, 0xee, sizeof(full.record));
	save(&full);
	ck_assert_int_eq(load(&back), 1);
	assert_same(&back, &full);
	full.record_length = 0;
	save(&full);
	ck_assert_int_eq(load(&back), 1);
	assert_same(&back, &full);
	save(&(const struct pm_incident){0});
	ck_assert_int_eq(access(file, F_OK), -1);
	save(&(const struct pm_incident){0});
	ck_assert_int_eq(load(&back), 0);
}
END_TEST

static size_t read_all(uint8_t *bytes, size_t size)
{
	int fd = open(file, O_RDONLY);
	ssize_t got = read(fd, bytes, size);

	close(fd);
	ck_assert_int_gt(got, 0);
	return (size_t)got;
}

static void write_all(const uint8_t *bytes, size_t size)
{
	int fd = open(file, O_WRONLY | O_TRUNC | O_CREAT, 0600);

	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

/* Each length, and each bit. */
START_TEST(damaged)
{
	uint8_t bytes[256];
	struct pm_incident back;

	save(&sample);
	size_t size = read_all(bytes, sizeof(bytes));
	for (size_t length = 0; length < size; length++) {
		write_all(bytes, length);
		ck_assert_int_eq(load(&back), -1);
	}
	for (size_t bit = 0; bit < size * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
		write_all(bytes, size);
		ck_assert_int_eq(load(&back), -1);
		bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	write_all(bytes, size);
	ck_assert_int_eq(load(&back), 1);
}
END_TEST

START_TEST(no_regular_file)
{
	struct pm_incident back;

	ck_assert_int_eq(mkfifo(file, 0600), 0);
	ck_assert_int_eq(load(&back), -1);
	/* It is replaced. */
	save(&sample);
	ck_assert_int_eq(load(&back), 1);
	ck_assert_int_eq(unlink(file), 0);
	ck_assert_int_eq(symlink("/etc/passwd", file), 0);
	ck_assert_int_eq(load(&back), -1);
}
END_TEST

START_TEST(in_the_way_of_the_new_file)
{
	struct pm_incident back;

	ck_assert_int_eq(mkfifo(new_file, 0600), 0);
	save(&sample);
	ck_assert_int_eq(load(&back), 1);
	ck_assert_int_eq(symlink("/dev/full", new_file), 0);
	save(&sample);
	ck_assert_int_eq(load(&back), 1);
	int left = open(new_file, O_WRONLY | O_CREAT, 0);
	ck_assert_int_ge(left, 0);
	close(left);
	save(&sample);
	ck_assert_int_eq(load(&back), 1);
}
END_TEST

START_TEST(what_cannot_be_written)
{
	struct pm_error error;

	ck_assert_int_eq(mkdir(new_file, 0700), 0);
	ck_assert_int_eq(pm_alerts_file_save(folder_fd, &sample, &error), -1);
	ck_assert_ptr_nonnull(strstr(error.text, "cannot write 'alerts.new'"));
	ck_assert_int_eq(rmdir(new_file), 0);
	ck_assert_int_eq(mkdir(file, 0700), 0);
	ck_assert_int_eq(pm_alerts_file_save(folder_fd, &sample, &error), -1);
	ck_assert_int_eq(pm_alerts_file_save(-1, &sample, &error), -1);
}
END_TEST

/* ---- who calls ---- */

static bool claim_it(enum pm_alerts_claim what, int64_t void_after_ns, int *claim)
{
	return pm_alerts_file_claim(folder_fd, what, void_after_ns, claim);
}

/* As another process sees it: 1, the claim is free. */
static int claim_elsewhere(enum pm_alerts_claim what, int64_t void_after_ns)
{
	int status = -1, claim;
	pid_t pid = fork();

	if (pid == 0)
		_exit(claim_it(what, void_after_ns, &claim));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(one_has_the_claim)
{
	int claim = -1;

	ck_assert_int_eq(claim_elsewhere(PM_ALERTS_CLAIM_FAILURE, INT64_MAX), 1);
	/* Whoever had it has ended. */
	ck_assert(claim_it(PM_ALERTS_CLAIM_FAILURE, INT64_MAX, &claim));
	ck_assert_int_ge(claim, 0);
	ck_assert_int_eq(claim_elsewhere(PM_ALERTS_CLAIM_FAILURE, INT64_MAX), 0);
	ck_assert_int_eq(claim_elsewhere(PM_ALERTS_CLAIM_OWED, INT64_MAX), 0);
	close(claim);
	ck_assert_int_eq(claim_elsewhere(PM_ALERTS_CLAIM_FAILURE, INT64_MAX), 1);
}
END_TEST

START_TEST(several_call_beside)
{
	int claim = -1;

	ck_assert(claim_it(PM_ALERTS_CLAIM_BESIDE, INT64_MAX, &claim));
	ck_assert_int_eq(claim_elsewhere(PM_ALERTS_CLAIM_BESIDE, INT64_MAX), 1);
	ck_assert_int_eq(claim_elsewhere(PM_ALERTS_CLAIM_FAILURE, INT64_MAX), 1);
	ck_assert_int_eq(claim_elsewhere(PM_ALERTS_CLAIM_OWED, INT64_MAX), 0);
	close(claim);
	ck_assert_int_eq(claim_elsewhere(PM_ALERTS_CLAIM_OWED, INT64_MAX), 1);
}
END_TEST

START_TEST(an_old_claim_is_void_for_one)
{
	const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	const int64_t hour_ns = INT64_C(3600) * 1000000000;
	int claim = -1;

	ck_assert(claim_it(PM_ALERTS_CLAIM_FAILURE, hour_ns, &claim));
	ck_assert_int_eq(claim_elsewhere(PM_ALERTS_CLAIM_FAILURE, hour_ns), 0);
	ck_assert_int_eq(futimens(claim, old), 0);
	ck_assert_int_eq(claim_elsewhere(PM_ALERTS_CLAIM_FAILURE, INT64_MAX), 0);
	ck_assert_int_eq(claim_elsewhere(PM_ALERTS_CLAIM_FAILURE, hour_ns), 1);
	ck_assert_int_eq(claim_elsewhere(PM_ALERTS_CLAIM_FAILURE, hour_ns), 0);
	ck_assert_int_eq(futimens(claim, old), 0);
	pm_alerts_file_claim_again(claim);
	ck_assert_int_eq(claim_elsewhere(PM_ALERTS_CLAIM_FAILURE, hour_ns), 0);
	close(claim);
}
END_TEST

START_TEST(no_claim_can_be_made)
{
	int claim = 0;

	/* Better two calls than none. */
	ck_assert(pm_alerts_file_claim(-1, PM_ALERTS_CLAIM_FAILURE, INT64_MAX, &claim));
	ck_assert_int_eq(claim, -1);
	ck_assert_int_eq(mkdirat(folder_fd, "alerts.lock", 0700), 0);
	ck_assert(claim_it(PM_ALERTS_CLAIM_FAILURE, INT64_MAX, &claim));
	ck_assert_int_eq(claim, -1);
}
END_TEST

/* ---- on the page ---- */

START_TEST(on_the_page)
{
	static struct pm_alerts_copy copies[2];
	static struct pm_alerts alerts;

	ck_assert_ptr_null(pm_alerts_copy_newest(copies));
	for (uint64_t i = 1; i <= 5; i++) {
		alerts.incident.total = i;
		alerts.run.seen = 10 * i;
		pm_alerts_copy_write(copies, &alerts, i % 2 == 0);
		const struct pm_alerts_copy *newest = pm_alerts_copy_newest(copies);
		ck_assert_ptr_nonnull(newest);
		ck_assert_uint_eq(newest->incident.total, i);
		ck_assert_uint_eq(newest->run.seen, 10 * i);
		ck_assert_uint_eq(newest->unsaved, i % 2 == 0);
	}
	/* The host is killed as it writes: the one before is there. */
	((struct pm_alerts_copy *)(uintptr_t)pm_alerts_copy_newest(copies))->incident.total = 99;
	ck_assert_uint_eq(pm_alerts_copy_newest(copies)->incident.total, 4);
	memset(copies, 0xff, sizeof(copies));
	ck_assert_ptr_null(pm_alerts_copy_newest(copies));
}
END_TEST

/* ---- names ---- */

START_TEST(names_of_folders)
{
	static const struct {
		const char *service, *name;
	} cases[] = {
		{"api", "api.log"},         {"api.v2", "api.v2.log"},   {"", ".log"},
		{".", "%2E.log"},           {"..", "%2E..log"},         {"../x", "%2E.%2Fx.log"},
		{"a b%c", "a%20b%25c.log"}, {"\xc3\xbc", "%C3%BC.log"},
	};
	char name[PM_STATE_NAME_MAX + 1];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pm_state_dir_name(name, cases[i].service, "log");
		ck_assert_str_eq(name, cases[i].name);
	}
}
END_TEST

/* Never too long, and never the same for two. */
START_TEST(long_names)
{
	static const char handler[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";
	char service[600], name[PM_STATE_NAME_MAX + 1], before[PM_STATE_NAME_MAX + 1] = "";

	for (size_t length = 1; length < sizeof(service); length++) {
		memset(service, length % 2 == 0 ? 'x' : '/', length);
		service[length] = '\0';
		pm_state_dir_name(name, service, handler);
		ck_assert_uint_le(strlen(name), PM_STATE_NAME_MAX);
		ck_assert_ptr_null(strchr(name, '/'));
		ck_assert_str_eq(name + strlen(name) - strlen(handler), handler);
		ck_assert_str_ne(name, before);
		strcpy(before, name);
	}
}
END_TEST

void add_alerts_file_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "alerts file", set_up, tear_down);

	tcase_add_test(tests, there_and_back);
	tcase_add_test(tests, damaged);
	tcase_add_test(tests, in_the_way_of_the_new_file);
	tcase_add_test(tests, no_regular_file);
	tcase_add_test(tests, what_cannot_be_written);
	tcase_add_test(tests, one_has_the_claim);
	tcase_add_test(tests, several_call_beside);
	tcase_add_test(tests, an_old_claim_is_void_for_one);
	tcase_add_test(tests, no_claim_can_be_made);
	tcase_add_test(tests, on_the_page);
	tcase_add_test(tests, names_of_folders);
	tcase_add_test(tests, long_names);
}
