# Programs that the end-to-end tests and the benchmarks run.
check_PROGRAMS += \
	tests/tools/many_starts \
	tests/tools/orphans \
	tests/tools/probe \
	tests/tools/sigcount \
	tests/tools/sigqueue_storm \
	tests/tools/stubborn
tests_tools_many_starts_SOURCES = tests/tools/many_starts.c
tests_tools_orphans_SOURCES = tests/tools/orphans.c
tests_tools_probe_SOURCES = tests/tools/probe.c
tests_tools_sigcount_SOURCES = tests/tools/sigcount.c
tests_tools_sigqueue_storm_SOURCES = tests/tools/sigqueue_storm.c
tests_tools_stubborn_SOURCES = tests/tools/stubborn.c
