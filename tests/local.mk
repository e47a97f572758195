# Unit tests: one Check program a room. End-to-end tests: pytest, through tests/run-pytest.
AM_TESTS_ENVIRONMENT = \
	PM_BUILD_DIR='$(abs_top_builddir)'; export PM_BUILD_DIR; \
	PM_SOURCE_DIR='$(abs_top_srcdir)'; export PM_SOURCE_DIR; \
	PYTEST='$(PYTEST)'; export PYTEST; \
	CC='$(CC)'; export CC; \
	CK_DEFAULT_TIMEOUT=$${CK_DEFAULT_TIMEOUT-30}; export CK_DEFAULT_TIMEOUT;

EXTRA_DIST += \
	tests/abi/abi.c \
	tests/abi/handler-1.abi \
	tests/check-abi \
	tests/check-headers \
	tests/check-includes \
	tests/check-install \
	tests/check-handlers \
	tests/check-library \
	tests/check-size \
	tests/count-results \
	tests/integration \
	tests/run-pytest \
	tests/servers/package.json \
	tests/valgrind.supp

include tests/fuzz/local.mk
include tests/handlers/local.mk
include tests/tools/local.mk
include tests/unit/local.mk

TESTS += tests/check-headers

if HAVE_PYTEST
TESTS += tests/run-pytest
endif

# tests/integration is distributed as a whole; Python leaves its cache there.
dist-hook:
	rm -rf '$(distdir)/tests/integration/__pycache__' '$(distdir)/tests/integration/.pytest_cache'

CLEANFILES += tests/integration.xml
