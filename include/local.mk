pkginclude_HEADERS = include/panicmon/event.h include/panicmon/handler.h
