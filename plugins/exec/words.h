/* words.h: a command as it is written in a config, and arguments as a shell would take them back. */
#ifndef PM_EXEC_WORDS_H
#define PM_EXEC_WORDS_H

#include <stddef.h>

#include "common/buffer.h"

/* Splits text into words at blanks. Quotes and backslashes mean what they mean to a POSIX shell (Shell
 * Command Language, 2.2 Quoting), and nothing else means anything: no variables, patterns, comments
 * or operators. Returns the words, NULL at the end, at least one of them: one block for free(3). NULL
 * with *problem, for people; with *problem NULL: out of memory. */
char **pm_exec_words_split(const char *text, const char **problem);

/* Appends a word such that pm_exec_words_split() and a shell read it as it was. */
void pm_exec_words_quote(struct pm_common_buffer *out, const char *word);

#endif
