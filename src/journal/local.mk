noinst_LTLIBRARIES += src/journal/libpm_journal.la
src_journal_libpm_journal_la_SOURCES = \
	src/journal/crc32c.c \
	src/journal/crc32c.h \
	src/journal/journal.h \
	src/journal/layout.h \
	src/journal/reader.c \
	src/journal/writer.c
