handler_LTLIBRARIES = log.la
# A plugin exports its descriptor and nothing else.
PLUGIN_CPPFLAGS = -I$(srcdir)/include -I$(srcdir)/plugins
PLUGIN_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
PLUGIN_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -export-symbols-regex '^panicmon_handler_1$$'
PLUGIN_LIBS = plugins/common/libpm_common.la $(JANSSON_LIBS)

# Nobody links with a plugin: libtool's notes on them have no place among them. Without the notes its
# uninstall does not find the .so.
install_data_hooks += remove-handler-notes
remove-handler-notes:
	cd '$(DESTDIR)$(handlerdir)' && rm -f $(handler_LTLIBRARIES)

# panicmon loads nothing from a folder that others can write to, as a umask of 0002 would make it.
install_data_hooks += close-handler-folders
close-handler-folders:
	for folder in '$(DESTDIR)$(pkglibdir)' '$(DESTDIR)$(handlerdir)'; do \
		test ! -d "$$folder" || chmod go-w "$$folder" || exit; \
	done

uninstall_hooks += uninstall-handlers
uninstall-handlers:
	for plugin in $(handler_LTLIBRARIES:.la=.so); do \
		rm -f "$(DESTDIR)$(handlerdir)/$$plugin" || exit; \
	done

include plugins/common/local.mk
include plugins/log/local.mk
include plugins/statsd/local.mk
include plugins/webhook/local.mk
include plugins/exec/local.mk
