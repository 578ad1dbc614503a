#include "mixer/audio/vad.h"

#include <math.h>

#include "mixer/audio/dsp.h"

#define SILENCE_DBOV    (-127.0f)
#define ABOVE_FLOOR_DB  10.0f
#define FAINT_DBOV      (-65.0f) /* nothing below this is activity */
#define FLOOR_FALL      0.3f     /* of the distance per tick */
#define FLOOR_RISE_DB   0.02f    /* per tick: 1 dB/s */

enum { HANGOVER_TICKS = 15 /* 300 ms: between words */ };

float vad_level_dbov(const float *pcm, size_t n)
{
	float power = n ? dsp_energy(pcm, n) / (float)n : 0;
	float db = power > 0 ? 10 * log10f(power) : SILENCE_DBOV;

	/* Written so that a NaN is silence. */
	return db > SILENCE_DBOV ? (db < 0 ? db : 0) : SILENCE_DBOV;
}

void vad_init(struct vad *v)
{
	*v = (struct vad){ .level_dbov = SILENCE_DBOV, .floor_dbov = FAINT_DBOV };
}

static void hang(struct vad *v)
{
	if (v->active)
		v->hang_ticks = HANGOVER_TICKS;
	else if (v->hang_ticks > 0)
		v->hang_ticks--;
	v->speaking = v->active || v->hang_ticks > 0;
}

void vad_update(struct vad *v, const float *pcm, size_t n)
{
	float level = vad_level_dbov(pcm, n);

	v->level_dbov = level;
	v->active = level > VAD_ABSOLUTE_DBOV ||
		    (level > FAINT_DBOV && level > v->floor_dbov + ABOVE_FLOOR_DB);
	if (level < v->floor_dbov)
		v->floor_dbov += (level - v->floor_dbov) * FLOOR_FALL;
	else
		v->floor_dbov += FLOOR_RISE_DB;
	if (v->floor_dbov > VAD_ABSOLUTE_DBOV)
		v->floor_dbov = VAD_ABSOLUTE_DBOV;
	hang(v);
}

void vad_silence(struct vad *v)
{
	v->level_dbov = SILENCE_DBOV;
	v->active = false;
	hang(v);
}
