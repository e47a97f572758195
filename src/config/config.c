#include <config.h>

#include "config/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/file.h"
#include "config/handler_keys.h"
#include "config/keys.h"
#include "config/parse.h"
#include "config/process_keys.h"
#include "config/seen.h"

/* Files that include files: more than this is a mistake of someone, and each level takes stack. */
enum { INCLUDE_DEPTH_MAX = 8 };

struct loader {
	struct pm_config *config;
	pm_config_complain *complain;
	void *arg;
	size_t mistakes;
	struct pm_seen seen;
	/* The section that keys now fall to. */
	const struct pm_section *section;
	void *target;
};

/* One file while it is read. */
struct frame {
	struct loader *loader;
	const char *path;
	unsigned depth;
	char *include, *include_where;
};

/* "WHERE: [SECTION] TEXT"; section may be NULL. What people wrote may hold escape sequences, which
 * must not reach a terminal. */
static void mistake(struct loader *loader, const char *where, const char *section,
		    const char *format, ...) __attribute__((format(printf, 4, 5)));

static void mistake(struct loader *loader, const char *where, const char *section,
		    const char *format, ...)
{
	pm_autofree char *text = NULL, *line = NULL;
	va_list args;

	loader->mistakes++;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (text == NULL ||
	    asprintf(&line, "%s: %s%s%s%s", where, section == NULL ? "" : "[",
		     section == NULL ? "" : section, section == NULL ? "" : "] ", text) < 0) {
		line = NULL;
		loader->complain(loader->arg, "out of memory while the config is read; free some");
		return;
	}
	for (char *at = line; *at != '\0'; at++)
		if (iscntrl((unsigned char)*at))
			*at = '?';
	loader->complain(loader->arg, line);
}

static void out_of_memory(struct loader *loader, const char *where, const char *section)
{
	mistake(loader, where, section, "cannot be kept: %s; free some memory", strerror(ENOMEM));
}

/* Whether `id` is met for the first time. If not, tells of the second `key`, or section if NULL. */
static bool first_time(struct loader *loader, const char *id, const char *where,
		       const char *section, const char *key)
{
	const char *before;

	if (id == NULL || pm_seen_add(&loader->seen, id, where, &before) != 0)
		out_of_memory(loader, where, section);
	else if (before == NULL)
		return true;
	else if (key != NULL)
		mistake(loader, where, section, "'%s' stands twice, first at %s; remove one", key,
			before);
	else
		mistake(loader, where, section,
			"this section stands twice, first at %s; remove one", before);
	return false;
}

/* Grows by doubling: there is room whenever count is no power of two. */
static void *grow(void *array, size_t count, size_t size)
{
	if (count != 0 && (count & (count - 1)) != 0)
		return array;
	return reallocarray(array, count == 0 ? 1 : count * 2, size);
}

static struct pm_config_handler *find_handler(struct pm_config *config, const char *name)
{
	for (size_t i = 0; i < config->handler_count; i++)
		if (config->handlers[i].name != NULL && strcmp(config->handlers[i].name, name) == 0)
			return &config->handlers[i];
	return NULL;
}

static struct pm_config_handler *add_handler(struct pm_config *config, const char *name,
					     const char *where)
{
	struct pm_config_handler *handlers, *handler;
	struct pm_error error;

	handlers = grow(config->handlers, config->handler_count, sizeof(*handlers));
	if (handlers == NULL)
		return NULL;
	config->handlers = handlers;
	handler = &handlers[config->handler_count++];
	*handler = (struct pm_config_handler){.name = strdup(name), .where = strdup(where)};
	if (handler->name == NULL || handler->where == NULL ||
	    pm_keys_default(&pm_section_handler, handler, &error) != 0)
		return NULL;
	return handler;
}

/* Makes `name`, which is one of `section`, the section that keys fall to. `known`: it may be there
 * already. */
static bool enter(struct loader *loader, const struct pm_section *section, const char *name,
		  const char *where, bool known)
{
	const char *handler = name + strlen(section->name) + 1;

	loader->section = section;
	if (!section->named) {
		loader->target = loader->config;
		return true;
	}
	loader->target = known ? find_handler(loader->config, handler) : NULL;
	if (loader->target == NULL)
		loader->target = add_handler(loader->config, handler, where);
	if (loader->target == NULL)
		out_of_memory(loader, where, name);
	return loader->target != NULL;
}

static bool take_section(void *arg, const char *where, const char *name)
{
	struct frame *frame = arg;
	struct loader *loader = frame->loader;
	struct pm_error error;
	const struct pm_section *section = pm_keys_section(name, &error);
	pm_autofree char *id = NULL;

	if (section == NULL) {
		mistake(loader, where, name, "%s", error.text);
		return false;
	}
	if (asprintf(&id, "[%s]\n%s", name, section->each_file ? frame->path : "") < 0)
		id = NULL;
	/* The keys of a second one are looked at all the same, so that all mistakes are told. */
	bool first = first_time(loader, id, where, name, NULL);
	return enter(loader, section, name, where, !first);
}

static struct pm_config_option *find_option(struct pm_config_handler *handler, const char *key)
{
	for (size_t i = 0; i < handler->option_count; i++)
		if (handler->options[i].key != NULL && strcmp(handler->options[i].key, key) == 0)
			return &handler->options[i];
	return NULL;
}

static struct pm_config_option *add_option(struct pm_config_handler *handler)
{
	struct pm_config_option *options =
		grow(handler->options, handler->option_count, sizeof(*options));

	if (options == NULL)
		return NULL;
	handler->options = options;
	options[handler->option_count] = (struct pm_config_option){0};
	return &options[handler->option_count++];
}

static int keep_option(struct pm_config_handler *handler, const struct pm_entry *entry)
{
	struct pm_config_option *option = entry->known ? find_option(handler, entry->name) : NULL;
	struct pm_error error;

	if (option == NULL)
		option = add_option(handler);
	if (option == NULL || pm_keys_replace(&option->key, entry->name, &error) != 0 ||
	    pm_keys_replace(&option->value, entry->value, &error) != 0 ||
	    pm_keys_replace(&option->where, entry->where, &error) != 0)
		return -1;
	return 0;
}

static void bad_value(void *arg, const struct pm_entry *entry, const struct pm_error *error)
{
	mistake(arg, entry->where, entry->section, "%s: %s", entry->name, error->text);
}

static void apply(struct loader *loader, const struct pm_entry *entry)
{
	const struct pm_key *key = pm_keys_find(loader->section, entry->name);
	struct pm_error error;

	if (key != NULL) {
		pm_keys_set(key, loader->target, entry, bad_value, loader);
		return;
	}
	/* panicmon's own keys that are still to come have a dot: one that is not known is of a newer
	 * panicmon, or mistyped, but never the plugin's. */
	if (!loader->section->named || strchr(entry->name, '.') != NULL) {
		pm_keys_unknown(loader->section, entry->name, &error);
		mistake(loader, entry->where, entry->section, "%s", error.text);
		return;
	}
	if (keep_option(loader->target, entry) != 0)
		out_of_memory(loader, entry->where, entry->section);
}

/* Kept until the file is at its end, for inih's switches belong to one file at a time. */
static void take_include(struct frame *frame, const char *where, const char *section,
			 const char *value)
{
	struct pm_error error;

	if (value[0] == '\0')
		mistake(frame->loader, where, section,
			"include: no value; write a file or a pattern such as conf.d/*.ini");
	else if (pm_keys_replace(&frame->include, value, &error) != 0 ||
		 pm_keys_replace(&frame->include_where, where, &error) != 0)
		out_of_memory(frame->loader, where, section);
}

static void take_key(void *arg, const char *where, const char *section, const char *name,
		     const char *value)
{
	struct frame *frame = arg;
	struct loader *loader = frame->loader;
	const struct pm_key *key = pm_keys_find(loader->section, name);
	bool include = key != NULL && key->set == NULL;
	pm_autofree char *id = NULL;

	if (asprintf(&id, "[%s]\n%s\n%s", section, name, include ? frame->path : "") < 0)
		id = NULL;
	bool first = first_time(loader, id, where, section, name);
	if (include && first)
		take_include(frame, where, section, value);
	else if (!include)
		apply(loader, &(struct pm_entry){where, section, name, value, !first});
}

static void take_bad_line(void *arg, const char *where, const char *section, const char *text)
{
	struct frame *frame = arg;

	mistake(frame->loader, where, section, "%s", text);
}

static void load_file(struct loader *loader, const char *path, const struct frame *from);

/* Tells of a file that cannot be used: at the line that names it, if there is one. */
static void bad_file(struct loader *loader, const char *path, const struct frame *from,
		     const struct pm_error *error)
{
	const char *remedy = error->code == ENOMEM ? "; free some memory"
			     : error->code != 0    ? "; check the path and the permissions"
						   : "";

	if (from == NULL)
		mistake(loader, path, NULL, "%s%s", error->text, remedy);
	else
		mistake(loader, from->include_where, "panicmon", "include: '%s' %s%s", path,
			error->text, remedy);
}

static void load_included(struct frame *frame)
{
	struct pm_file_list list = {0};
	struct pm_error error;

	if (frame->depth == INCLUDE_DEPTH_MAX)
		mistake(frame->loader, frame->include_where, "panicmon",
			"include: this is the %uth file within a file; include from fewer levels",
			frame->depth + 1);
	else if (pm_file_match(frame->path, frame->include, &list, &error) != 0)
		bad_file(frame->loader, frame->include, frame, &error);
	else
		for (size_t i = 0; i < list.count; i++)
			load_file(frame->loader, list.paths[i], frame);
	pm_file_list_free(&list);
}

/* The same file, by whatever path, is read once: its sections would all stand twice. */
static bool is_new_file(struct loader *loader, const char *path, const struct frame *from,
			const struct pm_file *file)
{
	pm_autofree char *id = NULL;
	const char *before;
	struct pm_error error;

	if (asprintf(&id, "file %ju %ju", (uintmax_t)file->device, (uintmax_t)file->inode) < 0)
		id = NULL;
	if (id == NULL || pm_seen_add(&loader->seen, id, path, &before) != 0)
		out_of_memory(loader, path, NULL);
	else if (before == NULL)
		return true;
	else {
		pm_error_set(&error, 0,
			     "is read already; name other files, in a folder of their own");
		bad_file(loader, path, from, &error);
	}
	return false;
}

static void load_file(struct loader *loader, const char *path, const struct frame *from)
{
	struct frame frame = {
		.loader = loader, .path = path, .depth = from == NULL ? 0 : from->depth + 1};
	const struct pm_parse parse = {.name = path,
				       .section = take_section,
				       .key = take_key,
				       .mistake = take_bad_line,
				       .arg = &frame};
	struct pm_file file;
	struct pm_error error;

	if (pm_file_read(path, &file, &error) != 0) {
		bad_file(loader, path, from, &error);
		return;
	}
	if (is_new_file(loader, path, from, &file) &&
	    pm_parse_text(&parse, file.text, file.size, &error) != 0)
		bad_file(loader, path, from, &error);
	free(file.text);
	if (frame.include != NULL && frame.include_where != NULL)
		load_included(&frame);
	free(frame.include);
	free(frame.include_where);
}

/* `where` has no value in it: a value given to a plugin may be a secret. */
static void override_key(struct loader *loader, const char *section, const char *name,
			 const char *value)
{
	pm_autofree char *where = NULL;
	struct pm_error error;

	if (asprintf(&where, "-o %s.%s", section, name) < 0) {
		where = NULL;
		out_of_memory(loader, "-o", section);
		return;
	}
	const struct pm_section *known = pm_keys_section(section, &error);
	const char *wrong = pm_parse_check_key(name, strlen(name));
	if (known == NULL) {
		mistake(loader, where, section, "%s", error.text);
		return;
	}
	if (wrong != NULL) {
		mistake(loader, where, section, "%s", wrong);
		return;
	}
	const struct pm_key *key = pm_keys_find(known, name);
	if (key != NULL && key->set == NULL)
		mistake(loader, where, section, "%s: only a file can have it; name a file with -c",
			name);
	else if (enter(loader, known, section, where, true))
		apply(loader, &(struct pm_entry){where, section, name, value, true});
}

/* Shows no more than what stands before '=': the rest may be a secret. */
static void override(struct loader *loader, const char *text)
{
	const char *equals = strchr(text, '='), *dot = strchr(text, '.');
	size_t length = strcspn(text, "=");

	if (equals == NULL || dot == NULL || dot > equals || dot == text || dot + 1 == equals) {
		mistake(loader, "-o", NULL, "'%.*s' %s; write -o SECTION.KEY=VALUE",
			length < 60 ? (int)length : 60, text,
			equals == NULL ? "has no '='" : "is no SECTION.KEY before '='");
		return;
	}
	pm_autofree char *section = strndup(text, (size_t)(dot - text));
	pm_autofree char *name = strndup(dot + 1, (size_t)(equals - dot) - 1);
	if (section == NULL || name == NULL)
		out_of_memory(loader, "-o", NULL);
	else
		override_key(loader, section, name, equals + 1);
}

/* As if there were a file with the line "[handler:log]" alone. */
static void load_built_in(struct loader *loader)
{
	enter(loader, &pm_section_handler, "handler:log", "built-in", false);
}

size_t pm_config_load(struct pm_config *config, const struct pm_config_sources *sources,
		      pm_config_complain *complain, void *arg)
{
	struct loader loader = {.config = config, .complain = complain, .arg = arg};
	struct pm_error error;

	*config = (struct pm_config){0};
	for (size_t i = 0; i < pm_section_count; i++)
		if (!pm_sections[i]->named && pm_keys_default(pm_sections[i], config, &error) != 0)
			out_of_memory(&loader, "defaults", pm_sections[i]->name);
	if (sources->file != NULL)
		load_file(&loader, sources->file, NULL);
	else
		load_built_in(&loader);
	for (size_t i = 0; i < sources->override_count; i++)
		override(&loader, sources->overrides[i]);
	pm_process_keys_check(&config->process, bad_value, &loader);
	for (size_t i = 0; i < config->handler_count; i++)
		pm_handler_keys_check(&config->handlers[i], bad_value, &loader);
	pm_seen_free(&loader.seen);
	return loader.mistakes;
}

static void free_handler(struct pm_config_handler *handler)
{
	for (size_t i = 0; i < handler->option_count; i++) {
		free(handler->options[i].key);
		free(handler->options[i].value);
		free(handler->options[i].where);
	}
	free(handler->options);
	free(handler->name);
	free(handler->plugin);
	free(handler->user);
	free(handler->where);
	free(handler->events_where);
	free(handler->alert_window_where);
	free(handler->stable_after_where);
}

void pm_config_free(struct pm_config *config)
{
	for (size_t i = 0; i < config->handler_count; i++)
		free_handler(&config->handlers[i]);
	free(config->handlers);
	pm_process_keys_free(&config->process);
	free(config->name);
	free(config->handler_dir);
	free(config->state_dir);
	free(config->state_dir_where);
	pm_redact_free(&config->redact);
	*config = (struct pm_config){0};
}
