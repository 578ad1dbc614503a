#include "storage/push_av.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "storage/h264.h"

enum { TRACKS = 2, VIDEO = 0, AUDIO = 1, GOODBYE_MS = 500 };

struct push_av {
	AVFormatContext *f;
	AVPacket *pkt;
	const _Atomic bool *stop;
	int64_t zero_ns, last_ms[TRACKS], timeout_ns;
	int64_t deadline_ns; /* of the present call */
	bool header;
};

static int64_t now_ns(void)
{
	return clock_now_ns(&clock_monotonic);
}

static int interrupted(void *obj)
{
	const struct push_av *a = obj;

	return atomic_load_explicit(a->stop, memory_order_relaxed) || now_ns() > a->deadline_ns;
}

/* libav's own errors are all the same to us: the other side, or the way there. */
static int error_of(int err)
{
	if (err >= 0)
		return 0;
	return err == AVERROR_EXIT ? -ETIMEDOUT : err == AVERROR_EOF ? -EPIPE :
	       err > -4096 ? err : -EPROTO;
}

static int put_extradata(AVCodecParameters *par, const uint8_t *p, size_t len)
{
	par->extradata = av_mallocz(len + AV_INPUT_BUFFER_PADDING_SIZE);
	if (!par->extradata)
		return -ENOMEM;
	memcpy(par->extradata, p, len);
	par->extradata_size = (int)len;
	return 0;
}

/* Parameter sets with start codes: libavformat makes of them what the format needs. */
static int video_stream(struct push_av *a, const struct push_cfg *cfg, const uint8_t *au, size_t len)
{
	AVStream *s = avformat_new_stream(a->f, NULL);
	struct h264_nal sps, pps;
	struct mp4_out x = { 0 };
	int err;

	if (!s)
		return -ENOMEM;
	if (!h264_find_nal(au, len, H264_NAL_SPS, &sps) || !h264_find_nal(au, len, H264_NAL_PPS, &pps))
		return -EINVAL;
	mp4_put32(&x, 1);
	mp4_put(&x, sps.p, sps.len);
	mp4_put32(&x, 1);
	mp4_put(&x, pps.p, pps.len);
	s->codecpar->codec_type = AVMEDIA_TYPE_VIDEO;
	s->codecpar->codec_id = AV_CODEC_ID_H264;
	s->codecpar->width = cfg->width;
	s->codecpar->height = cfg->height;
	err = x.failed ? -ENOMEM : put_extradata(s->codecpar, x.p, x.len);
	mp4_out_free(&x);
	return err;
}

static int audio_stream(struct push_av *a, const struct push_cfg *cfg)
{
	AVStream *s = avformat_new_stream(a->f, NULL);

	if (!s)
		return -ENOMEM;
	s->codecpar->codec_type = AVMEDIA_TYPE_AUDIO;
	s->codecpar->codec_id = AV_CODEC_ID_AAC;
	s->codecpar->profile = FF_PROFILE_AAC_LOW;
	s->codecpar->sample_rate = cfg->sample_rate;
	s->codecpar->frame_size = 1024;
	av_channel_layout_default(&s->codecpar->ch_layout, cfg->channels);
	return put_extradata(s->codecpar, cfg->aac_config, cfg->aac_config_len);
}

static int connect_to(struct push_av *a, const struct push_cfg *cfg)
{
	AVDictionary *options = NULL;
	int err;

	/* Whatever the address says, nothing but these is spoken. */
	av_dict_set(&options, "protocol_whitelist", "rtmp,rtmps,srt,tcp,tls,udp", 0);
	a->deadline_ns = now_ns() + a->timeout_ns;
	err = avio_open2(&a->f->pb, cfg->url, AVIO_FLAG_WRITE, &a->f->interrupt_callback, &options);
	av_dict_free(&options);
	return error_of(err);
}

static int begin(struct push_av *a, const struct push_cfg *cfg, const uint8_t *key, size_t len)
{
	AVDictionary *options = NULL;
	int err = video_stream(a, cfg, key, len);

	if (!err)
		err = audio_stream(a, cfg);
	if (!err)
		err = connect_to(a, cfg);
	if (err)
		return err;
	av_dict_set(&options, "flvflags", "no_duration_filesize", 0);
	a->deadline_ns = now_ns() + a->timeout_ns;
	err = avformat_write_header(a->f, &options);
	av_dict_free(&options);
	a->header = err >= 0;
	return error_of(err);
}

int push_av_open(struct push_av **out, const struct push_cfg *cfg, enum push_kind kind,
		 const _Atomic bool *stop, const uint8_t *key, size_t len)
{
	struct push_av *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return -ENOMEM;
	a->stop = stop;
	a->zero_ns = -1;
	a->timeout_ns = cfg->timeout_ms * NS_PER_MS;
	a->last_ms[VIDEO] = a->last_ms[AUDIO] = -1;
	a->pkt = av_packet_alloc();
	err = a->pkt ? avformat_alloc_output_context2(&a->f, NULL,
						      kind == PUSH_SRT ? "mpegts" : "flv", NULL)
		     : AVERROR(ENOMEM);
	if (err >= 0) {
		a->f->interrupt_callback = (AVIOInterruptCB){ interrupted, a };
		a->f->flags |= AVFMT_FLAG_FLUSH_PACKETS;
		a->f->max_delay = 0;
		err = begin(a, cfg, key, len);
	}
	if (err < 0)
		push_av_close(&a);
	else
		*out = a;
	return error_of(err);
}

int push_av_write(struct push_av *a, bool video, const uint8_t *data, size_t len, int64_t pts_ns,
		  bool key)
{
	int track = video ? VIDEO : AUDIO;
	AVRational tb = a->f->streams[track]->time_base;
	int64_t ms;

	if (a->zero_ns < 0 && !(video && key))
		return 0;
	if (a->zero_ns < 0)
		a->zero_ns = pts_ns;
	ms = pts_ns < a->zero_ns ? -1 : (pts_ns - a->zero_ns + NS_PER_MS / 2) / NS_PER_MS;
	if (ms <= a->last_ms[track])
		return 0;
	a->last_ms[track] = ms;
	a->deadline_ns = now_ns() + a->timeout_ns;
	/* It is written before the call returns, and not kept. */
	a->pkt->data = (uint8_t *)data;
	a->pkt->size = (int)len;
	a->pkt->stream_index = track;
	a->pkt->flags = key || !video ? AV_PKT_FLAG_KEY : 0;
	a->pkt->pts = a->pkt->dts = av_rescale_q(ms, (AVRational){ 1, 1000 }, tb);
	int err = av_write_frame(a->f, a->pkt);

	if (err >= 0 && a->f->pb && a->f->pb->error < 0)
		err = a->f->pb->error;
	return error_of(err);
}

void push_av_close(struct push_av **ap)
{
	struct push_av *a = *ap;
	static const _Atomic bool go_on;

	if (!a)
		return;
	a->stop = &go_on;
	a->deadline_ns = now_ns() + GOODBYE_MS * NS_PER_MS;
	if (a->header)
		av_write_trailer(a->f);
	if (a->f && a->f->pb)
		avio_closep(&a->f->pb);
	avformat_free_context(a->f);
	av_packet_free(&a->pkt);
	free(a);
	*ap = NULL;
}
