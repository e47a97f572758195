noinst_LTLIBRARIES += src/config/libpm_config.la
src_config_libpm_config_la_SOURCES = \
	src/config/config.c \
	src/config/config.h \
	src/config/file.c \
	src/config/file.h \
	src/config/handler_keys.c \
	src/config/handler_keys.h \
	src/config/key_values.c \
	src/config/key_values.h \
	src/config/keys.c \
	src/config/keys.h \
	src/config/parse.c \
	src/config/parse.h \
	src/config/process_keys.c \
	src/config/process_keys.h \
	src/config/seen.c \
	src/config/seen.h \
	src/config/value.c \
	src/config/value.h
src_config_libpm_config_la_CFLAGS = $(AM_CFLAGS) $(INIH_CFLAGS)
