/* sigqueue_storm: queues many signals with values to one process, losing none on the way.
 *
 * usage: sigqueue_storm PID COUNT [SIGNAL [FIRST]]
 *
 * Sends SIGNAL (default SIGRTMIN) COUNT times with the values FIRST (default 0), FIRST + 1...
 * A full queue of the receiver (EAGAIN, RLIMIT_SIGPENDING) is waited out for as long as it lives.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int number(const char *text, long min)
{
	char *end;

	errno = 0;
	long value = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < min || value > INT_MAX) {
		fprintf(stderr, "sigqueue_storm: not a number from %ld to %d: %s\n", min, INT_MAX,
			text);
		exit(2);
	}
	return (int)value;
}

static int send_one(pid_t pid, int signal, int value)
{
	const struct timespec pause = {.tv_nsec = 50000};

	while (sigqueue(pid, signal, (union sigval){.sival_int = value}) == -1) {
		if (errno != EAGAIN)
			return -1;
		nanosleep(&pause, NULL);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3 || argc > 5) {
		fprintf(stderr, "usage: sigqueue_storm PID COUNT [SIGNAL [FIRST]]\n");
		return 2;
	}
	pid_t pid = number(argv[1], 2);
	int count = number(argv[2], 0);
	int signal = argc > 3 ? number(argv[3], 1) : SIGRTMIN;
	int first = argc > 4 ? number(argv[4], INT_MIN) : 0;

	for (int i = 0; i < count; i++) {
		if (send_one(pid, signal, first + i) == -1) {
			fprintf(stderr, "sigqueue_storm: signal %d of %d: %s\n", i + 1, count,
				strerror(errno));
			return 1;
		}
	}
	return 0;
}
