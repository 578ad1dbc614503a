#include "mcu/room/audio_faint.h"

enum audio_faint_what audio_faint_next(struct audio_faint *f, bool says_faint)
{
	if (!says_faint || f->doubted) {
		f->run = 0;
		return AUDIO_FAINT_PLAY;
	}
	f->run++;
	if (f->run <= AUDIO_FAINT_SETTLE)
		return AUDIO_FAINT_PLAY;
	/* does not wrap around: the phase of the probes is all that matters */
	if (f->run >= AUDIO_FAINT_SETTLE + 2 * AUDIO_FAINT_PROBE)
		f->run -= AUDIO_FAINT_PROBE;
	return f->run % AUDIO_FAINT_PROBE ? AUDIO_FAINT_SKIP : AUDIO_FAINT_CHECK;
}

void audio_faint_heard(struct audio_faint *f, float level_dbov)
{
	if (f->run > AUDIO_FAINT_TAIL && level_dbov > AUDIO_FAINT_DOUBT_DBOV)
		f->doubted = true;
}
