/* What the test files of the process room share. */
#ifndef PM_TESTS_UNIT_TEST_PROCESS_H
#define PM_TESTS_UNIT_TEST_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/signals.h"
#include "process/spawn.h"
#include "suite.h"

void add_signal_tests(Suite *suite);
void add_spawn_tests(Suite *suite);
void add_command_tests(Suite *suite);
void add_children_tests(Suite *suite);
void add_environment_tests(Suite *suite);
void add_guard_tests(Suite *suite);
void add_leftovers_tests(Suite *suite);
void add_registered_tests(Suite *suite);

extern struct pm_error error;

/* A signal set of the kernel's, with 32 and 33. */
pm_sigset blocked_now(void);

/* Forks. The child returns 0; it dies with the test, and after a while by itself. Check hears nothing
 * of what it asserts: it tells by its exit status. */
pid_t fork_child(void);

/* One that ends with a status of its own; one that lives until it is told to end. */
pid_t fork_exiting(int status);
pid_t fork_staying(void);

/* Waits for a child; its exit status, or -SIGNAL. */
int end_of(pid_t pid);

/* One byte, or -1 at the end of file. Fails the test if neither comes. */
int read_mark(int fd);

/* ---- commands ---- */

/* With our signals, and all else as ours. */
struct pm_command command_of(char *const *argv);
struct pm_spawn spawn_gated(char *const *argv);

/* Waits for the answer. */
enum pm_spawn_result result_of(const struct pm_spawn *spawn, int *failure);

/* A command that leaves a mark: `this_program mark FD THEN`. */
struct marked {
	int read_end;
	char write_end[16];
	char *argv[5];
};

/* The pipe's write end goes to the command, and nowhere else once it was spawned. */
void open_marked(struct marked *marked, const char *then);
void let_go(const struct marked *marked);
void close_marked(struct marked *marked);
bool has_mark(const struct marked *marked);

#endif
