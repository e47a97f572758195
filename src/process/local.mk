noinst_LTLIBRARIES += src/process/libpm_process.la
src_process_libpm_process_la_SOURCES = \
	src/process/alive.c \
	src/process/alive.h \
	src/process/children.c \
	src/process/children.h \
	src/process/environment.c \
	src/process/environment.h \
	src/process/guard.c \
	src/process/guard.h \
	src/process/leftovers.c \
	src/process/leftovers.h \
	src/process/oom.c \
	src/process/oom.h \
	src/process/signals.c \
	src/process/signals.h \
	src/process/spawn.c \
	src/process/spawn.h \
	src/process/terminal.c \
	src/process/terminal.h
