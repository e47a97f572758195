noinst_LTLIBRARIES += src/base/libpm_base.la
src_base_libpm_base_la_SOURCES = \
	src/base/cleanup.c \
	src/base/cleanup.h \
	src/base/clock.c \
	src/base/clock.h \
	src/base/error.c \
	src/base/error.h \
	src/base/loop.c \
	src/base/loop.h \
	src/base/memory.c \
	src/base/memory.h \
	src/base/pack.h \
	src/base/signals.c \
	src/base/signals.h
