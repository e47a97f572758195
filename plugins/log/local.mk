log_la_SOURCES = \
	plugins/log/buffer.c \
	plugins/log/buffer.h \
	plugins/log/cut.h \
	plugins/log/json.c \
	plugins/log/json.h \
	plugins/log/log.c \
	plugins/log/names.c \
	plugins/log/names.h \
	plugins/log/quote.c \
	plugins/log/quote.h \
	plugins/log/sink.c \
	plugins/log/sink.h \
	plugins/log/text.c \
	plugins/log/text.h \
	plugins/log/utf8.c \
	plugins/log/utf8.h
log_la_CPPFLAGS = -I$(srcdir)/include
log_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
log_la_LDFLAGS = $(PLUGIN_LDFLAGS)
log_la_LIBADD = $(JANSSON_LIBS)
