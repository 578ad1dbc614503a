/* The media of the latency probes: pictures that flip between black and white,
 * and short bursts of sound. */
#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <math.h>
#include <opus/opus.h>
#include <stdio.h>
#include <string.h>

#include "tests/load/media.h"
#include "tests/load/media_store.h"
#include "tests/load/picture.h"
#include "tests/load/tone.h"
#include "tests/load/util.h"

enum { WIDTH = 640, HEIGHT = 360, FLIP_FRAMES = 12, BLACK = 24, WHITE = 220 };
enum { SLOT_PACKETS = 25, BURST_AT = 10, BURST_PACKETS = 5, OPUS_BPS = 32000, QUIET_PACKETS = 250 };

static AVCodecContext *flip_encoder(void)
{
	const AVCodec *c = avcodec_find_encoder_by_name("libx264");
	AVCodecContext *e = avcodec_alloc_context3(c);

	if (!c || !e)
		bot_die("no libx264 in libavcodec");
	e->width = WIDTH;
	e->height = HEIGHT;
	e->pix_fmt = AV_PIX_FMT_YUV420P;
	e->time_base = (AVRational){ 1, 30 };
	e->bit_rate = 500000;
	e->gop_size = 2 * FLIP_FRAMES;
	e->max_b_frames = 0;
	e->thread_count = 1;
	av_opt_set(e->priv_data, "preset", "superfast", 0);
	av_opt_set(e->priv_data, "tune", "zerolatency", 0);
	av_opt_set(e->priv_data, "profile", "baseline", 0);
	if (avcodec_open2(e, c, NULL) < 0)
		bot_die("cannot open libx264");
	return e;
}

static void encode(struct media *m, AVCodecContext *e, const AVFrame *f)
{
	AVPacket *p = av_packet_alloc();

	if (!p || avcodec_send_frame(e, f) < 0)
		bot_die("libx264 failed");
	while (avcodec_receive_packet(e, p) >= 0) {
		media_store_add(m, p->data, (size_t)p->size)->key = p->flags & AV_PKT_FLAG_KEY;
		av_packet_unref(p);
	}
	av_packet_free(&p);
}

static void mark_flips(struct media *m)
{
	struct picture *p = picture_new(false);
	bool was_bright = false;

	for (size_t i = 0; i < m->units; i++) {
		struct media_unit *u = &m->unit[i];
		bool bright;

		if (!picture_decode(p, u->data, u->len))
			bot_die("flip clip: not one picture per access unit");
		bright = picture_luma(p, WIDTH / 2, HEIGHT / 2) > 128;
		u->marked = u->bright = bright && !was_bright;
		was_bright = bright;
	}
	picture_free(&p);
}

const struct media *media_make_flips(unsigned turn, unsigned turns)
{
	AVCodecContext *e = flip_encoder();
	AVFrame *f = av_frame_alloc();
	struct media *m;
	char name[32];
	unsigned shift = turn * FLIP_FRAMES / turns;

	snprintf(name, sizeof name, "flips %u", turn);
	m = media_store_new(name);
	if (!f)
		bot_die("out of memory");
	f->format = AV_PIX_FMT_YUV420P;
	f->width = WIDTH;
	f->height = HEIGHT;
	for (int i = 0; i < 2 * FLIP_FRAMES; i++) {
		bool bright = ((unsigned)i + shift) % (2 * FLIP_FRAMES) >= FLIP_FRAMES;

		if (av_frame_get_buffer(f, 0) < 0)
			bot_die("out of memory");
		memset(f->data[0], bright ? WHITE : BLACK, (size_t)(f->linesize[0] * HEIGHT));
		memset(f->data[1], 128, (size_t)(f->linesize[1] * HEIGHT / 2));
		memset(f->data[2], 128, (size_t)(f->linesize[2] * HEIGHT / 2));
		f->pts = i;
		encode(m, e, f);
		av_buffer_unref(&f->buf[0]);
		av_buffer_unref(&f->buf[1]);
		av_buffer_unref(&f->buf[2]);
	}
	encode(m, e, NULL);
	av_frame_free(&f);
	avcodec_free_context(&e);
	mark_flips(m);
	return m;
}

static void mark_bursts(struct media *m)
{
	struct tone *t = tone_new();

	for (size_t i = 0; i < m->units; i++) {
		tone_decode(t, m->unit[i].data, m->unit[i].len);
		m->unit[i].marked = tone_burst_began(t);
	}
	tone_free(&t);
}

const struct media *media_make_bursts(unsigned turn, unsigned turns)
{
	OpusEncoder *e = opus_encoder_create(48000, 1, OPUS_APPLICATION_AUDIO, &(int){ 0 });
	float pcm[MEDIA_AUDIO_TICKS];
	uint8_t pkt[1500];
	struct media *m;
	char name[32];

	snprintf(name, sizeof name, "bursts %u", turn);
	m = media_store_new(name);
	if (!e || opus_encoder_ctl(e, OPUS_SET_BITRATE(OPUS_BPS)))
		bot_die("no Opus encoder");
	for (unsigned i = 0; i < turns * SLOT_PACKETS; i++) {
		unsigned at = i % SLOT_PACKETS;
		bool burst =
			i / SLOT_PACKETS == turn && at >= BURST_AT && at < BURST_AT + BURST_PACKETS;
		int n;

		for (int k = 0; k < MEDIA_AUDIO_TICKS; k++) {
			float noise = (float)bot_random_below(2000) * 1e-7f - 1e-4f;

			pcm[k] = burst ? 0.5f * sinf(6.2831853f * 1000.0f * (float)k / 48000.0f)
				       : noise;
		}
		n = opus_encode_float(e, pcm, MEDIA_AUDIO_TICKS, pkt, sizeof pkt);
		if (n < 1)
			bot_die("Opus: %s", opus_strerror(n));
		media_store_add(m, pkt, (size_t)n);
	}
	opus_encoder_destroy(e);
	media_store_levels(m);
	mark_bursts(m);
	return m;
}

const struct media *media_make_quiet(void)
{
	static struct media *made;
	OpusEncoder *e;
	float pcm[MEDIA_AUDIO_TICKS];
	uint8_t pkt[1500];

	if (made)
		return made;
	e = opus_encoder_create(48000, 1, OPUS_APPLICATION_VOIP, &(int){ 0 });
	if (!e || opus_encoder_ctl(e, OPUS_SET_BITRATE(OPUS_BPS)))
		bot_die("no Opus encoder");
	made = media_store_new("quiet");
	for (int i = 0; i < QUIET_PACKETS; i++) {
		int n;

		for (int k = 0; k < MEDIA_AUDIO_TICKS; k++)
			pcm[k] = (float)bot_random_below(2000) * 1e-6f - 1e-3f;
		n = opus_encode_float(e, pcm, MEDIA_AUDIO_TICKS, pkt, sizeof pkt);
		if (n < 1)
			bot_die("Opus: %s", opus_strerror(n));
		media_store_add(made, pkt, (size_t)n);
	}
	opus_encoder_destroy(e);
	media_store_levels(made);
	return made;
}
