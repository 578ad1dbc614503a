#include "tests/storage/db_rig.h"

#include "storage/calls.h"
#include "storage/repository.h"

struct answer {
	int replies, err;
	struct call_row row[8];
	size_t n;
};

static void on_calls(void *obj, int err, const struct call_row *rows, size_t n)
{
	struct answer *a = obj;

	a->replies++;
	a->err = err;
	a->n = n;
	assert_true(n <= 8);
	memcpy(a->row, rows, n * sizeof(*rows));
}

static void list(struct rig *g, struct answer *a, const struct call_filter *f)
{
	struct pollfd p = { .fd = mbox_fd(g->mbox), .events = POLLIN };
	struct call_filter all = *f;

	all.max = all.max ? all.max : 8;
	*a = (struct answer){ 0 };
	assert_int_equal(calls_list(g->db, &all, on_calls, a), 0);
	while (!a->replies) {
		assert_int_equal(poll(&p, 1, 10000), 1);
		mbox_run(g->mbox);
	}
	assert_int_equal(a->err, 0);
}

static struct call_row call(const char *room, const char *number, int64_t started_ms)
{
	struct call_row c = { .id = db_new_id(), .started_ms = started_ms };

	snprintf(c.room, sizeof(c.room), "%s", room);
	snprintf(c.number, sizeof(c.number), "%s", number);
	snprintf(c.uri, sizeof(c.uri), "sip:%s@example.org", number);
	return c;
}

static void assert_same(const struct call_row *a, const struct call_row *b)
{
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->session_id, b->session_id);
	assert_int_equal(a->out, b->out);
	assert_string_equal(a->room, b->room);
	assert_string_equal(a->uri, b->uri);
	assert_string_equal(a->number, b->number);
	assert_string_equal(a->user, b->user);
	assert_string_equal(a->trunk, b->trunk);
	assert_int_equal(a->started_ms, b->started_ms);
	assert_int_equal(a->answered_ms, b->answered_ms);
	assert_int_equal(a->ended_ms, b->ended_ms);
	assert_string_equal(a->audio, b->audio);
	assert_string_equal(a->video, b->video);
	assert_int_equal(a->packets_in, b->packets_in);
	assert_int_equal(a->packets_out, b->packets_out);
	assert_int_equal(a->lost_in, b->lost_in);
	assert_int_equal(a->lost_out, b->lost_out);
	assert_int_equal((int)(a->jitter_ms * 1000), (int)(b->jitter_ms * 1000));
	assert_int_equal((int)(a->rtt_ms * 1000), (int)(b->rtt_ms * 1000));
	assert_int_equal((int)(a->mos * 1000), (int)(b->mos * 1000));
	assert_int_equal((int)(a->score * 1000), (int)(b->score * 1000));
	assert_string_equal(a->end, b->end);
	assert_int_equal(a->sip_status, b->sip_status);
	assert_string_equal(a->reason, b->reason);
}

static void a_call_is_written_three_times(void **state)
{
	(void)state;
	struct rig g;
	struct answer a;
	struct call_row c = call("daily' --", "+4989123", 1000);
	int64_t session = db_new_id();

	rig_open(&g, "calls.db");
	c.out = true;
	snprintf(c.user, sizeof(c.user), "ada");
	snprintf(c.trunk, sizeof(c.trunk), "itsp");
	assert_int_equal(calls_write(g.db, &c, NULL), 0);
	list(&g, &a, &(struct call_filter){ 0 });
	assert_int_equal(a.n, 1);
	assert_same(&a.row[0], &c);

	assert_int_equal(sessions_begin(g.db, session, c.room, 1500, NULL, NULL), 0);
	c.answered_ms = 2000;
	assert_int_equal(calls_write(g.db, &c, NULL), 0);
	c.ended_ms = 9000;
	c.packets_in = 1LL << 40;
	c.packets_out = 2;
	c.lost_in = 3;
	c.lost_out = 4;
	c.jitter_ms = 1.5;
	c.rtt_ms = 20.25;
	c.mos = 4.3;
	c.score = 5;
	c.sip_status = 200;
	snprintf(c.audio, sizeof(c.audio), "PCMU");
	snprintf(c.video, sizeof(c.video), "H264");
	snprintf(c.end, sizeof(c.end), "hangup");
	snprintf(c.reason, sizeof(c.reason), "Normal; clearing'");
	assert_int_equal(calls_write(g.db, &c, NULL), 0);
	list(&g, &a, &(struct call_filter){ 0 });
	assert_int_equal(a.n, 1);
	assert_int_equal(a.row[0].session_id, session);
	c.session_id = session;
	assert_same(&a.row[0], &c);
	rig_close(&g);
}

/* Of a room's sessions the one that the call was in. */
static void the_session_is_found(void **state)
{
	(void)state;
	struct rig g;
	struct answer a;
	struct call_row missed = call("r", "1", 5000), in = call("r", "2", 1500);
	int64_t first, second;

	rig_open(&g, "session.db");
	first = db_new_id();
	second = db_new_id();
	assert_int_equal(sessions_begin(g.db, first, "r", 1000, NULL, NULL), 0);
	assert_int_equal(sessions_end(g.db, first, 4000, "empty", NULL, NULL), 0);
	missed.ended_ms = 6000; /* between two */
	assert_int_equal(calls_write(g.db, &missed, NULL), 0);
	assert_int_equal(sessions_begin(g.db, second, "r", 8000, NULL, NULL), 0);
	in.answered_ms = 1600;
	in.ended_ms = 3000;
	assert_int_equal(calls_write(g.db, &in, NULL), 0);
	list(&g, &a, &(struct call_filter){ 0 });
	assert_int_equal(a.n, 2);
	assert_int_equal(a.row[0].session_id, first);
	assert_int_equal(a.row[1].session_id, 0);
	rig_close(&g);
}

static void calls_are_filtered(void **state)
{
	(void)state;
	struct rig g;
	struct answer a;
	struct call_row c[] = { call("one", "+4989123", 1000), call("two", "+4930456", 2000),
				call("two", "100", 3000), call("", "100%_", 4000) };
	const struct {
		struct call_filter f;
		size_t n;
		int64_t first;
	} rows[] = {
		{ { 0 }, 4, c[3].id },
		{ { .room = "two" }, 2, c[2].id },
		{ { .room = "nowhere" }, 0, 0 },
		{ { .number = "89" }, 1, c[0].id },
		{ { .number = "%" }, 1, c[3].id },
		{ { .number = "example.org" }, 4, c[3].id },
		{ { .number = "' OR 1=1 --" }, 0, 0 },
		{ { .from_ms = 2000 }, 3, c[3].id },
		{ { .from_ms = 2000, .until_ms = 3000 }, 1, c[1].id },
		{ { .before = c[2].id }, 2, c[1].id },
		{ { .before = c[2].id, .max = 1 }, 1, c[1].id },
	};
	char longer[DB_NAME_MAX + 2];

	rig_open(&g, "filter.db");
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(calls_write(g.db, &c[i], NULL), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		list(&g, &a, &rows[i].f);
		if (a.n != rows[i].n || (a.n && a.row[0].id != rows[i].first))
			fail_msg("filter %zu gave %zu rows", i, a.n);
	}
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(calls_list(g.db, &(struct call_filter){ .max = 1, .room = longer }, on_calls,
				    &a), -EINVAL);
	assert_int_equal(calls_list(g.db, &(struct call_filter){ 0 }, on_calls, &a), -EINVAL);
	rig_close(&g);
}

static void old_ones_go_when_another_ends(void **state)
{
	(void)state;
	struct rig g;
	struct call_row old = call("r", "1", 1000), fresh = call("r", "2", 5000);
	const struct call_keep keep = { .since_ms = 3000 };

	rig_open(&g, "old.db");
	old.ended_ms = 2000;
	assert_int_equal(calls_write(g.db, &old, NULL), 0);
	assert_int_equal(calls_write(g.db, &fresh, &keep), 0); /* not over yet */
	assert_int_equal(ask(&g, "SELECT count(*) FROM calls"), 2);
	fresh.ended_ms = 6000;
	assert_int_equal(calls_write(g.db, &fresh, &keep), 0);
	assert_int_equal(ask(&g, "SELECT count(*) FROM calls WHERE number = '2'"), 1);
	assert_int_equal(ask(&g, "SELECT count(*) FROM calls"), 1);
	rig_close(&g);
}

static void the_oldest_of_too_many_go(void **state)
{
	(void)state;
	struct rig g;
	struct call_keep keep = { .rows = 3 };
	struct call_row c;

	rig_open(&g, "many.db");
	for (int i = 0; i < 6; i++) {
		c = call("r", "1", 9000 - i * 1000); /* the first row is the newest call */
		assert_int_equal(calls_write(g.db, &c, &keep), 0);
	}
	assert_int_equal(ask(&g, "SELECT count(*) FROM calls"), 6); /* nothing has ended */
	c = call("r", "2", 10000);
	c.ended_ms = 11000;
	assert_int_equal(calls_write(g.db, &c, NULL), 0);
	assert_int_equal(ask(&g, "SELECT count(*) FROM calls"), 7);
	assert_int_equal(calls_write(g.db, &c, &keep), 0);
	assert_int_equal(ask(&g, "SELECT count(*) FROM calls"), 3);
	assert_int_equal(ask(&g, "SELECT min(started_ms) FROM calls"), 8000);
	assert_int_equal(calls_write(g.db, &c, &keep), 0); /* there are no more than that */
	assert_int_equal(ask(&g, "SELECT count(*) FROM calls"), 3);
	keep.rows = 10;
	assert_int_equal(calls_write(g.db, &c, &keep), 0);
	assert_int_equal(ask(&g, "SELECT count(*) FROM calls"), 3);
	keep.since_ms = 9500; /* both */
	keep.rows = 1;
	assert_int_equal(calls_write(g.db, &c, &keep), 0);
	assert_int_equal(ask(&g, "SELECT count(*) FROM calls WHERE number = '2'"), 1);
	assert_int_equal(ask(&g, "SELECT count(*) FROM calls"), 1);
	rig_close(&g);
}

static void a_crash_leaves_interrupted_calls(void **state)
{
	(void)state;
	struct rig g;
	struct repository_report rep;
	struct errmsg why;
	struct call_row open = call("r", "1", 1000), over = call("r", "2", 1000);

	rig_open(&g, "crash.db");
	over.ended_ms = 2000;
	snprintf(over.end, sizeof(over.end), "hangup");
	assert_int_equal(calls_write(g.db, &open, NULL), 0);
	assert_int_equal(calls_write(g.db, &over, NULL), 0);
	rig_close(&g);
	rig_open(&g, "crash.db");
	assert_int_equal(repository_reconcile(dir, g.db, &rep, &why), 0);
	assert_int_equal(ask(&g, "SELECT count(*) FROM calls WHERE number = '1' AND "
				 "end_reason = 'interrupted' AND ended_ms = 1000"), 1);
	assert_int_equal(ask(&g, "SELECT count(*) FROM calls WHERE number = '2' AND "
				 "end_reason = 'hangup' AND ended_ms = 2000"), 1);
	rig_close(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_written_three_times),
		cmocka_unit_test(the_session_is_found),
		cmocka_unit_test(calls_are_filtered),
		cmocka_unit_test(old_ones_go_when_another_ends),
		cmocka_unit_test(the_oldest_of_too_many_go),
		cmocka_unit_test(a_crash_leaves_interrupted_calls),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
