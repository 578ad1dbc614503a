#include "tests/storage/db_rig.h"

static void rooms_round_trip(void **state)
{
	(void)state;
	static const char *const names[] = {
		"daily", "Robert'); DROP TABLE rooms;--", "\" OR 1=1 --", "회의실", "会議室 ½",
		"%s%n_%", "a\nb\tc", "'", "?1",
	};
	const size_t n = sizeof(names) / sizeof(*names);
	struct rig g;

	rig_open(&g, "rooms.db");
	for (size_t i = 0; i < n; i++)
		assert_int_equal(rooms_upsert(g.db, names[i], names[n - 1 - i],
					      "{\"pin\":\"'1\"}", on_room, &g), 0);
	wait_replies(&g, (int)n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(rooms_find(g.db, names[i], on_room, &g), 0);
		wait_replies(&g, 1);
		assert_int_equal(g.err, 0);
		assert_string_equal(g.room.name, names[i]);
		assert_string_equal(g.room.title, names[n - 1 - i]);
		assert_string_equal(g.settings, "{\"pin\":\"'1\"}");
		assert_true(g.room.created_ms > 1700000000000);
	}
	assert_int_equal(ask(&g, "SELECT count(*) FROM rooms"), n);
	int64_t id = g.room.id;

	/* NULL leaves as it is */
	assert_int_equal(rooms_upsert(g.db, "?1", NULL, NULL, on_room, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.room.id, id);
	assert_string_equal(g.settings, "{\"pin\":\"'1\"}");
	assert_int_equal(rooms_upsert(g.db, "?1", "new", NULL, on_room, &g), 0);
	wait_replies(&g, 1);
	assert_string_equal(g.room.title, "new");

	assert_int_equal(rooms_find(g.db, "nowhere", on_room, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -ENOENT);
	assert_int_equal(rooms_upsert(g.db, "bad", NULL, "{not json", on_room, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -EINVAL);
	char longer[DB_NAME_MAX + 2];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(rooms_find(g.db, longer, on_room, &g), -EINVAL);
	assert_int_equal(rooms_find(g.db, "", on_room, &g), -EINVAL);
	rig_close(&g);
}

static void sessions_and_participants(void **state)
{
	(void)state;
	struct rig g;
	int64_t s, p1, p2;

	rig_open(&g, "sessions.db");
	s = db_new_id();
	p1 = db_new_id();
	p2 = db_new_id();
	assert_true(s > 0 && p1 > s && p2 > p1 && p2 < 1LL << 53);
	assert_int_equal(sessions_begin(g.db, s, "room'", 1000, on_session, &g), 0);
	assert_int_equal(sessions_participant_joined(g.db, p1, s, 7, "A; --", 0, 1001, NULL, NULL),
			 0);
	assert_int_equal(sessions_participant_joined(g.db, p2, s, 8, "B", 0, 1002, on_session, &g),
			 0);
	wait_replies(&g, 2);
	assert_int_equal(g.err, 0);
	assert_int_equal(g.id, p2);
	assert_int_equal(sessions_participant_left(g.db, p1, 2000, "lost", on_session, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, 0);
	assert_int_equal(sessions_participant_left(g.db, p1, 2001, "left", on_session, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -ENOENT); /* only once */
	assert_int_equal(sessions_end(g.db, s, 3000, "empty", on_session, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(ask(&g, "SELECT left_ms FROM participants WHERE leg = 7"), 2000);
	assert_int_equal(ask(&g, "SELECT left_ms FROM participants WHERE leg = 8 AND "
				 "leave_reason = 'empty' AND user_id IS NULL"), 3000);
	assert_int_equal(ask(&g, "SELECT ended_ms FROM sessions WHERE end_reason = 'empty'"), 3000);
	assert_int_equal(ask(&g, "SELECT count(*) FROM participants WHERE name = 'A; --'"), 1);

	/* constraints: unknown session, unknown user, id taken */
	assert_int_equal(sessions_participant_joined(g.db, db_new_id(), 99, 1, "C", 0, 1,
						     on_session, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -EINVAL);
	assert_int_equal(sessions_participant_joined(g.db, db_new_id(), s, 1, "C", 99, 1,
						     on_session, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -EINVAL);
	assert_int_equal(sessions_begin(g.db, s, "other", 1, on_session, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -EEXIST);
	/* and a failed begin leaves nothing behind */
	assert_int_equal(ask(&g, "SELECT count(*) FROM rooms WHERE name = 'other'"), 0);
	rig_close(&g);
}

static struct recording_row recording(const char *room, const char *path)
{
	struct recording_row r = { .id = db_new_id(), .state = RECORDING_RECORDING,
				   .started_ms = 5000, .width = 1280, .height = 720 };

	snprintf(r.room, sizeof(r.room), "%s", room);
	snprintf(r.path, sizeof(r.path), "%s", path);
	snprintf(r.by, sizeof(r.by), "%s", "Ada");
	assert_int_equal(recording_token(r.token), 0);
	return r;
}

static void recordings_round_trip(void **state)
{
	(void)state;
	struct rig g;
	struct recording_row a = recording("one", "recordings/a.mp4");
	struct recording_row b = recording("two", "recordings/b.mp4");
	struct recording_row same = recording("two", "recordings/b.mp4");
	struct recording_change c = { .state = RECORDING_READY, .ended_ms = 9000,
				      .duration_ms = 4000, .bytes = 1LL << 40 };

	assert_string_not_equal(a.token, b.token);
	rig_open(&g, "rec.db");
	assert_int_equal(recordings_create(g.db, &a, on_recording, &g), 0);
	assert_int_equal(recordings_create(g.db, &b, on_recording, &g), 0);
	wait_replies(&g, 2);
	assert_int_equal(g.err, 0);
	assert_string_equal(g.rec[0].room, "two");
	assert_true(g.rec[0].room_id > 0);
	assert_int_equal(g.rec[0].session_id, 0);
	assert_int_equal(recordings_create(g.db, &same, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -EEXIST);
	a.session_id = 12345;
	a.id = db_new_id();
	snprintf(a.path, sizeof(a.path), "x");
	assert_int_equal(recordings_create(g.db, &a, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -EEXIST); /* the token */

	assert_int_equal(recordings_update(g.db, b.id, &c, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.rec[0].state, RECORDING_READY);
	assert_int_equal(g.rec[0].bytes, 1LL << 40);
	assert_int_equal(g.rec[0].duration_ms, 4000);
	assert_string_equal(g.rec[0].by, "Ada");
	c = (struct recording_change){ .state = RECORDING_FAILED, .error = "The disk is full." };
	assert_int_equal(recordings_update(g.db, b.id, &c, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.rec[0].state, RECORDING_FAILED);
	assert_string_equal(g.rec[0].error, "The disk is full.");
	assert_int_equal(g.rec[0].ended_ms, 9000);
	assert_int_equal(recordings_update(g.db, 1, &c, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -ENOENT);
	rig_close(&g);
}

static void recordings_are_found_and_listed(void **state)
{
	(void)state;
	struct rig g;
	struct recording_row a = recording("one", "recordings/a.mp4");
	struct recording_row b = recording("two", "recordings/b.mp4");

	rig_open(&g, "find.db");
	assert_int_equal(recordings_create(g.db, &a, NULL, NULL), 0);
	assert_int_equal(recordings_create(g.db, &b, NULL, NULL), 0);
	assert_int_equal(recordings_get(g.db, b.id, b.token, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, 0);
	assert_string_equal(g.rec[0].path, "recordings/b.mp4");
	const char *wrong[] = { "", "0", a.token, "' OR 1=1 --",
				"00000000000000000000000000000000000000000000000000" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(recordings_get(g.db, b.id, wrong[i], on_recording, &g), 0);
		wait_replies(&g, 1);
		assert_int_equal(g.err, -ENOENT);
	}
	assert_int_equal(recordings_get(g.db, b.id, NULL, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, 0);

	assert_int_equal(recordings_list(g.db, NULL, 0, 8, on_list, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.n, 2);
	assert_int_equal(g.rec[0].id, b.id);
	assert_int_equal(recordings_list(g.db, NULL, b.id, 8, on_list, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.n, 1);
	assert_int_equal(recordings_list(g.db, "two", 0, 8, on_list, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.n, 1);
	assert_int_equal(recordings_list(g.db, "' OR ''='", 0, 8, on_list, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.n, 0);
	assert_int_equal(recordings_list(g.db, NULL, 0, 0, on_list, &g), -EINVAL);
	rig_close(&g);
}

static void users_and_passwords(void **state)
{
	(void)state;
	struct rig g;
	char password[FIRST_ADMIN_PASSWORD_LEN + 1], hash[PASSWORD_HASH_MAX];
	struct errmsg why = { 0 };

	rig_open(&g, "users.db");
	assert_int_equal(users_first_admin(g.db, password, &why), 1);
	assert_int_equal(strlen(password), FIRST_ADMIN_PASSWORD_LEN);
	assert_int_equal(users_find(g.db, "admin", on_user, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.user.role, USER_ADMIN);
	assert_non_null(strstr(g.user.password_hash, "$argon2id$v=19$m=65536,t=3,p=1$"));
	assert_int_equal(password_check(g.user.password_hash, password), 0);
	password[3] ^= 1;
	assert_int_equal(password_check(g.user.password_hash, password), -EACCES);
	assert_int_equal(password_check(g.user.password_hash, ""), -EACCES);
	assert_int_equal(password_check("plain", "plain"), -EINVAL);
	assert_int_equal(users_first_admin(g.db, password, &why), 0);
	assert_string_equal(password, "");

	assert_int_equal(password_hash(hash, "pässwort"), 0);
	assert_int_equal(password_hash(hash, ""), -EINVAL);
	assert_int_equal(users_create(g.db, "o'neil", hash, USER_HOST, on_user, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, 0);
	assert_int_equal(users_create(g.db, "o'neil", hash, USER_HOST, on_user, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -EEXIST);
	assert_int_equal(users_create(g.db, "x", "secret", USER_HOST, on_user, &g), -EINVAL);
	rig_close(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rooms_round_trip),
		cmocka_unit_test(sessions_and_participants),
		cmocka_unit_test(recordings_round_trip),
		cmocka_unit_test(recordings_are_found_and_listed),
		cmocka_unit_test(users_and_passwords),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
