/* What a room's picture allocates when nobody comes or goes: nothing by our own
 * objects (L7). Those are linked with the allocation functions wrapped, which the
 * libraries are not; theirs are counted apart and printed. */
#include "tests/mcu/room/room_video_rig.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS_ALLOCATIONS 0
#else
#define COUNTS_ALLOCATIONS 1
#endif

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

static size_t ours, all;
static bool counting;

#if COUNTS_ALLOCATIONS
void *malloc(size_t n)
{
	all += counting;
	return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	all += counting;
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	all += counting;
	return __libc_realloc(p, n);
}

int posix_memalign(void **out, size_t align, size_t n)
{
	all += counting;
	*out = __libc_memalign(align, n);
	return *out ? 0 : 12 /* ENOMEM */;
}

/* By the linker's --wrap, for calls from our objects. */
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
int __wrap_posix_memalign(void **out, size_t align, size_t n);
char *__wrap_strdup(const char *s);

void *__wrap_malloc(size_t n)
{
	ours += counting;
	return malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	ours += counting;
	return calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	ours += counting;
	return realloc(p, n);
}

int __wrap_posix_memalign(void **out, size_t align, size_t n)
{
	ours += counting;
	return posix_memalign(out, align, n);
}

char *__wrap_strdup(const char *s)
{
	ours += counting;
	return strcpy(malloc(strlen(s) + 1), s);
}
#endif

enum { SETTLE = 60, TICKS = 90 };

/* Both cameras send another grey each time, and the border moves from one to the
 * other: every tick decodes two pictures, composes, encodes, and packs packets. */
static void run_ticks(struct rig *r, int n)
{
	for (int i = 0; i < n; i++) {
		counting = false;
		for (int k = 0; k < LEGS; k++)
			shoot(r, &r->cam[k], (uint8_t)(60 + 7 * ((i + 5 * k) % 20)), rig_now(r));
		r->n_out = 0;
		counting = true;
		rig_advance(r, 33);
	}
	counting = false;
}

static void test_steady_state_allocates_nothing(void **state)
{
	struct tick_stats before, after;
	struct video_leg_stats leg;
	struct rig *r;
	uint64_t frames;

	(void)state;
	if (!COUNTS_ALLOCATIONS)
		skip();
	role_assert_ctl();
	r = rig_open();
	r->moving = true;
	for (int k = 0; k < LEGS; k++)
		video_leg_set_wanted(r->cam[k].leg, true);
	rig_route(r, true, 0);
	run_ticks(r, SETTLE);
	tick_get_stats(r->tick, &before);
	ours = all = 0;
	run_ticks(r, TICKS);
	tick_get_stats(r->tick, &after);
	for (int k = 0; k < LEGS; k++) {
		video_leg_get_stats(r->cam[k].leg, &leg);
		assert_true(leg.decoded >= TICKS);
	}
	frames = after.frames - before.frames - (after.unchanged - before.unchanged);
	assert_in_range(frames, TICKS * 8 / 10, TICKS + 1);
	print_message("%zu allocations of ours, %.1f of libraries per picture that was encoded\n", ours,
		      (double)(all - ours) / (double)frames);
	assert_int_equal(ours, 0);
	rig_close(r);
}

/* The wrapping is in force: a routing is made by our own objects alone. */
static void test_ours_are_counted(void **state)
{
	struct routing *s;

	(void)state;
	if (!COUNTS_ALLOCATIONS)
		skip();
	role_assert_ctl();
	counting = true;
	ours = all = 0;
	s = routing_new(1, 1, 1);
	counting = false;
	assert_non_null(s);
	routing_free(&s);
	assert_true(ours > 0);
	assert_int_equal(all, ours);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ours_are_counted),
		cmocka_unit_test(test_steady_state_allocates_nothing),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
