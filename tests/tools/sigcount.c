/* sigcount: a command that takes every signal and writes down which.
 *
 * usage: sigcount [-d] [-n COUNT] [-q SIGNAL] [-x STATUS] FILE
 *
 * Blocks all signals, those of glibc itself (32 and 33) too, prints "ready" on stdout, then appends a line "NUMBER VALUE" to FILE for each
 * signal (VALUE is 0 for one without). Ends with STATUS (default 0) after COUNT signals, or at
 * SIGNAL, which is written down like the others. The last line is "end NANOSECONDS", the time from
 * the first signal to the last. What is in FILE is complete whenever no signal is pending. With -d
 * FILE begins with "descriptors NUMBER", of those that were open at the start.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const uint64_t all_signals = ~UINT64_C(0);

struct settings {
	const char *path;
	long count; /* 0: no limit */
	int quit;   /* 0: none */
	int status;
	int descriptors;
};

static void parse(struct settings *settings, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "dn:q:x:")) != -1) {
		switch (option) {
		case 'd':
			settings->descriptors = 1;
			break;
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
		fprintf(stderr, "usage: sigcount [-d] [-n COUNT] [-q SIGNAL] [-x STATUS] FILE\n");
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

static int count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = -3; /* the folder itself, "." and ".." */

	while (folder != NULL && readdir(folder) != NULL)
		count++;
	if (folder != NULL)
		closedir(folder);
	return count;
}

/* sigtimedwait(2) with a set that can hold 32 and 33. timeout NULL: none. */
static int wait_for_any(siginfo_t *info, const struct timespec *timeout)
{
	return (int)syscall(SYS_rt_sigtimedwait, &all_signals, info, timeout, sizeof(all_signals));
}

/* The next signal. What was written so far is flushed before the wait for one that is not there yet. */
static int take(FILE *file, siginfo_t *info)
{
	const struct timespec none = {0};

	int signal = wait_for_any(info, &none);
	if (signal > 0)
		return signal;
	fflush(file);
	do {
		signal = wait_for_any(info, NULL);
	} while (signal == -1 && errno == EINTR);
	return signal;
}

static int64_t take_all(FILE *file, const struct settings *settings)
{
	int64_t first = 0;

	for (long taken = 1;; taken++) {
		siginfo_t info;
		int signal = take(file, &info);

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

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all_signals, NULL, sizeof(all_signals));
	parse(&settings, argc, argv);

	/* Before there is one more. */
	int descriptors = settings.descriptors ? count_descriptors() : 0;
	FILE *file = fopen(settings.path, "ae");
	if (file == NULL) {
		perror(settings.path);
		return 2;
	}
	if (settings.descriptors)
		fprintf(file, "descriptors %d\n", descriptors);
	puts("ready");
	fflush(stdout);
	int64_t elapsed = take_all(file, &settings);
	fprintf(file, "end %lld\n", (long long)elapsed);
	if (fclose(file) != 0) {
		perror(settings.path);
		return 2;
	}
	return settings.status;
}
