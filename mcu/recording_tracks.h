/* The isolated tracks of a recording (recording.tracks): for each participant a Matroska
 * file of what it sends, for what it shares another, with rows of their own below the
 * recording's. They begin when somebody comes and end when it leaves; each part of one
 * (storage/track.h) is a row. CTL. */
#ifndef MCU_RECORDING_TRACKS_H
#define MCU_RECORDING_TRACKS_H

#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/recording.h"

struct leg;
struct recording_row;
struct recording_tracks;
struct timeline_view;

/* of: the recording's row; copied. env: borrowed, until env->running says that all of them
 * have gone. pictures: not only the sound. 0 or -ENOMEM. */
int recording_tracks_new(struct recording_tracks **out, struct recording_env *env,
			 const struct recording_row *of, bool pictures) ON_THREAD(ROLE_CTL);
/* Where the recorder shows its time line. NULL when t is NULL. */
struct timeline_view *recording_tracks_view(struct recording_tracks *t) ON_THREAD(ROLE_CTL);
/* Somebody is in the room. Harmless for one that is there already, or has no media of its
 * own. */
void recording_tracks_add(struct recording_tracks *t, struct leg *l, const char *name)
	ON_THREAD(ROLE_CTL);
/* They end; rows are written as they do. Before the legs' room goes. */
void recording_tracks_stop(struct recording_tracks *t) ON_THREAD(ROLE_CTL);
/* The recorder has ended. Frees it, now or when the last track has. *t may be NULL. */
void recording_tracks_leave(struct recording_tracks **t) ON_THREAD(ROLE_CTL);

#endif
