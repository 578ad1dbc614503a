/* How much rooms were used, by day and by room: all for administrators, a room's for its
 * owner. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/routes_priv.h"
#include "mcu/zone.h"
#include "storage/usage.h"

enum { DEFAULT_DAYS = 30 };

struct usage_ask {
	char zone[ZONE_NAME_MAX + 1];
	struct zone_day from;
	size_t n;
	int64_t bounds[USAGE_DAYS_MAX + 1];
};

static json_t *sum_json(const struct usage_sum *s)
{
	return json_pack("{s:I, s:I, s:I, s:f, s:o, s:I}", "sessions", (json_int_t)s->sessions,
			 "participants", (json_int_t)s->participants, "peak", (json_int_t)s->peak,
			 "minutes", s->minutes, "score",
			 s->score > 0 ? json_real(s->score) : json_null(), "poor", (json_int_t)s->poor);
}

static void on_usage(void *obj, int err, const struct usage *u)
{
	struct wait *w = obj;
	json_t *days = json_array(), *rooms = json_array(), *one;
	const struct usage_ask *q = w->usage;
	char first[11], last[11], day[11];

	role_assert_ctl();
	zone_day_write(first, q->from);
	zone_day_write(last, zone_day_add(q->from, (int)q->n - 1));
	for (size_t i = 0; u && i < u->n_days; i++) {
		zone_day_write(day, zone_day_add(q->from, (int)i));
		one = sum_json(&u->days[i]);
		json_object_set_new(one, "day", json_string(day));
		json_array_append_new(days, one);
	}
	for (size_t i = 0; u && i < u->n_rooms; i++) {
		one = sum_json(&u->rooms[i].sum);
		json_object_set_new(one, "room", json_string(u->rooms[i].name));
		json_array_append_new(rooms, one);
	}
	wait_reply_json(w, err, 200, json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "zone", q->zone, "from",
					       first, "to", last, "total",
					       u ? sum_json(&u->total) : json_null(), "days", days,
					       "rooms", rooms));
}

ON_THREAD(ROLE_CTL) static void read_usage(struct wait *w)
{
	const struct usage_ask *q = w->usage;

	if (usage_read(w->routes->cfg.db, w->name[0] ? w->name : NULL, q->bounds, q->n,
		       clock_wall_ns() / NS_PER_MS, on_usage, w))
		wait_reply_busy(w);
}

/* NULL: answered and ended. */
ON_THREAD(ROLE_CTL) static struct zone *read_zone(struct wait *w)
{
	const char *name = http_req_query(w->req, "zone");
	struct zone *z = zone_new(name ? name : "UTC");

	if (!z)
		wait_refuse(w, 400, "bad_query", "\"zone\" must be the name of a time zone, like "
			    "Asia/Seoul or UTC.");
	return z;
}

/* False: answered and ended. */
ON_THREAD(ROLE_CTL) static bool read_day(struct wait *w, const char *name, struct zone_day *d)
{
	const char *text = http_req_query(w->req, name);

	if (!text || zone_day_parse(d, text))
		return true;
	wait_refuse(w, 400, "bad_query", "\"%s\" must be a day like 2026-11-21.", name);
	return false;
}

ON_THREAD(ROLE_CTL) static bool read_days(struct wait *w, const struct zone *z)
{
	struct zone_day from, to = zone_day_at(z, clock_wall_ns() / NS_PER_MS);
	const char *name = http_req_query(w->req, "zone");
	struct usage_ask *q;
	int n;

	if (!read_day(w, "to", &to))
		return false;
	from = zone_day_add(to, 1 - DEFAULT_DAYS);
	if (!read_day(w, "from", &from))
		return false;
	n = zone_days_between(from, to) + 1;
	if (n < 1 || n > USAGE_DAYS_MAX) {
		wait_refuse(w, 400, "bad_query", "\"to\" must be a day from \"from\" on, %d days at most.",
			    USAGE_DAYS_MAX);
		return false;
	}
	q = w->usage = calloc(1, sizeof *q);
	if (!q) {
		wait_reply_busy(w);
		return false;
	}
	q->from = from;
	q->n = (size_t)n;
	snprintf(q->zone, sizeof q->zone, "%s", name ? name : "UTC");
	for (int i = 0; i <= n; i++)
		q->bounds[i] = zone_time(z, zone_day_add(from, i), 0);
	return true;
}

/* NULL: answered and ended. */
ON_THREAD(ROLE_CTL) static struct wait *begin(void *ctx, struct http_req *req)
{
	struct wait *w = wait_new(ctx, req);
	struct zone *z = w ? read_zone(w) : NULL;
	bool fine = z && read_days(w, z);

	zone_free(&z);
	return fine ? w : NULL;
}

static void get_statistics(void *ctx, struct http_req *req)
{
	struct wait *w;
	const char *room;

	role_assert_ctl();
	room = http_req_query(req, "room");
	w = begin(ctx, req);
	if (!w)
		return;
	snprintf(w->name, sizeof w->name, "%.*s", DB_NAME_MAX, room ? room : "");
	wait_for_account(w, USER_ADMIN, read_usage);
}

static void get_room_statistics(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = begin(ctx, req);
	if (w && wait_room_name(w))
		wait_for_own_room(w, read_usage);
}

int routes_statistics_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "GET", "/api/v1/statistics", get_statistics, r);

	return err ? err : server_route(s, "GET", "/api/v1/rooms/:room/statistics",
					get_room_statistics, r);
}
