/* The insides of playbacks. CTL.
 *   playback.c         what may be asked of them; their running
 *   playback_leg.c     as somebody in the room
 *   playback_source.c  where they come from */
#ifndef MCU_PLAYBACK_PRIV_H
#define MCU_PLAYBACK_PRIV_H

#include <glib.h>

#include "mcu/conference_priv.h"
#include "mcu/playback.h"
#include "mcu/playback_child.h"
#include "mcu/playback_feed.h"
#include "storage/recordings.h"

struct playbacks {
	struct conference *conf;
	GPtrArray *all; /* struct playback; those that end included */
	uint32_t last_id;
	guint timer;
};

struct playback {
	struct playbacks *owner;
	uint32_t id;
	char room[257], title[257], by[257], url[MEDIA_URL_BYTES], token[RECORDING_TOKEN_LEN + 1];
	char text[MEDIA_TEXT_BYTES + 160], code[24]; /* of an error; "" */
	enum playback_source source;
	int64_t source_id, start_ms, user_id;
	bool admin, content, titled;
	struct playback_clock clock;
	struct media_note facts;
	uint32_t page;
	int file; /* -1: none yet, or a camera */
	int shm_fd;
	struct media_shm *shm;
	uint32_t max_w, max_h;
	struct playback_feed *feed;
	struct playback_child *child; /* NULL: none runs */
	struct leg_handle *leg;	      /* NULL: not in the room */
	uint32_t leg_id;
	bool ended;   /* no more of it is to come */
	bool asking;  /* the registry or the volume will answer */
	unsigned wanted; /* on so many views' sources (camera, content) its picture is */
	bool shows;	 /* so the child was told */
	bool pulled;  /* the room's threads may read the feed */
	bool failing; /* what is said of it is that it failed */
	int64_t waits_ns;  /* since when the child owes an answer; 0: it does not */
	int64_t alone_ns;  /* since when nobody else is in the room; 0: somebody is */
	unsigned tries;	   /* of a camera, in a row */
	int64_t retry_ns;  /* when it is tried again; 0: it is not */
	int64_t fine_ns;   /* since when a camera has been there */
	uint32_t decoded;  /* what the child had counted at the last turn */
	uint64_t pictures; /* that were decoded */
	enum playback_state told; /* what the room was told last */
};

/* playback.c */
/* It is over; text NULL: nothing went wrong. Its leg leaves. */
void playback_finish(struct playback *p, const char *text) ON_THREAD(ROLE_CTL);
/* Frees it when nothing knows it any more. */
void playback_reap(struct playback *p) ON_THREAD(ROLE_CTL);
void playback_describe(const struct playback *p, struct playback_info *out) ON_THREAD(ROLE_CTL);
/* Tells the child whether its pictures are looked at, when that has changed. */
void playback_order_wanted(struct playback *p) ON_THREAD(ROLE_CTL);
/* Its file, or camera, is known: the child is started. */
void playback_open(struct playback *p) ON_THREAD(ROLE_CTL);
int64_t playback_now(const struct playback *p) ON_THREAD(ROLE_CTL);

/* playback_leg.c */
int playback_join(struct playback *p, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* What the child sends becomes what the leg sends. */
void playback_show(struct playback *p) ON_THREAD(ROLE_CTL);
void playback_leave(struct playback *p) ON_THREAD(ROLE_CTL);
/* Its state, to everybody in the room. */
void playback_tell(struct playback *p) ON_THREAD(ROLE_CTL);

/* playback_source.c: asks for what is to be played; playback_open or playback_finish
 * follows. 0 or -errno with *why. */
int playback_find(struct playback *p, struct errmsg *why) ON_THREAD(ROLE_CTL);

#endif
