#include <config.h>

#include "config/seen.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

struct sighting {
	const char *id; /* within `where`, after its NUL */
	char where[];
};

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct sighting *)a)->id, ((const struct sighting *)b)->id);
}

int pm_seen_add(struct pm_seen *seen, const char *id, const char *where, const char **before)
{
	size_t where_size = strlen(where) + 1;
	pm_autofree struct sighting *sighting =
		malloc(sizeof(*sighting) + where_size + strlen(id) + 1);

	if (sighting == NULL)
		return -1;
	memcpy(sighting->where, where, where_size);
	sighting->id = strcpy(sighting->where + where_size, id);

	struct sighting **node = tsearch(sighting, &seen->tree, by_id);
	if (node == NULL)
		return -1;
	*before = *node == sighting ? NULL : (*node)->where;
	if (*before == NULL)
		(void)pm_steal_pointer(&sighting);
	return 0;
}

void pm_seen_free(struct pm_seen *seen)
{
	tdestroy(seen->tree, free);
	seen->tree = NULL;
}
