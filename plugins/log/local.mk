log_la_SOURCES = \
	plugins/log/address.c \
	plugins/log/address.h \
	plugins/log/connection.c \
	plugins/log/connection.h \
	plugins/log/ecs.c \
	plugins/log/file.c \
	plugins/log/format.h \
	plugins/log/journal.c \
	plugins/log/json.c \
	plugins/log/log.c \
	plugins/log/logfmt.c \
	plugins/log/otel.c \
	plugins/log/record.c \
	plugins/log/record.h \
	plugins/log/sink.c \
	plugins/log/sink.h \
	plugins/log/syslog.c \
	plugins/log/text.c
log_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
log_la_CFLAGS = $(PLUGIN_CFLAGS)
log_la_LDFLAGS = $(PLUGIN_LDFLAGS)
log_la_LIBADD = $(PLUGIN_LIBS)
