/* Which rung a receiver's connection carries, by tables of what it reports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mcu/base/clock.h"
#include "mcu/room/tier_pick.h"

/* 1532, 532 and 182 kb/s with the sound. */
static const uint32_t LADDER[] = { 1500000, 500000, 150000 };
enum { PROBING = 128, AUDIO = 32000, START_S = 50, PCT = 256 / 100 + 1, LOST_10 = 26 };

struct step {
	int for_s;	   /* a report, and a REMB if there is one, every second */
	int lost;	   /* of 256 */
	unsigned kbps;	   /* REMB; 0: none */
	unsigned sent;	   /* kb/s; 0: unknown */
	unsigned carries;  /* at the end; and PROBING */
};

struct script {
	const char *name;
	unsigned best;
	bool probes; /* can be made */
	struct step step[8];
};

static const struct script scripts[] = {
	{ "nothing is wrong", 0, false, { { 60, 0, 0, 0, 0 }, { 60, 2, 3000, 0, 0 } } },
	{ "a moment of loss is no reason", 0, false, { { 2, LOST_10, 0, 0, 0 }, { 5, 10, 0, 0, 0 },
						{ 2, LOST_10, 0, 0, 0 } } },
	{ "8 % is still borne", 0, false, { { 60, 20, 0, 0, 0 } } },
	{ "loss takes one rung at a time, and stops at the last", 0, false,
	  { { 3, LOST_10, 0, 0, 1 }, { 2, LOST_10, 0, 0, 1 }, { 1, LOST_10, 0, 0, 2 },
	    { 20, 60, 0, 0, 2 } } },
	{ "ten clean seconds bring one rung", 0, false,
	  { { 6, LOST_10, 0, 0, 2 }, { 10, 0, 0, 0, 2 }, { 1, 0, 0, 0, 1 }, { 10, 0, 0, 0, 1 },
	    { 1, 0, 0, 0, 0 } } },
	{ "a little loss keeps it where it is", 0, false,
	  { { 3, LOST_10, 0, 0, 1 }, { 100, PCT, 0, 0, 1 } } },
	{ "who falls back waits twice as long", 0, false,
	  { { 3, LOST_10, 0, 0, 1 }, { 11, 0, 0, 0, 0 }, { 3, LOST_10, 0, 0, 1 },
	    { 20, 0, 0, 0, 1 }, { 1, 0, 0, 0, 0 } } },
	{ "who stayed up long enough does not", 0, false,
	  { { 3, LOST_10, 0, 0, 1 }, { 11, 0, 0, 0, 0 }, { 40, 0, 0, 0, 0 }, { 3, LOST_10, 0, 0, 1 },
	    { 10, 0, 0, 0, 1 }, { 1, 0, 0, 0, 0 } } },
	{ "a REMB goes straight to what fits", 0, false,
	  { { 1, 0, 300, 0, 0 }, { 1, 0, 300, 0, 2 } } },
	{ "it goes down by one where one is enough", 0, false, { { 2, 0, 1000, 0, 1 } } },
	{ "nine tenths are enough", 0, false, { { 60, 0, 1400, 0, 0 } } },
	{ "up with room to spare", 0, false,
	  { { 2, 0, 300, 0, 2 }, { 10, 0, 800, 0, 2 }, { 1, 0, 800, 0, 1 } } },
	{ "without it a try, later", 0, false,
	  { { 2, 0, 1000, 0, 1 }, { 20, 0, 1000, 0, 1 }, { 1, 0, 1000, 0, 0 },
	    { 2, 0, 1000, 0, 1 }, { 38, 0, 1000, 0, 1 }, { 2, 0, 1000, 0, 0 } } },
	{ "no try without room for what it has", 0, false,
	  { { 2, 0, 600, 0, 1 }, { 300, 0, 600, 0, 1 } } },
	{ "a picture that stands still asks for little", 0, false, { { 60, 0, 150, 100, 0 } } },
	{ "nor does a key frame after a still", 0, false,
	  { { 60, 0, 150, 100, 0 }, { 2, 0, 150, 900, 0 }, { 60, 0, 150, 100, 0 } } },
	{ "but a rate that stays does", 0, false,
	  { { 60, 0, 150, 100, 0 }, { 3, 0, 150, 900, 0 }, { 1, 0, 150, 900, 2 } } },
	{ "after a still there is no try without a probe", 0, false,
	  { { 3, LOST_10, 0, 0, 1 }, { 60, 0, 150, 100, 1 } } },
	{ "with one there is", 0, true,
	  { { 3, LOST_10, 0, 0, 1 }, { 10, 0, 150, 100, 1 }, { 1, 0, 150, 100, 1 | PROBING },
	    { 2, 0, 200, 1500, 1 | PROBING }, { 1, 0, 210, 1500, 0 } } },
	{ "what it may not have is not tried", 1, false,
	  { { 60, 0, 5000, 0, 0 }, { 3, LOST_10, 0, 0, 2 }, { 11, 0, 0, 0, 1 }, { 60, 0, 0, 0, 1 } } },
	/* With probes: 11 s until it begins, then three reports. */
	{ "a probe that is clean leads up", 0, true,
	  { { 3, LOST_10, 0, 0, 1 }, { 10, 0, 0, 0, 1 }, { 1, 0, 0, 0, 1 | PROBING },
	    { 2, 0, 0, 0, 1 | PROBING }, { 1, 0, 0, 0, 0 } } },
	{ "loss ends it, and the next comes later", 0, true,
	  { { 3, LOST_10, 0, 0, 1 }, { 11, 0, 0, 0, 1 | PROBING }, { 1, 5, 0, 0, 1 },
	    { 20, 0, 0, 0, 1 }, { 1, 0, 0, 0, 1 | PROBING }, { 3, 0, 0, 0, 0 } } },
	{ "an estimate that falls ends it", 0, true,
	  { { 2, 0, 1000, 0, 1 }, { 11, 0, 1000, 0, 1 | PROBING }, { 1, 0, 880, 0, 1 },
	    { 20, 0, 880, 0, 1 }, { 1, 0, 880, 0, 1 | PROBING }, { 3, 0, 900, 0, 0 } } },
	{ "none where the estimate has room", 0, true,
	  { { 2, 0, 300, 0, 2 }, { 10, 0, 800, 0, 2 }, { 1, 0, 800, 0, 1 } } },
	{ "nor where there is none for what it has", 0, true,
	  { { 2, 0, 600, 0, 1 }, { 300, 0, 600, 0, 1 } } },
	{ "nor for what it may not have", 1, true,
	  { { 60, 0, 5000, 0, 0 }, { 3, LOST_10, 0, 0, 2 }, { 11, 0, 0, 0, 2 | PROBING },
	    { 3, 0, 0, 0, 1 }, { 60, 0, 0, 0, 1 } } },
};

static void test_scripts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		const struct script *s = &scripts[i];
		int64_t now = START_S * NS_PER_S;
		struct tier_pick p;
		unsigned is;

		tier_pick_init(&p, LADDER, 3, AUDIO);
		tier_pick_limit(&p, s->best);
		tier_pick_may_probe(&p, s->probes);
		for (const struct step *k = s->step; k->for_s; k++) {
			for (int t = 0; t < k->for_s; t++, now += NS_PER_S) {
				tier_pick_tick(&p, now);
				tier_pick_loss(&p, (uint8_t)k->lost, now);
				if (k->kbps)
					tier_pick_remb(&p, k->kbps * 1000ull, k->sent * 1000ull, now);
			}
			is = tier_pick_carries(&p) | (tier_pick_probe_bps(&p) ? PROBING : 0);
			if (is != k->carries)
				fail_msg("%s, step %td: %u", s->name, k - s->step, is);
		}
	}
}

/* An estimate that grows behind the picture's rate, as after a still, is no complaint. */
static void test_an_estimate_that_rises(void **state)
{
	int64_t now = START_S * NS_PER_S;
	struct tier_pick p;

	(void)state;
	tier_pick_init(&p, LADDER, 3, AUDIO);
	for (uint64_t bps = 160000; bps < 2000000; bps += bps / 12, now += NS_PER_S)
		assert_false(tier_pick_remb(&p, bps, 1500000, now));
	/* Falling, in a saw, is one. */
	assert_false(tier_pick_remb(&p, 1200000, 1500000, now));
	assert_false(tier_pick_remb(&p, 1250000, 1500000, now + 1 * NS_PER_S));
	assert_false(tier_pick_remb(&p, 1300000, 1500000, now + 2 * NS_PER_S));
	assert_true(tier_pick_remb(&p, 1150000, 1500000, now + 3 * NS_PER_S));
	assert_int_equal(tier_pick_carries(&p), 1);
}

static void test_a_probe_adds_what_is_missing(void **state)
{
	int64_t now = START_S * NS_PER_S;
	struct tier_pick p;

	(void)state;
	tier_pick_init(&p, LADDER, 3, AUDIO);
	tier_pick_may_probe(&p, true);
	for (int i = 0; i < 4; i++, now += NS_PER_S)
		tier_pick_loss(&p, LOST_10, now);
	for (int i = 0; i < 11; i++, now += NS_PER_S)
		tier_pick_loss(&p, 0, now);
	assert_int_equal(tier_pick_probe_bps(&p), 1000000);
	/* Nobody says how it went. */
	tier_pick_tick(&p, now + 4 * NS_PER_S);
	assert_int_equal(tier_pick_probe_bps(&p), 1000000);
	tier_pick_tick(&p, now + TIER_PICK_PROBE_MAX_MS * NS_PER_MS);
	assert_int_equal(tier_pick_probe_bps(&p), 0);
	assert_int_equal(tier_pick_carries(&p), 1);
	for (int i = 0; i < 21; i++, now += NS_PER_S)
		tier_pick_loss(&p, 0, now);
	assert_int_equal(tier_pick_probe_bps(&p), 1000000);
	tier_pick_limit(&p, 1);
	assert_int_equal(tier_pick_probe_bps(&p), 0);
	/* The top has nothing above it. */
	tier_pick_init(&p, LADDER, 3, AUDIO);
	tier_pick_may_probe(&p, true);
	for (int i = 0; i < 60; i++, now += NS_PER_S) {
		tier_pick_loss(&p, 0, now);
		assert_int_equal(tier_pick_probe_bps(&p), 0);
	}
}

/* The receiver's own limit is for the picture alone, and lifted by another. */
static void test_a_limit_of_the_receiver(void **state)
{
	int64_t now = START_S * NS_PER_S;
	struct tier_pick p;

	(void)state;
	tier_pick_init(&p, LADDER, 3, AUDIO);
	assert_false(tier_pick_cap(&p, 1500000, now));
	assert_true(tier_pick_cap(&p, 1499999, now));
	assert_int_equal(tier_pick_carries(&p), 1);
	assert_false(tier_pick_cap(&p, 500000, now));
	for (int i = 0; i < 60; i++, now += NS_PER_S) {
		assert_false(tier_pick_loss(&p, 0, now));
		assert_false(tier_pick_remb(&p, 9000000, 0, now));
	}
	assert_true(tier_pick_cap(&p, 0, now));
	assert_int_equal(tier_pick_carries(&p), 2);
	/* What the connection does not carry stays away when the limit goes. */
	now += TIER_PICK_CLEAN_MS * NS_PER_MS;
	assert_true(tier_pick_cap(&p, 600000, now));
	for (int i = 0; i < 3; i++, now += NS_PER_S)
		tier_pick_loss(&p, LOST_10, now);
	assert_int_equal(tier_pick_carries(&p), 2);
	now += TIER_PICK_CLEAN_MS * NS_PER_MS;
	assert_false(tier_pick_cap(&p, 9000000, now));
	assert_int_equal(tier_pick_carries(&p), 2);
}

/* Down at once; up only when the limit has held, with or without another request. */
static void test_a_higher_limit_waits(void **state)
{
	int64_t now = START_S * NS_PER_S, hold = TIER_PICK_CLEAN_MS * NS_PER_MS;
	struct tier_pick p;
	int changes = 0;

	(void)state;
	tier_pick_init(&p, LADDER, 3, AUDIO);
	assert_true(tier_pick_cap(&p, 600000, now));
	assert_false(tier_pick_cap(&p, 9000000, now));
	assert_true(tier_pick_cap(&p, 1000, now)); /* what was to come is no more */
	assert_int_equal(tier_pick_carries(&p), 2);
	assert_false(tier_pick_tick(&p, now + hold));
	now += hold / 2;
	assert_false(tier_pick_cap(&p, 600000, now));
	assert_false(tier_pick_cap(&p, 9000000, now));
	assert_false(tier_pick_tick(&p, now + hold / 2 - 1));
	assert_int_equal(tier_pick_carries(&p), 2);
	now += hold / 2;
	assert_true(tier_pick_tick(&p, now)); /* the last one wins */
	assert_int_equal(tier_pick_carries(&p), 0);
	assert_false(tier_pick_tick(&p, now + hold));
	/* A thousand a second: once up and once down in each hold. */
	for (int ms = 0; ms < 5 * TIER_PICK_CLEAN_MS; ms++, now += NS_PER_MS) {
		changes += tier_pick_cap(&p, ms % 2 ? 10000000 : 1000, now);
		changes += ms % 1000 == 0 && tier_pick_tick(&p, now);
	}
	assert_in_range(changes, 2, 10);
}

/* A change is told once; a ladder of one rung has nowhere to go. */
static void test_edges(void **state)
{
	int64_t now = START_S * NS_PER_S;
	struct tier_pick p;
	int changes = 0;

	(void)state;
	tier_pick_init(&p, LADDER, 3, AUDIO);
	for (int i = 0; i < 100; i++)
		changes += tier_pick_loss(&p, 200, now + i * NS_PER_S);
	assert_int_equal(changes, 2);
	tier_pick_init(&p, LADDER, 1, AUDIO);
	tier_pick_limit(&p, 7);
	for (int i = 0; i < 100; i++) {
		assert_false(tier_pick_loss(&p, 255, now + i * NS_PER_S));
		assert_false(tier_pick_remb(&p, 1000, 0, now + i * NS_PER_S));
	}
	assert_int_equal(tier_pick_carries(&p), 0);
	assert_false(tier_pick_remb(&p, UINT64_MAX, UINT64_MAX, now + 100 * NS_PER_S));
	/* A limit that is lifted leaves what the connection carried. */
	tier_pick_init(&p, LADDER, 3, AUDIO);
	tier_pick_limit(&p, 2);
	for (int i = 0; i < 10; i++)
		assert_false(tier_pick_loss(&p, 255, now + i * NS_PER_S));
	tier_pick_limit(&p, 0);
	assert_int_equal(tier_pick_carries(&p), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_an_estimate_that_rises),
		cmocka_unit_test(test_a_probe_adds_what_is_missing),
		cmocka_unit_test(test_a_limit_of_the_receiver),
		cmocka_unit_test(test_a_higher_limit_waits),
		cmocka_unit_test(test_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
