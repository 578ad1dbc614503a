/* From packets with media-clock times to what live players get: an initialisation
 * section and parts, each a movie fragment (ISO/IEC 14496-12; CMAF chunks with both
 * tracks). A segment is the parts from one key frame to another. Nothing of this
 * touches a file. Owner: a live output; one thread.
 *
 * A part ends where the next picture would make it longer than part_ns, a segment at
 * the first key frame segment_ns after its own, or where the parameters of the picture
 * change or a part of the stream is missing (->breaks). Time stamps are computed from
 * the distance to the first key frame, never added up. */
#ifndef MCU_STORAGE_LIVE_CUT_H
#define MCU_STORAGE_LIVE_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct live_cut;

/* Borrowed for the call. */
struct live_init {
	const uint8_t *data;
	size_t len;
	unsigned width, height;
	char codecs[32]; /* RFC 6381 */
};

struct live_part {
	const uint8_t *data;
	size_t len;
	int64_t start_ns; /* media clock */
	int64_t duration_ns;
	bool independent; /* it begins with a key frame */
	bool first, last; /* of its segment */
	bool breaks;	  /* it does not go on where the one before ended */
};

struct live_cut_out {
	void *obj;
	/* For all parts that follow; the next one breaks, unless it is the very first. */
	void (*init)(void *obj, const struct live_init *i);
	void (*part)(void *obj, const struct live_part *p);
};

struct live_cut_cfg {
	int fps;		   /* nominal */
	const uint8_t *aac_config; /* AudioSpecificConfig */
	size_t aac_config_len;	   /* 0: no sound */
	int sample_rate, channels;
	int64_t part_ns, segment_ns;
};

/* cfg is copied. 0, -EINVAL, -ENOMEM. */
int live_cut_new(struct live_cut **out, const struct live_cut_cfg *cfg,
		 const struct live_cut_out *to);
void live_cut_free(struct live_cut **c);

/* An access unit in Annex B form, parameter sets before each key frame. What does not
 * fit is dropped, and then everything up to the next key frame: false. */
bool live_cut_video(struct live_cut *c, const uint8_t *au, size_t len, int64_t pts_ns, bool key);
/* An AAC frame of 1,024 samples; before the first key frame, or late: false. */
bool live_cut_audio(struct live_cut *c, const uint8_t *frame, size_t len, int64_t pts_ns);
/* What waits becomes the last part. */
void live_cut_finish(struct live_cut *c);

#endif
