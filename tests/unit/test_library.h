/* What the test files of the library share. They use what a program of others could use: the public
 * header, and nothing else of ours. */
#ifndef PM_TESTS_UNIT_TEST_LIBRARY_H
#define PM_TESTS_UNIT_TEST_LIBRARY_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include <panicmon/executor.h>

#include "suite.h"
#include "told.h"

void add_end_tests(Suite *suite);
void add_host_tests(Suite *suite);
void add_option_tests(Suite *suite);
void add_output_tests(Suite *suite);
void add_signal_tests(Suite *suite);

/* Called for each event, once it is among those that were told, if not NULL. */
extern void (*on_told)(const struct panicmon_event *event);

/* What the first run() or make() of a test begins with: all that happens goes to `told`. */
extern struct panicmon_options options;
extern struct panicmon_error error;
extern const struct panicmon_process_ops all_of_process;
extern const struct panicmon_signal_ops all_of_signals;

/* An output that is kept; the first MAX of its bytes. */
enum { WRITTEN_MAX = 1024 };
struct written {
	size_t length;
	char text[WRITTEN_MAX + 1];
	size_t calls;
	int result; /* of each call */
};
extern struct written written, complained;
struct panicmon_output keep_in(struct written *to);

/* A test case that begins with the default options but for functions that record all. */
TCase *add_case(Suite *suite, const char *name);

/* An executor with `options`, freed at the end of the test. */
struct panicmon_executor *make(char *const argv[]);
struct panicmon_executor *make_role(const char *role, const char *arg);
struct panicmon_executor *make_shell(const char *script);

/* One that ends by the first signal it gets, with its number or value; all signals must be blocked.
 * And `what` is done once it has been started. (Valgrind loses signals that come between fork and
 * exec: there, once it runs.) */
struct panicmon_executor *make_waiter(void (*what)(void));

/* Runs it alone. What panicmon_run() returned. */
size_t run(struct panicmon_executor *one);

/* Runs it, and asserts that all is well. */
void run_well(struct panicmon_executor *one);

/* The error of the last run; fails the test if there is none. */
const struct panicmon_error *error_of(const struct panicmon_executor *one);

/* The kernel's own mask of all 64 (glibc's functions leave two of them out). */
uint64_t mask(void);
void set_mask(uint64_t signals);
uint64_t ignored(void);

/* How many descriptors this process has; above stderr, and not close-on-exec. */
size_t count_descriptors(void);
size_t count_inherited(void);

/* The commands' side: what `this_program ROLE ARG` does. Its exit code. */
int play(int argc, char **argv);

#endif
