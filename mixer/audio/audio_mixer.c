#include "mixer/audio/audio_mixer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mixer/audio/dsp.h"
#include "mixer/audio/limiter.h"
#include "mixer/audio/rate.h"

#define TALKER_BONUS_DB    6.0f /* a newcomer must be that much louder */
#define LOUDNESS_FALL_DB   0.4f /* per tick: 20 dB/s, so that pauses lose no place */

struct talker {
	const float *pcm; /* borrowed; this tick's, when added_tick is */
	enum audio_band band;
	int64_t added_tick, minus_tick;
	float loudness_dbov; /* rises at once, falls slowly */
	float gain_from, gain_to;
	bool chosen;
	struct limiter limiter; /* of its N-1 mix */
};

/* From one band to another. */
struct bridge {
	struct rate *rate; /* NULL: never wanted yet */
	int64_t tick;	   /* in which it ran last */
	bool empty;	   /* nothing of before is in it */
};

struct band_mix {
	float *sum;   /* of this band's own sounds */
	float *total; /* with those of the others */
	float *listener;
	const float *whole; /* sum or total, when whole_tick is this tick */
	int64_t sound_tick; /* in which there was any of its own, last */
	int64_t whole_tick, listener_tick;
	struct limiter limiter; /* of the listener mix */
	struct bridge from[AUDIO_BANDS];
};

struct audio_mixer {
	size_t capacity, count, max_talkers, hint;
	int channels;
	int64_t tick;
	size_t in_sum;
	uint64_t refused;
	struct band_mix band[AUDIO_BANDS];
	const float *also; /* of this tick; NULL: nothing */
	uint32_t *ids; /* beside the talkers: searched often */
	struct talker *talkers;
};

static size_t floats_of(const struct audio_mixer *m, enum audio_band b)
{
	return audio_band_tick(b) * (size_t)m->channels;
}

/* The three buffers of a band are one piece. */
static int make_band(struct audio_mixer *m, enum audio_band band)
{
	size_t n = floats_of(m, band);
	struct band_mix *b = &m->band[band];

	b->sum = calloc(3 * n, sizeof *b->sum);
	if (!b->sum)
		return -ENOMEM;
	b->total = b->sum + n;
	b->listener = b->total + n;
	b->sound_tick = b->whole_tick = b->listener_tick = -2;
	for (int i = 0; i < AUDIO_BANDS; i++)
		b->from[i].empty = true;
	return 0;
}

int audio_mixer_new(struct audio_mixer **out, const struct audio_mixer_cfg *cfg)
{
	struct audio_mixer *m = calloc(1, sizeof *m);
	int err = 0;

	if (!m)
		return -ENOMEM;
	m->channels = cfg->channels ? cfg->channels : 1;
	m->capacity = cfg->max_legs ? cfg->max_legs : 256;
	m->max_talkers = cfg->max_talkers;
	if (m->channels < 1 || m->channels > 2) {
		free(m);
		return -EINVAL;
	}
	for (enum audio_band b = 0; b < AUDIO_BANDS && !err; b++)
		err = make_band(m, b);
	m->ids = calloc(m->capacity, sizeof *m->ids);
	m->talkers = calloc(m->capacity, sizeof *m->talkers);
	if (err || !m->ids || !m->talkers) {
		audio_mixer_free(&m);
		return -ENOMEM;
	}
	*out = m;
	return 0;
}

void audio_mixer_free(struct audio_mixer **m)
{
	if (!*m)
		return;
	for (int b = 0; b < AUDIO_BANDS; b++) {
		free((*m)->band[b].sum);
		for (int i = 0; i < AUDIO_BANDS; i++)
			rate_free(&(*m)->band[b].from[i].rate);
	}
	free((*m)->ids);
	free((*m)->talkers);
	free(*m);
	*m = NULL;
}

static bool added(const struct audio_mixer *m, const struct talker *t)
{
	return t->added_tick == m->tick;
}

static bool audible(const struct audio_mixer *m, const struct talker *t)
{
	return added(m, t) && (t->gain_from > 0 || t->gain_to > 0);
}

static struct talker *find(const struct audio_mixer *m, uint32_t leg_id)
{
	/* Legs come in the same order each tick; the hint is only a guess. */
	size_t guess = m->hint < m->count ? m->hint : 0;

	if (guess < m->count && m->ids[guess] == leg_id)
		return &m->talkers[guess];
	for (size_t i = 0; i < m->count; i++)
		if (m->ids[i] == leg_id)
			return &m->talkers[i];
	return NULL;
}

/* A fresh state for the leg: an unused one, else the one longest without sound. */
static struct talker *make(struct audio_mixer *m, uint32_t leg_id)
{
	size_t at = 0;

	if (m->count < m->capacity) {
		at = m->count++;
	} else {
		for (size_t i = 1; i < m->count; i++)
			if (m->talkers[i].added_tick < m->talkers[at].added_tick)
				at = i;
		if (added(m, &m->talkers[at]))
			return NULL;
	}
	m->ids[at] = leg_id;
	m->talkers[at] = (struct talker){ .added_tick = -2, .minus_tick = -2,
					  .loudness_dbov = -127 };
	return &m->talkers[at];
}

void audio_mixer_begin(struct audio_mixer *m)
{
	m->tick++;
	m->hint = 0;
	m->in_sum = 0;
	m->also = NULL;
}

void audio_mixer_also(struct audio_mixer *m, const float *pcm)
{
	m->also = pcm;
}

int audio_mixer_add(struct audio_mixer *m, uint32_t leg_id, const float *pcm, float level_dbov,
		    enum audio_band band)
{
	struct talker *t = find(m, leg_id);

	if (!t)
		t = make(m, leg_id);
	if (!t) {
		m->refused++;
		return -ENOSPC;
	}
	m->hint = (size_t)(t - m->talkers) + 1;
	/* Sound that starts brings its own fade; only who was held back needs one. */
	if (t->added_tick != m->tick - 1) {
		t->gain_to = 1;
		t->chosen = false;
	}
	t->gain_from = t->gain_to;
	t->added_tick = m->tick;
	t->pcm = pcm;
	t->band = band;
	t->loudness_dbov -= LOUDNESS_FALL_DB;
	if (level_dbov > t->loudness_dbov)
		t->loudness_dbov = level_dbov;
	return 0;
}

static float score(const struct talker *t)
{
	return t->loudness_dbov + (t->chosen ? TALKER_BONUS_DB : 0);
}

/* Sets gain_to of this tick's legs: the max_talkers loudest 1, the others 0. */
static void choose(struct audio_mixer *m)
{
	size_t n_added = 0, limit = m->max_talkers ? m->max_talkers : m->count;

	for (size_t i = 0; i < m->count; i++) {
		struct talker *t = &m->talkers[i];

		if (added(m, t)) {
			t->gain_to = 0;
			n_added++;
		}
	}
	if (limit > n_added)
		limit = n_added;
	for (size_t k = 0; k < limit; k++) {
		struct talker *best = NULL;

		for (size_t i = 0; i < m->count; i++) {
			struct talker *t = &m->talkers[i];

			if (added(m, t) && t->gain_to <= 0 && (!best || score(t) > score(best)))
				best = t;
		}
		best->gain_to = 1;
	}
}

static void choose_all(struct audio_mixer *m)
{
	for (size_t i = 0; i < m->count; i++)
		if (added(m, &m->talkers[i]))
			m->talkers[i].gain_to = 1;
}

/* The band's sum, empty at its first sound of this tick. */
static float *open_sum(struct audio_mixer *m, enum audio_band band)
{
	struct band_mix *b = &m->band[band];

	if (b->sound_tick != m->tick)
		memset(b->sum, 0, floats_of(m, band) * sizeof *b->sum);
	b->sound_tick = m->tick;
	return b->sum;
}

/* Where there was sound a tick ago there is silence now, unless there is again. */
static void close_sums(struct audio_mixer *m)
{
	for (enum audio_band b = 0; b < AUDIO_BANDS; b++)
		if (m->band[b].sound_tick == m->tick - 1)
			memset(m->band[b].sum, 0, floats_of(m, b) * sizeof *m->band[b].sum);
}

static void add_talker(struct audio_mixer *m, const struct talker *t)
{
	float *sum = open_sum(m, t->band);

	if (t->gain_from >= 1 && t->gain_to >= 1)
		dsp_add(sum, t->pcm, floats_of(m, t->band));
	else
		dsp_ramp_add(sum, t->pcm, audio_band_tick(t->band), m->channels, t->gain_from,
			     t->gain_to);
}

void audio_mixer_sum(struct audio_mixer *m)
{
	m->hint = 0;
	close_sums(m);
	if (m->also)
		dsp_add(open_sum(m, AUDIO_BAND_FULL), m->also, floats_of(m, AUDIO_BAND_FULL));
	if (m->max_talkers)
		choose(m);
	else
		choose_all(m);
	for (size_t i = 0; i < m->count; i++) {
		struct talker *t = &m->talkers[i];

		if (!added(m, t))
			continue;
		/* New, and not among the loudest: it was never heard. */
		if (!t->chosen && t->gain_to <= 0 && t->gain_from > 0)
			t->gain_from = 0;
		t->chosen = t->gain_to > 0;
		if (!audible(m, t))
			continue;
		m->in_sum++;
		add_talker(m, t);
	}
}

size_t audio_mixer_talkers(const struct audio_mixer *m)
{
	return m->in_sum;
}

bool audio_mixer_contains(const struct audio_mixer *m, uint32_t leg_id)
{
	const struct talker *t = find(m, leg_id);

	return t && audible(m, t);
}

/* What a band hears of another is added to total. The other's silence goes through for
 * a tick after its sound: its end is in the converter yet. */
static void add_other(struct audio_mixer *m, enum audio_band to, enum audio_band from)
{
	static const float silence[AUDIO_BAND_FULL_HZ / AUDIO_BAND_TICKS_PER_S];
	float heard[AUDIO_BAND_FULL_HZ / AUDIO_BAND_TICKS_PER_S];
	struct bridge *b = &m->band[to].from[from];
	size_t n = audio_band_tick(from);

	if (!b->rate && rate_new(&b->rate, audio_band_hz(from), audio_band_hz(to)))
		return;
	if (b->tick != m->tick - 1 && !b->empty)
		rate_run(b->rate, silence, n, heard);
	rate_run(b->rate, m->band[from].sum, n, heard);
	b->tick = m->tick;
	b->empty = m->band[from].sound_tick != m->tick;
	dsp_add(m->band[to].total, heard, audio_band_tick(to));
}

/* Everything that is heard in a band. */
static const float *whole(struct audio_mixer *m, enum audio_band band)
{
	struct band_mix *b = &m->band[band];
	bool others = false;

	if (b->whole_tick == m->tick)
		return b->whole;
	b->whole_tick = m->tick;
	for (enum audio_band i = 0; i < AUDIO_BANDS; i++) {
		if (i == band || m->band[i].sound_tick < m->tick - 1)
			continue;
		if (!others)
			memcpy(b->total, b->sum, floats_of(m, band) * sizeof *b->sum);
		others = true;
		add_other(m, band, i);
	}
	b->whole = others ? b->total : b->sum;
	return b->whole;
}

const float *audio_mixer_listener(struct audio_mixer *m, enum audio_band band)
{
	struct band_mix *b = &m->band[band];

	if (b->listener_tick != m->tick) {
		memcpy(b->listener, whole(m, band), floats_of(m, band) * sizeof *b->listener);
		limiter_run(&b->limiter, b->listener, audio_band_tick(band), m->channels,
			    audio_band_hz(band));
		b->listener_tick = m->tick;
	}
	return b->listener;
}

bool audio_mixer_minus(struct audio_mixer *m, uint32_t leg_id, enum audio_band band, float *out)
{
	struct talker *t = find(m, leg_id);
	size_t floats = floats_of(m, band);

	if (t)
		m->hint = (size_t)(t - m->talkers) + 1;
	if (!t || !audible(m, t)) {
		memcpy(out, audio_mixer_listener(m, band), floats * sizeof *out);
		return false;
	}
	/* its own sound cannot be taken out there: rather it hears nothing */
	if (band != t->band) {
		memset(out, 0, floats * sizeof *out);
		return true;
	}
	/* It heard the listener mix until now: go on from that gain. */
	if (t->minus_tick != m->tick - 1)
		t->limiter = m->band[band].limiter;
	t->minus_tick = m->tick;
	if (t->gain_from >= 1 && t->gain_to >= 1) {
		dsp_sub(out, whole(m, band), t->pcm, floats);
	} else {
		memcpy(out, whole(m, band), floats * sizeof *out);
		dsp_ramp_add(out, t->pcm, audio_band_tick(band), m->channels, -t->gain_from,
			     -t->gain_to);
	}
	limiter_run(&t->limiter, out, audio_band_tick(band), m->channels, audio_band_hz(band));
	return true;
}

void audio_mixer_forget(struct audio_mixer *m, uint32_t leg_id)
{
	struct talker *t = find(m, leg_id);
	size_t at;

	if (!t)
		return;
	at = (size_t)(t - m->talkers);
	m->count--;
	m->ids[at] = m->ids[m->count];
	m->talkers[at] = m->talkers[m->count];
}

void audio_mixer_set_max_talkers(struct audio_mixer *m, size_t max_talkers)
{
	m->max_talkers = max_talkers;
}

uint64_t audio_mixer_refused_count(const struct audio_mixer *m)
{
	return m->refused;
}
