#include "storage/mux.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "storage/container.h"
#include "storage/mp4_movie.h"
#include "storage/timeline.h"

enum {
	NAL_KEEP_MAX = 400,
	CONFIG_MAX = 64,
	SYNC_CHEAP_NS = 20000000, /* a disk this fast is synced after every fragment */
};

struct mux {
	int fd;
	struct mux_cfg cfg;
	uint8_t aac_config[CONFIG_MAX];
	struct container *file; /* NULL: it has not begun */
	struct timeline line;
	struct mp4_out scratch;
	uint8_t sps_store[NAL_KEEP_MAX], pps_store[NAL_KEEP_MAX];
	struct h264_nal sps, pps; /* that the file's head has */
	unsigned width, height;
	bool own_sets; /* a later picture had others: all keep theirs */
	int64_t last_video, last_audio; /* ticks */
	uint32_t hz, frame; /* of the sound: samples a second, and a packet */
	bool needs_key, dirty;
	int64_t pending_since_ns; /* on the clock of mux_tick; -1: nothing waits */
	int64_t synced_ns, sync_cost_ns;
};

static bool sounds(const struct mux_cfg *c)
{
	return c->opus || c->aac_config_len;
}

static bool is_valid(const struct mux_cfg *c)
{
	if (c->fps < 0 || c->fps > 240 || c->priming_samples < 0 || c->aac_config_len > CONFIG_MAX)
		return false;
	if (sounds(c) && (c->channels < 1 || c->channels > 8))
		return false;
	if (sounds(c) && !c->opus &&
	    (c->aac_config_len < 2 || c->sample_rate < 8000 || c->sample_rate > 96000))
		return false;
	return c->fps || sounds(c);
}

int mux_new(struct mux **out, int fd, const struct mux_cfg *cfg)
{
	struct mux *m = is_valid(cfg) ? calloc(1, sizeof(*m)) : NULL;

	if (!m) {
		close(fd);
		return is_valid(cfg) ? -ENOMEM : -EINVAL;
	}
	m->fd = fd;
	m->cfg = *cfg;
	if (cfg->aac_config_len)
		memcpy(m->aac_config, cfg->aac_config, cfg->aac_config_len);
	m->cfg.aac_config = NULL;
	m->hz = cfg->opus ? 48000 : (uint32_t)cfg->sample_rate;
	m->frame = cfg->opus ? 960 : 1024;
	m->pending_since_ns = -1;
	m->last_video = m->last_audio = -1;
	*out = m;
	return 0;
}

void mux_free(struct mux **m)
{
	if (!*m)
		return;
	container_free(&(*m)->file);
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

static int start_file(struct mux *m, const struct h264_nal *sps, const struct h264_nal *pps)
{
	int err;

	if (sps && (h264_sps_size(sps->p, sps->len, &m->width, &m->height) ||
		    !keep_nal(&m->sps, m->sps_store, sps) || !keep_nal(&m->pps, m->pps_store, pps)))
		return MUX_DROPPED;
	err = container_new(&m->file, m->fd, &m->cfg, m->aac_config, sps ? &m->sps : NULL,
			    &m->pps, m->width, m->height);
	if (err == -EINVAL)
		return MUX_DROPPED;
	m->dirty = !err;
	return err ? err : MUX_TAKEN;
}

static bool equal(const struct h264_nal *a, const struct h264_nal *b)
{
	return a->len == b->len && !memcmp(a->p, b->p, a->len);
}

/* The parameter sets of a key frame: those of the file's head, or others that are kept
 * beside it from here on. */
static bool take_sets(struct mux *m, const struct h264_nal *sps, const struct h264_nal *pps)
{
	unsigned width, height;

	if (equal(sps, &m->sps) && equal(pps, &m->pps))
		return true;
	if (h264_sps_size(sps->p, sps->len, &width, &height))
		return false;
	m->own_sets = true;
	return true;
}

static int64_t ticks_of(int64_t at_ns, uint32_t timescale)
{
	return (clock_scale(2 * at_ns, timescale, NS_PER_S) + 1) / 2;
}

/* Writes the fragment when the sample at at_ns would make it too long. */
static int flush_before(struct mux *m, int64_t at_ns, bool key)
{
	int64_t first = container_pending_since_ns(m->file);

	if (first < 0 || (!key && at_ns - first < m->cfg.fragment_ns))
		return 0;
	m->pending_since_ns = -1;
	m->dirty = true;
	return container_flush(m->file);
}

static int drop_video(struct mux *m)
{
	m->needs_key = true;
	return MUX_DROPPED;
}

/* As the file holds it; empty: nothing is left of it. */
static int to_lengths(struct mux *m, const uint8_t *au, size_t len)
{
	static const struct h264_nal none;

	m->scratch.len = 0;
	if (!h264_to_lengths(&m->scratch, au, len, m->own_sets ? &none : &m->sps,
			     m->own_sets ? &none : &m->pps))
		return MUX_DROPPED;
	if (!m->scratch.failed)
		return 0;
	m->scratch.failed = false;
	return -ENOMEM;
}

static int add_video(struct mux *m, const uint8_t *au, size_t len, int64_t at_ns, bool key)
{
	int64_t ticks = ticks_of(at_ns, MP4_VIDEO_TIMESCALE);
	int err;

	if (ticks <= m->last_video)
		return MUX_DROPPED;
	err = flush_before(m, at_ns, key);
	if (!err)
		err = to_lengths(m, au, len);
	if (!err)
		err = container_add(m->file, true, m->scratch.p, m->scratch.len, ticks, key);
	if (err)
		return err == -EINVAL ? MUX_DROPPED : err;
	m->last_video = ticks;
	m->line.least_ns = at_ns + NS_PER_S / m->cfg.fps;
	m->needs_key = false;
	return MUX_TAKEN;
}

int mux_video(struct mux *m, const uint8_t *au, size_t len, int64_t pts_ns, bool key)
{
	struct h264_nal sps, pps, idr;
	int64_t at_ns;
	int res;

	if (!m->cfg.fps)
		return MUX_DROPPED;
	key = key && h264_find_nal(au, len, H264_NAL_IDR, &idr) &&
	      h264_find_nal(au, len, H264_NAL_SPS, &sps) &&
	      h264_find_nal(au, len, H264_NAL_PPS, &pps);
	if (!m->file) {
		if (!key)
			return MUX_EARLY;
		res = start_file(m, &sps, &pps);
		if (res != MUX_TAKEN)
			return res;
	}
	if (!timeline_place(&m->line, pts_ns, key, &at_ns)) {
		m->needs_key = true; /* what follows refers to it */
		return MUX_EARLY;
	}
	if ((m->needs_key && !key) || (key && !take_sets(m, &sps, &pps)))
		return drop_video(m);
	res = add_video(m, au, len, at_ns, key);
	return res == MUX_DROPPED ? drop_video(m) : res;
}

int mux_audio(struct mux *m, const uint8_t *frame, size_t len, int64_t pts_ns)
{
	int64_t ticks, at_ns;
	int err;

	if (!sounds(&m->cfg) || len == 0)
		return MUX_DROPPED;
	if (!m->file && m->cfg.fps)
		return MUX_EARLY;
	if (!m->file) {
		err = start_file(m, NULL, NULL);
		if (err != MUX_TAKEN)
			return err;
	}
	pts_ns -= clock_scale(m->cfg.priming_samples, NS_PER_S, m->hz);
	/* so that its first packet, of up to 21.4 ms, is less than 20 from the first picture */
	if (m->line.begun && pts_ns < m->line.zero_ns && pts_ns >= m->line.zero_ns - MUX_BEFORE_NS)
		pts_ns = m->line.zero_ns;
	if (!timeline_place(&m->line, pts_ns, !m->cfg.fps, &at_ns))
		return MUX_EARLY;
	ticks = ticks_of(at_ns, m->hz);
	/* After a pause it may begin within the packet before: players would play both. */
	if (m->last_audio >= 0 && ticks < m->last_audio + m->frame * 7 / 8)
		return MUX_DROPPED;
	err = flush_before(m, at_ns, false);
	if (!err)
		err = container_add(m->file, false, frame, len, ticks, true);
	if (err)
		return err == -EINVAL ? MUX_DROPPED : err;
	m->last_audio = ticks;
	return MUX_TAKEN;
}

void mux_pause(struct mux *m, int64_t at_ns)
{
	timeline_pause(&m->line, at_ns);
}

void mux_resume(struct mux *m, int64_t at_ns)
{
	timeline_resume(&m->line, at_ns);
}

const struct timeline *mux_line(const struct mux *m)
{
	return &m->line;
}

bool mux_waits(const struct mux *m)
{
	return m->cfg.fps && timeline_waits(&m->line);
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
	if (container_pending_since_ns(m->file) < 0) {
		m->pending_since_ns = -1;
	} else if (m->pending_since_ns < 0) {
		m->pending_since_ns = now_ns;
	} else if (now_ns - m->pending_since_ns >= m->cfg.fragment_ns) {
		err = container_flush(m->file);
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

int mux_flush(struct mux *m)
{
	m->dirty = m->file != NULL;
	return m->file ? container_flush(m->file) : 0;
}

int mux_finish(struct mux *m)
{
	return m->file ? container_finish(m->file) : -ENODATA;
}

void mux_abandon(struct mux *m)
{
	if (!m->file)
		return;
	container_drop_pending(m->file);
	(void)container_finish(m->file);
}

uint64_t mux_bytes(const struct mux *m)
{
	return m->file ? container_bytes(m->file) : 0;
}

int64_t mux_duration_ms(const struct mux *m)
{
	return m->file ? container_duration_ms(m->file) : 0;
}
