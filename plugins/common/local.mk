# What several plugins have in common: part of each, with hidden symbols.
noinst_LTLIBRARIES += plugins/common/libpm_common.la
plugins_common_libpm_common_la_SOURCES = \
	plugins/common/buffer.c \
	plugins/common/buffer.h \
	plugins/common/clock.c \
	plugins/common/clock.h \
	plugins/common/cut.h \
	plugins/common/ending.c \
	plugins/common/ending.h \
	plugins/common/endpoint.c \
	plugins/common/endpoint.h \
	plugins/common/event.h \
	plugins/common/fd.c \
	plugins/common/fd.h \
	plugins/common/json.c \
	plugins/common/json.h \
	plugins/common/lookup.c \
	plugins/common/lookup.h \
	plugins/common/names.c \
	plugins/common/names.h \
	plugins/common/quote.c \
	plugins/common/quote.h \
	plugins/common/utf8.c \
	plugins/common/utf8.h
plugins_common_libpm_common_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
plugins_common_libpm_common_la_CFLAGS = $(PLUGIN_CFLAGS)
