log_la_SOURCES = \
	plugins/log/json.c \
	plugins/log/json.h \
	plugins/log/log.c \
	plugins/log/quote.c \
	plugins/log/quote.h \
	plugins/log/sink.c \
	plugins/log/sink.h \
	plugins/log/text.c \
	plugins/log/text.h
log_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
log_la_CFLAGS = $(PLUGIN_CFLAGS)
log_la_LDFLAGS = $(PLUGIN_LDFLAGS)
log_la_LIBADD = $(PLUGIN_LIBS)
