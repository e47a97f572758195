#include <config.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "handler/deliver.h"

int pm_backoff_ms(unsigned failures)
{
	enum { FIRST = 100, LAST = 30 * 1000 };
	int wait = FIRST;

	while (failures-- > 0 && wait < LAST)
		wait *= 2;
	return wait < LAST ? wait : LAST;
}

void pm_delivery_enter(struct pm_delivery *delivery)
{
	struct pm_host_page *page = delivery->setup->page;

	delivery->reason[0] = '\0';
	delivery->retry_in_ms = -1;
	if (delivery->setup->test)
		delivery->entered_ns = pm_clock_monotonic();
	atomic_fetch_add(&page->calls, 1);
	/* Woken by the clock: panicmon does not look at one that sleeps. */
	if (atomic_exchange(&page->asleep, 0) != 0)
		pm_host_nudge(delivery->setup);
}

void pm_delivery_leave(struct pm_delivery *delivery)
{
	atomic_fetch_add(&delivery->setup->page->calls, 1);
}

void pm_delivery_tick(struct pm_delivery *delivery)
{
	const struct panicmon_handler *handler = &delivery->module->handler;

	if (delivery->tick_at_ns == 0 || pm_clock_monotonic() < delivery->tick_at_ns)
		return;
	delivery->tick_at_ns = 0;
	if (handler->tick == NULL || delivery->finished)
		return;
	pm_delivery_enter(delivery);
	int result = handler->tick(delivery->self);
	pm_delivery_leave(delivery);
	delivery->finished = result == PANICMON_DEAD;
}

/* Milliseconds for poll(2), rounded up, so that it is time when they are over; -1: for ever. */
static int wait_ms(int64_t until_ns)
{
	if (until_ns == PM_NEVER)
		return -1;
	int64_t ns = until_ns - pm_clock_monotonic();
	if (ns <= 0)
		return 0;
	int64_t ms = (ns + PM_NS_PER_MS - 1) / PM_NS_PER_MS;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* Whether the socket's end is panicmon's. Its descriptors go a little before a process does; a plugin may
 * have shut the socket down as well, or closed it and got its number for one of its own, which is no
 * reason to kill the commands. */
static bool is_monitor_gone(const struct pm_host_setup *setup)
{
	const struct timespec pause = {.tv_nsec = PM_NS_PER_MS};
	const int64_t until_ns = pm_clock_monotonic() + PM_NS_PER_S;

	/* By the clock: on a busy machine a pause is longer, and panicmon waits not much more than
	 * that for the end of a host without a socket. */
	while (getppid() == setup->monitor && pm_clock_monotonic() < until_ns)
		nanosleep(&pause, NULL);
	return getppid() != setup->monitor;
}

/* Only a new host can go on. */
static void __attribute__((noreturn)) leave_without_socket(const struct pm_host_setup *setup)
{
	dprintf(STDERR_FILENO,
		"descriptor %d of its host was closed or shut down by the handler, which must "
		"leave alone what it has not opened\n",
		setup->socket);
	_exit(1);
}

/* Takes a message. False: there was none in time. */
static bool receive(struct pm_delivery *delivery, int timeout_ms)
{
	const struct pm_host_setup *setup = delivery->setup;
	struct pollfd interest = {.fd = setup->socket, .events = POLLIN};
	char message;

	/* A socket at its end is always readable. */
	if (poll(&interest, !delivery->monitor_died, timeout_ms) <= 0)
		return false;
	ssize_t got = recv(setup->socket, &message, sizeof(message), MSG_DONTWAIT);
	if (got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN)))
		return true;
	/* ECONNRESET is its end, too: with a message of ours that it has not read. */
	if ((got < 0 && errno != ECONNRESET) || !is_monitor_gone(setup))
		leave_without_socket(setup);
	delivery->monitor_died = true;
	pm_host_monitor_died(setup);
	return true;
}

bool pm_delivery_sleep(struct pm_delivery *delivery, int64_t until_ns)
{
	if (delivery->tick_at_ns != 0 && delivery->tick_at_ns < until_ns)
		until_ns = delivery->tick_at_ns;
	return receive(delivery, wait_ms(until_ns));
}

void pm_delivery_wait(struct pm_delivery *delivery, int64_t until_ns)
{
	while (!delivery->finished && pm_clock_monotonic() < until_ns) {
		if (pm_delivery_sleep(delivery, until_ns))
			return;
		pm_delivery_tick(delivery);
	}
}

int64_t pm_delivery_retry_at(struct pm_delivery *delivery, unsigned failures)
{
	bool ended = pm_journal_has_ended(&delivery->reader);
	int64_t backoff_ms = pm_backoff_ms(ended ? 0 : failures);
	int64_t asked_ms = delivery->retry_in_ms;

	pm_alerting_goes_on(delivery);
	if (asked_ms < 0 || (ended && asked_ms > backoff_ms))
		asked_ms = backoff_ms;
	return pm_clock_monotonic() + asked_ms * PM_NS_PER_MS;
}

void pm_delivery_wait_to_retry(struct pm_delivery *delivery, unsigned failures)
{
	pm_delivery_wait(delivery, pm_delivery_retry_at(delivery, failures));
}
