/* burst: a command that has its supervisor make events.
 *
 * usage: burst SIGNALS
 *
 * Sends its parent so many real-time signals, takes those that come back, and ends: two events each.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const struct timespec patience = {.tv_sec = 10};
	unsigned long count = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	pid_t parent = getppid();
	sigset_t set;

	if (count == 0) {
		fprintf(stderr, "usage: burst SIGNALS\n");
		return 2;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* One at a time, so that no queue of the system's limits them. */
	for (unsigned long i = 0; i < count; i++) {
		if (sigqueue(parent, SIGRTMIN, (union sigval){.sival_int = (int)i}) == -1) {
			perror("sigqueue");
			return 1;
		}
		while (sigtimedwait(&set, NULL, &patience) == -1) {
			if (errno != EINTR) {
				fprintf(stderr, "burst: the signal does not come back\n");
				return 1;
			}
		}
	}
	return 0;
}
