/* Files of recordings, for whoever has a link (links.h). Which file that is says the
 * registry; nothing of the address becomes part of a path. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/links.h"
#include "mcu/routes_recordings.h"
#include "storage/repository.h"

static const struct {
	const char *name;
	enum recording_part part;
} parts[] = {
	{ "thumbnail.jpg", RECORDING_THUMBNAIL },
	{ "sheet.jpg", RECORDING_SHEET },
	{ "scrub.vtt", RECORDING_SCRUB },
	{ "chapters.vtt", RECORDING_CHAPTERS },
};

ON_THREAD(ROLE_CTL) static void refuse_link(struct wait *w)
{
	wait_refuse(w, 404, "not_found", "There is no such recording, or the link is wrong.");
}

/* The name it is saved as: its title, or its room's name, and the time. */
static void save_name(char *out, size_t cap, const struct recording_row *row)
{
	time_t t = (time_t)(row->started_ms / 1000);
	const char *dot = strrchr(row->path, '.');
	char stamp[32] = "";
	struct tm tm;

	if (gmtime_r(&t, &tm))
		strftime(stamp, sizeof stamp, "%Y-%m-%d %H%M", &tm);
	snprintf(out, cap, "%s %s%s", row->title[0] ? row->title : row->room[0] ? row->room :
		 "recording", stamp, dot ? dot : "");
}

ON_THREAD(ROLE_CTL) static void send_file(struct wait *w, const struct recording_row *row)
{
	char path[1024], name[DB_NAME_MAX + 64];

	if (row->state == RECORDING_RECORDING || row->state == RECORDING_FINISHING) {
		wait_refuse(w, 409, "not_ready", "This recording is still running.");
		return;
	}
	snprintf(path, sizeof path, "%s/%s", w->routes->cfg.config->data.path, row->path);
	save_name(name, sizeof name, row);
	http_reply_file(w->req, path, repository_media_type(row->path),
			http_req_query(w->req, "download") ? name : NULL);
	wait_end(w);
}

/* 0: there is none of this name. */
static unsigned part_of(const char *name)
{
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (!strcmp(name, parts[i].name))
			return parts[i].part;
	return 0;
}

ON_THREAD(ROLE_CTL) static void send_part(struct wait *w, const struct recording_row *row,
					  unsigned part)
{
	char path[1024], relative[RECORDING_PATH_MAX + 1];

	if (!(row->parts & part) ||
	    repository_part_path(relative, row->path, (enum recording_part)part)) {
		wait_refuse(w, 404, "not_found", "This recording has no such picture or text.");
		return;
	}
	snprintf(path, sizeof path, "%s/%s", w->routes->cfg.config->data.path, relative);
	http_reply_file(w->req, path, repository_media_type(relative), NULL);
	wait_end(w);
}

/* For the page that plays it. */
ON_THREAD(ROLE_CTL) static void on_story(void *obj, int err, const struct recording_story *s)
{
	struct wait *w = obj;
	const struct recording_row *row = &w->rec->row;
	json_t *body, *members;

	role_assert_ctl();
	if (!w->req || err) {
		wait_reply_json(w, err, 0, NULL);
		return;
	}
	/* no newer addresses: they would outlive the link */
	body = recording_json_with(row, false, http_req_param(w->req, "token"));
	members = recording_story_json(s);
	json_object_set_new(body, "participants", json_incref(json_object_get(members, "people")));
	json_object_set_new(body, "chat", json_array());
	json_decref(members);
	wait_reply_json(w, 0, 200, body);
}

ON_THREAD(ROLE_CTL) static void send_info(struct wait *w, const struct recording_row *row)
{
	if (!wait_recording(w))
		return;
	w->rec->row = *row;
	if (recording_story(w->routes->cfg.db, row->id, on_story, w))
		wait_reply_busy(w);
}

static void on_row(void *obj, int err, const struct recording_row *row)
{
	struct wait *w = obj;
	const char *part;
	int right;

	role_assert_ctl();
	if (!w->req) {
		wait_end(w);
		return;
	}
	right = err || row->deleted_ms || !repository_path_valid(row->path) ? -EBADMSG :
		link_check(http_req_param(w->req, "token"), w->routes->cfg.link_key, row,
			   clock_wall_ns() / NS_PER_MS);
	part = http_req_param(w->req, "part");
	if (right == -ETIME)
		wait_refuse(w, 410, "link_expired", "This link was valid for some time only. Ask for a "
			    "new one.");
	else if (right)
		refuse_link(w);
	else if (!part)
		send_file(w, row);
	else if (!strcmp(part, "info.json"))
		send_info(w, row);
	else
		send_part(w, row, part_of(part));
}

static void get_file(void *ctx, struct http_req *req)
{
	struct routes *r = ctx;
	struct wait *w;
	int64_t id;

	role_assert_ctl();
	id = g_ascii_strtoll(http_req_param(req, "id"), NULL, 10);
	w = wait_new(r, req);
	if (w && recordings_get(r->cfg.db, id, NULL, on_row, w))
		wait_reply_busy(w);
}

int routes_recording_files_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "GET", "/recordings/:id/:token", get_file, r);

	return err ? err : server_route(s, "GET", "/recordings/:id/:token/:part", get_file, r);
}
