/* Invitations to a room, for its owner and administrators. The token is shown once,
 * when it is made; the registry keeps only its hash. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mcu/routes_priv.h"
#include "storage/invitations.h"

enum { DEFAULT_S = 7 * 24 * 3600, MAX_S = 366 * 24 * 3600, MAX_USES = 1000000 };

/* --- make -------------------------------------------------------------------- */

static void on_made(void *obj, int err, const struct invitation_row *row)
{
	struct wait *w = obj;
	char *room, *url, id[24];
	json_t *body;

	role_assert_ctl();
	if (err == -EUSERS) {
		wait_refuse(w, 409, "too_many", "This room has %d invitations. Delete some first.",
			    INVITATION_LIST_MAX);
		return;
	}
	if (err) {
		wait_reply_json(w, err, 0, NULL);
		return;
	}
	wait_audit(w, "invitation_made", w->name, row->host ? "host" : "participant");
	room = g_uri_escape_string(w->name, NULL, FALSE);
	url = g_strdup_printf("/?room=%s&invite=%s", room, w->token);
	snprintf(id, sizeof id, "%" PRId64, row->id);
	body = json_pack("{s:s, s:s, s:s, s:s, s:I}", "id", id, "token", w->token, "url", url, "role",
			 row->host ? "host" : "participant", "expires_at",
			 (json_int_t)row->expires_ms);
	explicit_bzero(url, strlen(url));
	g_free(url);
	g_free(room);
	wait_reply_json(w, 0, 201, body);
}

ON_THREAD(ROLE_CTL) static void make(struct wait *w)
{
	struct invitation_row row = { .id = db_new_id(), .host = w->host, .uses_left = w->uses,
				      .created_ms = clock_wall_ns() / NS_PER_MS,
				      .made_by = w->who.id };

	row.expires_ms = row.created_ms + w->seconds * 1000;
	snprintf(row.room, sizeof row.room, "%s", w->name);
	if (invitation_make(w->token)) {
		wait_reply_json(w, -EIO, 0, NULL);
		return;
	}
	invitation_hash(row.hash, w->token);
	if (invitations_make(w->routes->cfg.db, &row, on_made, w))
		wait_reply_busy(w);
}

static void post_invitation(void *ctx, struct http_req *req)
{
	struct wait *w;
	const char *role = NULL;
	int64_t seconds = DEFAULT_S, uses = -1;
	const struct rest_field fields[] = {
		{ "role", REST_TEXT, true, 1, 16, .text = &role },
		{ "expires_s", REST_INT, false, 60, MAX_S, .number = &seconds },
		{ "uses", REST_INT, false, 1, MAX_USES, .number = &uses },
	};

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w || !wait_room_name(w) || !rest_read(w, fields, 3))
		return;
	w->host = !strcmp(role, "host");
	if (!w->host && strcmp(role, "participant")) {
		wait_refuse(w, 400, "bad_json", "The member \"role\" must be \"host\" or "
			    "\"participant\".");
		return;
	}
	w->seconds = seconds;
	w->uses = uses;
	wait_for_own_room(w, make);
}

/* --- list -------------------------------------------------------------------- */

static json_t *invitation_json(const struct invitation_row *i)
{
	char id[24];
	json_t *uses = i->uses_left < 0 ? json_null() : json_integer(i->uses_left);

	snprintf(id, sizeof id, "%" PRId64, i->id);
	return json_pack("{s:s, s:s, s:I, s:I, s:o, s:s?}", "id", id, "role",
			 i->host ? "host" : "participant", "created_ms", (json_int_t)i->created_ms,
			 "expires_at", (json_int_t)i->expires_ms, "uses_left", uses, "made_by",
			 i->maker[0] ? i->maker : NULL);
}

static void on_list(void *obj, int err, const struct invitation_row *rows, size_t n)
{
	json_t *list = json_array();

	role_assert_ctl();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, invitation_json(&rows[i]));
	wait_reply_part(obj, err, "invitations", list, "id", false);
}

ON_THREAD(ROLE_CTL) static void list(struct wait *w)
{
	if (invitations_list(w->routes->cfg.db, w->name, on_list, w))
		wait_reply_busy(w);
}

static void get_invitations(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w)
		return;
	w->calls.max = REST_PAGE_MAX;
	if (wait_room_name(w) &&
	    rest_query_page(w, "after", &w->calls.before, &w->calls.max, REST_PAGE_MAX))
		wait_for_own_room(w, list);
}

/* --- delete ------------------------------------------------------------------ */

static void on_deleted(void *obj, int err, const struct invitation_row *row)
{
	struct wait *w = obj;

	(void)row;
	role_assert_ctl();
	if (err == -ENOENT) {
		wait_refuse(w, 404, "not_found", "There is no such invitation to this room.");
		return;
	}
	if (err) {
		wait_reply_json(w, err, 0, NULL);
		return;
	}
	wait_audit(w, "invitation_deleted", w->name, NULL);
	wait_reply_nothing(w);
}

ON_THREAD(ROLE_CTL) static void drop(struct wait *w)
{
	if (invitations_delete(w->routes->cfg.db, w->name, w->id, on_deleted, w))
		wait_reply_busy(w);
}

static void delete_invitation(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w || !wait_room_name(w))
		return;
	w->id = g_ascii_strtoll(http_req_param(req, "id"), NULL, 10);
	wait_for_own_room(w, drop);
}

int routes_invitations_new(struct routes *r, struct server *s)
{
	static const char all[] = "/api/v1/rooms/:room/invitations";
	int err = server_route(s, "GET", all, get_invitations, r);

	if (!err)
		err = server_route(s, "POST", all, post_invitation, r);
	return err ? err : server_route(s, "DELETE", "/api/v1/rooms/:room/invitations/:id",
					delete_invitation, r);
}
