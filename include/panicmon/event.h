/* panicmon/event.h: what happened to a supervised command.
 *
 * Part of the handler ABI (see panicmon/handler.h) and of the executor library.
 * This struct only ever grows at its end; `size` says how much of it the caller knows.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef PANICMON_EVENT_H
#define PANICMON_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum panicmon_event_type {
	PANICMON_PROCESS_STARTED = 1, /* the pid is known, execve(2) is about to run */
	PANICMON_PROCESS_FAILED = 2,  /* the command could not be started: `error` */
	PANICMON_PROCESS_EXITED = 3,  /* the command has ended; the last event of a run */
	PANICMON_SIGNAL_RECEIVED = 4, /* panicmon got a signal, which is to be passed on to `pid` */
	PANICMON_SIGNAL_PASSED = 5,   /* the kernel took it for `target_pid` */
	PANICMON_SIGNAL_FAILED = 6,   /* it could not be passed on: `error` */
	/* `handler`, another one than this, has missed events: `lost`, `dropped` */
	PANICMON_HANDLER_LOST = 7,
	/* after failures a run has been stable, or has ended well; to handlers with PANICMON_ALERTS
	 * only (1.1) */
	PANICMON_PROCESS_RECOVERED = 8
};

/* The values of syslog(3), so that they can be handed to it as they are. */
enum panicmon_severity {
	PANICMON_FATAL = 2, /* a crash */
	PANICMON_ERROR = 3,
	PANICMON_WARNING = 4,
	PANICMON_NOTICE = 5,
	PANICMON_INFO = 6,
	PANICMON_DEBUG = 7
};

enum panicmon_reason {
	PANICMON_REASON_EXITED = 1,      /* by exit(3): `code` */
	PANICMON_REASON_SIGNALED = 2,    /* by `signal` */
	PANICMON_REASON_OOM_KILLED = 3,  /* by SIGKILL, and its cgroup has counted an OOM kill */
	PANICMON_REASON_MONITOR_DIED = 4, /* panicmon itself was killed, and the command with it */
	PANICMON_REASON_STOP_TIMEOUT = 5  /* by SIGKILL from panicmon, `stop_timeout` after it was asked
					   * to stop (1.1) */
};

/* Which of the members below the line are set: panicmon_event_has(event, PANICMON_HAS_CODE). */
enum panicmon_field {
	PANICMON_HAS_ERROR,
	PANICMON_HAS_CODE,
	PANICMON_HAS_SIGNAL,
	PANICMON_HAS_CORE,
	PANICMON_HAS_STATUS,
	PANICMON_HAS_REASON,
	PANICMON_HAS_RUNTIME_MS,
	PANICMON_HAS_CPU_USER_US,
	PANICMON_HAS_CPU_SYSTEM_US,
	PANICMON_HAS_MAX_RSS_KB,
	PANICMON_HAS_STOP_REQUESTED,
	PANICMON_HAS_STOP_SIGNAL,
	PANICMON_HAS_STOP_PID,
	PANICMON_HAS_STOP_UID,
	PANICMON_HAS_SENDER_PID,
	PANICMON_HAS_SENDER_UID,
	PANICMON_HAS_SENDER_COMMAND,
	PANICMON_HAS_SI_CODE,
	PANICMON_HAS_VALUE,
	PANICMON_HAS_TARGET_PID,
	PANICMON_HAS_STDERR_TAIL,
	PANICMON_HAS_INSTANCE,
	PANICMON_HAS_HANDLER,
	PANICMON_HAS_LOST,
	PANICMON_HAS_DROPPED,
	PANICMON_HAS_TEST,
	PANICMON_HAS_INCIDENT, /* 1.1 */
	PANICMON_HAS_CRASHES   /* 1.1 */
};

struct panicmon_event {
	uint32_t size;           /* sizeof(struct panicmon_event) of the panicmon that made it */
	uint32_t type;           /* enum panicmon_event_type */
	uint64_t present;        /* bit 1 << enum panicmon_field for each member that is set */
	uint64_t seq;            /* 1, 2, 3... in this run; with `run` a stable id of the event. Of
				  * process.recovered, which no journal has: 2^52 + that of the event
				  * that it came after */
	int64_t time_ns;         /* CLOCK_REALTIME, nanoseconds since the epoch */
	uint32_t severity;       /* enum panicmon_severity */
	int32_t pid;             /* of the command; 0 where it never got one */
	const char *run;         /* id of this run: 32 hexadecimal digits */
	const char *name;        /* of the service: -n, `name =`, or the command's base name */
	const char *host;        /* gethostname(2) */
	const char *const *args; /* command and arguments, NULL at the end; secrets redacted */
	uint32_t argc;
	/* 1, then 2, 3... after each RETRY in a process, and each process that has ended with it in its
	 * hands. What was HELD as another event ended the process comes with 1 again. */
	uint32_t attempt;

	/* ---- each only where panicmon_event_has() says so ---- */

	int32_t error;          /* failed: errno(3) */
	int32_t code;           /* exited: the exit code, -1 if a signal ended it */
	int32_t signal;         /* signal.*: its number, as it came or as it was passed on; exited:
				 * the one that ended it */
	int32_t core;           /* exited: 1 if a core was dumped */
	int32_t status;         /* exited, failed: what a shell shows, the code or 128 + signal */
	int32_t reason;         /* exited: enum panicmon_reason */
	int64_t runtime_ms;     /* exited: milliseconds since process.started, CLOCK_MONOTONIC */
	int64_t cpu_user_us;    /* exited: microseconds, with waited-for children, getrusage(2) */
	int64_t cpu_system_us;  /* exited */
	int64_t max_rss_kb;     /* exited: KiB */
	int32_t stop_requested; /* exited: 1 if TERM, INT or QUIT was passed on before */
	int32_t stop_signal;    /* exited: the last of those, with its sender */
	int32_t stop_pid;       /* as sender_pid; none if the kernel sent it, as for Ctrl-C */
	int32_t stop_uid;       /* as sender_uid */
	int32_t sender_pid;     /* signal.*: 0 if outside our pid namespace */
	int32_t sender_uid;     /* signal.*: to be cast to uid_t, as large ones are negative here */
	const char *sender_command; /* signal.*: /proc/PID/comm, if the sender was still there */
	int32_t si_code;            /* signal.*: sigaction(2) */
	int32_t value;              /* signal.*: sival_int of a signal sent by sigqueue(3) */
	int32_t target_pid;         /* signal.passed, signal.failed */
	const char *stderr_tail;    /* exited: the end of its stderr; not set by this version */
	int32_t instance;           /* 1, 2...: which of several of the same command */
	const char *handler;        /* handler.lost: NAME of its section [handler:NAME] */
	int64_t lost;               /* handler.lost: events overwritten before it could get them */
	int64_t dropped;            /* handler.lost: events that it gave up, or that it died of */
	int32_t test;               /* 1: nothing has happened; sent by panicmonctl test-fire */
	/* To handlers with PANICMON_ALERTS, of failures and recoveries (1.1): */
	const char *incident; /* the same for all failures of the service on this host */
	int64_t crashes; /* how many failures the event stands for; recovered: all of the incident */
};

/* Who is told of the process: a slot for each event of that kind; NULL: no interest. `self` is the
 * handler's own. A handler plugin returns enum panicmon_result (panicmon/handler.h; a NULL slot is DONE);
 * with the executor library (panicmon/executor.h) the result means nothing. */
struct panicmon_process_ops {
	uint32_t size; /* sizeof(struct panicmon_process_ops) when it was compiled */
	int (*started)(void *self, const struct panicmon_event *event);
	int (*failed)(void *self, const struct panicmon_event *event);
	int (*exited)(void *self, const struct panicmon_event *event);
	int (*recovered)(void *self, const struct panicmon_event *event); /* 1.1 */
};

/* Likewise of the signals. */
struct panicmon_signal_ops {
	uint32_t size;
	int (*received)(void *self, const struct panicmon_event *event);
	int (*passed)(void *self, const struct panicmon_event *event);
	int (*failed)(void *self, const struct panicmon_event *event);
};

#if defined(__GNUC__)
#define PANICMON_EXPORT __attribute__((visibility("default")))
#else
#define PANICMON_EXPORT
#endif

static inline bool panicmon_event_has(const struct panicmon_event *event, enum panicmon_field field)
{
	return (event->present >> field & 1) != 0;
}

#ifdef __cplusplus
}
#endif
#endif
