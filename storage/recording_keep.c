#include "storage/recording_keep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "storage/db_request.h"

#define DAY_MS (24LL * 3600 * 1000)

struct keep_request {
	struct db_request base;
	keep_plan_cb *cb;
	recording_rules_cb *rules_cb;
	struct keep_policy policy;
	bool dry;
	char room[DB_NAME_MAX + 1];
	struct recording_rules rules;
	struct keep_item *items;
	struct keep_plan plan;
};

const char *keep_why_name(enum keep_why w)
{
	static const char *const names[] = {
		[KEEP_AGE] = "age",		  [KEEP_ROOM_QUOTA] = "room_quota",
		[KEEP_USER_QUOTA] = "user_quota", [KEEP_QUOTA] = "quota",
		[KEEP_TRASH_AGE] = "trash_age",	  [KEEP_TRASH_QUOTA] = "trash_quota",
	};

	return w >= KEEP_AGE && w <= KEEP_TRASH_QUOTA ? names[w] : "none";
}

bool keep_hold_look(struct keep_hold *h, int64_t monotonic_ms, int64_t wall_ms)
{
	int64_t jump = wall_ms - h->wall_ms - (monotonic_ms - h->monotonic_ms);

	if (!h->looked || jump > KEEP_JUMP_MS || jump < -KEEP_JUMP_MS)
		h->until_ms = monotonic_ms + KEEP_HOLD_MS;
	h->looked = true;
	h->monotonic_ms = monotonic_ms;
	h->wall_ms = wall_ms;
	return monotonic_ms < h->until_ms;
}

/* What is listed of a room or a user. */
struct total {
	int64_t id, bytes;
};

static int64_t *total_of(GHashTable *totals, int64_t id)
{
	struct total *t = g_hash_table_lookup(totals, &id);

	if (!t) {
		t = g_new0(struct total, 1);
		t->id = id;
		g_hash_table_insert(totals, &t->id, t);
	}
	return &t->bytes;
}

/* One recording with its tracks, as the walk sees it. */
struct listed {
	int64_t id, room_id, user_id, bytes, started_ms, keep_days, room_quota;
	bool stays; /* marked, or running */
};

#define LISTED                                                                              \
	"SELECT r.id, r.room_id, r.user_id, r.bytes + coalesce((SELECT sum(t.bytes) FROM "  \
	"recordings t WHERE t.parent_id = r.id), 0), r.started_ms, "                        \
	"coalesce(u.keep_days, ?1), coalesce(u.quota_bytes, ?2), "                          \
	"r.keep OR r.state IN ('recording', 'finishing') FROM recordings r "                \
	"LEFT JOIN recording_rules u ON u.room_id = r.room_id "                             \
	"WHERE r.deleted_ms IS NULL AND r.parent_id IS NULL ORDER BY r.started_ms, r.id"

static int read_listed(sqlite3 *conn, const struct keep_policy *p, GArray *out)
{
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_DONE;
	int err = db_prepare(conn, &st, LISTED, "ii", (int64_t)p->keep_days, p->room_quota_bytes);

	while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct listed l = {
			.id = sqlite3_column_int64(st, 0),
			.room_id = sqlite3_column_int64(st, 1),
			.user_id = sqlite3_column_int64(st, 2),
			.bytes = sqlite3_column_int64(st, 3),
			.started_ms = sqlite3_column_int64(st, 4),
			.keep_days = sqlite3_column_int64(st, 5),
			.room_quota = sqlite3_column_int64(st, 6),
			.stays = sqlite3_column_int(st, 7) != 0,
		};

		g_array_append_val(out, l);
	}
	if (!err)
		err = db_errno(conn, rc);
	sqlite3_finalize(st);
	return err;
}

static void add_item(struct keep_request *r, const struct keep_item *item)
{
	if (r->plan.n < KEEP_ITEMS_MAX)
		r->items[r->plan.n++] = *item;
	r->plan.all++;
	if (item->why >= KEEP_TRASH_AGE)
		r->plan.purge_bytes += item->bytes;
	else
		r->plan.trash_bytes += item->bytes;
}

/* Into the trash: from the oldest on, as long as something is too old or too much. */
static int plan_trash(sqlite3 *conn, struct keep_request *r)
{
	const struct keep_policy *p = &r->policy;
	GHashTable *rooms = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
	GHashTable *users = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
	GArray *all = g_array_new(FALSE, FALSE, sizeof(struct listed));
	int err = read_listed(conn, p, all);
	int64_t left = 0;

	for (guint i = 0; !err && i < all->len; i++) {
		const struct listed *l = &g_array_index(all, struct listed, i);

		left += l->bytes;
		*total_of(rooms, l->room_id) += l->bytes;
		*total_of(users, l->user_id) += l->bytes;
	}
	r->plan.listed_bytes = left;
	for (guint i = 0; !err && i < all->len; i++) {
		const struct listed *l = &g_array_index(all, struct listed, i);
		int64_t *room = total_of(rooms, l->room_id), *user = total_of(users, l->user_id);
		struct keep_item item = { .id = l->id, .started_ms = l->started_ms,
					  .bytes = l->bytes };

		if (l->stays)
			continue;
		if (l->keep_days && l->started_ms < p->now_ms - l->keep_days * DAY_MS)
			item.why = KEEP_AGE;
		else if (l->room_id && l->room_quota && *room > l->room_quota)
			item.why = KEEP_ROOM_QUOTA;
		else if (l->user_id && p->user_quota_bytes && *user > p->user_quota_bytes)
			item.why = KEEP_USER_QUOTA;
		else if (p->quota_bytes && left > p->quota_bytes)
			item.why = KEEP_QUOTA;
		else
			continue;
		left -= l->bytes;
		*room -= l->bytes;
		*user -= l->bytes;
		add_item(r, &item);
	}
	g_array_unref(all);
	g_hash_table_destroy(rooms);
	g_hash_table_destroy(users);
	return err;
}

/* For good: what has been in the trash long enough, and the oldest there of too much. */
static int plan_purge(sqlite3 *conn, struct keep_request *r)
{
	const struct keep_policy *p = &r->policy;
	int64_t all = r->plan.listed_bytes - r->plan.trash_bytes, in_trash = 0;
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_DONE;
	int err = db_query_int(conn, &in_trash,
			       "SELECT coalesce(sum(bytes), 0) FROM recordings "
			       "WHERE deleted_ms IS NOT NULL", "");

	r->plan.in_trash_bytes = in_trash;
	all += in_trash + r->plan.trash_bytes;
	if (!err)
		err = db_prepare(conn, &st,
				 "SELECT id, started_ms, bytes, deleted_ms, path FROM recordings "
				 "WHERE deleted_ms IS NOT NULL "
				 "ORDER BY deleted_ms, coalesce(parent_id, id), parent_id IS NULL", "");
	while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct keep_item item = { .id = sqlite3_column_int64(st, 0),
					  .started_ms = sqlite3_column_int64(st, 1),
					  .bytes = sqlite3_column_int64(st, 2) };

		if (sqlite3_column_int64(st, 3) == RECORDING_PURGED_MS)
			item.why = KEEP_TRASH_AGE;
		else if (p->hold)
			continue;
		else if (sqlite3_column_int64(st, 3) <= p->now_ms - p->trash_days * DAY_MS)
			item.why = KEEP_TRASH_AGE;
		else if (p->quota_bytes && all > p->quota_bytes)
			item.why = KEEP_TRASH_QUOTA;
		else
			continue;
		all -= item.bytes;
		db_column_text(st, 4, item.path, sizeof(item.path));
		add_item(r, &item);
	}
	if (!err)
		err = db_errno(conn, rc);
	sqlite3_finalize(st);
	return err;
}

static int name_item(sqlite3 *conn, struct keep_item *item)
{
	sqlite3_stmt *st = NULL;
	int err = db_prepare(conn, &st,
			     "SELECT coalesce(m.name, ''), r.title FROM recordings r "
			     "LEFT JOIN rooms m ON m.id = r.room_id WHERE r.id = ?", "i", item->id);

	if (!err && sqlite3_step(st) == SQLITE_ROW) {
		db_column_text(st, 0, item->room, sizeof(item->room));
		db_column_text(st, 1, item->title, sizeof(item->title));
	}
	sqlite3_finalize(st);
	return err;
}

/* What goes for good is marked so with the plan that says it: it takes a while until its
 * file's turn comes, and whoever restored it in between would be told that he has it. */
static int move_item(sqlite3 *conn, const struct keep_item *item, int64_t now_ms)
{
	if (item->why >= KEEP_TRASH_AGE)
		return db_run(conn,
			      "UPDATE recordings SET deleted_ms = ? "
			      "WHERE id = ? AND deleted_ms IS NOT NULL", "ii",
			      (int64_t)RECORDING_PURGED_MS, item->id);
	return db_run(conn,
		      "UPDATE recordings SET deleted_ms = ?, deleted_by = ? "
		      "WHERE (id = ? OR parent_id = ?) AND deleted_ms IS NULL", "itii", now_ms,
		      keep_why_name(item->why), item->id, item->id);
}

static int run_keep(sqlite3 *conn, struct db_request *base)
{
	struct keep_request *r = (struct keep_request *)base;
	int err = 0;

	r->items = calloc(KEEP_ITEMS_MAX, sizeof(*r->items));
	if (!r->items)
		return -ENOMEM;
	r->plan.items = r->items;
	err = plan_trash(conn, r);
	if (!err)
		err = plan_purge(conn, r);
	for (size_t i = 0; !err && i < r->plan.n; i++)
		err = name_item(conn, &r->items[i]);
	if (err || r->dry)
		return err;
	err = db_begin(conn);
	for (size_t i = 0; !err && i < r->plan.n; i++)
		err = move_item(conn, &r->items[i], r->policy.now_ms);
	return db_end(conn, err);
}

static void reply_plan(struct db_request *base)
{
	struct keep_request *r = (struct keep_request *)base;

	r->cb(base->obj, base->err, base->err ? NULL : &r->plan);
}

static void clear(struct db_request *base)
{
	free(((struct keep_request *)base)->items);
}

int recordings_keep(struct db *db, const struct keep_policy *policy, bool dry, keep_plan_cb *cb,
		    void *obj)
{
	struct keep_request *r = db_request_new(sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->base = (struct db_request){ .what = "tidy up recordings", .run = run_keep,
				       .reply = reply_plan, .clear = clear, .obj = obj };
	r->cb = cb;
	r->policy = *policy;
	r->dry = dry;
	return db_request_post(db, &r->base);
}

/* --- what rooms say ------------------------------------------------------------ */

static int run_rules_get(sqlite3 *conn, struct db_request *base)
{
	struct keep_request *r = (struct keep_request *)base;
	sqlite3_stmt *st = NULL;
	int err = db_prepare(conn, &st,
			     "SELECT coalesce(u.keep_days, -1), coalesce(u.quota_bytes, -1), "
			     "coalesce(u.viewers, '') FROM rooms m LEFT JOIN recording_rules u "
			     "ON u.room_id = m.id WHERE m.name = ?", "t", r->room);

	if (err)
		return err;
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW) {
		r->rules.keep_days = sqlite3_column_int64(st, 0);
		r->rules.quota_bytes = sqlite3_column_int64(st, 1);
		db_column_text(st, 2, r->rules.viewers, sizeof(r->rules.viewers));
	}
	err = rc == SQLITE_DONE ? -ENOENT : db_errno(conn, rc);
	sqlite3_finalize(st);
	return err;
}

static int run_rules_set(sqlite3 *conn, struct db_request *base)
{
	struct keep_request *r = (struct keep_request *)base;
	int err = db_run(conn,
			 "INSERT INTO recording_rules (room_id, keep_days, quota_bytes, viewers) "
			 "SELECT id, nullif(?2, -1), nullif(?3, -1), ?4 FROM rooms WHERE name = ?1 "
			 "ON CONFLICT (room_id) DO UPDATE SET keep_days = excluded.keep_days, "
			 "quota_bytes = excluded.quota_bytes, viewers = excluded.viewers",
			 "tiit", r->room, r->rules.keep_days, r->rules.quota_bytes,
			 r->rules.viewers);

	return err ? err : run_rules_get(conn, base);
}

static void reply_rules(struct db_request *base)
{
	struct keep_request *r = (struct keep_request *)base;

	r->rules_cb(base->obj, base->err, base->err ? NULL : &r->rules);
}

static int post_rules(struct db *db, const char *room, const struct recording_rules *rules,
		      recording_rules_cb *cb, void *obj)
{
	struct keep_request *r = db_request_new(sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->base = (struct db_request){ .what = "deal with a room's recordings",
				       .run = rules ? run_rules_set : run_rules_get,
				       .reply = reply_rules, .obj = obj };
	r->rules_cb = cb;
	if (rules)
		r->rules = *rules;
	if (!db_copy_text(r->room, sizeof(r->room), room)) {
		db_request_free(&r->base);
		return -EINVAL;
	}
	return db_request_post(db, &r->base);
}

int recording_rules_get(struct db *db, const char *room, recording_rules_cb *cb, void *obj)
{
	return post_rules(db, room, NULL, cb, obj);
}

int recording_rules_set(struct db *db, const char *room, const struct recording_rules *rules,
			recording_rules_cb *cb, void *obj)
{
	return post_rules(db, room, rules, cb, obj);
}
