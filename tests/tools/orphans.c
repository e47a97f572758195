/* orphans: a command that makes many orphans, and looks whether somebody reaps them.
 *
 * usage: orphans COUNT STATUS
 *
 * COUNT processes lose their parent and then end all at the same time. Waits until none is left, not
 * even as a zombie, or for a minute; prints "left N" and ends with STATUS.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TURNS = 12000 };

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(2);
}

/* Waits for the end of the pipe, so that all go together, when their parent has gone. */
static void __attribute__((noreturn)) be_orphan(int gate)
{
	char byte;

	_exit(read(gate, &byte, 1) == 0 ? 0 : 1);
}

static void __attribute__((noreturn)) make_orphans(pid_t *pids, int count, int gate, int report)
{
	for (int i = 0; i < count; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			die("fork");
		if (pids[i] == 0)
			be_orphan(gate);
	}
	size_t size = (size_t)count * sizeof(*pids);
	for (size_t sent = 0; sent < size;) {
		ssize_t now = write(report, (char *)pids + sent, size - sent);
		if (now < 0)
			die("write");
		sent += (size_t)now;
	}
	_exit(0);
}

static void read_pids(pid_t *pids, int count, int from)
{
	size_t size = (size_t)count * sizeof(*pids);

	for (size_t got = 0; got < size;) {
		ssize_t now = read(from, (char *)pids + got, size - got);
		if (now <= 0)
			die("read");
		got += (size_t)now;
	}
}

static int left(pid_t *pids, int count)
{
	int found = 0;

	for (int i = 0; i < count; i++) {
		if (pids[i] != 0 && kill(pids[i], 0) < 0 && errno == ESRCH)
			pids[i] = 0;
		found += pids[i] != 0;
	}
	return found;
}

int main(int argc, char **argv)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	int gate[2], report[2];

	if (argc != 3)
		return 2;
	int count = atoi(argv[1]);
	pid_t *pids = calloc((size_t)count + 1, sizeof(*pids));
	if (pids == NULL || pipe(gate) < 0 || pipe(report) < 0)
		die("orphans");
	pid_t parent = fork();
	if (parent < 0)
		die("fork");
	if (parent == 0) {
		close(gate[1]);
		make_orphans(pids, count, gate[0], report[1]);
	}
	read_pids(pids, count, report[0]);
	waitpid(parent, NULL, 0);
	close(gate[1]);
	for (int turn = 0; left(pids, count) > 0 && turn < TURNS; turn++)
		nanosleep(&pause, NULL);
	printf("left %d\n", left(pids, count));
	free(pids);
	return atoi(argv[2]);
}
