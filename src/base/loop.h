/* base/loop.h: one thread waiting for descriptors and deadlines (epoll(7)).
 *
 * Sources and timers belong to their owners and must stay where they are while they are added.
 * With no timer set, waiting makes no system call until a descriptor is ready.
 */
#ifndef PM_BASE_LOOP_H
#define PM_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct pm_source {
	int fd;
	void (*ready)(struct pm_source *source);
	void *owner;
};

struct pm_timer {
	int64_t at; /* CLOCK_MONOTONIC, ns */
	void (*due)(struct pm_timer *timer);
	void *owner;
	struct pm_timer *next;
	bool set;
};

struct pm_loop {
	int epoll;
	struct pm_timer *timers; /* unsorted: there are a few for each handler and command */
};

int pm_loop_open(struct pm_loop *loop, struct pm_error *error);
void pm_loop_close(struct pm_loop *loop);

/* Calls source->ready whenever source->fd can be read, or its other end is gone. */
int pm_loop_add(struct pm_loop *loop, struct pm_source *source, struct pm_error *error);

/* Reports nothing of an added source, or reports again. Cannot fail, unlike adding. */
void pm_loop_pause(struct pm_loop *loop, struct pm_source *source);
void pm_loop_resume(struct pm_loop *loop, struct pm_source *source);

/* Before source->fd is closed: another process may still hold the same open file, and epoll would
 * go on reporting it. Safe within any ready(). */
void pm_loop_remove(struct pm_loop *loop, struct pm_source *source);

/* (Re)arms: timer->due is called once, delay_ns from now or later. */
void pm_timer_set(struct pm_loop *loop, struct pm_timer *timer, int64_t delay_ns);
void pm_timer_clear(struct pm_loop *loop, struct pm_timer *timer);

/* Waits for and dispatches what is next. Never fails: an error of epoll_wait is waited out. */
void pm_loop_turn(struct pm_loop *loop);

#endif
