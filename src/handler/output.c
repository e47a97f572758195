#include <config.h>

#include "handler/output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum { LINES_A_SECOND = 50, PIECE_MAX = 16 * 1024 };

/* Beyond the limit, a piece is read this often. */
#define PAUSE (5 * PM_NS_PER_MS)

static void tell_left_out(struct pm_output *output)
{
	char text[64];

	if (output->left_out == 0)
		return;
	snprintf(text, sizeof(text), "(%" PRIu64 " more lines are left out)", output->left_out);
	output->left_out = 0;
	output->print(output->arg, text);
}

static void on_summary(struct pm_timer *timer)
{
	tell_left_out(timer->owner);
}

static bool is_beyond_limit(struct pm_output *output)
{
	int64_t now = pm_clock_monotonic();

	if (now - output->second_ns >= PM_NS_PER_S) {
		output->second_ns = now;
		output->printed = 0;
	}
	return output->printed >= LINES_A_SECOND;
}

void pm_output_clean(char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte < ' ' || byte == 0x7f) {
			text[i] = '?';
		} else if (i > 0 && (unsigned char)text[i - 1] == 0xc2 && byte >= 0x80 &&
			   byte < 0xa0) {
			text[i - 1] = '?';
			text[i] = '?';
		}
	}
}

static void end_line(struct pm_output *output)
{
	pm_output_clean(output->line, output->length);
	output->line[output->length] = '\0';
	output->length = 0;
	if (!is_beyond_limit(output)) {
		output->printed++;
		output->print(output->arg, output->line);
		return;
	}
	if (output->left_out++ == 0)
		pm_timer_set(output->loop, &output->summary, PM_NS_PER_S);
}

static void take(struct pm_output *output, const char *piece, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (piece[i] == '\n') {
			end_line(output);
			continue;
		}
		if (output->length == PM_OUTPUT_LINE_MAX)
			end_line(output);
		output->line[output->length++] = piece[i];
	}
}

static ssize_t take_piece(struct pm_output *output)
{
	char piece[PIECE_MAX];
	ssize_t got = read(output->source.fd, piece, sizeof(piece));

	if (got > 0)
		take(output, piece, (size_t)got);
	return got;
}

static void on_pause(struct pm_timer *timer)
{
	struct pm_output *output = timer->owner;

	pm_loop_resume(output->loop, &output->source);
}

static void on_readable(struct pm_source *source)
{
	struct pm_output *output = source->owner;

	if (take_piece(output) == 0) {
		/* Its end is told however often we look. */
		pm_loop_remove(output->loop, source);
	} else if (output->left_out > 0) {
		pm_loop_pause(output->loop, source);
		pm_timer_set(output->loop, &output->pause, PAUSE);
	}
}

int pm_output_open(struct pm_output *output, struct pm_loop *loop, int *theirs,
		   struct pm_error *error)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return pm_error_set(error, errno, "cannot make a pipe");
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	output->loop = loop;
	output->source = (struct pm_source){.fd = ends[0], .ready = on_readable, .owner = output};
	output->pause = (struct pm_timer){.due = on_pause, .owner = output};
	output->summary = (struct pm_timer){.due = on_summary, .owner = output};
	output->length = 0;
	if (pm_loop_add(loop, &output->source, error) == 0) {
		*theirs = ends[1];
		return 0;
	}
	pm_close(&output->source.fd);
	close(ends[1]);
	output->loop = NULL;
	return -1;
}

void pm_output_close(struct pm_output *output)
{
	enum { PIPE_PIECES = 64 * 1024 / PIECE_MAX };

	if (output->loop == NULL)
		return;
	/* No more than a pipe holds: somebody may have it still, and go on. */
	for (int i = 0; i < PIPE_PIECES && take_piece(output) > 0; i++)
		continue;
	if (output->length > 0)
		end_line(output);
	tell_left_out(output);
	pm_timer_clear(output->loop, &output->pause);
	pm_timer_clear(output->loop, &output->summary);
	pm_loop_remove(output->loop, &output->source);
	pm_close(&output->source.fd);
	output->loop = NULL;
}
