/* handler/output.h: what a plugin writes to its stdout and stderr, to panicmon's stderr.
 *
 * Line by line, marked with the handler's name, and no more than some fifty lines a second: what is
 * beyond that is read and thrown away, a part at a time, so that a plugin that writes megabytes neither
 * waits nor takes panicmon's time. What was left out is counted and told.
 */
#ifndef PM_HANDLER_OUTPUT_H
#define PM_HANDLER_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/loop.h"

enum { PM_OUTPUT_LINE_MAX = 500 };

/* Zeroed, it is closed. */
struct pm_output {
	struct pm_loop *loop;
	/* Gets a line without its newline and without control characters. */
	void (*print)(void *arg, const char *line);
	void *arg;
	struct pm_source source; /* our end of a pipe */
	struct pm_timer pause;   /* nothing is read until then */
	struct pm_timer summary; /* of the lines left out */
	int64_t second_ns;       /* CLOCK_MONOTONIC: when `printed` began */
	unsigned printed;        /* lines, since then */
	uint64_t left_out;       /* lines, since the last summary */
	char line[PM_OUTPUT_LINE_MAX + 1];
	size_t length;
};

/* *theirs: the plugin's end, close-on-exec, which the caller closes. `print` and `arg` are set. */
int pm_output_open(struct pm_output *output, struct pm_loop *loop, int *theirs,
		   struct pm_error *error);

/* Makes '?' of each byte of a control character, U+0080 to U+009F (in UTF-8) too: a terminal may act on
 * them. */
void pm_output_clean(char *text, size_t length);

/* Prints what is still there. */
void pm_output_close(struct pm_output *output);

#endif
