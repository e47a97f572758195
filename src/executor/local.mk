noinst_LTLIBRARIES += src/executor/libpm_executor.la
src_executor_libpm_executor_la_SOURCES = \
	src/executor/executor.c \
	src/executor/executor.h \
	src/executor/jobs.c \
	src/executor/jobs.h \
	src/executor/pass.c \
	src/executor/pass.h \
	src/executor/run.c \
	src/executor/run.h \
	src/executor/tell.c \
	src/executor/tell.h
