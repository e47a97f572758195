confdir = $(sysconfdir)/panicmon
dist_doc_DATA = README.md NEWS.md conf/panicmon.ini conf/quickstart.ini conf/example.service

containerdir = $(docdir)/container
dist_container_DATA = conf/container/Containerfile conf/container/panicmon.ini

# A config that is there belongs to the administrator: never overwritten, and removed only if it
# is what was installed. The new one is in $(docdir) either way.
install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(confdir)'
	@if test -e '$(DESTDIR)$(confdir)/panicmon.ini'; then \
		echo 'keeping $(DESTDIR)$(confdir)/panicmon.ini'; \
	else \
		echo $(INSTALL_DATA) '$(srcdir)/conf/panicmon.ini' '$(DESTDIR)$(confdir)/panicmon.ini'; \
		$(INSTALL_DATA) '$(srcdir)/conf/panicmon.ini' '$(DESTDIR)$(confdir)/panicmon.ini'; \
	fi

uninstall-local:
	if cmp -s '$(srcdir)/conf/panicmon.ini' '$(DESTDIR)$(confdir)/panicmon.ini'; then \
		rm -f '$(DESTDIR)$(confdir)/panicmon.ini'; \
		rmdir '$(DESTDIR)$(confdir)' 2>/dev/null || true; \
	fi
