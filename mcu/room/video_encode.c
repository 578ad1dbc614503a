#include "mcu/room/video_encode.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "mcu/room/egress.h"
#include "mcu/rtp/keyframe_gate.h"
#include "mcu/rtp/payload_av1.h"
#include "mcu/rtp/payload_h263.h"
#include "mcu/rtp/payload_h264.h"
#include "mcu/rtp/payload_vp8.h"
#include "mcu/rtp/payload_vp9.h"
#include "mixer/codec/h264_start.h"
#include "mixer/codec/venc.h"

METRIC_COUNTER(m_frames, "mcu_video_encoded_frames_total", "Pictures encoded.");
METRIC_COUNTER(m_passed, "mcu_video_passed_frames_total",
	       "Pictures of participants that were passed on as they came.");
METRIC_COUNTER(m_keys, "mcu_video_encoded_keys_total", "Key frames encoded.");
METRIC_COUNTER(m_dropped, "mcu_video_out_dropped_total",
	       "Composed pictures that were not encoded or not packed: encoder behind, pool dry, failure.");

enum { PASS_WINDOW_MS = 2000, PASS_MOST_PCT = 130, PASS_QUEUE = 6 };

/* x264 keeps to what it is told but for a macroblock that it did not expect. Packets
 * of this size still pass where others do: 1,300 with all headers. */
enum { SLICE_OCTETS = 1100, SINGLE_NAL_PAYLOAD = 1240 };

enum { PTS_SLOTS = 8 }; /* more than VIDEO_ENCODE_QUEUE and the running one */

struct video_encode {
	const struct engine *engine;
	struct strand *strand;
	uint32_t id;
	struct video_encode_cfg cfg;
	_Atomic bool key_wanted, switch_wanted;
	_Atomic int fps; /* of the canvases */
	/* of the strand, for the tick to see: a refused request waits; the media time
	 * of the last key frame; when the next one is due at the latest */
	_Atomic bool key_waits;
	_Atomic int64_t key_ns, key_by_ns;
	/* gen of the last canvas that cannot become sharper, 0: none */
	_Atomic uint64_t sharp_gen;
	/* Media times and gens (of the tick) of the canvases that wait, beside the
	 * strand's queue and in its order: one that has not changed comes again with
	 * another time. */
	struct {
		int64_t pts_ns;
		uint64_t gen;
		bool key; /* of what passes through */
	} wait[PTS_SLOTS];
	/* the tick's */
	unsigned put;
	uint64_t gen;	    /* of the canvas last wanted */
	int64_t changed_ns; /* when it was new */
	int64_t given_ns, next_ns;
	struct {
		bool on;
		uint32_t source;       /* whose units they are; 0: nobody's yet */
		int64_t asked_ns;      /* since when a key frame of the source is needed; 0: not */
		int64_t not_before_ns; /* it went wrong */
		int64_t wait_ns;       /* that long, as the source does not fit; 0: it may */
		int64_t window_ns;     /* from where these count */
		uint64_t octets, units;
	} pass;
	/* the strand */
	bool passed; /* the encoder has not seen what was sent last */
	unsigned taken;
	struct venc *enc;
	int fps_now; /* that the encoder knows of */
	struct keyframe_gate gate;
	bool opened;
	uint32_t next_index;
	int64_t start_ns; /* media time of RTP time stamp 0 */
	struct sink_list sinks;
	_Atomic bool has_sink; /* the tick looks */
	_Atomic int refresh_ms; /* likewise */
	mbox_fn *closed;
	void *closed_obj;
};

static _Atomic uint32_t next_id = 1;

int video_encode_new(struct video_encode **out, const struct engine *e,
		     const struct video_encode_cfg *cfg)
{
	struct video_encode *v = calloc(1, sizeof *v);
	int err;

	if (!v)
		return -ENOMEM;
	v->engine = e;
	v->cfg = *cfg;
	v->id = next_id++;
	v->key_by_ns = INT64_MAX;
	v->refresh_ms = VIDEO_ENCODE_REFRESH_MS;
	v->fps = v->fps_now = cfg->fps;
	keyframe_gate_init(&v->gate, KEYFRAME_GATE_BURST, KEYFRAME_GATE_REFILL_MS * NS_PER_MS);
	err = strand_new(&v->strand, e->video, "encode");
	if (err) {
		free(v);
		return err;
	}
	strand_charge(v->strand, cfg->account);
	*out = v;
	return 0;
}

uint32_t video_encode_id(const struct video_encode *v)
{
	return v->id;
}

int video_encode_bps(const struct video_encode *v)
{
	return v->cfg.bitrate_bps;
}

void video_encode_free(struct video_encode **v)
{
	free(*v);
	*v = NULL;
}

ON_THREAD(ROLE_MIXV) static void sinks_changed(struct video_encode *v)
{
	int refresh_ms = sink_list_refresh_ms(&v->sinks);

	v->has_sink = v->sinks.first != NULL;
	v->refresh_ms = refresh_ms ? refresh_ms : VIDEO_ENCODE_REFRESH_MS;
	v->cfg.gop_s = sink_list_gop_s(&v->sinks);
	if (v->enc)
		venc_set_gop(v->enc, v->cfg.gop_s);
	if (!v->cfg.gop_s)
		v->key_by_ns = INT64_MAX;
}

static void add_sink_job(void *obj, void *arg)
{
	struct video_encode *v = obj;

	role_assert_mixv();
	sink_list_add(&v->sinks, arg);
	v->key_wanted = true;
	sinks_changed(v);
}

static void remove_sink_job(void *obj, void *arg)
{
	struct video_encode *v = obj;
	struct sink_link *l = arg;

	role_assert_mixv();
	sink_list_remove(&v->sinks, l);
	sinks_changed(v);
	engine_post(v->engine->ctl, l->done, l->obj, NULL);
}

/* A strand of an encode never holds more than its few canvases. */
static void post_sink(struct video_encode *v, strand_fn *job, struct sink_link *l)
{
	if (strand_post(v->strand, job, v, l, 0, INT64_MAX))
		abort();
}

void video_encode_add_sink(struct video_encode *v, struct sink_link *l)
{
	post_sink(v, add_sink_job, l);
}

void video_encode_remove_sink(struct video_encode *v, struct sink_link *l)
{
	post_sink(v, remove_sink_job, l);
}

static void close_job(void *obj, void *arg)
{
	struct video_encode *v = obj;

	(void)arg;
	role_assert_mixv();
	venc_free(&v->enc);
	strand_free(&v->strand);
	engine_post(v->engine->ctl, v->closed, v->closed_obj, NULL);
}

void video_encode_close(struct video_encode *v, mbox_fn *closed, void *obj)
{
	v->closed = closed;
	v->closed_obj = obj;
	if (strand_post(v->strand, close_job, v, NULL, 0, INT64_MAX))
		abort();
}

void video_encode_request_key(struct video_encode *v)
{
	v->key_wanted = true;
}

void video_encode_request_switch(struct video_encode *v)
{
	v->switch_wanted = true;
}

void video_encode_set_fps(struct video_encode *v, int fps)
{
	v->fps = fps < v->cfg.fps ? fps : v->cfg.fps;
}

static bool switch_due(const struct video_encode *v, int64_t pts_ns)
{
	return v->switch_wanted && pts_ns - v->key_ns >= VIDEO_ENCODE_SWITCH_MS * NS_PER_MS;
}

static void open_encoder(struct video_encode *v, int64_t pts_ns)
{
	struct venc_cfg cfg = {
		.codec = v->cfg.codec,
		.w = v->cfg.width, .h = v->cfg.height, .fps = v->cfg.fps,
		.bitrate_bps = v->cfg.bitrate_bps,
		.vbv_ms = v->engine->cfg.vbv_ms,
		.preset = v->engine->cfg.preset,
		.asm_ = v->engine->cfg.asm_name,
		.speed = v->engine->cfg.speed[v->cfg.codec],
		.gop_s = v->cfg.gop_s,
		.profile_level_id = v->cfg.profile_level_id,
		.max_nal_octets = v->cfg.single_nal ? SLICE_OCTETS : 0,
	};
	int err = venc_new(&v->enc, &cfg);

	v->opened = true;
	v->start_ns = pts_ns;
	if (err)
		log_error(NULL, "cannot open the %s encoder at %dx%d: %s; those who need it get no picture",
			  codec_name(cfg.codec), cfg.w, cfg.h, err_str(err));
}

ON_THREAD(ROLE_MIXV) static void take_rate(struct video_encode *v)
{
	int fps = v->fps;

	if (fps == v->fps_now || !v->enc)
		return;
	v->fps_now = fps;
	venc_set_fps(v->enc, fps);
}

static bool key_due(struct video_encode *v, int64_t now_ns)
{
	if (atomic_exchange(&v->key_wanted, false) &&
	    keyframe_gate_ask(&v->gate, now_ns))
		return true;
	if (keyframe_gate_poll(&v->gate, now_ns))
		return true;
	return switch_due(v, now_ns) || now_ns >= v->key_by_ns;
}

static void key_made(struct video_encode *v, int64_t pts_ns)
{
	metric_add(&m_keys, 1);
	keyframe_gate_served(&v->gate);
	v->key_wanted = v->switch_wanted = false; /* whoever asked by now is served */
	v->key_ns = pts_ns;
	/* by time as well as by count: pictures that stand still are few */
	v->key_by_ns = v->cfg.gop_s ? pts_ns + v->cfg.gop_s * NS_PER_S : INT64_MAX;
}

/* A picture that nobody gets breaks all that refer to it: a gap in the count of
 * packets makes the shards wait for the key frame that is asked for. */
static void lost(struct video_encode *v)
{
	metric_add(&m_dropped, 1);
	v->next_index++;
	v->key_wanted = true;
}

static int packetize(const struct video_encode_cfg *c, struct rtp_batch *b, const struct buf *au)
{
	switch (c->codec) {
	case CODEC_H264:
		if (c->single_nal)
			return rtp_h264_packetize_single(b, au->data, au->len, SINGLE_NAL_PAYLOAD);
		return rtp_h264_packetize(b, au->data, au->len, RTP_VIDEO_PAYLOAD);
	case CODEC_VP8:
		return rtp_vp8_packetize(b, au->data, au->len, RTP_VIDEO_PAYLOAD);
	case CODEC_VP9:
		return rtp_vp9_packetize(b, au->data, au->len, RTP_VIDEO_PAYLOAD);
	case CODEC_AV1:
		return rtp_av1_packetize(b, au->data, au->len, RTP_VIDEO_PAYLOAD);
	case CODEC_H263:
		return rtp_h263_packetize(b, au->data, au->len, RTP_VIDEO_PAYLOAD);
	default:
		return -ENOTSUP;
	}
}

static void pack(struct video_encode *v, const struct buf *au, int64_t pts_ns, bool key)
{
	const struct engine *e = v->engine;
	struct rtp_batch *b = rtp_batch_get(e->video_batches, au->len + 4096);

	if (!b || packetize(&v->cfg, b, au)) {
		for (size_t i = 0; !b && i < e->n_shards; i++)
			egress_trim(e->egress[i]);
		rtp_batch_unref(&b);
		lost(v);
		return;
	}
	b->encode_id = v->id;
	b->first_index = v->next_index;
	b->ts = (uint32_t)clock_scale(pts_ns - v->start_ns, 90000, NS_PER_S);
	b->time_ns = pts_ns;
	b->key = key;
	v->next_index += b->n;
	for (size_t i = 0; i < e->n_shards; i++)
		egress_post_video(e->egress[i], rtp_batch_ref(b));
	rtp_batch_unref(&b);
}

static void frame_job(void *obj, void *arg)
{
	struct video_encode *v = obj;
	struct vframe *canvas = arg;
	unsigned at = v->taken++ % PTS_SLOTS;
	int64_t pts_ns = v->wait[at].pts_ns;
	struct buf *au = NULL;
	bool key = false;
	int err = -EIO;

	role_assert_mixv();
	if (!v->opened)
		open_encoder(v, pts_ns);
	take_rate(v);
	if (v->enc)
		err = venc_encode(v->enc, canvas, pts_ns, key_due(v, pts_ns) || v->passed,
				  v->engine->au_pool, &au, &key);
	vframe_unref(&canvas);
	if (!err && key) {
		key_made(v, pts_ns);
		v->passed = false;
	}
	v->key_waits = v->gate.pending;
	if (err == -EAGAIN)
		return;
	if (err) {
		lost(v);
		return;
	}
	metric_add(&m_frames, 1);
	v->sharp_gen = venc_is_sharp(v->enc) ? v->wait[at].gen : 0;
	pack(v, au, pts_ns, key);
	sink_list_video(&v->sinks, au, pts_ns, key);
	buf_unref(&au);
}

bool video_encode_due(struct video_encode *v, uint64_t gen, int64_t pts_ns)
{
	int64_t slack = NS_PER_S / v->engine->cfg.fps / 2; /* half a tick */

	if (v->put && pts_ns <= v->given_ns) /* something passed through just now */
		return false;
	if (v->gen && pts_ns + slack < v->next_ns)
		return false;
	if (gen != v->gen) {
		v->gen = gen;
		v->changed_ns = pts_ns;
	}
	if (pts_ns - v->changed_ns < VIDEO_ENCODE_SETTLE_MS * NS_PER_MS && v->sharp_gen != gen)
		return true;
	if (pts_ns + slack - v->given_ns >= v->refresh_ms * NS_PER_MS)
		return true;
	return v->key_wanted || v->key_waits || switch_due(v, pts_ns) || pts_ns >= v->key_by_ns;
}

void video_encode_frame(struct video_encode *v, struct vframe *canvas, int64_t pts_ns)
{
	struct vframe *f;

	if (strand_queued(v->strand) >= VIDEO_ENCODE_QUEUE) {
		metric_add(&m_dropped, 1);
		strand_missed(v->strand);
		return;
	}
	f = vframe_ref(canvas);
	v->wait[v->put % PTS_SLOTS].pts_ns = pts_ns;
	v->wait[v->put % PTS_SLOTS].gen = v->gen;
	if (strand_post(v->strand, frame_job, v, f, 0, pts_ns + NS_PER_S / v->cfg.fps)) {
		metric_add(&m_dropped, 1);
		vframe_unref(&f);
		return;
	}
	v->put++;
	v->given_ns = pts_ns;
	v->next_ns += NS_PER_S / v->cfg.fps;
	if (v->next_ns < pts_ns)
		v->next_ns = pts_ns + NS_PER_S / v->cfg.fps;
}

bool video_encode_can_pass(const struct video_encode *v, int64_t pts_ns)
{
	return v->cfg.codec == CODEC_H264 && !v->cfg.single_nal && v->cfg.profile_level_id >> 16 == 0x42 &&
	       !v->has_sink && v->put && pts_ns >= v->pass.not_before_ns;
}

void video_encode_pass_from(struct video_encode *v, uint32_t source)
{
	if (v->pass.source == source)
		return;
	video_encode_end_passing(v);
	v->pass.source = source;
	/* It has not to wait for what was wrong with the other. */
	if (v->pass.wait_ns)
		v->pass.not_before_ns -= v->pass.wait_ns - VIDEO_ENCODE_NO_PASS_MS * NS_PER_MS;
	v->pass.wait_ns = 0;
}

bool video_encode_is_passing(const struct video_encode *v)
{
	return v->pass.on;
}

void video_encode_end_passing(struct video_encode *v)
{
	if (v->pass.on)
		v->key_wanted = true;
	v->pass.on = false;
	v->pass.asked_ns = 0;
}

ON_THREAD(ROLE_MIXV) static void no_passing_for_now(struct video_encode *v, int64_t pts_ns)
{
	video_encode_end_passing(v);
	v->pass.not_before_ns = pts_ns + VIDEO_ENCODE_NO_PASS_MS * NS_PER_MS;
}

/* Its codec or profile will hardly change, and each try costs it a key frame. */
ON_THREAD(ROLE_MIXV) static void no_passing_of_such(struct video_encode *v, int64_t pts_ns)
{
	const int64_t most_ns = VIDEO_ENCODE_NO_PASS_MOST_MS * NS_PER_MS;
	int64_t wait_ns = 2 * v->pass.wait_ns;

	video_encode_end_passing(v);
	if (!wait_ns)
		wait_ns = VIDEO_ENCODE_NO_PASS_MS * NS_PER_MS;
	v->pass.wait_ns = wait_ns < most_ns ? wait_ns : most_ns;
	v->pass.not_before_ns = pts_ns + v->pass.wait_ns;
}

bool video_encode_needs_source_key(struct video_encode *v, int64_t pts_ns)
{
	if (pts_ns < v->pass.not_before_ns)
		return false;
	if (v->pass.on && !v->key_wanted && !v->key_waits && !switch_due(v, pts_ns)) {
		v->pass.asked_ns = 0;
		return false;
	}
	if (!v->pass.asked_ns || pts_ns - v->pass.asked_ns > VIDEO_ENCODE_NO_PASS_MS * NS_PER_MS)
		v->pass.asked_ns = pts_ns;
	if (pts_ns - v->pass.asked_ns < VIDEO_ENCODE_SOURCE_KEY_MS * NS_PER_MS)
		return true;
	if (v->pass.on)
		no_passing_for_now(v, pts_ns);
	return false;
}

/* The copy says what the receivers agreed on. */
static struct buf *key_copy(const struct video_encode *v, const struct buf *au)
{
	struct buf *b = buf_get(v->engine->au_pool);

	if (!b || b->cap < au->len) {
		buf_unref(&b);
		return NULL;
	}
	memcpy(b->data, au->data, au->len);
	b->len = au->len;
	h264_say_profile(b->data, b->len, v->cfg.profile_level_id);
	return b;
}

static void pass_job(void *obj, void *arg)
{
	struct video_encode *v = obj;
	struct buf *au = arg, *copy = NULL;
	unsigned at = v->taken++ % PTS_SLOTS;
	int64_t pts_ns = v->wait[at].pts_ns;
	bool key = v->wait[at].key;

	role_assert_mixv();
	if (!v->opened)
		open_encoder(v, pts_ns);
	v->passed = true;
	v->sharp_gen = 0;
	if (key)
		copy = key_copy(v, au);
	if (v->has_sink || (key && !copy)) {
		lost(v);
	} else {
		if (key) {
			v->key_wanted = false;
			key_made(v, pts_ns);
			v->key_waits = false;
		}
		metric_add(&m_passed, 1);
		pack(v, copy ? copy : au, pts_ns, key);
	}
	buf_unref(&copy);
	buf_unref(&au);
}

/* More than its receivers were promised. */
static bool is_too_much(struct video_encode *v, size_t octets, int64_t pts_ns)
{
	const uint64_t seconds = PASS_WINDOW_MS / 1000;

	if (pts_ns - v->pass.window_ns >= PASS_WINDOW_MS * NS_PER_MS) {
		v->pass.window_ns = pts_ns;
		v->pass.octets = v->pass.units = 0;
	}
	v->pass.octets += octets;
	v->pass.units++;
	return v->pass.octets * 8 * 100 > (uint64_t)v->cfg.bitrate_bps * seconds * PASS_MOST_PCT ||
	       v->pass.units * 100 > (uint64_t)v->cfg.fps * seconds * PASS_MOST_PCT;
}

static bool post_unit(struct video_encode *v, struct buf *au, bool key, int64_t pts_ns)
{
	struct buf *ref = buf_ref(au);

	if (pts_ns <= v->given_ns)
		pts_ns = v->given_ns + NS_PER_MS;
	v->wait[v->put % PTS_SLOTS].pts_ns = pts_ns;
	v->wait[v->put % PTS_SLOTS].key = key;
	if (strand_queued(v->strand) >= PASS_QUEUE ||
	    strand_post(v->strand, pass_job, v, ref, 0, pts_ns + NS_PER_S / v->cfg.fps)) {
		buf_unref(&ref);
		return false;
	}
	v->put++;
	v->given_ns = pts_ns;
	v->next_ns = pts_ns;
	return true;
}

void video_encode_pass(struct video_encode *v, const struct video_leg_unit *u, int64_t pts_ns)
{
	enum h264_start start = u->codec != CODEC_H264 ? H264_START_OTHER :
		h264_start_of(u->au->data, u->au->len, v->cfg.profile_level_id, v->cfg.width,
			      v->cfg.height);

	if (pts_ns < v->pass.not_before_ns || (!v->pass.on && start == H264_START_NONE))
		return;
	if (start == H264_START_OTHER) {
		no_passing_of_such(v, pts_ns);
		return;
	}
	if (is_too_much(v, u->au->len, pts_ns)) {
		no_passing_for_now(v, pts_ns);
		return;
	}
	if (u->gap && start != H264_START_FITS) {
		video_encode_end_passing(v);
		return;
	}
	if (!post_unit(v, u->au, start == H264_START_FITS, pts_ns)) {
		video_encode_end_passing(v);
		return;
	}
	v->pass.on = true;
	if (start == H264_START_FITS)
		v->pass.asked_ns = v->pass.wait_ns = 0;
}
