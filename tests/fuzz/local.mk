# libFuzzer's programs: ./configure CC=clang --enable-fuzzers, then make fuzz. What one finds stays in
# tests/fuzz of the build: inputs that reach new code in NAME.found, and the one that it fails with.
EXTRA_DIST += tests/fuzz/seeds
FUZZ_SECONDS = 60
fuzzers =

if FUZZERS
fuzzers += tests/fuzz/fuzz_config tests/fuzz/fuzz_event tests/fuzz/fuzz_redact
check_PROGRAMS += $(fuzzers)
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz_config.c
tests_fuzz_fuzz_config_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_config_LDADD = src/config/libpm_config.la src/event/libpm_event.la \
	src/base/libpm_base.la $(INIH_LIBS)

tests_fuzz_fuzz_event_SOURCES = tests/fuzz/fuzz_event.c
tests_fuzz_fuzz_event_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_event_LDADD = src/event/libpm_event.la src/base/libpm_base.la

tests_fuzz_fuzz_redact_SOURCES = tests/fuzz/fuzz_redact.c
tests_fuzz_fuzz_redact_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_redact_LDADD = src/event/libpm_event.la src/base/libpm_base.la
endif

.PHONY: fuzz
fuzz: $(fuzzers)
	@test -n '$(fuzzers)' || { echo 'there are no fuzzers; configure with --enable-fuzzers' >&2; exit 1; }
	for fuzzer in $(fuzzers); do \
		name=$${fuzzer#*/fuzz_}; \
		seeds='$(srcdir)/tests/fuzz/seeds'/$$name; \
		test -d "$$seeds" || seeds=; \
		mkdir -p "tests/fuzz/$$name.found" && \
		"$$fuzzer" -max_total_time=$(FUZZ_SECONDS) -artifact_prefix="tests/fuzz/$$name." \
			"tests/fuzz/$$name.found" $${seeds:+"$$seeds"} || exit; \
	done

clean-local:
	rm -rf tests/fuzz/*.found
