/* Rows of connections: intervals, batches, and a disk that does not keep up. */
#include "mcu/quality_log.h"

#include <glib.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "mcu/base/clock.h"
#include "mcu/base/metrics.h"
#include "storage/quality.h"
#include "tests/storage/db_rig.h"

#define S NS_PER_S

static struct rig g;
static struct quality_log *log_;
static struct leg_net_stats stats;

static int begin(void **state)
{
	static int n;
	char name[32];

	(void)state;
	snprintf(name, sizeof name, "log-%d.db", n++);
	rig_open(&g, name);
	sessions_begin(g.db, 1, "room", 1000, NULL, NULL);
	sessions_participant_joined(g.db, 5, 1, 1, "Ann", 0, 1000, NULL, NULL);
	stats = (struct leg_net_stats){ .rtt_ms = 20 };
	assert_int_equal(quality_log_new(&log_, g.db, 30, 0), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	rig_close(&g);
	quality_log_free(&log_);
	return 0;
}

static int64_t metric(const char *name)
{
	struct metrics_text t = { 0 };
	char want[80];
	const char *at;
	int64_t v;

	assert_int_equal(metrics_write(&t), 0);
	snprintf(want, sizeof want, "\n%s ", name);
	at = strstr(t.text, want);
	assert_non_null(at);
	v = (int64_t)atof(at + strlen(want));
	metrics_text_free(&t);
	return v;
}

static double ask_real(const char *column)
{
	char sql[128];

	snprintf(sql, sizeof sql, "SELECT round(1000 * %s) FROM quality ORDER BY id LIMIT 1", column);
	return (double)ask(&g, sql) / 1000;
}

static void an_interval_is_what_grew_in_it(void **state)
{
	struct quality_mark mark = { 0 };

	(void)state;
	role_assert_ctl();
	stats.uplink_audio = (struct leg_net_flow){ .packets = 1000, .lost = 500, .octets = 9000 };
	quality_log_leg(log_, &mark, 5, &stats, 360, 100 * S, false);
	stats.uplink_audio.packets += 900;
	stats.uplink_audio.lost += 100;
	stats.uplink_audio.octets += 300000;
	stats.uplink_audio.jitter_ms = 40;
	stats.downlink_video = (struct leg_net_flow){ .packets = 3000, .lost = 30, .octets = 3750000 };
	quality_log_leg(log_, &mark, 5, &stats, 360, 129 * S, false); /* not yet */
	quality_log_leg(log_, &mark, 5, &stats, 360, 130 * S, false);
	quality_log_leg(log_, &mark, 5, &stats, 360, 130 * S + S / 2, true); /* too short */
	quality_log_leg(log_, &mark, 5, &stats, 180, 140 * S, true);
	quality_log_flush(log_);
	assert_int_equal(ask(&g, "SELECT count(*) FROM quality"), 2);
	assert_true(fabs(ask_real("loss_up") - 0.1) < 0.001);
	assert_true(fabs(ask_real("loss_down") - 0.01) < 0.001);
	assert_true(fabs(ask_real("kbps_up") - 80) < 0.01);
	assert_true(fabs(ask_real("kbps_down") - 1000) < 0.01);
	assert_true(fabs(ask_real("jitter_up_ms") - 40) < 0.01);
	assert_true(fabs(ask_real("score") - 2) < 0.01); /* 5 - 20 * 0.1 - 1 */
	assert_int_equal(ask(&g, "SELECT interval_ms FROM quality ORDER BY id DESC LIMIT 1"), 10000);
	assert_int_equal(ask(&g, "SELECT height FROM quality ORDER BY id DESC LIMIT 1"), 180);
}

/* Another SSRC counts from zero; a receiver's count may sink. */
static void counters_that_sink_are_no_loss(void **state)
{
	struct quality_mark mark = { 0 };

	(void)state;
	role_assert_ctl();
	stats.uplink_audio = (struct leg_net_flow){ .packets = 1000, .lost = 500, .octets = 9000 };
	stats.downlink_audio = (struct leg_net_flow){ .packets = 1000, .lost = 500 };
	quality_log_leg(log_, &mark, 5, &stats, 0, 100 * S, false);
	stats.uplink_audio = (struct leg_net_flow){ .packets = 10, .lost = 0, .octets = 90 };
	stats.downlink_audio = (struct leg_net_flow){ .packets = 1500, .lost = 499 };
	quality_log_leg(log_, &mark, 5, &stats, 0, 200 * S, false);
	quality_log_flush(log_);
	assert_int_equal(ask(&g, "SELECT count(*) FROM quality WHERE loss_up = 0 AND loss_down = 0 "
				 "AND kbps_up = 0 AND score = 5"), 1);
}

static int hold(sqlite3 *conn, void *obj)
{
	struct timespec nap = { .tv_nsec = 1000000 };

	(void)conn;
	while (!atomic_load((_Atomic bool *)obj))
		nanosleep(&nap, NULL);
	return 0;
}

static void *hold_on(void *obj)
{
	db_call(g.db, hold, obj);
	return NULL;
}

/* Nobody waits for it: what is too much is dropped, and counted. */
static void a_slow_disk_drops_rows(void **state)
{
	enum { FILLED = (QUALITY_LOG_BATCHES + 2) * QUALITY_BATCH_MAX };
	int64_t given = metric("mcu_quality_rows_total"), dropped = metric("mcu_quality_rows_dropped_total");
	_Atomic bool released = false;
	struct quality_mark mark = { 0 };
	pthread_t thread;

	(void)state;
	role_assert_ctl();
	assert_int_equal(pthread_create(&thread, NULL, hold_on, &released), 0);
	for (int64_t i = 0; i <= FILLED; i++)
		quality_log_leg(log_, &mark, 5, &stats, 0, (100 + 30 * i) * S, false);
	assert_int_equal(metric("mcu_quality_rows_total") - given, QUALITY_LOG_BATCHES * QUALITY_BATCH_MAX);
	assert_int_equal(metric("mcu_quality_rows_dropped_total") - dropped, 2 * QUALITY_BATCH_MAX);
	atomic_store(&released, true);
	pthread_join(thread, NULL);
	assert_int_equal(ask(&g, "SELECT count(*) FROM quality"), QUALITY_LOG_BATCHES * QUALITY_BATCH_MAX);
	/* and it goes on when they were answered */
	mbox_run(g.mbox);
	quality_log_leg(log_, &mark, 5, &stats, 0, (100 + 30 * (FILLED + 1)) * S, false);
	quality_log_flush(log_);
	assert_int_equal(ask(&g, "SELECT count(*) FROM quality"),
			 QUALITY_LOG_BATCHES * QUALITY_BATCH_MAX + 1);
}

static void off_is_off(void **state)
{
	struct quality_log *off;
	struct quality_mark mark = { 0 };

	(void)state;
	role_assert_ctl();
	assert_int_equal(quality_log_new(&off, g.db, 0, 0), 0);
	quality_log_leg(off, &mark, 5, &stats, 0, 100 * S, false);
	quality_log_leg(off, &mark, 5, &stats, 0, 200 * S, true);
	quality_log_flush(off);
	quality_log_free(&off);
	assert_int_equal(ask(&g, "SELECT count(*) FROM quality"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_interval_is_what_grew_in_it, begin, end),
		cmocka_unit_test_setup_teardown(counters_that_sink_are_no_loss, begin, end),
		cmocka_unit_test_setup_teardown(a_slow_disk_drops_rows, begin, end),
		cmocka_unit_test_setup_teardown(off_is_off, begin, end),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
