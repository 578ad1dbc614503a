/* Streams that libavcodec's encoders make, as other senders would send them. */
#ifndef TESTS_MIXER_CODEC_FFMPEG_STREAM_H
#define TESTS_MIXER_CODEC_FFMPEG_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <libavcodec/avcodec.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>

enum { FFMPEG_STREAM_MAX = 64 };

struct ffmpeg_stream {
	int n;
	AVPacket *pkt[FFMPEG_STREAM_MAX];
};

static inline void ffmpeg_stream_draw(AVFrame *f, int plane, int n)
{
	bool half = plane && f->format != AV_PIX_FMT_YUV444P;
	int rows = half ? (f->height + 1) / 2 : f->height;

	for (int i = 0; i < f->linesize[plane] * rows; i++) {
		if (f->format == AV_PIX_FMT_YUV420P10) /* the high octets stay below 4 */
			f->data[plane][i] = (uint8_t)(i & 1 ? 1 : i + n);
		else
			f->data[plane][i] = (uint8_t)(i / 3 + n * 2);
	}
}

/* Makes n packets of moving gradients; key frames every gop. opts: NULL, or pairs
 * "key=value:key=value" on top of what makes each encoder work in real time. */
static inline void ffmpeg_stream_make_with(struct ffmpeg_stream *s, const char *encoder, int w,
					   int h, enum AVPixelFormat fmt, int n, int gop,
					   const char *opts)
{
	const AVCodec *codec = avcodec_find_encoder_by_name(encoder);
	AVCodecContext *ctx = avcodec_alloc_context3(codec);
	AVFrame *f = av_frame_alloc();
	AVDictionary *d = NULL;
	int pts = 0, err = 0;

	*s = (struct ffmpeg_stream){ 0 };
	av_log_set_level(AV_LOG_QUIET);
	if (!codec || !ctx || !f || n > FFMPEG_STREAM_MAX)
		abort();
	ctx->width = f->width = w;
	ctx->height = f->height = h;
	ctx->pix_fmt = fmt;
	f->format = fmt;
	ctx->time_base = (AVRational){ 1, 30 };
	ctx->gop_size = gop;
	ctx->keyint_min = gop;
	ctx->bit_rate = 300000;
	ctx->thread_count = 1;
	av_dict_parse_string(&d, "deadline=realtime:usage=realtime:cpu-used=8:lag-in-frames=0",
			     "=", ":", 0);
	if (opts)
		av_dict_parse_string(&d, opts, "=", ":", 0);
	if (avcodec_open2(ctx, codec, &d) < 0 || av_frame_get_buffer(f, 0) < 0)
		abort();
	while (s->n < n) {
		AVPacket *p = av_packet_alloc();

		err = avcodec_receive_packet(ctx, p);
		if (!err) {
			s->pkt[s->n++] = p;
			continue;
		}
		av_packet_free(&p);
		if (err != AVERROR(EAGAIN))
			break;
		if (pts >= n) {
			avcodec_send_frame(ctx, NULL);
			continue;
		}
		if (av_frame_make_writable(f) < 0)
			abort();
		for (int i = 0; i < 3 && f->data[i]; i++)
			ffmpeg_stream_draw(f, i, pts);
		f->pts = pts++;
		if (avcodec_send_frame(ctx, f) < 0)
			abort();
	}
	av_dict_free(&d);
	av_frame_free(&f);
	avcodec_free_context(&ctx);
}

static inline void ffmpeg_stream_make(struct ffmpeg_stream *s, const char *encoder, int w, int h,
				      enum AVPixelFormat fmt, int n, int gop)
{
	ffmpeg_stream_make_with(s, encoder, w, h, fmt, n, gop, NULL);
}

static inline void ffmpeg_stream_free(struct ffmpeg_stream *s)
{
	for (int i = 0; i < s->n; i++)
		av_packet_free(&s->pkt[i]);
}

#endif
