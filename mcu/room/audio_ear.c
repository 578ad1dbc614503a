#include "mcu/room/audio_ear.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "mixer/audio/dsp.h"
#include "mixer/audio/limiter.h"

struct audio_ear {
	struct prompt_player *player;
	float db, gain_from, gain_to;
	struct limiter limiter;
	bool counted;
};

int audio_ear_new(struct audio_ear **out)
{
	struct audio_ear *e = calloc(1, sizeof *e);

	if (!e)
		return -ENOMEM;
	e->gain_from = e->gain_to = 1;
	if (prompt_player_new(&e->player)) {
		free(e);
		return -ENOMEM;
	}
	*out = e;
	return 0;
}

void audio_ear_free(struct audio_ear **e)
{
	if (*e)
		prompt_player_free(&(*e)->player);
	free(*e);
	*e = NULL;
}

struct prompt_player *audio_ear_player(struct audio_ear *e)
{
	return e->player;
}

void audio_ear_set_volume(struct audio_ear *e, float db)
{
	if (db > e->db || db < e->db)
		e->gain_to = fabsf(db) > 0 ? powf(10, db / 20) : 1;
	e->db = db;
}

static bool is_turned(const struct audio_ear *e)
{
	return e->gain_from < 1 || e->gain_from > 1 || e->gain_to < 1 || e->gain_to > 1;
}

bool audio_ear_is_busy(const struct audio_ear *e)
{
	return is_turned(e) || !prompt_player_is_idle(e->player);
}

bool audio_ear_counted(const struct audio_ear *e)
{
	return e->counted;
}

void audio_ear_set_counted(struct audio_ear *e, bool counted)
{
	e->counted = counted;
}

void audio_ear_tick(struct audio_ear *e, float *mix, int channels, enum audio_band band)
{
	size_t n = audio_band_tick(band);

	if (is_turned(e)) {
		dsp_ramp(mix, n, channels, e->gain_from, e->gain_to);
		limiter_run(&e->limiter, mix, n, channels, audio_band_hz(band));
		e->gain_from = e->gain_to;
	}
	if (!prompt_player_is_idle(e->player))
		prompt_player_tick(e->player, mix, channels, band);
}
