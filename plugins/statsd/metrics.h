/* metrics.h: which metrics an event becomes. */
#ifndef PM_STATSD_METRICS_H
#define PM_STATSD_METRICS_H

#include <panicmon/event.h>

#include "outbox.h"

enum { PM_STATSD_RUNNING_MAX = 64 };

/* Commands that run, for the heartbeat. */
struct pm_statsd_running {
	struct {
		int32_t pid;      /* 0: none */
		int64_t since_ns; /* CLOCK_MONOTONIC */
	} all[PM_STATSD_RUNNING_MAX];
	bool known; /* one has been started, or could not be */
};

struct pm_statsd_metrics {
	struct pm_statsd_outbox *outbox;
	struct pm_statsd_running running;
	bool notices; /* dogstatsd's events and service checks */
};

void pm_statsd_tell_started(struct pm_statsd_metrics *metrics, const struct panicmon_event *event);
void pm_statsd_tell_failed(struct pm_statsd_metrics *metrics, const struct panicmon_event *event);
void pm_statsd_tell_exited(struct pm_statsd_metrics *metrics, const struct panicmon_event *event);
void pm_statsd_tell_signal(struct pm_statsd_metrics *metrics, const struct panicmon_event *event);
void pm_statsd_tell_lost(struct pm_statsd_metrics *metrics, const struct panicmon_event *event);

/* process.up and process.uptime, once it is known whether there is a command. */
void pm_statsd_tell_heartbeat(struct pm_statsd_metrics *metrics);

#endif
