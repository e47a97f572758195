noinst_LTLIBRARIES += src/front/libpm_front.la
src_front_libpm_front_la_SOURCES = \
	src/front/options.c \
	src/front/options.h \
	src/front/print.c \
	src/front/print.h \
	src/front/process.c \
	src/front/process.h
