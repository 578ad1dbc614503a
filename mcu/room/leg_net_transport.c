/* Which transport a leg has, and what another negotiation changes of it. */
#include "mcu/net/ice.h"
#include "mcu/net/rtp_tcp.h"
#include "mcu/net/rtp_udp.h"
#include "mcu/room/leg_net_priv.h"

#include <errno.h>

static struct ice_cfg ice_cfg_of(const struct leg_net *l) ON_THREAD(ROLE_NET)
{
	struct ice_cfg ice = *l->cfg.engine->cfg.ice;

	ice.local_ufrag = l->media.local.ufrag;
	ice.local_pwd = l->media.local.pwd;
	ice.publishes = leg_net_publishes(l);
	return ice;
}

/* The room may take less of it than was agreed on. */
static struct rtp_udp_cfg udp_cfg_of(const struct leg_net *l)
{
	const struct engine_cfg *e = &l->cfg.engine->cfg;
	struct rtp_udp_cfg c = {
		.ports = l->cfg.ports, .signaling = l->media.peer,
		.silence_s = e->udp_silence_s, .max_rx_kbps = e->ice->max_rx_kbps,
	};

	for (enum rtp_line i = RTP_LINE_AUDIO; i < RTP_LINES; i++) {
		const struct leg_stream *s = leg_net_stream(l, i);

		c.line[i] = l->media.line[i];
		c.ssrc[i] = s->tx_ssrc;
		c.rtx_ssrc[i] = s->tx_rtx_ssrc;
	}
	return c;
}

int leg_net_transport_new(struct leg_net *l, const struct transport_events *ev)
{
	struct rtp_udp_cfg udp;
	struct ice_cfg ice;
	int err;

	if (l->media.udp) {
		if (!l->cfg.ports)
			return -EINVAL;
		udp = udp_cfg_of(l);
		err = rtp_ports_tcp(l->cfg.ports) ?
			      transport_tcp_new(&l->transport, l->shard, &udp, ev, l) :
			      transport_udp_new(&l->transport, l->shard, &udp, ev, l);
	} else {
		ice = ice_cfg_of(l);
		err = transport_ice_new(&l->transport, l->shard, &ice, ev, l);
	}
	if (!err)
		transport_set_tap(l->transport, l->tap);
	return err;
}

static int follow_ice(struct leg_net *l, bool restart) ON_THREAD(ROLE_NET)
{
	const struct leg_media *m = &l->media;
	struct transport_remote remote = {
		.ufrag = m->remote_ufrag, .pwd = m->remote_pwd, .fingerprint = m->remote_fingerprint,
		.setup = m->dtls_active ? TRANSPORT_ACTIVE : TRANSPORT_PASSIVE,
	};
	struct ice_cfg ice = ice_cfg_of(l);
	int err = 0;

	if (restart) {
		log_debug(&l->log, "ICE is restarted");
		err = transport_ice_restart(l->transport, &ice);
	}
	if (!err && leg_net_publishes(l))
		err = transport_ice_publish(l->transport);
	if (!err && m->remote_ufrag[0])
		err = transport_set_remote(l->transport, &remote);
	if (!err && m->data)
		err = transport_start_data(l->transport, m->sctp_port, m->max_message);
	return err;
}

int leg_net_transport_follow(struct leg_net *l, bool restart)
{
	struct rtp_udp_cfg udp;

	if (!l->media.udp)
		return follow_ice(l, restart);
	udp = udp_cfg_of(l);
	return rtp_ports_tcp(l->cfg.ports) ? transport_tcp_set(l->transport, &udp) :
					     transport_udp_set(l->transport, &udp);
}
