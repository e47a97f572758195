/* What the test files of the base room share. */
#ifndef PM_TESTS_UNIT_TEST_BASE_H
#define PM_TESTS_UNIT_TEST_BASE_H

#include "suite.h"

void add_loop_tests(Suite *suite);
void add_signal_tests(Suite *suite);

#endif
