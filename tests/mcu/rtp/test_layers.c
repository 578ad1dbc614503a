#include "mcu/rtp/layers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct rtp_layer unknown = { .known = false };

static struct rtp_layer at(uint8_t tid, uint8_t tl0)
{
	return (struct rtp_layer){ .known = true, .tid = tid, .tl0 = tl0 };
}

static void key(struct rtp_layers *s, uint8_t tl0)
{
	struct rtp_layer f = at(0, tl0);

	rtp_layers_key(s, &f);
}

static bool admit(struct rtp_layers *s, uint8_t tid, uint8_t tl0)
{
	struct rtp_layer f = at(tid, tl0);

	return rtp_layers_admit(s, &f);
}

static bool bridges(const struct rtp_layers *s, uint8_t tid, uint8_t tl0)
{
	struct rtp_layer f = at(tid, tl0);

	return rtp_layers_bridges(s, &f);
}

static void without_loss_all_are_good(void **state)
{
	struct rtp_layers s;

	(void)state;
	key(&s, 254);
	for (unsigned i = 0; i < 2000; i++)
		assert_true(admit(&s, i % 4 == 3 ? 0 : i % 2 ? 1 : 2,
				  (uint8_t)(254 + (i + 1) / 4)));
	rtp_layers_key(&s, &unknown);
	for (int i = 0; i < 10; i++)
		assert_true(rtp_layers_admit(&s, &unknown));
}

static void the_base_layer_is_counted(void **state)
{
	struct rtp_layers s;

	(void)state;
	key(&s, 255);
	assert_true(bridges(&s, 0, 0));    /* the next of layer 0, wrapped */
	assert_true(bridges(&s, 2, 255));  /* still of this one */
	assert_false(bridges(&s, 0, 255));
	assert_false(bridges(&s, 0, 1));
	assert_false(bridges(&s, 1, 0));   /* its base is missing */
	assert_true(admit(&s, 1, 255));
	assert_true(admit(&s, 0, 0));
	assert_true(bridges(&s, 0, 1));
	assert_false(rtp_layers_bridges(&s, &unknown));
	/* once a frame does not say it, nothing is known until a key frame */
	assert_true(rtp_layers_admit(&s, &unknown));
	assert_false(bridges(&s, 0, 1));
	key(&s, 0);
	assert_true(bridges(&s, 0, 1));
	rtp_layers_key(&s, &unknown);
	assert_false(bridges(&s, 0, 1));
}

static void lost_layers_return_with_a_sync(void **state)
{
	struct rtp_layer sync1 = at(1, 2), sync2 = at(2, 3), free2 = at(2, 1);
	struct rtp_layers s;

	(void)state;
	sync1.sync = sync2.sync = true;
	free2.discardable = true;
	key(&s, 0);
	rtp_layers_lose(&s, NULL);
	assert_true(admit(&s, 0, 1));
	assert_false(admit(&s, 1, 1));
	assert_false(admit(&s, 2, 1));
	assert_true(admit(&s, 0, 2));
	assert_true(rtp_layers_admit(&s, &sync1));
	assert_false(admit(&s, 2, 2)); /* layer 2 is still not whole */
	assert_true(admit(&s, 1, 2));
	assert_true(admit(&s, 0, 3));
	assert_true(rtp_layers_admit(&s, &sync2));
	assert_true(admit(&s, 2, 3));
	/* a sync frame that is not kept as a reference does not heal */
	rtp_layers_lose(&s, NULL);
	sync1.discardable = true;
	assert_true(rtp_layers_admit(&s, &sync1));
	assert_false(admit(&s, 1, 3));
	/* nor does a lost one that is not kept hurt */
	key(&s, 0);
	rtp_layers_lose(&s, &free2);
	assert_true(admit(&s, 2, 0));
	/* one frame of layer 2 leaves layer 1 alone */
	free2.discardable = false;
	rtp_layers_lose(&s, &free2);
	assert_true(admit(&s, 1, 0));
	assert_false(admit(&s, 2, 0));
	key(&s, 0);
	assert_true(admit(&s, 2, 0));
}

static void lost_layers_return_at_a_switching_point(void **state)
{
	struct rtp_layer up0 = at(0, 1), up1 = at(1, 1);
	struct rtp_layers s;

	(void)state;
	up0.switch_up = up1.switch_up = true;
	key(&s, 0);
	rtp_layers_lose(&s, NULL);
	assert_false(rtp_layers_admit(&s, &up1)); /* it needs layer 1 itself */
	assert_false(admit(&s, 2, 0));
	assert_true(rtp_layers_admit(&s, &up0));
	assert_true(admit(&s, 2, 1));
	assert_true(admit(&s, 1, 1));
	rtp_layers_lose(&s, &(struct rtp_layer){ .known = true, .tid = 2 });
	assert_false(admit(&s, 2, 1));
	assert_true(rtp_layers_admit(&s, &up1));
	assert_true(admit(&s, 2, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_loss_all_are_good),
		cmocka_unit_test(the_base_layer_is_counted),
		cmocka_unit_test(lost_layers_return_with_a_sync),
		cmocka_unit_test(lost_layers_return_at_a_switching_point),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
