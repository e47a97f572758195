if HAVE_WEBHOOK
handler_LTLIBRARIES += webhook.la
webhook_la_SOURCES = \
	plugins/webhook/answer.c \
	plugins/webhook/answer.h \
	plugins/webhook/format.c \
	plugins/webhook/format.h \
	plugins/webhook/format_chat.c \
	plugins/webhook/format_cloudevents.c \
	plugins/webhook/format_incident.c \
	plugins/webhook/message.c \
	plugins/webhook/message.h \
	plugins/webhook/options.h \
	plugins/webhook/secrets.c \
	plugins/webhook/secrets.h \
	plugins/webhook/send.c \
	plugins/webhook/send.h \
	plugins/webhook/settings.c \
	plugins/webhook/settings.h \
	plugins/webhook/sign.c \
	plugins/webhook/sign.h \
	plugins/webhook/summary.c \
	plugins/webhook/summary.h \
	plugins/webhook/template.c \
	plugins/webhook/template.h \
	plugins/webhook/text.c \
	plugins/webhook/text.h \
	plugins/webhook/webhook.c
webhook_la_CPPFLAGS = $(PLUGIN_CPPFLAGS)
webhook_la_CFLAGS = $(PLUGIN_CFLAGS) $(WEBHOOK_CFLAGS)
webhook_la_LDFLAGS = $(PLUGIN_LDFLAGS)
webhook_la_LIBADD = plugins/common/libpm_common.la $(JANSSON_SHARED_LIBS) $(WEBHOOK_LIBS)
endif
