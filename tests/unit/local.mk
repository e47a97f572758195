unit_cflags = $(AM_CFLAGS) $(CHECK_CFLAGS)
unit_libs = tests/unit/libunit.la $(CHECK_LIBS)
unit_tests =

if HAVE_CHECK
# What the programs share.
check_LTLIBRARIES += tests/unit/libunit.la
tests_unit_libunit_la_SOURCES = \
	tests/unit/plugin_rig.c \
	tests/unit/plugin_rig.h \
	tests/unit/sample_events.c \
	tests/unit/sample_events.h \
	tests/unit/suite.c \
	tests/unit/suite.h \
	tests/unit/told.c \
	tests/unit/told.h
tests_unit_libunit_la_CPPFLAGS = $(AM_CPPFLAGS) -DPM_PLUGINS='"$(abs_top_builddir)/.libs"'
tests_unit_libunit_la_CFLAGS = $(unit_cflags)

# One block for each room.
unit_tests += tests/unit/test_base
tests_unit_test_base_SOURCES = \
	tests/unit/test_base.c \
	tests/unit/test_base.h \
	tests/unit/test_base_loop.c \
	tests/unit/test_base_signals.c
tests_unit_test_base_CFLAGS = $(unit_cflags)
tests_unit_test_base_LDADD = src/base/libpm_base.la $(unit_libs)

unit_tests += tests/unit/test_event
tests_unit_test_event_SOURCES = \
	tests/unit/test_event.c \
	tests/unit/test_event.h \
	tests/unit/test_event_codec.c \
	tests/unit/test_event_damage.c
tests_unit_test_event_CPPFLAGS = $(AM_CPPFLAGS) $(PLUGIN_CPPFLAGS)
tests_unit_test_event_CFLAGS = $(unit_cflags)
tests_unit_test_event_LDADD = src/event/libpm_event.la src/base/libpm_base.la \
	plugins/common/libpm_common.la $(unit_libs)

unit_tests += tests/unit/test_redact
tests_unit_test_redact_SOURCES = tests/unit/test_redact.c
tests_unit_test_redact_CFLAGS = $(unit_cflags)
tests_unit_test_redact_LDADD = src/event/libpm_event.la src/base/libpm_base.la $(unit_libs)

unit_tests += tests/unit/test_process
tests_unit_test_process_SOURCES = \
	tests/unit/test_process.c \
	tests/unit/test_process.h \
	tests/unit/test_process_children.c \
	tests/unit/test_process_command.c \
	tests/unit/test_process_environment.c \
	tests/unit/test_process_guard.c \
	tests/unit/test_process_leftovers.c \
	tests/unit/test_process_registered.c \
	tests/unit/test_process_signals.c \
	tests/unit/test_process_spawn.c \
	tests/unit/test_process_watched.c \
	tests/unit/test_process_watched.h
tests_unit_test_process_CFLAGS = $(unit_cflags)
tests_unit_test_process_LDADD = src/process/libpm_process.la src/event/libpm_event.la \
	src/base/libpm_base.la $(unit_libs)

unit_tests += tests/unit/test_executor
tests_unit_test_executor_SOURCES = \
	tests/unit/test_executor.c \
	tests/unit/test_executor.h \
	tests/unit/test_executor_jobs.c \
	tests/unit/test_executor_pass.c \
	tests/unit/test_executor_sender.c \
	tests/unit/test_executor_several.c \
	tests/unit/test_executor_several_pass.c \
	tests/unit/test_executor_stop.c
tests_unit_test_executor_CFLAGS = $(unit_cflags)
tests_unit_test_executor_LDADD = src/executor/libpm_executor.la src/process/libpm_process.la \
	src/event/libpm_event.la src/base/libpm_base.la $(unit_libs)

unit_tests += tests/unit/test_journal
tests_unit_test_journal_SOURCES = \
	tests/unit/test_journal.c \
	tests/unit/test_journal.h \
	tests/unit/test_journal_memory.c \
	tests/unit/test_journal_ring.c
tests_unit_test_journal_CFLAGS = $(unit_cflags)
tests_unit_test_journal_LDADD = src/journal/libpm_journal.la src/base/libpm_base.la $(unit_libs)

unit_tests += tests/unit/test_config
tests_unit_test_config_SOURCES = \
	tests/unit/test_config.c \
	tests/unit/test_config.h \
	tests/unit/test_config_files.c \
	tests/unit/test_config_mistakes.c \
	tests/unit/test_config_process.c \
	tests/unit/test_config_process_mistakes.c \
	tests/unit/test_config_value.c
tests_unit_test_config_CFLAGS = $(unit_cflags)
tests_unit_test_config_LDADD = src/config/libpm_config.la src/event/libpm_event.la \
	src/base/libpm_base.la $(INIH_LIBS) $(unit_libs)

unit_tests += tests/unit/test_handler
tests_unit_test_handler_SOURCES = \
	tests/unit/test_handler.c \
	tests/unit/test_handler.h \
	tests/unit/test_handler_alerts.c \
	tests/unit/test_handler_alerts_file.c \
	tests/unit/test_handler_describe.c \
	tests/unit/test_handler_keeper.c \
	tests/unit/test_handler_module.c \
	tests/unit/test_handler_options.c
tests_unit_test_handler_CFLAGS = $(unit_cflags)
tests_unit_test_handler_LDADD = src/handler/libpm_handler.la src/config/libpm_config.la \
	src/journal/libpm_journal.la src/process/libpm_process.la src/event/libpm_event.la \
	src/base/libpm_base.la $(INIH_LIBS) $(unit_libs)

# It loads .libs/log.so as panicmon would.
unit_tests += tests/unit/test_log
tests_unit_test_log_SOURCES = \
	tests/unit/test_log.c \
	tests/unit/test_log.h \
	tests/unit/test_log_file.c \
	tests/unit/test_log_format.c \
	tests/unit/test_log_send.c \
	tests/unit/test_log_sink.c
tests_unit_test_log_CFLAGS = $(unit_cflags) $(JANSSON_CFLAGS)
tests_unit_test_log_LDADD = src/base/libpm_base.la $(JANSSON_LIBS) $(unit_libs)

# Likewise .libs/statsd.so.
unit_tests += tests/unit/test_statsd
tests_unit_test_statsd_SOURCES = \
	tests/unit/test_statsd.c \
	tests/unit/test_statsd.h \
	tests/unit/test_statsd_lines.c \
	tests/unit/test_statsd_options.c \
	tests/unit/test_statsd_socket.c
tests_unit_test_statsd_CFLAGS = $(unit_cflags)
tests_unit_test_statsd_LDADD = $(unit_libs)

# The plugin's parts, linked in: its door needs servers, which the end-to-end tests have.
if HAVE_WEBHOOK
unit_tests += tests/unit/test_webhook
tests_unit_test_webhook_SOURCES = tests/unit/test_webhook.c $(webhook_la_SOURCES)
tests_unit_test_webhook_CPPFLAGS = $(AM_CPPFLAGS) $(PLUGIN_CPPFLAGS)
tests_unit_test_webhook_CFLAGS = $(unit_cflags) $(WEBHOOK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_webhook_LDADD = plugins/common/libpm_common.la $(JANSSON_SHARED_LIBS) \
	$(WEBHOOK_LIBS) $(unit_libs)
endif

unit_tests += tests/unit/test_exec
tests_unit_test_exec_SOURCES = \
	tests/unit/test_exec.c \
	plugins/exec/environment.c \
	plugins/exec/environment.h \
	plugins/exec/words.c \
	plugins/exec/words.h
tests_unit_test_exec_CPPFLAGS = $(PLUGIN_CPPFLAGS)
tests_unit_test_exec_CFLAGS = $(unit_cflags) $(JANSSON_CFLAGS)
tests_unit_test_exec_LDADD = plugins/common/libpm_common.la $(JANSSON_LIBS) $(unit_libs)

# Through its public header and its exported symbols alone. Without libtool's script in front of it, it
# can run itself as a command.
unit_tests += tests/unit/test_library
tests_unit_test_library_SOURCES = \
	tests/unit/test_library.c \
	tests/unit/test_library.h \
	tests/unit/test_library_ends.c \
	tests/unit/test_library_host.c \
	tests/unit/test_library_options.c \
	tests/unit/test_library_output.c \
	tests/unit/test_library_roles.c \
	tests/unit/test_library_signals.c
tests_unit_test_library_CFLAGS = $(unit_cflags)
tests_unit_test_library_LDFLAGS = $(AM_LDFLAGS) -no-install -pthread
tests_unit_test_library_LDADD = libpanicmon.la $(unit_libs)

check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif
