/* Looking at a leg's packets: from CTL to its transport and back. */
#include <errno.h>
#include <stdlib.h>

#include "mcu/room/leg_net_priv.h"
#include "mcu/room/room_priv.h"

struct tap_change {
	struct tap *tap;
	mbox_fn *done;
	void *obj;
};

static void tap_job(void *obj, void *arg)
{
	struct leg_net *l = obj;
	struct tap_change *c = arg;

	role_assert_net();
	l->tap = c->tap;
	if (l->transport)
		transport_set_tap(l->transport, l->tap);
	if (c->done)
		engine_post(l->cfg.engine->ctl, c->done, c->obj, NULL);
	free(c);
}

void leg_net_set_tap(struct leg_net *l, struct tap *tap, mbox_fn *done, void *obj)
{
	struct tap_change *c = malloc(sizeof *c);

	if (!c)
		abort();
	*c = (struct tap_change){ .tap = tap, .done = done, .obj = obj };
	engine_post(net_shard_mbox(l->shard), tap_job, l, c);
}

int leg_tap(struct leg *l, struct tap *tap, mbox_fn *released, void *obj)
{
	if (l->tap_released || l->gone)
		return -EBUSY;
	l->tap_released = released;
	l->tap_obj = obj;
	leg_net_set_tap(l->net, tap, NULL, NULL);
	return 0;
}

void leg_untap(struct leg *l)
{
	if (!l->tap_released)
		return;
	leg_net_set_tap(l->net, NULL, l->tap_released, l->tap_obj);
	l->tap_released = NULL;
}
