#include "storage/live_cut.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "storage/h264.h"
#include "storage/mp4_moof.h"
#include "storage/mp4_movie.h"

enum {
	SAMPLES_MAX = 512,
	PART_BYTES_MAX = 8 << 20,
	PARAMETERS_MAX = 400,
	AAC_FRAME_SAMPLES = 1024,
	GAP_MS = 1500, /* without pictures: the stream was interrupted */
};

struct waiting {
	struct mp4_out data;
	struct mp4_sample sample[SAMPLES_MAX];
	size_t n;
	int64_t last_ticks; /* -1: none yet */
};

struct live_cut {
	struct live_cut_cfg cfg;
	struct live_cut_out to;
	struct mp4_movie movie;
	struct waiting waiting[MP4_TRACKS];
	struct mp4_out scratch, box;
	uint8_t sps_store[PARAMETERS_MAX], pps_store[PARAMETERS_MAX];
	struct h264_nal sps, pps;
	bool started, needs_key;
	int64_t zero_ns, segment_ns, part_ns, last_ns; /* media clock; last_ns: picture */
	bool key, first, breaks;		       /* of the part that waits */
	uint32_t sequence;
};

int live_cut_new(struct live_cut **out, const struct live_cut_cfg *cfg,
		 const struct live_cut_out *to)
{
	struct live_cut *c;
	int err = 0;

	if (cfg->fps < 1 || cfg->fps > 240 || cfg->part_ns < NS_PER_MS ||
	    cfg->segment_ns < cfg->part_ns)
		return -EINVAL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->cfg = *cfg;
	c->to = *to;
	c->cfg.aac_config = NULL;
	c->waiting[MP4_VIDEO].last_ticks = c->waiting[MP4_AUDIO].last_ticks = -1;
	if (cfg->aac_config_len)
		err = mp4_audio_track(&c->movie.track[MP4_AUDIO], (unsigned)cfg->sample_rate,
				      (unsigned)cfg->channels, cfg->aac_config,
				      cfg->aac_config_len);
	if (err)
		live_cut_free(&c);
	else
		*out = c;
	return err;
}

void live_cut_free(struct live_cut **c)
{
	if (!*c)
		return;
	for (size_t i = 0; i < MP4_TRACKS; i++)
		mp4_out_free(&(*c)->waiting[i].data);
	mp4_out_free(&(*c)->scratch);
	mp4_out_free(&(*c)->box);
	free(*c);
	*c = NULL;
}

/* --- parts ------------------------------------------------------------------------ */

/* The octets that belong to the samples that are left move to the front. */
static void forget(struct waiting *w, size_t n, size_t bytes)
{
	memmove(w->sample, w->sample + n, (w->n - n) * sizeof(w->sample[0]));
	if (bytes < w->data.len)
		memmove(w->data.p, w->data.p + bytes, w->data.len - bytes);
	w->data.len -= bytes;
	w->n -= n;
}

/* All that waits but the last keep pictures, as a part that ends at end_ns. */
static void put_part(struct live_cut *c, size_t keep, int64_t end_ns, bool last)
{
	struct waiting *v = &c->waiting[MP4_VIDEO], *a = &c->waiting[MP4_AUDIO];
	size_t kept = 0;
	struct mp4_run run[MP4_TRACKS];

	for (size_t i = v->n - keep; i < v->n; i++)
		kept += v->sample[i].size;
	run[MP4_VIDEO] = (struct mp4_run){ v->sample, v->n - keep, v->data.len - kept };
	run[MP4_AUDIO] = (struct mp4_run){ a->sample, a->n, a->data.len };
	c->box.len = 0;
	mp4_put_moof(&c->box, ++c->sequence, run);
	mp4_put(&c->box, v->data.p, run[MP4_VIDEO].bytes);
	mp4_put(&c->box, a->data.p, run[MP4_AUDIO].bytes);
	if (!c->box.failed)
		c->to.part(c->to.obj, &(struct live_part){
			.data = c->box.p, .len = c->box.len, .start_ns = c->part_ns,
			.duration_ns = end_ns - c->part_ns, .independent = c->key,
			.first = c->first, .last = last, .breaks = c->breaks });
	forget(v, run[MP4_VIDEO].n, run[MP4_VIDEO].bytes);
	forget(a, a->n, a->data.len);
	c->part_ns = end_ns;
	c->key = c->first = false;
	c->breaks = c->box.failed;
	c->box.failed = false;
}

static int64_t nominal_ns(const struct live_cut *c)
{
	return NS_PER_S / c->cfg.fps;
}

static void set_last_duration(struct live_cut *c, int64_t ticks)
{
	struct waiting *v = &c->waiting[MP4_VIDEO];

	if (v->n)
		v->sample[v->n - 1].duration = (uint32_t)ticks;
}

/* A picture comes at pts_ns: parts that end before it go out. */
static void close_parts(struct live_cut *c, int64_t pts_ns, int64_t ticks, bool segment,
			bool broken)
{
	const struct waiting *v = &c->waiting[MP4_VIDEO];
	int64_t gap_ns = pts_ns - c->last_ns;

	if (!v->n)
		return;
	if (broken) {
		set_last_duration(c, MP4_VIDEO_TIMESCALE / c->cfg.fps);
		put_part(c, 0, c->last_ns + nominal_ns(c), true);
		return;
	}
	set_last_duration(c, ticks - v->last_ticks);
	if (pts_ns - c->part_ns > c->cfg.part_ns && v->n > 1)
		put_part(c, 1, c->last_ns, false);
	if (segment || pts_ns + gap_ns - c->part_ns > c->cfg.part_ns || v->n == SAMPLES_MAX)
		put_part(c, 0, pts_ns, segment);
}

/* --- pictures --------------------------------------------------------------------- */

static bool keep_nal(struct h264_nal *to, uint8_t *store, const struct h264_nal *n)
{
	if (n->len > PARAMETERS_MAX)
		return false;
	memcpy(store, n->p, n->len);
	*to = (struct h264_nal){ store, n->len, n->type };
	return true;
}

static bool same_nal(const struct h264_nal *a, const struct h264_nal *b)
{
	return a->len == b->len && !memcmp(a->p, b->p, a->len);
}

/* New parameters: false when they cannot be used. */
static bool put_init(struct live_cut *c, const struct h264_nal *sps, const struct h264_nal *pps)
{
	struct mp4_track *t = &c->movie.track[MP4_VIDEO];
	struct live_init i = { .width = 0 };

	if (sps->len < 4 || h264_sps_size(sps->p, sps->len, &i.width, &i.height) ||
	    mp4_video_track(t, i.width, i.height, sps->p, sps->len, pps->p, pps->len) ||
	    !keep_nal(&c->sps, c->sps_store, sps) || !keep_nal(&c->pps, c->pps_store, pps))
		return false;
	c->box.len = 0;
	mp4_put_ftyp(&c->box);
	mp4_put_init_moov(&c->box, &c->movie);
	if (c->box.failed) {
		c->box.failed = false;
		return false;
	}
	snprintf(i.codecs, sizeof(i.codecs), "avc1.%02x%02x%02x%s", sps->p[1], sps->p[2], sps->p[3],
		 c->movie.track[MP4_AUDIO].timescale ? ",mp4a.40.2" : "");
	i.data = c->box.p;
	i.len = c->box.len;
	c->to.init(c->to.obj, &i);
	return true;
}

static bool add(struct live_cut *c, enum mp4_track_no no, const uint8_t *data, size_t len,
		int64_t ticks, bool sync, uint32_t duration)
{
	struct waiting *w = &c->waiting[no];

	if (ticks <= w->last_ticks || w->n == SAMPLES_MAX || w->data.len + len > PART_BYTES_MAX)
		return false;
	size_t before = w->data.len;

	mp4_put(&w->data, data, len);
	if (w->data.failed) {
		w->data.failed = false;
		w->data.len = before;
		return false;
	}
	w->sample[w->n++] = (struct mp4_sample){ .dts = ticks, .size = (uint32_t)len,
						 .duration = duration, .sync = sync };
	w->last_ticks = ticks;
	return true;
}

/* Ticks since the first key frame, to the nearest. */
static int64_t ticks_of(const struct live_cut *c, int64_t pts_ns, uint32_t timescale)
{
	return (clock_scale(2 * (pts_ns - c->zero_ns), timescale, NS_PER_S) + 1) / 2;
}

static bool drop(struct live_cut *c)
{
	c->needs_key = true;
	return false;
}

/* A key frame that may begin a segment; false: its parameters cannot be used. */
static bool begin_segment(struct live_cut *c, int64_t pts_ns, bool broken,
			  const struct h264_nal *sps, const struct h264_nal *pps)
{
	bool other = !c->started || !same_nal(sps, &c->sps) || !same_nal(pps, &c->pps);

	if (!other && !broken && pts_ns - c->segment_ns < c->cfg.segment_ns)
		return true;
	close_parts(c, pts_ns, c->started ? ticks_of(c, pts_ns, MP4_VIDEO_TIMESCALE) : 0, true,
		    broken);
	if (other && !put_init(c, sps, pps))
		return false;
	c->breaks = c->started && (other || broken);
	if (!c->started)
		c->zero_ns = pts_ns;
	c->started = c->first = c->key = true;
	c->segment_ns = c->part_ns = pts_ns;
	return true;
}

bool live_cut_video(struct live_cut *c, const uint8_t *au, size_t len, int64_t pts_ns, bool key)
{
	struct h264_nal sps, pps, idr;

	key = key && h264_find_nal(au, len, H264_NAL_IDR, &idr) &&
	      h264_find_nal(au, len, H264_NAL_SPS, &sps) &&
	      h264_find_nal(au, len, H264_NAL_PPS, &pps);
	if ((!c->started || c->needs_key) && !key)
		return drop(c);
	if (c->started && pts_ns <= c->last_ns)
		return drop(c);
	if (key && !begin_segment(c, pts_ns,
				  c->started && (c->needs_key ||
						 pts_ns - c->last_ns > GAP_MS * NS_PER_MS),
				  &sps, &pps))
		return drop(c);
	int64_t ticks = ticks_of(c, pts_ns, MP4_VIDEO_TIMESCALE);

	close_parts(c, pts_ns, ticks, false, false);
	c->scratch.len = 0;
	if (!h264_to_lengths(&c->scratch, au, len, &c->sps, &c->pps) || c->scratch.failed) {
		c->scratch.failed = false;
		return drop(c);
	}
	if (!add(c, MP4_VIDEO, c->scratch.p, c->scratch.len, ticks, key,
		 (uint32_t)(MP4_VIDEO_TIMESCALE / c->cfg.fps)))
		return drop(c);
	c->needs_key = false;
	c->last_ns = pts_ns;
	return true;
}

bool live_cut_audio(struct live_cut *c, const uint8_t *frame, size_t len, int64_t pts_ns)
{
	uint32_t rate = c->movie.track[MP4_AUDIO].timescale;

	return rate && len && c->started && pts_ns >= c->zero_ns &&
	       add(c, MP4_AUDIO, frame, len, ticks_of(c, pts_ns, rate), true, AAC_FRAME_SAMPLES);
}

void live_cut_finish(struct live_cut *c)
{
	if (c->waiting[MP4_VIDEO].n)
		put_part(c, 0, c->last_ns + nominal_ns(c), true);
}
