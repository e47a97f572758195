/* What the test files of the config room share. */
#ifndef PM_TESTS_UNIT_TEST_CONFIG_H
#define PM_TESTS_UNIT_TEST_CONFIG_H

#include <stddef.h>

#include "config/config.h"
#include "suite.h"

/* The last load. A test begins with none, in an empty folder of its own. */
extern struct pm_config config;
extern char *said; /* the complaints, a line each; NULL: none */
extern size_t said_count;

extern char start_folder[4096]; /* where the program was started */

void write_bytes(const char *path, const char *bytes, size_t size);
void write_text(const char *path, const char *text);

/* Returns the number of mistakes. */
size_t load_with(const char *file, const char *const *overrides, size_t count);

/* The complaints about a file a.ini with this text, or about one -o; "" for none. */
const char *complaints(const char *text);
const char *complaints_of(const char *override);
/* The complaints about a [process] with these lines, of which the first is a.ini:2. */
const char *about(const char *lines);

/* These fail the test if there is none. */
const struct pm_config_handler *handler(const char *name);
const struct pm_config_option *option(const char *of, const char *key);

TCase *add_case(Suite *suite, const char *name);
void add_value_tests(Suite *suite);
void add_mistake_tests(Suite *suite);
void add_file_tests(Suite *suite);
void add_process_tests(Suite *suite);
void add_process_mistake_tests(Suite *suite);

#endif
