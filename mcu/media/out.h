/* The child's end of the shared memory (wire.h): decoded sound and pictures are brought
 * to the server's formats and put into the rings. Nothing waits: who has no room asks
 * again later. */
#ifndef MCU_MEDIA_OUT_H
#define MCU_MEDIA_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/media/wire.h"

struct AVFrame;
struct media_out;

/* shm: mapped, with pictures of at most max_w x max_h; borrowed. 0 or -ENOMEM. */
int media_out_new(struct media_out **out, struct media_shm *shm, uint32_t max_w, uint32_t max_h);
void media_out_free(struct media_out **o);

/* What is put from now on is of this serial; what waits of sound is thrown away. */
void media_out_begin(struct media_out *o, uint32_t serial);

/* Whether there is room for a picture, and for the sound of one more packet. */
bool media_out_takes_picture(const struct media_out *o);
bool media_out_takes_sound(const struct media_out *o);

/* f is scaled into the largest size that fits, keeping its shape, but never enlarged.
 * rotation: degrees, to show it upright. 0; -EBADMSG: it cannot be shown; -ENOMEM. */
int media_out_picture(struct media_out *o, const struct AVFrame *f, int64_t pts_ns,
		      unsigned rotation);
/* Sound of any rate and channels. Where pts_ns does not follow what came before, it is
 * believed. */
int media_out_sound(struct media_out *o, const struct AVFrame *f, int64_t pts_ns);
/* What the resampler still holds goes out as far as there is room; true: all of it did. */
bool media_out_drain(struct media_out *o);
/* Those that will be put end there at least, although none was. */
void media_out_passed(struct media_out *o, int64_t picture_ns);
/* No sound is to be waited for: pictures go on without, until more of it is put. */
void media_out_no_sound(struct media_out *o, bool none);
/* One more picture was decoded, whether it was put or not. */
void media_out_decoded(struct media_out *o);

int64_t media_out_position(const struct media_out *o); /* where the server plays */
int64_t media_out_sound_ns(const struct media_out *o); /* up to where there is sound */
int64_t media_out_picture_ns(const struct media_out *o);
/* So many of this serial were put. */
unsigned media_out_blocks(const struct media_out *o);
unsigned media_out_pictures(const struct media_out *o);

#endif
