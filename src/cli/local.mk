bin_PROGRAMS += panicmon
panicmon_SOURCES = \
	src/cli/command.c \
	src/cli/command.h \
	src/cli/ending.c \
	src/cli/ending.h \
	src/cli/main.c \
	src/cli/notify.c \
	src/cli/notify.h \
	src/cli/options.c \
	src/cli/options.h \
	src/cli/run.c \
	src/cli/run.h
panicmon_LDADD = src/front/libpm_front.la src/handler/libpm_handler.la src/config/libpm_config.la \
	src/journal/libpm_journal.la src/executor/libpm_executor.la \
	src/process/libpm_process.la src/event/libpm_event.la src/base/libpm_base.la $(INIH_LIBS)
