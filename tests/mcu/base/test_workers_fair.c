/* A room that wants more than there is does not make others late. One thread is
 * played by the fake clock: a job that runs takes its time on it. */
#include "mcu/base/workers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mcu/base/role.h"

enum { PERIOD_MS = 33, HEAVY = 3, HEAVY_MS = 20, LIGHT_MS = 3, SECONDS = 20 };

struct lane {
	struct clock *clock;
	struct strand *s;
	int64_t due_ns, cost_ns, end_ns;
	uint64_t runs;
};

static void post(struct lane *l);

/* As a room's clock does: what could not be made in time is left out. */
static void run(void *obj, void *arg)
{
	struct lane *l = obj;
	int64_t period = PERIOD_MS * NS_PER_MS;

	(void)arg;
	l->runs++;
	clock_fake_advance(l->clock, l->cost_ns);
	do
		l->due_ns += period;
	while (l->due_ns + period < clock_now_ns(l->clock));
	if (l->due_ns < l->end_ns)
		post(l);
}

static void post(struct lane *l)
{
	assert_int_equal(strand_post(l->s, run, l, NULL, l->due_ns,
				     l->due_ns + PERIOD_MS * NS_PER_MS), 0);
}

static void lane_open(struct lane *l, struct workers *w, struct clock *c, int cost_ms,
		      struct work_account *a)
{
	*l = (struct lane){ .clock = c, .due_ns = clock_now_ns(c), .cost_ns = cost_ms * NS_PER_MS,
			    .end_ns = clock_now_ns(c) + SECONDS * NS_PER_S };
	assert_int_equal(strand_new(&l->s, w, "lane"), 0);
	strand_charge(l->s, a);
	post(l);
}

/* The light room's late jobs, of all it had. */
static struct work_done compete(int64_t handicap_ns, uint64_t *heavy_runs)
{
	struct work_account *heavy, *light;
	struct lane lane[HEAVY + 1];
	struct work_done d;
	struct workers *w;
	struct clock c;

	clock_fake_init(&c, NS_PER_S);
	assert_int_equal(workers_new(&w, &c, 0, 5), 0);
	assert_int_equal(work_account_new(&heavy, w), 0);
	assert_int_equal(work_account_new(&light, w), 0);
	work_account_set_handicap(heavy, handicap_ns);
	for (int i = 0; i < HEAVY; i++)
		lane_open(&lane[i], w, &c, HEAVY_MS, heavy);
	lane_open(&lane[HEAVY], w, &c, LIGHT_MS, light);
	for (int ms = 0; ms < (SECONDS + 1) * 1000; ms++) {
		workers_run_due(w);
		clock_fake_advance(&c, NS_PER_MS);
	}
	*heavy_runs = 0;
	for (int i = 0; i <= HEAVY; i++) {
		*heavy_runs += i < HEAVY ? lane[i].runs : 0;
		strand_free(&lane[i].s);
	}
	work_account_get(light, &d);
	work_account_free(&heavy);
	work_account_free(&light);
	workers_free(&w);
	return d;
}

static void a_heavy_room_does_not_make_a_light_one_late(void **state)
{
	uint64_t equal_runs, behind_runs;
	struct work_done equal = compete(0, &equal_runs), behind;

	(void)state;
	/* by deadline alone everybody is late */
	assert_true(equal.late * 2 > equal.jobs);
	behind = compete(100 * NS_PER_MS, &behind_runs);
	assert_int_equal(behind.late, 0);
	assert_in_range(behind.jobs, SECONDS * 1000 / PERIOD_MS - 1, SECONDS * 1000 / PERIOD_MS + 1);
	/* and the heavy one has what is left: hardly less than before */
	assert_true(behind_runs * 10 > equal_runs * 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_heavy_room_does_not_make_a_light_one_late),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
