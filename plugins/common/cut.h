/* cut.h: how a record is made to fit where only so many bytes are written at once (a pipe).
 *
 * It is made with a budget for its strings. If it is too long, as escapes take more room than the
 * bytes they stand for, it is made again with a smaller one, down to 0: names that are not cut
 * below a readable length, and no more.
 */
#ifndef PM_COMMON_CUT_H
#define PM_COMMON_CUT_H

#include <stddef.h>

/* How much of a name (of a service, host or command) is kept. */
static inline size_t pm_common_cut_name(size_t budget)
{
	enum { READABLE = 64, SHARE = 16 };

	return READABLE + budget / SHARE;
}

/* The budget to try next, of a record that is `over` bytes too long. Smaller, if it is not 0. */
static inline size_t pm_common_cut_next(size_t budget, size_t over)
{
	return over < budget / 2 ? budget - over : budget / 2;
}

#endif
