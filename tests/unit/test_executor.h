/* What the test files of the executor room share. */
#ifndef PM_TESTS_UNIT_TEST_EXECUTOR_H
#define PM_TESTS_UNIT_TEST_EXECUTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "executor/run.h"
#include "suite.h"
#include "told.h"

void add_pass_tests(Suite *suite);
void add_several_tests(Suite *suite);
void add_several_pass_tests(Suite *suite);
void add_stop_tests(Suite *suite);
void add_jobs_tests(Suite *suite);

extern size_t settled; /* calls of settle() */
extern int64_t telling_takes_ns;
extern void (*as_it_is_told)(const struct panicmon_event *event); /* NULL: nothing more is done */

extern struct pm_loop loop;
extern struct pm_children children;
extern struct pm_executor executor; /* the only one of `together` */
extern struct pm_run together;
extern struct pm_error error;

/* A test case that begins with all signals blocked, and nothing opened. */
TCase *add_case(Suite *suite, const char *name);

/* Opens the executor for `this_program ARGS...`, or for another command. The command finds all signals
 * blocked, so that it can take what comes before it is ready. */
void open_role(const char *role, const char *arg);
void open_command(char *const *argv);

/* The options that they use, for a command that is told of to the same sink. */
struct pm_executor_options options_of(char *const *argv);

/* ---- somebody who sends signals ---- */

struct sender {
	pid_t pid;
	int pipe; /* the sender lives until it is closed: its name can be looked up */
};

struct to_send {
	int signal;
	bool queued; /* with the value 0, 1, 2... */
	int count;
};

/* Returns when all was sent to this process, and waits there: all is blocked. The sender ends with
 * the test at the latest; the executor's children reap it. */
struct sender send_signals(const struct to_send *what, size_t count);

/* By a sender who goes at once. */
void send_signal(int signal, bool queued, int count);

/* Starts `together`. What comes between the command's fork and its exec must arrive. Only valgrind
 * loses it: then, lets the exec be over first. */
void start(void);

/* No signal can be queued for it any more, and again. */
void close_the_queue(const struct pm_executor *of);
void open_the_queue(const struct pm_executor *of);

/* ---- several commands ---- */

enum { SEVERAL = 3 };
extern struct pm_executor several[SEVERAL]; /* of `together`, the instances 1, 2, 3 */
extern struct pm_executor_options several_options[SEVERAL];

/* What a command says that has the role "hear", of each signal it got. */
struct heard {
	int signal, code, value;
	pid_t pid; /* that of the one who heard it */
};

/* Three that hear, each with a pipe of its own: first the options, then the run. */
void prepare_several(void);
void open_several(void);

/* In between: another role than that. */
void give_role(int index, const char *role, const char *arg);

/* What the command heard next; it must have heard something, or be about to. */
struct heard hear(int index);
bool has_heard(int index);

/* Turns the loop until so much was told. */
void turn_until_told(size_t count);

/* Asserts the types of what was told of a command, in their order; 0 at the end. */
void assert_told_of(int index, const uint32_t *types);
#define ASSERT_TOLD_OF(index, ...) assert_told_of(index, (const uint32_t[]){__VA_ARGS__, 0})

/* How much was told of a command; the nth of that, from 0. */
size_t told_count_of(int index);
const struct panicmon_event *told_of(int index, size_t nth);

/* Kills those that are left, and waits for them; nothing may be told of one after its end. */
void end_several(void);

int role_hear(const char *arg);
int role_family(const char *arg);
int role_wait(const char *arg);
int role_stay(const char *arg);

#endif
