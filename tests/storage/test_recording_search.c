/* Who finds which recordings by what. */
#include "storage/chat.h"
#include "storage/recording_search.h"
#include "storage/repository.h"
#include "tests/storage/db_rig.h"

#define DAY 86400000LL
static const int64_t nov_1 = 1793491200000; /* 2026-11-01 */

static struct recording_hit hits[RECORDING_LIST_MAX];
static const struct recording_viewer admin = { .everything = true };

static void on_hits(void *obj, int err, const struct recording_hit *found, size_t n)
{
	struct rig *g = obj;

	g->replies++;
	g->err = err;
	g->n = n;
	if (n)
		memcpy(hits, found, n * sizeof(*hits));
}

/* Ids of what is found, the newest first: "12 7 3". */
static const char *search(struct rig *g, struct recording_query q)
{
	static char ids[512];
	size_t len = 0;

	q.limit = q.limit ? q.limit : 10;
	assert_int_equal(recording_search(g->db, &q, on_hits, g), 0);
	wait_replies(g, 1);
	assert_int_equal(g->err, 0);
	ids[0] = '\0';
	for (size_t i = 0; i < g->n; i++)
		len += (size_t)snprintf(ids + len, sizeof(ids) - len, "%s%lld", i ? " " : "",
					(long long)hits[i].row.id);
	return ids;
}

#define SEARCH(...) search(&g, (struct recording_query){ .viewer = admin, __VA_ARGS__ })

static void add(struct rig *g, int64_t id, const char *room, int64_t session, const char *title,
		const char *tags, int64_t started_ms)
{
	struct recording_row r = { .id = id, .session_id = session, .state = RECORDING_READY,
				   .started_ms = started_ms, .ended_ms = started_ms + 1000 };

	snprintf(r.room, sizeof(r.room), "%s", room);
	snprintf(r.title, sizeof(r.title), "%s", title);
	snprintf(r.tags, sizeof(r.tags), "%s", tags);
	assert_int_equal(repository_path(r.path, room, started_ms, id), 0);
	assert_int_equal(recording_token(r.token), 0);
	assert_int_equal(recordings_create(g->db, &r, on_recording, g), 0);
	wait_replies(g, 1);
	assert_int_equal(g->err, 0);
}

static void say(struct rig *g, int64_t session, int64_t at_ms, uint32_t to, const char *text)
{
	struct chat_row c = { .id = db_new_id(), .session_id = session, .at_ms = at_ms, .leg = 1,
			      .to_leg = to, .name = "Ana", .text = text };

	assert_int_equal(chat_add(g->db, &c), 0);
}

static void join(struct rig *g, int64_t session, const char *name, int64_t user, int64_t from_ms,
		 int64_t until_ms)
{
	int64_t id = db_new_id();

	assert_int_equal(sessions_participant_joined(g->db, id, session, 1, name, user, from_ms,
						     NULL, NULL), 0);
	if (until_ms)
		assert_int_equal(sessions_participant_left(g->db, id, until_ms, "left", NULL, NULL),
				 0);
}

static void open_with_words(struct rig *to)
{
	struct rig g;

	rig_open(&g, "words.db");
	assert_int_equal(sessions_begin(g.db, 100, "algebra", nov_1 - 5000, NULL, NULL), 0);
	add(&g, 1, "algebra", 100, "Vectors: an introduction", "maths\nyear 2", nov_1);
	add(&g, 2, "회의실", 0, "주간 회의 3월", "회의록", nov_1 + DAY);
	add(&g, 3, "Robert'); DROP TABLE recordings;--", 0, "\" OR 1=1 --", "", nov_1 + 2 * DAY);
	join(&g, 100, "김민지", 0, nov_1 - 1000, 0);
	join(&g, 100, "Lukas Brandt", 0, nov_1 - 4000, nov_1 - 2000); /* left before */
	join(&g, 100, "María Ôzil", 0, nov_1 + 500, nov_1 + 600);
	say(&g, 100, nov_1 + 10, 0, "The homework: 교과서 42쪽, exercise seven");
	say(&g, 100, nov_1 + 20, 7, "psst: secret");
	say(&g, 100, nov_1 - 20, 0, "too early");
	say(&g, 100, nov_1 + 2000, 0, "too late");
	*to = g;
}

static void words_are_found_where_they_are(void **state)
{
	struct rig g;

	(void)state;
	open_with_words(&g);
	assert_string_equal(SEARCH(), "3 2 1");
	assert_string_equal(SEARCH(.text = "vectors"), "1");
	assert_string_equal(SEARCH(.text = "INTRO vec"), "1");
	assert_string_equal(SEARCH(.text = "ectors"), "");
	assert_string_equal(SEARCH(.text = "algebra"), "1");
	assert_string_equal(SEARCH(.text = "maths homework"), "1");
	assert_string_equal(SEARCH(.text = "maths nothing"), "");
	assert_string_equal(SEARCH(.text = "교과서"), "1");
	assert_string_equal(SEARCH(.text = "과서"), "1");
	assert_string_equal(SEARCH(.text = "회의"), "2");
	assert_string_equal(SEARCH(.text = "회"), "2");
	assert_string_equal(SEARCH(.text = "의실"), "2");
	assert_string_equal(SEARCH(.text = "3월"), "2");
	assert_string_equal(SEARCH(.text = "민지"), "1");
	assert_string_equal(SEARCH(.text = "maria ozil"), "1");
	assert_string_equal(SEARCH(.text = "secret"), "");
	assert_string_equal(SEARCH(.text = "early"), "");
	assert_string_equal(SEARCH(.text = "late"), "");
	assert_string_equal(SEARCH(.text = "lukas"), "");
	/* the index's own keys are not words, and its language is not spoken */
	assert_string_equal(SEARCH(.text = "y2026"), "");
	assert_string_equal(SEARCH(.text = "keys:y2026"), "");
	assert_string_equal(SEARCH(.text = "vectors OR 회의"), "");
	assert_string_equal(SEARCH(.text = "NOT \"*"), "");
	assert_string_equal(SEARCH(.text = "\" OR 1=1 --"), "3");
	assert_string_equal(SEARCH(.text = "DROP TABLE"), "3");
	assert_string_equal(SEARCH(.text = " ,;' "), "3 2 1");

	assert_string_equal(SEARCH(.person = "minji"), "");
	assert_string_equal(SEARCH(.person = "김"), "1");
	assert_string_equal(SEARCH(.person = "vectors"), "");
	assert_string_equal(SEARCH(.person = "김", .text = "vectors"), "1");
	assert_string_equal(SEARCH(.room = "회의실"), "2");
	assert_string_equal(SEARCH(.room = "회의"), "");
	assert_string_equal(SEARCH(.room = "Robert'); DROP TABLE recordings;--"), "3");
	assert_string_equal(SEARCH(.room = "algebra", .text = "회의"), "");
	assert_string_equal(SEARCH(.tag = "maths"), "1");
	assert_string_equal(SEARCH(.tag = "year 2"), "1");
	assert_string_equal(SEARCH(.tag = "year"), "");
	assert_string_equal(SEARCH(.tag = "maths\nyear 2"), "1");
	assert_string_equal(SEARCH(.tag = "%"), "");

	(void)SEARCH(.text = "vectors");
	assert_string_equal(hits[0].row.people, "김민지\nMaría Ôzil");
	assert_string_equal(hits[0].row.room, "algebra");
	rig_close(&g);
}

static void dates_and_pages(void **state)
{
	struct recording_query q = { .viewer = admin };
	struct rig g;

	(void)state;
	rig_open(&g, "dates.db");
	for (int64_t i = 0; i < 24; i++)
		add(&g, 100 - i, i % 2 ? "odd" : "even", 0, "class", "", nov_1 - i * 40 * DAY);
	assert_string_equal(SEARCH(.limit = 3), "100 99 98");
	assert_string_equal(SEARCH(.limit = 3, .before = 98), "97 96 95");
	assert_string_equal(SEARCH(.limit = 3, .text = "class", .before = 98), "97 96 95");
	assert_string_equal(SEARCH(.limit = 3, .text = "class", .room = "odd", .before = 98), "97 95 93");
	assert_string_equal(SEARCH(.from_ms = nov_1), "100");
	assert_string_equal(SEARCH(.from_ms = nov_1 + 1), "");
	assert_string_equal(SEARCH(.until_ms = nov_1 - 22 * 40 * DAY), "77");
	assert_string_equal(SEARCH(.from_ms = nov_1 - 3 * 40 * DAY, .until_ms = nov_1), "99 98 97");
	assert_string_equal(SEARCH(.from_ms = nov_1 - 20 * 40 * DAY, .until_ms = nov_1 - 700 * DAY,
				   .text = "class"), "82 81 80");
	assert_string_equal(SEARCH(.from_ms = nov_1, .until_ms = nov_1 - DAY), "");

	q.limit = 0;
	assert_int_equal(recording_search(g.db, &q, on_hits, &g), -EINVAL);
	q.limit = RECORDING_LIST_MAX + 1;
	assert_int_equal(recording_search(g.db, &q, on_hits, &g), -EINVAL);
	q.limit = 1;
	q.text = "a b c d e f g h i j k l m n o p q r";
	assert_int_equal(recording_search(g.db, &q, on_hits, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -E2BIG);
	rig_close(&g);
}

static int make_people(sqlite3 *conn, void *obj)
{
	(void)obj;
	return db_errno(conn, sqlite3_exec(conn,
		"INSERT INTO users (id, name, password_hash, role, created_ms) VALUES"
		" (1, 'owner', '', 'host', 0), (2, 'host', '', 'participant', 0),"
		" (3, 'pupil', '', 'participant', 0), (4, 'stranger', '', 'host', 0),"
		" (5, 'starter', '', 'participant', 0);"
		"UPDATE rooms SET owner_id = 1, registered = 1 WHERE name = 'mine';"
		"INSERT INTO participants (id, session_id, leg, name, joined_ms, left_ms, user_id,"
		" host) VALUES (1, 100, 1, 'Host', 0, NULL, 2, 1), (2, 100, 2, 'Pupil', 0, NULL, 3, 0),"
		" (3, 100, 3, 'Stranger', 0, 5, 4, 1);" /* gone before it began */
		"UPDATE recordings SET user_id = 5 WHERE id = 11;", NULL, NULL, NULL));
}

static int set_viewers(sqlite3 *conn, void *viewers)
{
	return db_run(conn, "INSERT INTO recording_rules (room_id, viewers) SELECT id, ? FROM rooms "
		      "WHERE name = 'mine' ON CONFLICT DO UPDATE SET viewers = excluded.viewers",
		      "t", (const char *)viewers);
}

static const char *seen_by(struct rig *g, int64_t user, bool participants, const char *text)
{
	struct recording_viewer v = { .user_id = user, .participants = participants };

	return search(g, (struct recording_query){ .viewer = v, .text = text });
}

/* "see", "manage", or "" */
static const char *right_of(struct rig *g, int64_t user, bool participants, int64_t id)
{
	struct recording_viewer v = { .user_id = user, .participants = participants };

	assert_int_equal(recording_open(g->db, id, &v, on_hits, g), 0);
	wait_replies(g, 1);
	if (g->err == -ENOENT)
		return "";
	assert_int_equal(g->err, 0);
	assert_int_equal(g->n, 1);
	return hits[0].manage ? "manage" : "see";
}

static void people_see_what_is_theirs(void **state)
{
	struct rig g;

	(void)state;
	rig_open(&g, "people.db");
	assert_int_equal(sessions_begin(g.db, 100, "mine", nov_1 - 5000, NULL, NULL), 0);
	add(&g, 10, "mine", 100, "one", "", nov_1);
	add(&g, 11, "other", 0, "one", "", nov_1);
	add(&g, 12, "mine", 0, "two", "", nov_1);
	assert_int_equal(db_call(g.db, make_people, NULL), 0);

	assert_string_equal(seen_by(&g, 1, false, NULL), "12 10");
	assert_string_equal(seen_by(&g, 1, false, "one"), "10");
	assert_string_equal(seen_by(&g, 2, false, NULL), "10");
	assert_string_equal(seen_by(&g, 3, false, NULL), "");
	assert_string_equal(seen_by(&g, 3, true, NULL), "10");
	assert_string_equal(seen_by(&g, 4, true, NULL), "");
	assert_string_equal(seen_by(&g, 5, false, NULL), "11");
	assert_string_equal(seen_by(&g, 0, true, NULL), "");
	assert_string_equal(right_of(&g, 1, false, 10), "manage");
	assert_string_equal(right_of(&g, 2, false, 10), "manage");
	assert_string_equal(right_of(&g, 3, false, 10), "");
	assert_string_equal(right_of(&g, 3, true, 10), "see");
	assert_string_equal(right_of(&g, 4, true, 10), "");
	assert_string_equal(right_of(&g, 5, true, 11), "manage");
	assert_string_equal(right_of(&g, 5, true, 4711), "");

	/* what the room says goes before what the server says */
	assert_int_equal(db_call(g.db, set_viewers, (void *)"participants"), 0);
	assert_string_equal(seen_by(&g, 3, false, NULL), "10");
	assert_int_equal(db_call(g.db, set_viewers, (void *)"hosts"), 0);
	assert_string_equal(seen_by(&g, 3, true, NULL), "");
	assert_string_equal(seen_by(&g, 2, true, NULL), "10");
	rig_close(&g);
}

static void on_index(void *obj, int err, bool done)
{
	struct rig *g = obj;

	g->replies++;
	g->err = err;
	g->id = done;
}

static void the_index_follows_what_changes(void **state)
{
	struct recording_edit e = { .title = "Rings and fields", .tags = "maths" };
	struct rig g;

	(void)state;
	rig_open(&g, "index.db");
	assert_int_equal(sessions_begin(g.db, 100, "algebra", nov_1, NULL, NULL), 0);
	add(&g, 1, "algebra", 100, "Vectors", "", nov_1);
	assert_string_equal(SEARCH(.text = "vectors"), "1");
	assert_int_equal(recordings_edit(g.db, 1, &e, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_string_equal(g.rec[0].title, "Rings and fields");
	assert_string_equal(SEARCH(.text = "vectors"), "");
	assert_string_equal(SEARCH(.text = "rings maths"), "1");
	say(&g, 100, nov_1 + 5, 0, "homework");
	assert_string_equal(SEARCH(.text = "homework"), "1");
	join(&g, 100, "Ben", 0, nov_1 + 6, 0);
	assert_string_equal(SEARCH(.person = "ben"), "1");

	/* more than a search takes upon itself */
	for (int64_t i = 2; i < 103; i++)
		add(&g, i, "algebra", 0, "many", "", nov_1);
	assert_int_equal(recording_index(g.db, 50, on_index, &g), 0);
	wait_replies(&g, 1);
	assert_false(g.id);
	assert_int_equal(recording_index(g.db, 1000, on_index, &g), 0);
	wait_replies(&g, 1);
	assert_true(g.id);
	assert_int_equal(ask(&g, "SELECT count(*) FROM recording_search"), 102);
	assert_int_equal(ask(&g, "SELECT count(*) FROM recording_dirty"), 0);
	assert_string_equal(SEARCH(.text = "many", .limit = 2), "102 101");

	rig_close(&g);
}

/* into the trash and out of it, and away */
static void the_trash_is_searched_apart(void **state)
{
	struct rig g;

	(void)state;
	rig_open(&g, "trash.db");
	for (int64_t i = 100; i < 103; i++)
		add(&g, i, "algebra", 0, "many", "", nov_1);
	assert_int_equal(recordings_forget(g.db, 102, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -ENOENT);
	assert_int_equal(recordings_trash(g.db, 102, nov_1, "Ana", on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.rec[0].deleted_ms, nov_1);
	assert_string_equal(g.rec[0].deleted_by, "Ana");
	assert_string_equal(SEARCH(.text = "many", .limit = 2), "101 100");
	assert_string_equal(SEARCH(.limit = 2), "101 100");
	assert_string_equal(SEARCH(.text = "many", .trash = true), "102");
	assert_string_equal(SEARCH(.trash = true), "102");
	assert_int_equal(recordings_restore(g.db, 102, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, 0);
	assert_string_equal(SEARCH(.text = "many", .limit = 2), "102 101");
	assert_int_equal(recordings_restore(g.db, 102, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -ENOENT);
	assert_int_equal(recordings_trash(g.db, 102, nov_1, "Ana", NULL, NULL), 0);
	assert_int_equal(recordings_forget(g.db, 102, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, 0);
	assert_int_equal(ask(&g, "SELECT count(*) FROM recording_search WHERE rowid = 102"), 0);
	assert_int_equal(recordings_trash(g.db, 102, nov_1, "Ana", on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -ENOENT);
	rig_close(&g);
}

static void tracks_go_with_their_recording(void **state)
{
	struct recording_row t = { .id = 2, .state = RECORDING_READY, .started_ms = 5000,
				   .kind = RECORDING_TRACK, .parent_id = 1, .leg = 3,
				   .path = "t.mp4", .title = "Ana" };
	struct recording_change c = { .state = RECORDING_RECORDING };
	struct rig g;

	(void)state;
	rig_open(&g, "tracks.db");
	add(&g, 1, "one", 0, "class", "", nov_1);
	assert_int_equal(recording_token(t.token), 0);
	assert_int_equal(recordings_create(g.db, &t, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.rec[0].parent_id, 1);
	assert_int_equal(g.rec[0].kind, RECORDING_TRACK);
	assert_string_equal(SEARCH(), "1");
	assert_string_equal(SEARCH(.text = "ana"), "");
	assert_int_equal(recordings_tracks(g.db, 1, on_list, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.n, 1);
	assert_int_equal(g.rec[0].leg, 3);
	assert_int_equal(recordings_trash(g.db, 1, 9, "x", on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(ask(&g, "SELECT count(*) FROM recordings WHERE deleted_ms = 9"), 2);
	assert_int_equal(recordings_get(g.db, 2, t.token, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -ENOENT);
	assert_int_equal(recordings_get(g.db, 1, NULL, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -ENOENT);
	assert_int_equal(recordings_restore(g.db, 1, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(ask(&g, "SELECT count(*) FROM recordings WHERE deleted_ms IS NULL"), 2);
	assert_int_equal(recordings_get(g.db, 1, NULL, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, 0);

	assert_int_equal(recordings_update(g.db, 1, &c, NULL, NULL), 0);
	assert_int_equal(recordings_trash(g.db, 1, 9, "x", on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -EBUSY);
	rig_close(&g);
}

static struct recording_story story;
static char said[2][64];
static struct recording_person people[4];

static void on_story(void *obj, int err, const struct recording_story *s)
{
	struct rig *g = obj;

	g->replies++;
	g->err = err;
	if (!s)
		return;
	story = *s;
	assert_true(s->n_people <= 4 && s->n_lines <= 2);
	if (s->n_people)
		memcpy(people, s->people, s->n_people * sizeof(*people));
	for (size_t i = 0; i < s->n_lines; i++)
		snprintf(said[i], sizeof(said[i]), "%lld %s", (long long)s->lines[i].at_ms,
			 s->lines[i].text);
}

static void the_story_of_a_recording(void **state)
{
	struct rig g;

	(void)state;
	rig_open(&g, "story.db");
	assert_int_equal(sessions_begin(g.db, 100, "one", nov_1 - 5000, NULL, NULL), 0);
	add(&g, 1, "one", 100, "", "", nov_1);
	add(&g, 2, "one", 0, "", "", nov_1);
	join(&g, 100, "Ana", 0, nov_1 - 100, nov_1 + 300);
	join(&g, 100, "Ben", 0, nov_1 + 200, 0);
	join(&g, 100, "Eve", 0, nov_1 + 1001, 0);
	say(&g, 100, nov_1 + 250, 0, "hello");
	say(&g, 100, nov_1 + 260, 2, "psst");
	assert_int_equal(recording_story(g.db, 1, on_story, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(story.n_people, 2);
	assert_string_equal(people[0].name, "Ana");
	assert_int_equal(people[0].joined_ms, 0);
	assert_int_equal(people[0].left_ms, 300);
	assert_string_equal(people[1].name, "Ben");
	assert_int_equal(people[1].joined_ms, 200);
	assert_int_equal(people[1].left_ms, 1000);
	assert_int_equal(story.n_lines, 1);
	assert_string_equal(said[0], "250 hello");
	assert_int_equal(recording_story(g.db, 2, on_story, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, 0);
	assert_int_equal(story.n_people, 0);
	assert_int_equal(recording_story(g.db, 3, on_story, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -ENOENT);
	rig_close(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_found_where_they_are),
		cmocka_unit_test(dates_and_pages),
		cmocka_unit_test(people_see_what_is_theirs),
		cmocka_unit_test(the_index_follows_what_changes),
		cmocka_unit_test(the_trash_is_searched_apart),
		cmocka_unit_test(tracks_go_with_their_recording),
		cmocka_unit_test(the_story_of_a_recording),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
