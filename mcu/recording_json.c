/* Recordings as JSON, for the routes about them. */
#include "mcu/routes_recordings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/links.h"

enum { VIEW_HOURS = 12 /* so long the addresses of a reply hold at least */ };

#define HOUR_MS (3600 * 1000LL)

static json_t *lines_json(const char *text)
{
	json_t *all = json_array();
	char **lines = g_strsplit(text, "\n", -1);

	for (char **l = lines; *l; l++)
		if (**l)
			json_array_append_new(all, json_string(*l));
	g_strfreev(lines);
	return all;
}

/* The address of the file, and of what lies beside it. */
static void add_addresses(json_t *to, const struct recording_row *row, const char *link)
{
	static const struct {
		enum recording_part part;
		const char *member, *name;
	} parts[] = {
		{ RECORDING_THUMBNAIL, "thumbnail", "thumbnail.jpg" },
		{ RECORDING_SHEET, "sheet", "sheet.jpg" },
		{ RECORDING_SCRUB, "scrub", "scrub.vtt" },
		{ RECORDING_CHAPTERS, "chapters", "chapters.vtt" },
	};
	char url[LINK_LEN + 96];

	snprintf(url, sizeof url, "/recordings/%" PRId64 "/%s", row->id, link);
	json_object_set_new(to, "url", json_string(url));
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (!(row->parts & parts[i].part))
			continue;
		snprintf(url, sizeof url, "/recordings/%" PRId64 "/%s/%s", row->id, link,
			 parts[i].name);
		json_object_set_new(to, parts[i].member, json_string(url));
	}
}

json_t *recording_json(const struct routes *r, const struct recording_row *row, bool manage)
{
	char link[LINK_LEN + 1];

	/* the same for an hour, so that a browser keeps the pictures */
	link_write(link, r->cfg.link_key, row,
		   (clock_wall_ns() / NS_PER_MS / HOUR_MS + 1 + VIEW_HOURS) * HOUR_MS);
	return recording_json_with(row, manage, link);
}

json_t *recording_json_with(const struct recording_row *row, bool manage, const char *link)
{
	json_t *j = json_pack(
		"{s:I, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:i, s:i, s:s, s:s, s:o, s:o, "
		"s:s, s:s, s:b, s:b}",
		"id", (json_int_t)row->id, "room", row->room, "title", row->title,
		"state", recording_state_name(row->state), "kind", recording_kind_name(row->kind),
		"format", recording_format_name(row->format),
		"started_ms", (json_int_t)row->started_ms, "ended_ms", (json_int_t)row->ended_ms,
		"duration_ms", (json_int_t)row->duration_ms, "bytes", (json_int_t)row->bytes,
		"width", row->width, "height", row->height, "by", row->by, "error", row->error,
		"tags", lines_json(row->tags), "people", lines_json(row->people),
		"sha256", row->sha256, "finish", recording_finish_name(row->finish),
		"keep", row->keep, "manage", manage);

	if (!j)
		return NULL;
	if (row->video_codec[0])
		json_object_set_new(j, "video_codec", json_string(row->video_codec));
	if (row->audio_codec[0])
		json_object_set_new(j, "audio_codec", json_string(row->audio_codec));
	if (row->kind == RECORDING_TRACK)
		json_object_set_new(j, "leg", json_integer(row->leg));
	if (row->deleted_ms) {
		json_object_set_new(j, "deleted_ms", json_integer(row->deleted_ms));
		json_object_set_new(j, "deleted_by", json_string(row->deleted_by));
	} else {
		add_addresses(j, row, link);
	}
	return j;
}

json_t *recording_story_json(const struct recording_story *s)
{
	json_t *people = json_array(), *lines = json_array();

	for (size_t i = 0; i < s->n_people; i++)
		json_array_append_new(people, json_pack("{s:s, s:I, s:I, s:b}",
			"name", s->people[i].name, "joined_ms", (json_int_t)s->people[i].joined_ms,
			"left_ms", (json_int_t)s->people[i].left_ms, "host", s->people[i].host));
	for (size_t i = 0; i < s->n_lines; i++)
		json_array_append_new(lines, json_pack("{s:s, s:I, s:s}", "name", s->lines[i].name,
			"at_ms", (json_int_t)s->lines[i].at_ms, "text", s->lines[i].text));
	return json_pack("{s:o, s:o}", "people", people, "chat", lines);
}
