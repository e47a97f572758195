# Programs that use the library; each compiles as it is told in its first lines.
check_PROGRAMS += examples/run-and-report examples/supervise
examples_run_and_report_SOURCES = examples/run-and-report.c
examples_run_and_report_LDADD = libpanicmon.la
examples_run_and_report_LDFLAGS = $(AM_LDFLAGS) -no-install
examples_supervise_SOURCES = examples/supervise.c
examples_supervise_LDADD = libpanicmon.la
examples_supervise_LDFLAGS = $(AM_LDFLAGS) -no-install

# Handlers, built out of tree: tests/check-handlers.
EXTRA_DIST += examples/handler-minimal/Makefile examples/handler-minimal/crashes.c \
	examples/handler-cpp/Makefile examples/handler-cpp/crashes.cc
