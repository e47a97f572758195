/* What the test files of the log handler share: its events and its output. */
#ifndef PM_TESTS_UNIT_TEST_LOG_H
#define PM_TESTS_UNIT_TEST_LOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "plugin_rig.h"
#include "sample_events.h"
#include "suite.h"

/* Sends an event with this seq. */
int rig_send_seq(struct rig *rig, uint64_t seq);

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
