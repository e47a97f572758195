#include <config.h>

#include "ctl/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "handler/output.h"

static const char *const styles[] = {
	[PM_CTL_HEAD] = "\033[1m",
	[PM_CTL_FINE] = "\033[32m",
	[PM_CTL_FAULT] = "\033[31m",
};

void pm_ctl_table_add(struct pm_ctl_table *table, enum pm_ctl_style style, const char *const *cells)
{
	struct pm_ctl_row *rows = reallocarray(table->rows, table->count + 1, sizeof(*rows));

	if (rows == NULL) {
		table->incomplete = true;
		return;
	}
	table->rows = rows;
	rows[table->count] = (struct pm_ctl_row){.style = style};
	for (size_t i = 0; i < table->columns && cells[i] != NULL; i++) {
		char *cell = strdup(cells[i][0] != '\0' || cells[1] == NULL ? cells[i] : "-");

		rows[table->count].cells[i] = cell;
		table->incomplete = table->incomplete || cell == NULL;
		/* It may hold anything: what a plugin says, the name of a file. */
		if (cell != NULL)
			pm_output_clean(cell, strlen(cell));
	}
	table->count++;
}

void pm_ctl_table_add_text(struct pm_ctl_table *table, enum pm_ctl_style style, size_t indent,
			   const char *text)
{
	size_t width = pm_ctl_terminal_width();
	char line[512];

	while (text[0] != '\0') {
		size_t length = strlen(text);

		if (width > indent && length > width - indent) {
			length = width - indent;
			while (length > 0 && text[length] != ' ')
				length--;
			if (length == 0)
				length = strcspn(text, " ");
		}
		snprintf(line, sizeof(line), "%*s%.*s", (int)indent, "", (int)length, text);
		pm_ctl_table_add(table, style, (const char *[]){line, NULL});
		text += length;
		text += strspn(text, " ");
	}
}

size_t pm_ctl_terminal_width(void)
{
	struct winsize size = {0};

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* In characters, as far as UTF-8 tells: bytes that do not continue one. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void widen(size_t *widths, size_t columns, const struct pm_ctl_row *row)
{
	if (columns > 1 && row->cells[1] == NULL)
		return;
	for (size_t i = 0; i < columns; i++) {
		size_t width = width_of(row->cells[i]);

		if (width > widths[i])
			widths[i] = width;
	}
}

/* How many cells a row has, without blank ones at its end. */
static size_t cells_of(const struct pm_ctl_row *row, size_t columns)
{
	size_t count = 0;

	for (size_t i = 0; i < columns && row->cells[i] != NULL; i++)
		if (strcmp(row->cells[i], PM_CTL_BLANK) != 0)
			count = i + 1;
	return count;
}

static void print_row(const struct pm_ctl_table *table, const struct pm_ctl_row *row,
		      const size_t *widths, bool styled)
{
	const char *style = styled ? styles[row->style] : NULL;

	if (style != NULL)
		fputs(style, stdout);
	const size_t count = cells_of(row, table->columns);
	for (size_t i = 0; i < count; i++) {
		size_t gap = i + 1 == count ? 0 : widths[i] - width_of(row->cells[i]) + 2;

		printf("%s%*s", row->cells[i], (int)gap, "");
	}
	puts(style != NULL ? "\033[0m" : "");
}

static bool wants_style(void)
{
	const char *off = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && (off == NULL || off[0] == '\0') &&
	       (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

int pm_ctl_table_print(const struct pm_ctl_table *table)
{
	size_t widths[PM_CTL_COLUMNS_MAX] = {0};

	if (table->incomplete)
		return -1;
	for (size_t i = 0; i < table->count; i++)
		widen(widths, table->columns, &table->rows[i]);
	for (size_t i = 0; i < table->count; i++)
		print_row(table, &table->rows[i], widths, wants_style());
	return 0;
}

void pm_ctl_table_free(struct pm_ctl_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		for (size_t j = 0; j < table->columns; j++)
			free(table->rows[i].cells[j]);
	free(table->rows);
	table->rows = NULL;
	table->count = 0;
}
