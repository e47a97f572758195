noinst_LTLIBRARIES += src/handler/libpm_handler.la
src_handler_libpm_handler_la_SOURCES = \
	src/handler/alerting.c \
	src/handler/alerting.h \
	src/handler/alerts.c \
	src/handler/alerts.h \
	src/handler/alerts_file.c \
	src/handler/alerts_file.h \
	src/handler/confine.c \
	src/handler/confine.h \
	src/handler/deliver.c \
	src/handler/deliver.h \
	src/handler/describe.c \
	src/handler/describe.h \
	src/handler/filter.c \
	src/handler/filter.h \
	src/handler/held.c \
	src/handler/host.c \
	src/handler/host.h \
	src/handler/keeper.c \
	src/handler/keeper.h \
	src/handler/losses.c \
	src/handler/module.c \
	src/handler/module.h \
	src/handler/module_check.c \
	src/handler/options.c \
	src/handler/options.h \
	src/handler/output.c \
	src/handler/output.h \
	src/handler/page.h \
	src/handler/slot.c \
	src/handler/slot.h \
	src/handler/state_dir.c \
	src/handler/state_dir.h \
	src/handler/wait.c
