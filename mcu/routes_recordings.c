/* Recordings: administrators see and change all of them, owners and hosts those of
 * their rooms, and who took part what the room lets them see. */
#include "mcu/routes_recordings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/links.h"
#include "mcu/recording_keeper.h"
#include "signaling/protocol.h"

enum {
	LIST_DEFAULT = 50,
	TAG_MAX = DB_NAME_MAX, /* octets */
	TAGS_MAX = 20,
	LINK_S_MIN = 60,
	LINK_S_MAX = 10 * 365 * 24 * 3600,
};

static int64_t now_ms(void)
{
	return clock_wall_ns() / NS_PER_MS;
}

struct recording_ask *wait_recording(struct wait *w)
{
	w->rec = calloc(1, sizeof *w->rec);
	if (!w->rec)
		wait_refuse(w, 503, "internal", "The server is out of memory.");
	return w->rec;
}

struct recording_viewer wait_viewer(const struct wait *w)
{
	return (struct recording_viewer){
		.user_id = w->who.id,
		.everything = w->who.role == USER_ADMIN,
		.participants = !strcmp(w->routes->cfg.config->recording.viewers, "participants"),
	};
}

/* --- search ------------------------------------------------------------------- */

static void on_hits(void *obj, int err, const struct recording_hit *hits, size_t n)
{
	struct wait *w = obj;
	json_t *list;

	role_assert_ctl();
	if (err == -E2BIG) {
		wait_refuse(w, 400, "bad_query", "These are too many words. Ask for fewer.");
		return;
	}
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, recording_json(w->routes, &hits[i].row, hits[i].manage));
	wait_reply_page(w, err, "recordings", list,
			n && n == w->rec->query.limit ? hits[n - 1].row.id : 0);
}

ON_THREAD(ROLE_CTL) static void search(struct wait *w)
{
	w->rec->query.viewer = wait_viewer(w);
	if (recording_search(w->routes->cfg.db, &w->rec->query, on_hits, w))
		wait_reply_busy(w);
}

/* A text of the query, if it is there. False: answered and ended. */
ON_THREAD(ROLE_CTL) static bool query_text(struct wait *w, const char *name, size_t max, char *copy,
					   const char **to)
{
	const char *text = http_req_query(w->req, name);

	*to = NULL;
	if (!text || !*text)
		return true;
	if (strlen(text) > max) {
		wait_refuse(w, 400, "bad_query", "\"%s\" may have %zu octets.", name, max);
		return false;
	}
	snprintf(copy, max + 1, "%s", text);
	*to = copy;
	return true;
}

ON_THREAD(ROLE_CTL) static bool read_query(struct wait *w)
{
	struct recording_ask *a = w->rec;
	struct recording_query *q = &a->query;
	const char *trash = http_req_query(w->req, "trash");

	q->limit = LIST_DEFAULT;
	q->trash = trash && !strcmp(trash, "1");
	if (trash && !q->trash && strcmp(trash, "0")) {
		wait_refuse(w, 400, "bad_query", "\"trash\" must be 0 or 1.");
		return false;
	}
	return query_text(w, "q", 200, a->text, &q->text) &&
	       query_text(w, "person", 200, a->person, &q->person) &&
	       query_text(w, "room", DB_NAME_MAX, w->name, &q->room) &&
	       query_text(w, "tag", TAG_MAX, a->tag, &q->tag) &&
	       rest_query_page(w, "before", &q->before, &q->limit, RECORDING_LIST_MAX) &&
	       rest_query_time(w, "from", &q->from_ms) && rest_query_time(w, "until", &q->until_ms);
}

static void get_recordings(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_recording(w) && read_query(w))
		wait_for_account(w, USER_PARTICIPANT, search);
}

/* --- one ---------------------------------------------------------------------- */

ON_THREAD(ROLE_CTL) static void refuse_unknown(struct wait *w)
{
	wait_refuse(w, 404, "recording_unknown", "There is no such recording, or it is not yours to "
		    "see.");
}

static void on_open(void *obj, int err, const struct recording_hit *hits, size_t n)
{
	struct wait *w = obj;

	role_assert_ctl();
	if (!w->req) {
		wait_end(w);
	} else if (err == -ENOENT || (!err && !n)) {
		refuse_unknown(w);
	} else if (err) {
		wait_reply_json(w, err, 0, NULL);
	} else {
		w->rec->row = hits[0].row;
		w->rec->manage = hits[0].manage;
		w->next = w->after;
		w->next(w);
	}
}

ON_THREAD(ROLE_CTL) static void find(struct wait *w)
{
	struct recording_viewer v = wait_viewer(w);

	if (recording_open(w->routes->cfg.db, w->id, &v, on_open, w))
		wait_reply_busy(w);
}

/* Goes on with next(w) when who asks may see the one in the path. */
ON_THREAD(ROLE_CTL) static void for_recording(struct wait *w, void (*next)(struct wait *w))
{
	if (!rest_path_id(w, "id", &w->id))
		return;
	w->after = next;
	wait_for_account(w, USER_PARTICIPANT, find);
}

/* False: who asks may not change it; answered and ended. */
ON_THREAD(ROLE_CTL) static bool may_manage(struct wait *w)
{
	if (w->rec->manage)
		return true;
	wait_refuse(w, 403, "not_allowed", "Only the owner and the hosts of its room, whoever started "
		    "it and administrators may do that.");
	return false;
}

static void on_tracks(void *obj, int err, const struct recording_row *rows, size_t n)
{
	struct wait *w = obj;
	json_t *list = json_array();

	role_assert_ctl();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, recording_json(w->routes, &rows[i], w->rec->manage));
	json_object_set_new(w->body, "tracks", list);
	wait_reply_json(w, err, 200, json_incref(w->body));
}

static void on_story(void *obj, int err, const struct recording_story *s)
{
	struct wait *w = obj;
	json_t *story;

	role_assert_ctl();
	if (err) {
		wait_reply_json(w, err, 0, NULL);
		return;
	}
	story = recording_story_json(s);
	w->body = recording_json(w->routes, &w->rec->row, w->rec->manage);
	json_object_set_new(w->body, "participants", json_incref(json_object_get(story, "people")));
	json_object_set_new(w->body, "chat", json_incref(json_object_get(story, "chat")));
	json_decref(story);
	if (recordings_tracks(w->routes->cfg.db, w->id, on_tracks, w))
		wait_reply_busy(w);
}

ON_THREAD(ROLE_CTL) static void show(struct wait *w)
{
	if (recording_story(w->routes->cfg.db, w->id, on_story, w))
		wait_reply_busy(w);
}

static void get_recording(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_recording(w))
		for_recording(w, show);
}

/* --- change -------------------------------------------------------------------- */

static void on_changed(void *obj, int err, const struct recording_row *row)
{
	struct wait *w = obj;

	role_assert_ctl();
	if (err == -ENOENT) {
		refuse_unknown(w);
		return;
	}
	wait_reply_json(w, err, 200, err ? NULL : recording_json(w->routes, row, true));
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* An array of texts into lines, sorted, each once. NULL, or what is wrong. */
static const char *read_tags(struct recording_ask *a, json_t *array)
{
	static const char wrong[] = "\"tags\" must be at most 20 texts of 1 to 64 characters, 500 "
				    "octets in all.";
	const char *tags[TAGS_MAX];
	size_t n = json_array_size(array), len = 0;

	for (size_t i = 0; i < n; i++) {
		json_t *v = json_array_get(array, i);

		tags[i] = json_string_value(v);
		if (!tags[i] || strlen(tags[i]) != json_string_length(v) ||
		    !protocol_name_valid(tags[i]))
			return wrong;
	}
	qsort(tags, n, sizeof *tags, compare_text);
	a->tags[0] = 0;
	for (size_t i = 0; i < n; i++) {
		if (i && !strcmp(tags[i], tags[i - 1]))
			continue;
		if (len + strlen(tags[i]) + 2 > sizeof a->tags)
			return wrong;
		len += (size_t)snprintf(a->tags + len, sizeof a->tags - len, "%s%s", len ? "\n" : "",
					tags[i]);
	}
	a->edit.tags = a->tags;
	return NULL;
}

ON_THREAD(ROLE_CTL) static void change(struct wait *w)
{
	if (!may_manage(w))
		return;
	if (w->rec->edit.keep && w->who.role != USER_ADMIN) {
		wait_refuse(w, 403, "not_allowed", "Only an administrator may have a recording kept.");
		return;
	}
	wait_audit(w, "recording_changed", w->rec->row.room, NULL);
	if (recordings_edit(w->routes->cfg.db, w->id, &w->rec->edit, on_changed, w))
		wait_reply_busy(w);
}

/* The array is taken out of the body, of which the rest is read as usual. */
ON_THREAD(ROLE_CTL) static bool read_change(struct wait *w)
{
	struct recording_ask *a = w->rec;
	const char *title = NULL, *wrong = NULL;
	bool has_keep = false;
	json_t *tags = NULL;
	const struct rest_field fields[] = {
		{ "title", REST_TEXT, false, 0, DB_NAME_MAX, .text = &title },
		{ "keep", REST_BOOL, .flag = &a->keep, .present = &has_keep },
		{ "tags", REST_ARRAY, false, 0, TAGS_MAX, .json = &tags },
	};

	if (!rest_read(w, fields, 3))
		return false;
	if (title && !protocol_line_valid(title))
		wrong = "\"title\" must be one line without control characters.";
	if (!wrong && tags)
		wrong = read_tags(a, tags);
	if (wrong) {
		wait_refuse(w, 400, "bad_json", "The member %s", wrong);
		return false;
	}
	snprintf(a->title, sizeof a->title, "%s", title ? title : "");
	a->edit.title = title ? a->title : NULL;
	a->edit.keep = has_keep ? &a->keep : NULL;
	return true;
}

static void patch_recording(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w || !wait_recording(w) || !read_change(w))
		return;
	json_decref(w->body);
	w->body = NULL;
	for_recording(w, change);
}

/* --- delete and restore --------------------------------------------------------- */

static void on_deleted(void *obj, int err, const struct recording_row *row)
{
	struct wait *w = obj;
	bool purged = w->rec->row.deleted_ms != 0;

	(void)row;
	role_assert_ctl();
	if (err == -ENOENT) {
		refuse_unknown(w);
	} else if (err == -EBUSY) {
		wait_refuse(w, 409, "not_ready", "This recording is still running. Stop it first.");
	} else if (err) {
		wait_reply_json(w, err, 0, NULL);
	} else {
		wait_audit(w, purged ? "recording_purged" : "recording_deleted", w->rec->row.room,
			   w->rec->row.path);
		if (purged)
			recording_keeper_run(w->routes->cfg.keeper, false);
		wait_reply_nothing(w);
	}
}

/* Into the trash; what is there goes for good. */
ON_THREAD(ROLE_CTL) static void remove_it(struct wait *w)
{
	struct db *db = w->routes->cfg.db;
	int err;

	if (!may_manage(w))
		return;
	if (w->rec->row.deleted_ms)
		err = recordings_purge(db, w->id, on_deleted, w);
	else
		err = recordings_trash(db, w->id, now_ms(), w->who.name, on_deleted, w);
	if (err)
		wait_reply_busy(w);
}

static void delete_recording(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_recording(w))
		for_recording(w, remove_it);
}

ON_THREAD(ROLE_CTL) static void restore(struct wait *w)
{
	if (!may_manage(w))
		return;
	if (!w->rec->row.deleted_ms) {
		wait_refuse(w, 409, "not_deleted", "This recording is not in the trash.");
		return;
	}
	wait_audit(w, "recording_restored", w->rec->row.room, w->rec->row.path);
	if (recordings_restore(w->routes->cfg.db, w->id, on_changed, w))
		wait_reply_busy(w);
}

static void post_restore(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_recording(w))
		for_recording(w, restore);
}

/* --- links ---------------------------------------------------------------------- */

ON_THREAD(ROLE_CTL) static void make_link(struct wait *w)
{
	const struct recording_row *row = &w->rec->row;
	char link[LINK_LEN + 1], url[LINK_LEN + 64], page[LINK_LEN + 64];
	int64_t expires_ms = now_ms() + w->seconds * 1000;

	if (!may_manage(w))
		return;
	if (row->deleted_ms) {
		wait_refuse(w, 409, "deleted", "This recording is in the trash. Restore it first.");
		return;
	}
	link_write(link, w->routes->cfg.link_key, row, expires_ms);
	snprintf(url, sizeof url, "/recordings/%" PRId64 "/%s", row->id, link);
	snprintf(page, sizeof page, "/recordings.html#%" PRId64 "/%s", row->id, link);
	wait_audit(w, "recording_shared", row->room, row->path);
	wait_reply_json(w, 0, 201, json_pack("{s:s, s:s, s:I}", "url", url, "page", page,
					     "expires_ms", (json_int_t)expires_ms));
}

static void post_link(void *ctx, struct http_req *req)
{
	struct routes *r = ctx;
	int64_t seconds = r->cfg.config->recording.link_days * 24LL * 3600;
	const struct rest_field field[] = {
		{ "expires_s", REST_INT, false, LINK_S_MIN, LINK_S_MAX, .number = &seconds },
	};
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w || !wait_recording(w) || !rest_read(w, field, 1))
		return;
	w->seconds = seconds;
	for_recording(w, make_link);
}

ON_THREAD(ROLE_CTL) static void end_links(struct wait *w)
{
	if (!may_manage(w))
		return;
	wait_audit(w, "links_ended", w->rec->row.room, w->rec->row.path);
	if (recordings_new_token(w->routes->cfg.db, w->id, on_changed, w))
		wait_reply_busy(w);
}

static void delete_links(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_recording(w))
		for_recording(w, end_links);
}

static void on_new_key(void *obj, int err, const char *secret)
{
	struct wait *w = obj;

	role_assert_ctl();
	if (err) {
		wait_reply_json(w, err, 0, NULL);
		return;
	}
	memcpy(w->routes->cfg.link_key, secret, LINK_SECRET_LEN + 1);
	wait_audit(w, "link_key_changed", NULL, NULL);
	wait_reply_nothing(w);
}

ON_THREAD(ROLE_CTL) static void renew_key(struct wait *w)
{
	if (link_key_rotate(w->routes->cfg.db, on_new_key, w))
		wait_reply_busy(w);
}

static void post_key(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w)
		wait_for_account(w, USER_ADMIN, renew_key);
}

int routes_recordings_new(struct routes *r, struct server *s)
{
	static const struct {
		const char *method, *pattern;
		http_handler *fn;
	} routes[] = {
		{ "GET", "/api/v1/recordings", get_recordings },
		{ "POST", "/api/v1/recordings/link-key", post_key },
		{ "GET", "/api/v1/recordings/:id", get_recording },
		{ "PATCH", "/api/v1/recordings/:id", patch_recording },
		{ "DELETE", "/api/v1/recordings/:id", delete_recording },
		{ "POST", "/api/v1/recordings/:id/restore", post_restore },
		{ "POST", "/api/v1/recordings/:id/links", post_link },
		{ "DELETE", "/api/v1/recordings/:id/links", delete_links },
	};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof routes / sizeof *routes; i++)
		err = server_route(s, routes[i].method, routes[i].pattern, routes[i].fn, r);
	return err;
}
