# bash-completion finds a file by the name of the command, zsh by what the file says of itself.
bashcompletion_DATA = completions/panicmon
zshcompletion_DATA = completions/_panicmon
EXTRA_DIST += completions/panicmon.bash.in completions/panicmon.zsh.in
CLEANFILES += $(bashcompletion_DATA) $(zshcompletion_DATA)

fill_in = $(AM_V_GEN)$(MKDIR_P) completions && \
	sed -e 's|@handlerdir''@|$(handlerdir)|g' -e 's|@sysconfdir''@|$(sysconfdir)|g'

completions/panicmon: completions/panicmon.bash.in Makefile
	$(fill_in) '$(srcdir)/completions/panicmon.bash.in' >$@

completions/_panicmon: completions/panicmon.zsh.in Makefile
	$(fill_in) '$(srcdir)/completions/panicmon.zsh.in' >$@

install_data_hooks += link-completion
link-completion:
	ln -sf panicmon '$(DESTDIR)$(bashcompletiondir)/panicmonctl'

uninstall_hooks += unlink-completion
unlink-completion:
	rm -f '$(DESTDIR)$(bashcompletiondir)/panicmonctl'
