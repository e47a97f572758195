handler_LTLIBRARIES = log.la
# A plugin exports its descriptor and nothing else.
PLUGIN_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -export-symbols-regex '^panicmon_handler_1$$'

include plugins/log/local.mk
