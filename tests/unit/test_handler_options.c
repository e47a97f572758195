/* The handler room: a section's keys against a plugin's table. */
#include <config.h>

#include "test_handler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handler/options.h"

static const char *const protocols[] = {"tcp", "udp", "unix", NULL};

static const struct panicmon_option table[] = {
	{.name = "address", .type = PANICMON_TEXT, .required = 1, .help = "where to send to"},
	{.name = "prefix", .type = PANICMON_TEXT, .value = "api"},
	{.name = "tags", .type = PANICMON_BOOL, .value = "yes"},
	{.name = "count", .type = PANICMON_NUMBER, .value = "3"},
	{.name = "offset", .type = PANICMON_NUMBER, .min = -5, .max = 10},
	{.name = "wait", .type = PANICMON_DURATION, .value = "1.5s", .min = 100, .max = 60000},
	{.name = "batch", .type = PANICMON_SIZE, .value = "64k", .min = 512, .max = 1 << 20},
	{.name = "protocol", .type = PANICMON_CHOICE, .choices = protocols, .value = "udp"},
};
enum { OPTIONS = sizeof(table) / sizeof(table[0]) };

enum { ADDRESS, PREFIX, TAGS, COUNT, OFFSET, WAIT, BATCH, PROTOCOL };

/* A handler with so many options. */
#define OF(count) (&(const struct panicmon_handler){.option_count = (uint32_t)(count)})

/* ---- a section, and what is said about it ---- */

enum { KEYS_MAX = 8 };

static char handler_name[] = "statsd";
static char section_where[] = "a.ini:1";
static char texts[KEYS_MAX][3][8192];
static struct pm_config_option keys[KEYS_MAX];
static struct pm_config_handler section;
static struct panicmon_value values[OPTIONS];
static char said[2048];

static void set_up(void)
{
	section = (struct pm_config_handler){
		.name = handler_name, .where = section_where, .options = keys};
}

/* The first one stands in line 2. */
static void write_key(const char *key, const char *value)
{
	const size_t i = section.option_count++;

	ck_assert_uint_lt(i, KEYS_MAX);
	snprintf(texts[i][0], sizeof(texts[i][0]), "%s", key);
	snprintf(texts[i][1], sizeof(texts[i][1]), "%s", value);
	snprintf(texts[i][2], sizeof(texts[i][2]), "a.ini:%zu", i + 2);
	keys[i] = (struct pm_config_option){texts[i][0], texts[i][1], texts[i][2]};
}

static size_t read_section(void)
{
	memset(values, 0x5a, sizeof(values));
	memset(said, 0x5a, sizeof(said));
	return pm_options_read(&section, OF(OPTIONS), table, values, said, sizeof(said));
}

static void assert_good(void)
{
	const size_t mistakes = read_section();

	ck_assert_msg(mistakes == 0, "%s", said);
	ck_assert_str_eq(said, "");
}

static void assert_said(const char *part)
{
	ck_assert_msg(strstr(said, part) != NULL, "'%s' is not in: %s", part, said);
}

/* ---- values ---- */

START_TEST(defaults)
{
	write_key("address", "localhost");
	assert_good();
	ck_assert_ptr_eq(values[ADDRESS].text, keys[0].value);
	ck_assert_uint_eq(values[ADDRESS].given, 1);
	ck_assert_str_eq(values[PREFIX].text, "api");
	ck_assert_int_eq(values[TAGS].number, 1);
	ck_assert_int_eq(values[COUNT].number, 3);
	ck_assert_int_eq(values[WAIT].number, 1500);
	ck_assert_int_eq(values[BATCH].number, 64 * 1024);
	ck_assert_int_eq(values[PROTOCOL].number, 1);
	ck_assert_str_eq(values[PROTOCOL].text, "udp");
	ck_assert_ptr_null(values[OFFSET].text);
	ck_assert_int_eq(values[OFFSET].number, 0);
	for (size_t i = PREFIX; i < OPTIONS; i++)
		ck_assert_uint_eq(values[i].given, 0);
}
END_TEST

static const struct {
	const char *key, *value;
	int at;
	int64_t number;
} good[] = {
	{"prefix", "", PREFIX, 0},
	{"prefix", "12", PREFIX, 0},
	{"prefix", "a = b ; c", PREFIX, 0},
	{"tags", "no", TAGS, 0},
	{"tags", "On", TAGS, 1},
	{"count", "0", COUNT, 0},
	{"count", "9223372036854775807", COUNT, INT64_MAX},
	{"offset", "-5", OFFSET, -5},
	{"offset", "10", OFFSET, 10},
	{"wait", "100ms", WAIT, 100},
	{"wait", "2", WAIT, 2000},
	{"wait", "1m", WAIT, 60000},
	{"batch", "512", BATCH, 512},
	{"batch", "1M", BATCH, 1 << 20},
	{"protocol", "tcp", PROTOCOL, 0},
	{"protocol", "unix", PROTOCOL, 2},
};

START_TEST(good_values)
{
	write_key("address", "");
	write_key(good[_i].key, good[_i].value);
	assert_good();
	ck_assert_int_eq(values[good[_i].at].number, good[_i].number);
	ck_assert_ptr_eq(values[good[_i].at].text, keys[1].value);
	ck_assert_uint_eq(values[good[_i].at].given, 1);
	ck_assert_uint_eq(values[ADDRESS].given, 1);
}
END_TEST

static const struct {
	const char *key, *value;
	const char *parts[3];
} bad[] = {
	{"tags", "maybe", {"'maybe'"}},
	{"count", "", {"count"}},
	{"count", "three", {"'three'"}},
	{"count", "-1", {"'-1'", "negative"}},
	{"count", "9223372036854775808", {"'9223372036854775808'"}},
	{"offset", "-6", {"'-6'", "out of range", "-5 to 10"}},
	{"offset", "11", {"'11'", "out of range"}},
	{"wait", "99ms", {"'99ms'", "100 to 60000 ms"}},
	{"wait", "60001ms", {"'60001ms'", "out of range"}},
	{"wait", "soon", {"'soon'", "duration"}},
	{"batch", "511", {"'511'", "512 to 1048576 bytes"}},
	{"batch", "2M", {"'2M'", "out of range"}},
	{"batch", "1x", {"'1x'"}},
	{"protocol", "", {"''", "tcp, udp, unix"}},
	{"protocol", "sctp", {"'sctp'", "tcp, udp, unix"}},
	{"protocol", "tc", {"'tc'", "tcp, udp, unix"}},
};

START_TEST(bad_values)
{
	char start[64];

	write_key("address", "x");
	write_key(bad[_i].key, bad[_i].value);
	ck_assert_uint_eq(read_section(), 1);
	snprintf(start, sizeof(start), "a.ini:3: [handler:statsd] %s", bad[_i].key);
	ck_assert_int_eq(strncmp(said, start, strlen(start)), 0);
	for (size_t i = 0; i < 3 && bad[_i].parts[i] != NULL; i++)
		assert_said(bad[_i].parts[i]);
	ck_assert_ptr_null(strchr(said, '\n'));
}
END_TEST

/* ---- keys ---- */

START_TEST(missing)
{
	write_key("prefix", "x");
	ck_assert_uint_eq(read_section(), 1);
	ck_assert_int_eq(strncmp(said, "a.ini:1: [handler:statsd] ", 26), 0);
	assert_said("'address'");
	assert_said("where to send to");
}
END_TEST

START_TEST(unknown_with_nearest)
{
	write_key("address", "x");
	write_key("protocoll", "udp");
	ck_assert_uint_eq(read_section(), 1);
	ck_assert_int_eq(strncmp(said, "a.ini:3: [handler:statsd] ", 26), 0);
	assert_said("'protocoll'");
	assert_said("did you mean 'protocol'?");
}
END_TEST

START_TEST(unknown_without_nearest)
{
	write_key("address", "x");
	write_key("xylophone", "y");
	ck_assert_uint_eq(read_section(), 1);
	assert_said("'xylophone'");
	for (size_t i = 0; i < OPTIONS; i++)
		assert_said(table[i].name);
	ck_assert_ptr_null(strstr(said, "did you mean"));
}
END_TEST

START_TEST(no_keys_at_all)
{
	ck_assert_uint_eq(pm_options_read(&section, OF(0), NULL, values, said, sizeof(said)), 0);
	ck_assert_str_eq(said, "");
	write_key("address", "x");
	ck_assert_uint_eq(pm_options_read(&section, OF(0), NULL, values, said, sizeof(said)), 1);
	assert_said("no keys of its own");
}
END_TEST

START_TEST(several_mistakes_in_one_go)
{
	write_key("adress", "x"); /* so that `address` is missing too */
	write_key("count", "many");
	write_key("prefix", "fine");
	write_key("wait", "1h");
	write_key("zzz", "");
	ck_assert_uint_eq(read_section(), 5);
	assert_said("a.ini:2: [handler:statsd] unknown key 'adress'; did you mean 'address'?\n");
	assert_said("\na.ini:3: [handler:statsd] count: 'many'");
	assert_said("\na.ini:5: [handler:statsd] wait: '1h'");
	assert_said("\na.ini:6: [handler:statsd] unknown key 'zzz'");
	assert_said("\na.ini:1: [handler:statsd] the key 'address' is missing");
	ck_assert_ptr_null(strstr(said, "prefix:"));
	ck_assert_int_ne(said[strlen(said) - 1], '\n');
}
END_TEST

/* ---- a table that is wrong, or newer ---- */

START_TEST(wrong_default)
{
	static const struct panicmon_option wrong[] = {
		{.name = "wait", .type = PANICMON_DURATION, .value = "soon"},
	};

	ck_assert_uint_eq(pm_options_read(&section, OF(1), wrong, values, said, sizeof(said)), 1);
	assert_said("a.ini:1: [handler:statsd] ");
	assert_said("default of 'wait'");
	assert_said("'soon'");
}
END_TEST

START_TEST(choice_without_choices)
{
	static const struct panicmon_option wrong[] = {
		{.name = "how", .type = PANICMON_CHOICE},
	};

	write_key("how", "so");
	ck_assert_uint_eq(pm_options_read(&section, OF(1), wrong, values, said, sizeof(said)), 1);
	assert_said("how: 'so'");
}
END_TEST

/* Longer lists than there is room for in a line. */
START_TEST(many_choices_and_keys)
{
	enum { MANY = 100 };
	static char names[MANY][32];
	static const char *choices[MANY + 1];
	static struct panicmon_option many[MANY];
	struct panicmon_value many_values[MANY];

	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "a_rather_long_name_%d", i);
		choices[i] = names[i];
		many[i] = (struct panicmon_option){
			.name = names[i], .type = PANICMON_CHOICE, .choices = choices};
	}
	write_key(names[7], "zzz");
	write_key("zzz", "x");
	ck_assert_uint_eq(pm_options_read(&section, OF(MANY), many, many_values, said, sizeof(said)), 2);
	assert_said("a_rather_long_name_7: 'zzz'");
	assert_said("unknown key 'zzz'");
	assert_said("a_rather_long_name_5");
}
END_TEST

START_TEST(type_that_is_not_known)
{
	static const struct panicmon_option newer[] = {
		{.name = "color", .type = PANICMON_CHOICE + 7, .min = 1, .max = 2},
	};

	write_key("color", "red");
	ck_assert_uint_eq(pm_options_read(&section, OF(1), newer, values, said, sizeof(said)), 0);
	ck_assert_str_eq(values[0].text, "red");
}
END_TEST

/* ---- room for what is said ---- */

START_TEST(little_room)
{
	write_key("address", "x");
	for (int i = 0; i < 5; i++)
		write_key("unknown_key_of_some_length", "x");
	for (size_t size = 1; size < 700; size++) {
		char *room = malloc(size); /* a sanitizer watches its end */

		ck_assert_uint_eq(pm_options_read(&section, OF(OPTIONS), table, values, room, size), 5);
		ck_assert_uint_lt(strnlen(room, size), size);
		free(room);
	}
}
END_TEST

START_TEST(long_values)
{
	char value[8000];

	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	write_key("address", value);
	assert_good();
	ck_assert_str_eq(values[ADDRESS].text, value);
	write_key("count", value);
	write_key(value, value);
	write_key("protocol", value);
	ck_assert_uint_eq(read_section(), 3);
	ck_assert_uint_lt(strnlen(said, sizeof(said)), sizeof(said));
}
END_TEST

void add_option_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "options", set_up, NULL);

	tcase_add_test(tests, defaults);
	tcase_add_loop_test(tests, good_values, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tests, bad_values, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tests, missing);
	tcase_add_test(tests, unknown_with_nearest);
	tcase_add_test(tests, unknown_without_nearest);
	tcase_add_test(tests, no_keys_at_all);
	tcase_add_test(tests, several_mistakes_in_one_go);
	tcase_add_test(tests, wrong_default);
	tcase_add_test(tests, choice_without_choices);
	tcase_add_test(tests, many_choices_and_keys);
	tcase_add_test(tests, type_that_is_not_known);
	tcase_add_test(tests, little_room);
	tcase_add_test(tests, long_values);
}
