/* Sessions, who was in them and how their connections were: all for administrators, a room's
 * for its owner. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mcu/routes_priv.h"
#include "storage/history.h"
#include "storage/quality.h"

enum { PAGE = 100 };

/* Ids are texts: they are for asking again, not for counting. */
static json_t *id_json(int64_t id)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRId64, id);
	return json_string(text);
}

static json_t *time_json(int64_t ms)
{
	return ms ? json_integer(ms) : json_null();
}

static json_t *score_json(double score)
{
	return score > 0 ? json_real(score) : json_null();
}

/* --- sessions ---------------------------------------------------------------- */

static json_t *session_json(const struct session_row *s)
{
	return json_pack("{s:o, s:s, s:I, s:o, s:s, s:I}", "id", id_json(s->id), "room", s->room,
			 "started_ms", (json_int_t)s->started_ms, "ended_ms", time_json(s->ended_ms),
			 "reason", s->reason, "participants", (json_int_t)s->participants);
}

static void on_sessions(void *obj, int err, const struct session_row *rows, size_t n)
{
	const struct wait *w = obj;
	json_t *all = json_array();

	role_assert_ctl();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, session_json(&rows[i]));
	wait_reply_page(obj, err, "sessions", all, n && n == w->calls.max ? rows[n - 1].id : 0);
}

ON_THREAD(ROLE_CTL) static void list_sessions(struct wait *w)
{
	struct history_filter f = { .room = w->name[0] ? w->name : NULL, .cursor = w->calls.before,
				    .from_ms = w->calls.from_ms, .until_ms = w->calls.until_ms,
				    .max = w->calls.max };

	if (sessions_list(w->routes->cfg.db, &f, on_sessions, w))
		wait_reply_busy(w);
}

ON_THREAD(ROLE_CTL) static bool read_page(struct wait *w, const char *cursor)
{
	w->calls.max = PAGE;
	return rest_query_page(w, cursor, &w->calls.before, &w->calls.max, HISTORY_LIST_MAX) &&
	       rest_query_time(w, "from", &w->calls.from_ms) &&
	       rest_query_time(w, "until", &w->calls.until_ms);
}

static void get_sessions(void *ctx, struct http_req *req)
{
	struct wait *w;
	const char *room;

	role_assert_ctl();
	room = http_req_query(req, "room");
	w = wait_new(ctx, req);
	if (!w || !read_page(w, "before"))
		return;
	if (room && strlen(room) > DB_NAME_MAX) {
		wait_refuse(w, 400, "bad_query", "No room has a name as long as that.");
		return;
	}
	snprintf(w->name, sizeof w->name, "%s", room ? room : "");
	wait_for_account(w, USER_ADMIN, list_sessions);
}

static void get_room_sessions(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_room_name(w) && read_page(w, "before"))
		wait_for_own_room(w, list_sessions);
}

/* --- one session, or what hangs on it ------------------------------------------ */

/* The session is known, and whose room it was: who asks must be allowed to. */
static void on_session(void *obj, int err, const struct session_row *rows, size_t n)
{
	struct wait *w = obj;

	role_assert_ctl();
	if (!w->req) {
		wait_end(w);
	} else if (err) {
		wait_reply_json(w, err, 0, NULL);
	} else if (!n) {
		wait_refuse(w, 404, "not_found", "There is nothing of this number.");
	} else {
		snprintf(w->name, sizeof w->name, "%s", rows[0].room);
		w->body = session_json(&rows[0]);
		wait_for_owner(w, w->then);
	}
}

ON_THREAD(ROLE_CTL) static void find_session(struct wait *w)
{
	struct history_filter f = { .id = w->id, .max = 1 };

	if (sessions_list(w->routes->cfg.db, &f, on_session, w))
		wait_reply_busy(w);
}

ON_THREAD(ROLE_CTL) static void find_participants_session(struct wait *w)
{
	if (sessions_of_participant(w->routes->cfg.db, w->id, on_session, w))
		wait_reply_busy(w);
}

/* then: once who asks is known to be allowed to. */
ON_THREAD(ROLE_CTL) static void begin(void *ctx, struct http_req *req,
				      void (*find)(struct wait *w), void (*then)(struct wait *w))
{
	struct wait *w = wait_new(ctx, req);

	if (!w || !read_page(w, "after") || !rest_path_id(w, "id", &w->id))
		return;
	w->then = then;
	wait_for_account(w, USER_PARTICIPANT, find);
}

ON_THREAD(ROLE_CTL) static void show_session(struct wait *w)
{
	wait_reply_json(w, 0, 200, json_incref(w->body));
}

static void get_session(void *ctx, struct http_req *req)
{
	role_assert_ctl();
	begin(ctx, req, find_session, show_session);
}

static json_t *participant_json(const struct participant_row *p)
{
	return json_pack("{s:o, s:o, s:I, s:s, s:s?, s:b, s:I, s:o, s:s, s:o, s:o}",
			 "id", id_json(p->id), "session", id_json(p->session_id),
			 "leg", (json_int_t)p->leg, "name", p->name,
			 "user", p->user[0] ? p->user : NULL, "host", p->host,
			 "joined_ms", (json_int_t)p->joined_ms, "left_ms", time_json(p->left_ms),
			 "reason", p->reason, "score", score_json(p->score),
			 "worst", score_json(p->worst));
}

static void on_participants(void *obj, int err, const struct participant_row *rows, size_t n)
{
	const struct wait *w = obj;
	json_t *all = json_array();

	role_assert_ctl();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, participant_json(&rows[i]));
	wait_reply_page(obj, err, "participants", all,
			n && n == w->calls.max ? rows[n - 1].id : 0);
}

ON_THREAD(ROLE_CTL) static void list_participants(struct wait *w)
{
	struct history_filter f = { .id = w->id, .cursor = w->calls.before, .max = w->calls.max };

	if (participants_list(w->routes->cfg.db, &f, on_participants, w))
		wait_reply_busy(w);
}

static void get_participants(void *ctx, struct http_req *req)
{
	role_assert_ctl();
	begin(ctx, req, find_session, list_participants);
}

/* --- quality ----------------------------------------------------------------- */

static json_t *quality_json(const struct quality_row *q)
{
	return json_pack("{s:I, s:I, s:{s:f, s:f, s:f}, s:{s:f, s:f, s:f}, s:f, s:i, s:f}",
			 "at_ms", (json_int_t)q->at_ms, "interval_ms", (json_int_t)q->interval_ms,
			 "uplink", "loss", q->loss_up, "jitter_ms", q->jitter_up_ms, "kbps", q->kbps_up,
			 "downlink", "loss", q->loss_down, "jitter_ms", q->jitter_down_ms, "kbps",
			 q->kbps_down, "rtt_ms", q->rtt_ms, "height", q->height, "score", q->score);
}

static void on_quality(void *obj, int err, const struct quality_row *rows, size_t n)
{
	const struct wait *w = obj;
	json_t *all = json_array();

	role_assert_ctl();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, quality_json(&rows[i]));
	wait_reply_page(obj, err, "intervals", all, n && n == w->calls.max ? rows[n - 1].id : 0);
}

ON_THREAD(ROLE_CTL) static void list_quality(struct wait *w)
{
	struct quality_filter f = { .participant_id = w->id, .after = w->calls.before,
				    .from_ms = w->calls.from_ms, .until_ms = w->calls.until_ms,
				    .max = w->calls.max };

	if (quality_list(w->routes->cfg.db, &f, on_quality, w))
		wait_reply_busy(w);
}

static void get_quality(void *ctx, struct http_req *req)
{
	role_assert_ctl();
	begin(ctx, req, find_participants_session, list_quality);
}

int routes_history_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "GET", "/api/v1/sessions", get_sessions, r);

	if (!err)
		err = server_route(s, "GET", "/api/v1/rooms/:room/sessions", get_room_sessions, r);
	if (!err)
		err = server_route(s, "GET", "/api/v1/sessions/:id", get_session, r);
	if (!err)
		err = server_route(s, "GET", "/api/v1/sessions/:id/participants", get_participants, r);
	return err ? err : server_route(s, "GET", "/api/v1/participants/:id/quality", get_quality, r);
}
