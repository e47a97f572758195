/* What the test files of the process room share. */
#ifndef PM_TESTS_UNIT_TEST_PROCESS_H
#define PM_TESTS_UNIT_TEST_PROCESS_H

#include <check.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/signals.h"

void add_signal_tests(Suite *suite);
void add_spawn_tests(Suite *suite);
void add_children_tests(Suite *suite);

extern struct pm_error error;

/* This program, which plays the command as well: `self ROLE ARG...`. */
extern char self[4096];

/* valgrind keeps some signals and RLIMIT_NOFILE for itself, and does not survive a failed execve(2) with
 * arguments that are too long, nor stops as others do: what depends on that is left out under it. */
bool is_under_valgrind(void);

/* A signal set of the kernel's, with 32 and 33. */
pm_sigset blocked_now(void);

/* Forks. The child returns 0; it dies with the test, and after a while by itself. Check hears nothing
 * of what it asserts: it tells by its exit status. */
pid_t fork_child(void);

/* Waits for a child; its exit status, or -SIGNAL. */
int end_of(pid_t pid);

/* Waits until a child has ended, but leaves it to be reaped. */
void wait_for_zombie(pid_t pid);

/* One byte, or -1 at the end of file. Fails the test if neither comes. */
int read_mark(int fd);

#endif
