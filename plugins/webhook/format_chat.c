/* Where people talk: Slack, Teams, Discord, Google Chat. What an event brings in is shown as it is and
 * means nothing: it cannot call everybody, nor make a link. */
#include <config.h>

#include <stdint.h>
#include <stdio.h>

#include "common/json.h"
#include "common/names.h"
#include "format.h"
#include "summary.h"
#include "text.h"

static json_t *text_or_null(json_t *value)
{
	return value != NULL ? value : json_string("-");
}

static json_t *slack_field(const char *title, json_t *value)
{
	return json_pack("{s:s, s:o, s:b}", "title", title, "value", text_or_null(value), "short",
			 1);
}

/* Attachments, as Slack and all that take what is written for it know them. No "mrkdwn_in": its
 * markup means nothing in them. */
void pm_webhook_slack(const struct pm_webhook_settings *settings,
		      const struct panicmon_event *event, size_t budget,
		      struct pm_webhook_message *message)
{
	const struct pm_webhook_escape *escape = pm_webhook_entities;
	char colour[16];

	(void)settings, (void)budget;
	snprintf(colour, sizeof(colour), "#%06x", pm_webhook_colour(event));
	json_t *attachment =
		json_pack("{s:s, s:[o, o], s:o*, s:I, s:[]}", "color", colour, "fields",
			  slack_field("Host", pm_webhook_host_text(event, escape)),
			  slack_field("Command", pm_webhook_command_text(event, escape)), "text",
			  pm_webhook_tail_text(event, escape, "", ""), "ts",
			  (json_int_t)(event->time_ns / 1000000000), "mrkdwn_in");
	pm_webhook_put_json(message,
			    json_pack("{s:o, s:b, s:[o]}", "text",
				      text_or_null(pm_webhook_summary_text(event, escape)),
				      "mrkdwn", 0, "attachments", attachment),
			    PM_COMMON_JSON_FLAGS);
}

/* A RichTextBlock, unlike a TextBlock, knows no Markdown. */
static json_t *teams_block(json_t *text, const char *weight, const char *font)
{
	return json_pack("{s:s, s:[{s:s, s:o, s:s, s:s}]}", "type", "RichTextBlock", "inlines",
			 "type", "TextRun", "text", text_or_null(text), "weight", weight,
			 "fontType", font);
}

void pm_webhook_teams(const struct pm_webhook_settings *settings,
		      const struct panicmon_event *event, size_t budget,
		      struct pm_webhook_message *message)
{
	const struct pm_webhook_escape *escape = pm_webhook_plain;
	json_t *tail = pm_webhook_tail_text(event, escape, "", "");
	json_t *body = json_pack(
		"[o, o]", teams_block(pm_webhook_summary_text(event, escape), "Bolder", "Default"),
		teams_block(pm_webhook_command_text(event, escape), "Default", "Monospace"));

	(void)settings, (void)budget;
	if (tail != NULL &&
	    json_array_append_new(body, teams_block(tail, "Default", "Monospace")) < 0)
		message->failed = true;
	pm_webhook_put_json(message,
			    json_pack("{s:s, s:[{s:s, s:n, s:{s:s, s:s, s:s, s:o}}]}", "type",
				      "message", "attachments", "contentType",
				      "application/vnd.microsoft.card.adaptive", "contentUrl",
				      "content", "$schema",
				      "http://adaptivecards.io/schemas/adaptive-card.json", "type",
				      "AdaptiveCard", "version", "1.4", "body", body),
			    PM_COMMON_JSON_FLAGS);
}

static const struct pm_webhook_escape markdown[] = {
	{'\\', "\\\\"}, {'*', "\\*"}, {'_', "\\_"}, {'~', "\\~"}, {'`', "\\`"}, {'|', "\\|"},
	{'>', "\\>"},   {'<', "\\<"}, {'[', "\\["}, {']', "\\]"}, {'(', "\\("}, {')', "\\)"},
	{'#', "\\#"},   {'@', "\\@"}, {':', "\\:"}, {0, NULL},
};

/* Within a block of code nothing means anything but its end, and a backslash is one. */
static const struct pm_webhook_escape code[] = {{'`', "'"}, {0, NULL}};

static json_t *discord_field(const char *name, json_t *value, int is_inline)
{
	return json_pack("{s:s, s:o, s:b}", "name", name, "value", text_or_null(value), "inline",
			 is_inline);
}

void pm_webhook_discord(const struct pm_webhook_settings *settings,
			const struct panicmon_event *event, size_t budget,
			struct pm_webhook_message *message)
{
	char time[PM_COMMON_TIME_SIZE];
	json_t *tail = pm_webhook_tail_text(event, code, "```\n", "\n```");
	json_t *fields =
		json_pack("[o, o]", discord_field("Host", pm_webhook_host_text(event, markdown), 1),
			  discord_field("Command", pm_webhook_command_text(event, markdown), 1));

	(void)settings, (void)budget;
	if (tail != NULL &&
	    json_array_append_new(fields, discord_field("Last output", tail, 0)) < 0)
		message->failed = true;
	pm_webhook_put_json(message,
			    json_pack("{s:[{s:o, s:I, s:s, s:o}], s:{s:[]}}", "embeds",
				      "description",
				      text_or_null(pm_webhook_summary_text(event, markdown)),
				      "color", (json_int_t)pm_webhook_colour(event), "timestamp",
				      pm_common_time(event->time_ns, 3, time), "fields", fields,
				      "allowed_mentions", "parse"),
			    PM_COMMON_JSON_FLAGS);
}

/* Outside of cards there is no escape, and <users/all> calls everybody. */
static const struct pm_webhook_escape no_tags[] = {{'<', "\xe2\x80\xb9"}, {0, NULL}};

static json_t *chat_widget(const char *label, json_t *value)
{
	return json_pack("{s:{s:s, s:o, s:b}}", "decoratedText", "topLabel", label, "text",
			 text_or_null(value), "wrapText", 1);
}

void pm_webhook_googlechat(const struct pm_webhook_settings *settings,
			   const struct panicmon_event *event, size_t budget,
			   struct pm_webhook_message *message)
{
	const struct pm_webhook_escape *escape = pm_webhook_entities;
	json_t *tail = pm_webhook_tail_text(event, escape, "", "");
	json_t *widgets =
		json_pack("[o, o]", chat_widget("Host", pm_webhook_host_text(event, escape)),
			  chat_widget("Command", pm_webhook_command_text(event, escape)));

	(void)settings, (void)budget;
	if (tail != NULL && json_array_append_new(widgets, chat_widget("Last output", tail)) < 0)
		message->failed = true;
	json_t *card =
		json_pack("{s:{s:o, s:s}, s:[{s:o}]}", "header", "title",
			  text_or_null(pm_webhook_name_text(event, pm_webhook_plain)), "subtitle",
			  pm_common_event_name(event->type), "sections", "widgets", widgets);
	pm_webhook_put_json(message,
			    json_pack("{s:o, s:[{s:s, s:o}]}", "text",
				      text_or_null(pm_webhook_summary_text(event, no_tags)),
				      "cardsV2", "cardId", message->id, "card", card),
			    PM_COMMON_JSON_FLAGS);
}
