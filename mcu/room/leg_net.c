#include "mcu/room/leg_net.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "mcu/base/hot.h"
#include "mcu/base/metrics.h"
#include "mcu/room/audio_format.h"
#include "mcu/room/ladder.h"
#include "mcu/room/leg_net_priv.h"

METRIC_COUNTER(m_silent, "mcu_leg_silent_total",
	       "Receivers that stopped reporting and are sent nothing until they do again.");

static void ctl_watching(void *obj, void *arg)
{
	struct leg_net *l = obj;

	role_assert_ctl();
	l->cfg.ev->watching(l->cfg.obj, (uint32_t)(uintptr_t)arg);
}

static void ctl_carries(void *obj, void *arg)
{
	struct leg_net *l = obj;

	role_assert_ctl();
	l->cfg.ev->carries(l->cfg.obj, (unsigned)(uintptr_t)arg);
}

void leg_net_carries(struct leg_net *l)
{
	engine_post(l->cfg.engine->ctl, ctl_carries, l,
		    (void *)(uintptr_t)tier_pick_carries(&l->pick));
}

void leg_net_probe(struct leg_net *l)
{
	uint32_t bps = tier_pick_probe_bps(&l->pick);

	if (bps && !l->video.pad_bps)
		l->video.pad_ns = l->video.pad_octets = 0;
	l->video.pad_bps = bps;
}

static void init_pick(struct leg_net *l)
{
	const struct engine_cfg *c = &l->cfg.engine->cfg;
	uint32_t bps[ENGINE_MAX_RUNGS];
	unsigned n = ladder_rungs(c);

	for (unsigned i = 0; i < n; i++)
		bps[i] = (uint32_t)ladder_rung(c, i).bps;
	tier_pick_init(&l->pick, bps, n, (uint32_t)c->listener_bps);
}

static void on_switched(struct out_stream *o)
{
	struct leg_net *l = (struct leg_net *)(void *)((char *)o - offsetof(struct leg_net, video));

	engine_post(l->cfg.engine->ctl, ctl_watching, l, (void *)(uintptr_t)o->group);
}

static void init_pictures(struct leg_net *l)
{
	l->in[LEG_NET_CAMERA] = (struct picture_in){
		.stream = &l->media.video, .to = l->cfg.video, .flow = &l->stats.uplink_video,
	};
	l->in[LEG_NET_CONTENT] = (struct picture_in){
		.stream = &l->media.content, .to = l->cfg.content,
		.flow = &l->stats.uplink_content,
	};
}

int leg_net_new(struct leg_net **out, const struct leg_net_cfg *cfg)
{
	struct leg_net *l = hot_calloc(sizeof *l);

	if (!l)
		return -ENOMEM;
	l->cfg = *cfg;
	l->shard = cfg->engine->shard[cfg->shard];
	l->egress = cfg->engine->egress[cfg->shard];
	snprintf(l->label, sizeof l->label, "%u", cfg->leg_id);
	l->log.leg = l->label;
	l->audio.leg_id = l->video.leg_id = l->content.leg_id = cfg->leg_id;
	l->video.switched = on_switched;
	out_stream_init(&l->video);
	out_stream_init(&l->content);
	init_pick(l);
	init_pictures(l);
	twcc_init(&l->twcc);
	lipsync_init(&l->lipsync, 48000, 90000);
	*out = l;
	return 0;
}

void leg_net_free(struct leg_net **l)
{
	if (*l)
		hot_free(*l, sizeof **l);
	*l = NULL;
}

static void ctl_candidate(void *obj, void *arg)
{
	struct leg_net *l = obj;

	role_assert_ctl();
	l->cfg.ev->candidate(l->cfg.obj, arg);
}

static void ctl_connected(void *obj, void *arg)
{
	struct leg_net *l = obj;

	(void)arg;
	role_assert_ctl();
	l->cfg.ev->connected(l->cfg.obj);
}

static void ctl_lost(void *obj, void *arg)
{
	struct leg_net *l = obj;

	role_assert_ctl();
	l->cfg.ev->lost(l->cfg.obj, arg);
}

static void ctl_closed(void *obj, void *arg)
{
	struct leg_net *l = obj;

	(void)arg;
	role_assert_ctl();
	l->cfg.ev->closed(l->cfg.obj);
}

static void tell(struct leg_net *l, mbox_fn *fn, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	engine_post(l->cfg.engine->ctl, fn, l, copy);
}

static void on_candidate(void *obj, const char *candidate)
{
	role_assert_net();
	tell(obj, ctl_candidate, candidate);
}

ON_THREAD(ROLE_NET) static void sync_picture(struct leg_net *l, struct out_stream *o,
					     const struct leg_stream *s, uint32_t watch)
{
	o->transport = l->connected && !l->silent && s->tx ? l->transport : NULL;
	if (o->transport && watch)
		l->unserved |= egress_watch(l->egress, watch, o) != 0;
	else
		egress_unwatch(l->egress, o);
}

/* Streams are registered when there is both a connection and an agreement. */
void leg_net_sync(struct leg_net *l)
{
	uint32_t group = audio_format_group(l->cfg.room_id,
					    audio_format_of(&l->media.audio.tx_format,
							    l->cfg.room_channels));

	l->unserved = false;
	l->audio.transport = l->connected && !l->silent && l->media.audio.tx ? l->transport : NULL;
	if (group && l->audio.transport)
		l->unserved = egress_listen(l->egress, group, &l->audio) != 0;
	else
		egress_unlisten(l->egress, &l->audio);
	sync_picture(l, &l->video, &l->media.video, l->watch);
	sync_picture(l, &l->content, &l->media.content, l->watch_content);
}

/* Has what it wishes, or nothing is there that could go on meanwhile: CTL may hold the
 * old encode for it. */
ON_THREAD(ROLE_NET) static void tell_served(struct leg_net *l)
{
	if (l->watch && !l->video.next_group && !l->unserved)
		engine_post(l->cfg.engine->ctl, ctl_watching, l, (void *)(uintptr_t)l->watch);
}

ON_THREAD(ROLE_NET) static void set_silent(struct leg_net *l, bool silent)
{
	if (silent)
		metric_add(&m_silent, 1);
	log_debug(&l->log, silent ? "it reports nothing any more and is sent nothing"
				  : "it reports again");
	l->silent = silent;
	leg_net_sync(l);
	tell_served(l);
}

ON_THREAD(ROLE_NET) static void on_timer(void *obj, int64_t due_ns)
{
	struct leg_net *l = obj;
	int64_t now = net_shard_now_ns(l->shard);

	(void)due_ns;
	role_assert_net();
	if (leg_net_publishes(l)) {
		ingress_tick(l, now);
		leg_net_digits_tick(l, now);
		leg_net_content_tick(l, now);
		leg_net_set_pace(l);
	}
	leg_rtcp_confirm(l, now);
	if (l->begins_until_ns)
		leg_rtcp_begin(l, now);
	if (now < l->report_due_ns)
		return;
	l->report_due_ns = now + (leg_net_publishes(l) ? LEG_REPORT_MS : LEG_VIEWER_TICK_MS) * NS_PER_MS -
			   LEG_TICK_MS * NS_PER_MS / 2;
	if (tier_pick_tick(&l->pick, now))
		leg_net_carries(l);
	leg_net_probe(l);
	if (l->unserved) {
		leg_net_sync(l);
		tell_served(l);
	}
	egress_key_poll(l->egress, &l->video);
	egress_key_poll(l->egress, &l->content);
	if (!l->silent && l->heard_ns && now - l->heard_ns > LEG_SILENT_MS * NS_PER_MS)
		set_silent(l, true);
	leg_rtcp_report(l, now);
}

/* How often a leg needs its timer: one that sends sound alone for its reports. */
ON_THREAD(ROLE_NET) static int64_t pace_ms(const struct leg_net *l)
{
	if (l->begins_until_ns)
		return LEG_TICK_MS;
	if (!leg_net_publishes(l))
		return LEG_VIEWER_TICK_MS;
	return ingress_needs_ticks(l) || telephone_event_tx_waits(&l->digits) ? LEG_TICK_MS :
										LEG_REPORT_MS;
}

/* All timers tick on the same grid, so that one wake-up serves many legs: that in
 * which patient sockets are read. */
ON_THREAD(ROLE_NET) static void start_timer(struct leg_net *l)
{
	int64_t grid = LEG_TICK_MS * NS_PER_MS, now = net_shard_now_ns(l->shard);
	int64_t first = now + grid;

	l->pace_ms = pace_ms(l);
	if (l->pace_ms > LEG_TICK_MS)
		first += grid * (l->cfg.leg_id % (l->pace_ms / LEG_TICK_MS));
	net_timer_start(l->timer, first / grid * grid - NET_READ_LEAD_US * 1000,
			l->pace_ms * NS_PER_MS);
}

void leg_net_set_pace(struct leg_net *l)
{
	if (l->connected && pace_ms(l) != l->pace_ms)
		start_timer(l);
}

static void on_connected(void *obj, const char *profile)
{
	struct leg_net *l = obj;

	role_assert_net();
	log_debug(&l->log, "media may flow: %s", profile);
	l->connected = true;
	if (l->media.udp && !leg_net_publishes(l))
		l->begins_until_ns = net_shard_now_ns(l->shard) + LEG_BEGINS_MS * NS_PER_MS;
	leg_net_sync(l);
	start_timer(l);
	tell(l, ctl_connected, NULL);
}

ON_THREAD(ROLE_NET) static void heard(struct leg_net *l, int64_t now_ns)
{
	l->heard_ns = now_ns;
	if (l->silent)
		set_silent(l, false);
}

static void on_rtp(void *obj, struct buf *pkt, int64_t arrival_ns)
{
	struct leg_net *l = obj;

	role_assert_net();
	if (l->over_udp) /* phones report seldom, or never */
		heard(l, arrival_ns);
	ingress_rtp(l, pkt, arrival_ns);
}

static void on_rtcp(void *obj, const uint8_t *p, size_t len, int64_t arrival_ns)
{
	struct leg_net *l = obj;

	role_assert_net();
	heard(l, arrival_ns);
	leg_rtcp_in(l, p, len, arrival_ns);
}

static void on_closed(void *obj, const char *reason)
{
	struct leg_net *l = obj;

	role_assert_net();
	l->connected = false;
	leg_net_sync(l);
	net_timer_stop(l->timer);
	tell(l, ctl_lost, reason);
}

static const struct transport_events transport_events = {
	.candidate = on_candidate,
	.connected = on_connected,
	.opened = leg_net_opened,
	.rtp = on_rtp,
	.rtcp = on_rtcp,
	.data_open = leg_net_data_open,
	.data = leg_net_data_in,
	.data_closed = leg_net_data_closed,
	.closed = on_closed,
};

/* Room before the first roll-over: a receiver that misses the start of the
 * stream must not guess a wrong one (RFC 3711 3.3.1). */
static bool random_seq(uint16_t *seq)
{
	if (getrandom(seq, sizeof *seq, 0) < 0)
		return false;
	*seq &= 0x7fff;
	return true;
}

static void make_rtx(struct out_stream *o, const struct leg_stream *s)
{
	uint16_t seq;

	if (s->tx_rtx_ssrc && s->tx_rtx_ssrc != o->rtx.ssrc && random_seq(&seq))
		rtp_rtx_init(&o->rtx, s->tx_rtx_ssrc, seq);
	o->rtx.pt = s->tx_rtx_ssrc && o->rtx.ssrc == s->tx_rtx_ssrc ? s->tx_format.rtx_pt : 0;
}

/* The SSRC of a leg never changes, so neither may sequence or roll-over: what
 * another negotiation says of the headers is changed in place. */
ON_THREAD(ROLE_NET) static void make_tx(struct leg_net *l, struct out_stream *o,
					const struct leg_stream *s, uint32_t clock_hz)
{
	struct rtp_tx_cfg cfg = {
		.ssrc = s->tx_ssrc, .pt = s->tx_format.pt, .clock_hz = clock_hz,
		.mid = s->mid[0] ? s->mid : NULL, .ext_mid = s->mid[0] ? s->ext_mid : 0,
		.ext_abs_send_time = s->ext_abs_send_time,
	};
	int err;

	if (!s->tx)
		return;
	make_rtx(o, s);
	if (o->tx.ssrc == s->tx_ssrc) {
		err = rtp_tx_change(&o->tx, &cfg);
		/* a decoder begins anew with the payload type */
		if (err > 0 && !o->wait_key && o != &l->audio) {
			o->wait_key = true;
			egress_key_request(l->egress, o);
		}
	} else {
		err = random_seq(&cfg.first_seq) &&
		      getrandom(&cfg.first_ts, sizeof cfg.first_ts, 0) > 0 ?
			      rtp_tx_init(&o->tx, &cfg) : -EIO;
	}
	if (err < 0)
		log_warn(&l->log, "the headers agreed on cannot be written: %s", err_str(err));
}

/* What is on its way is of the former codec: nothing until CTL names an encode
 * of the new one. */
ON_THREAD(ROLE_NET) static void change_codec(struct leg_net *l, struct out_stream *o,
					     uint32_t *watch, const struct leg_stream *was,
					     const struct leg_stream *now)
{
	if (!*watch || !was->tx || !now->tx ||
	    (was->tx_format.codec == now->tx_format.codec &&
	     was->tx_format.single_nal == now->tx_format.single_nal))
		return;
	egress_unwatch(l->egress, o);
	*watch = 0;
}

ON_THREAD(ROLE_NET) static int make_transport(struct leg_net *l)
{
	int err = leg_net_transport_new(l, &transport_events);

	return err ? err : net_timer_new(&l->timer, l->shard, on_timer, l);
}

/* Where only formats have changed, what was received before is kept. */
ON_THREAD(ROLE_NET) static int make_video_rx(struct leg_net *l, struct picture_in *in)
{
	const struct leg_stream *s = in->stream;
	struct video_rx_cfg cfg = {
		.au_pool = l->cfg.engine->au_pool,
		.ext_orientation = s->ext_orientation,
		.nack = s->nack,
	};

	for (unsigned i = 0; i < s->n_rx_formats; i++)
		cfg.format[cfg.n_formats++] = (struct video_rx_format){ s->rx_format[i].pt,
									s->rx_format[i].codec };
	if (in->rx && in->orientation == s->ext_orientation && in->nack == s->nack)
		return video_rx_set_formats(in->rx, cfg.format, cfg.n_formats);
	video_rx_free(&in->rx);
	in->orientation = s->ext_orientation;
	in->nack = s->nack;
	return video_rx_new(&in->rx, &cfg);
}

/* Receivers of those pictures that were agreed on. */
ON_THREAD(ROLE_NET) static int make_pictures(struct leg_net *l)
{
	int err = 0;

	for (int i = 0; i < LEG_NET_PICTURES && !err; i++) {
		struct picture_in *in = &l->in[i];

		if (in->stream->rx) {
			err = make_video_rx(l, in);
			continue;
		}
		video_rx_free(&in->rx);
		in->have = in->have_rtx = false; /* nothing is reported of it any more */
		in->flow->loss = 0;
	}
	return err;
}

/* Everything off; CTL is told, and closes it. */
ON_THREAD(ROLE_NET) static void give_up(struct leg_net *l)
{
	l->closing = true;
	l->connected = false;
	leg_net_sync(l);
	net_timer_free(&l->timer);
	transport_close(&l->transport);
	tell(l, ctl_lost, "error");
}

static void configure_job(void *obj, void *arg)
{
	struct leg_net *l = obj;
	struct leg_media *m = arg;
	bool restart = strcmp(l->media.local.ufrag, m->local.ufrag) != 0, made = false;
	int err = 0;

	role_assert_net();
	change_codec(l, &l->video, &l->watch, &l->media.video, &m->video);
	change_codec(l, &l->content, &l->watch_content, &l->media.content, &m->content);
	leg_net_content_agreed(l, m);
	l->media = *m;
	free(m);
	m = &l->media;
	l->over_udp = m->udp;
	l->again.until_ns = 0;
	if (l->closing)
		return;
	rtp_demux_configure(&l->demux, m);
	make_tx(l, &l->audio, &m->audio, codec_clock_hz(m->audio.tx_format.codec));
	l->audio.red.pt = m->audio.tx_format.codec == CODEC_OPUS ? m->audio.tx_red_pt : 0;
	red_tx_clear(&l->audio.red);
	l->audio.cn_pt = m->audio.tx_format.cn_pt;
	make_tx(l, &l->video, &m->video, codec_clock_hz(m->video.tx_format.codec));
	make_tx(l, &l->content, &m->content, codec_clock_hz(m->content.tx_format.codec));
	tier_pick_may_probe(&l->pick, l->video.rtx.pt && (m->video.remb || m->video.twcc));
	if (!l->transport) {
		err = make_transport(l);
		restart = false;
		made = true;
	}
	if (!err)
		err = make_pictures(l);
	if (!err && !(made && m->udp))
		err = leg_net_transport_follow(l, restart);
	if (err) {
		log_warn(&l->log, "the transport cannot be set up: %s", err_str(err));
		give_up(l);
		return;
	}
	leg_net_sync(l);
	if (l->connected)
		start_timer(l);
}

int leg_net_configure(struct leg_net *l, const struct leg_media *m)
{
	struct leg_media *copy = malloc(sizeof *copy);

	if (!copy)
		return -ENOMEM;
	*copy = *m;
	engine_post(net_shard_mbox(l->shard), configure_job, l, copy);
	return 0;
}

static void candidate_job(void *obj, void *arg)
{
	struct leg_net *l = obj;
	char *text = arg;

	role_assert_net();
	if (l->transport && !l->closing && transport_add_candidate(l->transport, text))
		log_debug(&l->log, "candidate not usable: %s", text ? text : "");
	free(text);
}

int leg_net_add_candidate(struct leg_net *l, const char *candidate)
{
	char *copy = candidate ? strdup(candidate) : NULL;

	if (candidate && !copy)
		return -ENOMEM;
	engine_post(net_shard_mbox(l->shard), candidate_job, l, copy);
	return 0;
}

static void watch_job(void *obj, void *arg)
{
	struct leg_net *l = obj;

	role_assert_net();
	l->watch = (uint32_t)(uintptr_t)arg;
	if (l->closing)
		return;
	leg_net_sync(l);
	tell_served(l);
}

void leg_net_watch(struct leg_net *l, uint32_t encode_id)
{
	engine_post(net_shard_mbox(l->shard), watch_job, l, (void *)(uintptr_t)encode_id);
}

static void limit_rung_job(void *obj, void *arg)
{
	struct leg_net *l = obj;

	role_assert_net();
	tier_pick_limit(&l->pick, (unsigned)(uintptr_t)arg);
	leg_net_probe(l);
}

void leg_net_limit_rung(struct leg_net *l, unsigned best)
{
	engine_post(net_shard_mbox(l->shard), limit_rung_job, l, (void *)(uintptr_t)best);
}

static void limit_job(void *obj, void *arg)
{
	struct leg_net *l = obj;

	role_assert_net();
	l->limit_kbps = (uint32_t)(uintptr_t)arg;
}

void leg_net_limit_uplink(struct leg_net *l, uint32_t kbps)
{
	engine_post(net_shard_mbox(l->shard), limit_job, l, (void *)(uintptr_t)kbps);
}

static void close_job(void *obj, void *arg)
{
	struct leg_net *l = obj;

	(void)arg;
	role_assert_net();
	l->closing = true;
	if (l->connected)
		leg_rtcp_bye(l);
	l->connected = false;
	leg_net_sync(l);
	net_timer_free(&l->timer);
	transport_close(&l->transport);
	for (int i = 0; i < LEG_NET_PICTURES; i++)
		video_rx_free(&l->in[i].rx);
	engine_post(l->cfg.engine->ctl, ctl_closed, l, NULL);
}

void leg_net_close(struct leg_net *l)
{
	engine_post(net_shard_mbox(l->shard), close_job, l, NULL);
}

struct lipsync *leg_net_lipsync(struct leg_net *l)
{
	return &l->lipsync;
}
