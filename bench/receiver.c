/* receiver: a command that stamps the signals it gets.
 *
 * usage: receiver [COUNT]
 *
 * Blocks all signals and writes struct stamps (supervised.h) to descriptor 3: zeros when it is ready,
 * then, after every COUNT signals (default 1), when the first and the last of them came. SIGCONT
 * does not count. Ends with status 0 at TERM, INT, QUIT or HUP, with its supervisor, and when for a
 * minute there is no signal: whoever has started them may be gone.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "supervised.h"

enum { REPORT_FD = 3, PATIENCE_S = 60 };

static bool is_end(int signal)
{
	return signal == SIGTERM || signal == SIGINT || signal == SIGQUIT || signal == SIGHUP ||
	       (signal == -1 && errno == EAGAIN);
}

static bool report(const struct stamps *stamps)
{
	return write(REPORT_FD, stamps, sizeof(*stamps)) == sizeof(*stamps);
}

/* Returns when it is to end. */
static void receive(const sigset_t *all, unsigned long count)
{
	const struct timespec patience = {.tv_sec = PATIENCE_S};
	struct stamps stamps = {0};

	for (unsigned long taken = 0;;) {
		siginfo_t info;
		int signal = sigtimedwait(all, &info, &patience);
		int64_t now = now_ns();

		if (is_end(signal))
			return;
		if (signal == -1 || signal == SIGCONT)
			continue;
		if (++taken == 1)
			stamps.first_ns = now;
		stamps.last_ns = now;
		if (taken < count)
			continue;
		taken = 0;
		if (!report(&stamps))
			return;
	}
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (!report(&(struct stamps){0}))
		return 2;
	receive(&all, count);
	return 0;
}
