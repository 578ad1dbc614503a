/* The sockets of SIP calls, and what they add to a leg's side of a negotiation. */
#include "mcu/conference_priv.h"
#include "mcu/media_plan.h"

#include <errno.h>

static const enum neg_role role_of[RTP_LINES] = {
	[RTP_LINE_AUDIO] = NEG_ROLE_AUDIO,
	[RTP_LINE_CAMERA] = NEG_ROLE_CAMERA,
	[RTP_LINE_CONTENT] = NEG_ROLE_CONTENT,
};

int conference_ports_new(void *ctx, const char *local, struct rtp_ports **out, struct errmsg *why)
{
	struct conference *c = ctx;
	const struct engine *e = c->cfg.engine;

	role_assert_ctl();
	return rtp_ports_new(out, c->rtp_range, local,
			     e->n_shards ? c->next_shard++ % (unsigned)e->n_shards : 0, why);
}

int conference_ports_on(void *ctx, const char *local, unsigned shard, struct rtp_ports **out,
			struct errmsg *why)
{
	struct conference *c = ctx;

	role_assert_ctl();
	return rtp_ports_new(out, c->rtp_range, local, shard, why);
}

void conference_ports_withhold(void *ctx, struct rtp_ports *ports, bool withhold)
{
	(void)ctx;
	role_assert_ctl();
	rtp_ports_withhold(ports, withhold);
}

void conference_ports_free(void *ctx, struct rtp_ports **ports)
{
	(void)ctx;
	role_assert_ctl();
	rtp_ports_unref(ports);
}

ON_THREAD(ROLE_CTL) static int add_line(struct leg_handle *p, enum rtp_line i,
					struct neg_policy *out, struct errmsg *why)
{
	struct neg_media_policy *mp = &out->media[role_of[i]];
	const struct rtp_sdes *ours = rtp_ports_sdes(p->ports, i);
	int err = mp->enabled ? rtp_ports_open(p->ports, i, why) : 0;

	if (err)
		return err == -EADDRINUSE ? -EBUSY : err;
	for (int k = 0; k < RTP_SUITES; k++)
		p->sdes[i][k] = (struct neg_sdes){ ours[k].suite, ours[k].key };
	mp->port = rtp_ports_port(p->ports, i);
	mp->sdes = p->sdes[i];
	mp->n_sdes = RTP_SUITES;
	return 0;
}

int call_ports_local(struct leg_handle *p, struct neg_policy *out, struct errmsg *why)
{
	int err = 0;

	for (enum rtp_line i = RTP_LINE_AUDIO; i < RTP_LINES && !err; i++)
		err = add_line(p, i, out, why);
	out->address = rtp_ports_address(p->ports);
	return err;
}

/* After an offer of ours another answer may still come (RFC 3261 13.2.2.4), for which
 * all lines stay open. */
void call_ports_agreed(struct leg_handle *p, const struct neg_plan *plan,
		       const struct leg_media *m)
{
	for (enum rtp_line i = RTP_LINE_AUDIO; i < RTP_LINES; i++) {
		if (m->udp && m->line[i].used)
			rtp_ports_use(p->ports, i);
		else if (!plan->we_offered)
			rtp_ports_close_unused(p->ports, i);
	}
}
