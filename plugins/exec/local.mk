handler_LTLIBRARIES += exec.la
exec_la_SOURCES = \
	plugins/exec/environment.c \
	plugins/exec/environment.h \
	plugins/exec/exec.c \
	plugins/exec/input.c \
	plugins/exec/input.h \
	plugins/exec/minder.c \
	plugins/exec/minder.h \
	plugins/exec/run.c \
	plugins/exec/run.h \
	plugins/exec/words.c \
	plugins/exec/words.h
exec_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
exec_la_CFLAGS = $(PLUGIN_CFLAGS)
exec_la_LDFLAGS = $(PLUGIN_LDFLAGS)
exec_la_LIBADD = $(PLUGIN_LIBS)
