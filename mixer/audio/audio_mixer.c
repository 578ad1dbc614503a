#include "mixer/audio/audio_mixer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mixer/audio/dsp.h"
#include "mixer/audio/limiter.h"

#define TALKER_BONUS_DB    6.0f /* a newcomer must be that much louder */
#define LOUDNESS_FALL_DB   0.4f /* per tick: 20 dB/s, so that pauses lose no place */

struct talker {
	const float *pcm; /* borrowed; this tick's, when added_tick is */
	int64_t added_tick, minus_tick;
	float loudness_dbov; /* rises at once, falls slowly */
	float gain_from, gain_to;
	bool chosen;
	struct limiter limiter; /* of its N-1 mix */
};

struct audio_mixer {
	size_t samples, capacity, count, max_talkers, hint;
	int channels;
	int64_t tick;
	size_t in_sum;
	bool listener_done;
	uint64_t refused;
	struct limiter limiter; /* of the listener mix */
	float *sum, *listener;
	const float *also; /* of this tick; NULL: nothing */
	uint32_t *ids; /* beside the talkers: searched often */
	struct talker *talkers;
};

int audio_mixer_new(struct audio_mixer **out, const struct audio_mixer_cfg *cfg)
{
	struct audio_mixer *m = calloc(1, sizeof *m);
	size_t floats;

	if (!m)
		return -ENOMEM;
	m->samples = cfg->frame_samples ? cfg->frame_samples : 960;
	m->channels = cfg->channels ? cfg->channels : 1;
	m->capacity = cfg->max_legs ? cfg->max_legs : 256;
	m->max_talkers = cfg->max_talkers;
	if (m->channels < 1 || m->channels > 2) {
		free(m);
		return -EINVAL;
	}
	floats = m->samples * (size_t)m->channels;
	m->sum = calloc(floats, sizeof *m->sum);
	m->listener = calloc(floats, sizeof *m->listener);
	m->ids = calloc(m->capacity, sizeof *m->ids);
	m->talkers = calloc(m->capacity, sizeof *m->talkers);
	if (!m->sum || !m->listener || !m->ids || !m->talkers) {
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
	free((*m)->sum);
	free((*m)->listener);
	free((*m)->ids);
	free((*m)->talkers);
	free(*m);
	*m = NULL;
}

static size_t floats_of(const struct audio_mixer *m)
{
	return m->samples * (size_t)m->channels;
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
	m->listener_done = false;
}

void audio_mixer_also(struct audio_mixer *m, const float *pcm)
{
	m->also = pcm;
}

int audio_mixer_add(struct audio_mixer *m, uint32_t leg_id, const float *pcm, float level_dbov)
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

void audio_mixer_sum(struct audio_mixer *m)
{
	m->hint = 0;
	memset(m->sum, 0, floats_of(m) * sizeof *m->sum);
	if (m->also)
		dsp_add(m->sum, m->also, floats_of(m));
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
		if (t->gain_from >= 1 && t->gain_to >= 1)
			dsp_add(m->sum, t->pcm, floats_of(m));
		else
			dsp_ramp_add(m->sum, t->pcm, m->samples, m->channels, t->gain_from,
				     t->gain_to);
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

const float *audio_mixer_listener(struct audio_mixer *m)
{
	if (!m->listener_done) {
		memcpy(m->listener, m->sum, floats_of(m) * sizeof *m->sum);
		limiter_run(&m->limiter, m->listener, m->samples, m->channels);
		m->listener_done = true;
	}
	return m->listener;
}

bool audio_mixer_minus(struct audio_mixer *m, uint32_t leg_id, float *out)
{
	struct talker *t = find(m, leg_id);

	if (t)
		m->hint = (size_t)(t - m->talkers) + 1;
	if (!t || !audible(m, t)) {
		memcpy(out, audio_mixer_listener(m), floats_of(m) * sizeof *out);
		return false;
	}
	/* It heard the listener mix until now: go on from that gain. */
	if (t->minus_tick != m->tick - 1)
		t->limiter = m->limiter;
	t->minus_tick = m->tick;
	if (t->gain_from >= 1 && t->gain_to >= 1) {
		dsp_sub(out, m->sum, t->pcm, floats_of(m));
	} else {
		memcpy(out, m->sum, floats_of(m) * sizeof *out);
		dsp_ramp_add(out, t->pcm, m->samples, m->channels, -t->gain_from, -t->gain_to);
	}
	limiter_run(&t->limiter, out, m->samples, m->channels);
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
