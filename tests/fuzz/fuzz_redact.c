/* libFuzzer over the redaction: any bytes as an argument list, a line each.
 *
 * No sanitizer may speak: the room for the copy is counted in a first walk over the arguments, and the
 * second must fill it exactly. As many arguments come out as went in; and the same ones, if that is off.
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "event/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(char *const *args, size_t count, const struct pm_redact *redact)
{
	char **out = pm_redact_args(args, redact);

	if (out == NULL || out[count] != NULL)
		abort();
	for (size_t i = 0; i < count; i++)
		if (strcmp(out[i], args[i]) != 0 && redact->off)
			abort();
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { ARGS_MAX = 64 };
	static char name[] = "card-number";
	static char *names[] = {name};
	char *args[ARGS_MAX + 1], *text = malloc(size + 1), *rest = text;
	size_t count = 0;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	while (count < ARGS_MAX && rest != NULL)
		args[count++] = strsep(&rest, "\n");
	args[count] = NULL;
	check(args, count, &(struct pm_redact){.names = names, .count = 1});
	check(args, count, &(struct pm_redact){.off = true});
	free(text);
	return 0;
}
