handler_LTLIBRARIES += statsd.la
statsd_la_SOURCES = \
	plugins/statsd/address.c \
	plugins/statsd/address.h \
	plugins/statsd/batch.c \
	plugins/statsd/batch.h \
	plugins/statsd/lines.c \
	plugins/statsd/lines.h \
	plugins/statsd/link.c \
	plugins/statsd/link.h \
	plugins/statsd/metrics.c \
	plugins/statsd/metrics.h \
	plugins/statsd/outbox.c \
	plugins/statsd/outbox.h \
	plugins/statsd/statsd.c \
	plugins/statsd/tags.c \
	plugins/statsd/tags.h
statsd_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
statsd_la_CFLAGS = $(PLUGIN_CFLAGS)
statsd_la_LDFLAGS = $(PLUGIN_LDFLAGS)
statsd_la_LIBADD = $(PLUGIN_LIBS)
