/* What the test files of the log handler share: the plugin as a host sees it, and its output. */
#ifndef PM_TESTS_UNIT_TEST_LOG_H
#define PM_TESTS_UNIT_TEST_LOG_H

#include <check.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <panicmon/handler.h>

extern const struct panicmon_handler *handler;
extern char folder[64]; /* the test's own and empty; the working directory */

/* One instance of the handler. The host is its first member. */
struct rig {
	struct panicmon_host host;
	struct panicmon_value values[8];
	char failure[1024]; /* the last host->fail() */
	char said[1024];    /* the last host->log() */
	int said_count;
	void *self;
};

/* options: "key=value" each, NULL at the end; the others have their defaults. */
void rig_make(struct rig *rig, const char *const *options);
#define MAKE(rig, ...) rig_make(rig, (const char *const[]){__VA_ARGS__, NULL})
int rig_check(struct rig *rig);
int rig_open(struct rig *rig);
void rig_close(struct rig *rig);

/* MAKE and an open() that must succeed. */
#define OPEN(rig, ...)                                                                             \
	do {                                                                                       \
		MAKE(rig, __VA_ARGS__);                                                            \
		ck_assert_int_eq(rig_open(rig), 0);                                                \
	} while (0)

/* Through the slot of its type. */
int rig_send(struct rig *rig, const struct panicmon_event *event);

/* Sends an event with this seq. */
int rig_send_seq(struct rig *rig, uint64_t seq);

/* Of "api", pid 1234, at 2026-11-22T20:14:45.123456789Z, with the arguments ./api --port 80. */
struct panicmon_event make_event(enum panicmon_event_type type);

#define SET(event, FIELD, member, ...)                                                             \
	((event)->present |= UINT64_C(1) << PANICMON_HAS_##FIELD, (event)->member = __VA_ARGS__)

/* Sets every optional member, with these strings. */
void fill_event(struct panicmon_event *event, const char *text);

/* What a file or descriptor holds, to its end; for free(3). *length may be NULL. */
char *read_all(int fd, size_t *length);
char *read_file(const char *path, size_t *length);

/* The objects of a file, a line each; fails the test at a line that is none. */
json_t *read_lines(const char *path);
json_t *parse_line(const char *line);
int64_t number_of(const json_t *object, const char *key);

bool exists(const char *path);
mode_t mode_of(const char *path); /* its permissions */

/* Fails the test unless the file holds these events, and no more, a line each. */
void assert_seqs(const char *path, int64_t first, int64_t count);

/* Puts `fd` in the place of `standard`, until it is put back. */
int replace_fd(int standard, int fd);
void put_back_fd(int standard, int saved);

/* Bounds a wait for something that must come: `while (!done) { try; wait_more(&since); }`.
 * Sleeps a little, and fails the test after 10 seconds. */
void wait_more(int64_t *since_ns);

void add_format_tests(Suite *suite);
void add_sink_tests(Suite *suite);
void add_file_tests(Suite *suite);
void add_send_tests(Suite *suite);
TCase *add_case(Suite *suite, const char *name);

#endif
