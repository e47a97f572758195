/* What the test files of the handler room share. */
#ifndef PM_TESTS_UNIT_TEST_HANDLER_H
#define PM_TESTS_UNIT_TEST_HANDLER_H

#include "suite.h"

void add_alerts_tests(Suite *suite);
void add_alerts_file_tests(Suite *suite);
void add_describe_tests(Suite *suite);
void add_keeper_tests(Suite *suite);
void add_option_tests(Suite *suite);
void add_module_tests(Suite *suite);

#endif
