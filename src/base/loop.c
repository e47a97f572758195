#include <config.h>

#include "base/loop.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define READABLE (EPOLLIN | EPOLLRDHUP)

int pm_loop_open(struct pm_loop *loop, struct pm_error *error)
{
	loop->timers = NULL;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0)
		return pm_error_set(error, errno, "cannot create an epoll instance");
	return 0;
}

void pm_loop_close(struct pm_loop *loop)
{
	pm_close(&loop->epoll);
}

static int control(struct pm_loop *loop, int operation, struct pm_source *source, uint32_t events)
{
	struct epoll_event interest = {.events = events, .data.ptr = source};

	return epoll_ctl(loop->epoll, operation, source->fd, &interest);
}

int pm_loop_add(struct pm_loop *loop, struct pm_source *source, struct pm_error *error)
{
	if (control(loop, EPOLL_CTL_ADD, source, READABLE) < 0)
		return pm_error_set(error, errno, "cannot wait for descriptor %d", source->fd);
	return 0;
}

void pm_loop_pause(struct pm_loop *loop, struct pm_source *source)
{
	control(loop, EPOLL_CTL_MOD, source, 0);
}

void pm_loop_resume(struct pm_loop *loop, struct pm_source *source)
{
	control(loop, EPOLL_CTL_MOD, source, READABLE);
}

void pm_loop_remove(struct pm_loop *loop, struct pm_source *source)
{
	control(loop, EPOLL_CTL_DEL, source, 0);
}

void pm_timer_clear(struct pm_loop *loop, struct pm_timer *timer)
{
	struct pm_timer **link = &loop->timers;

	if (!timer->set)
		return;
	while (*link != timer)
		link = &(*link)->next;
	*link = timer->next;
	timer->set = false;
}

void pm_timer_set(struct pm_loop *loop, struct pm_timer *timer, int64_t delay_ns)
{
	pm_timer_clear(loop, timer);
	timer->at = pm_clock_monotonic() + delay_ns;
	timer->next = loop->timers;
	timer->set = true;
	loop->timers = timer;
}

static struct pm_timer *earliest(const struct pm_loop *loop)
{
	struct pm_timer *first = loop->timers;

	for (struct pm_timer *timer = first; timer != NULL; timer = timer->next)
		if (timer->at < first->at)
			first = timer;
	return first;
}

/* Milliseconds for epoll_wait(2), rounded up so that a timer is due when it returns. */
static int wait_ms(const struct pm_timer *timer)
{
	if (timer == NULL)
		return -1;
	int64_t ns = timer->at - pm_clock_monotonic();
	if (ns <= 0)
		return 0;
	int64_t ms = (ns + PM_NS_PER_MS - 1) / PM_NS_PER_MS;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

void pm_loop_turn(struct pm_loop *loop)
{
	struct pm_timer *timer = earliest(loop);
	struct epoll_event event;

	/* One event a turn: a ready() may remove or close any other source without leaving a stale
	 * pointer behind in a batch. */
	if (epoll_wait(loop->epoll, &event, 1, wait_ms(timer)) == 1) {
		struct pm_source *source = event.data.ptr;

		source->ready(source);
	}
	/* Also after an event, or a storm of them would hold every timer back. */
	timer = earliest(loop);
	if (timer != NULL && timer->at <= pm_clock_monotonic()) {
		pm_timer_clear(loop, timer);
		timer->due(timer);
	}
}
