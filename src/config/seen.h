/* config/seen.h: what was met before, and where: sections, keys and files. */
#ifndef PM_CONFIG_SEEN_H
#define PM_CONFIG_SEEN_H

struct pm_seen {
	void *tree; /* tsearch(3); NULL: empty */
};

/* Remembers that `id` was met at `where`; both are copied. If it was met before, nothing changes and
 * *before is the place of the first time, valid until pm_seen_free(); else NULL.
 * -1 if memory runs out. */
int pm_seen_add(struct pm_seen *seen, const char *id, const char *where, const char **before);
void pm_seen_free(struct pm_seen *seen);

#endif
