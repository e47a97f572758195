/* What check() says of the section. */
#include <config.h>

#include "test_statsd.h"

#include <string.h>

static const struct {
	const char *option, *with; /* two of them, if the second is not NULL */
	const char *said;          /* NULL: it is good; else a part of the message */
} cases[] = {
	{"address=udp://statsd.example:8125", NULL, NULL},
	{"address=udp://statsd.example", NULL, NULL},
	{"address=udp://[::1]:8125", NULL, NULL},
	{"address=udp://127.0.0.1:1/", NULL, NULL},
	{"address=unix:///run/statsd.sock", NULL, NULL},
	{"address=", NULL, "begins with neither udp:// nor unix://"},
	{"address=tcp://a:1", NULL, "'tcp://a:1' begins with neither"},
	{"address=udp://", NULL, "has no host"},
	{"address=udp://:8125", NULL, "has no host"},
	{"address=udp://a:0", NULL, "has no port of 1 to 65535"},
	{"address=udp://a:65536", NULL, "has no port of 1 to 65535"},
	{"address=udp://a:123456789", NULL, "has no port of 1 to 65535"},
	{"address=udp://a:12x", NULL, "has no port of 1 to 65535"},
	{"address=udp://a:1/b", NULL, "has no port of 1 to 65535"},
	{"address=udp://a/b", NULL, "more than a host and a port"},
	{"address=udp://::1:8125", NULL, "has no host"},
	{"address=udp://1:2:3", NULL, "stands in brackets"},
	{"address=udp://[::1", NULL, "'[' without ']'"},
	{"address=unix://statsd.sock", NULL, "no absolute path"},
	{"address=unix:////////////////////////////////////////////////////////////////////////////"
	 "////"
	 "/////////////////////////////////////////////",
	 NULL, "more than 107 bytes"},
	{"prefix=", NULL, NULL},
	{"prefix=a.{name}.{host}_", NULL, NULL},
	{"prefix=a b", NULL, "prefix 'a b' is not one"},
	{"prefix=a{pid}", NULL, "is not one"},
	{"prefix=a:b", NULL, "is not one"},
	{"prefix=\xc3\xa4", NULL, "is not one"},
	{"tags=a:b", NULL, "dialect statsd has none"},
	{"tags= a:b , c.d-e:\xc3\xa4,", "dialect=influx", NULL},
	{"tags=a:{host}-1", "dialect=influx", NULL},
	{"tags=a", "dialect=influx", "'a' has no value"},
	{"tags=a:", "dialect=influx", "'a:' has no value"},
	{"tags=x:y,a:b|c", "dialect=influx", "'a:b|c' has a value with more"},
	{"tags=a:b:c", "dialect=dogstatsd", "'a:b:c' has a value with more"},
	{"tags=a:\xff", "dialect=dogstatsd", "has a value with more"},
	{"tags=1:b", "dialect=influx", "has a key that is not"},
	{"tags=:b", "dialect=influx", "has a key that is not"},
	{"tags=a=b:c", "dialect=influx", "has a key that is not"},
	{"tags=a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1",
	 "dialect=influx", "is one more than 16"},
	{"container_id=abc", "dialect=dogstatsd", NULL},
	{"container_id=a|b", "dialect=dogstatsd", "'a|b' is not one"},
	{"container_id=abc", NULL, "container_id needs dialect = dogstatsd"},
	{"timestamps=yes", "dialect=influx", "timestamps needs dialect = dogstatsd"},
	{"timestamps=no", NULL, NULL},
	{"dogstatsd_events=yes", NULL, "dogstatsd_events needs dialect = dogstatsd"},
	{"dogstatsd_events=no", NULL, NULL},
	{"prefix="
	 "ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"
	 "ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"
	 "pp"
	 "pppppppppp",
	 "max_datagram=512", NULL},
};
enum { CASE_COUNT = sizeof(cases) / sizeof(cases[0]) };

START_TEST(test_options)
{
	const char *const options[] = {cases[_i].option, cases[_i].with, NULL};
	struct rig rig;

	rig_make(&rig, options);
	int result = rig_check(&rig);
	if (cases[_i].said == NULL)
		ck_assert_msg(result == 0, "%s: %s", cases[_i].option, rig.failure);
	else
		ck_assert_msg(result == -1 && strstr(rig.failure, cases[_i].said) != NULL, "%s: %s",
			      cases[_i].option, rig.failure);
}
END_TEST

START_TEST(test_prefix_and_tags_leave_room)
{
	char tags[400] = "tags=a:";
	struct rig rig;

	memset(tags + 7, 't', 300);
	MAKE(&rig, "dialect=influx", tags, "max_datagram=512");
	ck_assert_int_eq(rig_check(&rig), -1);
	ck_assert_str_eq(rig.failure,
			 "prefix and tags have 311 bytes together, more than half of a "
			 "datagram (256)");
	MAKE(&rig, "dialect=influx", tags, "max_datagram=1024");
	ck_assert_int_eq(rig_check(&rig), 0);
}
END_TEST

void add_option_tests(Suite *suite)
{
	TCase *tcase = add_case(suite, "options");

	tcase_add_loop_test(tcase, test_options, 0, CASE_COUNT);
	tcase_add_test(tcase, test_prefix_and_tags_leave_room);
}
