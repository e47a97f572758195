/* The config room: the text of one value to a number, and the nearest name. */
#include <config.h>

#include "test_config.h"

#include <stdint.h>
#include <string.h>

#include "config/value.h"

struct value_case {
	const char *text;
	int64_t value; /* -1: refused, with `says` in the error */
	const char *says;
};

typedef int read_value(const char *text, int64_t *out, struct pm_error *error);

static void check_values(read_value *read, const struct value_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct pm_error error = {.text = "untouched"};
		int64_t out = -77;
		int result = read(cases[i].text, &out, &error);

		if (cases[i].says == NULL) {
			ck_assert_msg(result == 0, "%s: %s", cases[i].text, error.text);
			ck_assert_msg(out == cases[i].value, "%s: %jd", cases[i].text, (intmax_t)out);
			ck_assert_str_eq(error.text, "untouched");
		} else {
			ck_assert_msg(result == -1, "%s: %jd", cases[i].text, (intmax_t)out);
			ck_assert_int_eq(out, -77);
			ck_assert_msg(strstr(error.text, cases[i].says) != NULL, "%s: %s",
				      cases[i].text, error.text);
		}
	}
}

#define CHECK_VALUES(read, cases) check_values(read, cases, sizeof(cases) / sizeof((cases)[0]))

START_TEST(numbers)
{
	static const char wrong[] = "is not a whole number: write digits only, such as 10";
	const struct value_case cases[] = {
		{"0", 0, NULL}, {"10", 10, NULL}, {"007", 7, NULL}, {"-5", -5, NULL},
		{"9223372036854775807", INT64_MAX, NULL},
		{"9223372036854775808", 0, "out of range: write a number"},
		{"-9223372036854775809", 0, "out of range"},
		{"", 0, wrong}, {"-", 0, wrong}, {"+1", 0, wrong}, {" 1", 0, wrong}, {"1 ", 0, wrong},
		{"5x", 0, "'5x' is not a whole number"}, {"0x10", 0, wrong}, {"1e3", 0, wrong},
		{"1.0", 0, wrong},
	};

	CHECK_VALUES(pm_value_number, cases);
}
END_TEST

START_TEST(durations)
{
	static const char wrong[] =
		"is not a duration: write a number and ms, s, m or h, such as 500ms or 2s";
	const struct value_case cases[] = {
		{"500ms", 500, NULL}, {"2s", 2000, NULL}, {"5m", 300000, NULL}, {"1h", 3600000, NULL},
		{"1.5s", 1500, NULL}, {"3", 3000, NULL}, {"0", 0, NULL}, {"0.25", 250, NULL},
		{"0.001s", 1, NULL}, {"1.50m", 90000, NULL}, {"876000h", 3153600000000, NULL},
		{"0.0001s", 0, "finer than a millisecond: write whole ones"},
		{"0.5ms", 0, "finer"},
		{"5x", 0, "'5x' is not a duration: write a number and ms, s, m or h, such as 500ms or 2s"},
		{"", 0, wrong}, {"s", 0, wrong}, {"-1s", 0, wrong}, {"1.s", 0, wrong}, {".5s", 0, wrong},
		{"1 s", 0, wrong}, {"1S", 0, wrong}, {"1s ", 0, wrong}, {"1e3s", 0, wrong},
		{"1.2.3s", 0, wrong}, {"1.0000000000s", 0, wrong},
		{"876001h", 0, "is too long: write a duration of at most 876000h"},
		{"9223372036854775807h", 0, "too long"}, {"99999999999999999999ms", 0, "too long"},
	};

	CHECK_VALUES(pm_value_duration, cases);
}
END_TEST

START_TEST(sizes)
{
	const struct value_case cases[] = {
		{"0", 0, NULL}, {"512", 512, NULL}, {"64k", 65536, NULL}, {"64K", 65536, NULL},
		{"8M", 8388608, NULL}, {"8m", 8388608, NULL}, {"1G", 1073741824, NULL},
		{"8589934591g", INT64_C(8589934591) << 30, NULL},
		{"8589934592G", 0, "too large: write a size such as 8M"},
		{"99999999999999999999", 0, "too large"},
		{"", 0, "is not a size"}, {"k", 0, "is not a size"}, {"-1", 0, "is not a size"},
		{"1.5M", 0, "is not a size"}, {"1 M", 0, "is not a size"},
		{"8MB", 0, "'8MB' is not a size: write a number of bytes, or with k, M or G, such as 512 or 64k"},
	};

	CHECK_VALUES(pm_value_size, cases);
}
END_TEST

static int read_bool(const char *text, int64_t *out, struct pm_error *error)
{
	bool value;
	int result = pm_value_bool(text, &value, error);

	if (result == 0)
		*out = value;
	return result;
}

START_TEST(bools)
{
	const struct value_case cases[] = {
		{"yes", 1, NULL}, {"no", 0, NULL}, {"true", 1, NULL}, {"false", 0, NULL}, {"on", 1, NULL},
		{"off", 0, NULL}, {"1", 1, NULL}, {"0", 0, NULL}, {"YES", 1, NULL}, {"Off", 0, NULL},
		{"", 0, "is neither yes nor no: write yes or no"}, {"y", 0, "'y' is neither"},
		{"2", 0, "neither"}, {"yes ", 0, "neither"},
	};

	CHECK_VALUES(read_bool, cases);
}
END_TEST

/* The remedy follows the value: a long one must not push it out, nor escape sequences run. */
START_TEST(shown_values_are_short_and_clean)
{
	struct pm_error error;
	int64_t out;
	char text[3000];

	for (size_t i = 0; i < sizeof(text) - 1; i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	text[0] = '\x1b';
	text[1] = 'x';
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(pm_value_duration(text, &out, &error), -1);
	ck_assert_uint_lt(strlen(error.text), 200);
	ck_assert_ptr_nonnull(strstr(error.text, "such as 500ms"));
	ck_assert_ptr_nonnull(strstr(error.text, "\xc3\xa9...'"));
	ck_assert_int_eq(error.text[1], '?');
	memmove(text, text + 1, sizeof(text) - 1);
	ck_assert_int_eq(pm_value_duration(text, &out, &error), -1);
	ck_assert_ptr_nonnull(strstr(error.text, "\xc3\xa9...'"));
}
END_TEST

START_TEST(nearest_names)
{
	static const struct {
		const char *name;
		int other;
	} names[] = {{"name", 0}, {"handler_dir", 0}, {"drain_timeout", 0}, {"start_timeout", 0}};
	static const struct {
		const char *text, *nearest;
	} cases[] = {
		{"nmae", "name"}, {"nam", "name"}, {"names", "name"}, {"NAME", "name"}, {"name", "name"},
		{"drain_timout", "drain_timeout"}, {"drain-timout", "drain_timeout"}, {"drain_time", "drain_timeout"},
		{"drain_tim", NULL},
		{"start_timeotu", "start_timeout"}, {"handlerdir", "handler_dir"},
		{"xyzw", NULL}, {"na", NULL}, {"", NULL}, {"completely_else", NULL},
		{"nxxe", NULL}, {"timeout", NULL},
	};
	char longest[200];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *got = pm_value_nearest(cases[i].text, names, 4, sizeof(names[0]));

		if (cases[i].nearest == NULL)
			ck_assert_msg(got == NULL, "%s: %s", cases[i].text, got);
		else
			ck_assert_str_eq(got, cases[i].nearest);
	}
	memset(longest, 'n', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	ck_assert_ptr_null(pm_value_nearest(longest, names, 4, sizeof(names[0])));
	ck_assert_ptr_null(pm_value_nearest("name", names, 0, sizeof(names[0])));
}
END_TEST

void add_value_tests(Suite *suite)
{
	TCase *tests = add_case(suite, "value");

	tcase_add_test(tests, numbers);
	tcase_add_test(tests, durations);
	tcase_add_test(tests, sizes);
	tcase_add_test(tests, bools);
	tcase_add_test(tests, shown_values_are_short_and_clean);
	tcase_add_test(tests, nearest_names);
}
