# Fixture plugins, good and hostile, found by the tests in tests/handlers/.libs.
# Without -rpath libtool makes no shared object of a library that is not installed.
fixture_ldflags = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere

EXTRA_DIST += \
	tests/handlers/fixture.h \
	tests/handlers/kept/sample_1_0.c \
	tests/handlers/kept/sample_1_0.so

# Good at heart, or as bad as their options say.
check_LTLIBRARIES += tests/handlers/hostile.la
tests_handlers_hostile_la_SOURCES = \
	tests/handlers/hostile.c \
	tests/handlers/hostile_ways.c \
	tests/handlers/hostile_ways.h
tests_handlers_hostile_la_LDFLAGS = $(fixture_ldflags)

check_LTLIBRARIES += tests/handlers/held.la
tests_handlers_held_la_SOURCES = tests/handlers/held.c
tests_handlers_held_la_LDFLAGS = $(fixture_ldflags)

check_LTLIBRARIES += tests/handlers/alert.la
tests_handlers_alert_la_SOURCES = tests/handlers/alert.c
tests_handlers_alert_la_LDFLAGS = $(fixture_ldflags)

check_LTLIBRARIES += tests/handlers/patient.la
tests_handlers_patient_la_SOURCES = tests/handlers/patient.c
tests_handlers_patient_la_LDFLAGS = $(fixture_ldflags)

if HAVE_CXX
check_LTLIBRARIES += tests/handlers/throw.la
tests_handlers_throw_la_SOURCES = tests/handlers/throw.cpp
tests_handlers_throw_la_LDFLAGS = $(fixture_ldflags)
endif

# Bad as soon as they are loaded.
check_LTLIBRARIES += tests/handlers/print_constructor.la
tests_handlers_print_constructor_la_SOURCES = tests/handlers/constructor.c
tests_handlers_print_constructor_la_CPPFLAGS = $(AM_CPPFLAGS) -DFIXTURE_CONSTRUCTOR=PRINT
tests_handlers_print_constructor_la_LDFLAGS = $(fixture_ldflags)

check_LTLIBRARIES += tests/handlers/hang_constructor.la
tests_handlers_hang_constructor_la_SOURCES = tests/handlers/constructor.c
tests_handlers_hang_constructor_la_CPPFLAGS = $(AM_CPPFLAGS) -DFIXTURE_CONSTRUCTOR=HANG
tests_handlers_hang_constructor_la_LDFLAGS = $(fixture_ldflags)

check_LTLIBRARIES += tests/handlers/crash_constructor.la
tests_handlers_crash_constructor_la_SOURCES = tests/handlers/constructor.c
tests_handlers_crash_constructor_la_CPPFLAGS = $(AM_CPPFLAGS) -DFIXTURE_CONSTRUCTOR=CRASH
tests_handlers_crash_constructor_la_LDFLAGS = $(fixture_ldflags)

check_LTLIBRARIES += tests/handlers/exit_constructor.la
tests_handlers_exit_constructor_la_SOURCES = tests/handlers/constructor.c
tests_handlers_exit_constructor_la_CPPFLAGS = $(AM_CPPFLAGS) -DFIXTURE_CONSTRUCTOR=LEAVE
tests_handlers_exit_constructor_la_LDFLAGS = $(fixture_ldflags)

# Descriptors.
check_LTLIBRARIES += tests/handlers/bad_abi.la
tests_handlers_bad_abi_la_SOURCES = tests/handlers/descriptor.c
tests_handlers_bad_abi_la_CPPFLAGS = $(AM_CPPFLAGS) -DFIXTURE_BAD_ABI
tests_handlers_bad_abi_la_LDFLAGS = $(fixture_ldflags)

check_LTLIBRARIES += tests/handlers/bad_magic.la
tests_handlers_bad_magic_la_SOURCES = tests/handlers/descriptor.c
tests_handlers_bad_magic_la_CPPFLAGS = $(AM_CPPFLAGS) -DFIXTURE_BAD_MAGIC
tests_handlers_bad_magic_la_LDFLAGS = $(fixture_ldflags)

check_LTLIBRARIES += tests/handlers/no_descriptor.la
tests_handlers_no_descriptor_la_SOURCES = tests/handlers/descriptor.c
tests_handlers_no_descriptor_la_CPPFLAGS = $(AM_CPPFLAGS) -DFIXTURE_NO_DESCRIPTOR
tests_handlers_no_descriptor_la_LDFLAGS = $(fixture_ldflags)

check_LTLIBRARIES += tests/handlers/needs_more.la
tests_handlers_needs_more_la_SOURCES = tests/handlers/descriptor.c
tests_handlers_needs_more_la_CPPFLAGS = $(AM_CPPFLAGS) -DFIXTURE_NEEDS_MORE
tests_handlers_needs_more_la_LDFLAGS = $(fixture_ldflags)

check_LTLIBRARIES += tests/handlers/too_small.la
tests_handlers_too_small_la_SOURCES = tests/handlers/descriptor.c
tests_handlers_too_small_la_CPPFLAGS = $(AM_CPPFLAGS) -DFIXTURE_TOO_SMALL
tests_handlers_too_small_la_LDFLAGS = $(fixture_ldflags)

check_LTLIBRARIES += tests/handlers/past.la
tests_handlers_past_la_SOURCES = tests/handlers/descriptor.c
tests_handlers_past_la_CPPFLAGS = $(AM_CPPFLAGS) -DFIXTURE_PAST
tests_handlers_past_la_LDFLAGS = $(fixture_ldflags)

check_LTLIBRARIES += tests/handlers/future.la
tests_handlers_future_la_SOURCES = tests/handlers/descriptor.c
tests_handlers_future_la_CPPFLAGS = $(AM_CPPFLAGS) -DFIXTURE_FUTURE
tests_handlers_future_la_LDFLAGS = $(fixture_ldflags)

check_LTLIBRARIES += tests/handlers/missing.la
tests_handlers_missing_la_SOURCES = tests/handlers/descriptor.c
tests_handlers_missing_la_CPPFLAGS = $(AM_CPPFLAGS) -DFIXTURE_MISSING
tests_handlers_missing_la_LDFLAGS = $(fixture_ldflags)

check_LTLIBRARIES += tests/handlers/no_ops_size.la
tests_handlers_no_ops_size_la_SOURCES = tests/handlers/descriptor.c
tests_handlers_no_ops_size_la_CPPFLAGS = $(AM_CPPFLAGS) -DFIXTURE_NO_OPS_SIZE
tests_handlers_no_ops_size_la_LDFLAGS = $(fixture_ldflags)

check_LTLIBRARIES += tests/handlers/no_option_size.la
tests_handlers_no_option_size_la_SOURCES = tests/handlers/descriptor.c
tests_handlers_no_option_size_la_CPPFLAGS = $(AM_CPPFLAGS) -DFIXTURE_NO_OPTION_SIZE
tests_handlers_no_option_size_la_LDFLAGS = $(fixture_ldflags)

check_LTLIBRARIES += tests/handlers/no_option_name.la
tests_handlers_no_option_name_la_SOURCES = tests/handlers/descriptor.c
tests_handlers_no_option_name_la_CPPFLAGS = $(AM_CPPFLAGS) -DFIXTURE_NO_OPTION_NAME
tests_handlers_no_option_name_la_LDFLAGS = $(fixture_ldflags)

check_LTLIBRARIES += tests/handlers/strange_text.la
tests_handlers_strange_text_la_SOURCES = tests/handlers/descriptor.c
tests_handlers_strange_text_la_CPPFLAGS = $(AM_CPPFLAGS) -DFIXTURE_STRANGE_TEXT
tests_handlers_strange_text_la_LDFLAGS = $(fixture_ldflags)
