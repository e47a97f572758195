/* The base room: errors, cleanup, clocks and packed integers; loop and signals in files of their own. */
#include <config.h>

#include "test_base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/pack.h"

/* ---- error ---- */

START_TEST(error_without_code)
{
	struct pm_error error = {.code = 77};

	ck_assert_int_eq(pm_error_set(&error, 0, "no %s at %d", "key", 7), -1);
	ck_assert_int_eq(error.code, 0);
	ck_assert_str_eq(error.text, "no key at 7");
}
END_TEST

START_TEST(error_with_code)
{
	struct pm_error error;
	char wanted[256];

	snprintf(wanted, sizeof(wanted), "cannot open 'x': %s", strerror(ENOENT));
	ck_assert_int_eq(pm_error_set(&error, ENOENT, "cannot open '%s'", "x"), -1);
	ck_assert_int_eq(error.code, ENOENT);
	ck_assert_str_eq(error.text, wanted);
}
END_TEST

/* At every length around the end of the text, with and without a code to add. */
START_TEST(error_truncation)
{
	struct {
		char before[8];
		struct pm_error error;
		char after[8];
	} guarded;
	const size_t size = sizeof(guarded.error.text);
	char text[2 * sizeof(guarded.error.text)];

	for (size_t length = size - 60; length < size + 60; length++) {
		memset(text, 'x', length);
		text[length] = '\0';
		for (int code = 0; code <= EACCES; code += EACCES) {
			memset(&guarded, 0x5a, sizeof(guarded));
			ck_assert_int_eq(pm_error_set(&guarded.error, code, "%s", text), -1);
			const size_t full =
				length + (code == 0 ? 0 : strlen(": ") + strlen(strerror(code)));
			ck_assert_uint_eq(strnlen(guarded.error.text, size),
					  full < size ? full : size - 1);
			ck_assert_int_eq(guarded.error.code, code);
			ck_assert_mem_eq(guarded.before, "ZZZZZZZZ", 8);
			ck_assert_mem_eq(guarded.after, "ZZZZZZZZ", 8);
		}
	}
}
END_TEST

START_TEST(error_keeps_errno)
{
	struct pm_error error;

	errno = EDOM;
	pm_error_set(&error, EACCES, "%s %5d", "text", 3);
	ck_assert_int_eq(errno, EDOM);
	/* Half a surrogate: printf(3) sets EILSEQ. */
	pm_error_set(&error, 0, "%ls", (const wchar_t[]){0xd800, 0});
	ck_assert_int_eq(errno, EDOM);
}
END_TEST

/* ---- cleanup ---- */

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int open_null(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

START_TEST(close_marks_as_closed)
{
	int fd = open_null();
	int same = fd;

	pm_close(&fd);
	ck_assert_int_eq(fd, -1);
	ck_assert(!is_open(same));
	pm_close(&fd);
	ck_assert_int_eq(fd, -1);
}
END_TEST

START_TEST(close_keeps_errno)
{
	int stale = open_null();
	int none = -1;

	close(stale); /* what follows fails with EBADF */
	errno = EDOM;
	pm_close(&stale);
	pm_close(&none);
	ck_assert_int_eq(errno, EDOM);
}
END_TEST

START_TEST(fd_ends_with_its_scope)
{
	int same;
	{
		pm_autofd fd = open_null();

		same = fd;
		ck_assert(is_open(same));
	}
	ck_assert(!is_open(same));
}
END_TEST

START_TEST(stolen_fd_lives_on)
{
	int stolen;
	{
		pm_autofd fd = open_null();
		const int same = fd;

		stolen = pm_steal_fd(&fd);
		ck_assert_int_eq(stolen, same);
		ck_assert_int_eq(fd, -1);
		ck_assert_int_eq(pm_steal_fd(&fd), -1);
	}
	ck_assert(is_open(stolen));
	close(stolen);
}
END_TEST

/* Hands a copy over as a constructor does. A double free or a leak is the sanitizer's to find. */
static char *make_text(bool work)
{
	pm_autofree char *text = strdup("text");

	return work ? pm_steal_pointer(&text) : NULL;
}

START_TEST(stolen_memory_lives_on)
{
	char *text = make_text(true);

	ck_assert_str_eq(text, "text");
	ck_assert_ptr_null(make_text(false));

	char *stolen = pm_steal_pointer(&text);
	ck_assert_str_eq(stolen, "text");
	ck_assert_ptr_null(text);
	ck_assert_ptr_null(pm_steal_pointer(&text));
	pm_cleanup_free(&text);
	errno = EDOM;
	pm_cleanup_free(&stolen);
	ck_assert_int_eq(errno, EDOM);
	ck_assert_ptr_null(stolen);
}
END_TEST

START_TEST(file_ends_with_its_scope)
{
	int same;
	{
		pm_autofile FILE *file = fopen("/dev/null", "we");
		pm_autofile FILE *none = NULL;

		ck_assert_ptr_nonnull(file);
		ck_assert_ptr_null(none);
		same = fileno(file);
		errno = EDOM;
	}
	ck_assert_int_eq(errno, EDOM);
	ck_assert(!is_open(same));
}
END_TEST

/* ---- clock ---- */

START_TEST(clocks)
{
	const int64_t before = time(NULL);
	const int64_t wall = pm_clock_realtime() / PM_NS_PER_S;
	int64_t last = pm_clock_monotonic();

	ck_assert_int_ge(wall, before);
	ck_assert_int_le(wall, time(NULL) + 1);
	for (int i = 0; i < 1000; i++) {
		const int64_t now = pm_clock_monotonic();

		ck_assert_int_ge(now, last);
		last = now;
	}
	ck_assert_int_eq(PM_NS_PER_S, 1000 * PM_NS_PER_MS);
}
END_TEST

/* ---- pack ---- */

START_TEST(pack_is_little_endian)
{
	uint8_t bytes[8];

	pm_pack_u32(bytes, 0x01020304u);
	ck_assert_mem_eq(bytes, "\x04\x03\x02\x01", 4);
	pm_pack_u64(bytes, UINT64_C(0x0102030405060708));
	ck_assert_mem_eq(bytes, "\x08\x07\x06\x05\x04\x03\x02\x01", 8);
}
END_TEST

START_TEST(pack_round_trip)
{
	static const uint64_t values[] = {
		0, 1, 0x7f, 0x80, 0xff, 0x100, INT32_MAX, UINT32_MAX,
		UINT64_C(1) << 32, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX,
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		/* Nothing says that a record's number is aligned. */
		for (size_t at = 1; at < 9; at++) {
			uint8_t bytes[24];

			memset(bytes, 0x5a, sizeof(bytes));
			pm_pack_u64(bytes + at, values[i]);
			ck_assert_uint_eq(pm_unpack_u64(bytes + at), values[i]);
			ck_assert_uint_eq(bytes[at - 1], 0x5a);
			ck_assert_uint_eq(bytes[at + 8], 0x5a);

			memset(bytes, 0x5a, sizeof(bytes));
			pm_pack_u32(bytes + at, (uint32_t)values[i]);
			ck_assert_uint_eq(pm_unpack_u32(bytes + at), (uint32_t)values[i]);
			ck_assert_uint_eq(bytes[at - 1], 0x5a);
			ck_assert_uint_eq(bytes[at + 4], 0x5a);
		}
	}
}
END_TEST

static void add_small_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "small", NULL, NULL);

	tcase_add_test(tests, error_without_code);
	tcase_add_test(tests, error_with_code);
	tcase_add_test(tests, error_truncation);
	tcase_add_test(tests, error_keeps_errno);
	tcase_add_test(tests, close_marks_as_closed);
	tcase_add_test(tests, close_keeps_errno);
	tcase_add_test(tests, fd_ends_with_its_scope);
	tcase_add_test(tests, stolen_fd_lives_on);
	tcase_add_test(tests, stolen_memory_lives_on);
	tcase_add_test(tests, file_ends_with_its_scope);
	tcase_add_test(tests, clocks);
	tcase_add_test(tests, pack_is_little_endian);
	tcase_add_test(tests, pack_round_trip);
}

int main(void)
{
	return RUN_SUITE("base", add_small_tests, add_signal_tests, add_loop_tests);
}
