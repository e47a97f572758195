/* panicmon/executor.h: runs commands from a C program, and tells it what happens to them.
 *
 *     struct panicmon_options options;
 *     char *const argv[] = {"sh", "-c", "exit 3", NULL};
 *
 *     panicmon_options_init(&options);
 *     options.process = &(const struct panicmon_process_ops){
 *         .size = sizeof(struct panicmon_process_ops), .exited = on_exited };
 *     struct panicmon_executor *executor = panicmon_executor_new(&options, argv, &error);
 *     if (executor == NULL || panicmon_run(&executor, 1) > 0)
 *         ...
 *     panicmon_executor_free(executor);
 *
 * While a command runs, the signals of `signals` that the program receives are passed on to it. The
 * command is in the program's process group, and is killed if the program dies. Link with
 * -lpanicmon (pkg-config libpanicmon). libpanicmon(3) has the rest.
 *
 * Threads: panicmon_run() is called on one thread at a time, which must live until it returns (the
 * kernel kills the command with the thread that started it, PR_SET_PDEATHSIG in prctl(2)) and on
 * which it makes all calls back. It blocks the signals that it takes on that thread; in all other
 * threads the program must block them itself, or a signal may be delivered there.
 *
 * SIGCHLD and other children stay the program's. One that waits for all of its children
 * (waitpid(-1)) in a handler of SIGCHLD takes the status of the commands away: their error is
 * ECHILD.
 *
 * Structs only grow at their ends; `size` says how much of one the caller knows.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef PANICMON_EXECUTOR_H
#define PANICMON_EXECUTOR_H

#include <stddef.h>
#include <stdint.h>

#include <panicmon/event.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What went wrong. The caller's; untouched where all is well. Where one is taken it may be NULL. */
struct panicmon_error {
	int code;        /* errno(3); 0: none applies */
	char text[1024]; /* a sentence for people */
};

enum panicmon_output_kind {
	PANICMON_INHERIT = 0,    /* the command writes where the program does */
	PANICMON_DISCARD = 1,    /* to /dev/null */
	PANICMON_DESCRIPTOR = 2, /* to `fd`, which stays the caller's */
	PANICMON_WRITE = 3       /* `write` gets every byte, in order */
};

/* Where the stdout or stderr of a command goes. */
struct panicmon_output {
	uint32_t kind; /* enum panicmon_output_kind */
	int fd;
	/* Called for each piece as it comes, the last before the command's end is told. What the
	 * command has written is complete then, also if a process that it has left behind holds its
	 * output open: that one finds a closed pipe. 0, or other: no more is wanted, and the rest
	 * is thrown away. The command waits while it does not return, and so does every signal. */
	int (*write)(void *arg, const char *data, size_t length);
	void *arg;
};

struct panicmon_options {
	uint32_t size;     /* set by panicmon_options_init() */
	uint32_t reserved; /* 0 */
	const char *name;  /* of the service in events; NULL: the command's, without its folders */
	uint64_t signals;  /* taken and passed on, panicmon_signal_bit() of each; all others keep
			    * their disposition */
	void *self;        /* the first argument of the functions in `process` and `signal` */
	const struct panicmon_process_ops *process; /* NULL: no interest */
	const struct panicmon_signal_ops *signal;   /* NULL: no interest */
	char *const *environment; /* "NAME=VALUE", NULL at the end; NULL: the program's own */
	struct panicmon_output output, errors; /* the command's stdout and stderr */
};

static inline uint64_t panicmon_signal_bit(int signal)
{
	return UINT64_C(1) << (signal - 1);
}

/* The defaults: nobody is told; output and environment are the program's own; all signals are
 * passed on but those that can't be (KILL, STOP), that are the program's own business (CHLD, and
 * those of a fault: ILL, TRAP, ABRT, BUS, FPE, SEGV, SYS), that stop the program and the command
 * alike (TSTP, TTIN, TTOU), and that the C library keeps (32, 33). A program whose timers or
 * descriptors send signals (alarm(2), timer_create(2), F_SETOWN) takes those out. */
PANICMON_EXPORT void panicmon_options_init_sized(struct panicmon_options *options, size_t size);

static inline void panicmon_options_init(struct panicmon_options *options)
{
	panicmon_options_init_sized(options, sizeof(*options));
}

/* 0, or -1 with an error that names the member. Has no side effects. */
PANICMON_EXPORT int panicmon_options_validate(const struct panicmon_options *options,
					      struct panicmon_error *error);

struct panicmon_executor;

/* One command with its options, all of which are copied, texts and functions included; what `self`
 * and `arg` point to must live as long as the executor. argv ends with NULL, and its first is
 * looked up in the PATH of the command's environment; an empty one fails when it is run. NULL with
 * an error: the options are not valid, or there is no memory. */
PANICMON_EXPORT struct panicmon_executor *panicmon_executor_new(
	const struct panicmon_options *options, char *const argv[], struct panicmon_error *error);

/* Not while it runs. NULL is freed already. */
PANICMON_EXPORT void panicmon_executor_free(struct panicmon_executor *executor);

/* Runs commands side by side until all have ended, and returns how many did not end well: with
 * another status than 0, by a signal, or not even started. Each can be run again later; one that
 * runs already is left alone, and counts. If there are too few descriptors or processes for all,
 * none is run. A signal goes to each command that takes it. Not within a function that it calls
 * (EBUSY).
 *
 * Every command is told of as started first, then as failed, or as exited, with which it ends. The
 * pid is 0 where there never was a process. A signal that was received is told as received, then as
 * passed, or as failed if the command is gone. */
PANICMON_EXPORT size_t panicmon_run(struct panicmon_executor *const executors[], size_t count);

/* Of the last run: what a shell would show, the exit code or 128 + signal. 0: it ended well, or it
 * was not started (then there is an error), or it has never been run. */
PANICMON_EXPORT int panicmon_executor_status(const struct panicmon_executor *executor);

/* Of the last run: why it did not end well; NULL: it did. Valid until the next run, or its end. */
PANICMON_EXPORT const struct panicmon_error *panicmon_executor_error(
	const struct panicmon_executor *executor);

/* "success", "exit status 3", "killed by SIGTERM" for 143... Written to `text`, and returned. */
PANICMON_EXPORT const char *panicmon_status_text(int status, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
