/* What goes by age and by quotas, and what stays. */
#include "storage/link_keys.h"
#include "storage/recording_keep.h"
#include "storage/repository.h"
#include "tests/storage/db_rig.h"

#define DAY 86400000LL
static const int64_t now_ms = 1795219200000; /* 2026-11-21 */

static char plan_text[4096];
static struct keep_plan plan;

static void on_plan(void *obj, int err, const struct keep_plan *p)
{
	struct rig *g = obj;
	size_t len = 0;

	g->replies++;
	g->err = err;
	assert_int_equal(err, 0);
	plan = *p;
	plan_text[0] = '\0';
	for (size_t i = 0; i < p->n && len < sizeof(plan_text) - 64; i++)
		len += (size_t)snprintf(plan_text + len, sizeof(plan_text) - len, "%s%lld %s",
					i ? ", " : "", (long long)p->items[i].id,
					keep_why_name(p->items[i].why));
}

static const char *keep(struct rig *g, struct keep_policy p, bool dry)
{
	p.now_ms = p.now_ms ? p.now_ms : now_ms;
	assert_int_equal(recordings_keep(g->db, &p, dry, on_plan, g), 0);
	wait_replies(g, 1);
	return plan_text;
}

#define PLAN(...) keep(&g, (struct keep_policy){ .trash_days = 7, __VA_ARGS__ }, true)

static void add(struct rig *g, int64_t id, const char *room, int days_ago, int64_t bytes,
		int64_t user, int64_t parent)
{
	struct recording_row r = { .id = id, .state = RECORDING_READY, .bytes = bytes,
				   .started_ms = now_ms - days_ago * DAY, .user_id = user,
				   .parent_id = parent };

	snprintf(r.room, sizeof(r.room), "%s", room);
	snprintf(r.title, sizeof(r.title), "title %d", (int)id);
	assert_int_equal(repository_path(r.path, room, r.started_ms, id), 0);
	assert_int_equal(recording_token(r.token), 0);
	assert_int_equal(recordings_create(g->db, &r, on_recording, g), 0);
	wait_replies(g, 1);
	assert_int_equal(g->err, 0);
}

static int make_users(sqlite3 *conn, void *obj)
{
	(void)obj;
	return db_run(conn, "INSERT INTO users (id, name, password_hash, role, created_ms) VALUES "
		      "(1, 'ana', '', 'host', 0), (2, 'ben', '', 'host', 0)", "");
}

static void open_filled(struct rig *g, const char *name)
{
	rig_open(g, name);
	assert_int_equal(db_call(g->db, make_users, NULL), 0);
	add(g, 1, "a", 50, 100, 1, 0);
	add(g, 2, "a", 40, 100, 1, 0);
	add(g, 3, "b", 30, 100, 1, 0);
	add(g, 4, "b", 20, 100, 2, 0);
	add(g, 5, "b", 10, 100, 0, 0);
	add(g, 6, "b", 10, 50, 0, 5); /* a track */
}

static void age_and_quotas(void **state)
{
	struct recording_change running = { .state = RECORDING_RECORDING };
	const bool yes = true;
	struct recording_edit kept = { .keep = &yes };
	struct rig g;

	(void)state;
	open_filled(&g, "keep.db");
	assert_string_equal(PLAN(), "");
	assert_int_equal(plan.listed_bytes, 550);
	assert_string_equal(PLAN(.keep_days = 35), "1 age, 2 age");
	assert_int_equal(plan.trash_bytes, 200);
	assert_int_equal(plan.purge_bytes, 0);
	assert_string_equal(PLAN(.quota_bytes = 550), "");
	assert_string_equal(PLAN(.quota_bytes = 549), "1 quota");
	assert_string_equal(PLAN(.quota_bytes = 1), "1 quota, 2 quota, 3 quota, 4 quota, 5 quota");
	assert_string_equal(PLAN(.room_quota_bytes = 250), "3 room_quota");
	assert_string_equal(PLAN(.room_quota_bytes = 150), "1 room_quota, 3 room_quota, 4 room_quota");
	assert_string_equal(PLAN(.user_quota_bytes = 200), "1 user_quota");
	/* what goes for one reason counts for the others */
	assert_string_equal(PLAN(.keep_days = 35, .user_quota_bytes = 100, .quota_bytes = 350),
			    "1 age, 2 age");

	assert_int_equal(recordings_edit(g.db, 1, &kept, NULL, NULL), 0);
	assert_int_equal(recordings_update(g.db, 2, &running, NULL, NULL), 0);
	assert_string_equal(PLAN(.keep_days = 15), "3 age, 4 age");
	assert_string_equal(PLAN(.quota_bytes = 1), "3 quota, 4 quota, 5 quota");
	/* a dry run changes nothing */
	assert_int_equal(ask(&g, "SELECT count(*) FROM recordings WHERE deleted_ms IS NULL"), 6);
	rig_close(&g);
}

static struct recording_rules rules;
static void on_rules(void *obj, int err, const struct recording_rules *r)
{
	struct rig *g = obj;

	g->replies++;
	g->err = err;
	if (r)
		rules = *r;
}

static void rooms_have_rules_of_their_own(void **state)
{
	struct recording_rules r = { .keep_days = 15, .quota_bytes = -1, .viewers = "participants" };
	struct rig g;

	(void)state;
	open_filled(&g, "rules.db");
	assert_int_equal(recording_rules_get(g.db, "b", on_rules, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(rules.keep_days, -1);
	assert_int_equal(rules.quota_bytes, -1);
	assert_string_equal(rules.viewers, "");
	assert_int_equal(recording_rules_set(g.db, "b", &r, on_rules, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(rules.keep_days, 15);
	assert_string_equal(rules.viewers, "participants");
	assert_string_equal(PLAN(), "3 age, 4 age");
	assert_string_equal(PLAN(.keep_days = 45), "1 age, 3 age, 4 age");
	r = (struct recording_rules){ .keep_days = 0, .quota_bytes = 200 };
	assert_int_equal(recording_rules_set(g.db, "b", &r, on_rules, &g), 0);
	wait_replies(&g, 1);
	assert_string_equal(PLAN(.keep_days = 15), "1 age, 2 age, 3 room_quota, 4 room_quota");
	r = (struct recording_rules){ .keep_days = -1, .quota_bytes = 0 };
	assert_int_equal(recording_rules_set(g.db, "b", &r, on_rules, &g), 0);
	wait_replies(&g, 1);
	assert_string_equal(PLAN(.room_quota_bytes = 1), "1 room_quota, 2 room_quota");
	assert_int_equal(recording_rules_set(g.db, "nowhere'; --", &r, on_rules, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -ENOENT);
	rig_close(&g);
}

static void the_trash_is_emptied(void **state)
{
	struct rig g;

	(void)state;
	open_filled(&g, "trash.db");
	assert_string_equal(keep(&g, (struct keep_policy){ .keep_days = 5, .trash_days = 7 }, false),
			    "1 age, 2 age, 3 age, 4 age, 5 age");
	assert_int_equal(ask(&g, "SELECT count(*) FROM recordings WHERE deleted_ms IS NOT NULL "
			     "AND deleted_by = 'age'"), 6);
	assert_string_equal(PLAN(), "");
	assert_int_equal(plan.in_trash_bytes, 550);
	assert_string_equal(PLAN(.now_ms = now_ms + 7 * DAY - 1), "");
	/* a track before what it belongs to */
	assert_string_equal(PLAN(.now_ms = now_ms + 7 * DAY),
			    "1 trash_age, 2 trash_age, 3 trash_age, 4 trash_age, 6 trash_age, "
			    "5 trash_age");
	assert_int_equal(plan.purge_bytes, 550);
	assert_string_equal(PLAN(.quota_bytes = 400), "1 trash_quota, 2 trash_quota");
	assert_int_equal(recordings_purge(g.db, 4, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, 0);
	assert_string_equal(PLAN(), "4 trash_age");
	assert_int_equal(recordings_restore(g.db, 4, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -ENOENT);
	assert_int_equal(recordings_restore(g.db, 5, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, 0);
	assert_int_equal(recordings_purge(g.db, 5, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -ENOENT);
	rig_close(&g);
}

/* Between the plan and the end of its file nobody gets it back, nor a track of it. */
static void what_is_planned_to_go_is_not_restored(void **state)
{
	struct rig g;

	(void)state;
	open_filled(&g, "race.db");
	(void)keep(&g, (struct keep_policy){ .keep_days = 5, .trash_days = 7 }, false);
	/* a dry run leaves them in the trash */
	(void)PLAN(.now_ms = now_ms + 7 * DAY);
	assert_int_equal(ask(&g, "SELECT count(*) FROM recordings WHERE deleted_ms > 1"), 6);
	/* all but the recording that the track belongs to */
	assert_string_equal(keep(&g, (struct keep_policy){ .trash_days = 7, .quota_bytes = 100 }, false),
			    "1 trash_quota, 2 trash_quota, 3 trash_quota, 4 trash_quota, "
			    "6 trash_quota");
	assert_int_equal(recordings_restore(g.db, 1, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -ENOENT);
	assert_int_equal(recordings_restore(g.db, 5, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, 0);
	assert_int_equal(ask(&g, "SELECT count(*) FROM recordings WHERE deleted_ms = 1"), 5);
	/* and after a crash they go still */
	assert_string_equal(PLAN(), "1 trash_age, 2 trash_age, 3 trash_age, 4 trash_age, "
			    "6 trash_age");
	assert_int_equal(recordings_forget(g.db, 6, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, 0);
	rig_close(&g);
}

static void nothing_goes_for_good_soon_after_a_start(void **state)
{
	const int64_t hour = 3600 * 1000, year = 365 * DAY;
	struct keep_hold h = { 0 };
	struct rig g;

	(void)state;
	assert_true(keep_hold_look(&h, 50, now_ms));
	assert_true(keep_hold_look(&h, 50 + hour - 1, now_ms + hour - 1));
	assert_false(keep_hold_look(&h, 50 + hour, now_ms + hour));
	/* a clock that is adjusted a little, and one that is set */
	assert_false(keep_hold_look(&h, 50 + 2 * hour, now_ms + 2 * hour + 60000));
	assert_true(keep_hold_look(&h, 60 + 2 * hour, now_ms + 2 * hour + year));
	assert_true(keep_hold_look(&h, 60 + 3 * hour - 1, now_ms + 3 * hour + year - 1));
	assert_true(keep_hold_look(&h, 60 + 3 * hour, now_ms + 3 * hour)); /* and back */
	assert_false(keep_hold_look(&h, 60 + 4 * hour, now_ms + 4 * hour));

	open_filled(&g, "hold.db");
	assert_string_equal(keep(&g, (struct keep_policy){ .keep_days = 25, .trash_days = 7,
							   .hold = true }, false),
			    "1 age, 2 age, 3 age"); /* into the trash it goes */
	assert_string_equal(PLAN(.now_ms = now_ms + 9 * DAY, .hold = true), "");
	assert_string_equal(PLAN(.quota_bytes = 400, .hold = true), "");
	/* what somebody has said of this one is done */
	assert_int_equal(recordings_purge(g.db, 2, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_string_equal(PLAN(.now_ms = now_ms + 9 * DAY, .hold = true), "2 trash_age");
	rig_close(&g);
}

static void more_than_a_plan_can_hold(void **state)
{
	struct rig g;

	(void)state;
	rig_open(&g, "many.db");
	for (int64_t i = 1; i <= KEEP_ITEMS_MAX + 5; i++)
		add(&g, i, "a", 100, 1, 0, 0);
	(void)keep(&g, (struct keep_policy){ .keep_days = 5, .trash_days = 7 }, false);
	assert_int_equal(plan.n, KEEP_ITEMS_MAX);
	assert_int_equal(plan.all, KEEP_ITEMS_MAX + 5);
	assert_int_equal(plan.trash_bytes, KEEP_ITEMS_MAX + 5);
	(void)keep(&g, (struct keep_policy){ .keep_days = 5, .trash_days = 7 }, false);
	assert_int_equal(plan.n, 5);
	rig_close(&g);
}

static char secret[LINK_SECRET_LEN + 1];
static void on_key(void *obj, int err, const char *text)
{
	struct rig *g = obj;

	g->replies++;
	g->err = err;
	snprintf(secret, sizeof(secret), "%s", text);
}

static void the_key_of_links_lasts_until_it_is_renewed(void **state)
{
	char first[LINK_SECRET_LEN + 1], again[LINK_SECRET_LEN + 1];
	struct rig g;

	(void)state;
	rig_open(&g, "links.db");
	assert_int_equal(link_key_load(g.db, first), 0);
	assert_int_equal(strlen(first), LINK_SECRET_LEN);
	rig_close(&g);
	rig_open(&g, "links.db");
	assert_int_equal(link_key_load(g.db, again), 0);
	assert_string_equal(again, first);
	assert_int_equal(link_key_rotate(g.db, on_key, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, 0);
	assert_string_not_equal(secret, first);
	assert_int_equal(link_key_load(g.db, again), 0);
	assert_string_equal(again, secret);
	rig_close(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(age_and_quotas),
		cmocka_unit_test(rooms_have_rules_of_their_own),
		cmocka_unit_test(the_trash_is_emptied),
		cmocka_unit_test(what_is_planned_to_go_is_not_restored),
		cmocka_unit_test(nothing_goes_for_good_soon_after_a_start),
		cmocka_unit_test(more_than_a_plan_can_hold),
		cmocka_unit_test(the_key_of_links_lasts_until_it_is_renewed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
