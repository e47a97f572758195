lib_LTLIBRARIES = libpanicmon.la
libpanicmon_la_SOURCES = \
	src/library/library.c \
	src/library/library.h \
	src/library/options.c \
	src/library/pump.c \
	src/library/pump.h \
	src/library/run.c \
	src/library/signals.c \
	src/library/signals.h
libpanicmon_la_LIBADD = src/executor/libpm_executor.la src/process/libpm_process.la \
	src/event/libpm_event.la src/base/libpm_base.la
libpanicmon_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 $(PM_NO_UNDEFINED) \
	-export-symbols-regex '^panicmon_'
pkgconfig_DATA += libpanicmon.pc
