# Programs that the end-to-end tests and the benchmarks run.
check_PROGRAMS += tests/tools/probe tests/tools/sigcount tests/tools/sigqueue_storm
tests_tools_probe_SOURCES = tests/tools/probe.c
tests_tools_sigcount_SOURCES = tests/tools/sigcount.c
tests_tools_sigqueue_storm_SOURCES = tests/tools/sigqueue_storm.c
