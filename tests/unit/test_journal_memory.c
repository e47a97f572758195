/* The journal room: memory that is shared with readers who are not trusted. */
#include <config.h>

#include "test_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/pack.h"
#include "journal/layout.h"

/* ---- what a reader can't do ---- */

static void assert_cannot_map_writable(int fd)
{
	errno = 0;
	ck_assert_ptr_eq(mmap(NULL, PM_LAYOUT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
			 MAP_FAILED);
	ck_assert_int_eq(errno, EPERM);
}

START_TEST(cannot_be_mapped_writable)
{
	char path[64];

	assert_cannot_map_writable(journal.fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", journal.fd);
	int again = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(again, 0);
	assert_cannot_map_writable(again);
	close(again);
}
END_TEST

START_TEST(cannot_be_made_writable)
{
	struct pm_journal_reader reader;

	open_reader(&reader, 0);
	ck_assert_int_eq(mprotect((void *)(uintptr_t)reader.map, PM_LAYOUT_SIZE,
				  PROT_READ | PROT_WRITE), -1);
	ck_assert_int_eq(errno, EACCES);
	pm_journal_reader_close(&reader);
}
END_TEST

START_TEST(cannot_be_cut_or_written)
{
	static const off_t sizes[] = {0, 1, 4096, PM_LAYOUT_SIZE - 1, PM_LAYOUT_SIZE + 1};
	struct pm_journal_reader reader;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ck_assert_int_eq(ftruncate(journal.fd, sizes[i]), -1);
		ck_assert_int_eq(errno, EPERM);
	}
	ck_assert_int_eq(pwrite(journal.fd, "x", 1, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(fallocate(journal.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096),
			 -1);
	ck_assert_int_eq(fcntl(journal.fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	ck_assert_int_eq(errno, EPERM);
	append(PM_JOURNAL_KEPT, 100);
	open_reader(&reader, 0);
	ck_assert_uint_eq(read_all(&reader), 1);
	pm_journal_reader_close(&reader);
}
END_TEST

/* Runs in a forked child, of which Check hears nothing: it tells by its exit status. */
static void assert_in_child(int (*child)(void))
{
	int status;
	const pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		alarm(200);
		_exit(child());
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "the child was killed by signal %d", WTERMSIG(status));
	ck_assert_msg(WEXITSTATUS(status) == 0, "the child found fault no. %d",
		      WEXITSTATUS(status));
}

static int look_for_the_writers_map(void)
{
	unsigned char resident;

	return mincore(journal.map, 1, &resident) == -1 && errno == ENOMEM ? 0 : 1;
}

START_TEST(a_fork_has_no_writable_map)
{
	assert_in_child(look_for_the_writers_map);
}
END_TEST

START_TEST(descriptor_is_not_inherited)
{
	ck_assert_int_eq(fcntl(journal.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}
END_TEST

START_TEST(no_journal)
{
	struct pm_journal_reader reader;
	int fd = memfd_create("no-journal", MFD_CLOEXEC);

	ck_assert_int_eq(pm_journal_reader_open(&reader, -1, 0, &error), -1);
	ck_assert_int_eq(error.code, EBADF);
	pm_journal_reader_close(&reader);
	ck_assert_int_eq(ftruncate(fd, PM_LAYOUT_SIZE), 0);
	ck_assert_int_eq(pm_journal_reader_open(&reader, fd, 0, &error), -1);
	ck_assert_int_eq(error.code, EINVAL);
	pm_journal_reader_close(&reader);
	close(fd);
}
END_TEST

/* ---- at the same time ---- */

enum { STORM = 40000, KEPT_EVERY = 500 };

/* Every record that a reader gets while the writer goes on is whole, and the rest is counted. */
static int read_beside_the_writer(void)
{
	struct pm_journal_reader reader;
	uint64_t delivered = 0, kept = 0, last = 0;
	enum pm_journal_next next;

	if (pm_journal_reader_open(&reader, journal.fd, 0, &error) < 0)
		return 1;
	while ((next = pm_journal_next(&reader)) != PM_JOURNAL_END) {
		if (next != PM_JOURNAL_RECORD)
			continue;
		if (reader.last <= last)
			return 2;
		last = reader.last;
		if (!is_sound(&reader))
			return 3;
		kept += reader.last % KEPT_EVERY == 0;
		if (++delivered + reader.lost != reader.last)
			return 4;
	}
	if (reader.last != STORM || delivered + reader.lost != STORM)
		return 5;
	return kept == STORM / KEPT_EVERY ? 0 : 6;
}

static pid_t fork_reader(void)
{
	const pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		alarm(200);
		_exit(read_beside_the_writer());
	}
	return pid;
}

START_TEST(readers_beside_a_fast_writer)
{
	pid_t readers[3];
	uint32_t random = (uint32_t)_i + 11;

	for (size_t i = 0; i < 3; i++)
		readers[i] = fork_reader();
	while (journal.published < STORM) {
		const bool kept = (journal.published + 1) % KEPT_EVERY == 0;

		append(kept ? PM_JOURNAL_KEPT : PM_JOURNAL_FLOOD, next_random(&random) % 3000);
	}
	pm_journal_end(&journal);
	int faults[3];
	for (size_t i = 0; i < 3; i++) {
		int status;

		ck_assert_int_eq(waitpid(readers[i], &status, 0), readers[i]);
		faults[i] = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
	}
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(faults[i], 0);
}
END_TEST

/* ---- damage: a record that is not sound costs itself and nothing more ---- */

static uint8_t *find_record(const void *content, size_t length)
{
	uint8_t *found = memmem(journal.map, PM_LAYOUT_SIZE, content, length);

	ck_assert_ptr_nonnull(found);
	return found;
}

START_TEST(damaged_content)
{
	struct pm_journal_reader reader;
	enum { LENGTH = 200 };

	for (int i = 0; i < 5; i++) {
		append(PM_JOURNAL_FLOOD, LENGTH);
		open_reader(&reader, journal.published - 1);
		ck_assert_uint_eq(read_all(&reader), 1);
		if (i == _i)
			find_record(reader.record, LENGTH)[LENGTH / 2] ^= 0x10;
		pm_journal_reader_close(&reader);
	}
	open_reader(&reader, 0);
	ck_assert_uint_eq(read_all(&reader), 4);
	ck_assert_uint_eq(reader.lost, 1);
	ck_assert_uint_eq(reader.last, 5);
	pm_journal_reader_close(&reader);
}
END_TEST

/* A size that can't be: the reader must neither crash nor hang, and count what it can't find. */
static int read_damaged_sizes(void)
{
	static const uint32_t sizes[] = {0, 1, 8, 15, 17, 65536, 65537, INT32_MAX, UINT32_MAX};
	const struct pm_layout_lane *lane = &pm_layout_lanes[PM_JOURNAL_FLOOD];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct pm_journal_reader reader;
		uint64_t delivered = 0;

		pm_pack_u32(journal.map + lane->offset, sizes[i]);
		if (pm_journal_reader_open(&reader, journal.fd, 0, &error) < 0)
			return 1;
		while (pm_journal_next(&reader) == PM_JOURNAL_RECORD)
			delivered += is_sound(&reader);
		if (reader.last != journal.published || delivered + reader.lost != reader.last)
			return 2;
		pm_journal_reader_close(&reader);
	}
	return 0;
}

START_TEST(damaged_size)
{
	append_many(PM_JOURNAL_FLOOD, 120, 5);
	ck_assert_int_eq(read_damaged_sizes(), 0);
}
END_TEST

/* Moves the reader's map in front of a page that can't be touched. */
static void move_to_the_edge(struct pm_journal_reader *reader)
{
	const size_t guard = (size_t)sysconf(_SC_PAGESIZE);
	char *place = mmap(NULL, PM_LAYOUT_SIZE + guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(place, MAP_FAILED);
	munmap((void *)(uintptr_t)reader->map, PM_LAYOUT_SIZE);
	reader->map = mmap(place, PM_LAYOUT_SIZE, PROT_READ, MAP_SHARED | MAP_FIXED, journal.fd, 0);
	ck_assert_ptr_eq(reader->map, place);
}

/* The 8 bytes at the end of the memory: the size of a cover, without a sequence number. A reader that
 * is overtaken just there finds any bytes in their place, and must not look beyond. */
START_TEST(overtaken_at_the_edge)
{
	enum { SPAN = 32 * 1024 };
	const struct pm_layout_lane *lane = &pm_layout_lanes[PM_JOURNAL_FLOOD];
	struct pm_journal_reader reader;
	size_t left = lane->size;

	ck_assert_uint_eq(lane->offset + lane->size, PM_LAYOUT_SIZE);
	for (; left >= 2 * SPAN; left -= SPAN)
		append(PM_JOURNAL_FLOOD, SPAN - PM_LAYOUT_RECORD_HEAD);
	append(PM_JOURNAL_FLOOD, left - 8 - PM_LAYOUT_RECORD_HEAD);
	append(PM_JOURNAL_FLOOD, 100);
	uint8_t *edge = journal.map + PM_LAYOUT_SIZE - 8;
	ck_assert_uint_eq(pm_unpack_u32(edge), 8);
	pm_pack_u32(edge, 1000);
	open_reader(&reader, 0);
	move_to_the_edge(&reader);
	const uint64_t delivered = read_all(&reader);
	ck_assert_uint_eq(delivered + reader.lost, journal.published);
	pm_journal_reader_close(&reader);
}
END_TEST

void add_memory_tests(Suite *suite)
{
	TCase *tests = add_case(suite, "memory");

	tcase_add_test(tests, cannot_be_mapped_writable);
	tcase_add_test(tests, cannot_be_made_writable);
	tcase_add_test(tests, cannot_be_cut_or_written);
	tcase_add_test(tests, a_fork_has_no_writable_map);
	tcase_add_test(tests, descriptor_is_not_inherited);
	tcase_add_test(tests, no_journal);
	tcase_add_loop_test(tests, readers_beside_a_fast_writer, 0, 2);
	tcase_add_loop_test(tests, damaged_content, 0, 5);
	tcase_add_test(tests, damaged_size);
	tcase_add_test(tests, overtaken_at_the_edge);
}
