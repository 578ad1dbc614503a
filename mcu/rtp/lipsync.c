#include "mcu/rtp/lipsync.h"

#include <stdatomic.h>

#include "mcu/base/clock.h"
#include "mcu/rtp/seq.h"

#define UNKNOWN INT64_MIN

/* Beyond this the reports contradict each other, or one stream was restarted. */
static const int64_t NONSENSE_NS = 5 * NS_PER_S;

void lipsync_init(struct lipsync *l, uint32_t audio_clock_hz, uint32_t video_clock_hz)
{
	l->audio = (struct lipsync_map){ .clock_hz = audio_clock_hz };
	l->video = (struct lipsync_map){ .clock_hz = video_clock_hz };
	atomic_store(&l->play_offset_ns, UNKNOWN);
}

static struct lipsync_map *map_of(struct lipsync *l, enum lipsync_stream which)
{
	return which == LIPSYNC_AUDIO ? &l->audio : &l->video;
}

void lipsync_sr(struct lipsync *l, enum lipsync_stream which, uint64_t ntp, uint32_t rtp_ts)
{
	struct lipsync_map *m = map_of(l, which);

	if (!ntp)
		return;
	m->valid = true;
	m->rtp_ts = rtp_ts;
	/* 32 bits of seconds are 4.3e18 ns: within int64_t */
	m->ntp_ns = (int64_t)(ntp >> 32) * NS_PER_S +
		    (int64_t)(((ntp & 0xffffffff) * (uint64_t)NS_PER_S) >> 32);
}

void lipsync_reset(struct lipsync *l, enum lipsync_stream which)
{
	map_of(l, which)->valid = false;
	if (which == LIPSYNC_AUDIO)
		atomic_store(&l->play_offset_ns, UNKNOWN);
}

void lipsync_set_clock(struct lipsync *l, enum lipsync_stream which, uint32_t clock_hz)
{
	map_of(l, which)->clock_hz = clock_hz;
	lipsync_reset(l, which);
}

static int64_t ticks_ns(int64_t ticks, uint32_t clock_hz)
{
	return ticks / clock_hz * NS_PER_S + ticks % clock_hz * NS_PER_S / clock_hz;
}

void lipsync_audio_played(struct lipsync *l, uint32_t rtp_ts, uint32_t clock_hz, int64_t play_ns)
{
	atomic_store_explicit(&l->play_offset_ns, play_ns - ticks_ns(rtp_ts, clock_hz),
			      memory_order_relaxed);
}

static int64_t ntp_of(const struct lipsync_map *m, uint32_t rtp_ts)
{
	return m->ntp_ns + ticks_ns(ts_diff(rtp_ts, m->rtp_ts), m->clock_hz);
}

bool lipsync_ntp_ns(const struct lipsync *l, enum lipsync_stream which, uint32_t rtp_ts,
		    int64_t *ntp_ns)
{
	const struct lipsync_map *m = which == LIPSYNC_AUDIO ? &l->audio : &l->video;

	if (!m->valid)
		return false;
	*ntp_ns = ntp_of(m, rtp_ts);
	return true;
}

bool lipsync_play_ns(const struct lipsync *l, enum lipsync_stream which, uint32_t rtp_ts,
		     int64_t now_ns, int64_t *play_ns)
{
	int64_t offset = atomic_load_explicit(&l->play_offset_ns, memory_order_relaxed);
	int64_t due, period, hold;

	if (offset == UNKNOWN ||
	    (which == LIPSYNC_VIDEO && (!l->audio.valid || !l->video.valid)))
		return false;
	/* When the sample that the audio report names is played. The offset knows
	 * the time stamp modulo 2^32 only: take the turn nearest to now. */
	due = offset + ticks_ns(which == LIPSYNC_VIDEO ? l->audio.rtp_ts : rtp_ts,
				l->audio.clock_hz);
	if (which == LIPSYNC_VIDEO)
		due += ntp_of(&l->video, rtp_ts) - l->audio.ntp_ns;
	period = ticks_ns((int64_t)UINT32_MAX + 1, l->audio.clock_hz);
	hold = (due - now_ns) % period;
	if (hold > period / 2)
		hold -= period;
	if (hold < -period / 2)
		hold += period;
	*play_ns = now_ns + hold;
	return hold <= NONSENSE_NS && hold >= -NONSENSE_NS;
}

int64_t lipsync_video_hold_ns(const struct lipsync *l, uint32_t rtp_ts, int64_t now_ns)
{
	int64_t hold, due;

	if (!lipsync_play_ns(l, LIPSYNC_VIDEO, rtp_ts, now_ns, &due))
		return 0;
	hold = due - now_ns;
	if (hold <= 0)
		return 0;
	return hold < LIPSYNC_HOLD_MAX_MS * NS_PER_MS ? hold : LIPSYNC_HOLD_MAX_MS * NS_PER_MS;
}
