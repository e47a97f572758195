handler_LTLIBRARIES = log.la
# A plugin exports its descriptor and nothing else.
PLUGIN_CPPFLAGS = -I$(srcdir)/include -I$(srcdir)/plugins
PLUGIN_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
PLUGIN_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -export-symbols-regex '^panicmon_handler_1$$'
PLUGIN_LIBS = plugins/common/libpm_common.la $(JANSSON_LIBS)

include plugins/common/local.mk
include plugins/log/local.mk
include plugins/statsd/local.mk
include plugins/webhook/local.mk
include plugins/exec/local.mk
