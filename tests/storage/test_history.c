/* What is read of sessions, and quality: batches, pages, pruning. */
#include "mcu/base/clock.h"
#include "storage/history.h"
#include "storage/quality.h"
#include "storage/repository.h"
#include "tests/storage/db_rig.h"

enum { ROWS = 1000 };

struct answer {
	int replies, err;
	size_t n;
	struct session_row sessions[16];
	struct participant_row people[16];
	struct quality_row quality[ROWS];
};

static void on_sessions(void *obj, int err, const struct session_row *rows, size_t n)
{
	struct answer *a = obj;

	a->replies++;
	a->err = err;
	a->n = n;
	assert_true(n <= 16);
	memcpy(a->sessions, rows, n * sizeof *rows);
}

static void on_people(void *obj, int err, const struct participant_row *rows, size_t n)
{
	struct answer *a = obj;

	a->replies++;
	a->err = err;
	a->n = n;
	assert_true(n <= 16);
	memcpy(a->people, rows, n * sizeof *rows);
}

static void on_quality_rows(void *obj, int err, const struct quality_row *rows, size_t n)
{
	struct answer *a = obj;

	a->replies++;
	a->err = err;
	a->n = n;
	assert_true(n <= ROWS);
	memcpy(a->quality, rows, n * sizeof *rows);
}

static void on_written(void *obj, int err)
{
	struct answer *a = obj;

	a->replies++;
	a->err = err;
}

static struct answer a;

static void await(struct rig *g)
{
	struct pollfd p = { .fd = mbox_fd(g->mbox), .events = POLLIN };

	while (!a.replies) {
		assert_int_equal(poll(&p, 1, 20000), 1);
		mbox_run(g->mbox);
	}
	a.replies = 0;
	assert_int_equal(a.err, 0);
}

static void sessions(struct rig *g, const struct history_filter *f, size_t want)
{
	assert_int_equal(sessions_list(g->db, f, on_sessions, &a), 0);
	await(g);
	assert_int_equal(a.n, want);
}

static void sessions_come_in_pages(void **state)
{
	struct rig g;

	(void)state;
	rig_open(&g, "pages.db");
	for (int i = 1; i <= 7; i++)
		sessions_begin(g.db, i * 10, i % 2 ? "odd" : "even", i * 1000, NULL, NULL);
	sessions_participant_joined(g.db, 700, 70, 1, "'; DROP TABLE participants; --", 0, 7100, NULL,
				    NULL);
	sessions_participant_joined(g.db, 701, 70, 2, "Bo", 0, 7200, NULL, NULL);
	sessions_participant_left(g.db, 700, 7900, "left", NULL, NULL);
	sessions_participant_host(g.db, 701);
	sessions_end(g.db, 60, 6500, "empty", NULL, NULL);

	sessions(&g, &(struct history_filter){ .max = 3 }, 3);
	assert_int_equal(a.sessions[0].id, 70);
	assert_int_equal(a.sessions[0].participants, 2);
	assert_int_equal(a.sessions[0].ended_ms, 0);
	assert_string_equal(a.sessions[1].reason, "empty");
	assert_int_equal(a.sessions[1].ended_ms, 6500);
	sessions(&g, &(struct history_filter){ .max = 3, .cursor = a.sessions[2].id }, 3);
	assert_int_equal(a.sessions[0].id, 40);
	sessions(&g, &(struct history_filter){ .max = 3, .cursor = a.sessions[2].id }, 1);
	assert_int_equal(a.sessions[0].id, 10);
	sessions(&g, &(struct history_filter){ .max = 16, .room = "odd" }, 4);
	sessions(&g, &(struct history_filter){ .max = 16, .from_ms = 2000, .until_ms = 4000 }, 2);
	sessions(&g, &(struct history_filter){ .max = 16, .id = 30 }, 1);
	assert_string_equal(a.sessions[0].room, "odd");
	sessions(&g, &(struct history_filter){ .max = 16, .room = "' OR 1=1 --" }, 0);
	assert_int_equal(sessions_list(g.db, &(struct history_filter){ 0 }, on_sessions, &a), -EINVAL);
	assert_int_equal(sessions_list(g.db, &(struct history_filter){ .max = 1001 }, on_sessions, &a),
			 -EINVAL);

	assert_int_equal(participants_list(g.db, &(struct history_filter){ .id = 70, .max = 1 }, on_people,
					   &a), 0);
	await(&g);
	assert_int_equal(a.n, 1);
	assert_string_equal(a.people[0].name, "'; DROP TABLE participants; --");
	assert_string_equal(a.people[0].reason, "left");
	assert_false(a.people[0].host);
	assert_int_equal(participants_list(g.db, &(struct history_filter){ .id = 70, .max = 9,
					   .cursor = 700 }, on_people, &a), 0);
	await(&g);
	assert_int_equal(a.n, 1);
	assert_string_equal(a.people[0].name, "Bo");
	assert_true(a.people[0].host);
	assert_int_equal(sessions_of_participant(g.db, 701, on_sessions, &a), 0);
	await(&g);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.sessions[0].id, 70);
	assert_int_equal(sessions_of_participant(g.db, 999, on_sessions, &a), 0);
	await(&g);
	assert_int_equal(a.n, 0);
	rig_close(&g);
}

static void quality_is_written_in_batches(void **state)
{
	struct quality_row rows[QUALITY_BATCH_MAX];
	struct rig g;

	(void)state;
	rig_open(&g, "quality.db");
	sessions_begin(g.db, 1, "room", 1000, NULL, NULL);
	sessions_participant_joined(g.db, 5, 1, 1, "Ann", 0, 1000, NULL, NULL);
	for (int i = 0; i < QUALITY_BATCH_MAX; i++)
		rows[i] = (struct quality_row){ .id = db_new_id(), .participant_id = i % 2 ? 5 : 99,
						.at_ms = i, .interval_ms = 30000, .loss_up = 0.01 * (i % 7),
						.height = 720, .score = i == 1 ? 2 : 4 };
	assert_int_equal(quality_write(g.db, rows, QUALITY_BATCH_MAX, 0, on_written, &a), 0);
	await(&g);
	/* nobody is number 99, and that keeps nobody else's from being written */
	assert_int_equal(ask(&g, "SELECT count(*) FROM quality"), QUALITY_BATCH_MAX / 2);
	assert_int_equal(participants_list(g.db, &(struct history_filter){ .id = 1, .max = 9 }, on_people,
					   &a), 0);
	await(&g);
	assert_true(a.people[0].worst > 1.99 && a.people[0].worst < 2.01);
	assert_true(a.people[0].score > 3.97 && a.people[0].score < 4);
	assert_int_equal(quality_list(g.db, &(struct quality_filter){ .participant_id = 5, .max = 100 },
				      on_quality_rows, &a), 0);
	await(&g);
	assert_int_equal(a.n, 100);
	assert_int_equal(a.quality[0].at_ms, 1);
	assert_int_equal(a.quality[0].height, 720);
	assert_int_equal(quality_list(g.db, &(struct quality_filter){ .participant_id = 5, .max = 100,
				      .after = a.quality[99].id }, on_quality_rows, &a), 0);
	await(&g);
	assert_int_equal(a.n, 28);
	assert_int_equal(quality_list(g.db, &(struct quality_filter){ .participant_id = 5, .max = 100,
				      .from_ms = 11, .until_ms = 21 }, on_quality_rows, &a), 0);
	await(&g);
	assert_int_equal(a.n, 5);
	assert_int_equal(quality_write(g.db, rows, QUALITY_BATCH_MAX + 1, 0, on_written, &a), -EINVAL);
	rig_close(&g);
}

static void old_rows_go_in_small_steps(void **state)
{
	int64_t now = clock_wall_ns() / NS_PER_MS;
	struct rig g;

	(void)state;
	rig_open(&g, "prune.db");
	sessions_begin(g.db, 1, "room", 1000, NULL, NULL);
	sessions_participant_joined(g.db, 5, 1, 1, "Ann", 0, 1000, NULL, NULL);
	for (int i = 0; i < 10; i++) {
		struct quality_row rows[QUALITY_BATCH_MAX];

		for (int k = 0; k < QUALITY_BATCH_MAX; k++)
			rows[k] = (struct quality_row){ .participant_id = 5, .score = 4, .at_ms = now,
							.id = db_id_of_time(now - 86400000 * 10LL) + i * 1000 + k };
		quality_write(g.db, rows, QUALITY_BATCH_MAX, 0, NULL, NULL);
	}
	quality_write(g.db, &(struct quality_row){ .id = db_new_id(), .participant_id = 5, .score = 4 }, 1,
		      now - 86400000 * 9LL, on_written, &a);
	await(&g);
	assert_int_equal(ask(&g, "SELECT count(*) FROM quality"), 2561 - QUALITY_PRUNE_ROWS);
	for (int i = 0; i < 3; i++)
		quality_write(g.db, NULL, 0, now - 86400000 * 9LL, i == 2 ? on_written : NULL, &a);
	await(&g);
	assert_int_equal(ask(&g, "SELECT count(*) FROM quality"), 1);
	/* the mean stays */
	assert_int_equal(ask(&g, "SELECT score_n FROM participants"), 2561);
	rig_close(&g);
}

static void a_time_has_ids(void **state)
{
	int64_t now = clock_wall_ns() / NS_PER_MS;

	(void)state;
	assert_true(db_id_of_time(now) <= db_new_id());
	assert_true(db_id_of_time(now + 60000) > db_new_id());
	assert_int_equal(db_id_of_time(0), 0);
}

/* A session that runs, with one who is in it, one who left and what is known of a connection. */
static int begin_one(sqlite3 *conn, void *obj)
{
	(void)obj;
	return db_errno(conn, sqlite3_exec(conn,
		"DELETE FROM sessions; INSERT INTO rooms (id, name, created_ms) VALUES (1, 'a', 1) ON CONFLICT DO NOTHING;"
		"INSERT INTO sessions VALUES (3, 1, 5000, NULL, NULL);"
		"INSERT INTO participants (id, session_id, leg, name, joined_ms, left_ms) VALUES"
		" (5, 3, 1, 'Ann', 6000, NULL), (6, 3, 2, 'Bob', 6000, 7000);"
		"INSERT INTO quality VALUES (70, 5, 36000, 30000, 0, 0, 0, 0, 0, 0, 0, 0, 5)", NULL, NULL, NULL));
}

/* When the next start says that all was over, after the lock file has said this. */
static int64_t ended_after(const char *alive)
{
	struct repository_report rep;
	struct errmsg why;
	struct rig g;
	int64_t ms;
	FILE *f;

	rig_open(&g, "crash.db");
	assert_int_equal(db_call(g.db, begin_one, NULL), 0);
	rig_close(&g);
	f = fopen(file_path("crash.db.lock"), "we");
	assert_non_null(f);
	fputs(alive, f);
	fclose(f);
	rig_open(&g, "crash.db");
	assert_int_equal(repository_reconcile(dir, g.db, &rep, &why), 0);
	assert_int_equal(rep.sessions_ended, 1);
	ms = ask(&g, "SELECT ended_ms FROM sessions WHERE end_reason = 'crash'");
	assert_int_equal(ask(&g, "SELECT left_ms FROM participants WHERE name = 'Ann'"), ms);
	assert_int_equal(ask(&g, "SELECT left_ms FROM participants WHERE name = 'Bob'"), 7000);
	rig_close(&g);
	return ms;
}

/* The server may start again days after: nobody was there for days. */
static void a_crash_ends_sessions_when_it_was(void **state)
{
	int64_t now_ms = clock_wall_ns() / NS_PER_MS;

	(void)state;
	assert_int_equal(ended_after("0000000090000\n"), 90000);
	assert_int_equal(ended_after(""), 36000); /* not known: the last that was written */
	assert_int_equal(ended_after("0000000020000\n"), 36000);
	assert_int_equal(ended_after("no number"), 36000);
	/* a clock that was ahead then */
	assert_in_range(ended_after("9999999999999\n"), now_ms, now_ms + 60000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_come_in_pages),
		cmocka_unit_test(quality_is_written_in_batches),
		cmocka_unit_test(old_rows_go_in_small_steps),
		cmocka_unit_test(a_time_has_ids),
		cmocka_unit_test(a_crash_ends_sessions_when_it_was),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
