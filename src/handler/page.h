/* handler/page.h: the page of memory that a host shares with panicmon.
 *
 * The host writes it, panicmon reads it and takes nothing in it for granted: a plugin can scribble
 * on it. It outlives the host, so the next one of the same handler goes on where the last one fell.
 */
#ifndef PM_HANDLER_PAGE_H
#define PM_HANDLER_PAGE_H

#include <stdatomic.h>
#include <stdint.h>

#include "handler/alerts_file.h"
#include "process/alive.h"

enum pm_host_state {
	PM_HOST_STARTING, /* also what a plugin's exit(0) in its constructor leaves behind */
	PM_HOST_WAITING,  /* open() asked to try again later */
	PM_HOST_READY,
	PM_HOST_REFUSED, /* can't ever work: `message` says why */
	PM_HOST_DEAD,    /* the handler said that it is finished */
	PM_HOST_DRAINED, /* all was delivered, and the run has ended */
	PM_HOST_CHECKED, /* all is well, and no more was asked for */
};

struct pm_host_page {
	_Atomic uint32_t state;
	_Atomic uint32_t asleep;    /* 1: needs to be woken for the next event */
	_Atomic uint64_t delivered; /* the cursor: all events up to this sequence number are done */
	_Atomic uint64_t trying;    /* the event in the plugin's hands, 0: none; left by a death */
	_Atomic uint64_t suspect;   /* the event that a host died with last */
	_Atomic uint32_t deaths;    /* how many hosts in a row died with it */
	_Atomic uint32_t flush_deaths; /* how many hosts in a row died in flush() */
	_Atomic uint64_t calls;   /* raised before and after every call: odd while in the plugin */
	_Atomic uint64_t lost;    /* overwritten before they could be read */
	_Atomic uint64_t dropped; /* given up: by the handler, or as they killed it */
	/* Of a test: */
	_Atomic int64_t took_ns;      /* how long the handler had for the event, flush() included */
	_Atomic uint32_t answered;    /* 1: `answer` is there */
	_Atomic int32_t answer;       /* what it said of the event */
	_Atomic int32_t flush_answer; /* of one that it held: what flush() said last */
	_Atomic uint32_t filtered;    /* enum pm_filter: why it was not asked */
	struct pm_alerts_copy alerts[2]; /* of the hosts alone */
	struct pm_alive alive;           /* written by panicmon */
	char message[2048]; /* lines, NUL at the end; of a test, also what went with the answer */
};

_Static_assert(sizeof(struct pm_host_page) <= 4096, "within the smallest page there is");

#endif
