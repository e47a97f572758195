/* The executor room: somebody who sends signals, and a command whose queue is full. */
#include <config.h>

#include "test_executor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static int send_them(const struct to_send *what, pid_t target)
{
	for (int i = 0; i < what->count; i++) {
		const union sigval value = {.sival_int = i};

		if ((what->queued ? sigqueue(target, what->signal, value)
				  : kill(target, what->signal)) < 0)
			return -1;
	}
	return 0;
}

struct sender send_signals(const struct to_send *what, size_t count)
{
	const pid_t target = getpid();
	int ready[2], hold[2];
	char done;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(hold, O_CLOEXEC), 0);
	struct sender sender = {.pid = fork(), .pipe = hold[1]};
	if (sender.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "the-sender");
		close(hold[1]);
		done = 'y';
		for (size_t i = 0; i < count; i++)
			if (send_them(&what[i], target) < 0)
				done = 'n';
		if (write(ready[1], &done, 1) == 1 && read(hold[0], &done, 1) == 0)
			_exit(0);
		_exit(1);
	}
	ck_assert_int_gt(sender.pid, 0);
	close(hold[0]);
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &done, 1), 1);
	ck_assert_int_eq(done, 'y');
	close(ready[0]);
	return sender;
}

void send_signal(int signal, bool queued, int count)
{
	const struct to_send what = {.signal = signal, .queued = queued, .count = count};

	close(send_signals(&what, 1).pipe);
}

void start(void)
{
	pm_run_start(&together);
	for (size_t i = 0; i < together.count && is_under_valgrind(); i++) {
		struct pollfd interest = {
			.fd = together.executors[i].spawn.channel,
			.events = POLLIN,
		};

		if (interest.fd >= 0)
			ck_assert_int_eq(poll(&interest, 1, 60 * 1000), 1);
	}
}

/* All of them have the same: that of the user. */
static struct rlimit command_limit;

void close_the_queue(const struct pm_executor *of)
{
	ck_assert_int_eq(prlimit(of->spawn.pid, RLIMIT_SIGPENDING, NULL, &command_limit), 0);
	const struct rlimit none = {.rlim_cur = 0, .rlim_max = command_limit.rlim_max};
	ck_assert_int_eq(prlimit(of->spawn.pid, RLIMIT_SIGPENDING, &none, NULL), 0);
}

void open_the_queue(const struct pm_executor *of)
{
	ck_assert_int_eq(prlimit(of->spawn.pid, RLIMIT_SIGPENDING, &command_limit, NULL), 0);
}
