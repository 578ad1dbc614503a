/* How long recordings stay and who sees them: a room's rules, and what tidying up
 * would remove now. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/recording_keeper.h"
#include "mcu/routes_recordings.h"

enum { DAYS_MAX = 36500 };

/* --- rules of a room -------------------------------------------------------------- */

static void on_rules(void *obj, int err, const struct recording_rules *u)
{
	struct wait *w = obj;

	role_assert_ctl();
	wait_reply_json(w, err, 200, err ? NULL :
			json_pack("{s:I, s:I, s:s}", "keep_days", (json_int_t)u->keep_days,
				  "quota_bytes", (json_int_t)u->quota_bytes, "viewers", u->viewers));
}

ON_THREAD(ROLE_CTL) static void show_rules(struct wait *w)
{
	if (recording_rules_get(w->routes->cfg.db, w->name, on_rules, w))
		wait_reply_busy(w);
}

static void get_rules(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_room_name(w))
		wait_for_own_room(w, show_rules);
}

/* What the body has, over what there is. False: it is wrong; answered and ended. */
ON_THREAD(ROLE_CTL) static bool read_rules(struct wait *w, struct recording_rules *u, bool *limits)
{
	const char *viewers = NULL;
	bool days = false, quota = false;
	const struct rest_field fields[] = {
		{ "keep_days", REST_INT, false, -1, DAYS_MAX, .number = &u->keep_days,
		  .present = &days },
		{ "quota_bytes", REST_INT, false, -1, INT64_C(1) << 52, .number = &u->quota_bytes,
		  .present = &quota },
		{ "viewers", REST_TEXT, false, 0, 12, .text = &viewers },
	};

	json_decref(w->body);
	w->body = NULL;
	if (!rest_read(w, fields, 3))
		return false;
	*limits = days || quota;
	if (!viewers)
		return true;
	if (!*viewers || !strcmp(viewers, "hosts") || !strcmp(viewers, "participants")) {
		snprintf(u->viewers, sizeof u->viewers, "%s", viewers);
		return true;
	}
	wait_refuse(w, 400, "bad_json", "The member \"viewers\" must be \"hosts\", \"participants\" or "
		    "\"\" (as configured).");
	return false;
}

static void on_old_rules(void *obj, int err, const struct recording_rules *old)
{
	struct wait *w = obj;
	struct recording_rules u;
	bool limits;

	role_assert_ctl();
	if (!w->req) {
		wait_end(w);
		return;
	}
	if (err) {
		wait_reply_json(w, err, 0, NULL);
		return;
	}
	u = *old;
	if (!read_rules(w, &u, &limits))
		return;
	if (limits && w->who.role != USER_ADMIN) {
		wait_refuse(w, 403, "not_allowed", "Only an administrator may change how long recordings "
			    "stay and how much room they take.");
		return;
	}
	wait_audit(w, "recording_rules_changed", w->name, NULL);
	if (recording_rules_set(w->routes->cfg.db, w->name, &u, on_rules, w))
		wait_reply_busy(w);
}

ON_THREAD(ROLE_CTL) static void change_rules(struct wait *w)
{
	if (recording_rules_get(w->routes->cfg.db, w->name, on_old_rules, w))
		wait_reply_busy(w);
}

static void put_rules(void *ctx, struct http_req *req)
{
	struct recording_rules scratch = { 0 };
	struct wait *w;
	bool limits;

	role_assert_ctl();
	w = wait_new(ctx, req);
	/* The body is looked at first, so that what is wrong is said before anything. */
	if (w && wait_room_name(w) && read_rules(w, &scratch, &limits))
		wait_for_own_room(w, change_rules);
}

/* --- tidying up --------------------------------------------------------------------- */

static void on_plan(void *obj, int err, const struct keep_plan *p)
{
	struct wait *w = obj;
	json_t *list;
	int64_t held;

	role_assert_ctl();
	held = recording_keeper_held_until_ms(w->routes->cfg.keeper);
	if (err) {
		wait_reply_json(w, err, 0, NULL);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < p->n; i++) {
		const struct keep_item *t = &p->items[i];

		json_array_append_new(list, json_pack("{s:I, s:s, s:s, s:I, s:I, s:s, s:b}",
			"id", (json_int_t)t->id, "room", t->room, "title", t->title,
			"started_ms", (json_int_t)t->started_ms, "bytes", (json_int_t)t->bytes,
			"why", keep_why_name(t->why), "for_good", t->why >= KEEP_TRASH_AGE));
	}
	wait_reply_json(w, 0, 200, json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:o}", "items", list,
		"count", (json_int_t)p->all, "trash_bytes", (json_int_t)p->trash_bytes,
		"purge_bytes", (json_int_t)p->purge_bytes,
		"listed_bytes", (json_int_t)p->listed_bytes,
		"in_trash_bytes", (json_int_t)p->in_trash_bytes,
		"held_until_ms", held ? json_integer(held) : json_null()));
}

ON_THREAD(ROLE_CTL) static void plan(struct wait *w)
{
	if (recordings_keep(w->routes->cfg.db, &w->rec->policy, true, on_plan, w))
		wait_reply_busy(w);
}

/* A number of the query in place of what is configured; false: answered and ended. */
ON_THREAD(ROLE_CTL) static bool query_limit(struct wait *w, const char *name, int64_t max,
					    int64_t *to)
{
	const char *text = http_req_query(w->req, name);
	char *end;

	if (!text)
		return true;
	*to = g_ascii_strtoll(text, &end, 10);
	if (*text && !*end && *to >= 0 && *to <= max)
		return true;
	wait_refuse(w, 400, "bad_query", "\"%s\" must be a number from 0 to %lld.", name,
		    (long long)max);
	return false;
}

static void get_cleanup(void *ctx, struct http_req *req)
{
	struct routes *r = ctx;
	struct keep_policy p = recording_keeper_policy(r->cfg.config);
	int64_t keep = p.keep_days, trash = p.trash_days;
	struct wait *w;

	role_assert_ctl();
	w = wait_new(r, req);
	if (!w || !wait_recording(w) || !query_limit(w, "keep_days", DAYS_MAX, &keep) ||
	    !query_limit(w, "trash_days", DAYS_MAX, &trash) ||
	    !query_limit(w, "quota_bytes", INT64_C(1) << 52, &p.quota_bytes) ||
	    !query_limit(w, "room_quota_bytes", INT64_C(1) << 52, &p.room_quota_bytes) ||
	    !query_limit(w, "user_quota_bytes", INT64_C(1) << 52, &p.user_quota_bytes))
		return;
	p.keep_days = (int)keep;
	p.trash_days = (int)trash;
	w->rec->policy = p;
	wait_for_account(w, USER_ADMIN, plan);
}

ON_THREAD(ROLE_CTL) static void run(struct wait *w)
{
	wait_audit(w, "recordings_cleanup", NULL, w->flag ? "for good" : NULL);
	recording_keeper_run(w->routes->cfg.keeper, w->flag);
	if (w->req)
		http_reply(w->req, 202, NULL, NULL, 0);
	wait_end(w);
}

static void post_cleanup(void *ctx, struct http_req *req)
{
	bool for_good = false;
	const struct rest_field fields[] = {
		{ "for_good", REST_BOOL, false, 0, 0, .flag = &for_good },
	};
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w || !rest_read(w, fields, 1))
		return;
	w->flag = for_good;
	wait_for_account(w, USER_ADMIN, run);
}

int routes_recording_rules_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "GET", "/api/v1/rooms/:room/recording-rules", get_rules, r);

	if (!err)
		err = server_route(s, "PUT", "/api/v1/rooms/:room/recording-rules", put_rules, r);
	if (!err)
		err = server_route(s, "GET", "/api/v1/recording-cleanup", get_cleanup, r);
	return err ? err : server_route(s, "POST", "/api/v1/recording-cleanup", post_cleanup, r);
}
