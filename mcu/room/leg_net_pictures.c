/* Key frames that are asked for by signaling, where RTCP does not do it (RFC 5168). */
#include "mcu/room/egress.h"
#include "mcu/room/leg_net_priv.h"

static void want_job(void *obj, void *arg)
{
	struct leg_net *l = obj;

	(void)arg;
	role_assert_net();
	if (l->closing)
		return;
	l->stats.downlink_video.plis++;
	egress_key_request(l->egress, &l->video);
	if (l->content.transport) { /* it does not say which */
		l->stats.downlink_content.plis++;
		egress_key_request(l->egress, &l->content);
	}
}

void leg_net_want_picture(struct leg_net *l)
{
	engine_post(net_shard_mbox(l->shard), want_job, l, NULL);
}

/* What its pictures begin with has not been sent. */
void leg_net_opened(void *obj)
{
	struct leg_net *l = obj;

	role_assert_net();
	l->video.wait_key = true;
	egress_key_request(l->egress, &l->video);
	if (l->content.transport) {
		l->content.wait_key = true;
		egress_key_request(l->egress, &l->content);
	}
}

static void ctl_ask(void *obj, void *arg)
{
	struct leg_net *l = obj;

	(void)arg;
	role_assert_ctl();
	if (l->cfg.ev->wants_picture)
		l->cfg.ev->wants_picture(l->cfg.obj);
}

void leg_net_ask_picture(struct leg_net *l)
{
	engine_post(l->cfg.engine->ctl, ctl_ask, l, NULL);
}
