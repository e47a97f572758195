/* base/error.h: how a function says what went wrong.
 *
 * A function that can fail returns 0 or -1 and takes a `struct pm_error *` last. The caller owns
 * it, it has a fixed size so that reporting never allocates, and it is untouched on success.
 */
#ifndef PM_BASE_ERROR_H
#define PM_BASE_ERROR_H

struct pm_error {
	int code;        /* errno(3), or 0 where none applies */
	char text[1024]; /* one sentence for people, without a newline at its end */
};

/* Fills in *error and returns -1, for `return pm_error_set(error, errno, "...")`.
 * A code other than 0 adds ": " and its text. Keeps errno. */
int pm_error_set(struct pm_error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
