/* Content where it goes both ways: the peer has the line all the time, and presents as long
 * as packets come by it. */
#include "mcu/room/leg_net_priv.h"

static bool both_ways(const struct leg_media *m)
{
	return m->content.rx && m->content.tx;
}

static void ctl_content(void *obj, void *arg)
{
	struct leg_net *l = obj;

	role_assert_ctl();
	if (l->cfg.ev->content)
		l->cfg.ev->content(l->cfg.obj, arg);
}

ON_THREAD(ROLE_NET) static void set_comes(struct leg_net *l, bool comes)
{
	l->content_comes = comes;
	engine_post(l->cfg.engine->ctl, ctl_content, l, comes ? l : NULL);
}

void leg_net_content_in(struct leg_net *l, int64_t arrival_ns)
{
	l->content_ns = arrival_ns;
	if (!l->content_comes && both_ways(&l->media))
		set_comes(l, true);
}

void leg_net_content_tick(struct leg_net *l, int64_t now_ns)
{
	if (l->content_comes && now_ns - l->content_ns > LEG_CONTENT_QUIET_MS * NS_PER_MS)
		set_comes(l, false);
}

/* Content that went one way was presented without a word of here: whether it still comes
 * is seen from now on. */
void leg_net_content_agreed(struct leg_net *l, const struct leg_media *m)
{
	if (!both_ways(m)) {
		l->content_comes = false;
		return;
	}
	if (l->media.content.rx && !l->media.content.tx) {
		l->content_comes = true;
		l->content_ns = net_shard_now_ns(l->shard);
	}
}

static void watch_job(void *obj, void *arg)
{
	struct leg_net *l = obj;

	role_assert_net();
	l->watch_content = (uint32_t)(uintptr_t)arg;
	if (!l->closing)
		leg_net_sync(l);
}

void leg_net_watch_content(struct leg_net *l, uint32_t encode_id)
{
	engine_post(net_shard_mbox(l->shard), watch_job, l, (void *)(uintptr_t)encode_id);
}
