#include "mixer/audio/voice.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <speex/speex_preprocess.h>

#include "mixer/audio/dsp.h"
#include "mixer/audio/vad.h"

enum { RATE_HZ = 48000, TICK = VOICE_TICK_SAMPLES, STEP = TICK / 2, MAX_CHANNELS = 2 };
enum { SUPPRESS_DB = -24 };

/* Per tick of 20 ms. Loud is answered quickly, quiet slowly; what is heard of the
 * loudness follows speech within half a second. */
#define LOUDER_PER_TICK  0.10f
#define QUIETER_PER_TICK 0.03f
#define GAIN_UP_DB       0.16f /* 8 dB/s */
#define GAIN_DOWN_DB     0.60f /* 30 dB/s */
#define GAIN_OFF_DB      1.0f  /* back to nothing when it is switched off */
#define PEAK_MAX         0.9f

struct voice {
	int channels;
	bool gain, noise;
	bool was_noise; /* in the last tick */
	bool stale;     /* the filters hold sound of before a rest */
	SpeexPreprocessState *filter[MAX_CHANNELS];
	struct vad vad;
	float loudness_dbov, gain_db;
	float dry[TICK * MAX_CHANNELS];
	spx_int16_t step[STEP];
};

int voice_new(struct voice **out, int channels)
{
	int on = 1, db = SUPPRESS_DB;
	struct voice *v;

	if (channels < 1 || channels > MAX_CHANNELS)
		return -EINVAL;
	v = calloc(1, sizeof *v);
	if (!v)
		return -ENOMEM;
	v->channels = channels;
	v->loudness_dbov = VOICE_TARGET_DBOV;
	vad_init(&v->vad);
	for (int c = 0; c < channels; c++) {
		v->filter[c] = speex_preprocess_state_init(STEP, RATE_HZ);
		if (!v->filter[c]) {
			voice_free(&v);
			return -ENOMEM;
		}
		speex_preprocess_ctl(v->filter[c], SPEEX_PREPROCESS_SET_DENOISE, &on);
		speex_preprocess_ctl(v->filter[c], SPEEX_PREPROCESS_SET_NOISE_SUPPRESS, &db);
	}
	*out = v;
	return 0;
}

void voice_free(struct voice **v)
{
	if (!*v)
		return;
	for (int c = 0; c < (*v)->channels; c++)
		if ((*v)->filter[c])
			speex_preprocess_state_destroy((*v)->filter[c]);
	free(*v);
	*v = NULL;
}

void voice_set(struct voice *v, bool gain, bool noise)
{
	v->gain = gain;
	v->noise = noise;
}

float voice_gain_db(const struct voice *v)
{
	return v->gain_db;
}

static spx_int16_t to_int16(float x)
{
	x = x * 32768.0f;
	return (spx_int16_t)lrintf(x > 32767 ? 32767 : x < -32768 ? -32768 : x);
}

static void filter(struct voice *v, float *pcm)
{
	size_t ch = (size_t)v->channels;

	for (size_t c = 0; c < ch; c++) {
		for (float *at = pcm + c; at < pcm + TICK * ch; at += STEP * ch) {
			for (size_t i = 0; i < STEP; i++)
				v->step[i] = to_int16(at[i * ch]);
			speex_preprocess_run(v->filter[c], v->step);
			for (size_t i = 0; i < STEP; i++)
				at[i * ch] = (float)v->step[i] / 32768.0f;
		}
	}
}

/* Silence in, so that no sound of before comes out. */
static void flush(struct voice *v)
{
	memset(v->dry, 0, sizeof v->dry);
	filter(v, v->dry);
	v->stale = false;
}

static void suppress(struct voice *v, float *pcm)
{
	size_t ch = (size_t)v->channels;

	if (!v->noise && !v->was_noise)
		return;
	if (!v->was_noise && v->stale)
		flush(v);
	if (v->noise != v->was_noise)
		memcpy(v->dry, pcm, TICK * ch * sizeof *pcm);
	filter(v, pcm);
	v->stale = true;
	if (v->noise != v->was_noise) {
		dsp_ramp(pcm, TICK, v->channels, v->was_noise, v->noise);
		dsp_ramp_add(pcm, v->dry, TICK, v->channels, v->noise, v->was_noise);
	}
	v->was_noise = v->noise;
}

static float towards(float from, float to, float up, float down)
{
	return to > from + up ? from + up : to < from - down ? from - down : to;
}

static float clamp_range(float db)
{
	return db > VOICE_RANGE_DB ? VOICE_RANGE_DB : db < -VOICE_RANGE_DB ? -VOICE_RANGE_DB : db;
}

static float gain_of(float db)
{
	return db > 0 || db < 0 ? powf(10, db / 20) : 1;
}

/* What the gain shall be at the end of this tick. */
static float next_gain_db(struct voice *v, const float *pcm, size_t floats)
{
	float db = v->gain_db, peak, level;

	if (!v->gain)
		return towards(db, 0, GAIN_OFF_DB, GAIN_OFF_DB);
	vad_update(&v->vad, pcm, floats);
	level = v->vad.level_dbov;
	if (v->vad.active) {
		v->loudness_dbov += (level - v->loudness_dbov) *
				    (level > v->loudness_dbov ? LOUDER_PER_TICK : QUIETER_PER_TICK);
		db = towards(db, clamp_range(VOICE_TARGET_DBOV - v->loudness_dbov), GAIN_UP_DB,
			     GAIN_DOWN_DB);
	}
	peak = dsp_peak(pcm, floats);
	if (db > 0 && peak * gain_of(db) > PEAK_MAX)
		db = peak < PEAK_MAX ? 20 * log10f(PEAK_MAX / peak) : 0;
	return db;
}

static void level(struct voice *v, float *pcm)
{
	float was = v->gain_db;

	if (!v->gain && !(was > 0 || was < 0))
		return;
	v->gain_db = next_gain_db(v, pcm, TICK * (size_t)v->channels);
	if (!v->gain && fabsf(v->gain_db) < 1e-3f) {
		v->gain_db = 0;
		v->loudness_dbov = VOICE_TARGET_DBOV;
	}
	if (was > 0 || was < 0 || v->gain_db > 0 || v->gain_db < 0)
		dsp_ramp(pcm, TICK, v->channels, gain_of(was), gain_of(v->gain_db));
}

void voice_run(struct voice *v, float *pcm)
{
	suppress(v, pcm);
	level(v, pcm);
}

void voice_rest(struct voice *v)
{
	if (v->stale)
		flush(v);
}
