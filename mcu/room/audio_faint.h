/* Which packets of sound need not be decoded: those whose sender says that nothing
 * is to be heard in them (RFC 6464), and of G.711 those that look so. That is checked, at first and then once a
 * second; whose word was wrong is never believed again. A value, of MIXA. */
#ifndef MCU_ROOM_AUDIO_FAINT_H
#define MCU_ROOM_AUDIO_FAINT_H

#include <stdbool.h>

enum {
	AUDIO_FAINT_DBOV = -64,   /* what is no louder is not heard */
	AUDIO_FAINT_SETTLE = 25,  /* faint packets in a row until they are left out */
	AUDIO_FAINT_PROBE = 50,   /* of those, every so many is decoded all the same */
	AUDIO_FAINT_TAIL = 3,     /* first ones that may hold the end of something loud */
	AUDIO_FAINT_DOUBT_DBOV = -56 /* what is louder was no faint packet */
};

struct audio_faint {
	unsigned run; /* faint packets in a row */
	bool doubted;
};

enum audio_faint_what {
	AUDIO_FAINT_PLAY, /* as any packet */
	AUDIO_FAINT_CHECK, /* decode and tell its level; play silence unless doubted then */
	AUDIO_FAINT_SKIP /* play silence */
};

/* For each packet in turn. */
enum audio_faint_what audio_faint_next(struct audio_faint *f, bool says_faint);
/* What a packet that said so was like, decoded. */
void audio_faint_heard(struct audio_faint *f, float level_dbov);

#endif
