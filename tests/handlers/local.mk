# Fixture plugins, good and hostile, found by the tests in tests/handlers/.libs.
# Without -rpath libtool makes no shared object of a library that is not installed.
fixture_ldflags = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere

# One block for each; enable it with the file.
#check_LTLIBRARIES += tests/handlers/hang_event.la
#tests_handlers_hang_event_la_SOURCES = tests/handlers/hang_event.c
#tests_handlers_hang_event_la_LDFLAGS = $(fixture_ldflags)

#check_LTLIBRARIES += tests/handlers/hang_open.la
#tests_handlers_hang_open_la_SOURCES = tests/handlers/hang_open.c
#tests_handlers_hang_open_la_LDFLAGS = $(fixture_ldflags)

#check_LTLIBRARIES += tests/handlers/crash_event.la
#tests_handlers_crash_event_la_SOURCES = tests/handlers/crash_event.c
#tests_handlers_crash_event_la_LDFLAGS = $(fixture_ldflags)

#check_LTLIBRARIES += tests/handlers/bad_abi.la
#tests_handlers_bad_abi_la_SOURCES = tests/handlers/bad_abi.c
#tests_handlers_bad_abi_la_LDFLAGS = $(fixture_ldflags)

#check_LTLIBRARIES += tests/handlers/no_descriptor.la
#tests_handlers_no_descriptor_la_SOURCES = tests/handlers/no_descriptor.c
#tests_handlers_no_descriptor_la_LDFLAGS = $(fixture_ldflags)
