/* panicmon/handler.h: all that a handler plugin includes.
 *
 * A handler is a shared object that exports one constant descriptor:
 *
 *     PANICMON_HANDLER = {
 *         .magic = PANICMON_HANDLER_MAGIC,
 *         .size = sizeof(struct panicmon_handler),
 *         .minor = PANICMON_HANDLER_MINOR,
 *         .name = "beep", .version = "1.0", .summary = "beeps on a crash",
 *         .process = &(const struct panicmon_process_ops){
 *             .size = sizeof(struct panicmon_process_ops), .exited = beep },
 *     };
 *
 * panicmon loads it in a process of its own (a "handler host"), never in the process that
 * supervises the command. One thread makes every call, never two at once, and events come in the
 * order of their `seq`. Whatever a handler does, the command does not notice. Any call may block, up to
 * the `timeout` of its section. A process that takes longer, or crashes, is killed and started again, and
 * gets the event that it was working on once more; one that ends it three times is set aside.
 *
 * A handler finds all signals blocked but SIGCHLD (so write(2) fails with EPIPE or EFBIG where
 * SIGPIPE or SIGXFSZ would end it), and but SIGALRM, which is ignored, and SIGRTMAX, which are
 * panicmon's; /dev/null on descriptor 0, and 1 and 2 open. A program that it starts inherits that.
 * The other descriptors that it finds open are panicmon's, and not to be closed.
 *
 * Everything passed in belongs to panicmon and is valid until the call returns, unless a comment
 * says otherwise. The descriptor and all that it points to is the plugin's, and stays as it is as long
 * as the process. Members are only ever appended; a missing tail reads as NULL or 0.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef PANICMON_HANDLER_H
#define PANICMON_HANDLER_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <panicmon/event.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PANICMON_HANDLER_MAGIC UINT32_C(0x314d4350) /* "PCM1" in memory on little-endian machines */
#define PANICMON_HANDLER_MAJOR 1 /* part of the symbol's name: another major is another symbol */
#define PANICMON_HANDLER_MINOR 1 /* raised when something is appended */
#define PANICMON_HANDLER_SYMBOL "panicmon_handler_1"

/* What a handler says of an event, and of open() and flush(). Any other value is taken as DROP and
 * reported. */
enum panicmon_result {
	PANICMON_DONE = 0,  /* delivered; it will not come again */
	PANICMON_HELD = 1,  /* kept in a batch; delivered at the next flush() that is DONE */
	PANICMON_RETRY = 2, /* not now: panicmon waits, longer each time, and calls again */
	PANICMON_DROP = 3,  /* can never succeed: counted and reported */
	PANICMON_DEAD = 4   /* this handler is finished: no more calls but close() */
};

/* Why flush() or close() is called. */
enum panicmon_why {
	PANICMON_BATCH = 1, /* events are held and none is waiting */
	PANICMON_DRAIN = 2, /* the run has ended */
	PANICMON_LOST = 3   /* panicmon itself was killed; nothing will wait for you any longer */
};

enum panicmon_option_type {
	PANICMON_TEXT = 1,     /* value.text */
	PANICMON_BOOL = 2,     /* yes, no, true, false, on, off, 1, 0: value.number is 1 or 0 */
	PANICMON_NUMBER = 3,   /* value.number */
	PANICMON_DURATION = 4, /* 500ms, 2s, 5m, 1h; bare: seconds. value.number in milliseconds */
	PANICMON_SIZE = 5,     /* 512, 64k, 8M, 1G (powers of 1024): value.number in bytes */
	PANICMON_CHOICE = 6    /* one of `choices`: value.number is its index */
};

/* One key of the handler's section in the config. Names hold no dot. */
struct panicmon_option {
	const char *name;
	uint32_t type;              /* enum panicmon_option_type */
	uint32_t required;          /* 1: a section without it is refused */
	const char *value;          /* the default, written as in the config; NULL: none */
	const char *help;           /* one line, for people */
	const char *const *choices; /* PANICMON_CHOICE: the names, NULL at the end */
	int64_t min, max;           /* of numbers, ms, bytes; both 0: any that is not negative */
};

/* The value of the option at the same index of the handler's table. Valid as long as the host. */
struct panicmon_value {
	const char *text; /* as written, or the default; NULL if there is neither */
	int64_t number;
	uint32_t given; /* 1: written by the user */
	uint32_t reserved;
};

/* What panicmon offers to a handler. Valid as long as the host; its functions only on the thread
 * that panicmon calls the handler on. None of them blocks for longer than a write(2) to a pipe that is
 * read, and none fails. */
struct panicmon_host {
	uint32_t size;
	uint16_t major, minor; /* of the ABI that this panicmon speaks */
	const char *handler;   /* NAME of [handler:NAME]: one .so may serve under several */
	const char *service;   /* `name` of the events */

	/* Prints lines on panicmon's stderr, marked with the handler's name, as is what the handler
	 * writes to its stdout and stderr. Not more than some fifty a second, of 500 bytes each; longer
	 * ones are cut into several. `severity` is an enum panicmon_severity, and not shown. See
	 * panicmon_log(). */
	void (*log)(const struct panicmon_host *host, uint32_t severity, const char *text);

	/* Says why the call that is running fails; the text is copied, up to 1023 bytes. check() and open() hand its
	 * result on, -1: `return host->fail(host, "cannot open ...");`. Before a DROP it is the reason
	 * that people are told. See panicmon_fail(). */
	int (*fail)(const struct panicmon_host *host, const char *text);

	/* The call that is running makes progress: its `timeout` begins anew. Not start_timeout, nor
	 * drain_timeout. */
	void (*alive)(const struct panicmon_host *host);

	/* If the call that is running, open(), one for an event or flush(), returns RETRY, it is made
	 * again after delay_ms, not after what panicmon would wait by itself (100 ms doubling to 30 s).
	 * At the end of the run it may be made sooner. */
	void (*retry_in)(const struct panicmon_host *host, uint32_t delay_ms);

	/* Calls tick() once, delay_ms from now or later, also while an event waits to be tried again;
	 * replaces what was asked for before; 0: not at all. For open() and after: one that returns RETRY
	 * has to ask anew. */
	void (*tick_in)(const struct panicmon_host *host, uint32_t delay_ms);

	/* panicmon's own stdout and stderr, for a handler whose business it is to write there: its flags
	 * have PANICMON_WANTS_OUTPUT. Else -1. A write to them may block. */
	int output, errors;
};

/* What happens to panicmon itself. Returns enum panicmon_result; a NULL slot is DONE. */
struct panicmon_monitor_ops {
	uint32_t size;
	int (*lost)(void *self, const struct panicmon_event *event); /* handler.lost, of others */
};

/* Of panicmon_handler.flags. */
enum {
	PANICMON_WANTS_OUTPUT = 1 << 0, /* host->output and host->errors */
	/* It calls people: the first failure (process.failed; process.exited of ERROR or worse) comes
	 * at once, those after it as one for each `alert_window`, and process.recovered when it is
	 * over. 1.1; see panicmon-handler(7). */
	PANICMON_ALERTS = 1 << 1,
};

struct panicmon_handler {
	uint32_t magic; /* PANICMON_HANDLER_MAGIC */
	uint32_t size;  /* sizeof(struct panicmon_handler) when it was compiled */
	uint16_t minor; /* PANICMON_HANDLER_MINOR when it was compiled */
	uint16_t needs; /* the lowest minor it can work with */
	const char *name, *version, *summary;  /* for people; short ones, without a newline */
	const struct panicmon_option *options; /* option_count of them, each option_size bytes */
	uint32_t option_count, option_size;    /* option_size = sizeof(struct panicmon_option) */

	/* Looks at the options without side effects, before open(); `panicmonctl check` calls nothing but
	 * this. 0, or -1 after host->fail(). `values` stay as long as the process. May be NULL. */
	int (*check)(const struct panicmon_host *host, const struct panicmon_value *values);

	/* Gets ready, once in each process: in the first of them before the command is started, which
	 * waits for it up to start_timeout. *self, NULL before, is the plugin's and handed to every later
	 * call. 0; -1 after host->fail(): the start is refused, or a handler that was to be started again
	 * is given up; PANICMON_RETRY: the command is started meanwhile, and open() is called again.
	 * `values` stay as long as the process. May be NULL. */
	int (*open)(const struct panicmon_host *host, const struct panicmon_value *values,
		    void **self);

	/* Sends what is HELD, within budget_ms: the shorter of `timeout`, which ends the process, and
	 * drain_timeout. DONE: all of it is delivered; RETRY: later, and meanwhile events come as before;
	 * DROP: given up; DEAD. Called whenever no event is waiting, so a handler that wants larger
	 * batches uses host->retry_in(). May be NULL if nothing is ever HELD. */
	int (*flush)(void *self, uint32_t budget_ms, int why /* enum panicmon_why */);

	/* The last call. Frees self. Not made if open() has failed, nor in a process that is killed or
	 * ends itself. May be NULL. */
	void (*close)(void *self, int why /* enum panicmon_why */);

	const struct panicmon_process_ops *process; /* NULL: no interest */
	const struct panicmon_signal_ops *signal;   /* NULL: no interest */

	/* What host->tick_in() has asked for: a heartbeat, the end of a batch. DONE or DEAD. May be NULL
	 * if it never asks. */
	int (*tick)(void *self);
	const struct panicmon_monitor_ops *monitor; /* NULL: no interest */
	uint32_t flags;
	uint32_t reserved; /* 0 */
};

/* Opens the definition of the descriptor. */
#ifdef __cplusplus
#define PANICMON_HANDLER extern "C" PANICMON_EXPORT const struct panicmon_handler panicmon_handler_1
#else
#define PANICMON_HANDLER PANICMON_EXPORT const struct panicmon_handler panicmon_handler_1
#endif

extern PANICMON_EXPORT const struct panicmon_handler panicmon_handler_1;

#if defined(__GNUC__)
#define PANICMON_PRINTF(text, first) __attribute__((format(printf, text, first), unused))
#else
#define PANICMON_PRINTF(text, first)
#endif

/* host->log() as printf(3); at most 1023 bytes. */
static PANICMON_PRINTF(3, 4) void panicmon_log(const struct panicmon_host *host, uint32_t severity,
					       const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	host->log(host, severity, text);
}

/* host->fail() as printf(3): `return panicmon_fail(host, "cannot open '%s'", path);` */
static PANICMON_PRINTF(2, 3) int panicmon_fail(const struct panicmon_host *host, const char *format,
					       ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return (host->fail)(host, text); /* not a macro of somebody else, such as of Check */
}

#ifdef __cplusplus
}
#endif
#endif
