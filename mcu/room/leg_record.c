#include "mcu/room/leg_record.h"

#include <errno.h>
#include <stdlib.h>

#include "mcu/base/clock.h"
#include "mcu/room/leg_net_priv.h"
#include "mcu/room/room_priv.h"
#include "mcu/rtp/packet.h"
#include "mcu/rtp/payload_red.h"
#include "mcu/room/audio_in.h"
#include "mixer/codec/av1_header.h"
#include "mixer/codec/h264_sps.h"
#include "mixer/codec/vp8_header.h"
#include "mixer/codec/vp9_header.h"

#define ASK_NS NS_PER_S

/* --- sizes ----------------------------------------------------------------------- */

static bool size_h264(const uint8_t *au, size_t len, unsigned *width, unsigned *height)
{
	const uint8_t *nal;
	struct h264_sps sps;
	size_t pos = 0, n;

	while (h264_next_nal(au, len, &pos, &nal, &n)) {
		if ((nal[0] & 31) != H264_NAL_SPS || h264_sps_parse(&sps, nal, n))
			continue;
		*width = sps.width;
		*height = sps.height;
		return true;
	}
	return false;
}

/* Of a superframe the last: the best layer. */
static bool size_vp9(const uint8_t *au, size_t len, unsigned *width, unsigned *height)
{
	struct vp9_superframe s;
	struct vp9_header h;
	bool found = false;

	if (vp9_superframe_parse(&s, au, len))
		return false;
	for (unsigned i = 0; i < s.n; au += s.len[i++]) {
		if (vp9_header_parse(&h, au, s.len[i]) || !h.has_size)
			continue;
		*width = h.width;
		*height = h.height;
		found = true;
	}
	return found;
}

static bool size_av1(const uint8_t *au, size_t len, unsigned *width, unsigned *height)
{
	struct av1_sequence s;
	struct av1_obu o;
	size_t pos = 0;

	while (pos < len && !av1_next_obu(&o, au, len, &pos)) {
		if (o.type != AV1_OBU_SEQUENCE || av1_sequence_parse(&s, o.payload, o.len))
			continue;
		*width = s.max_width;
		*height = s.max_height;
		return true;
	}
	return false;
}

bool leg_record_size(enum codec c, const uint8_t *au, size_t len, unsigned *width, unsigned *height)
{
	struct vp8_header vp8;

	if (c == CODEC_H264)
		return size_h264(au, len, width, height);
	if (c == CODEC_VP9)
		return size_vp9(au, len, width, height);
	if (c == CODEC_AV1)
		return size_av1(au, len, width, height);
	if (c != CODEC_VP8 || vp8_header_parse(&vp8, au, len) || !vp8.key)
		return false;
	*width = vp8.width;
	*height = vp8.height;
	return true;
}

/* --- the shard --------------------------------------------------------------------- */

static bool primary_of(const struct rtp_packet *p, uint32_t tag, const uint8_t **data, size_t *len)
{
	struct rtp_red_block block[RTP_RED_MAX_BLOCKS];
	int n;

	*data = p->payload;
	*len = p->payload_len;
	if (!audio_tag_red(tag))
		return *len;
	n = rtp_red_parse(p->payload, p->payload_len, block);
	if (n < 1)
		return false;
	*data = block[n - 1].data;
	*len = block[n - 1].len;
	return *len;
}

void leg_record_sound(struct leg_record *r, const struct lipsync *l, const struct rtp_packet *p,
		      uint32_t tag, int64_t arrival_ns)
{
	enum codec c = audio_tag_codec(tag);
	struct stream_stamp s = { .ssrc = p->ssrc, .hz = codec_clock_hz(c), .ts = p->ts,
				  .arrival_ns = arrival_ns };
	const uint8_t *data;
	size_t len;

	if (r->no_sound || c == CODEC_CN || !s.hz || !primary_of(p, tag, &data, &len) ||
	    stream_clock_is_late(&r->sound_clock, &s))
		return;
	s.has_play = lipsync_play_ns(l, LIPSYNC_AUDIO, p->ts, arrival_ns, &s.play_ns);
	r->sink.sound(r->sink.obj, c, data, len, stream_clock_map(&r->sound_clock, &s));
}

bool leg_record_picture(struct leg_record *r, bool content, const struct lipsync *l,
			const struct video_au *au, int64_t now_ns)
{
	struct picture_record *p = &r->picture[content];
	struct stream_stamp s = { .ssrc = au->ssrc, .hz = codec_clock_hz(au->codec),
				  .ts = au->rtp_ts, .arrival_ns = now_ns };
	int64_t at_ns;

	if (!r->sink.picture)
		return false;
	if (r->no_picture[content]) {
		p->broken = true;
		return false;
	}
	s.has_play = l && lipsync_play_ns(l, LIPSYNC_VIDEO, au->rtp_ts, now_ns, &s.play_ns);
	at_ns = stream_clock_map(&p->clock, &s);
	/* H.264 whose parameter sets came otherwise has no head of a file */
	if (au->key)
		p->broken = !leg_record_size(au->codec, au->buf->data, au->buf->len, &p->width,
					     &p->height);
	if (!p->broken && !r->sink.picture(r->sink.obj, content, au->codec, p->width, p->height,
					   au->buf, at_ns, au->key))
		return false;
	if (p->asked_ns && now_ns - p->asked_ns < ASK_NS)
		return false;
	p->asked_ns = now_ns;
	return true;
}

/* --- control ------------------------------------------------------------------------- */

static void released(void *obj, void *arg)
{
	struct leg_record *r = obj;

	(void)arg;
	role_assert_ctl();
	r->sink.released(r->sink.obj);
	free(r);
}

static void record_job(void *obj, void *arg)
{
	struct leg_net *l = obj;
	struct leg_record *r = arg, *before = l->record;

	role_assert_net();
	l->record = r;
	if (before)
		engine_post(l->cfg.engine->ctl, released, before, NULL);
}

void leg_record_look(struct leg *l)
{
	if (!l->record)
		return;
	l->record->no_sound = l->audio_muted;
	l->record->no_picture[LEG_CAMERA] = l->video_muted;
	l->record->no_picture[LEG_CONTENT] = l->content_held;
}

bool leg_is_local(const struct leg *l)
{
	return l->local;
}

int leg_record(struct leg *l, const struct leg_record_sink *s)
{
	struct leg_record *r;

	if (l->local)
		return -EINVAL;
	if (l->record || l->gone)
		return -EBUSY;
	r = calloc(1, sizeof *r);
	if (!r)
		return -ENOMEM;
	r->sink = *s;
	for (int i = 0; i < LEG_RECORD_PICTURES; i++)
		r->picture[i].broken = true;
	l->record = r;
	leg_record_look(l);
	engine_post(net_shard_mbox(l->net->shard), record_job, l->net, r);
	return 0;
}

void leg_unrecord(struct leg *l)
{
	if (!l->record)
		return;
	l->record = NULL;
	engine_post(net_shard_mbox(l->net->shard), record_job, l->net, NULL);
}
