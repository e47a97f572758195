# `make bench` prints tables; it measures and asserts nothing.
EXTRA_PROGRAMS = bench/interleave
bench_interleave_SOURCES = bench/interleave.c
CLEANFILES += bench/interleave$(EXEEXT)
EXTRA_DIST += bench/run

bench: all bench/interleave$(EXEEXT) tests/tools/sigcount$(EXEEXT) tests/tools/sigqueue_storm$(EXEEXT)
	PM_BUILD_DIR='$(abs_top_builddir)' '$(srcdir)/bench/run'

.PHONY: bench
