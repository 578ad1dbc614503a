#include "mcu/room/overload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/base/clock.h"

enum { ROOMS = 8, CORES = 2, WINDOW = OVERLOAD_WINDOW_MS };

/* A machine: what each room wants of it at full rate, in permille of a processor;
 * when that is more than there is, the share that is too much comes late. */
struct world {
	struct overload o;
	struct overload_room room[ROOMS], *list[ROOMS];
	unsigned want[ROOMS]; /* at OVERLOAD_NONE */
	size_t n;
	unsigned cores_permille; /* that others leave */
	int64_t now_ns;
	unsigned changes, used;
	bool forced; /* late_percent instead of what follows from the load */
	unsigned late_percent, alone_percent; /* the latter of room 0 */
	uint64_t audio_missed;
	int64_t overdue_ns;
};

static void world_init(struct world *w, size_t n, unsigned each)
{
	*w = (struct world){ .n = n, .cores_permille = CORES * 1000, .now_ns = NS_PER_S };
	overload_init(&w->o);
	for (size_t i = 0; i < n; i++) {
		w->list[i] = &w->room[i];
		w->want[i] = each;
	}
}

/* A third is decoding, which only freezing saves; the rest goes by the pictures. */
static unsigned demand(const struct world *w, size_t i)
{
	enum overload_level level = w->room[i].level;
	unsigned rest = w->want[i] - w->want[i] / 3;

	if (level == OVERLOAD_FROZEN)
		return rest / 30;
	rest = rest * (unsigned)overload_fps(level, 30) / 30;
	return w->want[i] / 3 + (level == OVERLOAD_NO_TOP ? rest / 2 : rest);
}

static void window(struct world *w)
{
	unsigned sum = 0, late = w->late_percent;
	struct overload_load l = {
		.processors_ns = CORES * (uint64_t)WINDOW * NS_PER_MS,
		.audio_missed = w->audio_missed, .overdue_ns = w->overdue_ns,
	};

	for (size_t i = 0; i < w->n; i++)
		sum += demand(w, i);
	if (!w->forced)
		late = sum <= w->cores_permille ? 0 : (sum - w->cores_permille) * 100 / sum + 15;
	if (late > 100)
		late = 100;
	w->used = sum < w->cores_permille ? sum : w->cores_permille;
	l.permille = w->used / CORES;
	for (size_t i = 0; i < w->n; i++) {
		w->room[i].jobs = 100;
		w->room[i].late = !i && w->alone_percent ? w->alone_percent : late;
		w->room[i].cpu_ns = (uint64_t)demand(w, i) * w->used / (sum ? sum : 1) *
				    (WINDOW * NS_PER_MS / 1000);
	}
	w->now_ns += WINDOW * NS_PER_MS;
	w->changes += overload_step(&w->o, &l, w->list, w->n, w->now_ns);
}

static void pass(struct world *w, unsigned seconds)
{
	for (unsigned i = 0; i < seconds * 1000 / WINDOW; i++)
		window(w);
}

/* Goes on until the room is at the level; how many windows that took. */
static unsigned until(struct world *w, size_t room, enum overload_level level, unsigned most)
{
	unsigned n = 0;

	while (w->room[room].level != level && n++ < most)
		window(w);
	assert_int_equal(w->room[room].level, level);
	return n;
}

static void the_order_is_that_of_the_law(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 1, 1000);
	w.forced = true;
	w.late_percent = 100;
	assert_int_equal(until(&w, 0, OVERLOAD_FPS_2_3, 9), OVERLOAD_FIRST_WINDOWS);
	assert_int_equal(until(&w, 0, OVERLOAD_FPS_1_2, 9), OVERLOAD_NEXT_WINDOWS);
	assert_int_equal(until(&w, 0, OVERLOAD_FPS_1_3, 9), OVERLOAD_NEXT_WINDOWS);
	assert_int_equal(until(&w, 0, OVERLOAD_NO_TOP, 9), OVERLOAD_NEXT_WINDOWS);
	assert_int_equal(until(&w, 0, OVERLOAD_FROZEN, 9), OVERLOAD_NEXT_WINDOWS);
	pass(&w, 60);
	assert_int_equal(w.room[0].level, OVERLOAD_FROZEN);
	assert_int_equal(w.changes, 5);
}

static void a_recorded_top_rung_is_never_dropped(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 1, 1000);
	w.forced = true;
	w.late_percent = 100;
	w.room[0].keeps_top = true;
	until(&w, 0, OVERLOAD_FPS_1_3, 20);
	assert_int_equal(until(&w, 0, OVERLOAD_FROZEN, 9), OVERLOAD_NEXT_WINDOWS);
	w.late_percent = 0;
	until(&w, 0, OVERLOAD_FPS_1_3, 100);
}

static void mild_strain_freezes_nobody(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 1, 1000);
	w.forced = true;
	w.late_percent = OVERLOAD_LATE_PERCENT;
	pass(&w, 600);
	assert_int_equal(w.room[0].level, OVERLOAD_NO_TOP);
	w.audio_missed = 1; /* but sound comes first */
	until(&w, 0, OVERLOAD_FROZEN, 9);
}

static void no_more_rooms_freeze_than_must(void **state)
{
	struct world w;
	size_t frozen = 0;

	(void)state;
	world_init(&w, ROOMS, 1000);
	w.forced = true;
	w.late_percent = 100;
	until(&w, 0, OVERLOAD_NO_TOP, 20);
	for (int i = 0; i < OVERLOAD_NEXT_WINDOWS; i++)
		window(&w);
	for (size_t i = 0; i < ROOMS; i++)
		frozen += w.room[i].level == OVERLOAD_FROZEN;
	assert_int_equal(frozen, ROOMS / 4);
	w.late_percent = OVERLOAD_LATE_PERCENT; /* that was enough */
	pass(&w, 60);
	for (size_t i = 0; i < ROOMS; i++)
		frozen -= w.room[i].level == OVERLOAD_FROZEN;
	assert_int_equal(frozen, 0);
	w.late_percent = 100; /* it was not */
	pass(&w, 10);
	for (size_t i = 0; i < ROOMS; i++)
		assert_int_equal(w.room[i].level, OVERLOAD_FROZEN);
}

static void a_room_that_is_late_alone_pays_alone(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, ROOMS, 50);
	w.room[1].level = OVERLOAD_FPS_2_3;
	w.alone_percent = OVERLOAD_LATE_PERCENT + 5; /* of its own jobs; of all few */
	assert_int_equal(until(&w, 0, OVERLOAD_FPS_2_3, 9), OVERLOAD_FIRST_WINDOWS);
	assert_int_equal(until(&w, 0, OVERLOAD_FPS_1_2, 9), OVERLOAD_FIRST_WINDOWS);
	w.alone_percent = 10;
	pass(&w, 60);
	assert_int_equal(w.room[0].level, OVERLOAD_FPS_1_2); /* not worse, not well */
	for (size_t i = 1; i < ROOMS; i++) /* and in nobody's way */
		assert_int_equal(w.room[i].level, OVERLOAD_NONE);
	w.alone_percent = 0;
	until(&w, 0, OVERLOAD_NONE, 60);
	/* never still: that would save others nothing */
	w.alone_percent = OVERLOAD_LATE_PERCENT + 5;
	pass(&w, 60);
	assert_int_equal(w.room[0].level, OVERLOAD_NO_TOP);
}

/* Too slow alone at full rate, fine at two thirds: it tries ever more seldom, and
 * the others have the patience they had. */
static void who_is_late_alone_waits_alone(void **state)
{
	struct world w;
	unsigned changes;

	(void)state;
	world_init(&w, ROOMS, 50);
	for (int i = 0; i < 1200; i++) {
		w.alone_percent = w.room[0].level == OVERLOAD_NONE ? OVERLOAD_LATE_PERCENT + 5 : 0;
		window(&w);
	}
	assert_in_range(w.changes, 3, 20);
	w.room[1].level = OVERLOAD_FPS_2_3;
	w.alone_percent = 0;
	until(&w, 1, OVERLOAD_NONE, 3 * OVERLOAD_PATIENCE_MS / WINDOW);
	changes = w.changes;
	/* it is well */
	pass(&w, 2 * OVERLOAD_PATIENCE_MAX_MS / 1000);
	assert_int_equal(w.room[0].level, OVERLOAD_NONE);
	assert_true(w.changes - changes <= 2);
}

static void what_is_strain(void **state)
{
	static const struct {
		unsigned late_percent;
		int overdue_ms;
		uint64_t audio_missed;
		bool strain;
	} cases[] = {
		{ 0, 0, 0, false },
		{ OVERLOAD_LATE_PERCENT - 1, 0, 0, false },
		{ OVERLOAD_LATE_PERCENT, 0, 0, true },
		{ 0, OVERLOAD_OVERDUE_MS - 1, 0, false },
		{ 0, OVERLOAD_OVERDUE_MS, 0, true },
		{ 0, 0, 1, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct world w;

		world_init(&w, 1, 1000);
		w.forced = true;
		w.late_percent = cases[i].late_percent;
		w.overdue_ns = cases[i].overdue_ms * NS_PER_MS;
		w.audio_missed = cases[i].audio_missed;
		pass(&w, 5);
		assert_int_equal(w.room[0].level != OVERLOAD_NONE, cases[i].strain);
	}
}

static void a_short_jam_changes_nothing(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 3, 300);
	w.forced = true;
	for (int i = 0; i < 100; i++) {
		w.late_percent = 100;
		for (int k = 0; k < OVERLOAD_FIRST_WINDOWS - 1; k++)
			window(&w);
		w.late_percent = 0;
		window(&w);
	}
	assert_int_equal(w.changes, 0);
	/* nor do three late jobs of a room that has hardly any */
	w.forced = false;
	w.n = 0;
	pass(&w, 60);
	assert_int_equal(w.changes, 0);
}

static void who_is_dear_pays_and_small_rooms_do_not(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 4, 200);
	w.want[2] = 2500;
	pass(&w, 30);
	assert_int_not_equal(w.room[2].level, OVERLOAD_NONE);
	for (size_t i = 0; i < 4; i++)
		if (i != 2)
			assert_int_equal(w.room[i].level, OVERLOAD_NONE);
	assert_true(w.used < 2000);
	assert_true(w.room[2].handicap_ns > 0);
	assert_int_equal(w.room[0].handicap_ns, 0);
	/* when it has nothing left to give, the others follow */
	w.forced = true;
	w.late_percent = 100;
	until(&w, 2, OVERLOAD_FROZEN, 20);
	until(&w, 0, OVERLOAD_FPS_2_3, 9);
	assert_int_equal(w.room[3].level, OVERLOAD_FPS_2_3);
}

static void a_handicap_is_by_the_share_and_bounded(void **state)
{
	static const struct {
		unsigned want[3];
		int ms[3];
	} cases[] = {
		{ { 100, 100, 100 }, { 0, 0, 0 } },
		{ { 110, 100, 90 }, { 0, 0, 0 } },
		{ { 400, 100, 100 }, { 33, 0, 0 } },
		{ { 0, 0, 500 }, { 0, 0, 0 } }, /* alone */
		{ { 1, 1, 1000 }, { 0, 0, 65 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct world w;

		world_init(&w, 3, 0);
		memcpy(w.want, cases[i].want, sizeof w.want[0] * 3);
		window(&w);
		for (size_t k = 0; k < 3; k++)
			assert_in_range(w.room[k].handicap_ns / NS_PER_MS, cases[i].ms[k] ?
					cases[i].ms[k] - 1 : 0, cases[i].ms[k] + 1);
	}
}

static void recovery_is_in_reverse_and_takes_patience(void **state)
{
	struct world w;
	int64_t began;

	(void)state;
	world_init(&w, 1, 900);
	w.cores_permille = 10; /* others take everything */
	until(&w, 0, OVERLOAD_FROZEN, 60);
	w.cores_permille = 2000;
	began = w.now_ns;
	for (enum overload_level level = OVERLOAD_NO_TOP;; level--) {
		until(&w, 0, level, 60);
		assert_true(w.now_ns - began >= OVERLOAD_PATIENCE_MS * NS_PER_MS);
		began = w.now_ns;
		if (level == OVERLOAD_NONE)
			break;
	}
	pass(&w, 600);
	assert_int_equal(w.changes, 10);
}

static void it_does_not_flap(void **state)
{
	struct world w;
	unsigned changes;

	(void)state;
	/* Too much at full rate, fine at two thirds; others hide how much there is, so
	 * that it looks as if more could be had. */
	world_init(&w, 1, 700);
	w.cores_permille = 650;
	pass(&w, 10);
	assert_int_equal(w.room[0].level, OVERLOAD_FPS_2_3);
	pass(&w, 600);
	changes = w.changes;
	assert_in_range(changes, 3, 20); /* it tries, but ever more seldom */
	pass(&w, 600);
	assert_true(w.changes - changes <= 10);
	/* the others are gone */
	w.cores_permille = 2000;
	pass(&w, 2 * OVERLOAD_PATIENCE_MAX_MS / 1000);
	assert_int_equal(w.room[0].level, OVERLOAD_NONE);
}

/* What the rooms cannot help does not make them wait longer. */
static void strain_that_is_nobodys_is_no_relapse(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 1, 1000);
	w.forced = true;
	w.late_percent = 100;
	until(&w, 0, OVERLOAD_FROZEN, 60);
	w.late_percent = 0;
	w.want[0] = 0; /* all have left */
	until(&w, 0, OVERLOAD_NO_TOP, 60);
	w.audio_missed = 1;
	pass(&w, 5);
	w.audio_missed = 0;
	assert_int_equal(w.room[0].level, OVERLOAD_NO_TOP);
	pass(&w, 4 * (OVERLOAD_PATIENCE_MS / 1000 + 1));
	assert_int_equal(w.room[0].level, OVERLOAD_NONE);
}

static void nothing_is_given_back_that_does_not_fit(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, 1, 2600);
	pass(&w, 20);
	assert_int_not_equal(w.room[0].level, OVERLOAD_NONE);
	pass(&w, 600);
	assert_in_range(w.changes, 1, 20);
	assert_int_not_equal(w.room[0].level, OVERLOAD_NONE);
}

static void many_rooms_come_back_together_as_far_as_there_is_room(void **state)
{
	struct world w;
	unsigned before;

	(void)state;
	world_init(&w, ROOMS, 150);
	w.cores_permille = 800;
	pass(&w, 20);
	for (size_t i = 0; i < ROOMS; i++)
		assert_int_not_equal(w.room[i].level, OVERLOAD_NONE);
	w.cores_permille = 2000;
	before = w.changes;
	pass(&w, 60);
	for (size_t i = 0; i < ROOMS; i++)
		assert_int_equal(w.room[i].level, OVERLOAD_NONE);
	assert_true(w.changes - before <= 6);
}

static void pictures_per_second(void **state)
{
	static const struct {
		enum overload_level level;
		int of, is;
	} cases[] = {
		{ OVERLOAD_NONE, 30, 30 },    { OVERLOAD_FPS_2_3, 30, 20 },
		{ OVERLOAD_FPS_1_2, 30, 15 }, { OVERLOAD_FPS_1_3, 30, 10 },
		{ OVERLOAD_NO_TOP, 30, 10 },  { OVERLOAD_FROZEN, 30, 1 },
		{ OVERLOAD_FPS_1_3, 1, 1 },   { OVERLOAD_FPS_2_3, 15, 10 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(overload_fps(cases[i].level, cases[i].of), cases[i].is);
		assert_true(strlen(overload_text(cases[i].level)) > 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_is_that_of_the_law),
		cmocka_unit_test(a_recorded_top_rung_is_never_dropped),
		cmocka_unit_test(mild_strain_freezes_nobody),
		cmocka_unit_test(no_more_rooms_freeze_than_must),
		cmocka_unit_test(a_room_that_is_late_alone_pays_alone),
		cmocka_unit_test(who_is_late_alone_waits_alone),
		cmocka_unit_test(what_is_strain),
		cmocka_unit_test(a_short_jam_changes_nothing),
		cmocka_unit_test(who_is_dear_pays_and_small_rooms_do_not),
		cmocka_unit_test(a_handicap_is_by_the_share_and_bounded),
		cmocka_unit_test(recovery_is_in_reverse_and_takes_patience),
		cmocka_unit_test(it_does_not_flap),
		cmocka_unit_test(strain_that_is_nobodys_is_no_relapse),
		cmocka_unit_test(nothing_is_given_back_that_does_not_fit),
		cmocka_unit_test(many_rooms_come_back_together_as_far_as_there_is_room),
		cmocka_unit_test(pictures_per_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
