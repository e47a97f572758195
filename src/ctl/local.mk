bin_PROGRAMS += panicmonctl
panicmonctl_SOURCES = \
	src/ctl/check.c \
	src/ctl/command.h \
	src/ctl/handler_options.c \
	src/ctl/handlers.c \
	src/ctl/look.c \
	src/ctl/look.h \
	src/ctl/main.c \
	src/ctl/options.c \
	src/ctl/options.h \
	src/ctl/sample.c \
	src/ctl/sample.h \
	src/ctl/session.c \
	src/ctl/session.h \
	src/ctl/table.c \
	src/ctl/table.h \
	src/ctl/test_fire.c
panicmonctl_LDADD = src/front/libpm_front.la src/handler/libpm_handler.la \
	src/config/libpm_config.la src/journal/libpm_journal.la src/process/libpm_process.la \
	src/event/libpm_event.la src/base/libpm_base.la $(INIH_LIBS)
