#include "mcu/room/sink_sound.h"

#include <string.h>

#include "mcu/base/metrics.h"
#include "mcu/room/audio_leg.h"
#include "mixer/codec/aenc.h"

METRIC_COUNTER(m_no_buffer, "mcu_sink_sound_dropped_total",
	       "Packets of sound that recordings and broadcasts did not get: no buffer was left.");

enum { TICK_NS = 20 * 1000 * 1000 };
/* Of silence that is made up for in one tick. */
enum { SKIP_MAX = 8 };

/* 20 ms of silence, full band, one frame (RFC 6716 section 3.1): in mono, in stereo. */
static const uint8_t opus_rest[2][3] = { { 0xf8, 0xff, 0xfe }, { 0xfc, 0xff, 0xfe } };

bool sink_sound_any(const struct sink_sound *s)
{
	return s->to[ROOM_SINK_AAC].first || s->to[ROOM_SINK_OPUS].first;
}

void sink_sound_add(struct sink_sound *s, struct sink_link *l)
{
	sink_list_add(&s->to[l->sink->sound], l);
}

void sink_sound_remove(struct sink_sound *s, struct sink_link *l)
{
	sink_list_remove(&s->to[l->sink->sound], l);
	if (!s->to[ROOM_SINK_AAC].first)
		aenc_free(&s->aac);
}

void sink_sound_stop(struct sink_sound *s)
{
	aenc_free(&s->aac);
}

enum audio_format sink_sound_format(const struct sink_sound *s)
{
	if (!s->to[ROOM_SINK_OPUS].first)
		return AUDIO_FORMAT_NONE;
	return s->channels == 2 ? AUDIO_FORMAT_OPUS_STEREO : AUDIO_FORMAT_OPUS;
}

static void give(struct sink_sound *s, enum room_sink_sound to, const uint8_t *data, size_t len,
		 int64_t pts_ns)
{
	struct buf *b = buf_get(s->engine->sound_pool);

	if (!b || len > b->cap) {
		metric_add(&m_no_buffer, 1);
		buf_unref(&b);
		return;
	}
	memcpy(b->data, data, len);
	b->len = len;
	sink_list_audio(&s->to[to], b, pts_ns);
	buf_unref(&b);
}

void sink_sound_opus(struct sink_sound *s, const struct audio_out_packet *p, size_t n,
		     int64_t due_ns, int64_t delay_ns)
{
	int64_t began_ns = sink_work_begin();

	for (size_t i = 0; i < n; i++) {
		if (p[i].len)
			give(s, ROOM_SINK_OPUS, p[i].data, p[i].len, due_ns - delay_ns);
		else
			give(s, ROOM_SINK_OPUS, opus_rest[s->channels == 2], sizeof opus_rest[0],
			     due_ns - delay_ns);
	}
	sink_work_end(began_ns);
}

static void aac_out(void *obj, const struct aenc_packet *p)
{
	struct sink_sound *s = obj;

	give(s, ROOM_SINK_AAC, p->data, p->len, s->start_ns + p->pts_samples * NS_PER_S / 48000);
}

static void encode_aac(struct sink_sound *s, const float *mix, int64_t due_ns)
{
	static const float silence[2 * AUDIO_TICK_SAMPLES];
	struct aenc_cfg cfg = {
		.format = CODEC_AAC, .channels = s->channels,
		.bitrate_bps = s->engine->cfg.recording_audio_bps,
	};

	if (!s->aac) {
		if (aenc_new(&s->aac, &cfg))
			return;
		s->start_ns = due_ns;
		s->ticks = 0;
	}
	/* Ticks that were skipped are silence: the file's sound must not run ahead. A
	 * few at a time: everybody else's sound waits meanwhile. */
	for (int n = 0; s->start_ns + s->ticks * TICK_NS < due_ns - TICK_NS / 2; n++) {
		if (n == SKIP_MAX)
			return; /* nor may this sound come too early */
		s->ticks++;
		aenc_encode(s->aac, silence, aac_out, s);
	}
	s->ticks++;
	aenc_encode(s->aac, mix, aac_out, s);
}

void sink_sound_tick(struct sink_sound *s, const float *mix, int64_t due_ns)
{
	int64_t began_ns;

	if (!s->to[ROOM_SINK_AAC].first)
		return;
	began_ns = sink_work_begin();
	encode_aac(s, mix, due_ns);
	sink_work_end(began_ns);
}
