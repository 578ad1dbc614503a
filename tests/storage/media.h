/* Real coded media for the storage tests, and what a player makes of a file:
 * H.264 and AAC by libavcodec, files read back by libavformat. */
#ifndef TESTS_STORAGE_MEDIA_H
#define TESTS_STORAGE_MEDIA_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct au {
	uint8_t *p;
	size_t len;
	bool key;
};

struct video_source {
	AVCodecContext *c;
	AVFrame *frame;
	AVPacket *pkt;
};

static inline void video_source_open(struct video_source *s, int w, int h, int fps)
{
	const AVCodec *codec = avcodec_find_encoder_by_name("libx264");

	assert_non_null(codec);
	av_log_set_level(AV_LOG_ERROR);
	s->c = avcodec_alloc_context3(codec);
	s->c->width = w;
	s->c->height = h;
	s->c->pix_fmt = AV_PIX_FMT_YUV420P;
	s->c->time_base = (AVRational){ 1, fps };
	s->c->gop_size = 100000;
	s->c->bit_rate = 300000;
	s->c->thread_count = 1;
	av_opt_set(s->c->priv_data, "preset", "superfast", 0);
	av_opt_set(s->c->priv_data, "tune", "zerolatency", 0);
	av_opt_set(s->c->priv_data, "profile", "baseline", 0);
	av_opt_set(s->c->priv_data, "x264-params", "scenecut=0", 0);
	assert_int_equal(avcodec_open2(s->c, codec, NULL), 0);
	s->frame = av_frame_alloc();
	s->frame->width = w;
	s->frame->height = h;
	s->frame->format = AV_PIX_FMT_YUV420P;
	assert_int_equal(av_frame_get_buffer(s->frame, 64), 0);
	s->pkt = av_packet_alloc();
}

static inline void video_source_close(struct video_source *s)
{
	avcodec_free_context(&s->c);
	av_frame_free(&s->frame);
	av_packet_free(&s->pkt);
}

/* A picture of one luma; out->p is malloc'ed. */
static inline void video_source_next(struct video_source *s, int luma, bool key, struct au *out)
{
	AVFrame *f = s->frame;

	assert_int_equal(av_frame_make_writable(f), 0);
	for (int y = 0; y < f->height; y++)
		memset(f->data[0] + y * f->linesize[0], luma, (size_t)f->width);
	for (int i = 1; i < 3; i++)
		for (int y = 0; y < f->height / 2; y++)
			memset(f->data[i] + y * f->linesize[i], 128, (size_t)f->width / 2);
	f->pts = s->c->frame_number;
	f->pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
	assert_int_equal(avcodec_send_frame(s->c, f), 0);
	assert_int_equal(avcodec_receive_packet(s->c, s->pkt), 0);
	out->p = malloc((size_t)s->pkt->size);
	out->len = (size_t)s->pkt->size;
	out->key = s->pkt->flags & AV_PKT_FLAG_KEY;
	memcpy(out->p, s->pkt->data, out->len);
	av_packet_unref(s->pkt);
}

struct audio_source {
	AVCodecContext *c;
	AVFrame *frame;
	AVPacket *pkt;
	int64_t samples;
};

static inline void audio_source_open(struct audio_source *s)
{
	const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_AAC);

	s->c = avcodec_alloc_context3(codec);
	s->c->sample_rate = 48000;
	s->c->sample_fmt = AV_SAMPLE_FMT_FLTP;
	s->c->ch_layout = (AVChannelLayout)AV_CHANNEL_LAYOUT_MONO;
	s->c->bit_rate = 64000;
	s->c->time_base = (AVRational){ 1, 48000 };
	s->c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
	assert_int_equal(avcodec_open2(s->c, codec, NULL), 0);
	s->frame = av_frame_alloc();
	s->frame->nb_samples = 1024;
	s->frame->format = AV_SAMPLE_FMT_FLTP;
	s->frame->ch_layout = s->c->ch_layout;
	assert_int_equal(av_frame_get_buffer(s->frame, 0), 0);
	s->pkt = av_packet_alloc();
	s->samples = 0;
}

static inline void audio_source_close(struct audio_source *s)
{
	avcodec_free_context(&s->c);
	av_frame_free(&s->frame);
	av_packet_free(&s->pkt);
}

/* Codes the next 1,024 samples of pcm; true when a packet came out, with the
 * sample time that libavcodec gives it (the encoder's delay taken off). */
static inline bool audio_source_next(struct audio_source *s, const float *pcm, struct au *out,
				     int64_t *pts_samples)
{
	assert_int_equal(av_frame_make_writable(s->frame), 0);
	memcpy(s->frame->data[0], pcm, 1024 * sizeof(float));
	s->frame->pts = s->samples;
	s->samples += 1024;
	assert_int_equal(avcodec_send_frame(s->c, s->frame), 0);
	if (avcodec_receive_packet(s->c, s->pkt))
		return false;
	out->p = malloc((size_t)s->pkt->size);
	out->len = (size_t)s->pkt->size;
	out->key = true;
	memcpy(out->p, s->pkt->data, out->len);
	*pts_samples = s->pkt->pts;
	av_packet_unref(s->pkt);
	return true;
}

/* One frame of silence; out->p is malloc'ed. */
static inline void silent_frame(struct au *out)
{
	struct audio_source s;
	float zero[1024] = { 0 };
	int64_t pts = -1;

	audio_source_open(&s);
	while (pts < 0) {
		if (audio_source_next(&s, zero, out, &pts) && pts < 0)
			free(out->p);
	}
	audio_source_close(&s);
}

/* What a player sees. */
struct played {
	int complaints;          /* lines of libav at level error */
	char complaint[256];
	int video_frames, audio_frames, video_packets, width, height;
	double duration_s;       /* of the container */
	double video_first_s, video_last_s, video_last_end_s, audio_first_s, audio_end_s;
	double flash_s, beep_s;  /* first bright picture, first loud sample; -1: none */
};

static struct played *played_now;

static inline void note_complaint(void *ctx, int level, const char *fmt, va_list ap)
{
	(void)ctx;
	if (level > AV_LOG_ERROR || !played_now)
		return;
	if (!played_now->complaints++)
		vsnprintf(played_now->complaint, sizeof(played_now->complaint), fmt, ap);
}

static inline void see_video(struct played *out, const AVFrame *f, double t)
{
	int64_t sum = 0;

	if (!out->video_frames++)
		out->video_first_s = t;
	out->video_last_s = t;
	for (int y = 0; y < f->height; y += 8)
		sum += f->data[0][y * f->linesize[0] + f->width / 2];
	if (out->flash_s < 0 && sum / ((f->height + 7) / 8) > 128)
		out->flash_s = t;
}

static inline void hear_audio(struct played *out, const AVFrame *f, double t)
{
	const float *p = (const float *)(const void *)f->data[0];

	if (!out->audio_frames++)
		out->audio_first_s = t;
	out->audio_end_s = t + f->nb_samples / (double)f->sample_rate;
	if (f->format != AV_SAMPLE_FMT_FLTP && f->format != AV_SAMPLE_FMT_FLT)
		return; /* of telephones: nobody listens to it */
	for (int i = 0; i < f->nb_samples && out->beep_s < 0; i++)
		if (fabsf(p[i]) > 0.25f)
			out->beep_s = t + i / (double)f->sample_rate;
}

static inline void drain(struct played *out, AVFormatContext *fmt, AVCodecContext *c, int stream,
			 AVFrame *f)
{
	AVStream *st = fmt->streams[stream];

	while (avcodec_receive_frame(c, f) == 0) {
		double t = (double)f->best_effort_timestamp * av_q2d(st->time_base);

		if (f->decode_error_flags || (f->flags & AV_FRAME_FLAG_CORRUPT))
			out->complaints++;
		if (c->codec_type == AVMEDIA_TYPE_VIDEO)
			see_video(out, f, t);
		else
			hear_audio(out, f, t);
		av_frame_unref(f);
	}
}

/* Reads and, if decode, decodes the whole file. 0 or libav's error. */
static inline int play(const char *path, bool decode, struct played *out)
{
	AVFormatContext *fmt = NULL;
	AVCodecContext *dec[4] = { 0 };
	AVPacket *pkt = av_packet_alloc();
	AVFrame *f = av_frame_alloc();
	int err;

	*out = (struct played){ .flash_s = -1, .beep_s = -1 };
	played_now = out;
	av_log_set_callback(note_complaint);
	err = avformat_open_input(&fmt, path, NULL, NULL);
	if (!err)
		err = avformat_find_stream_info(fmt, NULL);
	if (err < 0)
		goto out;
	out->duration_s = (double)fmt->duration / AV_TIME_BASE;
	for (unsigned i = 0; i < fmt->nb_streams && i < 4; i++) {
		const AVCodecParameters *par = fmt->streams[i]->codecpar;

		if (par->codec_type == AVMEDIA_TYPE_VIDEO) {
			out->width = par->width;
			out->height = par->height;
		}
		dec[i] = avcodec_alloc_context3(avcodec_find_decoder(par->codec_id));
		avcodec_parameters_to_context(dec[i], par);
		dec[i]->thread_count = 1;
		dec[i]->pkt_timebase = fmt->streams[i]->time_base;
		avcodec_open2(dec[i], NULL, NULL);
	}
	while ((err = av_read_frame(fmt, pkt)) == 0) {
		AVStream *st = fmt->streams[pkt->stream_index];

		if (st->codecpar->codec_type == AVMEDIA_TYPE_VIDEO) {
			out->video_packets++;
			out->video_last_end_s = (double)(pkt->pts + pkt->duration) *
						av_q2d(st->time_base);
		}
		if (decode) {
			if (avcodec_send_packet(dec[pkt->stream_index], pkt))
				out->complaints++;
			drain(out, fmt, dec[pkt->stream_index], pkt->stream_index, f);
		}
		av_packet_unref(pkt);
	}
	for (int i = 0; decode && i < (int)fmt->nb_streams && i < 4; i++) {
		avcodec_send_packet(dec[i], NULL);
		drain(out, fmt, dec[i], i, f);
	}
	err = err == AVERROR_EOF ? 0 : err;
out:
	for (int i = 0; i < 4; i++)
		avcodec_free_context(&dec[i]);
	avformat_close_input(&fmt);
	av_packet_free(&pkt);
	av_frame_free(&f);
	played_now = NULL;
	av_log_set_callback(av_log_default_callback);
	return err;
}

/* A folder of the test's own; removed by remove_tree. */
static inline char *make_tree(char *name)
{
	assert_non_null(mkdtemp(name));
	return name;
}

static inline void remove_tree(const char *dir)
{
	char cmd[512];

	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	assert_int_equal(system(cmd), 0);
}

#endif
