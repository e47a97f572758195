#include <config.h>

#include "config/value.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A century: short enough that a deadline in nanoseconds cannot overflow. */
#define DURATION_MAX_MS INT64_C(3153600000000) /* 876000h */

/* More than any name that is valid; what is longer is no typing mistake. */
enum { NAME_MAX_LETTERS = 64 };

enum { SHOWN_MAX = 60 };

struct shown {
	char text[SHOWN_MAX + sizeof("...")];
};

struct unit {
	const char *suffix;
	int64_t factor;
};

static const struct unit duration_units[] = {
	{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000},
};

static const struct unit size_units[] = {
	{"", 1},
	{"k", INT64_C(1) << 10},
	{"K", INT64_C(1) << 10},
	{"m", INT64_C(1) << 20},
	{"M", INT64_C(1) << 20},
	{"g", INT64_C(1) << 30},
	{"G", INT64_C(1) << 30},
};

/* A value may be of any length and hold escape sequences; the remedy after it must still be read. */
static const char *show(struct shown *shown, const char *text)
{
	size_t length = strlen(text);
	bool cut = length > SHOWN_MAX;

	if (cut) {
		length = SHOWN_MAX;
		while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
	}
	for (size_t i = 0; i < length; i++)
		shown->text[i] = iscntrl((unsigned char)text[i]) ? '?' : text[i];
	strcpy(shown->text + length, cut ? "..." : "");
	return shown->text;
}

/* Reads decimal digits from *at and steps over them. *count says how many there were. */
static int read_digits(const char **at, int64_t *out, unsigned *count)
{
	int64_t sum = 0;

	*count = 0;
	for (; **at >= '0' && **at <= '9'; (*at)++, (*count)++)
		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, **at - '0', &sum))
			return -1;
	*out = sum;
	return 0;
}

static int64_t unit_factor(const struct unit *units, size_t count, const char *suffix)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(units[i].suffix, suffix) == 0)
			return units[i].factor;
	return 0;
}

int pm_value_refuse(struct pm_error *error, const char *text, const char *what, ...)
{
	struct shown shown;
	char more[sizeof(error->text)];
	va_list args;

	va_start(args, what);
	vsnprintf(more, sizeof(more), what, args);
	va_end(args);
	return pm_error_set(error, 0, "'%s' %s", show(&shown, text), more);
}

static int refuse(struct pm_error *error, const char *text, const char *what)
{
	return pm_value_refuse(error, text, "%s", what);
}

int pm_value_number(const char *text, int64_t *out, struct pm_error *error)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	int kept = errno;

	/* strtoll(3) would take blanks, '+' and an empty text as well. */
	if (digits[0] == '\0' || digits[strspn(digits, "0123456789")] != '\0')
		return refuse(error, text, "is not a whole number: write digits only, such as 10");
	errno = 0;
	int64_t number = strtoll(text, NULL, 10);
	int code = errno;
	errno = kept;
	if (code == ERANGE)
		return refuse(error, text, "is out of range: write a number of at most 18 digits");
	*out = number;
	return 0;
}

/* The digits after a point, as digits / scale. Nine are more than any unit divides. */
static int read_fraction(const char **at, int64_t *digits, int64_t *scale)
{
	unsigned count;

	if (read_digits(at, digits, &count) != 0 || count == 0 || count > 9)
		return -1;
	while (count-- > 0)
		*scale *= 10;
	return 0;
}

int pm_value_duration(const char *text, int64_t *out, struct pm_error *error)
{
	static const char wrong[] =
		"is not a duration: write a number and ms, s, m or h, such as 500ms or 2s";
	static const char huge[] = "is too long: write a duration of at most 876000h, such as 24h";
	const char *at = text;
	int64_t whole, part = 0, scale = 1, factor, sum;
	unsigned count;

	if (read_digits(&at, &whole, &count) != 0)
		return refuse(error, text, huge);
	if (count == 0)
		return refuse(error, text, wrong);
	if (*at == '.' && (at++, read_fraction(&at, &part, &scale) != 0))
		return refuse(error, text, wrong);
	factor =
		unit_factor(duration_units, sizeof(duration_units) / sizeof(duration_units[0]), at);
	if (factor == 0)
		return refuse(error, text, wrong);
	if (part * factor % scale != 0)
		return refuse(error, text,
			      "is finer than a millisecond: write whole ones, such as 1ms");
	if (__builtin_mul_overflow(whole, factor, &sum) || sum > DURATION_MAX_MS)
		return refuse(error, text, huge);
	*out = sum + part * factor / scale;
	return 0;
}

int pm_value_size(const char *text, int64_t *out, struct pm_error *error)
{
	static const char huge[] = "is too large: write a size such as 8M or 1G";
	const char *at = text;
	int64_t number, factor, sum;
	unsigned count;

	if (read_digits(&at, &number, &count) != 0)
		return refuse(error, text, huge);
	factor = unit_factor(size_units, sizeof(size_units) / sizeof(size_units[0]), at);
	if (count == 0 || factor == 0)
		return refuse(error, text,
			      "is not a size: write a number of bytes, or with k, M or G, such as "
			      "512 or 64k");
	if (__builtin_mul_overflow(number, factor, &sum))
		return refuse(error, text, huge);
	*out = sum;
	return 0;
}

int pm_value_bool(const char *text, bool *out, struct pm_error *error)
{
	static const struct {
		const char *text;
		bool value;
	} words[] = {
		{"yes", true}, {"no", false},  {"true", true}, {"false", false},
		{"on", true},  {"off", false}, {"1", true},    {"0", false},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(text, words[i].text) == 0) {
			*out = words[i].value;
			return 0;
		}
	return refuse(error, text, "is neither yes nor no: write yes or no");
}

static const char *nearest_choice(const char *text, const char *const *choices)
{
	size_t count = 0;

	while (choices[count] != NULL)
		count++;
	return pm_value_nearest(text, choices, count, sizeof(*choices));
}

int pm_value_choice(const char *text, const char *const *choices, size_t *out,
		    struct pm_error *error)
{
	char list[256] = "";
	size_t used = 0;

	for (size_t i = 0; choices[i] != NULL; i++) {
		if (strcmp(text, choices[i]) == 0) {
			*out = i;
			return 0;
		}
		if (used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
						 i == 0 ? "" : ", ", choices[i]);
	}
	const char *nearest = nearest_choice(text, choices);
	if (nearest == NULL)
		return pm_value_refuse(error, text, "is none of: %s", list);
	return pm_value_refuse(error, text, "is none of: %s; did you mean '%s'?", list, nearest);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edit distance, two letters that changed places counted once: the commonest typing mistake.
 * Both texts are at most NAME_MAX_LETTERS long. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][NAME_MAX_LETTERS + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];
	size_t width = strlen(b);

	for (size_t j = 0; j <= width; j++)
		last[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		now[0] = i;
		for (size_t j = 1; j <= width; j++) {
			int x = tolower((unsigned char)a[i - 1]),
			    y = tolower((unsigned char)b[j - 1]);

			now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
			    y == tolower((unsigned char)a[i - 2]))
				now[j] = least(now[j], before[j - 2] + 1);
		}
		size_t *spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[width];
}

const char *pm_value_nearest(const char *text, const void *names, size_t count, size_t stride)
{
	const char *nearest = NULL;
	size_t length = strlen(text);
	size_t limit = length < 6 ? 1 : length / 3;

	if (length == 0 || length > NAME_MAX_LETTERS)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const char *name = *(const char *const *)((const char *)names + i * stride);

		if (strlen(name) > NAME_MAX_LETTERS)
			continue;
		size_t far = distance(text, name);
		if (far <= limit) {
			nearest = name;
			if (far == 0)
				break;
			limit = far - 1;
		}
	}
	return nearest;
}
