#include "storage/container.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "storage/fmp4.h"
#include "storage/mkv.h"

enum { EPOCH_1904_S = 2082844800, AAC_FRAME_SAMPLES = 1024, OPUS_FRAME_SAMPLES = 960 };

/* One of them is. */
struct container {
	struct fmp4 *mp4;
	struct mkv *mkv;
	unsigned sound_track; /* of mkv */
	uint32_t hz;
};

static int open_mp4(struct container *c, int fd, const struct mux_cfg *cfg,
		    const uint8_t *aac_config, const struct h264_nal *sps,
		    const struct h264_nal *pps, unsigned width, unsigned height)
{
	struct mp4_movie m = { .created_s = (uint64_t)(cfg->created_wall_ns / NS_PER_S +
						       EPOCH_1904_S) };
	uint32_t nominal[MP4_TRACKS] = {
		[MP4_VIDEO] = cfg->fps ? (uint32_t)(MP4_VIDEO_TIMESCALE / cfg->fps) : 0,
		[MP4_AUDIO] = cfg->opus ? OPUS_FRAME_SAMPLES : AAC_FRAME_SAMPLES,
	};
	int err = 0;

	if (sps)
		err = mp4_video_track(&m.track[MP4_VIDEO], width, height, sps->p, sps->len, pps->p,
				      pps->len);
	if (!err && cfg->opus)
		err = mp4_opus_track(&m.track[MP4_AUDIO], (unsigned)cfg->channels);
	else if (!err && cfg->aac_config_len)
		err = mp4_audio_track(&m.track[MP4_AUDIO], (unsigned)cfg->sample_rate,
				      (unsigned)cfg->channels, aac_config, cfg->aac_config_len);
	return err ? err : fmp4_new(&c->mp4, fd, &m, nominal);
}

static int open_mkv(struct container *c, int fd, const struct mux_cfg *cfg,
		    const uint8_t *aac_config, const struct h264_nal *sps,
		    const struct h264_nal *pps, unsigned width, unsigned height)
{
	struct mkv_track t[2] = { 0 };
	struct mp4_out avcc = { 0 };
	size_t n = 0;
	int err;

	if (sps) {
		h264_put_config(&avcc, sps, pps);
		t[n++] = (struct mkv_track){ .codec = CODEC_H264, .width = width, .height = height,
					     .config = avcc.p, .config_len = avcc.len };
	}
	c->sound_track = (unsigned)n;
	if (cfg->opus)
		t[n++] = (struct mkv_track){ .codec = CODEC_OPUS, .hz = 48000,
					     .frame_ns = clock_scale(OPUS_FRAME_SAMPLES, NS_PER_S,
								     48000),
					     .channels = (unsigned)cfg->channels };
	else if (cfg->aac_config_len)
		t[n++] = (struct mkv_track){ .codec = CODEC_AAC, .hz = (unsigned)cfg->sample_rate,
					     .frame_ns = clock_scale(AAC_FRAME_SAMPLES, NS_PER_S,
								     cfg->sample_rate),
					     .channels = (unsigned)cfg->channels,
					     .config = aac_config, .config_len = cfg->aac_config_len };
	err = avcc.failed ? -ENOMEM : mkv_new(&c->mkv, fd, t, n, cfg->created_wall_ns);
	mp4_out_free(&avcc);
	return err;
}

int container_new(struct container **out, int fd, const struct mux_cfg *cfg,
		  const uint8_t *aac_config, const struct h264_nal *sps,
		  const struct h264_nal *pps, unsigned width, unsigned height)
{
	struct container *c = calloc(1, sizeof *c);
	int err;

	if (!c)
		return -ENOMEM;
	c->hz = cfg->opus ? 48000 : (uint32_t)cfg->sample_rate;
	err = (cfg->matroska ? open_mkv : open_mp4)(c, fd, cfg, aac_config, sps, pps, width, height);
	if (err)
		free(c);
	else
		*out = c;
	return err;
}

void container_free(struct container **c)
{
	if (!*c)
		return;
	fmp4_free(&(*c)->mp4);
	mkv_free(&(*c)->mkv);
	free(*c);
	*c = NULL;
}

int container_add(struct container *c, bool video, const uint8_t *data, size_t len, int64_t ticks,
		  bool sync)
{
	int64_t at_ns = clock_scale(ticks, NS_PER_S, video ? MP4_VIDEO_TIMESCALE : c->hz);

	if (c->mp4)
		return fmp4_add(c->mp4, video ? MP4_VIDEO : MP4_AUDIO, data, len, ticks, sync);
	return mkv_add(c->mkv, video ? 0 : c->sound_track, data, len, at_ns, sync);
}

int64_t container_pending_since_ns(const struct container *c)
{
	return c->mp4 ? fmp4_pending_since_ns(c->mp4) : mkv_pending_since_ns(c->mkv);
}

int container_flush(struct container *c)
{
	return c->mp4 ? fmp4_flush(c->mp4) : mkv_flush(c->mkv);
}

void container_drop_pending(struct container *c)
{
	if (c->mp4)
		fmp4_drop_pending(c->mp4);
	else
		mkv_drop_pending(c->mkv);
}

int container_finish(struct container *c)
{
	return c->mp4 ? fmp4_finish(c->mp4) : mkv_finish(c->mkv);
}

uint64_t container_bytes(const struct container *c)
{
	return c->mp4 ? fmp4_bytes(c->mp4) : mkv_bytes(c->mkv);
}

int64_t container_duration_ms(const struct container *c)
{
	return c->mp4 ? fmp4_duration_ms(c->mp4) : mkv_duration_ms(c->mkv);
}
