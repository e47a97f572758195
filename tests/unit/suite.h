/* What every unit test program has: its cases and how they are run; and what tests of several rooms ask of
 * the machine. */
#ifndef PM_TESTS_UNIT_SUITE_H
#define PM_TESTS_UNIT_SUITE_H

#include <check.h>
#include <stdbool.h>
#include <sys/types.h>

/* A case of the suite, with time enough for valgrind on a busy machine. set_up and tear_down (each may be
 * NULL) are called in the process of each test; tear_down is not if the test failed. */
TCase *make_case(Suite *suite, const char *name, void (*set_up)(void), void (*tear_down)(void));

/* Runs all that the functions add, for main() to return what this does. Then removes the folders of the
 * tests, and ends the processes that they left behind: nobody else knows of them, and they would hold the
 * output of `make check` open. */
#define RUN_SUITE(name, ...) run_suite(name, (void (*const[])(Suite *)){__VA_ARGS__, NULL})
int run_suite(const char *name, void (*const *add_tests)(Suite *));

/* An empty folder of the test's own; enter_folder() makes it the working directory too. Each may be a set_up. */
void make_folder(void);
void enter_folder(void);
extern char folder[64]; /* its path */

/* The path of this program, which plays the commands that its tests start as well. */
extern char this_program[4096];

/* valgrind keeps some signals and RLIMIT_NOFILE for itself, and does not survive a failed execve(2) with
 * arguments that are too long, nor stops as others do: what depends on that is left out under it. */
bool is_under_valgrind(void);

/* How many descriptors this process has, in numbers to compare: the one that counts is among them. */
int open_descriptors(void);

/* Waits until a child has ended, but leaves it to be reaped. */
void wait_for_zombie(pid_t pid);

#endif
