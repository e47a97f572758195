noinst_LTLIBRARIES += src/event/libpm_event.la
src_event_libpm_event_la_SOURCES = \
	src/event/codec.c \
	src/event/codec.h \
	src/event/event.c \
	src/event/event.h \
	src/event/identity.c \
	src/event/redact.c \
	src/event/redact.h \
	src/event/secret_name.c
