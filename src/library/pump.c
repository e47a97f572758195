#include <config.h>

#include "library/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { PIECE_MAX = 64 * 1024 }; /* the size of a pipe, pipe(7) */

/* Reads once. How much it was; 0 or less: nothing for now, or never again. */
static ssize_t move(struct pm_pump *pump, size_t most)
{
	ssize_t got = read(pump->source.fd, pump->piece, most < PIECE_MAX ? most : PIECE_MAX);

	if (got > 0 && !pump->enough)
		pump->enough =
			pump->output->write(pump->output->arg, pump->piece, (size_t)got) != 0;
	return got;
}

static void on_readable(struct pm_source *source)
{
	struct pm_pump *pump = source->owner;

	/* Not paused: the end of a file is reported all the same. */
	if (move(pump, PIECE_MAX) == 0)
		pm_loop_remove(pump->loop, source);
}

static void release(struct pm_pump *pump)
{
	pm_close(&pump->source.fd);
	pm_close(&pump->theirs);
	free(pump->piece);
	*pump = (struct pm_pump){0};
}

int pm_pump_open(struct pm_pump *pump, struct pm_loop *loop, const struct panicmon_output *output,
		 struct pm_error *error)
{
	int ends[2];
	pm_autofree char *piece = malloc(PIECE_MAX);

	if (piece == NULL)
		return pm_error_set(error, ENOMEM, "cannot take the command's output");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return pm_error_set(error, errno, "cannot make a pipe for the command's output");
	*pump = (struct pm_pump){
		.output = output,
		.loop = loop,
		.source = {.fd = ends[0], .ready = on_readable, .owner = pump},
		.theirs = ends[1],
		.piece = pm_steal_pointer(&piece),
	};
	/* Ours alone: the command's end is another open file. */
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	if (pm_loop_add(loop, &pump->source, error) == 0)
		return 0;
	release(pump);
	return -1;
}

void pm_pump_started(struct pm_pump *pump)
{
	if (pump->loop != NULL)
		pm_close(&pump->theirs);
}

void pm_pump_close(struct pm_pump *pump)
{
	int left = 0;

	if (pump->loop == NULL)
		return;
	pm_loop_remove(pump->loop, &pump->source);
	/* No more than is there now: somebody may go on writing for ever. */
	ioctl(pump->source.fd, FIONREAD, &left);
	while (left > 0) {
		ssize_t got = move(pump, (size_t)left);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		left -= (int)got;
	}
	release(pump);
}
