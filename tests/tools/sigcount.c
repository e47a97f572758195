/* sigcount: a command that takes every signal and writes down which.
 *
 * usage: sigcount [-n COUNT] [-q SIGNAL] [-x STATUS] FILE
 *
 * Blocks all signals, prints "ready" on stdout, then appends a line "NUMBER VALUE" to FILE for each
 * signal (VALUE is 0 for one without). Ends with STATUS (default 0) after COUNT signals, or at
 * SIGNAL, which is written down like the others. The last line is "end NANOSECONDS", the time from
 * the first signal to the last. What is in FILE is complete whenever no signal is pending.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct settings {
	const char *path;
	long count; /* 0: no limit */
	int quit;   /* 0: none */
	int status;
};

static void parse(struct settings *settings, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "n:q:x:")) != -1) {
		switch (option) {
		case 'n':
			settings->count = atol(optarg);
			break;
		case 'q':
			settings->quit = atoi(optarg);
			break;
		case 'x':
			settings->status = atoi(optarg);
			break;
		default:
			exit(2);
		}
	}
	if (optind + 1 != argc) {
		fprintf(stderr, "usage: sigcount [-n COUNT] [-q SIGNAL] [-x STATUS] FILE\n");
		exit(2);
	}
	settings->path = argv[optind];
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The next signal. What was written so far is flushed before the wait for one that is not there yet. */
static int take(FILE *file, const sigset_t *all, siginfo_t *info)
{
	const struct timespec none = {0};

	int signal = sigtimedwait(all, info, &none);
	if (signal > 0)
		return signal;
	fflush(file);
	do {
		signal = sigwaitinfo(all, info);
	} while (signal == -1 && errno == EINTR);
	return signal;
}

static int64_t take_all(FILE *file, const sigset_t *all, const struct settings *settings)
{
	int64_t first = 0;

	for (long taken = 1;; taken++) {
		siginfo_t info;
		int signal = take(file, all, &info);

		if (taken == 1)
			first = now_ns();
		fprintf(file, "%d %d\n", signal,
			info.si_code == SI_QUEUE ? info.si_value.sival_int : 0);
		if (taken == settings->count || signal == settings->quit)
			return now_ns() - first;
	}
}

int main(int argc, char **argv)
{
	struct settings settings = {0};
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	parse(&settings, argc, argv);

	FILE *file = fopen(settings.path, "ae");
	if (file == NULL) {
		perror(settings.path);
		return 2;
	}
	puts("ready");
	fflush(stdout);
	int64_t elapsed = take_all(file, &all, &settings);
	fprintf(file, "end %lld\n", (long long)elapsed);
	if (fclose(file) != 0) {
		perror(settings.path);
		return 2;
	}
	return settings.status;
}
