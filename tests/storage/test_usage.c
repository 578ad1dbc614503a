#include "storage/usage.h"

#include <math.h>

#include "storage/usage_sweep.h"
#include "tests/storage/db_rig.h"

#define MINUTE 60000
#define DAY (24 * 60 * MINUTE)

static const int64_t bounds[] = { 10 * (int64_t)DAY, 11 * (int64_t)DAY, 12 * (int64_t)DAY,
				  13 * (int64_t)DAY };

static struct usage_stay stay(int64_t room, double from_days, double until_days)
{
	return (struct usage_stay){ .room_id = room, .joined_ms = (int64_t)(from_days * DAY),
				    .left_ms = (int64_t)(until_days * DAY) };
}

static void check_sum(const struct usage_sum *s, int64_t participants, int64_t peak, double minutes)
{
	if (s->participants != participants || s->peak != peak || fabs(s->minutes - minutes) > 0.01)
		fail_msg("%lld participants, peak %lld, %f minutes; not %lld, %lld, %f",
			 (long long)s->participants, (long long)s->peak, s->minutes,
			 (long long)participants, (long long)peak, minutes);
}

static void stays_become_days_and_rooms(void **state)
{
	struct usage_stay stays[] = {
		stay(1, 9.5, 10),     /* left as it begins */
		stay(1, 9.5, 10.25),  /* from before */
		stay(2, 9.75, 12.5),  /* over two nights */
		stay(1, 10.125, 10.5),
		stay(1, 10.25, 10.5), /* comes as another goes: not at the same time */
		stay(2, 12.25, 12.25), /* no time at all */
		stay(3, 12.75, 99),   /* stays on */
		stay(3, 13, 14),      /* after the end */
	};
	struct usage_sweep *s;
	struct usage_sum sum;
	int64_t room;

	(void)state;
	assert_int_equal(usage_sweep_new(&s, bounds, 3), 0);
	stays[3].score_n = 4;
	stays[3].score_sum = 18;
	stays[3].score_min = 2.9;
	stays[4].score_n = 1;
	stays[4].score_sum = 2;
	stays[4].score_min = 3;
	for (size_t i = 0; i < sizeof stays / sizeof *stays; i++)
		assert_int_equal(usage_sweep_stay(s, &stays[i]), 0);
	assert_int_equal(usage_sweep_session(s, 1, bounds[0]), 0);
	assert_int_equal(usage_sweep_session(s, 3, bounds[3] - 1), 0);
	assert_int_equal(usage_sweep_session(s, 3, bounds[3]), 0);
	assert_int_equal(usage_sweep_session(s, 3, bounds[0] - 1), 0);
	usage_sweep_end(s, bounds[3]);
	check_sum(&usage_sweep_days(s)[0], 2, 3, (0.25 + 1 + 0.375 + 0.25) * 1440);
	check_sum(&usage_sweep_days(s)[1], 0, 1, 1440); /* nobody came, one was there */
	check_sum(&usage_sweep_days(s)[2], 2, 2, (0.5 + 0.25) * 1440);
	check_sum(usage_sweep_total(s), 4, 3, (0.25 + 2.5 + 0.375 + 0.25 + 0.25) * 1440);
	assert_true(fabs(usage_sweep_days(s)[0].score - 4) < 1e-9);
	assert_int_equal(usage_sweep_days(s)[0].poor, 1);
	assert_true(usage_sweep_days(s)[1].score == 0);
	assert_int_equal(usage_sweep_days(s)[0].sessions, 1);
	assert_int_equal(usage_sweep_days(s)[2].sessions, 1);
	assert_true(usage_sweep_room(s, 0, &room, &sum));
	assert_int_equal(room, 2);
	check_sum(&sum, 1, 2, 2.5 * 1440);
	assert_true(usage_sweep_room(s, 1, &room, &sum));
	assert_int_equal(room, 1);
	check_sum(&sum, 2, 2, (0.25 + 0.375 + 0.25) * 1440);
	assert_true(usage_sweep_room(s, 2, &room, &sum));
	assert_int_equal(sum.sessions, 1);
	assert_false(usage_sweep_room(s, 3, &room, &sum));
	usage_sweep_free(&s);
}

/* Against counting minute by minute. */
static void many_stays_agree_with_counting(void **state)
{
	enum { N = 2000, ROOMS = 300, MINUTES = 3 * 24 * 60 };
	static int present[MINUTES];
	static struct usage_stay stays[N];
	uint64_t seed = 12345;
	struct usage_sweep *s;
	double minutes = 0;
	int peak = 0;

	(void)state;
	assert_int_equal(usage_sweep_new(&s, bounds, 3), 0);
	for (int i = 0; i < N; i++) {
		int64_t from, until;

		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		from = (int64_t)i * (MINUTES + 600) / N - 500;
		until = from + (int64_t)(seed >> 40) % 400;
		stays[i] = (struct usage_stay){ .room_id = (int64_t)(seed >> 20) % ROOMS + 1,
						.joined_ms = bounds[0] + from * MINUTE,
						.left_ms = bounds[0] + until * MINUTE };
		for (int64_t m = from; m < until; m++)
			if (m >= 0 && m < MINUTES)
				present[m]++;
		assert_int_equal(usage_sweep_stay(s, &stays[i]), 0);
	}
	usage_sweep_end(s, bounds[3]);
	for (int m = 0; m < MINUTES; m++) {
		minutes += present[m];
		peak = present[m] > peak ? present[m] : peak;
	}
	assert_true(fabs(usage_sweep_total(s)->minutes - minutes) < 0.01);
	/* who is there for no time at all counts in the sweep alone */
	assert_true(usage_sweep_total(s)->peak >= peak && usage_sweep_total(s)->peak <= peak + 3);
	usage_sweep_free(&s);
}

struct answer {
	int replies, err;
	struct usage u;
	struct usage_sum days[3];
	struct usage_room rooms[8];
};

static void on_usage(void *obj, int err, const struct usage *u)
{
	struct answer *a = obj;

	a->replies++;
	a->err = err;
	if (err)
		return;
	a->u = *u;
	assert_int_equal(u->n_days, 3);
	assert_true(u->n_rooms <= 8);
	memcpy(a->days, u->days, sizeof a->days);
	memcpy(a->rooms, u->rooms, u->n_rooms * sizeof *a->rooms);
}

static void ask_usage(struct rig *g, const char *room, struct answer *a)
{
	struct pollfd p = { .fd = mbox_fd(g->mbox), .events = POLLIN };

	*a = (struct answer){ 0 };
	assert_int_equal(usage_read(g->db, room, bounds, 3, bounds[2], on_usage, a), 0);
	while (!a->replies) {
		assert_int_equal(poll(&p, 1, 20000), 1);
		mbox_run(g->mbox);
	}
	assert_int_equal(a->err, 0);
}

static int fill(sqlite3 *conn, void *obj)
{
	(void)obj;
	return db_errno(conn, sqlite3_exec(conn,
		"INSERT INTO rooms (id, name, created_ms) VALUES (1, 'a', 0), (2, 'b', 0);"
		"INSERT INTO sessions (id, room_id, started_ms) VALUES (1, 1, 864000000), (2, 2, 864000000);"
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25000) "
		"INSERT INTO participants (id, session_id, leg, name, joined_ms, left_ms, score_n, score_sum, "
		"score_min) SELECT i, 1 + i % 2, i, 'x', 864000000 + i, 864000000 + i + 60000, 1, 4, 4 FROM n;"
		"INSERT INTO participants (id, session_id, leg, name, joined_ms) VALUES "
		"(30000, 1, 1, 'still', 864000000);", NULL, NULL, NULL));
}

/* More rows than one step takes. */
static void it_is_read_in_steps(void **state)
{
	struct answer a;
	struct rig g;

	(void)state;
	rig_open(&g, "usage.db");
	assert_int_equal(db_call(g.db, fill, NULL), 0);
	ask_usage(&g, NULL, &a);
	assert_int_equal(a.u.total.participants, 25001);
	assert_int_equal(a.u.total.sessions, 2);
	assert_int_equal(a.u.total.peak, 25001);
	assert_true(fabs(a.u.total.minutes - 25000 - 2 * 1440) < 0.01);
	assert_int_equal(a.u.n_rooms, 2);
	assert_string_equal(a.rooms[0].name, "a");
	assert_int_equal(a.days[1].peak, 1);
	ask_usage(&g, "b", &a);
	assert_int_equal(a.u.total.participants, 12500);
	assert_int_equal(a.u.n_rooms, 1);
	ask_usage(&g, "' OR 1=1 --", &a);
	assert_int_equal(a.u.total.participants, 0);
	assert_int_equal(a.u.n_rooms, 0);
	assert_int_equal(usage_read(g.db, NULL, bounds, 0, 0, on_usage, &a), -EINVAL);
	assert_int_equal(usage_read(g.db, NULL, bounds, 401, 0, on_usage, &a), -EINVAL);
	/* one that nobody answers any more is freed */
	assert_int_equal(usage_read(g.db, NULL, bounds, 3, 0, on_usage, &a), 0);
	rig_close(&g);
}

static int fill_long(sqlite3 *conn, void *obj)
{
	(void)obj;
	return db_errno(conn, sqlite3_exec(conn,
		"INSERT INTO rooms (id, name, created_ms) VALUES (1, 'a', 0), (2, 'b', 0);"
		"INSERT INTO sessions (id, room_id, started_ms, ended_ms) VALUES"
		" (1, 1, 86400000, NULL), (2, 2, 86400000, 907200000), (3, 2, 86400000, 864000000);"
		"INSERT INTO participants (id, session_id, leg, name, joined_ms, left_ms) VALUES"
		" (1, 1, 1, 'screen', 86400000, NULL), (2, 1, 2, 'gone', 86400000, 432000000),"
		" (3, 2, 1, 'until day ten and a half', 172800000, 907200000),"
		" (4, 3, 1, 'until day ten', 86400000, 864000000)", NULL, NULL, NULL));
}

/* Since more days than stays are looked for in: they are there all the same. */
static void who_stays_for_weeks_is_counted(void **state)
{
	struct answer a;
	struct rig g;

	(void)state;
	rig_open(&g, "long.db");
	assert_int_equal(db_call(g.db, fill_long, NULL), 0);
	ask_usage(&g, NULL, &a);
	check_sum(&a.days[0], 0, 2, 1440 + 720);
	check_sum(&a.days[1], 0, 1, 1440);
	assert_int_equal(a.u.total.sessions, 0);
	ask_usage(&g, "b", &a);
	check_sum(&a.days[0], 0, 1, 720);
	rig_close(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stays_become_days_and_rooms),
		cmocka_unit_test(many_stays_agree_with_counting),
		cmocka_unit_test(it_is_read_in_steps),
		cmocka_unit_test(who_stays_for_weeks_is_counted),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
