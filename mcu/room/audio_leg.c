#include "mcu/room/audio_leg.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "mcu/base/hot.h"
#include "mcu/base/metrics.h"
#include "mcu/base/ring.h"
#include "mcu/room/audio_ear.h"
#include "mcu/room/audio_out.h"
#include "mcu/room/local_source.h"
#include "mcu/room/routing.h"
#include "mcu/rtp/lipsync.h"
#include "mixer/audio/dsp.h"
#include "mixer/audio/dtmf_in.h"
#include "mixer/audio/vad.h"
#include "mixer/audio/voice.h"

METRIC_COUNTER(m_dropped, "mcu_audio_in_dropped_total",
	       "Received audio packets dropped because the leg's ring was full.");
METRIC_COUNTER(m_recovered, "mcu_audio_in_recovered_total",
	       "Lost audio packets restored from a copy (RED) or from Opus FEC.");

METRIC_COUNTER(m_digits_dropped, "mcu_dtmf_tones_dropped_total",
	       "DTMF digits heard as tones and dropped because the control loop was behind.");

/* Of a local source: music has quiet places, and must not be cut off in them. */
enum { LOCAL_HANGOVER_TICKS = 100, LOCAL_FLOOR_DBOV = -70 };
/* How often the numbers of losses and delay are shown to others. */
enum { PUBLISH_TICKS = 8 };

struct audio_leg {
	/* what a tick in silence needs, together */
	struct ring *ring;
	bool rests;
	int64_t rested; /* ticks that were left out since */
	unsigned ticks; /* the others */
	struct audio_out *out;
	int64_t hold_tick;
	const struct engine *engine;
	int channels;
	struct audio_in *in; /* NULL: it never sent sound */
	const struct local_source *local; /* NULL: it comes in packets */
	float local_dbov;  /* of its last tick */
	int local_ticks;   /* for which it is still heard */
	bool local_muted;
	float *pcm;	     /* a tick of it */
	struct lipsync *lipsync;
	struct audio_ear *ear; /* NULL: it hears what all hear */
	mbox_fn *prompt_over;
	void *prompt_over_obj;
	struct dtmf_in *tones;     /* CTL's until it is routed */
	struct dtmf_in *listening; /* NULL: not for digits */
	mbox_fn *digit;
	void *digit_obj;
	struct voice *voice; /* CTL's until it is routed */
	float volume_db, gain_from, gain_to; /* gain_from: at the end of the last tick */
	_Atomic float level_dbov;
	_Atomic bool speaking;
	_Atomic int delay_ms, target_ms;
	_Atomic uint64_t lost, concealed, late, recovered;
};

int audio_leg_new(struct audio_leg **out, const struct engine *e, int channels)
{
	struct audio_leg *a = hot_calloc(sizeof *a);
	int err;

	if (!a)
		return -ENOMEM;
	a->engine = e;
	a->channels = channels;
	a->gain_from = a->gain_to = 1;
	a->level_dbov = -127;
	err = ring_new(&a->ring, AUDIO_RING_PACKETS);
	if (err) {
		audio_leg_free(&a);
		return err;
	}
	*out = a;
	return 0;
}

static size_t pcm_bytes(const struct audio_leg *a)
{
	return (size_t)(AUDIO_TICK_SAMPLES * a->channels) * sizeof *a->pcm;
}

int audio_leg_receive(struct audio_leg *a)
{
	float *pcm;
	int err;

	if (a->in)
		return 0;
	pcm = hot_calloc(pcm_bytes(a));
	if (!pcm)
		return -ENOMEM;
	err = audio_in_new(&a->in, a->channels);
	if (err)
		hot_free(pcm, pcm_bytes(a));
	else
		a->pcm = pcm;
	return err;
}

int audio_leg_set_local(struct audio_leg *a, const struct local_source *s)
{
	a->pcm = hot_calloc(pcm_bytes(a));
	if (!a->pcm)
		return -ENOMEM;
	a->local_dbov = -127;
	a->local = s;
	return 0;
}

void audio_leg_free(struct audio_leg **a)
{
	struct audio_leg *l = *a;
	struct buf *b;

	if (!l)
		return;
	while (l->ring && (b = ring_pop(l->ring)))
		buf_unref(&b);
	ring_free(&l->ring);
	audio_in_free(&l->in);
	hot_free(l->pcm, pcm_bytes(l));
	audio_out_free(&l->out);
	voice_free(&l->voice);
	audio_ear_free(&l->ear);
	dtmf_in_free(&l->tones);
	hot_free(l, sizeof *l);
	*a = NULL;
}

void audio_leg_set_lipsync(struct audio_leg *a, struct lipsync *l)
{
	a->lipsync = l;
}

void audio_leg_put(struct audio_leg *a, struct buf *pkt)
{
	if (ring_push(a->ring, pkt))
		return;
	metric_add(&m_dropped, 1);
	buf_unref(&pkt);
}

ON_THREAD(ROLE_MIXA) static void publish(struct audio_leg *a)
{
	struct audio_in_stats s;

	/* for whoever looks: nothing else depends on it */
	atomic_store_explicit(&a->level_dbov, audio_leg_level_dbov(a), memory_order_relaxed);
	atomic_store_explicit(&a->speaking, audio_leg_speaking(a), memory_order_relaxed);
	if (a->local || a->ticks++ % PUBLISH_TICKS)
		return;
	audio_in_stats(a->in, &s);
	a->delay_ms = s.delay_ms;
	a->target_ms = s.target_ms;
	a->lost = s.lost;
	a->late = s.late;
	a->concealed = s.concealed_samples;
	if (s.red_used + s.fec_used != a->recovered)
		metric_add(&m_recovered, (int64_t)(s.red_used + s.fec_used - a->recovered));
	a->recovered = s.red_used + s.fec_used;
}

struct voice *audio_leg_voice(struct audio_leg *a)
{
	if (!a->voice && voice_new(&a->voice, a->channels))
		return NULL;
	return a->voice;
}

void audio_leg_set_sound(struct audio_leg *a, const struct route_sound *s)
{
	if (a->in)
		audio_in_set_voice(a->in, s->voice);
	if (s->voice)
		voice_set(s->voice, s->gain, s->noise);
	if (s->volume_db > a->volume_db || s->volume_db < a->volume_db)
		a->gain_to = fabsf(s->volume_db) > 0 ? powf(10, s->volume_db / 20) : 1;
	a->volume_db = s->volume_db;
}

struct dtmf_in *audio_leg_tones(struct audio_leg *a)
{
	if (!a->tones && dtmf_in_new(&a->tones, a->channels))
		return NULL;
	return a->tones;
}

void audio_leg_set_tones(struct audio_leg *a, struct dtmf_in *d)
{
	if (d && d != a->listening)
		dtmf_in_reset(d);
	a->listening = d;
}

void audio_leg_set_digit(struct audio_leg *a, mbox_fn *fn, void *obj)
{
	a->digit = fn;
	a->digit_obj = obj;
}

ON_THREAD(ROLE_MIXA) static bool listen(struct audio_leg *a, bool sound)
{
	char digits[DTMF_IN_DIGITS + 1];

	sound = dtmf_in_tick(a->listening, a->pcm, sound, digits);
	for (const char *d = digits; *d; d++)
		if (mbox_post(a->engine->ctl, a->digit, a->digit_obj, (void *)(uintptr_t)*d))
			metric_add(&m_digits_dropped, 1);
	return sound;
}

enum audio_band audio_leg_band(const struct audio_leg *a, enum audio_band otherwise)
{
	return a->in && audio_in_heard(a->in) ? audio_in_band(a->in) : otherwise;
}

/* Untouched at its own volume. */
ON_THREAD(ROLE_MIXA) static void turn(struct audio_leg *a)
{
	size_t n = a->local ? AUDIO_TICK_SAMPLES : audio_band_tick(audio_in_band(a->in));
	float from = a->gain_from;

	a->gain_from = a->gain_to;
	if (from < 1 || from > 1 || a->gain_to < 1 || a->gain_to > 1)
		dsp_ramp(a->pcm, n, a->channels, from, a->gain_to);
}

ON_THREAD(ROLE_MIXA) static const float *local_tick(struct audio_leg *a, int64_t now_ns)
{
	bool sound = a->local->ops->sound(a->local->obj, now_ns, a->pcm, a->channels) &&
		     !a->local_muted;

	a->local_dbov = sound ? vad_level_dbov(a->pcm, (size_t)(AUDIO_TICK_SAMPLES * a->channels)) :
				-127;
	if (a->local_dbov > LOCAL_FLOOR_DBOV)
		a->local_ticks = LOCAL_HANGOVER_TICKS;
	else if (a->local_ticks)
		a->local_ticks--;
	turn(a);
	publish(a);
	return sound ? a->pcm : NULL;
}

void audio_leg_prefetch(const struct audio_leg *a, unsigned step)
{
	if (!step) {
		__builtin_prefetch(a);
		__builtin_prefetch((const char *)a + 64);
	} else if (step == 1) {
		ring_prefetch(a->ring);
		if (a->in && !a->rests)
			audio_in_prefetch(a->in, 0);
	} else if (a->in && !a->rests) {
		audio_in_prefetch(a->in, 1);
	}
}

bool audio_leg_rest(struct audio_leg *a)
{
	if (!a->rests || ring_peek(a->ring))
		return false;
	a->rested++;
	return true;
}

ON_THREAD(ROLE_MIXA) static void wake(struct audio_leg *a)
{
	if (a->rests)
		audio_in_rested(a->in, a->rested);
	a->rests = false;
	a->rested = 0;
}

const float *audio_leg_tick(struct audio_leg *a, int64_t now_ns)
{
	bool sound;
	int64_t play_ns;
	uint32_t ts, hz;
	struct buf *b;

	if (a->local)
		return local_tick(a, now_ns);
	wake(a);
	while ((b = ring_pop(a->ring)))
		audio_in_put(a->in, b, b->time_ns);
	audio_in_set_own_rate(a->in, !a->listening); /* digits are listened for at 48 kHz */
	sound = audio_in_tick(a->in, now_ns, a->pcm);
	if (a->listening && audio_in_band(a->in) == AUDIO_BAND_FULL)
		sound = listen(a, sound);
	turn(a);
	if (a->lipsync && audio_in_play_point(a->in, &ts, &hz, &play_ns))
		lipsync_audio_played(a->lipsync, ts, hz, play_ns);
	publish(a);
	a->rests = audio_in_rests(a->in) && !a->listening;
	return sound ? a->pcm : NULL;
}

float audio_leg_level_dbov(const struct audio_leg *a)
{
	float db = (a->local ? a->local_dbov : audio_in_level_dbov(a->in)) + a->volume_db;

	return db < -127 ? -127 : db < 0 ? db : 0;
}

bool audio_leg_active(const struct audio_leg *a)
{
	return a->local ? a->local_dbov > LOCAL_FLOOR_DBOV : audio_in_active(a->in);
}

bool audio_leg_speaking(const struct audio_leg *a)
{
	return a->local ? a->local_ticks > 0 : audio_in_speaking(a->in);
}

void audio_leg_set_muted(struct audio_leg *a, bool muted)
{
	a->local_muted = muted;
	if (a->in && audio_in_muted(a->in) != muted)
		audio_in_set_muted(a->in, muted);
}

struct audio_out **audio_leg_out(struct audio_leg *a)
{
	return &a->out;
}

int64_t *audio_leg_hold_tick(struct audio_leg *a)
{
	return &a->hold_tick;
}

struct audio_ear *audio_leg_ear(const struct audio_leg *a)
{
	return a->ear;
}

void audio_leg_set_ear(struct audio_leg *a, struct audio_ear *e)
{
	a->ear = e;
}

void audio_leg_set_prompt_over(struct audio_leg *a, mbox_fn *fn, void *obj)
{
	a->prompt_over = fn;
	a->prompt_over_obj = obj;
}

/* What the mailbox does not take now is told at the next tick. */
void audio_leg_tell_prompts(struct audio_leg *a)
{
	struct prompt_player *p = audio_ear_player(a->ear);
	struct prompt_over o;

	while (prompt_player_over(p, &o)) {
		uintptr_t arg = (uintptr_t)o.id << 1 | o.stopped;

		if (mbox_post(a->engine->ctl, a->prompt_over, a->prompt_over_obj, (void *)arg))
			return;
		prompt_player_fetched(p);
	}
}

void audio_leg_get_stats(const struct audio_leg *a, struct audio_leg_stats *s)
{
	*s = (struct audio_leg_stats){
		.level_dbov = a->level_dbov, .speaking = a->speaking,
		.delay_ms = a->delay_ms, .target_ms = a->target_ms,
		.lost = a->lost, .concealed = a->concealed, .late = a->late,
		.recovered = a->recovered,
	};
}
