dist_man_MANS = man/panicmon.1 man/panicmonctl.1 man/panicmon.ini.5 man/panicmon-handler.7 man/libpanicmon.3
