#include "mixer/audio/prompt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mixer/audio/dsp.h"
#include "mixer/audio/limiter.h"
#include "mixer/audio/rate.h"

/* Per tick: lowered within three, back within fifteen. */
#define GAIN_DOWN 0.25f
#define GAIN_UP	  0.05f
#define SCALE	  (1.0f / 32768.0f)

struct prompt_player {
	struct prompt_list queue[PROMPT_QUEUE]; /* the first plays */
	size_t n;
	size_t part, at; /* of the first */
	bool began;	 /* something of it was heard */
	const struct prompt *fading; /* was stopped in its middle; NULL: none */
	size_t fading_at;
	struct prompt_over over[PROMPT_QUEUE];
	size_t n_over;
	float gain; /* of the room at the end of the last tick */
	struct limiter limiter;
	struct rate *down; /* to band; NULL: none yet */
	enum audio_band band;
};

int prompt_player_new(struct prompt_player **out)
{
	struct prompt_player *p = calloc(1, sizeof *p);

	if (!p)
		return -ENOMEM;
	p->gain = 1;
	*out = p;
	return 0;
}

void prompt_player_free(struct prompt_player **p)
{
	if (*p)
		rate_free(&(*p)->down);
	free(*p);
	*p = NULL;
}

int prompt_player_add(struct prompt_player *p, const struct prompt_list *l)
{
	if (p->n + p->n_over >= PROMPT_QUEUE)
		return -ENOSPC;
	p->queue[p->n++] = *l;
	return 0;
}

/* Takes list number i out of the queue. */
static void end(struct prompt_player *p, size_t i, bool stopped)
{
	p->over[p->n_over++] = (struct prompt_over){ p->queue[i].id, stopped };
	p->n--;
	for (size_t k = i; k < p->n; k++)
		p->queue[k] = p->queue[k + 1];
	if (i)
		return;
	p->part = p->at = 0;
	p->began = false;
}

void prompt_player_stop(struct prompt_player *p, bool until_digit)
{
	for (size_t i = 0; i < p->n;) {
		if (until_digit && !p->queue[i].until_digit) {
			i++;
			continue;
		}
		if (!i && p->began) {
			p->fading = p->queue[0].part[p->part];
			p->fading_at = p->at;
		}
		end(p, i, true);
	}
}

bool prompt_player_is_idle(const struct prompt_player *p)
{
	return !p->n && !p->n_over && !p->fading && p->gain >= 1;
}

size_t prompt_mix(const struct prompt *s, size_t at, float *out, size_t samples, int channels)
{
	size_t n = at < s->n ? s->n - at : 0;

	if (n > samples)
		n = samples;
	for (size_t i = 0; i < n; i++)
		for (int c = 0; c < channels; c++)
			out[i * (size_t)channels + (size_t)c] += (float)s->pcm[at + i] * SCALE;
	return n;
}

static void fade(struct prompt_player *p, float *mix, size_t samples, int channels)
{
	const struct prompt *s = p->fading;

	for (size_t i = 0; i < samples && p->fading_at + i < s->n; i++) {
		float g = SCALE * (float)(samples - i) / (float)samples;

		for (int c = 0; c < channels; c++)
			mix[i * (size_t)channels + (size_t)c] += (float)s->pcm[p->fading_at + i] * g;
	}
	p->fading = NULL;
}

/* The next sound; false: that was the last list. A list of nothing but empty sounds
 * must not go round for ever within a tick. */
static bool advance(struct prompt_player *p, bool *went_round)
{
	struct prompt_list *l = &p->queue[0];

	p->at = 0;
	if (++p->part < l->n)
		return true;
	p->part = 0;
	if (l->loop && !*went_round) {
		*went_round = true;
		return true;
	}
	if (l->loop)
		return false;
	end(p, 0, false);
	return p->n > 0;
}

static void play(struct prompt_player *p, float *mix, size_t samples, int channels)
{
	bool went_round = false;
	size_t done = 0;

	while (p->n && done < samples) {
		const struct prompt *s = p->queue[0].part[p->part];
		size_t n = prompt_mix(s, p->at, mix + done * (size_t)channels, samples - done,
				      channels);

		p->began = true;
		p->at += n;
		done += n;
		if (p->at >= s->n && !advance(p, &went_round))
			break;
	}
}

static void speak(struct prompt_player *p, float *mix, size_t samples, int channels)
{
	if (p->fading)
		fade(p, mix, samples, channels);
	play(p, mix, samples, channels);
}

static struct rate *converter(struct prompt_player *p, enum audio_band band)
{
	if (p->down && p->band == band)
		return p->down;
	rate_free(&p->down);
	p->band = band;
	return rate_new(&p->down, PROMPT_HZ, audio_band_hz(band)) ? NULL : p->down;
}

/* Also when nothing is said: the end of what was is in the converter yet. */
static void speak_lower(struct prompt_player *p, float *mix, enum audio_band band)
{
	float full[PROMPT_HZ / AUDIO_BAND_TICKS_PER_S], low[PROMPT_HZ / AUDIO_BAND_TICKS_PER_S];
	struct rate *down = converter(p, band);

	memset(full, 0, sizeof full);
	speak(p, full, audio_band_tick(AUDIO_BAND_FULL), 1);
	if (!down)
		return;
	rate_run(down, full, audio_band_tick(AUDIO_BAND_FULL), low);
	dsp_add(mix, low, audio_band_tick(band));
}

void prompt_player_tick(struct prompt_player *p, float *mix, int channels, enum audio_band band)
{
	size_t samples = audio_band_tick(band);
	float from = p->gain, to = p->n ? from - GAIN_DOWN : from + GAIN_UP;

	to = to < PROMPT_ROOM_GAIN ? PROMPT_ROOM_GAIN : to > 1 ? 1 : to;
	if (from < 1 || to < 1)
		dsp_ramp(mix, samples, channels, from, to);
	p->gain = to;
	if (band == AUDIO_BAND_FULL)
		speak(p, mix, samples, channels);
	else
		speak_lower(p, mix, band);
	limiter_run(&p->limiter, mix, samples, channels, audio_band_hz(band));
}

bool prompt_player_over(const struct prompt_player *p, struct prompt_over *out)
{
	if (p->n_over)
		*out = p->over[0];
	return p->n_over > 0;
}

void prompt_player_fetched(struct prompt_player *p)
{
	p->n_over--;
	for (size_t i = 0; i < p->n_over; i++)
		p->over[i] = p->over[i + 1];
}
