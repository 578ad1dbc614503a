/* The network side of a leg in the hands of a test, which is the shard, the
 * fan-out, the decoders and the peer. Included by one file per program. */
#ifndef TESTS_MCU_ROOM_LEG_NET_RIG_H
#define TESTS_MCU_ROOM_LEG_NET_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/net/ice.h"
#include "mcu/room/audio_format.h"
#include "mcu/room/audio_leg.h"
#include "mcu/room/leg_net_priv.h"
#include "mcu/room/video_leg.h"
#include "mcu/rtp/packet.h"
#include "mcu/rtp/payload_h264.h"
#include "mcu/rtp/rtcp.h"
#include "tests/mcu/room/no_tcp.h"

enum {
	ROOM = 3,
	LEG = 7,
	ENCODE = 11,
	AUDIO_PT = 111,
	VIDEO_PT = 102,
	RTX_PT = 103,
	PEER_AUDIO = 0x1111,
	PEER_VIDEO = 0x2222,
	OUR_AUDIO = 0x3333,
	OUR_VIDEO = 0x4445,
	OUR_RTX = 0x5557,
	START_S = 1000,
};

static struct {
	struct engine e;
	struct ice_cfg ice;
	struct mbox *shard, *ctl;
	struct buf_pool *packets;
	int64_t now_ns;
	struct leg_net *l;
	/* the transport */
	struct transport base;
	const struct transport_events *ev;
	void *obj;
	int refuse; /* what set_remote returns */
	bool publishes, open, hurried, relaxed;
	struct transport_silence silence;
	unsigned restarts, udp_sets;
	struct rtp_udp_cfg udp;
	char local_ufrag[9];
	bool data_started;
	unsigned data_sent, data_opened, data_closed, data_heard;
	int data_refuse; /* what send_data returns */
	uint8_t rtcp[65536]; /* all that was sent since rtcp_len was zeroed */
	size_t rtcp_len;
	/* the timer */
	net_timer_fn *timer;
	bool timer_runs, has_timer;
	int64_t period_ns;
	/* the fan-out */
	uint32_t tag; /* of the newest packet of sound */
	uint32_t watched, content_watched, listened, told;
	unsigned carries, carries_told;
	bool changes, no_memory; /* a change of encodes takes its time */
	size_t key_requests, content_key_requests, n_nacks, content_nacks;
	uint16_t nack[64];
	/* the decoders */
	size_t sounds, pictures, keys;
	uint16_t sound_seq; /* of the newest */
	size_t contents; /* of the pictures, those of content */
	bool needs_key, content_needs_key;
	/* CTL */
	size_t candidates, connected, lost, closed;
	char digits[64]; /* that came */
	bool content_comes;
	unsigned content_told;
} the;

/* Nobody looks into it: the camera's is NULL. */
#define PORTS ((struct rtp_ports *)(void *)&the.udp)
#define CONTENT_LEG ((struct video_leg *)(void *)&the)

/* --- what it calls -------------------------------------------------------------- */

void engine_post(struct mbox *m, mbox_fn *fn, void *obj, void *arg)
{
	assert_int_equal(mbox_post(m, fn, obj, arg), 0);
}

struct mbox *net_shard_mbox(struct net_shard *s)
{
	(void)s;
	return the.shard;
}

int64_t net_shard_now_ns(const struct net_shard *s)
{
	(void)s;
	return the.now_ns;
}

int net_timer_new(struct net_timer **out, struct net_shard *s, net_timer_fn *fn, void *obj)
{
	(void)s;
	assert_ptr_equal(obj, the.l);
	the.timer = fn;
	the.has_timer = true;
	*out = (struct net_timer *)(void *)&the;
	return 0;
}

void net_timer_start(struct net_timer *t, int64_t due_ns, int64_t period_ns)
{
	assert_non_null(t);
	assert_true(due_ns > the.now_ns);
	the.timer_runs = true;
	the.period_ns = period_ns;
}

void net_timer_stop(struct net_timer *t)
{
	assert_non_null(t);
	the.timer_runs = false;
}

void net_timer_free(struct net_timer **t)
{
	if (*t)
		the.timer_runs = the.has_timer = false;
	*t = NULL;
}

int egress_watch(struct egress *x, uint32_t encode_id, struct out_stream *video)
{
	(void)x;
	if (the.no_memory)
		return -ENOMEM;
	if (video == &the.l->content) {
		the.content_watched = encode_id;
		return 0;
	}
	if (the.changes)
		video->next_group = encode_id;
	the.watched = encode_id;
	return 0;
}

void egress_unwatch(struct egress *x, struct out_stream *video)
{
	(void)x;
	video->next_group = 0;
	if (video == &the.l->content)
		the.content_watched = 0;
	else
		the.watched = 0;
}

int egress_listen(struct egress *x, uint32_t group, struct out_stream *audio)
{
	(void)x;
	(void)audio;
	if (the.no_memory)
		return -ENOMEM;
	the.listened = group;
	return 0;
}

void egress_unlisten(struct egress *x, struct out_stream *audio)
{
	(void)x;
	(void)audio;
	the.listened = 0;
}

void egress_key_request(struct egress *x, struct out_stream *video)
{
	(void)x;
	if (video == &the.l->content)
		the.content_key_requests++;
	else
		the.key_requests++;
}

void egress_key_poll(struct egress *x, struct out_stream *video)
{
	(void)x;
	(void)video;
}

void egress_nack(struct egress *x, struct out_stream *video, uint16_t seq, int64_t now_ns)
{
	(void)x;
	assert_int_equal(now_ns, the.now_ns);
	the.content_nacks += video == &the.l->content;
	the.nack[the.n_nacks++ % 64] = seq;
}

void audio_leg_put(struct audio_leg *a, struct buf *pkt)
{
	(void)a;
	the.tag = pkt->tag;
	the.sound_seq = (uint16_t)(pkt->data[2] << 8 | pkt->data[3]);
	/* a socket that is read ahead of the tick was read so much earlier */
	assert_int_equal(pkt->time_ns, the.now_ns + (the.hurried ? 0 : NET_READ_LEAD_US * 1000));
	the.sounds++;
	buf_unref(&pkt);
}

void video_leg_put(struct video_leg *v, struct buf *au, enum codec codec, bool key,
		   unsigned rotation, int64_t due_ns)
{
	assert_int_equal(codec, CODEC_H264);
	assert_int_equal(rotation, 0);
	assert_int_equal(due_ns, 0);
	the.pictures++;
	the.contents += v == CONTENT_LEG;
	the.keys += key;
	buf_unref(&au);
}

bool video_leg_needs_key(struct video_leg *v)
{
	bool *needs = v == CONTENT_LEG ? &the.content_needs_key : &the.needs_key;
	bool was = *needs;

	*needs = false;
	return was;
}

static inline int set_remote(struct transport *t, const struct transport_remote *r)
{
	(void)t;
	assert_string_equal(r->ufrag, "them");
	return the.refuse;
}

static inline int add_candidate(struct transport *t, const char *candidate)
{
	(void)t;
	the.candidates += candidate != NULL;
	return 0;
}

static inline int send_rtcp(struct transport *t, const uint8_t *p, size_t len)
{
	(void)t;
	assert_true(the.rtcp_len + len <= sizeof the.rtcp);
	memcpy(the.rtcp + the.rtcp_len, p, len);
	the.rtcp_len += len;
	return 0;
}

static inline void close_transport(struct transport *t)
{
	(void)t;
	assert_true(the.open);
	the.open = false;
}

static int start_data(struct transport *t, uint16_t peer_port, uint32_t max_message)
{
	(void)t;
	assert_int_equal(peer_port, 5000);
	assert_int_equal(max_message, 65536);
	the.data_started = true;
	return 0;
}

static int send_data(struct transport *t, uint16_t channel, bool binary, const uint8_t *p,
		     size_t len)
{
	(void)t;
	(void)binary;
	(void)p;
	assert_int_equal(channel, 2);
	assert_true(len > 0);
	the.data_sent++;
	return the.data_refuse;
}

static inline void hurry_transport(struct transport *t, bool hurry)
{
	assert_ptr_equal(t, &the.base);
	assert_true(hurry != the.hurried);
	the.hurried = hurry;
}

static inline void relax_transport(struct transport *t, const struct transport_silence *s)
{
	assert_ptr_equal(t, &the.base);
	assert_true(s || the.relaxed);
	the.relaxed = s;
	the.silence = s ? *s : (struct transport_silence){ 0 };
}

static const struct transport_ops ops = {
	.hurry = hurry_transport, .relax = relax_transport, .start_data = start_data, .send_data = send_data,
	.set_remote = set_remote, .add_candidate = add_candidate, .send_rtcp = send_rtcp,
	.close = close_transport,
};

int transport_ice_new(struct transport **out, struct net_shard *s, const struct ice_cfg *cfg,
		      const struct transport_events *ev, void *obj)
{
	(void)s;
	assert_false(the.open);
	assert_string_equal(cfg->local_ufrag, "ours");
	the.publishes = cfg->publishes;
	the.ev = ev;
	the.obj = obj;
	the.open = true;
	the.base.ops = &ops;
	*out = &the.base;
	return 0;
}

int transport_udp_new(struct transport **out, struct net_shard *s, const struct rtp_udp_cfg *cfg,
		      const struct transport_events *ev, void *obj)
{
	(void)s;
	assert_false(the.open);
	assert_ptr_equal(cfg->ports, PORTS);
	the.udp = *cfg;
	the.ev = ev;
	the.obj = obj;
	the.open = true;
	the.base.ops = &ops;
	*out = &the.base;
	return 0;
}

int transport_udp_set(struct transport *t, const struct rtp_udp_cfg *cfg)
{
	assert_ptr_equal(t, &the.base);
	the.udp = *cfg;
	the.udp_sets++;
	return the.refuse;
}

int transport_ice_restart(struct transport *t, const struct ice_cfg *cfg)
{
	assert_ptr_equal(t, &the.base);
	the.restarts++;
	snprintf(the.local_ufrag, sizeof the.local_ufrag, "%s", cfg->local_ufrag);
	return 0;
}

int transport_ice_publish(struct transport *t)
{
	assert_ptr_equal(t, &the.base);
	the.publishes = true;
	return 0;
}

/* --- the rig -------------------------------------------------------------------- */

static inline void on_candidate(void *obj, char *candidate)
{
	(void)obj;
	free(candidate);
}

static inline void on_connected(void *obj)
{
	(void)obj;
	the.connected++;
}

static inline void on_lost(void *obj, char *reason)
{
	(void)obj;
	assert_non_null(reason);
	free(reason);
	the.lost++;
}

static inline void on_closed(void *obj)
{
	(void)obj;
	the.closed++;
}

static inline void on_data_open(void *obj, bool open)
{
	(void)obj;
	the.data_opened += open;
	the.data_closed += !open;
}

static inline void on_data(void *obj, struct buf *b)
{
	(void)obj;
	the.data_heard++;
	buf_unref(&b);
}

static inline void on_watching(void *obj, uint32_t encode_id)
{
	(void)obj;
	the.told = encode_id;
}

static inline void on_carries(void *obj, unsigned rung)
{
	(void)obj;
	the.carries = rung;
	the.carries_told++;
}

static inline void on_digit(void *obj, char digit)
{
	(void)obj;
	strncat(the.digits, &digit, 1);
}

static inline void on_content(void *obj, bool comes)
{
	(void)obj;
	the.content_comes = comes;
	the.content_told++;
}

static const struct leg_net_events events = {
	.digit = on_digit, .content = on_content,
	.watching = on_watching, .carries = on_carries,
	.data_open = on_data_open, .data = on_data,
	.candidate = on_candidate, .connected = on_connected, .lost = on_lost, .closed = on_closed,
};

static inline void run(void)
{
	mbox_run(the.shard);
	mbox_run(the.ctl);
}

static inline int set_up(void **state)
{
	struct leg_net_cfg cfg = { .engine = &the.e, .leg_id = LEG, .room_id = ROOM,
				   .ev = &events, .content = CONTENT_LEG, .ports = PORTS };

	(void)state;
	role_assert_ctl();
	memset(&the, 0, sizeof the);
	the.now_ns = START_S * NS_PER_S;
	assert_int_equal(mbox_new(&the.shard, 256), 0);
	assert_int_equal(mbox_new(&the.ctl, 256), 0);
	assert_int_equal(buf_pool_new(&the.packets, "test", 2048, 64, 64), 0);
	the.e = (struct engine){ .ctl = the.ctl, .n_shards = 1, .cfg = {
		.ice = &the.ice, .width = 640, .height = 360, .fps = 30, .video_bps = 500000,
		.lower = { { 320, 180, 15, 150000 } }, .n_lower = 1, .listener_bps = 32000,
	} };
	assert_int_equal(buf_pool_new(&the.e.au_pool, "test", 1 << 16, 16, 16), 0);
	assert_int_equal(buf_pool_new(&the.e.data_pool, "test", ENGINE_DATA_BYTES, 32, 4), 0);
	assert_int_equal(leg_net_new(&the.l, &cfg), 0);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	role_assert_ctl();
	leg_net_close(the.l);
	run();
	assert_int_equal(the.closed, 1);
	assert_false(the.open);
	assert_false(the.has_timer);
	assert_int_equal(the.watched, 0);
	assert_int_equal(the.content_watched, 0);
	assert_int_equal(the.listened, 0);
	leg_net_free(&the.l);
	assert_int_equal(buf_pool_in_use(the.packets), 0);
	assert_int_equal(buf_pool_in_use(the.e.au_pool), 0);
	buf_pool_free(&the.packets);
	buf_pool_free(&the.e.au_pool);
	buf_pool_free(&the.e.data_pool); /* all are back */
	mbox_free(&the.shard);
	mbox_free(&the.ctl);
	return 0;
}

static inline struct leg_media media(bool sends)
{
	struct leg_media m = {
		.audio = { .rx = sends, .tx = true, LEG_FORMAT(CODEC_OPUS, AUDIO_PT),
			   .tx_ssrc = OUR_AUDIO },
		.video = { .rx = sends, .tx = true, LEG_FORMAT(CODEC_H264, VIDEO_PT),
			   .tx_ssrc = OUR_VIDEO, .nack = true, .pli = true, .fir = true },
		.cname = "us", .local = { "ours", "secret" }, .remote_ufrag = "them", .remote_pwd = "theirs",
		.remote_fingerprint = "sha-256 00",
	};

	return m;
}

static inline void configure(bool sends) ON_THREAD(ROLE_CTL)
{
	struct leg_media m = media(sends);

	assert_int_equal(leg_net_configure(the.l, &m), 0);
	run();
}

static inline void connect_leg(bool sends) ON_THREAD(ROLE_CTL)
{
	configure(sends);
	the.ev->connected(the.obj, "test");
	run();
	assert_int_equal(the.connected, 1);
}

static inline void advance(int ms)
{
	for (; ms > 0; ms -= 20) {
		the.now_ns += 20 * NS_PER_MS;
		if (the.timer_runs && the.now_ns / NS_PER_MS % (the.period_ns / NS_PER_MS) == 0)
			the.timer(the.l, the.now_ns);
	}
}

static inline void receive(uint8_t pt, uint32_t ssrc, uint16_t seq, uint32_t ts, bool marker,
		    const uint8_t *payload, size_t len)
{
	struct rtp_packet p = { .pt = pt, .ssrc = ssrc, .seq = seq, .ts = ts, .marker = marker,
				.payload = payload, .payload_len = len };
	struct buf *b = buf_get(the.packets);

	assert_non_null(b);
	b->len = rtp_write(b->data, b->cap, &p);
	b->time_ns = the.now_ns;
	the.ev->rtp(the.obj, b, the.now_ns);
}

static inline void receive_sound(uint16_t seq)
{
	uint8_t payload[20] = { 0 };

	receive(AUDIO_PT, PEER_AUDIO, seq, seq * 960u, false, payload, sizeof payload);
}

/* A picture of one packet: an IDR slice with its parameter sets, or a slice. */
static inline void receive_picture(uint16_t seq, bool key)
{
	static const uint8_t stap[] = { 24, 0, 4, 0x67, 0x42, 0xe0, 0x1f, 0, 2, 0x68, 0xce,
					0, 3, 0x65, 0x88, 0x80 };
	static const uint8_t slice[] = { 0x41, 0x9a, 0x00, 0x11 };

	receive(VIDEO_PT, PEER_VIDEO, seq, seq * 3000u, true, key ? stap : slice,
		key ? sizeof stap : sizeof slice);
}

/* The first item of that type in what was sent. */
static inline bool sent_item(enum rtcp_type type, struct rtcp_item *item)
{
	struct rtcp_iter it;

	if (!the.rtcp_len || rtcp_iter_init(&it, the.rtcp, the.rtcp_len))
		return false;
	while (rtcp_next(&it, item))
		if (item->type == type)
			return true;
	return false;
}

static inline void receive_rtcp(struct rtcp_builder *b)
{
	assert_int_equal(b->error, 0);
	the.ev->rtcp(the.obj, b->data, b->len, the.now_ns);
}

static inline void reconfigure(const struct leg_media *m) ON_THREAD(ROLE_CTL)
{
	assert_int_equal(leg_net_configure(the.l, m), 0);
	run();
}

static inline void connect_with(const struct leg_media *m) ON_THREAD(ROLE_CTL)
{
	reconfigure(m);
	the.ev->connected(the.obj, "test");
	run();
}

#endif
