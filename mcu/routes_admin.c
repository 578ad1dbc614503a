/* Routes for administrators: recordings, and who did what. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mcu/routes_priv.h"
#include "storage/audit.h"
#include "storage/recordings.h"

/* --- recordings -------------------------------------------------------------- */

static json_t *recording_json(const struct recording_row *row)
{
	char url[96];

	snprintf(url, sizeof url, "/recordings/%" PRId64 "/%s", row->id, row->token);
	return json_pack("{s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:i, s:i, s:s, s:s, s:s}",
			 "id", (json_int_t)row->id, "room", row->room,
			 "state", recording_state_name(row->state),
			 "started_ms", (json_int_t)row->started_ms,
			 "ended_ms", (json_int_t)row->ended_ms,
			 "duration_ms", (json_int_t)row->duration_ms,
			 "bytes", (json_int_t)row->bytes, "width", row->width, "height", row->height,
			 "by", row->by, "url", url, "error", row->error);
}

static void on_list(void *obj, int err, const struct recording_row *rows, size_t n)
{
	json_t *list = json_array();

	role_assert_ctl();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, recording_json(&rows[i]));
	wait_reply_json(obj, err, 200, json_pack("{s:o}", "recordings", list));
}

ON_THREAD(ROLE_CTL) static void list_recordings(struct wait *w)
{
	if (recordings_list(w->routes->cfg.db, w->name[0] ? w->name : NULL, 0, RECORDING_LIST_MAX,
			    on_list, w))
		wait_reply_busy(w);
}

static void get_recordings(void *ctx, struct http_req *req)
{
	struct wait *w;
	const char *room;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w)
		return;
	room = http_req_query(req, "room");
	snprintf(w->name, sizeof w->name, "%s", room ? room : "");
	wait_for_account(w, USER_ADMIN, list_recordings);
}

/* --- audit ------------------------------------------------------------------- */

static json_t *audit_json(const struct audit_row *a)
{
	char id[24];

	snprintf(id, sizeof id, "%" PRId64, a->id);
	return json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:s}", "id", id, "at", (json_int_t)a->at_ms,
			 "action", a->action, "actor", a->actor, "address", a->address, "room", a->room,
			 "detail", a->detail);
}

static void on_audit(void *obj, int err, const struct audit_row *rows, size_t n)
{
	const struct wait *w = obj;
	json_t *list = json_array();

	role_assert_ctl();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, audit_json(&rows[i]));
	wait_reply_page(obj, err, "audit", list, n && n == w->calls.max ? rows[n - 1].id : 0);
}

ON_THREAD(ROLE_CTL) static void list_audit(struct wait *w)
{
	if (audit_list(w->routes->cfg.db, w->id, w->calls.max, on_audit, w))
		wait_reply_busy(w);
}

static void get_audit(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w)
		return;
	w->calls.max = AUDIT_LIST_MAX;
	if (rest_query_page(w, "before", &w->id, &w->calls.max, AUDIT_LIST_MAX))
		wait_for_account(w, USER_ADMIN, list_audit);
}

int routes_admin_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "GET", "/api/v1/recordings", get_recordings, r);

	return err ? err : server_route(s, "GET", "/api/v1/audit", get_audit, r);
}
