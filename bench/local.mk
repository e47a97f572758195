# `make bench` prints tables; it measures and asserts nothing.
bench_programs = \
	bench/interleave$(EXEEXT) \
	bench/latency$(EXEEXT) \
	bench/metrics$(EXEEXT) \
	bench/receiver$(EXEEXT) \
	bench/storm$(EXEEXT)
EXTRA_PROGRAMS = bench/interleave bench/latency bench/metrics bench/receiver bench/storm
bench_entries = bench/entries.c bench/entries.h
bench_supervised = $(bench_entries) bench/supervised.c bench/supervised.h
bench_interleave_SOURCES = bench/interleave.c $(bench_entries)
bench_latency_SOURCES = bench/latency.c $(bench_supervised)
bench_metrics_SOURCES = bench/metrics.c
bench_receiver_SOURCES = bench/receiver.c bench/supervised.h $(bench_entries)
bench_storm_SOURCES = bench/storm.c $(bench_supervised)
CLEANFILES += $(bench_programs)
EXTRA_DIST += bench/run

bench: all $(bench_programs)
	PM_BUILD_DIR='$(abs_top_builddir)' '$(srcdir)/bench/run'

.PHONY: bench
