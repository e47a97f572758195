pkginclude_HEADERS = include/panicmon/event.h include/panicmon/executor.h include/panicmon/handler.h
