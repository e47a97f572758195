/* The handler room: a plugin in words, from its host to those who show them. */
#include <config.h>

#include "test_handler.h"

#include <stdio.h>
#include <string.h>

#include "handler/describe.h"

static char room[PM_DESCRIPTION_SIZE];

/* The fields of the option at `index`, as its reader gets them. */
static const char *const *describe_option(const struct panicmon_option *options, uint32_t count,
					  size_t index)
{
	static const char *head[PM_DESCRIPTION_HEAD], *fields[PM_DESCRIPTION_FIELDS];
	struct pm_module module = {
		.handler = {.name = "n", .version = "2", .minor = 7, .option_count = count},
		.options = (struct panicmon_option *)(uintptr_t)options,
	};
	char *at = room;

	memset(room, 0, sizeof(room));
	pm_describe(&module, room);
	pm_description_take(&at, room + sizeof(room), head, PM_DESCRIPTION_HEAD);
	ck_assert_str_eq(head[PM_DESCRIPTION_NAME], "n");
	ck_assert_str_eq(head[PM_DESCRIPTION_VERSION], "2");
	ck_assert_str_eq(head[PM_DESCRIPTION_ABI], "1.7");
	ck_assert_str_eq(head[PM_DESCRIPTION_SUMMARY], "");
	for (size_t i = 0; i <= index; i++)
		pm_description_take(&at, room + sizeof(room), fields, PM_DESCRIPTION_FIELDS);
	return fields;
}

static const char *const choices[] = {"tcp", "udp", NULL};

static const struct {
	struct panicmon_option option;
	const char *type, *value, *required, *range;
} described[] = {
	{{.type = PANICMON_TEXT, .required = 1}, "text", "-", "yes", "any"},
	{{.type = PANICMON_BOOL, .value = "on"}, "bool", "on", "no", "yes, no"},
	{{.type = PANICMON_NUMBER, .min = -5, .max = 10}, "number", "-", "no", "-5 to 10"},
	{{.type = PANICMON_NUMBER}, "number", "-", "no", "0 or more"},
	{{.type = PANICMON_NUMBER, .min = INT64_MIN, .max = INT64_MAX},
	 "number",
	 "-",
	 "no",
	 "-9223372036854775808 or more"},
	{{.type = PANICMON_DURATION, .min = 1, .max = 90000}, "duration", "-", "no", "1ms to 90s"},
	{{.type = PANICMON_DURATION, .min = 0, .max = 7200000}, "duration", "-", "no", "0 to 2h"},
	{{.type = PANICMON_SIZE, .min = 512, .max = 1 << 20}, "size", "-", "no", "512 to 1M"},
	{{.type = PANICMON_CHOICE, .choices = choices}, "choice", "-", "no", "tcp, udp"},
	{{.type = PANICMON_CHOICE}, "choice", "-", "no", ""},
	{{.type = 99}, "text", "-", "no", "any"},
};

START_TEST(fields_of_an_option)
{
	struct panicmon_option option = described[_i].option;

	option.name = "key";
	option.help = "what it is for";
	const char *const *fields = describe_option(&option, 1, 0);
	ck_assert_str_eq(fields[PM_DESCRIPTION_OPTION], "key");
	ck_assert_str_eq(fields[PM_DESCRIPTION_TYPE], described[_i].type);
	ck_assert_str_eq(fields[PM_DESCRIPTION_DEFAULT], described[_i].value);
	ck_assert_str_eq(fields[PM_DESCRIPTION_REQUIRED], described[_i].required);
	ck_assert_str_eq(fields[PM_DESCRIPTION_RANGE], described[_i].range);
	ck_assert_str_eq(fields[PM_DESCRIPTION_HELP], "what it is for");
	ck_assert_str_eq(describe_option(&option, 1, 1)[PM_DESCRIPTION_OPTION], "");
}
END_TEST

START_TEST(more_options_than_fit)
{
	static struct panicmon_option many[1000];
	static char help[1000];
	size_t whole = 0;

	memset(help, 'h', sizeof(help) - 1);
	for (size_t i = 0; i < 1000; i++)
		many[i] = (struct panicmon_option){
			.name = "key", .type = PANICMON_TEXT, .help = help};
	while (describe_option(many, 1000, whole)[PM_DESCRIPTION_OPTION][0] != '\0') {
		ck_assert_str_eq(describe_option(many, 1000, whole)[PM_DESCRIPTION_HELP], help);
		whole++;
	}
	ck_assert_uint_gt(whole, 50);
	ck_assert_uint_lt(whole, 100);
}
END_TEST

/* As a plugin that scribbles leaves it. */
START_TEST(bytes_that_are_no_description)
{
	const char *texts[3];
	char *at = room;

	memset(room, 'x', sizeof(room));
	memcpy(room, "a\033[2J\n\0b\302\2332J", 12); /* U+009B does what ESC [ does */
	room[12] = '\0';
	pm_description_take(&at, room + sizeof(room), texts, 3);
	ck_assert_str_eq(texts[0], "a?[2J?");
	ck_assert_str_eq(texts[1], "b??2J");
	ck_assert_str_eq(texts[2], "");
	ck_assert_ptr_eq(at, room + sizeof(room));
	pm_description_take(&at, room + sizeof(room), texts, 3);
	ck_assert_str_eq(texts[0], "");
}
END_TEST

void add_describe_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "describe", NULL, NULL);

	tcase_add_loop_test(tests, fields_of_an_option, 0,
			    sizeof(described) / sizeof(described[0]));
	tcase_add_test(tests, more_options_than_fit);
	tcase_add_test(tests, bytes_that_are_no_description);
}
