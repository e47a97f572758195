/* ctl/table.h: rows of texts in aligned columns, on stdout. */
#ifndef PM_CTL_TABLE_H
#define PM_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum pm_ctl_style { PM_CTL_PLAIN, PM_CTL_HEAD, PM_CTL_FINE, PM_CTL_FAULT };

enum { PM_CTL_COLUMNS_MAX = 6 };

struct pm_ctl_row {
	enum pm_ctl_style style;
	char *cells[PM_CTL_COLUMNS_MAX];
};

/* Zeroed but for `columns`, it is empty. */
struct pm_ctl_table {
	size_t columns;
	struct pm_ctl_row *rows;
	size_t count;
	bool incomplete; /* there was no memory for a row */
};

/* A cell with nothing in it. */
#define PM_CTL_BLANK " "

/* Copies `columns` texts; an empty one becomes "-". Of a line across the columns there is just one, and
 * NULL after it. */
void pm_ctl_table_add(struct pm_ctl_table *table, enum pm_ctl_style style,
		      const char *const *cells);

/* Lines across the columns, `indent` blanks before each, broken between words where the terminal ends. */
void pm_ctl_table_add_text(struct pm_ctl_table *table, enum pm_ctl_style style, size_t indent,
			   const char *text);

/* In characters; 0: stdout is no terminal, or none that tells. */
size_t pm_ctl_terminal_width(void);

/* Styles are for terminals only, and not if $NO_COLOR is set (no-color.org). -1: it is incomplete. */
int pm_ctl_table_print(const struct pm_ctl_table *table);

void pm_ctl_table_free(struct pm_ctl_table *table);

#endif
