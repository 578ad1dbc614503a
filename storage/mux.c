#include "storage/mux.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "storage/fmp4.h"
#include "storage/h264.h"

enum {
	NAL_KEEP_MAX = 400,
	AAC_FRAME_SAMPLES = 1024,
	EPOCH_1904_S = 2082844800,
	SYNC_CHEAP_NS = 20000000, /* a disk this fast is synced after every fragment */
};

struct mux {
	int fd;
	struct mux_cfg cfg;
	struct mp4_movie movie;
	struct fmp4 *file; /* NULL: no key frame yet */
	struct mp4_out scratch;
	uint8_t sps_store[NAL_KEEP_MAX], pps_store[NAL_KEEP_MAX];
	struct h264_nal sps, pps;
	int64_t zero_ns, last_ticks[MP4_TRACKS];
	bool needs_key, dirty;
	int64_t pending_since_ns; /* on the clock of mux_tick; -1: nothing waits */
	int64_t synced_ns, sync_cost_ns;
};

int mux_new(struct mux **out, int fd, const struct mux_cfg *cfg)
{
	struct mux *m = calloc(1, sizeof(*m));
	int err = m ? 0 : -ENOMEM;

	if (!err && (cfg->fps < 1 || cfg->fps > 240 || cfg->priming_samples < 0))
		err = -EINVAL;
	if (!err && cfg->aac_config_len)
		err = mp4_audio_track(&m->movie.track[MP4_AUDIO], (unsigned)cfg->sample_rate,
				      (unsigned)cfg->channels, cfg->aac_config,
				      cfg->aac_config_len);
	if (err) {
		free(m);
		close(fd);
		return err;
	}
	m->fd = fd;
	m->cfg = *cfg;
	m->cfg.aac_config = NULL;
	m->movie.created_s = (uint64_t)(cfg->created_wall_ns / NS_PER_S + EPOCH_1904_S);
	m->pending_since_ns = -1;
	m->last_ticks[MP4_VIDEO] = m->last_ticks[MP4_AUDIO] = -1;
	*out = m;
	return 0;
}

void mux_free(struct mux **m)
{
	if (!*m)
		return;
	fmp4_free(&(*m)->file);
	mp4_out_free(&(*m)->scratch);
	close((*m)->fd);
	free(*m);
	*m = NULL;
}

static bool keep_nal(struct h264_nal *to, uint8_t *store, const struct h264_nal *n)
{
	if (n->len > NAL_KEEP_MAX)
		return false;
	memcpy(store, n->p, n->len);
	*to = (struct h264_nal){ store, n->len, n->type };
	return true;
}

static int start_file(struct mux *m, const struct h264_nal *sps, const struct h264_nal *pps,
		      int64_t pts_ns)
{
	uint32_t nominal[MP4_TRACKS] = { (uint32_t)(MP4_VIDEO_TIMESCALE / m->cfg.fps),
					 AAC_FRAME_SAMPLES };
	unsigned width, height;
	int err;

	if (h264_sps_size(sps->p, sps->len, &width, &height) ||
	    !keep_nal(&m->sps, m->sps_store, sps) || !keep_nal(&m->pps, m->pps_store, pps) ||
	    mp4_video_track(&m->movie.track[MP4_VIDEO], width, height, sps->p, sps->len, pps->p,
			    pps->len))
		return MUX_DROPPED;
	err = fmp4_new(&m->file, m->fd, &m->movie, nominal);
	if (err)
		return err;
	m->zero_ns = pts_ns;
	m->dirty = true;
	return MUX_TAKEN;
}

/* Whether a key frame can go into this file: same size as the first. */
static bool fits(const struct mux *m, const struct h264_nal *sps)
{
	unsigned width, height;

	if (sps->len == m->sps.len && !memcmp(sps->p, m->sps.p, sps->len))
		return true;
	return !h264_sps_size(sps->p, sps->len, &width, &height) &&
	       width == m->movie.track[MP4_VIDEO].width &&
	       height == m->movie.track[MP4_VIDEO].height;
}

/* Ticks since the movie's zero, to the nearest; -1: before it. */
static int64_t ticks_of(const struct mux *m, int64_t pts_ns, uint32_t timescale)
{
	if (pts_ns < m->zero_ns)
		return -1;
	return (clock_scale(2 * (pts_ns - m->zero_ns), timescale, NS_PER_S) + 1) / 2;
}

/* Writes the fragment when the sample at pts_ns would make it too long. */
static int flush_before(struct mux *m, int64_t pts_ns, bool key)
{
	int64_t first = fmp4_pending_since_ns(m->file);

	if (first < 0 || (!key && pts_ns - m->zero_ns - first < m->cfg.fragment_ns))
		return 0;
	m->pending_since_ns = -1;
	m->dirty = true;
	return fmp4_flush(m->file);
}

static int drop_video(struct mux *m)
{
	m->needs_key = true;
	return MUX_DROPPED;
}

static int add(struct mux *m, enum mp4_track_no no, const uint8_t *data, size_t len, int64_t ticks,
	       bool sync)
{
	int err = fmp4_add(m->file, no, data, len, ticks, sync);

	if (err == -EINVAL)
		return MUX_DROPPED;
	if (!err)
		m->last_ticks[no] = ticks;
	return err;
}

int mux_video(struct mux *m, const uint8_t *au, size_t len, int64_t pts_ns, bool key)
{
	struct h264_nal sps, pps, idr;
	int64_t ticks;
	int err = 0;

	key = key && h264_find_nal(au, len, H264_NAL_IDR, &idr) &&
	      h264_find_nal(au, len, H264_NAL_SPS, &sps) &&
	      h264_find_nal(au, len, H264_NAL_PPS, &pps);
	if (!m->file) {
		if (!key)
			return MUX_EARLY;
		err = start_file(m, &sps, &pps, pts_ns);
		if (err)
			return err;
	}
	ticks = ticks_of(m, pts_ns, MP4_VIDEO_TIMESCALE);
	if ((m->needs_key && !key) || (key && !fits(m, &sps)) || ticks <= m->last_ticks[MP4_VIDEO])
		return drop_video(m);
	err = flush_before(m, pts_ns, key);
	if (err)
		return err;
	m->scratch.len = 0;
	if (!h264_to_lengths(&m->scratch, au, len, &m->sps, &m->pps))
		return drop_video(m);
	if (m->scratch.failed) {
		m->scratch.failed = false;
		return -ENOMEM;
	}
	err = add(m, MP4_VIDEO, m->scratch.p, m->scratch.len, ticks, key);
	if (err == MUX_TAKEN)
		m->needs_key = false;
	return err == MUX_DROPPED ? drop_video(m) : err;
}

int mux_audio(struct mux *m, const uint8_t *frame, size_t len, int64_t pts_ns)
{
	uint32_t rate = m->movie.track[MP4_AUDIO].timescale;
	int64_t ticks;
	int err;

	if (!rate || len == 0)
		return MUX_DROPPED;
	if (!m->file)
		return MUX_EARLY;
	pts_ns -= clock_scale(m->cfg.priming_samples, NS_PER_S, rate);
	ticks = ticks_of(m, pts_ns, rate);
	if (ticks < 0)
		return MUX_EARLY;
	if (ticks <= m->last_ticks[MP4_AUDIO])
		return MUX_DROPPED;
	err = flush_before(m, pts_ns, false);
	return err ? err : add(m, MP4_AUDIO, frame, len, ticks, true);
}

bool mux_started(const struct mux *m)
{
	return m->file != NULL;
}

int mux_tick(struct mux *m, int64_t now_ns)
{
	int err = 0;

	if (!m->file)
		return 0;
	if (fmp4_pending_since_ns(m->file) < 0) {
		m->pending_since_ns = -1;
	} else if (m->pending_since_ns < 0) {
		m->pending_since_ns = now_ns;
	} else if (now_ns - m->pending_since_ns >= m->cfg.fragment_ns) {
		err = fmp4_flush(m->file);
		m->pending_since_ns = -1;
		m->dirty = true;
	}
	if (err || !m->dirty ||
	    (m->sync_cost_ns > SYNC_CHEAP_NS && now_ns - m->synced_ns < m->cfg.sync_ns))
		return err;
	int64_t before = clock_now_ns(&clock_monotonic);

	if (fdatasync(m->fd))
		return -errno;
	m->sync_cost_ns = clock_now_ns(&clock_monotonic) - before;
	m->synced_ns = now_ns;
	m->dirty = false;
	return 0;
}

int mux_finish(struct mux *m)
{
	return m->file ? fmp4_finish(m->file) : -ENODATA;
}

void mux_abandon(struct mux *m)
{
	if (!m->file)
		return;
	fmp4_drop_pending(m->file);
	(void)fmp4_finish(m->file);
}

uint64_t mux_bytes(const struct mux *m)
{
	return m->file ? fmp4_bytes(m->file) : 0;
}

int64_t mux_duration_ms(const struct mux *m)
{
	return m->file ? fmp4_duration_ms(m->file) : 0;
}
